"""The builder of a dead worker, in which rows that were not sent may lie."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pyarrow as pa

from tests.fuzz.material import recording
from tests.fuzz.mutation import damaged
from workbench.session.chunk_reader import ChunkReader
from workbench.session.received_memory import ArenaMemory

if TYPE_CHECKING:
    from random import Random

_HEAD_BYTES = 64
_COLUMN_BYTES = 136


def prepare() -> None:
    assert recording().arena


def make(dice: Random) -> list[tuple[int, bytes]]:
    pieces = list(recording().arena)
    at = 0 if dice.randrange(3) else dice.randrange(len(pieces))
    head = _HEAD_BYTES + _COLUMN_BYTES * len(recording().layout)
    reach = head if at == 0 and dice.randrange(4) else 0
    begin, data = pieces[at]
    pieces[at] = begin, damaged(dice, data, reach=reach)
    return pieces


def check(pieces: list[tuple[int, bytes]]) -> None:
    """Nothing is rescued, or rows of which every value can be used."""
    layout = recording().layout
    names = [name for name, *_ in layout]
    reader = ChunkReader(names, "source", layout=layout, most_rows=1 << 15)
    fd = os.memfd_create("fuzz-arena", os.MFD_CLOEXEC)
    try:
        os.ftruncate(fd, recording().arena_bytes)
        for at, data in pieces:
            os.pwrite(fd, data, at)
        try:
            rescued = reader.rescue(ArenaMemory(fd), 0)
        except (ValueError, OSError, MemoryError, pa.ArrowException):
            return
        if rescued is not None:
            rescued.validate(full=True)
            rescued.to_pylist()
    finally:
        os.close(fd)
