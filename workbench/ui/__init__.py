"""The interactive workbench: ``lab(target)`` and the parts it is made of.

Road of what is shown: events and condition → :class:`.desk.Desk` (no widgets) → parts
(``*_part``, one per panel) → widgets → scripts. Road back: a message or a changed trait
→ the part's handler → the desk → everything derived, at most ten times a second.
"""

from __future__ import annotations

from typing import Any

__all__ = ["Lab", "lab"]


def __getattr__(name: str) -> Any:
    """Load the widgets only when the lab is asked for."""
    if name in __all__:
        from workbench.ui import assembly

        return getattr(assembly, name)
    raise AttributeError(f"module 'workbench.ui' has no attribute {name!r}")
