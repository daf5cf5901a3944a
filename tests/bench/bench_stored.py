"""Stored files: opening them, rules over a Parquet file by need, memory at the peak.

Times are of the processor, so that a busy machine changes them little.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import pyarrow.parquet as pq

from tests.bench.bench_captures import FIELDS, _events
from workbench.captures.parquet import ParquetWriter, write_parquet
from workbench.events.opening import open_events
from workbench.rules import parse_rules

RULE = """\
- rule: Rule {i}
  desc: nothing matches
  condition: >
    light.verb startswith "verb-{i}x" and light.user = user-{j}
    or light.size = {i} and light.path contains "/none/{i}"
  output: "%evt.num %light.path %light.ip"
  priority: WARNING
  source: light
"""
# What a reader of its own process takes at most, MB.
PEAK = """
import json, sys, time
import workbench as wb
from workbench.rules import parse_rules

def peak():
    with open("/proc/self/status") as status:
        return next(int(x.split()[1]) for x in status if x.startswith("VmHWM"))

rules = parse_rules(open(sys.argv[2]).read())
wb.Events
wb.open_events(sys.argv[3])
import pyarrow.parquet, numpy
before = peak()
start = time.process_time()
events = wb.open_events(sys.argv[1])
count = len(events)
opened = time.process_time() - start
found = len(rules.run(events))
print(json.dumps([count, opened, found, (peak() - before) / 1024]))
"""


def _row(name, value, target, unit, note=""):
    return {
        "name": name, "value": value, "target": f"≤ {target:g}", "unit": unit,
        "ok": value <= target, "note": note,
    }  # fmt: skip


def _rules(count):
    return "".join(RULE.format(i=i, j=i % 40) for i in range(count))


def _cpu(work):
    start = time.process_time()
    work()
    return time.process_time() - start


def _by_need(path: Path, rows: int, rounds: int) -> list[dict]:
    found = []
    for count in (1, 100):
        rules = parse_rules(_rules(count))
        columns = list(rules.engines(open_events(path))["light"].conditions.columns)
        ours, bare = [], []

        def run(rules=rules):
            assert len(rules.run(open_events(path))) == 0

        def read(columns=columns):
            pq.read_table(path, columns=columns)

        run()
        for _ in range(rounds):
            bare.append(_cpu(read))
            ours.append(_cpu(run))
        each = 1e9 / rows
        note = (
            f"{len(columns)} columns; reading them {median(bare) * each:.0f} ns per "
            f"event, rules {median(ours) * each:.0f}"
        )
        name = f"Parquet, {count} rule{'s' if count > 1 else ''}, of pyarrow reading"
        if count == 1:
            ratio = median(ours) / median(bare)
            found.append(_row(name, ratio, 1.5, "×", note))
        else:
            more = (median(ours) - 1.5 * median(bare)) * each
            found.append(_row(f"{name} × 1.5 + …", more, 70, "ns", note))
    return found


def _opening(folder: Path, rounds: int) -> list[dict]:
    small, arrow = folder / "small.parquet", folder / "large.arrow"
    table = _events(50)
    write_parquet(small, table, fields=FIELDS, source="light")
    open_events(small)
    first = min(_cpu(lambda: open_events(small)) for _ in range(rounds))
    events = open_events(folder / "bench.parquet")
    events[:150_000].save(arrow)
    second = min(_cpu(lambda: open_events(arrow).table) for _ in range(rounds))
    size = arrow.stat().st_size / 1e6
    return [
        _row("open a Parquet file of 50 events", first * 1e3, 10, "ms"),
        _row(f"load an Arrow file of {size:.0f} MB", second * 1e3, 60, "ms"),
    ]


def _memory(folder: Path, table, copies: int) -> list[dict]:
    """Run rules over a file of many row groups in a process of its own."""
    path, rules = folder / "long.parquet", folder / "rules.yaml"
    with ParquetWriter(path, fields=FIELDS, source="light") as writer:
        for _ in range(copies):
            writer.write(table)
            writer.flush()
    rules.write_text(_rules(100))
    done = subprocess.run(
        [sys.executable, "-c", PEAK, str(path), str(rules),
         str(folder / "small.parquet")],
        check=True, capture_output=True, text=True, env=dict(os.environ),
    )  # fmt: skip
    count, opened, found, peak = json.loads(done.stdout)
    assert (count, found) == (len(table) * copies, 0)
    held = table.nbytes * copies / 1e6
    note = f"{count:,} events, {held:.0f} MB in memory, {copies} row groups"
    path.unlink()
    return [
        _row("open a long file and count its rows", opened * 1e3, 200, "ms", note),
        _row("memory of 100 rules over it", peak, 300, "MB", note),
    ]


def run(quick: bool) -> list[dict]:
    """Measure; quick: fewer rows and rounds."""
    rows, rounds = (200_000, 3) if quick else (1_000_000, 5)
    table = _events(rows)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = folder / "bench.parquet"
        write_parquet(
            path, table, fields=FIELDS, source="light", plugin="light",
            # As Events.save writes it.
            extra={"start_ns": 1_700_000_000_000_000_000},
        )  # fmt: skip
        return [
            *_opening(folder, rounds),
            *_by_need(path, rows, rounds),
            *_memory(folder, table.slice(0, 131_072), 10 if quick else 40),
        ]
