from __future__ import annotations

import struct

import pyarrow as pa
import pytest

from workbench.fields.declarations import ArgInfo, FieldInfo, FieldTable

FIELDS = FieldTable(
    [
        FieldInfo("p.s", "string"),
        FieldInfo("p.u", "uint64"),
        FieldInfo("p.b", "bool"),
        FieldInfo("p.ip", "ipaddr"),
        FieldInfo("p.net", "ipnet"),
        FieldInfo("p.at", "abstime"),
        FieldInfo("p.took", "reltime"),
        FieldInfo("p.tags", "string", is_list=True),
        FieldInfo("p.ips", "ipaddr", is_list=True),
        FieldInfo("p.kv", "string", arg=ArgInfo(key=True)),
    ]
)
START = 1_700_000_000 * 10**9


def plugin_event(ts: int, payload: bytes, number: int = 999) -> bytes:
    """Give a stored plugin event, as libscap lays it out."""
    head = struct.pack("<QQIHI", ts, 2**64 - 1, 38 + len(payload), 322, 2)
    return head + struct.pack("<III", 4, len(payload), number) + payload


def async_event(ts: int, name: bytes, data: bytes) -> bytes:
    """Give a stored asynchronous event."""
    size = 42 + len(name) + 1 + len(data)
    head = struct.pack("<QQIHI", ts, 2**64 - 1, size, 402, 3)
    lengths = struct.pack("<IIII", 4, len(name) + 1, len(data), 0)
    return head + lengths + name + b"\0" + data


@pytest.fixture
def table() -> pa.Table:
    """Give three events with every type: present, absent, and awkward values."""
    binary = pa.binary()
    times = [START + 7, START + 10**9, START + 2 * 10**9]
    return pa.table(
        {
            "evt.num": pa.array([1, 2, 3], pa.uint64()),
            "evt.rawtime": pa.array(times, pa.uint64()),
            "evt.source": pa.array([b"src"] * 3, binary).dictionary_encode(),
            "p.s": pa.array([b"caf\xc3\xa9", None, b"bad \xff"], binary),
            "p.u": pa.array([1, None, 2**64 - 1], pa.uint64()),
            "p.b": pa.array([True, None, False]),
            "p.ip": pa.array([b"\x01\x02\x03\x04", None, bytes(15) + b"\1"], binary),
            "p.net": pa.array([None, b"\x0a\0\0\1", None], binary),
            "p.at": pa.array([START, None, 2**63], pa.uint64()),
            "p.took": pa.array([1500, None, 2**63], pa.uint64()),
            "p.tags": pa.array([[b"a", b"\xfe"], None, []], pa.list_(binary)),
            "p.ips": pa.array([[b"\0\0\0\1"], None, [bytes(16)]], pa.list_(binary)),
            "p.kv[k]": pa.array([b"v", b"v", None], binary).dictionary_encode(),
            "raw": pa.array(
                [
                    plugin_event(times[0], b"hello"),
                    plugin_event(times[1], b"x" * 60),
                    async_event(times[2], b"alarm", b"d"),
                ],
                binary,
            ),
        }
    )


@pytest.fixture
def events(table):
    """Give the same three events as Events."""
    from workbench.events.from_table import events_from_table

    return events_from_table(
        table, fields=FIELDS, source="src", plugin="maker", plugin_version="1.2.3"
    )
