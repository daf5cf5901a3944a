"""Archives: rules over Parquet against memory, overhead per file, listing, workers."""

from __future__ import annotations

import os
import resource
import shutil
import tempfile
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

import workbench as wb
from tests.bench.bench_rules import FIELDS, events_table, rules_text
from workbench.archives.convert import convert
from workbench.rules import parse_rules


def _row(name, value, target, ok, unit="", note=""):
    return {
        "name": name,
        "value": value,
        "target": target,
        "ok": ok,
        "unit": unit,
        "note": note,
    }


def _cpu(call):
    start = time.process_time()
    call()
    return time.process_time() - start


def _events(rows):
    return wb.events_from_table(events_table(rows), fields=FIELDS, source="bench")


def _rules(folder, rows, rounds):
    """CPU per event of 100 rules: files of a million events against memory."""
    rules = parse_rules(rules_text(100))
    events = _events(min(rows, 1_000_000))
    for number in range(rounds):
        events.save(folder / f"{number:03}.parquet")
    found = wb.archive(folder)
    rules.run(events).counts  # noqa: B018 - compiled and warm
    memory = min(_cpu(lambda: rules.run(events).counts) for _ in range(3))
    files = _cpu(lambda: rules.run(found)) / rounds
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    note = f"{files / len(events) * 1e9:.0f} ns of CPU per event"
    ratio = files / memory
    yield _row("100 rules over Parquet / in memory", ratio, 3, ratio <= 3, "x", note)
    yield _row("peak of this process", peak, "–", None, "MB", "with the events in it")
    start = time.perf_counter()
    spent = _cpu(lambda: found.count("bench.status >= 400"))
    wall = time.perf_counter() - start
    rate = len(found) / wall
    note = f"{spent / len(found) * 1e9:.0f} ns of CPU per event"
    yield _row("one condition over Parquet", rate / 1e6, "–", None, "M events/s", note)


def _read_share(folder):
    """Bytes that one condition reads, of all: only those of its columns."""
    path = next(folder.glob("*.parquet"))
    told = pq.read_metadata(path)
    sizes = {}
    for group in range(told.num_row_groups):
        for at in range(told.num_columns):
            column = told.row_group(group).column(at)
            name = column.path_in_schema.split(".list")[0]
            sizes[name] = sizes.get(name, 0) + column.total_compressed_size
    wanted = {"evt.num", "evt.rawtime", "bench.status"}
    needed = sum(size for name, size in sizes.items() if name in wanted)
    found = wb.archive(path)
    start = _read_bytes()
    found.count("bench.status >= 400")
    read = _read_bytes() - start
    ratio = read / needed
    note = f"of {path.stat().st_size:,} bytes {read:,} are read"
    yield _row("bytes read / bytes of its columns", ratio, 1.1, ratio <= 1.1, "x", note)


def _read_bytes():
    for line in Path("/proc/self/io").read_text().splitlines():
        if line.startswith("rchar:"):
            return int(line.split()[1])
    return 0


def _many(folder, count):
    one = _events(10).save(folder / "one.parquet")
    for number in range(count):
        shutil.copy(one, folder / f"{number:05}.parquet")
    one.unlink()
    start = time.perf_counter()
    found = wb.archive(folder)
    fresh = time.perf_counter() - start
    start = time.perf_counter()
    wb.archive(folder)
    kept = (time.perf_counter() - start) * 10_000 / count
    note = f"footers: {fresh / count * 1e3:.2f} ms per file"
    yield _row("listing 10,000 files from the index", kept, 1, kept <= 1, "s", note)
    start = time.perf_counter()
    found.count("bench.status >= 400")
    spent = (time.perf_counter() - start) / count * 1e3
    yield _row("overhead per file", spent, 3, spent <= 3, "ms", f"{count:,} files")


def _workers(folder):
    """Two Dask workers against one, wall time, over the same files."""
    from distributed import Client, LocalCluster

    rules = parse_rules(rules_text(100))
    spent = {}
    for workers in (1, 2):
        with (
            LocalCluster(
                n_workers=workers,
                threads_per_worker=1,
                dashboard_address=None,
                silence_logs=50,
            ) as local,
            Client(local) as client,
        ):
            found = wb.archive(folder, client=client)
            rules.run(found)
            start = time.perf_counter()
            rules.run(found)
            spent[workers] = time.perf_counter() - start
    ratio = spent[1] / spent[2]
    load = os.getloadavg()[0]
    note = f"{os.cpu_count()} cores, load {load:.1f}"
    yield _row("two workers / one", ratio, 1.8, ratio >= 1.8, "x", note)


def _convert(folder, rows):
    from tests.support.compiled import compiled

    source = Path(__file__).parents[1] / "support" / "plugins" / "light.c"
    flags = ("-O2", "-fPIC", "-shared")
    library = compiled("liblight.so", *flags, source, libraries=("-lpthread",))
    with wb.load(library) as light:
        events = light.capture(str(rows), fields=[], max_events=rows)
        events.save(folder / "light.scap")
        found = wb.archive(folder, plugins=light)
        start = time.perf_counter()
        done = convert(found, folder / "out")
        rate = done.rows / (time.perf_counter() - start)
    note = f"{done.rows:,} events, {(folder / 'light.scap').stat().st_size:,} bytes"
    ok = rate >= 500_000
    yield _row("convert .scap to Parquet", rate, 500_000, ok, "events/s", note)


def run(quick=False):
    """Measure in a folder of its own."""
    rows = []
    kept = os.environ.get("XDG_CACHE_HOME")
    with tempfile.TemporaryDirectory() as name:
        os.environ["XDG_CACHE_HOME"] = f"{name}/cache"
        try:
            for part in ("rules", "many", "scap"):
                (Path(name) / part).mkdir()
            folder = Path(name) / "rules"
            rows += _rules(folder, 1_000_000, 2 if quick else 50)
            rows += _read_share(folder)
            rows += _workers(folder)
            rows += _many(Path(name) / "many", 200 if quick else 1000)
            rows += _convert(Path(name) / "scap", 200_000 if quick else 1_000_000)
        finally:
            if kept is None:
                del os.environ["XDG_CACHE_HOME"]
            else:
                os.environ["XDG_CACHE_HOME"] = kept
    pa.default_memory_pool().release_unused()
    return rows


if __name__ == "__main__":
    run(quick=True)
