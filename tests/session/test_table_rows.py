from __future__ import annotations

import struct

import pytest

from workbench.plugins.state_tables import StateTables
from workbench.session.table_decoder import decode_tables


def text(value):
    return struct.pack("<I", len(value)) + value


def table(name=b"t", *, key=4, size=2, rows=(), note=b""):
    fields = [(b"n", 3), (b"s", 9), (b"b", 25), (b"sub", 10)]
    data = text(name) + struct.pack("<i", key) + text(b"owner")
    data += struct.pack("<Q", size) + text(note) + struct.pack("<I", len(fields))
    for field, kind in fields:
        data += text(field) + struct.pack("<iB", kind, field == b"n")
    return data + struct.pack("<Q", len(rows)) + b"".join(rows)


ROW = (
    struct.pack("<BQ", 1, 2**64 - 5)
    + struct.pack("<BQ", 1, 2**32 - 7)
    + struct.pack("<B", 1)
    + text(b"<\xff>")
    + struct.pack("<BQ", 1, 1)
    + struct.pack("<B", 0)
)


def test_values_of_every_kind_are_read():
    (found,) = decode_tables(struct.pack("<I", 1) + table(size=1, rows=[ROW]))
    assert found.keys == [-5]
    assert found.columns == {"n": [-7], "s": [b"<\xff>"], "b": [True], "sub": [None]}
    assert found.fields == {"n": "int32", "s": "string", "b": "bool", "sub": "table"}
    assert (found.owner, found.note, found.read_only) == ("owner", "", {"n"})


def test_frames_are_typed_and_tell_what_is_missing():
    tables = StateTables(decode_tables(struct.pack("<I", 1) + table(rows=[ROW])))
    frame = tables["t"]
    assert frame.index.to_list() == [-5]
    kinds = [str(kind) for kind in frame.dtypes]
    assert (kinds[0], kinds[2], kinds[3]) == ("Int32", "boolean", "UInt64")
    assert frame["s"].to_list() == ["<\N{REPLACEMENT CHARACTER}>"]
    assert frame["sub"].isna().all()
    assert "only the first 1 of 2 entries" in repr(tables)
    assert "&lt;" not in tables._repr_html_()
    assert len(tables.fields) == 4


def test_a_cut_snapshot_is_an_error():
    data = struct.pack("<I", 1) + table(rows=[ROW, ROW])
    for size in range(len(data)):
        with pytest.raises((ValueError, struct.error)):
            decode_tables(data[:size])
