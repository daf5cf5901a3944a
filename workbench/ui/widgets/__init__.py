"""Parts of the lab as widgets: ``wb.widgets.EventTable(events)`` and the others.

Road of what is shown: parts (state under a name) → one widget → one script; each of the
public classes is the lab over its events with one part shown.
"""

from __future__ import annotations

from workbench.lazy import lazy_names

# Public name → module that defines it; loaded on first use.
_HOMES = {
    "ConditionEditor": "workbench.ui.standalone",
    "EventTable": "workbench.ui.standalone",
    "RuleForm": "workbench.ui.standalone",
    "Timeline": "workbench.ui.standalone",
}

__all__ = sorted(_HOMES)  # noqa: PLE0605 - one table holds the names and their homes
__getattr__, __dir__ = lazy_names(__name__, _HOMES)
