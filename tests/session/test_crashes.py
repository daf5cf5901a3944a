"""Cause × moment: every death is told, every completed row is kept."""

from __future__ import annotations

import os
import pickle
import signal
import time

import pytest

from tests.support.waiting import wait_until
from workbench.errors import PluginCrashed, PluginHung, WorkbenchError
from workbench.session.types import CaptureOptions
from workbench.session.worker_session import WorkerSession

pytestmark = pytest.mark.crash

ROWS = 50_000
# cause → signal, exit status, reason
CAUSES = {
    "segv": (signal.SIGSEGV, None, "signal"),
    "abort": (signal.SIGABRT, None, "signal"),
    "fpe": (signal.SIGFPE, None, "signal"),
    "kill": (signal.SIGKILL, None, "signal"),
    "overflow": (signal.SIGSEGV, None, "signal"),
    "exit": (None, 7, "exit"),
    "_exit": (None, 8, "exit"),
}


def read_all(session):
    """Every batch, and the last chunk."""
    batches = []
    while True:
        chunk = session.read()
        if chunk.batch is not None:
            batches.append(chunk.batch)
        if chunk.end:
            return batches, chunk


@pytest.mark.parametrize("moment", ["extract", "next"])
@pytest.mark.parametrize("cause", CAUSES)
def test_every_completed_row_is_kept(worker, plugin, columns, cause, moment):
    index, manifest = worker.load(str(plugin("probe")))
    worker.init(index, "")
    event = ROWS + 1 if moment == "extract" else ROWS - ROWS % 128
    params = f"n=100000;fault={cause}@{moment}:{event}"
    worker.open(index, params, columns(manifest), CaptureOptions())
    batches, last = read_all(worker)
    rows = sum(b.num_rows for b in batches)
    assert rows == (ROWS if moment == "extract" else event)
    for batch in batches:
        batch.validate(full=True)
    number = 0
    for batch in batches:
        first = batch["evt.num"][0].as_py()
        assert first == number + 1
        number = batch["evt.num"][-1].as_py()
        assert batch["probe.num"][-1].as_py() == number - 1
        assert (
            batch["probe.path"][-1]
            .as_py()
            .startswith(b"/var/lib/app/%d/" % (number - 1))
        )
    error = last.error
    assert last.end == "crashed"
    assert isinstance(error, PluginCrashed)
    number, status, reason = CAUSES[cause]
    assert (error.signal, error.exit_status, error.reason) == (number, status, reason)
    call = "plugin_extract_fields" if moment == "extract" else "plugin_next_batch"
    assert error.call == call
    assert error.event_number == event
    where = f"in {call} {'at' if moment == 'extract' else 'after'} event #{event}"
    assert where in error.message
    if number:
        assert f"killed by {signal.Signals(number).name} {where}" in error.message
    else:
        assert f"with status {status} {where}" in error.message
    if cause in {"segv", "overflow", "abort"}:
        assert "probe" in error.backtrace[0] or "libc" in error.backtrace[0]
        assert any("probe" in frame for frame in error.backtrace)
    assert error.log_tail[0] == "hello from init"
    assert pickle.loads(pickle.dumps(error)).args == error.args
    assert not worker.alive
    with pytest.raises(PluginCrashed):
        worker.init(index, "")
    # The trace and the log survive.
    assert worker.trace()[-1].function == "plugin_extract_fields"
    assert worker.log()[0].message == "hello from init"


def test_stack_overflow_is_called_by_its_name(worker, plugin):
    index, _ = worker.load(str(plugin("probe")))
    worker.init(index, "")
    worker.open(index, "n=10;fault=overflow@next:0", [], CaptureOptions())
    _, last = read_all(worker)
    assert "its stack is used up" in last.error.message


@pytest.mark.parametrize(
    ("call", "function"),
    [
        ("dlopen", "dlopen"),
        ("version", "plugin_get_required_api_version"),
        ("name", "plugin_get_name"),
        ("init", "plugin_init"),
        ("open", "plugin_open"),
        ("close", "plugin_close"),
        ("destroy", "plugin_destroy"),
    ],
)
@pytest.mark.parametrize("cause", ["segv", "exit", "hang"])
def test_death_in_every_call(plugin, monkeypatch, call, function, cause):
    path = str(plugin("probe"))
    if call != "init":
        monkeypatch.setenv("PROBE_FAULT", f"{cause}@{call}")
    session = WorkerSession(call_timeout_sec=0.3)
    expected = PluginHung if cause == "hang" else PluginCrashed
    with pytest.raises(expected) as caught:  # noqa: PT012 - any call may be the one
        try:
            index, _ = session.load(path)
            session.init(index, f"fault={cause}" if call == "init" else "")
            session.open(index, "n=5", [], CaptureOptions())
            while session.read().end is None:
                pass
            session.close_capture()
        finally:
            session.close()
    assert caught.value.call == function
    assert function in caught.value.message
    assert not session.alive
    monkeypatch.delenv("PROBE_FAULT", raising=False)
    again = WorkerSession()
    try:
        assert again.load(path)[1].name == "probe"
    finally:
        again.close()


def test_inspecting_a_library_that_crashes_in_its_constructor(plugin, monkeypatch):
    monkeypatch.setenv("PROBE_FAULT", "abort@dlopen")
    session = WorkerSession()
    with pytest.raises(PluginCrashed, match="killed by SIGABRT in dlopen"):
        session.inspect(str(plugin("probe")))
    session.close()


@pytest.mark.parametrize("cause", ["hang", "spin"])
@pytest.mark.parametrize("moment", ["extract", "next"])
def test_hangs_end_after_their_limit(plugin, columns, cause, moment):
    session = WorkerSession(call_timeout_sec=0.5)
    index, manifest = session.load(str(plugin("probe")))
    session.init(index, "")
    event = 5001 if moment == "extract" else 5120
    params = f"n=10000;fault={cause}@{moment}:{event}"
    session.open(index, params, columns(manifest), CaptureOptions())
    start = time.monotonic()
    batches, last = read_all(session)
    spent = time.monotonic() - start
    session.close()
    assert sum(b.num_rows for b in batches) == (5000 if moment == "extract" else 5120)
    assert last.end == "hung"
    assert isinstance(last.error, PluginHung)
    assert last.error.limit_sec == 0.5
    assert "no return within 0.5 s" in last.error.message
    assert 0.5 <= spent < 20


@pytest.mark.timing
def test_hangs_end_soon_after_their_limit(plugin):
    session = WorkerSession(call_timeout_sec=0.5)
    index, _ = session.load(str(plugin("probe")))
    session.init(index, "")
    session.open(index, "n=10000;fault=hang@next:5120", [], CaptureOptions())
    start = time.monotonic()
    read_all(session)
    assert time.monotonic() - start < 1.2
    session.close()


def test_waiting_in_next_batch_is_no_hang(plugin):
    session = WorkerSession()
    index, _ = session.load(str(plugin("probe")))
    session.init(index, "")
    session.open(index, "n=10;fault=hang@next:0", [], CaptureOptions())
    assert session.read(0.3) is None
    assert session.waiting_call() == "plugin_next_batch"
    session.close()


def test_a_memory_flood_is_ended(plugin, columns):
    session = WorkerSession(memory_limit_bytes=300 << 20)
    index, manifest = session.load(str(plugin("probe")))
    session.init(index, "")
    params = "n=10000;fault=memory@extract:5001"
    session.open(index, params, columns(manifest), CaptureOptions())
    batches, last = read_all(session)
    session.close()
    assert sum(b.num_rows for b in batches) == 5000
    assert last.error.reason == "memory"
    assert "more than 300 MiB of memory in plugin_extract_fields" in last.error.message


def test_scribbling_over_the_builder_never_reaches_the_notebook(
    worker, plugin, columns
):
    index, manifest = worker.load(str(plugin("probe")))
    worker.init(index, "")
    params = "n=100000;fault=scribble@extract:5001"
    worker.open(index, params, columns(manifest), CaptureOptions())
    _, last = read_all(worker)
    assert last.end == "crashed"
    assert isinstance(last.error, PluginCrashed)
    assert last.error.reason in {"sent invalid data", "signal"}
    assert not worker.alive


def test_death_is_seen_without_a_pidfd(plugin, columns, monkeypatch):
    def missing(_pid):
        raise OSError("no such system call")

    monkeypatch.setattr(os, "pidfd_open", missing)
    session = WorkerSession()
    index, manifest = session.load(str(plugin("probe")))
    session.init(index, "")
    params = "n=10000;fault=_exit@extract:5001"
    session.open(index, params, columns(manifest), CaptureOptions())
    batches, last = read_all(session)
    session.close()
    assert sum(b.num_rows for b in batches) == 5000
    assert last.error.exit_status == 8


def test_killed_from_outside_between_calls(worker, plugin):
    worker.load(str(plugin("probe")))
    os.kill(worker.pid, signal.SIGKILL)
    with pytest.raises(PluginCrashed, match="killed by SIGKILL") as caught:
        worker.metrics(0)
    assert caught.value.call is None


def test_closing_a_dead_session_is_quiet(plugin):
    session = WorkerSession()
    session.load(str(plugin("probe")))
    os.kill(session.pid, signal.SIGKILL)
    with pytest.raises(PluginCrashed):
        session.metrics(0)
    session.close()
    session.close()
    with pytest.raises(WorkbenchError, match="the session is closed"):
        session.metrics(0)


def test_output_of_a_talkative_plugin_is_kept_and_bounded(worker, plugin):
    index, _ = worker.load(str(plugin("probe")))
    worker.init(index, "")
    worker.open(index, "n=5;chatter", [], CaptureOptions())
    while worker.read().end is None:
        pass
    worker.close_capture()
    last = "line 19999 of a plugin that talks too much"
    wait_until(lambda: worker.log()[-1].message == last, 20, "its last line is read")
    lines = [line for line in worker.log() if line.stream == "stdout"]
    assert lines[-1].message == last
    assert len(lines) <= 10_000
