"""Rows picked from columns of any size.

Arrow's own ``take`` joins the chunks of a column first, which fails where its texts
have more than 2 GiB together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from workbench.lazy import lazy_module

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
else:
    np = lazy_module("numpy")
    pa = lazy_module("pyarrow")

__all__ = ["take_rows"]

T = TypeVar("T", "pa.Table", "pa.ChunkedArray")

# What offsets of 32 bits can count; some room for what take adds.
_JOINED_BYTES = 2**31 - (1 << 20)


def take_rows(data: T, rows: Any) -> T:
    """Return the rows of a table or column by number, null for a null number.

    ``rows``: integers of Arrow or NumPy, in any order, each as often as wanted.
    """
    if data.nbytes <= _JOINED_BYTES:
        return data.take(rows)
    if isinstance(data, pa.Table):
        columns = [take_rows(column, rows) for column in data.columns]
        return pa.Table.from_arrays(columns, schema=data.schema)
    return _take_apart(data, rows)


def _take_apart(column: pa.ChunkedArray, rows: Any) -> pa.ChunkedArray:
    """Take run by run: rows that follow each other in one chunk are one piece."""
    rows = rows.combine_chunks() if isinstance(rows, pa.ChunkedArray) else rows
    numbers = pa.array(rows).cast(pa.int64()).fill_null(-1).to_numpy()
    ends = np.cumsum([len(chunk) for chunk in column.chunks])
    # -1 for null, else the chunk that has the row.
    where = np.searchsorted(ends, numbers, side="right")
    where[numbers < 0] = -1
    cuts = np.flatnonzero(np.diff(where)) + 1
    pieces = []
    for run in np.split(np.arange(len(numbers)), cuts):
        if not len(run):
            continue
        chunk = int(where[run[0]])
        if chunk < 0:
            pieces.append(pa.nulls(len(run), column.type))
        else:
            first = int(ends[chunk]) - len(column.chunk(chunk))
            pieces += _taken(column.chunk(chunk), numbers[run] - first)
    return pa.chunked_array(pieces, column.type)


def _taken(chunk: pa.Array, rows: Any) -> list[pa.Array]:
    """Take from one chunk, in halves while the result would be too large."""
    try:
        return [chunk.take(pa.array(rows))]
    except pa.ArrowInvalid:
        if len(rows) < 2:
            raise
    middle = len(rows) // 2
    return _taken(chunk, rows[:middle]) + _taken(chunk, rows[middle:])
