"""Stored events and column requests as the host takes them; and its answers."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

from workbench.errors import WorkbenchError
from workbench.fields.types import FIELD_TYPES
from workbench.lazy import lazy_module
from workbench.session.chunk_reader import (
    KIND_BOOL,
    KIND_BYTES,
    KIND_U64,
    ChunkReader,
    slice_of,
    unify_batches,
)
from workbench.session.shapes import InvalidDataError
from workbench.session.types import ORDERS, FilterWay
from workbench.wire.messages import write_memfd

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy as np
    import pyarrow as pa

    from workbench.session.types import CaptureOptions, ColumnRequest
else:
    np = lazy_module("numpy")
    pa = lazy_module("pyarrow")

__all__ = [
    "ASYNC_COLUMNS",
    "assemble_batch",
    "block_parts",
    "decode_texts",
    "expected_columns",
    "filter_ways",
    "pack_events",
    "wire_columns",
    "wire_options",
]


# What the offsets of one Arrow array count.
_LARGEST_COLUMN_BYTES = 2**31 - 1
_KINDS = {"uint64": KIND_U64, "bool": KIND_BOOL}


def wire_columns(columns: Sequence[ColumnRequest]) -> list[dict[str, Any]]:
    """Return column requests as plain data."""
    rows = []
    for column in columns:
        key = column.arg_key
        rows.append(
            {
                "column": column.column,
                "plugin": column.plugin,
                "field": column.field,
                "type": column.type,
                "is_list": column.is_list,
                "arg_present": column.arg_present,
                "arg_key": None
                if key is None
                else key.decode("utf-8", "surrogateescape"),
                "arg_index": column.arg_index,
                "offsets": column.offsets,
            }
        )
    return rows


def wire_options(options: CaptureOptions) -> dict[str, Any]:
    """Return capture options as plain data; of programs only their sizes."""
    data = {name: getattr(options, name) for name in options.__slots__}
    sizes = [len(program) for program in options.programs]
    return {**data, "programs": sizes, "order": ORDERS.index(options.order)}


def filter_ways(data: Iterable[dict[str, Any]]) -> tuple[FilterWay, ...]:
    """Return the ways of filtering that a host tells of."""
    return tuple(
        FilterWay(ORDERS[way["order"]], way["staged"], way["events"], way["ns"])
        for way in data
    )


def block_parts(raw: Any, numbers: Any) -> tuple[list[Any], int]:
    """Lay stored events out as ``host/event_block.py`` reads them: parts, data bytes.

    A null event becomes one of no bytes, whose columns are null.
    """
    raw = raw.combine_chunks() if isinstance(raw, pa.ChunkedArray) else raw
    raw = raw.cast(pa.large_binary())
    numbers = numbers.cast(pa.uint64())
    _, ends, data = raw.buffers()
    offsets = np.zeros(1, dtype=np.int64)
    if len(raw):
        # The buffer of a file may end in bytes that are no whole number.
        offsets = np.frombuffer(ends, np.int64, len(raw) + 1, raw.offset * 8)
    first, last = int(offsets[0]), int(offsets[-1])
    body = memoryview(data)[first:last] if data is not None else memoryview(b"")
    padding = b"\0" * (-len(body) % 8)
    numbers = np.ascontiguousarray(numbers.to_numpy(zero_copy_only=False))
    ends_from_zero = np.ascontiguousarray(offsets - first)
    return [body, padding, ends_from_zero.data, numbers.data], len(body)


def pack_events(raw: Any, numbers: Any) -> tuple[int, int]:
    """Put stored events into a memfd: its descriptor, and the bytes of event data."""
    parts, size = block_parts(raw, numbers)
    return write_memfd("workbench-events", [p for p in parts if len(p)]), size


def assemble_batch(
    whole: Any,
    sizes: Sequence[int],
    columns: Sequence[ColumnRequest],
    rows: int,
) -> Any:
    """Make one record batch of the requested columns from chunks that lie in a row.

    ``rows``: events that were sent. Raises InvalidDataError for any other number.
    """
    layout = expected_columns(columns, None)
    reader = ChunkReader([name for name, *_ in layout], None, layout=layout)
    batches = []
    at = 0
    for size in sizes:
        batches.append(reader.read(slice_of(whole, at, size)))
        at += size
    if sum(batch.num_rows for batch in batches) != rows:
        raise InvalidDataError(f"other than {rows} rows for {rows} events")
    if not batches:
        return _empty_batch([name for name, *_ in layout[2:]], columns)
    table = pa.Table.from_batches(unify_batches(batches))
    table = table.drop_columns([name for name, *_ in layout[:2]])
    for column in table.columns:
        if column.nbytes > _LARGEST_COLUMN_BYTES:
            raise WorkbenchError(
                f"the values of {rows:,} events have more than 2 GiB in one column; "
                "extract from fewer events at once, such as events[:1000]"
            )
    return table.combine_chunks().to_batches()[0]


def expected_columns(
    columns: Sequence[ColumnRequest], options: CaptureOptions | None
) -> list[tuple[str, int, bool]]:
    """Return name, kind and whether it is a list, of every column of a chunk."""
    layout = [("evt.num", KIND_U64, False), ("evt.rawtime", KIND_U64, False)]
    for column in columns:
        kind = _KINDS.get(FIELD_TYPES[column.type].arrow, KIND_BYTES)
        layout.append((column.column, kind, column.is_list))
        if column.offsets:
            ends = (f"{column.column}#start", f"{column.column}#len")
            layout += [(name, KIND_U64, False) for name in ends]
    if options is None:
        return layout
    for wanted, name in (
        (options.keep_payload, "payload"),
        (options.keep_raw, "raw"),
        (options.plugin_info, "evt.plugininfo"),
    ):
        if wanted:
            layout.append((name, KIND_BYTES, False))
    return layout


# What a capture has besides when a plugin injects events.
ASYNC_COLUMNS = [
    ("evt.is_async", KIND_BOOL, False),
    ("evt.asynctype", KIND_BYTES, False),
]


def _empty_batch(names: Sequence[str], columns: Sequence[Any]) -> Any:
    kinds: dict[str, Any] = {}
    for column in columns:
        arrow = {"uint64": pa.uint64(), "bool": pa.bool_()}.get(
            FIELD_TYPES[column.type].arrow, pa.binary()
        )
        kinds[column.column] = pa.list_(arrow) if column.is_list else arrow
    arrays = [pa.array([], type=kinds.get(name, pa.uint64())) for name in names]
    return pa.RecordBatch.from_arrays(arrays, names=list(names))


def decode_texts(data: bytes, count: int) -> Any:
    """Read what ``host/event_block.py`` packed: texts as binary, null for none.

    Raises InvalidDataError when ``data`` does not hold exactly ``count`` texts.
    """
    if len(data) < 4 * count:
        raise InvalidDataError("fewer texts than events")
    lengths = struct.unpack_from(f"<{count}i", data)
    texts: list[bytes | None] = []
    at = 4 * count
    for length in lengths:
        texts.append(None if length < 0 else data[at : at + length])
        at += max(length, 0)
    if at != len(data):
        raise InvalidDataError("texts of another length than announced")
    return pa.array(texts, type=pa.binary())
