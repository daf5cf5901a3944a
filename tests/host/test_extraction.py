"""Values of every type, and everything a plugin may get wrong about them."""

from __future__ import annotations

import ipaddress

import pyarrow as pa
import pytest

from tests.support.waiting import wait_until


@pytest.fixture
def probe(session, plugin):
    index, manifest = session.load(str(plugin("probe")))
    session.init(index, "")
    return index, manifest


def address(i: int) -> bytes | None:
    if i % 10 == 9:
        return None
    head = bytes([0x20 if i % 2 else 10, i >> 16 & 255, i >> 8 & 255, i & 255])
    return head + bytes(12) if i % 2 else head


USERS = [b"alice", b"bob", b"carol", b"dave", b"eve", b"mallory", b"oscar"]
EXPECTED = {
    "probe.num": lambda i: i,
    "probe.user": lambda i: None if i % 11 == 10 else USERS[i % 7],
    "probe.path": lambda i: b"/var/lib/app/%d/data/%x.bin" % (i, i * 2654435761),
    "probe.ip": address,
    "probe.net": address,
    "probe.tags": lambda i: [b"tag%d" % ((i + j) % 9) for j in range(i % 4)] or None,
    "probe.even": lambda i: i % 2 == 0,
    "probe.when": lambda i: 1700000000000000000 + i * 1000,
    "probe.age": lambda i: i * 1000,
    "probe.nums": lambda i: [i, i + 1, i + 2] if i % 5 else None,
    "probe.src": lambda i: i + 1,
    "probe.bits": lambda i: [bool(i >> j & 1) for j in range(i % 13)] or None,
    "probe.one": lambda i: b"field 15 of %d" % i,
    "probe.two": lambda i: b"field 16 of %d" % i,
    "probe.late_one": lambda i: b"late 17 of %d" % i,
    "probe.late_two": lambda i: b"late 18 of %d" % i,
}


@pytest.mark.parametrize("one", [False, True])
@pytest.mark.parametrize("dictionaries", [False, True])
def test_every_cell_of_every_type(session, probe, columns, read, one, dictionaries):
    index, manifest = probe
    table, end, _ = read(
        session,
        index,
        "n=5000",
        columns(manifest, *EXPECTED),
        one_field_per_call=one,
        dictionaries=dictionaries,
    )
    assert end == "eof"
    assert table.num_rows == 5000
    for name, value in EXPECTED.items():
        assert table[name].to_pylist() == [value(i) for i in range(5000)], name


def test_fields_that_share_memory_are_right_in_any_company(
    session, probe, columns, read
):
    index, manifest = probe
    for names in (
        ["probe.late_one", "probe.late_two"],
        ["probe.two", "probe.num", "probe.one"],
        ["probe.late_two", "probe.user", "probe.late_one"],
    ):
        table, _, _ = read(session, index, "n=3000", columns(manifest, *names))
        for name in names:
            expected = [EXPECTED[name](i) for i in range(3000)]
            assert table[name].to_pylist() == expected, (names, name)


def test_together_costs_one_call_and_sharing_one_each(session, probe, columns, read):
    index, manifest = probe

    def calls(*names):
        def count():
            rows = session.trace(index)
            return sum(c.count for c in rows if c.function == "plugin_extract_fields")

        before = count()
        read(session, index, "n=2000", columns(manifest, *names))
        return count() - before

    assert calls("probe.num", "probe.user", "probe.path") < 2300
    assert calls("probe.one", "probe.two") == 2 * 2000 + 1


def test_several_arguments_of_one_field(session, probe, columns, read):
    index, manifest = probe
    names = ["probe.arg", "probe.arg[x]", "probe.arg[7]", "probe.arg[07x]"]
    table, _, _ = read(session, index, "n=3", columns(manifest, *names))
    assert table["probe.arg"].to_pylist() == [None] * 3
    assert table["probe.arg[x]"].to_pylist() == [b"key=x index=-1"] * 3
    assert table["probe.arg[7]"].to_pylist() == [b"key=7 index=7"] * 3
    assert table["probe.arg[07x]"].to_pylist() == [b"key=07x index=-1"] * 3


def test_garbage_is_absent_and_told_once(session, probe, columns, read):
    index, manifest = probe
    names = [f"probe.bad[{k}]" for k in range(6)]
    table, _, _ = read(session, index, "n=50", columns(manifest, *names))
    expected = [None, None, None, b"", b"caf\xe9 \xff", b"first"]
    for name, value in zip(names, expected, strict=True):
        assert table[name].to_pylist() == [value] * 50, name
    for words in ("NULL result with a length", "NULL string"):

        def told(words=words):
            return [
                line
                for line in session.log()
                if line.component == "workbench" and words in line.message
            ]

        assert len(wait_until(told, 20, words)) == 1


def test_a_failing_field_hides_no_other(session, probe, columns, read):
    index, manifest = probe
    names = ["probe.num", "probe.fails", "probe.user"]
    table, end, _ = read(session, index, "n=500", columns(manifest, *names))
    assert end == "eof"
    assert table["probe.num"].to_pylist() == list(range(500))
    assert table["probe.fails"].null_count == 500
    assert table["probe.user"].null_count == 45


def test_value_offsets_become_columns(session, probe, columns, read):
    index, manifest = probe
    wanted = columns(manifest, "probe.path", "probe.num", offsets=True)
    table, _, _ = read(session, index, "n=20", wanted, keep_raw=True)
    for row in table.to_pylist():
        start, size = row["probe.path#start"], row["probe.path#len"]
        assert row["raw"][start : start + size] == row["probe.path"]
        assert row["probe.num#start"] is None


def test_stored_events_give_the_same_columns(session, probe, columns, read):
    index, manifest = probe
    wanted = columns(manifest, *EXPECTED)
    table, _, _ = read(session, index, "n=5000", wanted, keep_raw=True)
    raw = table["raw"].combine_chunks()
    numbers = table["evt.num"].combine_chunks()
    base = session.number_base
    again = session.extract(raw, numbers, "probe", wanted, number_base=base)
    again.validate(full=True)
    for name in EXPECTED:
        assert again[name].to_pylist() == table[name].to_pylist(), name
    part = session.extract(
        raw[100:200], numbers[100:200], "probe", wanted, number_base=base
    )
    assert part["probe.num"].to_pylist() == list(range(100, 200))
    assert part["probe.src"].to_pylist() == list(range(101, 201))
    other = session.extract(raw[:5], numbers[:5], "elsewhere", wanted)
    assert other["probe.num"].null_count == 5
    none = session.extract(raw[:0], numbers[:0], "probe", wanted)
    assert none.num_rows == 0
    assert none.schema.names == list(EXPECTED)


def test_stored_bytes_that_are_no_event(session, probe, columns):
    index, manifest = probe
    raw = pa.array([b"", b"short", bytes(38), None, b"\xff" * 60], pa.binary())
    numbers = pa.array([1, 2, 3, 4, 5], pa.uint64())
    batch = session.extract(raw, numbers, "probe", columns(manifest, "probe.num"))
    assert batch["probe.num"].to_pylist() == [None] * 5
    texts = session.event_strings(index, raw, numbers)
    assert texts.to_pylist() == [None] * 5


def test_addresses_are_those_of_the_plugin(session, probe, columns, read):
    index, manifest = probe
    table, _, _ = read(session, index, "n=8", columns(manifest, "probe.ip"))
    shown = [str(ipaddress.ip_address(v)) for v in table["probe.ip"].to_pylist()]
    assert shown[:3] == ["10.0.0.0", "2000:1::", "10.0.0.2"]


def test_a_column_leaves_its_dictionary_once(worker, plugin, columns):
    from workbench.session.types import CaptureOptions

    index, manifest = worker.load(str(plugin("probe")))
    worker.init(index, "")
    wanted = columns(manifest, "probe.path", "probe.user")
    worker.open(index, "n=60000", wanted, CaptureOptions())
    kinds = []
    rows = 0
    while (chunk := worker.read()).end is None:
        batch = chunk.batch
        kinds.append(pa.types.is_dictionary(batch["probe.path"].type))
        assert pa.types.is_dictionary(batch["probe.user"].type)
        assert len(batch["probe.user"].dictionary) == 7
        expected = [EXPECTED["probe.path"](i) for i in range(rows, rows + 3)]
        assert batch["probe.path"][:3].to_pylist() == expected
        rows += batch.num_rows
    worker.close_capture()
    assert rows == 60000
    assert kinds == sorted(kinds, reverse=True)
    assert kinds[0]
    assert not kinds[-1]
    assert sum(kinds) <= 4
