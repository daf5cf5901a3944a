"""How Events show themselves in a terminal and in a notebook.

Values come from events: text is made printable, markup is escaped, both are cut.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.formatting.columns import MAX_CELL, fitted_columns
from workbench.formatting.html import escape, table, tag
from workbench.formatting.printable import printable
from workbench.formatting.units import counted

if TYPE_CHECKING:
    import pandas as pd

    from workbench.events.origin import Origin

__all__ = ["MAX_ROWS", "events_html", "events_text"]

# Rows shown at most.
MAX_ROWS = 10


def _title(origin: Origin, count: int, *, keeps_raw: bool) -> str:
    text = counted(count, "event")
    if origin.source:
        text += f" of {printable(origin.source, limit=60)}"
    if origin.plugin:
        maker = " ".join(filter(None, (origin.plugin, origin.plugin_version)))
        text += f" from {printable(maker, limit=80)}"
    if origin.end_reason and origin.end_reason != "eof":
        text += f", ended: {origin.end_reason}"
    return text + (", raw events kept" if keeps_raw else "")


def _cells(head: pd.DataFrame) -> list[list[str]]:
    """Return the header and the rows of ``head`` as printable texts."""
    header = [printable(str(c), limit=MAX_CELL) for c in head.columns]
    rows = [
        [printable(_cell(value), limit=MAX_CELL) for value in row]
        for row in head.itertuples(index=False, name=None)
    ]
    return [header, *rows]


def _cell(value: Any) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(map(str, value)) + "]"
    if isinstance(value, bytes):
        return repr(value)
    text = str(value)
    return "" if text in {"<NA>", "nan", "NaT", "None"} else text


def events_text(
    origin: Origin, head: pd.DataFrame, count: int, *, keeps_raw: bool
) -> str:
    """Return the text repr: what the events are, and their first rows (``head``)."""
    lines = [f"Events: {_title(origin, count, keeps_raw=keeps_raw)}"]
    lines += [f"note: {printable(n, limit=250)}" for n in origin.notes]
    if count:
        if origin.source and "evt.source" in head.columns:
            # The title has it: the room is for the fields.
            head = head.drop(columns="evt.source")
        lines += fitted_columns(_cells(head))
        if count > len(head):
            lines.append(f"… {count - len(head):,} more; the frame has all: .frame")
    return "\n".join(lines)


def events_html(
    origin: Origin, head: pd.DataFrame, count: int, *, keeps_raw: bool
) -> str:
    """Return the notebook repr: what the events are, and their first rows."""
    title = _title(origin, count, keeps_raw=keeps_raw)
    parts = [tag("b", "Events: " + escape(title))]
    parts += [tag("div", escape("note: " + n, limit=250)) for n in origin.notes]
    if count:
        header, *rows = _cells(head)
        parts.append(table(header, rows))
        if count > len(head):
            parts.append(tag("div", f"… {count - len(head):,} more"))
    return tag("div", *parts)
