"""A fork neither uses nor ends the worker of its parent."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import workbench as wb

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parents[2]

# Forking is what is tested here, beside the threads that read logs.
pytestmark = pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")


def forked(act: Callable[[], object]) -> str:
    """Run ``act`` in a fork; return what it gave or raised, as text."""
    read, write = os.pipe()
    child = os.fork()
    if not child:
        try:
            signal.alarm(20)
            os.close(read)
            try:
                told = repr(act())
            except BaseException as error:  # noqa: BLE001 - told
                told = f"{type(error).__name__}: {error}"
            os.write(write, told.encode()[:4000])
        finally:
            os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        told = pipe.read().decode()
    assert os.waitpid(child, 0)[1] == 0
    return told


def worker_of(loaded: wb.Plugin) -> int:
    return loaded.pool._sessions[0].session.pid


@pytest.fixture
def loaded(plugin):
    with wb.load(plugin("probe")) as one:
        yield one


@pytest.mark.parametrize(
    "use",
    [
        lambda p: p.capture("n=5"),
        lambda p: p.open("n=5"),
        lambda p: p.metrics,
        lambda p: p.set_config(None),
    ],
)
def test_a_fork_is_told_that_the_plugin_is_not_its_own(loaded, use):
    told = forked(lambda: use(loaded))
    assert told.startswith("WorkbenchError: this plugin belongs to the process that")
    assert "load it again here with wb.load()" in told
    assert len(loaded.capture("n=5")) == 5


def test_stored_events_are_not_extracted_in_a_fork(loaded):
    events = loaded.capture("n=5", fields=[])
    told = forked(lambda: events.extract("probe.num").table)
    assert "of which this one is a fork" in told
    assert events.extract("probe.num").table.num_rows == 5


def end(one: wb.Plugin) -> str:
    one.close()
    one.close()
    return "closed"


def test_closing_in_a_fork_leaves_the_worker_alone(loaded):
    worker = worker_of(loaded)
    assert forked(lambda: end(loaded)) == "'closed'"
    assert worker_of(loaded) == worker
    assert len(loaded.capture("n=5")) == 5
    assert worker_of(loaded) == worker


def test_an_open_capture_goes_on_beside_a_fork(loaded):
    worker = worker_of(loaded)
    with loaded.open("n=100000;batch=10", fields=["probe.num"]) as capture:
        rows = capture.read().num_rows
        for act in (capture.read, capture.stop, capture.drain, capture.close):
            forked(act)
        assert "fork" in forked(capture.read)
        while (batch := capture.read()) is not None:
            rows += batch.num_rows
        assert capture.end_reason == "eof"
    assert rows == 100000
    assert worker_of(loaded) == worker


def drop(holder: list[object]) -> str:
    holder.clear()
    gc.collect()
    return "dropped"


def test_the_garbage_of_a_fork_is_not_the_parents(loaded, plugin):
    holder = [wb.load(plugin("probe"))]
    holder.append(holder[0].open("n=100;batch=10"))
    worker = worker_of(holder[0])
    assert forked(lambda: drop(holder)) == "'dropped'"
    assert Path(f"/proc/{worker}").exists()
    assert holder[1].read().num_rows
    holder[1].close()
    holder[0].close()
    assert len(loaded.capture("n=5")) == 5


def test_a_fork_closes_its_copies(loaded):
    assert loaded.capture("n=5").source

    def copies() -> list[int]:
        def count() -> int:
            return len(os.listdir("/proc/self/fd"))  # noqa: PTH208

        before = count()
        loaded.close()
        return before - count()

    # Two sockets and a log, two pipes, a crash text, a pidfd, a pipe to wake the log.
    assert int(forked(copies)) >= 9


def test_a_fork_loads_a_plugin_of_its_own(loaded, plugin):
    def again() -> int:
        with wb.load(plugin("probe")) as own:
            return len(own.capture("n=7"))

    assert forked(again) == "7"
    assert len(loaded.capture("n=5")) == 5


def test_a_fork_finds_free_locks(loaded):
    pool = loaded.pool
    session = pool._sessions[0].session
    locks = [
        pool._lock,
        pool._sessions[0].lock,
        session._connection.logs._lock,
        session._connection.tracer._lock,
    ]
    ready, done = threading.Event(), threading.Event()

    def hold():
        for lock in locks:
            lock.acquire()
        ready.set()
        done.wait(30)
        for lock in locks:
            lock.release()

    thread = threading.Thread(target=hold)
    thread.start()
    ready.wait(10)
    try:
        assert (
            forked(lambda: (len(loaded.trace) > 0, end(loaded))) == "(True, 'closed')"
        )
    finally:
        done.set()
        thread.join()


def task(number: int) -> str:
    try:
        return str(len(_SHARED[0].capture(f"n={number}")))
    except wb.WorkbenchError as error:
        return str(error)


_SHARED: list[wb.Plugin] = []


def test_multiprocessing_by_fork(loaded):
    _SHARED.append(loaded)
    worker = worker_of(loaded)
    try:
        with multiprocessing.get_context("fork").Pool(2) as pool:
            told = pool.map(task, range(1, 5))
    finally:
        _SHARED.clear()
    assert all("of which this one is a fork" in text for text in told)
    assert len(loaded.capture("n=5")) == 5
    assert worker_of(loaded) == worker


def test_a_fork_that_ends_as_python_does(plugin):
    # Through the interpreter's own end, finalisers and all.
    script = """
import os, sys, warnings
import workbench as wb
warnings.simplefilter("error")
plugin = wb.load(sys.argv[1])
capture = plugin.open("n=100;batch=10", fields=["probe.path"])
child = os.fork()
if not child:
    sys.exit(7)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
rows = 0
while (batch := capture.read()) is not None:
    rows += batch.num_rows
print(rows)
plugin.close()
"""
    done = subprocess.run(
        [
            sys.executable,
            "-W",
            "ignore::DeprecationWarning",
            "-c",
            script,
            plugin("probe"),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.stdout, done.stderr, done.returncode) == ("100\n", "", 0)


def open_files() -> set[str]:
    return {
        os.readlink(entry)  # noqa: PTH115 - what it is, not where it leads
        for entry in Path("/proc/self/fd").iterdir()
        if entry.is_symlink()
    }


def test_programs_started_meanwhile_inherit_nothing(plugin):
    before = open_files()
    with wb.load(plugin("probe")) as loaded, loaded.open("n=1000;batch=10") as capture:
        capture.read()
        ours = open_files() - before
        listed = subprocess.run(
            ["/bin/sh", "-c", "for f in /proc/$$/fd/*; do readlink $f; done"],
            close_fds=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
            timeout=20,
            check=False,
        ).stdout.splitlines()
    assert {name.partition(":")[0] for name in ours} >= {"socket", "pipe", "/memfd"}
    assert listed
    assert not ours & set(listed)
