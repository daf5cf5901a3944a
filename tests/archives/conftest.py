from __future__ import annotations

from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest

import workbench as wb
from workbench.fields.declarations import FieldInfo, FieldTable

FIELDS = FieldTable(
    [
        FieldInfo("web.path", "string"),
        FieldInfo("web.status", "uint64"),
        FieldInfo("web.client", "ipaddr"),
        FieldInfo("web.tags", "string", is_list=True),
    ]
)
START = 1_700_000_000 * 10**9

RULES = """
- list: bad_status
  items: [404, 500]
- macro: climbs
  condition: web.path contains ".."
- rule: climbing
  desc: d
  condition: climbs and web.status in (bad_status)
  output: climbing at %evt.time (path=%web.path status=%web.status client=%web.client)
  priority: WARNING
  source: web
- rule: failing
  desc: d
  condition: web.status >= 400
  output: failing (num=%evt.num path=%web.path tags=%web.tags)
  priority: NOTICE
  source: web
- rule: untagged
  desc: d
  condition: not web.tags exists
  output: untagged %evt.reltime
  priority: INFO
  source: web
"""
CONDITIONS = [
    'web.path contains ".." and web.status >= 400',
    "web.status in (404, 500) or not web.path exists",
    'web.tags in ("a", "b") and not web.status = 200',
    "evt.num > 50 and web.client = 10.0.0.1",
    'web.path glob "/a*" or web.tags intersects ("c")',
]


def make_events(rows: int, seed: int = 1, source: str = "web") -> wb.Events:
    """Give events of one source, some values absent."""
    rng = np.random.default_rng(seed)
    paths = [b"/a", b"/../etc", b"/b", None, b"/abc", b"\xff.."]
    tags = [[b"a"], [b"b", b"c"], [], None]
    hosts = [bytes([10, 0, 0, n]) for n in range(4)]
    status = rng.choice([200, 404, 500, 0], rows)
    times = START + np.cumsum(rng.integers(0, 3, rows)) * 10**9
    table = pa.table(
        {
            "evt.num": pa.array(np.arange(1, rows + 1), pa.uint64()),
            "evt.rawtime": pa.array(times.astype(np.uint64)),
            "web.path": pa.array(
                [paths[n] for n in rng.integers(0, len(paths), rows)], pa.binary()
            ),
            "web.status": pa.array(
                status.astype(np.uint64), pa.uint64(), mask=status == 0
            ),
            "web.client": pa.array(
                [hosts[n] for n in rng.integers(0, 4, rows)], pa.binary()
            ),
            "web.tags": pa.array(
                [tags[n] for n in rng.integers(0, 4, rows)], pa.list_(pa.binary())
            ),
        }
    )
    return wb.events_from_table(table, fields=FIELDS, source=source)


def save_cut(events: wb.Events, cuts: list[int], folder) -> list:
    """Save consecutive pieces of events as files."""
    folder.mkdir(parents=True, exist_ok=True)
    edges = [0, *sorted(cuts), len(events)]
    pairs = pairwise(edges)
    return [
        events[a:b].save(folder / f"part-{n:03}.parquet")
        for n, (a, b) in enumerate(pairs)
    ]


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def events() -> wb.Events:
    return make_events(300)


@pytest.fixture
def folder(events, tmp_path):
    save_cut(events, [40, 100, 230], tmp_path / "files")
    return tmp_path / "files"
