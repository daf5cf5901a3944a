"""The lab without a browser: a text and a static, escaped HTML summary."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.formatting.html import escape, table, tag
from workbench.ui.state import condition_queries as queries

if TYPE_CHECKING:
    from workbench.ui.export.snapshot import LabSnapshot

__all__ = ["lab_html", "lab_text"]


def _facts(shown: LabSnapshot) -> list[tuple[str, str]]:
    target = shown.target
    over = "nothing" if target is None else queries.target_name(target)
    facts = [("over", over), ("events", f"{shown.events:,}")]
    if shown.condition:
        count = shown.matches
        facts.append(("condition", shown.condition))
        facts.append(("matches", "not a condition" if count is None else f"{count:,}"))
    return facts


def lab_text(shown: LabSnapshot) -> str:
    """Return the lab as one line of text."""
    return "Lab: " + ", ".join(f"{name} {value}" for name, value in _facts(shown))


def lab_html(shown: LabSnapshot) -> str:
    """Return facts, funnel and the first rows as escaped HTML, for static exports."""
    parts = [table(["Falco Plugin Workbench", ""], _facts(shown))]
    if shown.steps:
        steps = [(check, f"{rows:,}") for check, rows in shown.steps]
        parts.append(table(["check", "events left"], steps))
    if shown.rows:
        cells = [["–" if cell is None else cell for cell in row] for row in shown.rows]
        parts.append(table(shown.columns, cells))
    note = "Run this cell in a notebook with a browser for the interactive lab."
    parts.append(tag("p", escape(note)))
    return tag("div", *parts)
