"""The seam to the C core for capture files: blocks in memory ↔ Arrow buffers.

:func:`frame` turns rows of a binary column into event blocks; :class:`Scanner` turns
bytes of a file into rows. Neither touches a file.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

from workbench.native._core import ffi, lib

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "MAX_BLOCK_BYTES",
    "Block",
    "FramingError",
    "Scanner",
    "frame",
    "preamble",
]

# Largest block accepted from a file; Go plugins default to events of 256 KiB.
MAX_BLOCK_BYTES: Final = 256 << 20

# Smallest event block, the bound of rows in a buffer.
_SMALLEST_BLOCK: Final = 40
_CHUNK: Final = 4 << 20

MORE, END, CUT, FULL = 0, 1, 2, 3

# One row per way a scan or a framing can fail: what to say.
_DAMAGE: Final = {
    -1: "invalid block type: a section header was expected, found {block_type:#x}",
    -2: "invalid magic number in the section header (byte-swapped or no capture file)",
    -3: "cannot correctly parse the capture: it needs a newer reader",
    -4: "block {block_type:#x} has an impossible length of {header_length} bytes",
    -5: "wrong block total length, header={header_length}, trailer={trailer_length}",
    -6: "unexpected block {block_type:#x} between events",
    -7: "event in block {block_type:#x}: its lengths contradict each other",
    -8: "block {block_type:#x} of {header_length} bytes is over the limit of "
    "{max_block} bytes",
    -20: "it is shorter than an event header or its length does not fit",
    -21: "its parameter lengths exceed its length",
    -22: "it is too large for a block of its type",
    -23: "it has no time and the table gives none",
    -24: "the column's offsets are not ascending",
}


class FramingError(ValueError):
    """Damage in a file or in a table; ``row`` counts from 0 in what was framed."""

    def __init__(self, reason: str, row: int | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.row = row


@dataclass(frozen=True, slots=True)
class Block:
    """Rows found in a piece of a file.

    ``raw``: whole events (binary). ``numbers``, ``times`` (ns): uint64. ``ids``: plugin
    ids, uint32, 0 for none. ``types``: uint16. ``marks``: uint8, bit 0 flagged as state
    only in the file, bit 1 before the first ordinary event of its section.
    """

    raw: pa.Array
    numbers: pa.Array
    times: pa.Array
    ids: pa.Array
    types: pa.Array
    marks: pa.Array


def preamble(hostname: str, cpus: int, memory_bytes: int) -> bytes:
    """Return the section header and machine info that begin a capture file."""
    out = ffi.new("uint8_t[256]")
    name = hostname.encode("utf-8", "surrogateescape").split(b"\0")[0]
    size = lib.wb_scap_preamble(out, ffi.new("char[]", name), cpus, memory_bytes)
    return bytes(ffi.buffer(out, size))


def frame(
    raw: pa.Array, times: pa.Array | None, *, piece_bytes: int | None = None
) -> Iterator[tuple[memoryview, int]]:
    """Yield the event blocks of ``raw`` as (piece, rows in it).

    A piece is valid until the next one is asked for. ``raw``: binary or large_binary
    without nulls, whole 3.x events. ``times``: uint64 ns, taken for events that carry
    no time of their own. ``piece_bytes``: size of a piece unless one event is larger.
    Raises FramingError.
    """
    wide = int(pa.types.is_large_binary(raw.type))
    _validity, offsets_buffer, data_buffer = raw.buffers()
    count = len(raw)
    if not count:
        return
    width = 8 if wide else 4
    if offsets_buffer.size < (raw.offset + count + 1) * width:
        raise FramingError(_DAMAGE[-24])
    offsets = _address(offsets_buffer) + raw.offset * width
    data_len = data_buffer.size if data_buffer is not None else 0
    data = _address(data_buffer) if data_buffer is not None else ffi.NULL
    clock = ffi.NULL
    if times is not None:
        clock = ffi.cast("uint64_t *", _address(times.buffers()[1]) + times.offset * 8)
    out = bytearray(max(_SMALLEST_BLOCK, min(_CHUNK, piece_bytes or _CHUNK)))
    used, why = ffi.new("uint64_t *"), ffi.new("int *")
    row = 0
    while row < count:
        target = ffi.from_buffer(out, require_writable=True)
        done = lib.wb_scap_frame(
            ffi.cast("void *", offsets),
            wide,
            ffi.cast("uint8_t *", data),
            data_len,
            clock,
            row,
            count,
            ffi.cast("uint8_t *", target),
            len(out),
            used,
            why,
        )
        ffi.release(target)
        if used[0]:
            yield memoryview(out)[: used[0]], done - row
        if why[0] < 0:
            raise FramingError(_DAMAGE[why[0]], done)
        if done == row:
            # The next event alone is larger than the buffer.
            out = bytearray(len(out) * 4)
        row = done


class Scanner:
    """Reads a capture from pieces of bytes; keeps the place between pieces."""

    def __init__(
        self, *, keep_other: bool = False, max_block: int = MAX_BLOCK_BYTES
    ) -> None:
        """Start before the first block."""
        self.state = ffi.new("wb_scap_state *")
        self.state.max_block = max_block
        self.state.keep_other = keep_other

    def scan(self, piece: memoryview, *, at_end: bool) -> tuple[Block | None, int, int]:
        """Read the whole blocks of ``piece``: (rows or None, bytes used, why stopped).

        ``why``: MORE, END, CUT or a negative number for :meth:`damage`.
        """
        room = max(1, len(piece) // _SMALLEST_BLOCK)
        data = pa.allocate_buffer(max(1, len(piece)), resizable=True)
        offsets = pa.allocate_buffer((room + 1) * 4, resizable=True)
        numbers = pa.allocate_buffer(room * 8, resizable=True)
        times = pa.allocate_buffer(room * 8, resizable=True)
        ids = pa.allocate_buffer(room * 4, resizable=True)
        types = pa.allocate_buffer(room * 2, resizable=True)
        marks = pa.allocate_buffer(room, resizable=True)
        used, rows = ffi.new("uint64_t *"), ffi.new("int64_t *")
        source = ffi.from_buffer("uint8_t[]", piece)
        why = lib.wb_scap_scan(
            self.state,
            source,
            len(piece),
            at_end,
            ffi.cast("uint8_t *", _address(data)),
            data.size,
            ffi.cast("int32_t *", _address(offsets)),
            ffi.cast("uint64_t *", _address(numbers)),
            ffi.cast("uint64_t *", _address(times)),
            ffi.cast("uint32_t *", _address(ids)),
            ffi.cast("uint16_t *", _address(types)),
            ffi.cast("uint8_t *", _address(marks)),
            room,
            used,
            rows,
        )
        ffi.release(source)
        count = rows[0]
        if not count:
            return None, used[0], why
        end = ffi.cast("int32_t *", _address(offsets))[count]
        for buffer, size in (
            (data, end),
            (offsets, (count + 1) * 4),
            (numbers, count * 8),
            (times, count * 8),
            (ids, count * 4),
            (types, count * 2),
            (marks, count),
        ):
            buffer.resize(size, shrink_to_fit=True)
        block = Block(
            raw=pa.Array.from_buffers(pa.binary(), count, [None, offsets, data]),
            numbers=pa.Array.from_buffers(pa.uint64(), count, [None, numbers]),
            times=pa.Array.from_buffers(pa.uint64(), count, [None, times]),
            ids=pa.Array.from_buffers(pa.uint32(), count, [None, ids]),
            types=pa.Array.from_buffers(pa.uint16(), count, [None, types]),
            marks=pa.Array.from_buffers(pa.uint8(), count, [None, marks]),
        )
        return block, used[0], why

    @property
    def hostname(self) -> str | None:
        """Return the machine's name, None when the file does not tell."""
        if not self.state.has_machine:
            return None
        text: bytes = ffi.string(self.state.hostname)
        return text.decode("utf-8", "replace")

    def damage(self, why: int) -> str:
        """Return in words what a negative ``why`` of :meth:`scan` means."""
        state = self.state
        return _DAMAGE[why].format(
            block_type=state.block_type,
            header_length=state.header_length,
            trailer_length=state.trailer_length,
            max_block=state.max_block,
        )


def _address(buffer: Any) -> int:
    address: int = buffer.address
    return address
