"""Chunks of rows, as the pump lays them out in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from tests.fuzz.material import recording
from tests.fuzz.mutation import damaged
from workbench.session.chunk_reader import ChunkReader, unify_batches

if TYPE_CHECKING:
    from random import Random

_HEAD_BYTES = 64
_COLUMN_BYTES = 136


def prepare() -> None:
    assert recording().chunks


def make(dice: Random) -> bytes:
    """Mostly the head and the columns' rows; now and then offsets and codes."""
    _, memory = dice.choice(recording().chunks)
    head = _HEAD_BYTES + _COLUMN_BYTES * len(recording().layout)
    return damaged(dice, memory, reach=0 if dice.randrange(3) == 0 else head)


def check(data: bytes) -> None:
    """A chunk is refused, or every value in it can be used."""
    layout = recording().layout
    names = [name for name, *_ in layout]
    reader = ChunkReader(names, "source", layout=layout, most_rows=1 << 15)
    batches = []
    for memory in (recording().chunks[0][1], data):
        try:
            batches.append(reader.read(pa.py_buffer(memory)))
        except ValueError:
            continue
        batches[-1].to_pylist()
    for batch in unify_batches(batches):
        batch.validate(full=True)
