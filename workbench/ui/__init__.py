"""The interactive workbench: ``lab(target)`` and the parts it is made of.

Road of what is shown: events and condition → :class:`workbench.ui.state.model.LabModel`
(no widgets) → panels → widgets → scripts. Road back: a message or a changed trait → the
panel's handler → the model → everything derived, at most ten times a second.
"""

from __future__ import annotations

from workbench.lazy import lazy_names

# Public name → module that defines it; the widgets are loaded on first use.
_HOMES = {
    "Lab": "workbench.ui.lab_widget",
    "lab": "workbench.ui.opening",
}

__all__ = sorted(_HOMES)  # noqa: PLE0605 - one table holds the names and their homes
__getattr__, __dir__ = lazy_names(__name__, _HOMES)
