"""Parts of the lab as widgets of their own, to be linked and laid out by the user.

Each is the lab over its events with one part shown: the same modules in the browser,
the same traits in Python.
"""

from __future__ import annotations

from workbench.ui.lab_widget import Lab

__all__ = ["ConditionEditor", "EventTable", "RuleForm", "Timeline"]


class EventTable(Lab):
    """The event table: ``condition`` marks rows, ``selected`` is two-way."""

    _view_part = "table"


class Timeline(Lab):
    """Events and matches over time: ``condition`` and ``match_count``."""

    _view_part = "timeline"


class ConditionEditor(Lab):
    """The editor with result and checks: ``condition`` two-way, ``match_count``."""

    _view_part = "condition"


class RuleForm(Lab):
    """A rule's condition and form: ``rule`` (YAML) two-way."""

    _view_part = "rule"
