"""Record batches of a stream → one table, without copying what need not be copied.

The pump may begin a column as a dictionary and go on with plain values once it has seen
too many distinct ones; and its dictionaries only grow. A table wants one type per
column: dictionaries stay where every batch has them, else their values are written out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from workbench.fields.builtin import BUILTIN_FIELDS
from workbench.fields.types import FIELD_TYPES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from workbench.fields.declarations import FieldInfo

__all__ = [
    "COUNT_COLUMNS",
    "HIDDEN_COLUMNS",
    "column_info",
    "column_type",
    "join_batches",
    "list_like",
    "plain_array",
    "plain_lists",
    "text_array",
]

# Declared as times by the engine, but no number of nanoseconds since anything.
COUNT_COLUMNS = frozenset(
    {"evt.rawtime.s", "evt.rawtime.ns", "evt.reltime.s", "evt.reltime.ns"}
)

# Columns that serve the machine: never shown unless asked for by name.
HIDDEN_COLUMNS = frozenset({"raw"})


def column_info(column: str, fields: Mapping[str, FieldInfo]) -> FieldInfo | None:
    """Give the field that ``column`` (``probe.kv[key]``) holds, None for others."""
    name = column.partition("[")[0]
    return fields.get(name) or BUILTIN_FIELDS.get(name)


def text_array(column: pa.Array) -> pa.Array:
    """Turn bytes into text; what is not UTF-8 shows as U+FFFD."""
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        return column
    try:
        return column.cast(pa.string())
    except pa.ArrowInvalid:
        repaired = [
            None if v is None else v.decode("utf-8", "replace")
            for v in column.to_pylist()
        ]
        return pa.array(repaired, pa.string())


def column_type(info: FieldInfo | None) -> pa.DataType:
    """Give the Arrow type of a field's column as we make it; None: plain bytes."""
    if info is None:
        return pa.binary()
    kind = pa.type_for_alias(FIELD_TYPES[info.type].arrow)
    return pa.list_(kind) if info.is_list else kind


def plain_array(array: pa.Array) -> pa.Array:
    """Write the values of a dictionary out, in lists too."""
    if pa.types.is_dictionary(array.type):
        return array.dictionary.take(array.indices)
    if pa.types.is_list(array.type) and pa.types.is_dictionary(array.type.value_type):
        values = plain_array(array.values)
        return list_like(array, values)
    return array


def plain_lists(table: pa.Table) -> pa.Table:
    """Write the dictionaries inside lists out: files know those of scalars only."""
    for at, field in enumerate(table.schema):
        kind = field.type
        if pa.types.is_list(kind) and pa.types.is_dictionary(kind.value_type):
            chunks = [plain_array(chunk) for chunk in table.column(at).chunks]
            target = pa.list_(kind.value_type.value_type)
            column = pa.chunked_array(chunks, target)
            table = table.set_column(at, field.name, column)
    return table


def list_like(array: pa.Array, values: pa.Array) -> pa.Array:
    """Give a list array of the lengths and nulls of ``array`` over other ``values``."""
    mask = array.is_null() if array.null_count else None
    offsets = array.offsets
    if mask is not None:
        # Arrow takes no mask beside a slice of offsets: copy them.
        width = np.int64 if pa.types.is_int64(offsets.type) else np.int32
        ends = np.frombuffer(offsets.buffers()[1], width)[offsets.offset :]
        ends = ends[: len(offsets)].copy()
        buffers = [None, pa.py_buffer(ends)]
        offsets = pa.Array.from_buffers(offsets.type, len(ends), buffers)
    return type(array).from_arrays(offsets, values, mask=mask)


def _longest_dictionary(chunks: Sequence[pa.Array]) -> pa.ChunkedArray:
    """Let all chunks share one dictionary, for free where it only grew."""
    longest = max((c.dictionary for c in chunks), key=len)
    shared = []
    for chunk in chunks:
        words = chunk.dictionary
        if words is not longest and not words.equals(longest.slice(0, len(words))):
            return pa.chunked_array(chunks).unify_dictionaries()
        shared.append(pa.DictionaryArray.from_arrays(chunk.indices, longest))
    return pa.chunked_array(shared)


def _join(chunks: Sequence[pa.Array]) -> pa.ChunkedArray:
    kinds = {c.type for c in chunks}
    if len(kinds) > 1:
        chunks = [plain_array(c) for c in chunks]
        kinds = {c.type for c in chunks}
        if len(kinds) > 1:
            # Such as a column of nothing but nulls beside a typed one.
            target = next(c.type for c in chunks if not pa.types.is_null(c.type))
            chunks = [c.cast(target) for c in chunks]
        return pa.chunked_array(chunks)
    if pa.types.is_dictionary(chunks[0].type):
        return _longest_dictionary(chunks)
    return pa.chunked_array(chunks)


def join_batches(
    batches: Sequence[pa.RecordBatch], schema: pa.Schema | None = None
) -> pa.Table:
    """Give one table of all ``batches``; ``schema`` serves when there are none.

    All batches have the same column names in the same order.
    """
    if not batches:
        return (schema or pa.schema([])).empty_table()
    names = batches[0].schema.names
    columns = [_join([b.column(i) for b in batches]) for i in range(len(names))]
    return pa.Table.from_arrays(columns, names=names)
