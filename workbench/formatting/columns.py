"""Rows of texts aligned for a terminal."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from workbench.formatting.printable import printable
from workbench.formatting.units import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["MAX_CELL", "aligned", "column_widths", "fitted_columns"]

# Longest cell in characters; shorter ones are tried until so many columns fit.
MAX_CELL = 60
_SHORTER = (30, 20, 14)
_WANTED = 5


def column_widths(
    rows: Iterable[Sequence[str]], *, limit: int | None = None
) -> list[int]:
    """Return the width of each column in characters, ``limit`` at the most."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return widths if limit is None else [min(limit, width) for width in widths]


def aligned(row: Sequence[str], widths: Sequence[int]) -> str:
    """Return one line: cells padded to ``widths``, those beyond left out."""
    cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=False))
    return "  ".join(cells).rstrip()


def fitted_columns(rows: list[list[str]]) -> list[str]:
    """Return aligned lines of the columns that fit the terminal, header row first.

    Where few fit, cells are cut shorter, but for the first two columns. A last line
    names the columns that do not fit.
    """
    room = shutil.get_terminal_size().columns
    full = column_widths(rows, limit=MAX_CELL)
    for limit in (MAX_CELL, *_SHORTER):
        widths = [*full[:2], *(min(limit, width) for width in full[2:])]
        shown = _fitting(widths, room)
        if shown >= min(_WANTED, len(widths)):
            break
    cut = [
        [printable(cell, limit=width) for cell, width in zip(row, widths, strict=True)]
        for row in rows
    ]
    lines = [aligned(row, widths[:shown]) for row in cut]
    if shown < len(widths):
        names = ", ".join(rows[0][shown:])
        more = counted(len(widths) - shown, "more column")
        lines.append(printable(f"{more}: {names}", limit=max(MAX_CELL, room)))
    return lines


def _fitting(widths: Sequence[int], room: int) -> int:
    """Return how many columns fit; three always do."""
    shown = used = 0
    for width in widths:
        used += width + 2
        if shown > 2 and used > room:
            break
        shown += 1
    return shown
