"""Stored events on their way through a plugin host: one block of memory in, chunks out.

Block: the events' bytes, then n + 1 offsets (int64), then n numbers (uint64), each part
beginning at a multiple of 8.
"""

from __future__ import annotations

import struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from workbench.host.plugin_host import PluginHost

__all__ = ["feed_chunks", "split_block", "split_programs", "text_parts"]


def split_block(block: Any, data_bytes: int, count: int) -> tuple[Any, Any, Any]:
    """Return data, offsets and numbers of a block as writable memory views.

    Raises ValueError when the block is too short or its offsets do not fit.
    """
    view = memoryview(block)
    offsets_at = (data_bytes + 7) & ~7
    numbers_at = offsets_at + 8 * (count + 1)
    if count < 0 or data_bytes < 0 or len(view) < numbers_at + 8 * count:
        raise ValueError("the block of stored events is too short")
    offsets = view[offsets_at:numbers_at]
    ends = offsets.cast("q")
    low = 0
    for end in ends:
        if not low <= end <= data_bytes:
            raise ValueError("the offsets of stored events are out of bounds")
        low = end
    return view[: max(data_bytes, 1)], offsets, view[numbers_at:]


def feed_chunks(
    plugin_host: PluginHost,
    request: dict[str, Any],
    data: Any,
    offsets: Any,
    numbers: Any,
) -> tuple[list[tuple[int, int, Any]], list[str]]:
    """Extract from stored events: chunks (address, bytes, free) and column names."""
    count = int(request["count"])
    pump, names = plugin_host.feed(
        request["source"], request["columns"], request["options"]
    )
    chunks = []
    try:
        at = 0
        while at < count:
            at += pump.feed(data, offsets, numbers, at, count - at)
        pump.flush()
        while (chunk := pump.take()) is not None:
            chunks.append(chunk)
    finally:
        pump.free()
    return chunks, names


def split_programs(data: bytes, sizes: list[int]) -> list[bytes]:
    """Return the programs that lie one after the other in ``data``.

    Raises ValueError when they are of other sizes.
    """
    if sum(sizes) != len(data) or any(size < 0 for size in sizes):
        raise ValueError("the programs have other sizes than announced")
    programs = []
    for size in sizes:
        programs.append(data[:size])
        data = data[size:]
    return programs


def text_parts(texts: list[bytes | None]) -> list[bytes]:
    """Return texts as bytes to send: n lengths (int32, -1 for none), then the bytes."""
    lengths = [-1 if text is None else len(text) for text in texts]
    head = struct.pack(f"<{len(lengths)}i", *lengths)
    return [head, b"".join(text for text in texts if text)]
