"""Rows come soon, interrupts at once, nothing is left behind."""

from __future__ import annotations

import _thread
import gc
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tests.support.waiting import wait_until
from workbench.errors import PluginHung
from workbench.session.interrupts import undisturbed
from workbench.session.types import CaptureOptions
from workbench.session.worker_session import WorkerSession

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def probe(worker, plugin):
    index, manifest = worker.load(str(plugin("probe")))
    worker.init(index, "")
    return index, manifest


def test_a_slow_source_is_shown_while_it_waits(worker, probe):
    # One event, then a second of silence in the same next_batch.
    worker.open(probe[0], "n=100;batch=1;block=300", [], CaptureOptions())
    first = worker.read()
    assert first.batch["evt.num"].to_pylist() == [1]
    worker.close_capture()


@pytest.mark.timing
def test_a_row_does_not_wait_for_the_next_batch(worker, probe):
    worker.open(probe[0], "n=100;batch=1;block=300", [], CaptureOptions())
    start = time.perf_counter()
    worker.read()
    # The first batch takes 300 ms, the second as much.
    assert time.perf_counter() - start < 0.5
    worker.close_capture()


def test_read_gives_up_at_its_timeout(worker, probe):
    worker.open(probe[0], "n=10;block=3000", [], CaptureOptions())
    start = time.perf_counter()
    assert worker.read(0.1) is None
    assert 0.1 <= time.perf_counter() - start < 2


def test_ctrl_c_in_read_leaves_the_session_usable(worker, probe):
    worker.open(probe[0], "n=1000;batch=10;block=60", [], CaptureOptions())
    rows = worker.read().batch.num_rows
    threading.Timer(0.1, _thread.interrupt_main).start()
    with pytest.raises(KeyboardInterrupt):  # noqa: PT012 - strikes anywhere in the loop
        while True:
            rows += worker.read().batch.num_rows
    worker.stop()
    while (chunk := worker.read()).end is None:
        rows += chunk.batch.num_rows
    assert chunk.end == "cancelled"
    assert rows >= 10
    worker.close_capture()
    worker.open(probe[0], "n=5", [], CaptureOptions())
    assert worker.read().batch.num_rows == 5
    worker.close_capture()


def until_it_returns(function):
    """Call again after every interrupt, wherever it strikes."""
    while True:
        try:
            try:
                return function()
            except KeyboardInterrupt:
                continue
        except KeyboardInterrupt:
            continue


# An interrupt that strikes inside a finaliser is swallowed by Python, loudly.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_many_interrupts_lose_no_row(worker, probe):
    worker.open(probe[0], "n=300000", [], CaptureOptions(chunk_rows=256))
    numbers: list[int] = []
    ends: list[str] = []
    strikes: list[int] = []
    done = threading.Event()

    def pester():
        while not done.wait(0.003):
            strikes.append(1)
            signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

    def read_on():
        while not ends:
            # What a collector does: keep the chunk before anything can happen.
            with undisturbed():
                chunk = worker.read(0.01)
                if chunk is not None and chunk.end:
                    ends.append(chunk.end)
                elif chunk is not None:
                    numbers.extend(chunk.batch["evt.num"].to_pylist())

    thread = threading.Thread(target=pester)
    thread.start()
    until_it_returns(read_on)
    until_it_returns(done.set)
    until_it_returns(thread.join)
    # The last interrupt may still be on its way; nothing tells that it is not.
    until_it_returns(lambda: time.sleep(0.01))
    assert ends == ["eof"]
    assert numbers == list(range(1, 300001))
    assert len(strikes) > 10


def test_a_source_that_does_not_come_back_is_left_behind(worker, probe):
    worker.open(probe[0], "n=1000;batch=10;block=2000", [], CaptureOptions())
    start = time.perf_counter()
    worker.stop()
    chunk = worker.read()
    assert chunk.end == "cancelled"
    worker.close_capture()
    assert time.perf_counter() - start < 1.5
    # The next call waits until the source is back, then goes on with the same worker.
    pid = worker.pid
    worker.open(probe[0], "n=5", [], CaptureOptions())
    assert worker.read().batch.num_rows == 5
    assert worker.pid == pid


def test_a_source_that_never_comes_back_ends_its_worker(worker, probe):
    worker.open(probe[0], "n=10;fault=hang@next:0", [], CaptureOptions())
    assert worker.read(0.1) is None
    worker.stop()
    assert worker.read().end == "cancelled"
    worker.close_capture()
    with pytest.raises(PluginHung, match="hangs in plugin_next_batch"):
        worker.metrics(probe[0])


def test_closing_does_not_wait_for_a_sleeping_source(worker, probe):
    worker.open(probe[0], "n=10;fault=hang@next:0", [], CaptureOptions())
    start = time.perf_counter()
    worker.close()
    assert time.perf_counter() - start < 10


def test_a_slow_reader_bounds_what_is_in_flight(worker, probe, columns):
    _, manifest = probe
    options = CaptureOptions(window_bytes=4 << 20)
    worker.open(probe[0], "n=2000000", columns(manifest), options)
    worker.read()
    # A slow reader: the worker has the time to fill all that it may.
    time.sleep(1.0)
    held = shared_bytes(worker.pid)
    assert held < 40 << 20
    worker.close_capture()


def shared_bytes(pid: int) -> int:
    """Memory of memfds that a process holds open."""
    total = 0
    for connection in Path(f"/proc/{pid}/fd").iterdir():
        try:
            if "memfd:" in str(connection.readlink()):
                total += connection.stat().st_blocks * 512
        except OSError:
            continue
    return total


def test_iterating_needs_little_memory(plugin, columns):
    session = WorkerSession()
    index, manifest = session.load(str(plugin("light")))
    session.init(index, "")
    wanted = columns(manifest)
    resident = []
    session.open(index, "1000000", wanted, CaptureOptions())
    while (chunk := session.read()).end is None:
        del chunk
        resident.append(rss_bytes())
    session.close()
    assert max(resident) - resident[0] < 50 << 20


def rss_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()


def test_many_sessions_leave_nothing_behind(plugin, columns):
    path = str(plugin("probe"))

    def cycle():
        session = WorkerSession()
        index, manifest = session.load(path)
        session.init(index, "")
        session.open(index, "n=300", columns(manifest), CaptureOptions())
        while session.read().end is None:
            pass
        session.close()

    cycle()
    gc.collect()
    before = open_files(), threading.active_count()
    others = children()
    for _ in range(15):
        cycle()
    gc.collect()
    assert (open_files(), threading.active_count()) == before
    assert children() == others


def open_files(pid: int | str = "self") -> list[str]:
    return sorted(connection.name for connection in Path(f"/proc/{pid}/fd").iterdir())


def children() -> list[str]:
    text = Path(f"/proc/self/task/{os.getpid()}/children").read_text()
    return text.split()


def test_many_captures_in_one_session_leave_nothing_behind(worker, probe, columns):
    _, manifest = probe
    counts = []
    for _ in range(30):
        worker.open(probe[0], "n=300", columns(manifest), CaptureOptions())
        while worker.read().end is None:
            pass
        worker.close_capture()
        ours = len(open_files())
        theirs = len(open_files(worker.pid))
        counts.append((ours, theirs))
    assert counts[-1] == counts[5]
    objects = [worker._connection.call("live_objects")[0] for _ in range(2)]
    assert objects[0] == objects[1]


@pytest.mark.usefixtures("probe")
def test_the_worker_is_bare_and_small(worker):
    maps = Path(f"/proc/{worker.pid}/maps").read_text()
    assert "numpy" not in maps
    assert "pyarrow" not in maps
    rollup = Path(f"/proc/{worker.pid}/smaps_rollup").read_text()
    fields = dict(line.split(":") for line in rollup.splitlines()[1:])
    private = sum(int(fields[k].split()[0]) for k in ("Private_Clean", "Private_Dirty"))
    assert private < 10 * 1024


def test_the_worker_goes_when_its_parent_is_killed(plugin):
    code = (
        "import sys, time; from workbench.session.worker_session import WorkerSession;"
        "from workbench.session.types import CaptureOptions;"
        "s = WorkerSession(); i, _ = s.load(sys.argv[1]); s.init(i, '');"
        "s.open(i, 'n=10;fault=hang@next:0', [], CaptureOptions());"
        "print(s.pid, flush=True); time.sleep(60)"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", code, str(plugin("probe"))],
        stdout=subprocess.PIPE,
        cwd=ROOT,
    )
    pid = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    parent.stdout.close()
    wait_until(lambda: not alive(pid), 20, "the worker ends")


def alive(pid: int) -> bool:
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return text.rpartition(")")[2].split()[0] != "Z"
