"""The lab without a browser: a text and a static, escaped HTML summary."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.formatting.html import escape, table, tag
from workbench.ui.state import condition_queries as engine

if TYPE_CHECKING:
    from workbench.ui.lab_widget import Lab

__all__ = ["lab_html", "lab_text"]

_ROWS = 8


def _facts(lab: Lab) -> list[tuple[str, str]]:
    model = lab.model
    facts = [
        (
            "over",
            engine.target_name(lab.target) if lab.target is not None else "nothing",
        ),
        ("events", f"{len(model.store):,}"),
    ]
    if model.condition.strip():
        facts.append(("condition", model.condition.strip()))
        count = model.matcher.count
        facts.append(("matches", "not a condition" if count is None else f"{count:,}"))
    return facts


def lab_text(lab: Lab) -> str:
    """Give the lab as one line of text."""
    return "Lab: " + ", ".join(f"{name} {value}" for name, value in _facts(lab))


def lab_html(lab: Lab) -> str:
    """Give facts, funnel and the first rows as escaped HTML, for static exports."""
    model = lab.model
    parts = [table(["Falco Plugin Workbench", ""], _facts(lab))]
    if model.matcher.steps:
        parts.append(
            table(
                ["check", "events left"],
                [(step["text"], f"{step['rows']:,}") for step in model.matcher.steps],
            )
        )
    shown = lab.table.widget.shown[:10]
    positions = model.view.positions(0, _ROWS)
    rows = model.store.rows(positions, shown, limit=60) if len(positions) else []
    if rows:
        cells = [["–" if cell is None else cell for cell in row] for row in rows]
        parts.append(table(shown, cells))
    note = "Run this cell in a notebook with a browser for the interactive lab."
    parts.append(tag("p", escape(note)))
    return tag("div", *parts)
