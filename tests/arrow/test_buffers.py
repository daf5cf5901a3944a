"""Buffers as files of strangers have them: longer than needed, by odd bytes."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

import workbench as wb
from tests.captures.conftest import async_event, plugin_event
from workbench.arrow.addresses import address_text
from workbench.arrow.buffers import numbers_of, offsets_of
from workbench.arrow.dictionaries import list_like
from workbench.arrow.times import event_times
from workbench.events.builtin_columns import async_flags
from workbench.session.event_block import block_parts


def odd(array: pa.Array) -> pa.Array:
    """Return the same array, each buffer longer by three bytes."""
    buffers = [
        None if buffer is None else pa.py_buffer(buffer.to_pybytes() + b"odd")
        for buffer in array.buffers()
    ]
    own = array.type.num_buffers
    children = [array.values] if own < len(buffers) else None
    made = pa.Array.from_buffers(
        array.type, len(array), buffers[:own], array.null_count, children=children
    )
    made.validate(full=True)
    assert made.equals(array)
    return made


RAW = [plugin_event(b"a"), async_event(b"n", b"x"), plugin_event(b"c" * 50)]


@pytest.mark.parametrize("kind", [pa.binary(), pa.large_binary()], ids=str)
@pytest.mark.parametrize("start", [0, 1])
def test_events_are_read_from_odd_buffers(kind, start):
    raw = odd(pa.array(RAW, kind)).slice(start)
    offsets = offsets_of(raw)
    assert list(np.diff(offsets)) == [len(text) for text in RAW[start:]]
    table = pa.table(
        {"raw": raw, "evt.rawtime": pa.array([1, 2, 3], pa.uint64())[start:]}
    )
    assert list(async_flags(table)) == [False, True, False][start:]
    (body, _, ends, _), size = block_parts(
        raw, pa.array([1, 2, 3], pa.uint64())[start:]
    )
    assert bytes(body) == b"".join(RAW[start:])
    assert (list(ends)[-1], size) == (len(body), len(body))


def test_times_are_read_from_odd_buffers():
    times = odd(pa.array([5, 6, 7], pa.uint64()))
    assert list(event_times(pa.table({"evt.rawtime": times[1:]}))) == [6, 7]
    assert list(numbers_of(times, np.uint64)) == [5, 6, 7]


def test_addresses_are_read_from_odd_buffers():
    column = odd(pa.array([b"\x0a\0\0\1", b"xy"], pa.binary()))
    assert address_text(column).to_pylist() == ["10.0.0.1", "0x7879"]


@pytest.mark.parametrize("kind", [pa.list_, pa.large_list])
def test_lists_are_read_from_odd_buffers(kind):
    lists = odd(pa.array([[1], None, [2, 3]], kind(pa.int64())))
    assert list_like(lists, lists.values).to_pylist() == [[1], None, [2, 3]]
    assert list_like(lists[1:], lists.values).to_pylist() == [None, [2, 3]]


@pytest.mark.parametrize("kind", [pa.binary(), pa.large_string(), pa.list_(pa.int8())])
def test_an_array_without_values_needs_no_buffer(kind):
    empty = pa.array([], kind)
    assert list(offsets_of(empty)) == [0]
    assert len(numbers_of(pa.array([], pa.int64()), np.int64)) == 0


def test_events_with_large_buffers_of_bytes_open(tmp_path):
    path = tmp_path / "large.arrow"
    table = pa.table(
        {
            "evt.num": pa.array([1, 2, 3], pa.uint64()),
            "evt.rawtime": pa.array([7, 8, 9], pa.uint64()),
            "raw": pa.array(RAW, pa.large_binary()),
        }
    )
    with pa.ipc.new_file(str(path), table.schema) as writer:
        writer.write_table(table)
    events = wb.open_events(path)
    assert list(events.extract("evt.is_async").frame["evt.is_async"]) == [
        False,
        True,
        False,
    ]
