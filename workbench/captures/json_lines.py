"""Events as JSON lines, made column by column: a line is joined from ready pieces."""

from __future__ import annotations

import json
from json.encoder import encode_basestring
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from workbench.arrow.times import iso_times
from workbench.arrow.types import column_info
from workbench.arrow.values import json_array

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from workbench.fields.declarations import FieldInfo

__all__ = ["json_rows"]

# Rows written at a time.
_BLOCK = 8192
# What a JSON string must escape.
_ESCAPED = '["\\\\\\x00-\\x1f]'
_TEXT = pa.large_string()


def json_rows(
    table: pa.Table,
    fields: Mapping[str, FieldInfo],
    columns: Sequence[str],
    *,
    skip_absent: bool = False,
) -> Iterator[str]:
    """Yield blocks of lines: one JSON object per event, each line ended.

    The first of ``columns`` has a value in every row. ``skip_absent``: leave out the
    keys of fields that an event does not have; else their value is null.
    """
    for start in range(0, table.num_rows, _BLOCK):
        piece = table.slice(start, _BLOCK)
        pieces = []
        for at, name in enumerate(columns):
            values = _column_texts(piece, fields, name)
            key = f"{', ' if at else '{'}{json.dumps(name, ensure_ascii=False)}: "
            if not skip_absent:
                values = pc.fill_null(values, pa.scalar("null", _TEXT))
            member = _joined(pa.scalar(key, _TEXT), values)
            pieces.append(pc.fill_null(member, pa.scalar("", _TEXT)))
        lines = _joined(*pieces, pa.scalar("}\n", _TEXT))
        yield "".join(lines.to_pylist())


def _joined(*parts: pa.Array | pa.Scalar) -> pa.Array:
    return pc.binary_join_element_wise(*parts, pa.scalar("", _TEXT))


def _column_texts(
    table: pa.Table, fields: Mapping[str, FieldInfo], name: str
) -> pa.Array:
    """Return a column's values as JSON texts, null where absent."""
    if name == "evt.time":
        chunks = iso_times(table)
        chunks = chunks.chunks if isinstance(chunks, pa.ChunkedArray) else [chunks]
    else:
        info = column_info(name, fields)
        chunks = [json_array(chunk, info) for chunk in table.column(name).chunks]
    texts = [_texts(chunk) for chunk in chunks]
    return texts[0] if len(texts) == 1 else pa.chunked_array(texts, _TEXT)


def _texts(values: pa.Array) -> pa.Array:
    kind = values.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return _quoted(values.cast(_TEXT))
    if pa.types.is_boolean(kind) or pa.types.is_integer(kind):
        return values.cast(_TEXT)
    dumps = json.JSONEncoder(ensure_ascii=False, separators=(", ", ": ")).encode
    made = [None if value is None else dumps(value) for value in values.to_pylist()]
    return pa.array(made, _TEXT)


def _quoted(texts: pa.Array) -> pa.Array:
    """Write texts as JSON strings; most need nothing but the quotes."""
    odd = pc.match_substring_regex(texts, _ESCAPED)
    quote = pa.scalar('"', _TEXT)
    plain = _joined(quote, texts, quote)
    if not pc.any(odd).as_py():
        return plain
    escaped = [encode_basestring(text) for text in texts.filter(odd).to_pylist()]
    return pc.replace_with_mask(
        plain, pc.fill_null(odd, False), pa.array(escaped, _TEXT)
    )
