"""Columns as the kernel takes them: Arrow arrays of the accepted types, batch by batch.

table ─▶ batches with aligned rows, tiny chunks joined ─▶ one layout per field type
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

__all__ = ["as_table", "batches", "missing_column", "normalise"]

# Rows of one unit of work: a few blocks of the kernel, and soon interrupted by Ctrl-C.
UNIT_ROWS = 262_144
# Batches smaller than this are joined first: a batch costs some work of its own.
SMALL_ROWS = 16_384
JOINED_ROWS = 65_536

# Joining copies: what has more bytes, few rows as it may be, stays as it is.
_JOINED_BYTES = 32 << 20
_TEXT = ("string", "ipaddr", "ipnet")


def as_table(table: pa.Table | pa.RecordBatch) -> pa.Table:
    """Return a record batch as a table, and a table as it is."""
    if isinstance(table, pa.RecordBatch):
        return pa.Table.from_batches([table])
    return table


def missing_column(name: str, table: pa.Table) -> KeyError:
    """Build the error for a column that a condition needs and ``table`` lacks."""
    known = ", ".join(table.column_names[:8])
    more = ", …" if len(table.column_names) > 8 else ""
    return KeyError(f"{name} (the table has the columns {known}{more})")


def _is_text(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_binary(kind)
        or pa.types.is_string(kind)
        or pa.types.is_large_binary(kind)
        or pa.types.is_large_string(kind)
        or pa.types.is_fixed_size_binary(kind)
    )


def _is_text_view(kind: pa.DataType) -> bool:
    return bool(pa.types.is_binary_view(kind) or pa.types.is_string_view(kind))


def _wrong(name: str, kind: pa.DataType, wanted: str) -> TypeError:
    return TypeError(f"column {name} holds {kind}; its field needs {wanted}")


def _number(array: pa.Array, name: str, type_: str) -> pa.Array:
    """Return 64-bit values in the engine's unit; signed ones must not be negative."""
    kind = array.type
    if pa.types.is_duration(kind) and type_ == "reltime":
        return array.cast(pa.duration("ns")).view(pa.uint64())
    if pa.types.is_timestamp(kind) and type_ == "abstime":
        return array.cast(pa.timestamp("ns", kind.tz)).view(pa.uint64())
    if pa.types.is_uint64(kind):
        return array
    if pa.types.is_integer(kind):
        return array.cast(pa.uint64())
    also = {"reltime": " or duration", "abstime": " or timestamp"}.get(type_, "")
    raise _wrong(name, kind, f"uint64{also}")


def _flat(array: pa.Array, name: str, type_: str) -> pa.Array:
    kind = array.type
    if pa.types.is_null(kind):
        return array
    if pa.types.is_dictionary(kind):
        if type_ in _TEXT and _is_text(kind.value_type):
            return array
        return _flat(array.dictionary_decode(), name, type_)
    if pa.types.is_run_end_encoded(kind):
        return _flat(array.cast(kind.value_type), name, type_)
    if type_ in _TEXT:
        if _is_text(kind):
            return array
        if _is_text_view(kind):
            return array.cast(pa.large_binary())
        raise _wrong(name, kind, "binary or utf8")
    if type_ == "bool":
        if pa.types.is_boolean(kind):
            return array
        raise _wrong(name, kind, "bool")
    return _number(array, name, type_)


def _without_view(array: pa.Array) -> pa.Array:
    """Lay the items of a list view end to end; pyarrow's own cast loses some."""
    sizes = array.value_lengths().fill_null(0).to_numpy()
    offsets = np.zeros(len(array) + 1, np.int64)
    np.cumsum(sizes, out=offsets[1:])
    nulls = array.is_null()
    return pa.LargeListArray.from_arrays(pa.array(offsets), array.flatten(), mask=nulls)


def normalise(array: pa.Array, name: str, type_: str, *, is_list: bool) -> pa.Array:
    """Return ``array`` in a layout the kernel reads, without copying if it is one.

    ``type_``: a key of ``fields.FIELD_TYPES``. ``name`` is for messages. Raises
    TypeError for a column that cannot hold such a field, pyarrow.ArrowInvalid for
    values that do not fit (a negative count).
    """
    kind = array.type
    if not is_list:
        return _flat(array, name, type_)
    if pa.types.is_null(kind):
        return array
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        values = array.values
        items = _flat(values, name, type_)
        if items is values:
            return array
        cls = pa.LargeListArray if pa.types.is_large_list(kind) else pa.ListArray
        wanted = (pa.large_list if cls is pa.LargeListArray else pa.list_)(items.type)
        validity, offsets = array.buffers()[:2]
        return cls.from_buffers(
            wanted,
            len(array),
            [validity, offsets],
            offset=array.offset,
            children=[items],
        )
    if pa.types.is_fixed_size_list(kind):
        cast = array.cast(pa.large_list(kind.value_type))
        return normalise(cast, name, type_, is_list=True)
    if pa.types.is_list_view(kind) or pa.types.is_large_list_view(kind):
        return normalise(_without_view(array), name, type_, is_list=True)
    if pa.types.is_dictionary(kind):
        decoded = array.dictionary_decode()
        return normalise(decoded, name, type_, is_list=True)
    raise _wrong(name, kind, "a list")


def _joined(parts: Sequence[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    if len(parts) == 1:
        yield parts[0]
    elif parts:
        yield from pa.Table.from_batches(parts).combine_chunks().to_batches()


def unit_rows(rows: int, threads: int) -> int:
    """Return the size of units that ``threads`` threads share evenly."""
    each = max(1, round(rows / threads / UNIT_ROWS))
    even = -(-rows // (threads * each))
    return max(JOINED_ROWS, (even + 63) // 64 * 64)


def batches(
    table: pa.Table, columns: Iterable[str], *, threads: int = 1
) -> Iterator[tuple[int, pa.RecordBatch]]:
    """Cut the named ``columns`` into units of work: (first row, batch).

    ``threads``: how many will share them.

    Raises KeyError naming a column that the table lacks, or has twice.
    """
    names = list(dict.fromkeys(columns))
    for name in names:
        found = table.schema.get_all_field_indices(name)
        if not found:
            raise missing_column(name, table)
        if len(found) > 1:
            raise KeyError(f"{name} (the table has {len(found)} columns of this name)")
    row = 0
    held: list[pa.RecordBatch] = []
    held_rows = held_bytes = 0

    def flush() -> Iterator[tuple[int, pa.RecordBatch]]:
        nonlocal row, held, held_rows, held_bytes
        for batch in _joined(held):
            yield row, batch
            row += batch.num_rows
        held, held_rows, held_bytes = [], 0, 0

    size = unit_rows(table.num_rows, threads)
    for batch in table.select(names).to_batches(max_chunksize=size):
        if not batch.num_rows:
            continue
        if batch.num_rows >= SMALL_ROWS or batch.nbytes >= _JOINED_BYTES:
            yield from flush()
            yield row, batch
            row += batch.num_rows
            continue
        held.append(batch)
        held_rows += batch.num_rows
        held_bytes += batch.nbytes
        if held_rows >= JOINED_ROWS or held_bytes >= _JOINED_BYTES:
            yield from flush()
    yield from flush()
