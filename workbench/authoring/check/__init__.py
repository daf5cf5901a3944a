"""``workbench check``: how good a citizen of the framework a plugin is.

``static`` reads what the library says of itself; ``running`` initialises it and streams
events; ``hostile`` feeds it what no author expects; ``report`` holds the findings and
renders them. ``run`` puts them in order.
"""

from __future__ import annotations

from workbench.authoring.check.report import CheckReport, Finding

__all__ = ["CheckReport", "Finding"]
