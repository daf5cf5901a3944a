"""Small files that hold gigabytes: what reading them takes is bounded."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import workbench as wb
from workbench.captures.arrow_file import iter_arrow
from workbench.captures.parquet import iter_parquet, read_parquet, read_parquet_facts
from workbench.errors import CaptureFileError

MEBI = 1 << 20
MAX_BYTES = 100 * MEBI
# The memory of a reader that was told MAX_BYTES, and of the decoder it started.
MOST_HERE, MOST_THERE = 450 * MEBI, 650 * MEBI

READ = """
import gc, json, os, sys, threading, time
import pyarrow
import workbench as wb
from workbench.errors import CaptureFileError

wb.Events

def peak(process):
    # ru_maxrss counts what the process was before it became another program, too.
    try:
        with open(f"/proc/{process}/status") as status:
            return max([0, *(int(x.split()[1]) * 1024 for x in status if "HWM" in x)])
    except OSError:
        return 0

there = [0]

def begin():
    # The peak is that of each file, without what was freed but kept for later.
    there[0] = 0
    gc.collect()
    pyarrow.default_memory_pool().release_unused()
    with open("/proc/self/clear_refs", "w") as clear:
        clear.write("5")

def watch():
    while True:
        for name in os.listdir("/proc/self/task"):
            with open(f"/proc/self/task/{name}/children") as children:
                there[0] = max([there[0], *map(peak, children.read().split())])
        time.sleep(0.01)

threading.Thread(target=watch, daemon=True).start()
for line in sys.stdin:
    begin()
    said, rows = "", None
    try:
        rows = len(wb.open_events(line.rstrip(), max_bytes=int(sys.argv[1])))
    except CaptureFileError as error:
        said = str(error)
        rows = None if error.events is None else len(error.events)
        del error
    print(json.dumps([said, rows, peak(os.getpid()), there[0]]), flush=True)
"""


@pytest.fixture(scope="module")
def read():
    """Open a file in another process; return what was said, and the rows."""
    with subprocess.Popen(
        [sys.executable, "-c", READ, str(MAX_BYTES)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as reader:

        def reading(path):
            reader.stdin.write(f"{path}\n")
            reader.stdin.flush()
            said, rows, here, there = json.loads(reader.stdout.readline())
            assert MEBI < here < MOST_HERE
            assert MEBI < there < MOST_THERE
            return said, rows

        yield reading
        reader.stdin.close()
        assert reader.wait(60) == 0


def write_arrow(path, table, times=1, **options):
    settings = pa.ipc.IpcWriteOptions(**options)
    with pa.ipc.new_file(str(path), table.schema, options=settings) as writer:
        for _ in range(times):
            writer.write_table(table)


def write_parquet(path, table, times=1, **options):
    with pq.ParquetWriter(
        path, table.schema, compression="zstd", store_schema=False, **options
    ) as writer:
        for _ in range(times):
            writer.write_table(table)


def same_word(rows, size):
    """Return ``rows`` times the same text of ``size`` bytes, in little memory."""
    indices = pa.repeat(pa.scalar(0, pa.int32()), rows)
    return pa.DictionaryArray.from_arrays(indices, pa.array(["x" * size]))


def dictionary_of_parquet(path):
    write_parquet(path, pa.table({"a": same_word(100_000, MEBI)}))


def runs_of_parquet(path):
    write_parquet(path, pa.table({"a": pa.repeat(7, 1_000_000)}), 40)


def deltas_of_parquet(path):
    words = pa.array([f"{'x' * 100_000}{n}" for n in range(500)])
    write_parquet(
        path,
        pa.table({"a": words}),
        10,
        use_dictionary=False,
        column_encoding={"a": "DELTA_BYTE_ARRAY"},
    )


def lists_of_parquet(path):
    values = pa.repeat(pa.scalar(7, pa.int8()), 10_000_000)
    table = pa.table({"a": pa.ListArray.from_arrays([0, len(values)], values)})
    write_parquet(path, table, 4)


def nulls_of_parquet(path):
    write_parquet(path, pa.table({"a": pa.nulls(5_000_000, pa.string())}), 8)


def zeros_of_arrow(path):
    table = pa.table({"a": pa.repeat(0, 1_000_000)})
    write_arrow(path, table, 100, compression="zstd")


def one_batch_of_arrow(path):
    table = pa.table({"a": pa.repeat(0, 20_000_000)})
    write_arrow(path, table, compression="zstd")


def rows_of_arrow(path):
    # Of their own these rows take no memory, not even here.
    nulls = pa.Array.from_buffers(pa.null(), 2**33, [None])
    write_arrow(path, pa.table({"a": nulls}), allow_64bit=True)


def lists_of_arrow(path):
    many = pa.Array.from_buffers(pa.null(), 2**31 - 1, [None])
    write_arrow(path, pa.table({"a": pa.ListArray.from_arrays([0, len(many)], many)}))


def dictionary_of_arrow(path):
    write_arrow(path, pa.table({"a": same_word(100_000, MEBI)}), compression="zstd")


def dictionary_in_lists_of_arrow(path):
    words = same_word(100_000, MEBI)
    table = pa.table({"a": pa.ListArray.from_arrays([0, len(words)], words)})
    write_arrow(path, table, compression="zstd")


def runs_of_arrow(path):
    runs = pa.RunEndEncodedArray.from_arrays(pa.array([2**31 - 1]), pa.array(["x"]))
    write_arrow(path, pa.table({"a": runs}))


def views_of_arrow(path):
    word = b"x" * MEBI
    view = struct.pack("<i4sii", len(word), word[:4], 0, 0)
    buffers = [None, pa.py_buffer(view * 100_000), pa.py_buffer(word)]
    words = pa.Array.from_buffers(pa.string_view(), 100_000, buffers)
    write_arrow(path, pa.table({"a": words}), compression="zstd")


def lying_size_of_arrow(path):
    write_arrow(path, pa.table({"a": pa.repeat(0, 100_000)}), compression="zstd")
    size = struct.pack("<q", 800_000)
    data = path.read_bytes()
    assert size in data
    path.write_bytes(data.replace(size, struct.pack("<q", 1 << 42), 1))


BOMBS = {
    "parquet": (
        dictionary_of_parquet,
        runs_of_parquet,
        deltas_of_parquet,
        lists_of_parquet,
        nulls_of_parquet,
    ),
    "arrow": (
        zeros_of_arrow,
        one_batch_of_arrow,
        rows_of_arrow,
        lists_of_arrow,
        dictionary_of_arrow,
        dictionary_in_lists_of_arrow,
        runs_of_arrow,
        views_of_arrow,
        lying_size_of_arrow,
    ),
}


@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    ("suffix", "make"),
    [
        pytest.param(suffix, make, id=make.__name__)
        for suffix, makers in BOMBS.items()
        for make in makers
    ],
)
def test_a_bomb_is_one_error_within_the_memory_allowed(tmp_path, read, suffix, make):
    path = tmp_path / f"bomb.{suffix}"
    make(path)
    assert path.stat().st_size < MEBI
    said, rows = read(path)
    assert str(path) in said
    assert "max_bytes" in said or "not a valid" in said
    assert len(said) < 1000
    if make in {runs_of_parquet, nulls_of_parquet, zeros_of_arrow}:
        # What came before the limit is kept.
        assert rows > 1_000_000


@pytest.mark.timeout(120)
@pytest.mark.parametrize("suffix", BOMBS)
def test_a_long_file_is_read_in_pieces_of_bounded_size(tmp_path, suffix):
    path = tmp_path / f"long.{suffix}"
    table = pa.table({"a": pa.repeat(7, 1_000_000)})
    if suffix == "arrow":
        write_arrow(path, table, 30, compression="zstd")
    else:
        write_parquet(path, table, 30)
    pieces = (iter_arrow if suffix == "arrow" else iter_parquet)(
        path, max_bytes=MEBI, batch_rows=10_000
    )
    sizes = [batch.num_rows for batch in pieces]
    assert (sum(sizes), max(sizes)) == (30_000_000, 10_000)


@pytest.mark.timeout(120)
def test_pieces_of_a_bomb_are_bounded(tmp_path):
    path = tmp_path / "bomb.parquet"
    dictionary_of_parquet(path)
    with pytest.raises(CaptureFileError, match="max_bytes"):
        list(iter_parquet(path, max_bytes=MEBI))


@pytest.mark.timeout(120)
def test_many_row_groups_are_read(tmp_path):
    path = tmp_path / "many.parquet"
    write_parquet(path, pa.table({"a": [7]}), 3000)
    assert len(read_parquet(path).table) == 3000


@pytest.mark.parametrize("suffix", BOMBS)
def test_huge_metadata_is_one_error(tmp_path, suffix):
    path = tmp_path / f"told.{suffix}"
    table = pa.table({"a": [1]}).replace_schema_metadata(
        {"workbench": "[" * 40_000_000}
    )
    (write_arrow if suffix == "arrow" else pq.write_table)(
        *((path, table) if suffix == "arrow" else (table, path))
    )
    with pytest.raises(CaptureFileError, match="its metadata takes more than"):
        wb.open_events(path)


@pytest.mark.parametrize("suffix", BOMBS)
def test_too_many_columns_are_one_error(tmp_path, suffix):
    path = tmp_path / f"wide.{suffix}"
    table = pa.table({f"c{n}": [1] for n in range(10_001)})
    if suffix == "arrow":
        write_arrow(path, table)
    else:
        write_parquet(path, table)
    with pytest.raises(CaptureFileError, match="it has 10,001 columns"):
        wb.open_events(path)


def test_facts_are_read_however_many_rows_there_are(tmp_path):
    path = tmp_path / "bomb.parquet"
    dictionary_of_parquet(path)
    assert read_parquet_facts(path).table.column_names == ["a"]


def running():
    """Return the processes that this one started, ended ones not waited for too."""
    tasks = Path("/proc/self/task").glob("*/children")
    return {number for task in tasks for number in task.read_text().split()}


@pytest.mark.parametrize("suffix", BOMBS)
def test_an_interrupt_leaves_no_decoder(tmp_path, suffix):
    """Pieces that nobody reads on end the process that decodes them."""
    path = tmp_path / f"long.{suffix}"
    table = pa.table({"a": pa.repeat(7, 1_000_000)})
    if suffix == "arrow":
        write_arrow(path, table, 10)
    else:
        write_parquet(path, table, 10)
    before, children = sorted(Path("/proc/self/fd").iterdir()), running()
    pieces = (iter_arrow if suffix == "arrow" else iter_parquet)(path)
    next(pieces)
    assert len(running()) == len(children) + 1
    pieces.close()
    assert sorted(Path("/proc/self/fd").iterdir()) == before
    assert running() == children
