"""``workbench check``: whether a plugin conforms to the plugin API.

``static`` reads what the library says about itself; ``initialising`` and ``streaming``
run it, ``values`` compares what it extracts, ``states`` and ``endurance`` repeat,
``hostile`` sends what no author expects; ``feeding`` extracts from stored events past
crashes; ``report`` holds the findings of ``codes`` and renders them. ``run`` puts the
checks in order.
"""

from __future__ import annotations

from workbench.authoring.check.report import CheckReport, Finding

__all__ = ["CheckReport", "Finding"]
