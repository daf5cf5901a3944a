"""Stored events and column requests as the host takes them; and its answers."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from workbench.session.chunk_reader import ChunkReader, unify_batches
from workbench.wire.messages import write_memfd

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.session.types import CaptureOptions, ColumnRequest

__all__ = [
    "assemble_batch",
    "block_parts",
    "decode_texts",
    "pack_events",
    "wire_columns",
    "wire_options",
]


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
    """Return capture options as plain data."""
    return {name: getattr(options, name) for name in options.__slots__}


def block_parts(raw: Any, numbers: Any) -> tuple[list[Any], int]:
    """Lay stored events out as ``host/event_block.py`` reads them: parts, data bytes.

    A null event becomes one of no bytes, whose columns are null.
    """
    raw = raw.combine_chunks() if isinstance(raw, pa.ChunkedArray) else raw
    raw = raw.cast(pa.large_binary())
    numbers = numbers.cast(pa.uint64())
    _, ends, data = raw.buffers()
    offsets = np.frombuffer(ends, dtype=np.int64)[
        raw.offset : raw.offset + len(raw) + 1
    ]
    if not len(raw):
        offsets = np.zeros(1, dtype=np.int64)
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
    whole: Any, sizes: Sequence[int], names: Sequence[str], columns: Sequence[Any]
) -> Any:
    """Make one record batch of the requested columns from chunks that lie in a row."""
    reader = ChunkReader(names, None)
    batches = []
    at = 0
    for size in sizes:
        batches.append(reader.read(whole.slice(at, size)))
        at += size
    if not batches:
        return _empty_batch(names[2:], columns)
    table = pa.Table.from_batches(unify_batches(batches)).combine_chunks()
    return table.drop_columns(list(names[:2])).to_batches()[0]


def _empty_batch(names: Sequence[str], columns: Sequence[Any]) -> Any:
    from workbench.fields.types import FIELD_TYPES

    kinds: dict[str, Any] = {}
    for column in columns:
        arrow = {"uint64": pa.uint64(), "bool": pa.bool_()}.get(
            FIELD_TYPES[column.type].arrow, pa.binary()
        )
        kinds[column.column] = pa.list_(arrow) if column.is_list else arrow
    arrays = [pa.array([], type=kinds.get(name, pa.uint64())) for name in names]
    return pa.RecordBatch.from_arrays(arrays, names=list(names))


def decode_texts(data: bytes, count: int) -> Any:
    """Read what ``host/event_block.py`` packed: texts as binary, null for none."""
    lengths = struct.unpack_from(f"<{count}i", data)
    texts: list[bytes | None] = []
    at = 4 * count
    for length in lengths:
        texts.append(None if length < 0 else data[at : at + length])
        at += max(length, 0)
    return pa.array(texts, type=pa.binary())
