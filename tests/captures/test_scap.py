from __future__ import annotations

import gzip
import os
import pickle
import random
import resource
import struct
import subprocess
import sys

import pyarrow as pa
import pytest

from workbench.captures.scap import ScapReader, ScapWriter, read_scap, write_scap
from workbench.errors import CaptureFileError

# The dump of a 7-byte payload, id 999, as the layout reference prints it.
WORKED_EXAMPLE = (
    "21020000 3c000000 0000 {time} ffffffffffffffff 2d000000 4201 02000000"
    "04000000 07000000 e7030000 68656c6c6f2d31 00 3c000000"
)


def test_a_written_file_is_the_layout_byte_by_byte(tmp_path, make):
    path = tmp_path / "one.scap"
    event = make.plugin_event(b"hello-1", time=0x1122334455667788)
    assert write_scap(path, make.table_of([event]), hostname="box") == 1
    data = path.read_bytes()
    assert data[:28] == make.section
    machine = data[28:220]
    assert machine[:8] == struct.pack("<II", 0x201, 192)
    assert machine[-4:] == struct.pack("<I", 192)
    body = machine[8:-4]
    assert len(body) == 180
    assert struct.unpack_from("<I", body)[0] == os.cpu_count()
    assert body[20:148] == b"box".ljust(128, b"\0")
    assert body[4:20] == bytes(16)
    assert body[148:] == bytes(32)
    expected = WORKED_EXAMPLE.format(time="8877665544332211")
    assert data[220:] == bytes.fromhex(expected.replace(" ", ""))


def test_rows_come_back_as_they_were(tmp_path, make):
    raws = [make.plugin_event(os.urandom(n % 300), time=n + 5) for n in range(5000)]
    table = make.table_of(raws)
    path = tmp_path / "x.scap"
    write_scap(path, table)
    contents = read_scap(path, sources={999: "test"})
    assert contents.table["raw"].to_pylist() == raws
    assert contents.table["evt.num"].to_pylist() == list(range(1, 5001))
    assert contents.table["evt.rawtime"].equals(table["evt.rawtime"])
    assert contents.table["evt.source"].to_pylist() == ["test"] * 5000
    assert contents.source == "test"
    assert contents.notes == ()
    assert contents.extra == {"plugin_ids": {999: 5000}}


def test_sliced_chunked_and_large_columns_are_written_alike(tmp_path, make):
    raws = [make.plugin_event(b"%d" % n) for n in range(100)]
    table = make.table_of(raws)
    odd = pa.concat_tables([table.slice(7, 11), table.slice(50, 3)])
    raw = odd["raw"].cast(pa.large_binary())
    odd = odd.set_column(3, "raw", raw)
    write_scap(tmp_path / "x.scap", odd)
    found = read_scap(tmp_path / "x.scap").table["raw"].to_pylist()
    assert found == raws[7:18] + raws[50:53]


def test_an_event_without_time_takes_the_tables(tmp_path, make):
    event = make.plugin_event(b"now", time=2**64 - 1)
    write_scap(tmp_path / "x.scap", make.table_of([event], times=[77]))
    table = read_scap(tmp_path / "x.scap").table
    assert table["evt.rawtime"].to_pylist() == [77]
    assert table["raw"][0].as_py() == struct.pack("<Q", 77) + event[8:]


def test_an_event_larger_than_a_piece_is_written_and_read(tmp_path, make):
    event = make.plugin_event(b"z" * (20 << 20))
    write_scap(tmp_path / "x.scap", make.table_of([event, event]))
    with ScapReader(tmp_path / "x.scap", piece_bytes=1 << 16) as reader:
        assert sum(len(batch) for batch in reader) == 2


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"short", "shorter than an event header"),
        (b"", "shorter than an event header"),
        ("length", "its length does not fit"),
        ("params", "parameter lengths exceed its length"),
        ("count", "parameter lengths exceed its length"),
        ("time", "it has no time and the table gives none"),
    ],
)
def test_an_unsound_event_is_refused_and_the_old_file_stays(tmp_path, make, raw, words):
    good = make.plugin_event(b"good")
    bad = {
        "length": good[:16] + struct.pack("<I", 4000) + good[20:],
        "params": good[:30] + struct.pack("<I", 2**32 - 1) + good[34:],
        "count": good[:22] + struct.pack("<I", 2**32 - 1) + good[26:],
        "time": make.plugin_event(b"x", time=2**64 - 1),
    }.get(raw, raw)
    path = tmp_path / "x.scap"
    path.write_bytes(b"precious")
    with pytest.raises(CaptureFileError) as caught:
        write_scap(path, make.table_of([good, bad], times=[1, 2**64 - 1]))
    assert words in caught.value.message
    assert f"in row 1 to {path}" in caught.value.message
    assert path.read_bytes() == b"precious"
    assert [p.name for p in tmp_path.iterdir()] == ["x.scap"]


def test_events_without_raw_bytes_say_how_to_keep_them(tmp_path, make):
    table = make.table_of([make.plugin_event(b"x")]).drop_columns("raw")
    with pytest.raises(CaptureFileError, match="keep_events=True"):
        write_scap(tmp_path / "x.scap", table)


def test_gzip_is_chosen_by_suffix_and_read_transparently(tmp_path, make):
    raws = [make.plugin_event(b"abc" * 50) for _ in range(20000)]
    write_scap(tmp_path / "x.scap.gz", make.table_of(raws))
    data = (tmp_path / "x.scap.gz").read_bytes()
    assert data[:2] == b"\x1f\x8b"
    assert gzip.decompress(data)[:28] == make.section
    assert len(read_scap(tmp_path / "x.scap.gz").table) == 20000
    cut = tmp_path / "cut.scap.gz"
    cut.write_bytes(data[: len(data) - 9])
    contents = read_scap(cut)
    assert 0 < len(contents.table) <= 20000
    assert any("cut short" in note for note in contents.notes)
    joined = tmp_path / "joined.scap"
    joined.write_bytes(data + data)
    assert len(read_scap(joined).table) == 40000


def test_concatenated_files_number_on(tmp_path, make):
    one = make.section + make.event_block(make.plugin_event(b"a"))
    (tmp_path / "x.scap").write_bytes(one + one)
    table = read_scap(tmp_path / "x.scap").table
    assert table["evt.num"].to_pylist() == [1, 2]


def test_a_file_cut_anywhere_gives_the_whole_events(tmp_path, make):
    whole = make.section + make.block(0x201, b"\2\0\0\0".ljust(180, b"\0"))
    blocks = [make.event_block(make.plugin_event(b"n%d" % n)) for n in range(3)]
    data = whole + b"".join(blocks)
    ends = [len(whole) + sum(map(len, blocks[:n])) for n in range(4)]
    path = tmp_path / "x.scap"
    for size in range(len(data) + 1):
        path.write_bytes(data[:size])
        if size < 28:
            with pytest.raises(CaptureFileError):
                read_scap(path)
            continue
        contents = read_scap(path)
        assert len(contents.table) == sum(end <= size for end in ends[1:])
        cut = any("cut off" in note for note in contents.notes)
        assert cut == (size not in {28, *ends})


def test_other_blocks_and_events_are_skipped_with_notes(tmp_path, make):
    syscall = struct.pack("<QQIHI", 1, 7, 30, 4, 1) + struct.pack("<H", 2) + b"ok"
    newer = struct.pack("<QQIHI", 1, 7, 26, 454, 0)
    malformed = make.plugin_event(b"x")
    malformed = malformed[:26] + struct.pack("<I", 3) + malformed[30:]
    data = (
        make.section
        + make.block(0x218, b"file descriptors")
        + make.block(0x777, b"who knows")
        + make.event_block(make.plugin_event(b"one"))
        + make.event_block(syscall, kind=0x216)
        + make.block(0x204, b"old")
        + make.event_block(newer, kind=0x216)
        + make.event_block(malformed)
        + make.event_block(make.plugin_event(b"flag"), kind=0x222, flags=1)
        + make.event_block(make.plugin_event(b"shown"), kind=0x222, flags=2)
    )
    path = tmp_path / "x.scap"
    path.write_bytes(data)
    contents = read_scap(path, sources={999: "test"})
    # A type from the future is not counted, all else is.
    assert contents.table["evt.num"].to_pylist() == [1, 6]
    notes = "\n".join(contents.notes)
    for words in (
        "1 blocks of machine state",
        "1 blocks of unknown type",
        "1 events that are not a plugin's",
        "1 events of the old layout",
        "1 events of a type newer",
        "1 malformed plugin or async events",
        "1 events marked as state only",
    ):
        assert words in notes
    everything = read_scap(path, state=True, keep_other=True).table
    assert everything["evt.num"].to_pylist() == [1, 2, 5, 6]
    assert everything["state_only"].to_pylist() == [False, False, True, False]


def test_leading_async_events_are_state_and_count(tmp_path, make):
    raws = [
        make.async_event(b"first", b"data"),
        make.plugin_event(b"one"),
        make.async_event(b"second"),
    ]
    path = tmp_path / "x.scap"
    write_scap(path, make.table_of(raws))
    contents = read_scap(path, sources={999: "test"})
    assert contents.table["evt.num"].to_pylist() == [2, 3]
    assert contents.table["raw"].to_pylist() == raws[1:]
    assert any("1 async events before" in note for note in contents.notes)
    table = read_scap(path, state=True).table
    assert table["state_only"].to_pylist() == [True, False, False]


def test_unknown_plugin_ids_have_no_source_and_a_note(tmp_path, make):
    raws = [make.plugin_event(b"a", plugin_id=n) for n in (5, 0, 6, 5)]
    write_scap(tmp_path / "x.scap", make.table_of(raws))
    contents = read_scap(tmp_path / "x.scap", sources={6: "six"})
    assert contents.table["evt.source"].to_pylist() == [None, "syscall", "six", None]
    assert contents.source is None
    assert any("2 events carry plugin id 5" in note for note in contents.notes)


def test_the_hostname_is_read_back(tmp_path, make):
    event = make.plugin_event(b"x")
    write_scap(tmp_path / "x.scap", make.table_of([event]), hostname="h" * 500)
    assert read_scap(tmp_path / "x.scap").hostname == "h" * 127
    (tmp_path / "y.scap").write_bytes(make.section + make.event_block(event))
    assert read_scap(tmp_path / "y.scap").hostname is None


def _damaged(make):
    event = make.event_block(make.plugin_event(b"x" * 50))
    good = make.section + event
    swapped = struct.pack(">II", 0x0A0D0D0A, 28) + struct.pack(">I", 0x1A2B3C4D)
    bad_trailer = make.block(0x218, b"abcd")[:-4] + struct.pack("<I", 99)
    return {
        "empty": (b"", "it is empty"),
        "one byte": (b"\x0a", "ends inside its section header"),
        "text": (b"hello world, no capture", "section header was expected"),
        "swapped": (swapped.ljust(28, b"\0"), "invalid magic number"),
        "magic": (good[:8] + b"\0\0\0\0" + good[12:], "invalid magic number"),
        "major": (good[:12] + b"\2\0" + good[14:], "needs a newer reader"),
        "short": (good[:4] + struct.pack("<I", 16) + good[8:], "impossible length"),
        "trailer": (make.section + bad_trailer + event, "header=16, trailer=99"),
        "tiny": (good + struct.pack("<II", 0x221, 11) + event, "impossible length"),
        "huge": (good + struct.pack("<II", 0x221, 2**32 - 4), "over the limit"),
        "between": (good + make.block(0x218, b"fds") + event, "between events"),
        "event": (
            good + event[:26] + struct.pack("<I", 10**9) + event[30:],
            "contradict",
        ),
        "small": (good + make.event_block(b"x" * 4), "impossible length"),
    }


@pytest.mark.parametrize(
    "kind",
    [
        "empty", "one byte", "text", "swapped", "magic", "major", "short", "trailer",
        "tiny", "huge", "between", "event", "small",
    ],
)  # fmt: skip
def test_damage_is_named_and_what_came_before_is_kept(tmp_path, make, kind):
    data, words = _damaged(make)[kind]
    path = tmp_path / "x.scap"
    path.write_bytes(data)
    with pytest.raises(CaptureFileError) as caught:
        read_scap(path)
    assert words in caught.value.message
    assert str(path) in caught.value.message
    kept = caught.value.events.table
    expected = kind in {"tiny", "huge", "between", "event", "small"}
    assert len(kept) == int(expected)
    copy = pickle.loads(pickle.dumps(caught.value))
    assert (copy.path, copy.offset) == (str(path), caught.value.offset)


@pytest.mark.parametrize("place", ["missing", "folder"])
def test_a_file_that_cannot_be_opened_is_one_clear_error(tmp_path, make, place):
    path = tmp_path if place == "folder" else tmp_path / "no.scap"
    with pytest.raises(CaptureFileError) as caught:
        read_scap(path)
    reason = {"missing": "No such file or directory", "folder": "Is a directory"}
    assert caught.value.message == f"cannot read {path}: {reason[place]}"
    with pytest.raises(CaptureFileError, match="cannot write"):
        write_scap(tmp_path / "no" / "x.scap", make.table_of([]))


def test_a_gzip_bomb_stops_at_the_limit(tmp_path, make):
    event = make.event_block(make.plugin_event(bytes(1 << 20)))
    path = tmp_path / "x.scap"
    with gzip.open(path, "wb") as file:
        file.write(make.section)
        for _ in range(50):
            file.write(event)
    with pytest.raises(CaptureFileError, match="more than 10000000 bytes") as caught:
        read_scap(path, max_bytes=10_000_000)
    assert len(caught.value.events.table) < 30


def test_an_empty_table_makes_a_file_that_says_so(tmp_path, make):
    write_scap(tmp_path / "x.scap", make.table_of([]))
    contents = read_scap(tmp_path / "x.scap")
    assert len(contents.table) == 0
    assert contents.notes == ("the file holds no events; Falco refuses such a file",)


def test_rotation_by_size_makes_whole_files(tmp_path, make):
    raws = [make.plugin_event(b"%04d" % n * 20) for n in range(500)]
    table = make.table_of(raws)
    with ScapWriter(tmp_path / "rec.scap.gz", rotate_bytes=5000) as writer:
        assert writer.write(table) == 500
    names = [p.name for p in writer.paths]
    assert names[:2] == ["rec-0001.scap.gz", "rec-0002.scap.gz"]
    path = tmp_path / "rec.scap"
    with ScapWriter(path, rotate_bytes=5000) as writer:
        writer.write(table)
    assert [p.name for p in writer.paths][:2] == ["rec-0001.scap", "rec-0002.scap"]
    assert len(writer.paths) > 10
    assert all(p.stat().st_size < 10500 for p in writer.paths)
    found = [r for p in writer.paths for r in read_scap(p).table["raw"].to_pylist()]
    assert found == raws


def test_rotation_by_time_waits_for_events(tmp_path, make, monkeypatch):
    now = [0.0]
    monkeypatch.setattr("workbench.captures.scap.time.monotonic", lambda: now[0])
    one = make.table_of([make.plugin_event(b"x")])
    with ScapWriter(tmp_path / "t.scap", rotate_sec=10) as writer:
        now[0] = 50.0
        writer.write(one)
        assert len(writer.paths) == 1
        now[0] = 61.0
        writer.write(one)
        assert len(writer.paths) == 2
    assert [len(read_scap(p).table) for p in writer.paths] == [1, 1]


@pytest.mark.parametrize("suffix", [".scap", ".scap.gz"])
def test_what_was_written_survives_the_death_of_the_writer(tmp_path, make, suffix):
    path = tmp_path / f"x{suffix}"
    code = f"""
import os, pyarrow as pa
from workbench.captures.scap import ScapWriter
raw = bytes.fromhex({make.plugin_event(b"payload").hex()!r})
table = pa.table({{"raw": pa.array([raw] * 1000, pa.binary())}})
writer = ScapWriter({str(path)!r})
writer.write(table)
writer.flush()
os.kill(os.getpid(), 9)
"""
    done = subprocess.run([sys.executable, "-c", code], check=False)
    assert done.returncode == -9
    assert len(read_scap(path).table) == 1000


def test_a_full_disk_leaves_whole_blocks(tmp_path, make):
    path = tmp_path / "x.scap"
    code = f"""
import resource, signal, pyarrow as pa
from workbench.captures.scap import ScapWriter
from workbench.errors import CaptureFileError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
raw = bytes.fromhex({make.plugin_event(b"y" * 1000).hex()!r})
table = pa.table({{"raw": pa.array([raw] * 40, pa.binary())}})
writer = ScapWriter({str(path)!r})
try:
    for _ in range(100):
        writer.write(table)
except CaptureFileError as error:
    print(error.message, writer.events)
writer.close()
"""
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    )
    assert done.stdout == f"cannot write {path}: File too large 80\n"
    contents = read_scap(path)
    assert len(contents.table) == 80
    assert not any("cut off" in note for note in contents.notes)


def test_writing_after_close_and_senseless_rotation_are_refused(tmp_path, make):
    writer = ScapWriter(tmp_path / "x.scap")
    writer.close()
    writer.close()
    with pytest.raises(CaptureFileError, match="closed"):
        writer.write(make.table_of([]))
    with pytest.raises(CaptureFileError, match="greater than 0"):
        ScapWriter(tmp_path / "x.scap", rotate_bytes=0)


def test_mutated_files_give_events_or_one_error(tmp_path, make):
    chance = random.Random(4)
    raws = [make.plugin_event(bytes([n]) * n) for n in range(40)]
    raws += [make.async_event(b"name", b"d"), make.plugin_event(b"")]
    write_scap(tmp_path / "seed.scap", make.table_of(raws))
    seed = (tmp_path / "seed.scap").read_bytes()
    path = tmp_path / "x.scap"
    outcomes = set()
    for _ in range(400):
        data = bytearray(seed)
        for _ in range(chance.randint(1, 6)):
            place = chance.randrange(len(data))
            data[place : place + chance.choice((0, 1, 4))] = chance.randbytes(
                chance.choice((0, 1, 4))
            )
        path.write_bytes(data)
        try:
            outcomes.add(len(read_scap(path, state=True).table) > 0)
        except CaptureFileError as error:
            outcomes.add(type(error))
    assert {True, CaptureFileError} <= outcomes


def test_reading_a_long_capture_keeps_memory_small(tmp_path, make):
    raws = [make.plugin_event(b"p" * 1000) for _ in range(2000)]
    table = make.table_of(raws)
    with ScapWriter(tmp_path / "x.scap") as writer:
        for _ in range(60):
            writer.write(table)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    rows = 0
    with ScapReader(tmp_path / "x.scap") as reader:
        for batch in reader:
            rows += len(batch)
    assert rows == 120_000
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 80 * 1024


@pytest.mark.timeout(60)
def test_many_empty_gzip_members_are_read_in_linear_time(tmp_path, make):
    path = tmp_path / "a.scap.gz"
    write_scap(path, make.table_of([make.plugin_event(b"x")]))
    path.write_bytes(gzip.compress(b"") * 200_000 + path.read_bytes())
    assert len(read_scap(path).table) == 1


def test_many_plugin_ids_are_one_note(tmp_path, make):
    raws = [make.plugin_event(b"a", plugin_id=n) for n in range(1, 2001)]
    write_scap(tmp_path / "x.scap", make.table_of(raws))
    notes = read_scap(tmp_path / "x.scap").notes
    assert len(notes) < 10
    assert "1995 events carry 1995 further such plugin ids" in notes
