"""Events: a table of events and where they came from."""

from __future__ import annotations

from workbench.lazy import lazy_names

# Public name → module that defines it; loaded on first use.
_HOMES = {
    "Events": "workbench.events.events",
    "events_from_table": "workbench.events.from_table",
    "open_events": "workbench.events.opening",
}

__all__ = sorted(_HOMES)  # noqa: PLE0605 - one table holds the names and their homes
__getattr__, __dir__ = lazy_names(__name__, _HOMES)
