from __future__ import annotations

import struct

import pyarrow as pa
import pytest

NO_TIME = 2**64 - 1


def plugin_event(payload, *, time=1, plugin_id=999, tid=NO_TIME, extra=b""):
    head = struct.pack("<QQIHI", time, tid, 38 + len(payload) + len(extra), 322, 2)
    return head + struct.pack("<III", 4, len(payload), plugin_id) + payload + extra


def async_event(name, data=b"", *, time=1, plugin_id=999):
    text = name + b"\0"
    head = struct.pack("<QQIHI", time, NO_TIME, 42 + len(text) + len(data), 402, 3)
    sizes = struct.pack("<IIII", 4, len(text), len(data), plugin_id)
    return head + sizes + text + data


def table_of(raws, *, times=None, source="test"):
    count = len(raws)
    if times is None:
        times = [struct.unpack_from("<Q", raw)[0] for raw in raws]
    return pa.table(
        {
            "evt.num": pa.array(range(1, count + 1), pa.uint64()),
            "evt.rawtime": pa.array(times, pa.uint64()),
            "evt.source": pa.array([source] * count).dictionary_encode(),
            "raw": pa.array(raws, pa.binary()),
        }
    )


SECTION = bytes.fromhex("0a0d0d0a1c0000004d3c2b1a01000200ffffffffffffffff1c000000")


def block(kind, body):
    total = 12 + (len(body) + 3) // 4 * 4
    padded = body + bytes(-len(body) % 4)
    return struct.pack("<II", kind, total) + padded + struct.pack("<I", total)


def event_block(event, kind=0x221, flags=None):
    head = struct.pack("<H", 0)
    if flags is not None:
        head += struct.pack("<I", flags)
    return block(kind, head + event)


class Make:
    """What the tests build files and events from."""

    plugin_event = staticmethod(plugin_event)
    async_event = staticmethod(async_event)
    table_of = staticmethod(table_of)
    block = staticmethod(block)
    event_block = staticmethod(event_block)
    section = SECTION


@pytest.fixture(scope="session")
def make():
    return Make
