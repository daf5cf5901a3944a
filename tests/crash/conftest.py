from __future__ import annotations

import gc
import shutil
from collections import Counter
from pathlib import Path

import pytest

import workbench as wb


@pytest.fixture(scope="session")
def faulty(sample) -> Path:
    return sample("faulty")


@pytest.fixture
def with_fault(faulty, tmp_path):
    """Copy the library under a name that asks for a fault, constructor included."""

    def copy(spec: str) -> Path:
        return Path(shutil.copy(faulty, tmp_path / f"libfaulty--{spec}.so"))

    return copy


@pytest.fixture
def works(faulty):
    """Check that the notebook lives and that the next load does what it should."""

    def check() -> None:
        with wb.load(faulty) as plugin:
            assert len(plugin.capture("events=3", fields=["faulty.number"])) == 3

    return check


def _held() -> Counter:
    """What this process holds: descriptors by kind, memfds, children, threads."""
    held: Counter = Counter()
    for connection in Path("/proc/self/fd").iterdir():
        try:
            target = str(connection.readlink())
        except OSError:
            continue
        held["memfd" if "memfd:" in target else "descriptor"] += 1
    for task in Path("/proc/self/task").iterdir():
        held["thread"] += 1
        held["child"] += len((task / "children").read_text().split())
    maps = Path("/proc/self/maps").read_text().splitlines()
    held["mapped memfd"] = sum("/memfd:" in line for line in maps)
    return held


@pytest.fixture
def nothing_leaks(works):
    """Compare what the process holds before and after the test."""
    works()
    gc.collect()
    before = _held()
    yield
    gc.collect()
    after = _held()
    assert not {kind: n for kind, n in after.items() if n > before[kind]}
