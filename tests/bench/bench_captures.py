"""Capture files, replay, and what a plugin that parses costs."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import numpy as np
import pyarrow as pa

from workbench.captures.parquet import write_parquet
from workbench.captures.scap import ScapReader, ScapWriter
from workbench.fields.declarations import FieldInfo
from workbench.replay.compare import compare_events

HERE = Path(__file__).resolve().parent
SAMPLES = HERE.parents[1] / "sample_plugins"
LOG = SAMPLES / "weblog" / "data" / "access.log"
# The shipped log so many times over: with few lines, starting counts more than running.
COPIES = 20

PUMP = """
import sys, time
import workbench as wb

def pump(log):
    with wb.Workbench(isolation="none") as bench:
        bench.load(sys.argv[1])
        fields = list(bench.load(sys.argv[2]).fields)
        start = time.process_time_ns()
        with bench.open(log, fields=fields) as capture:
            kept = list(capture.record_batches())
        return time.process_time_ns() - start, sum(b.num_rows for b in kept)

pump(sys.argv[4])  # brings in what is loaded at first use
print(*pump(sys.argv[3]))
"""


def _row(name, value, target, *, higher, unit, note=""):
    ok = value >= target if higher else value <= target
    bound = f"{'≥' if higher else '≤'} {target:g}"
    return {
        "name": name, "value": value, "target": bound, "ok": ok, "unit": unit,
        "note": note,
    }  # fmt: skip


def _events(rows: int) -> pa.Table:
    """Plugin events with payloads of 180 to 220 bytes and eight fields."""
    sizes = 180 + np.arange(rows) % 41
    offsets = np.zeros(rows + 1, np.int64)
    np.cumsum(38 + sizes, out=offsets[1:])
    data = np.full(offsets[-1], 0x61, np.uint8)
    for size in range(180, 221):
        head = struct.pack("<QQIHI", 1, 2**64 - 1, 38 + size, 322, 2)
        head += struct.pack("<III", 4, size, 999)
        at = offsets[:-1][sizes == size]
        data[at[:, None] + np.arange(38)] = np.frombuffer(head, np.uint8)
    buffers = [None, pa.py_buffer(offsets.astype(np.int32)), pa.py_buffer(data)]
    raw = pa.Array.from_buffers(pa.binary(), rows, buffers)
    number = np.arange(1, rows + 1, dtype=np.uint64)
    user = pa.array([b"user-%d" % n for n in range(40)])
    verb = pa.array([b"verb-%d" % n for n in range(400)])
    pick = np.arange(rows)
    path = pa.array([b"/some/path/of/file/%d" % n for n in range(rows)])
    address = np.arange(rows, dtype=">u4").tobytes()
    ends = np.arange(0, 4 * rows + 1, 4, dtype=np.int32)
    tags = pa.ListArray.from_arrays(
        np.arange(0, 2 * rows + 1, 2, dtype=np.int32), user.take(pa.array(
            np.arange(2 * rows) % 40)),
    )  # fmt: skip
    return pa.table(
        {
            "evt.num": number,
            "evt.rawtime": number + np.uint64(1_700_000_000_000_000_000),
            "evt.source": pa.DictionaryArray.from_arrays(
                np.zeros(rows, np.int32), pa.array(["light"])
            ),
            "light.id": number,
            "light.size": number * np.uint64(7),
            "light.user": pa.DictionaryArray.from_arrays(
                pa.array((pick % 40).astype(np.int32)), user
            ),
            "light.verb": pa.DictionaryArray.from_arrays(
                pa.array((pick % 400).astype(np.int32)), verb
            ),
            "light.path": path,
            "light.ip": pa.Array.from_buffers(
                pa.binary(), rows, [None, pa.py_buffer(ends), pa.py_buffer(address)]
            ),
            "light.tags": tags,
            "light.flag": pa.array(pick % 3 == 0),
            "raw": raw,
        }
    )


FIELDS = [
    FieldInfo("light.id", "uint64"), FieldInfo("light.size", "uint64"),
    FieldInfo("light.user", "string"), FieldInfo("light.verb", "string"),
    FieldInfo("light.path", "string"), FieldInfo("light.ip", "ipaddr"),
    FieldInfo("light.tags", "string", is_list=True), FieldInfo("light.flag", "bool"),
]  # fmt: skip


def _timed(work):
    start = time.process_time()
    work()
    return time.process_time() - start


def _scap(table: pa.Table, folder: Path, rounds: int) -> list[dict]:
    path = folder / "bench.scap"
    size = table["raw"].nbytes / 1e6

    def write():
        with ScapWriter(path) as writer:
            for batch in table.to_batches(max_chunksize=32768):
                writer.write(batch)

    def read():
        with ScapReader(path, sources={999: "light"}) as reader:
            for _ in reader:
                pass

    writing, reading = [], []
    for _ in range(rounds):
        writing.append(size / _timed(write))
        reading.append(size / _timed(read))
    note = f"{len(table):,} events of about 240 bytes"
    return [
        _row(".scap write, per core", median(writing), 300, higher=True, unit="MB/s",
             note=note),
        _row(".scap read, per core", median(reading), 300, higher=True, unit="MB/s",
             note=note),
    ]  # fmt: skip


def _parquet(table: pa.Table, folder: Path, rounds: int) -> dict:
    path = folder / "bench.parquet"
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        write_parquet(path, table, fields=FIELDS, source="light", plugin="light")
        times.append((time.perf_counter() - start) * 1e6 / len(table))
    return _row("Parquet write of 1M events", median(times), 3, higher=False, unit="s")


def _replay(table: pa.Table, rounds: int) -> dict:
    other = table.set_column(
        table.column_names.index("light.verb"),
        "light.verb",
        table["light.verb"].cast(pa.binary()),
    )
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        report = compare_events(table, other)
        times.append((time.perf_counter() - start) * 1e6 / len(table))
        assert report.same, str(report)
    return _row("replay check of 1M events", median(times), 5, higher=False, unit="s")


def _stateful(folder: Path, rounds: int) -> dict:
    log = folder / "long.log"
    with log.open("wb") as out:
        for _ in range(COPIES):
            out.write(LOG.read_bytes())
    for name in ("weblog", "sessions"):
        make = ["make", "-s", "-C", str(SAMPLES / name)]
        subprocess.run(make, check=True, stdout=subprocess.DEVNULL)
    source = str(SAMPLES / "weblog" / "libweblog.so")
    parser = str(SAMPLES / "sessions" / "libsessions.so")
    bare = folder / "stateful_loop"
    compiler = os.environ.get("CC") or shutil.which("cc") or "gcc"
    build = [compiler, "-O2", "-w", str(HERE / "stateful_loop.c"), "-o", str(bare)]
    subprocess.run([*build, "-ldl"], check=True)

    def measure(*command):
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        spent, events = map(int, done.stdout.split())
        return spent / events

    ratios, alone = [], []
    for turn in range(rounds):
        loops = [(str(bare), source, parser, str(log), "weblog"),
                 (sys.executable, "-c", PUMP, source, parser, str(log), str(LOG))]  # fmt: skip
        order = (0, 1) if turn % 2 else (1, 0)
        cost = {which: measure(*loops[which]) for which in order}
        ratios.append(cost[0] / cost[1])
        alone.append(cost[0])
    return _row(
        "parse + extract through sessions, of a bare C loop", median(ratios), 0.7,
        higher=True, unit="×", note=f"the loop alone: {median(alone):.0f} ns per event",
    )  # fmt: skip


def run(quick: bool) -> list[dict]:
    """Measure; quick: fewer rows and rounds."""
    rows, rounds = (200_000, 1) if quick else (1_000_000, 3)
    table = _events(rows)
    base = "/dev/shm" if Path("/dev/shm").is_dir() else None
    with tempfile.TemporaryDirectory(dir=base) as name:
        folder = Path(name)
        return [
            *_scap(table, folder, rounds),
            _parquet(table, folder, rounds),
            _replay(table, rounds),
            _stateful(folder, max(2, rounds)),
        ]
