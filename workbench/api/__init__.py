"""Facts of Falco's plugin API: its functions and structures in each version."""

from __future__ import annotations

from workbench.lazy import lazy_names

# Public name → module that defines it.
_HOMES = {
    "VERSIONS": "workbench.api.versions",
    "cdef": "workbench.api.declarations",
}

__all__ = sorted(_HOMES)  # noqa: PLE0605 - one table holds the names and their homes
__getattr__, __dir__ = lazy_names(__name__, _HOMES)
