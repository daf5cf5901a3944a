"""Rows of texts aligned for a terminal."""

from __future__ import annotations

import shutil

from workbench.formatting.html import printable
from workbench.formatting.units import counted

__all__ = ["MAX_CELL", "fitted_columns"]

# Longest cell in characters.
MAX_CELL = 60


def fitted_columns(rows: list[list[str]]) -> list[str]:
    """Return aligned lines of the columns that fit the terminal, header row first.

    A last line names the columns that do not fit.
    """
    room = shutil.get_terminal_size().columns
    widths = [
        min(MAX_CELL, max(map(len, column))) for column in zip(*rows, strict=True)
    ]
    shown, used = 0, 0
    for width in widths:
        used += width + 2
        if shown > 2 and used > room:
            break
        shown += 1
    lines = [
        "  ".join(
            c.ljust(w) for c, w in zip(row[:shown], widths[:shown], strict=True)
        ).rstrip()
        for row in rows
    ]
    if shown < len(widths):
        names = ", ".join(rows[0][shown:])
        more = counted(len(widths) - shown, "more column")
        lines.append(printable(f"{more}: {names}", limit=max(MAX_CELL, room)))
    return lines
