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

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pyarrow as pa

    from workbench.fields.declarations import FieldInfo

__all__ = ["csv_header", "csv_rows", "json_rows", "shown_columns", "text_columns"]

# Rows turned into Python values at a time.
_BLOCK = 8192


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


def json_rows(
    table: pa.Table, fields: Mapping[str, FieldInfo], columns: Sequence[str]
) -> Iterator[str]:
    """Yield blocks of lines: one JSON object per event, each line ended."""
    dumps = json.JSONEncoder(ensure_ascii=False, separators=(", ", ": ")).encode
    names = list(columns)
    for rows in _blocks(table, fields, names):
        lines = [dumps(dict(zip(names, row, strict=True))) for row in rows]
        yield "\n".join(lines) + "\n"


def _cell(value: Any) -> Any:
    """Return a CSV cell: lists and booleans as JSON writes them."""
    if isinstance(value, (list, bool)):
        return json.dumps(value, ensure_ascii=False)
    return value


def csv_header(columns: Sequence[str]) -> str:
    """Return the header line."""
    sink = io.StringIO()
    csv.writer(sink, lineterminator="\n").writerow(columns)
    return sink.getvalue()


def csv_rows(
    table: pa.Table, fields: Mapping[str, FieldInfo], columns: Sequence[str]
) -> Iterator[str]:
    """Yield blocks of CSV lines without the header, each line ended."""
    for rows in _blocks(table, fields, list(columns)):
        sink = io.StringIO()
        writer = csv.writer(sink, lineterminator="\n")
        writer.writerows([_cell(v) for v in row] for row in rows)
        yield sink.getvalue()
