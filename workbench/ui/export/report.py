"""One HTML file of what a lab shows: no scripts, nothing fetched, texts escaped."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.formatting.html import escape, table, tag
from workbench.saving import save_text
from workbench.ui.state import condition_queries as queries

if TYPE_CHECKING:
    import os
    from pathlib import Path


__all__ = ["write_report"]

_MAX_EVENTS = 40
_MAX_CELL = 120
_MAX_ALERTS = 40
_STYLE = (
    "body{font:14px/1.5 system-ui,sans-serif;margin:24px auto;max-width:1100px;"
    "padding:0 16px;color:#212121;background:#fff}"
    "h1{font-size:20px}h2{font-size:15px;margin:24px 0 6px}"
    "table{border-collapse:collapse;font-size:12px}"
    "td,th{text-align:left;padding:3px 10px 3px 0;border-bottom:1px solid #ddd;"
    "vertical-align:top;overflow-wrap:anywhere}"
    "pre{font:12px/1.5 ui-monospace,monospace;white-space:pre-wrap;"
    "overflow-wrap:anywhere;background:#f4f4f4;padding:8px;border-radius:4px}"
    "@media(prefers-color-scheme:dark){body{color:#e0e0e0;background:#212121}"
    "pre{background:#333}td,th{border-color:#444}}"
)


def write_report(lab: Any, path: str | os.PathLike[str]) -> Path:
    """Write the report of a lab and return its path. Raises OSError."""
    return save_text(path, report_html(lab))


def report_html(lab: Any) -> str:
    """Return condition, checks, timeline, events, alerts and YAML as one page."""
    model, shown = lab.model, lab.snapshot()
    title = f"{queries.target_name(shown.target) if shown.target else 'Lab'}"
    parts = [tag("h1", escape(title)), tag("p", escape(_counts(shown)))]
    if shown.condition:
        parts += [tag("h2", "Condition"), tag("pre", escape(shown.condition))]
    cells = [
        (
            f"{c.op} {c.text}".strip(),
            f"{c.reached:,}",
            f"{c.passed:,}",
            f"{c.near_count:,}",
        )
        for c in model.matcher.cells
    ]
    if cells:
        heads = ["check", "events that reach it", "pass", "fail only here"]
        parts += [tag("h2", "Checks"), table(heads, cells)]
    parts += [tag("h2", "Timeline"), _timeline(lab)]
    rows = _rows(lab)
    if rows:
        parts += [tag("h2", "Events"), table(lab.table.shown, rows)]
    parts += _rule(lab)
    policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
    head = (
        '<meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style>"
    )
    return (
        f'<!doctype html><html lang="en"><head>{head}</head><body>{"".join(parts)}'
        "</body></html>\n"
    )


def _counts(shown: Any) -> str:
    words = f"{shown.events:,} events"
    if shown.condition and shown.matches is not None:
        words += f", {shown.matches:,} match"
    return words


def _rows(lab: Any) -> list[list[str]]:
    """Return matching events first seen; all kinds without a condition."""
    model = lab.model
    mask = model.matcher.mask
    positions = np.arange(min(len(model.store), _MAX_EVENTS))
    if mask is not None:
        positions = np.flatnonzero(mask)[:_MAX_EVENTS]
    rows = model.store.rows(positions, lab.table.shown, limit=_MAX_CELL)
    return [["–" if cell is None else cell for cell in row] for row in rows]


def _rule(lab: Any) -> list[str]:
    tab = lab.desk.tab
    if tab.draft is None:
        return []
    state = lab.rule_panel.part.state
    parts = [tag("h2", escape(f"Rule: {tab.name}"))]
    alerts = [(item["text"],) for item in state.get("alerts", [])[:_MAX_ALERTS]]
    if alerts:
        parts += [tag("h2", "Alerts"), table(["as Falco prints them"], alerts)]
    yaml = state.get("yaml", "")
    return [*parts, tag("h2", "YAML"), tag("pre", escape(yaml))]


def _timeline(lab: Any) -> str:
    """Return the bars as an image, so that no script and no style is needed."""
    bins = lab.model.axis.bins
    counts, matches = bins.counts.tolist(), bins.matches.tolist()
    if not counts:
        return tag("p", "no events")
    top, wide = max(1, *counts), 1000 / len(counts)
    peak = max(1, *matches) if len(matches) > 1 else 1
    bars = []
    for at, count in enumerate(counts):
        tall = 60 * count / top
        x = f'x="{at * wide:.1f}" width="{max(0.6, wide - 1):.1f}"'
        bars.append(
            f'<rect {x} y="{62 - tall:.1f}" height="{tall:.1f}" fill="#949494"/>'
        )
        if at < len(matches) and matches[at]:
            low = 10 * matches[at] / peak
            bars.append(
                f'<rect {x} y="{76 - low:.1f}" height="{low:.1f}" fill="#0b6e5f"/>'
            )
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1000 78" '
        f'preserveAspectRatio="none">{"".join(bars)}</svg>'
    )
    data = base64.b64encode(svg.encode()).decode()
    alt = f"{sum(counts):,} events and {sum(matches):,} matches over time"
    return (
        f'<img alt="{alt}" width="100%" height="78" '
        f'src="data:image/svg+xml;base64,{data}">'
    )
