"""Events as lines of text: JSON objects or CSV, one line per event.

Times of events are ISO 8601 in UTC with nanoseconds. Field values follow Falco's JSON:
abstime and reltime are whole nanoseconds, addresses are text, absent is null (an empty
cell in CSV); bytes that are not UTF-8 show as U+FFFD.
"""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from workbench.arrow.times import iso_times
from workbench.arrow.types import HIDDEN_COLUMNS, column_info
from workbench.arrow.values import json_array
from workbench.formatting.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pyarrow as pa

    from workbench.fields.declarations import FieldInfo

__all__ = ["csv_header", "csv_rows", "shown_columns", "text_columns"]

# Rows turned into Python values at a time.
_BLOCK = 8192
# What makes a spreadsheet take a text for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def shown_columns(
    table: pa.Table | pa.RecordBatch, columns: Sequence[str] | None = None
) -> list[str]:
    """Return the columns of a row: number, time and source first, then the fields."""
    first = ["evt.num", "evt.time", "evt.source"]
    rest = columns if columns is not None else table.schema.names
    skip = {*first, *HIDDEN_COLUMNS}
    if columns is None:
        skip.add("evt.rawtime")
    return first + [name for name in rest if name not in skip]


def text_columns(
    table: pa.Table, fields: Mapping[str, FieldInfo], columns: Sequence[str]
) -> list[list[Any]]:
    """Return the values of ``columns`` as lists of plain Python values."""
    out = []
    for name in columns:
        if name == "evt.time":
            out.append(iso_times(table).to_pylist())
            continue
        values: list[Any] = []
        for chunk in table.column(name).chunks:
            values += json_array(chunk, column_info(name, fields)).to_pylist()
        out.append(values)
    return out


def _blocks(
    table: pa.Table, fields: Mapping[str, FieldInfo], columns: Sequence[str]
) -> Iterator[Iterator[tuple[Any, ...]]]:
    for start in range(0, table.num_rows, _BLOCK):
        piece = table.slice(start, _BLOCK)
        yield zip(*text_columns(piece, fields, columns), strict=True)


def _cell(value: Any, *, guard: bool, terminal: bool) -> Any:
    """Return a CSV cell: lists and booleans as JSON writes them."""
    if isinstance(value, (list, bool)):
        value = json.dumps(value, ensure_ascii=False)
    if isinstance(value, str):
        if guard and value.startswith(_FORMULA):
            value = "'" + value
        return printable(value) if terminal else value
    return value


def csv_header(columns: Sequence[str], *, terminal: bool = False) -> str:
    """Return the header line; ``terminal``: hidden characters are spelled."""
    sink = io.StringIO()
    names = [printable(name) for name in columns] if terminal else columns
    csv.writer(sink, lineterminator="\n").writerow(names)
    return sink.getvalue()


def csv_rows(
    table: pa.Table,
    fields: Mapping[str, FieldInfo],
    columns: Sequence[str],
    *,
    guard: bool = True,
    terminal: bool = False,
) -> Iterator[str]:
    """Yield blocks of CSV lines without the header, each line ended.

    ``guard``: put an apostrophe before texts that a spreadsheet would run as a formula.
    ``terminal``: spell control and invisible characters, line breaks too.
    """
    for rows in _blocks(table, fields, list(columns)):
        sink = io.StringIO()
        writer = csv.writer(sink, lineterminator="\n")
        quoting = csv.writer(sink, lineterminator="\n", quoting=csv.QUOTE_ALL)
        for row in rows:
            cells = [_cell(v, guard=guard, terminal=terminal) for v in row]
            # Python leaves a carriage return bare, and it ends a line for readers.
            bare = any(isinstance(cell, str) and "\r" in cell for cell in cells)
            (quoting if bare else writer).writerow(cells)
        yield sink.getvalue()
