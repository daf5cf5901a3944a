"""Whatever a plugin does to its worker, the notebook gets one typed error, in time."""

from __future__ import annotations

import gc
import time
from contextlib import suppress
from pathlib import Path

import pytest

from tests.conftest import request_columns
from tests.support.waiting import wait_until
from workbench.errors import PluginCrashed, PluginFailure, PluginHung
from workbench.session.types import CaptureOptions
from workbench.session.worker_session import WorkerSession

pytestmark = pytest.mark.crash

INVALID = "sent invalid data"
CONTROL = [
    "control_garbage",
    "control_empty",
    "control_list",
    "control_deep",
    "control_number",
    "control_no_number",
    "reply_wrong_type",
    "reply_nothing",
    "reply_error",
    "reply_facts",
    "reply_body",
    "reply_pipe",
]
DATA = [
    "data_garbage",
    "data_empty",
    "data_kind",
    "data_no_fd",
    "data_end",
    "data_flood",
    "end_ways",
    "end_seen",
    "chunk_pipe",
    "chunk_file",
    "chunk_zero",
    "chunk_shrinks",
    "chunk_huge",
]


@pytest.fixture
def hostile(plugin):
    """Make a session with a hostile plugin, loaded and initialised."""
    made = []

    def start(config: str = "", **limits):
        session = WorkerSession(**limits)
        made.append(session)
        index, manifest = session.load(str(plugin("hostile")))
        session.init(index, config)
        return session, index, request_columns(manifest)

    yield start
    for session in made:
        session.close()


def stream(session, index, columns, params, limit_sec=60.0):
    """Read a capture to its end: rows, the last chunk, and the time it took."""
    session.open(index, params, columns, CaptureOptions())
    rows = 0
    begun = time.monotonic()
    while time.monotonic() - begun < limit_sec:
        chunk = session.read(1.0)
        if chunk is None:
            continue
        if chunk.batch is not None:
            chunk.batch.validate(full=True)
            rows += chunk.batch.num_rows
        if chunk.end:
            return rows, chunk, time.monotonic() - begun
    raise AssertionError("the capture did not end")


def held() -> tuple[int, int, int]:
    """Descriptors, mapped memfds and children of this process."""
    gc.collect()
    maps = Path("/proc/self/maps").read_text().count("/memfd:")
    children = sum(
        len((task / "children").read_text().split())
        for task in Path("/proc/self/task").iterdir()
    )
    return len(list(Path("/proc/self/fd").iterdir())), maps, children


def alive(pid: int) -> bool:
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return text.rpartition(")")[2].split()[0] not in "ZX"


@pytest.mark.parametrize("fault", [*CONTROL, *DATA])
def test_nonsense_in_a_capture_is_one_error_and_the_rows_before_it_are_kept(
    hostile, fault
):
    before = held()
    session, index, columns = hostile()
    rows, last, _ = stream(session, index, columns, fault)
    error = last.error
    if fault in CONTROL and last.end == "eof":
        # The rows came faster than anybody looked for a reply: the next call finds it.
        with pytest.raises(PluginCrashed) as caught:
            session.metrics(index)
        error = caught.value
    assert isinstance(error, PluginCrashed)
    assert error.reason == INVALID
    assert len(str(error)) < 5000
    assert rows >= 9_000
    session.close()
    assert held()[0] <= before[0] + 1  # the page of a session that is still held
    assert held()[2] == before[2]


@pytest.mark.parametrize("fault", CONTROL)
def test_nonsense_instead_of_a_reply_is_one_error(hostile, fault):
    session, _, _ = hostile()
    session.close()
    with pytest.raises(PluginCrashed) as caught:
        hostile(fault)
    assert caught.value.reason == INVALID
    assert len(str(caught.value)) < 5000
    assert hostile()[0].alive


def test_an_overlong_kind_of_error_is_refused(hostile):
    with pytest.raises(PluginCrashed) as caught:
        hostile("reply_long")
    assert caught.value.reason == INVALID
    assert len(str(caught.value)) < 5000


@pytest.mark.parametrize("fault", ["control_garbage", "cut", "zero_page", "fill_page"])
def test_a_constructor_reaches_no_further(plugin, hostile, fault):
    session = WorkerSession()
    path = str(plugin("hostile", CONSTRUCTOR=f'"{fault}"'))
    if fault == "control_garbage":
        with pytest.raises(PluginCrashed, match=INVALID):
            session.load(path)
    else:
        with suppress(PluginCrashed):
            session.load(path)
    session.trace()
    session.log()
    session.close()
    assert hostile()[0].alive


@pytest.mark.parametrize("fault", ["cut", "zero", "fill", "zero_page", "fill_page"])
def test_memory_cut_off_or_overwritten_never_ends_the_notebook(hostile, fault):
    session, index, columns = hostile()
    rows, last, _ = stream(session, index, columns, fault)
    assert rows >= 9_000
    assert last.end in {"eof", "crashed", "limit", "hung", "cancelled"}
    session.trace()
    session.close()


@pytest.mark.parametrize("fault", ["fill_and_die", "cut_and_die"])
def test_completed_chunks_survive_a_builder_that_was_written_over(hostile, fault):
    session, index, columns = hostile()
    rows, last, _ = stream(session, index, columns, fault)
    assert rows >= 9_000
    assert isinstance(last.error, PluginCrashed)


@pytest.mark.parametrize("fault", ["stop", "stop_later", "stuck_later"])
@pytest.mark.parametrize("moment", ["init", "stream", "between"])
def test_a_worker_that_stands_still_is_ended_in_time(hostile, fault, moment):
    begun = time.monotonic()
    if moment == "stream":
        session, index, columns = hostile(call_timeout_sec=0.5)
        _, last, _ = stream(session, index, columns, fault)
        error = last.error
    else:
        with pytest.raises(PluginHung) as caught:  # noqa: PT012 - it may strike in both
            session, index, _ = hostile(fault, call_timeout_sec=0.5)
            time.sleep(0.3)
            session.metrics(index)
        error = caught.value
    assert isinstance(error, PluginHung)
    assert time.monotonic() - begun < 30


def test_a_stopped_worker_is_closed_at_once_and_leaves_no_zombie(hostile):
    before = held()[2]
    session, _, _ = hostile("stop_later")
    pid = session.pid
    wait_until(lambda: "T" in _state(pid), 10, "the worker stops")
    begun = time.monotonic()
    session.close()
    assert time.monotonic() - begun < 5
    assert held()[2] == before


def _state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


@pytest.mark.parametrize("fault", ["data_shutdown", "data_close"])
def test_a_data_socket_that_ends_without_an_end_is_an_error(hostile, fault):
    session, index, columns = hostile()
    rows, last, took = stream(session, index, columns, fault)
    assert rows >= 9_000
    assert isinstance(last.error, PluginCrashed)
    assert took < 30


def test_a_stale_reply_burns_no_core_and_keeps_the_watchdog(hostile):
    session, index, columns = hostile(call_timeout_sec=0.5)
    connection = session._connection
    # What Ctrl-C between question and answer leaves behind.
    connection._seq += 1
    connection.incoming.expect(connection._seq)
    from workbench.wire.messages import send

    send(
        connection.worker.control,
        {"op": "metrics", "seq": connection._seq, "plugin": 0},
    )
    begun = time.process_time()
    rows, last, _ = stream(session, index, columns, "stop")
    assert rows >= 9_000
    assert isinstance(last.error, PluginHung)
    assert time.process_time() - begun < 5


def test_a_last_error_of_a_megabyte_is_told_in_short(hostile):
    session, index, columns = hostile()
    rows, last, _ = stream(session, index, columns, "last_error")
    assert rows == 9_999
    assert type(last.error) is PluginFailure
    assert len(str(last.error)) < 10_000
    assert last.error.last_error.startswith("eeee")
    assert session.alive


@pytest.mark.parametrize("fault", ["child", "daemon", "daemon_and_die", "traced"])
def test_children_end_with_their_worker(hostile, tmp_path, fault):
    before = held()[2]
    note = tmp_path / "pids"
    session, index, columns = hostile()
    try:
        stream(session, index, columns, f"{fault}:{note}")
    finally:
        begun = time.monotonic()
        session.close()
    assert time.monotonic() - begun < 15
    pids = [int(line) for line in note.read_text().split()]
    assert pids
    wait_until(lambda: not any(map(alive, pids)), 5, "the children end")
    assert held()[2] == before


@pytest.mark.parametrize("fault", ["memfd_hog", "child_hog"])
def test_the_memory_limit_counts_memfds_and_children(hostile, fault):
    session, index, columns = hostile(memory_limit_bytes=300 << 20)
    _, last, _ = stream(session, index, columns, fault)
    assert isinstance(last.error, PluginCrashed)
    assert last.error.reason == "memory"


def test_the_kernel_would_choose_the_worker(worker):
    score = Path(f"/proc/{worker.pid}/oom_score_adj").read_text()
    assert int(score) == 1000


def test_the_page_and_the_builder_cannot_be_cut(hostile):
    import fcntl

    session, index, columns = hostile()
    session.open(index, "none", columns, CaptureOptions())
    sealed = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW
    arena = session._capture.arena
    assert fcntl.fcntl(arena, fcntl.F_GET_SEALS) & sealed == sealed
    session.close_capture()
