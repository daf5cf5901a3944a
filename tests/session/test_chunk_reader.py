"""What a chunk says of its capture: events so far, and the time of the first one."""

from __future__ import annotations

import struct

import pyarrow as pa
import pytest

from workbench.session.chunk_reader import KIND_U64, ChunkReader

LAYOUT = [("evt.num", KIND_U64, False), ("evt.rawtime", KIND_U64, False)]
HEAD = 64 + 2 * 136


def chunk(rows, seen, first_ns, seq=1):
    """Lay out a chunk of numbers and times as the pump does."""
    values = struct.pack(f"<{rows}Q", *range(1, rows + 1))
    head = struct.pack("<IIQQQ4Q", 0x4B434257, 2, rows, seq, 0, seen, first_ns, 0, 0)
    for at in (HEAD, HEAD + len(values)):
        spans = [0] * 6 + [at, len(values)] + [0] * 4
        head += struct.pack("<IIIIQ12QQQ", KIND_U64, 0, 0, 0, 0, *spans, 0, 0)
    return pa.py_buffer(head + values + values)


def test_events_and_first_time_are_read():
    reader = ChunkReader([n for n, *_ in LAYOUT], "s", layout=LAYOUT)
    assert reader.read(chunk(3, 10, 77)).num_rows == 3
    assert (reader.seen, reader.first_ns) == (10, 77)
    reader.read(chunk(2, 4000, 77, seq=2))
    assert reader.seen == 4000


@pytest.mark.parametrize("second", [(2, 9, 77), (2, 12, 78), (2, 12, 0)])
def test_events_never_grow_fewer_and_the_first_stays_the_first(second):
    reader = ChunkReader([n for n, *_ in LAYOUT], "s", layout=LAYOUT)
    reader.read(chunk(3, 10, 77))
    with pytest.raises(ValueError, match="another count of events"):
        reader.read(chunk(*second, seq=2))
