"""What the blocks of an Arrow file hold and take, told before any is decoded.

A block is a message and its body. The message says how many rows there are and where
each buffer lies in the body; a packed buffer begins with the size it unpacks to.
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from typing import Any, Final

from workbench.captures.parquet_pages import UnboundedError

__all__ = ["Block", "blocks"]

_MAGIC: Final = b"ARROW1"
_TAIL: Final = 4 + len(_MAGIC)
_DICTIONARY, _BATCH = 2, 3
_MAX_MESSAGE: Final = 4 << 20
_MAX_BLOCKS: Final = 1_000_000
_BLOCK: Final = struct.Struct("<qi4xq")
_BUFFER: Final = struct.Struct("<qq")
_PLAIN: Final = -1


@dataclass(frozen=True, slots=True)
class Block:
    """``rows`` of a record batch or of a dictionary; ``size``: in memory, bytes."""

    rows: int
    size: int


class _Flat:
    """A flatbuffer, read strictly within its bytes."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def get(self, form: str, at: int) -> int:
        if at < 0:
            raise UnboundedError
        return int(struct.unpack_from(form, self.data, at)[0])

    def follow(self, at: int | None) -> int:
        """Return the place that the offset at ``at`` points to."""
        if at is None:
            raise UnboundedError
        return at + self.get("<I", at)

    def field(self, table: int, number: int) -> int | None:
        """Return the place of a field of a table, None for its default."""
        index = table - self.get("<i", table)
        slot = 4 + 2 * number
        if slot >= self.get("<H", index):
            return None
        offset = self.get("<H", index + slot)
        return table + offset if offset else None

    def structs(self, at: int | None, form: struct.Struct) -> list[Any]:
        """Return the values of a vector of structures; none where it is left out."""
        if at is None:
            return []
        start = self.follow(at)
        count = self.get("<I", start)
        end = start + 4 + count * form.size
        if end > len(self.data):
            raise UnboundedError
        return list(form.iter_unpack(self.data[start + 4 : end]))


def blocks(fd: int, max_footer: int) -> tuple[list[Block], list[Block]]:
    """Return the dictionaries and the record batches of the Arrow file at ``fd``.

    Raises UnboundedError for what is not a plain Arrow file, or whose footer takes more
    than ``max_footer`` bytes.
    """
    size = os.fstat(fd).st_size
    tail = os.pread(fd, _TAIL, max(0, size - _TAIL))
    if len(tail) < _TAIL or tail[4:] != _MAGIC:
        raise UnboundedError
    length = struct.unpack_from("<i", tail)[0]
    if not 0 < length <= min(max_footer, size - _TAIL):
        raise UnboundedError
    try:
        footer = _Flat(os.pread(fd, length, size - _TAIL - length))
        root = footer.follow(0)
        found = []
        for number, kind in ((2, _DICTIONARY), (3, _BATCH)):
            places = footer.structs(footer.field(root, number), _BLOCK)
            if len(places) > _MAX_BLOCKS:
                raise UnboundedError
            found.append([_block(fd, place, kind, size) for place in places])
    except struct.error:
        raise UnboundedError from None
    return found[0], found[1]


def _block(fd: int, place: tuple[int, int, int], kind: int, size: int) -> Block:
    start, length, body = place
    if start < 0 or not 8 <= length <= _MAX_MESSAGE or body < 0:
        raise UnboundedError
    if start + length + body > size:
        raise UnboundedError
    message = os.pread(fd, length, start)
    mark, used = struct.unpack_from("<Ii", message)
    if mark != 0xFFFFFFFF or not 0 < used <= length - 8:
        raise UnboundedError
    flat = _Flat(message[8 : 8 + used])
    root = flat.follow(0)
    own, told = flat.field(root, 1), flat.field(root, 3)
    if own is None or flat.get("<B", own) != kind:
        raise UnboundedError
    # A body is read as long as its message says.
    if (0 if told is None else flat.get("<q", told)) != body:
        raise UnboundedError
    batch = flat.follow(flat.field(root, 2))
    if kind == _DICTIONARY:
        batch = flat.follow(flat.field(batch, 1))
    rows = flat.field(batch, 0)
    count = 0 if rows is None else flat.get("<q", rows)
    if count < 0:
        raise UnboundedError
    taken = body
    if flat.field(batch, 3) is not None:
        buffers = flat.structs(flat.field(batch, 2), _BUFFER)
        taken += sum(_unpacked(fd, start + length, body, b) for b in buffers)
    return Block(count, taken)


def _unpacked(fd: int, start: int, body: int, place: tuple[int, int]) -> int:
    """Return what a packed buffer takes unpacked, bytes."""
    offset, length = place
    if offset < 0 or length < 0 or offset + length > body:
        raise UnboundedError
    if length < 8:
        return 0
    told = int(struct.unpack("<q", os.pread(fd, 8, start + offset))[0])
    if told < _PLAIN:
        raise UnboundedError
    return length if told == _PLAIN else told
