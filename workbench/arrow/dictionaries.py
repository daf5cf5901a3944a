"""Dictionaries of columns: shared between batches, or written out as plain values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.lazy import lazy_module

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa
else:
    pa = lazy_module("pyarrow")


__all__ = ["join_batches", "list_like", "plain_array", "plain_lists"]


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
    """Return ``values`` as a list array with the lengths and nulls of ``array``."""
    mask = array.is_null() if array.null_count else None
    offsets = array.offsets
    if mask is not None:
        # Arrow takes no mask beside a slice of offsets: begin their buffer there.
        width = offsets.type.bit_width // 8
        ends = offsets.buffers()[1].slice(offsets.offset * width, len(offsets) * width)
        offsets = pa.Array.from_buffers(offsets.type, len(offsets), [None, ends])
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
    """Return one table of all ``batches``; ``schema`` serves when there are none.

    All batches have the same column names in the same order.
    """
    if not batches:
        return (schema or pa.schema([])).empty_table()
    names = batches[0].schema.names
    columns = [_join([b.column(i) for b in batches]) for i in range(len(names))]
    return pa.Table.from_arrays(columns, names=names)
