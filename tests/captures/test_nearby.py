"""Ordinary files are decoded here, and nothing else is."""

from __future__ import annotations

import os

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from workbench.native._core import ffi, lib

from tests.captures.test_bombs import BOMBS
from workbench.captures import decoding
from workbench.captures.arrow_file import read_arrow
from workbench.captures.nearby import NEARBY_ERRORS, open_nearby
from workbench.captures.parquet import read_parquet
from workbench.captures.thrift_compact import CompactError, structure

MEBI = 1 << 20


def ordinary(rows=3000):
    return pa.table(
        {
            "evt.num": pa.array(range(rows), pa.uint64()),
            "t.text": [f"text {n}" if n % 5 else None for n in range(rows)],
            "t.word": pa.array([f"{n % 7}" for n in range(rows)]).dictionary_encode(),
            "t.list": [["a", f"{n}"] if n % 3 else None for n in range(rows)],
            "t.flag": [n % 2 == 0 for n in range(rows)],
            "raw": [b"\xff" * (n % 300) for n in range(rows)],
            "t.none": pa.nulls(rows),
        }
    )


@pytest.fixture
def here_alone(monkeypatch):
    def refused(*_, **__):
        raise AssertionError("this file needs no process of its own")

    monkeypatch.setattr(decoding, "Decoded", refused)


@pytest.mark.usefixtures("here_alone")
@pytest.mark.parametrize("version", ["1.0", "2.0"])
@pytest.mark.parametrize("codec", ["none", "snappy", "zstd", "gzip", "brotli", "lz4"])
def test_ordinary_parquet_files_are_decoded_here(tmp_path, codec, version):
    path = tmp_path / "f.parquet"
    pq.write_table(
        ordinary(), path, compression=codec, data_page_version=version,
        row_group_size=1100, data_page_size=2000,
    )  # fmt: skip
    assert read_parquet(path).table.equals(ordinary())
    some = read_parquet(path, columns=["t.flag", "t.text"]).table
    assert some.equals(ordinary().select(["t.text", "t.flag"]))


@pytest.mark.usefixtures("here_alone")
@pytest.mark.parametrize("codec", [None, "zstd", "lz4"])
def test_ordinary_arrow_files_are_decoded_here(tmp_path, codec):
    path = tmp_path / "f.arrow"
    options = pa.ipc.IpcWriteOptions(compression=codec)
    with pa.ipc.new_file(str(path), ordinary().schema, options=options) as writer:
        writer.write_table(ordinary(), max_chunksize=1100)
    assert read_arrow(path).table.equals(ordinary())


@pytest.mark.parametrize(
    ("form", "make"),
    [
        pytest.param(form, make, id=make.__name__)
        for form, makers in BOMBS.items()
        for make in makers
        # Of this one only the frame would be large; that is counted afterwards.
        if make.__name__ not in {"dictionary_of_arrow", "dictionary_in_lists_of_arrow"}
    ],
)
def test_no_bomb_is_decoded_here(tmp_path, form, make):
    path = tmp_path / "bomb"
    make(path)
    before = pa.total_allocated_bytes()
    fd = os.open(path, os.O_RDONLY)
    try:
        with open_nearby(fd, form, 50 * MEBI) as file, pytest.raises(NEARBY_ERRORS):
            file.whole(None, 50 * MEBI)
    except NEARBY_ERRORS:
        pass
    finally:
        os.close(fd)
    assert pa.total_allocated_bytes() - before < 60 * MEBI


def test_a_page_that_holds_more_than_the_footer_says_is_not_decoded_here(tmp_path):
    path = tmp_path / "f.parquet"
    pq.write_table(
        pa.table({"a": pa.array([1, 2, 3], pa.int64())}), path,
        compression="none", use_dictionary=False, write_statistics=False,
    )  # fmt: skip
    data = bytearray(path.read_bytes())
    # The header of the first page: its type, two sizes, then the number of values.
    head, _ = structure(bytes(data[4:100]))
    at = data.index(b"\x2c\x15\x06", 4)
    assert head[5][1] == 3
    fd = os.open(path, os.O_RDWR)
    try:
        with open_nearby(fd, "parquet", MEBI) as file:
            assert file.whole(None, MEBI).num_rows == 3
            os.pwrite(fd, b"\x08", at + 2)
            with pytest.raises(NEARBY_ERRORS):
                file.whole(None, MEBI)
    finally:
        os.close(fd)


def test_structures_that_readers_may_take_in_two_ways_are_refused():
    assert structure(b"\x15\x02\x15\x04\x00!") == ({1: 1, 2: 2}, 5)
    with pytest.raises(CompactError):
        structure(b"\x15\x02\x05\x02\x04\x00")
    with pytest.raises(CompactError):
        structure(b"\x1c" * 50 + b"\x00" * 51)
    with pytest.raises(IndexError):
        structure(b"\x19\xfc\xff\xff\xff\xff\x07")


def test_the_longest_of_some_words_is_found_within_their_bytes():
    def longest(data, count):
        return lib.wb_text_longest(ffi.from_buffer("uint8_t[]", data), len(data), count)

    words = b"\x02\0\0\0ab\0\0\0\0\x05\0\0\0abcde"
    assert [longest(words, n) for n in (0, 1, 2, 3)] == [0, 2, 2, 5]
    assert longest(words, 4) == -1
    assert longest(words[:-1], 3) == -1
    assert longest(b"\xff\xff\xff\xff", 1) == -1
