"""The lab's calls into rules: YAML, complaints, alerts, hits, comparison."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.errors import RulesError, WorkbenchError

if TYPE_CHECKING:
    from workbench.events import Events
    from workbench.rules import Rule, RuleException, RuleSet

__all__ = [
    "comparison",
    "complaints",
    "error_lines",
    "exception_text",
    "hits_and_overlap",
    "items_of",
    "named_item",
    "preview",
    "priority_keys",
    "rules_of",
    "with_items",
    "without_rule",
    "yaml_text",
]

_PREVIEW_ROWS = 500
_SHOWN = 12
_PAIRS = 20


def priority_keys() -> list[str]:
    """Give the priorities as rules files write them, the most severe first."""
    from workbench.rules.model import PRIORITIES

    return [priority.key for priority in PRIORITIES]
