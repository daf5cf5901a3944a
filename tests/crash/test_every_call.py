"""Every fault × every call × three moments: one typed error, the rows before it, no rest.

Before: it strikes while the call is asked for, on a thread of the plugin's own or from
outside. During: in the call. Between: after the call, when nothing runs. By default each
call and moment meets one fault, in turn; CRASH_MATRIX=all runs every cell.
"""

from __future__ import annotations

import gc
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import request_columns
from tests.support.waiting import wait_until
from workbench.errors import PluginCrashed, PluginHung, PluginOpenError, WorkbenchError
from workbench.session.types import CaptureOptions
from workbench.session.worker_session import WorkerSession

pytestmark = pytest.mark.crash

EVENTS = 200
HANG_LIMIT_SEC = 0.3
# Until a thread of its own strikes: 50 ms, on a machine that may be busy.
_CALL_LASTS_MS = 200
# Fault → how the process ends; on a thread of its own _exit has another status.
ENDS: dict[str, Any] = {
    "segfault": signal.SIGSEGV,
    "abort": signal.SIGABRT,
    "divide": signal.SIGFPE,
    "illegal": signal.SIGILL,
    "overflow": signal.SIGSEGV,
    "heap": signal.SIGABRT,
    "raise": signal.SIGKILL,
    "exit": 3,
    "_exit": 4,
    "flood": "memory",
    "hang": "hang",
    "busy": "hang",
    "deaf": "hang",
}
# Step → the calls that the host makes in it, in their order.
STEPS = {
    "load": "dlopen get_required_api_version get_name get_description get_contact get_version get_id "
    "get_event_source get_fields get_extract_event_sources get_parse_event_sources "
    "get_async_event_sources get_async_events get_init_schema",
    "init": "init get_extract_event_types get_parse_event_types list_open_params",
    "open": "open set_async_event_handler capture_open get_last_error",
    "read": "next_batch:40 parse_event:40 extract:40 event_to_string:40 send:2",
    "progress": "get_progress",
    "metrics": "get_metrics",
    "set_config": "set_config",
    "dump_state": "dump_state",
    "close_capture": "close capture_close",
    "close": "destroy",
}
STEP_OF = {call: step for step, calls in STEPS.items() for call in calls.split()}
CALLS = list(STEP_OF)
ORDER = list(STEPS)
MOMENTS = ("before", "during", "between")


def cells():
    """Yield fault, call and moment, as many as are asked for."""
    every = os.environ.get("CRASH_MATRIX") == "all"
    faults = list(ENDS)
    turn = 0
    for call in CALLS:
        for moment in MOMENTS:
            if call == "destroy" and moment == "between":
                continue  # its process is gone
            chosen = faults if every else [faults[turn % len(faults)]]
            turn += 1
            for fault in chosen:
                outside = isinstance(ENDS[fault], signal.Signals)
                if call != "dlopen" or moment != "before" or outside:
                    yield fault, call, moment


def spec_of(fault: str, call: str, moment: str) -> str:
    """Return what the plugin is asked to do, by the name of its file."""
    strike = f"later-{fault}@{call}" if moment == "between" else f"{fault}@{call}"
    if moment == "before":
        before = CALLS[CALLS.index(call) - 1] if call != "dlopen" else "dlopen"
        if call == "get_last_error":
            before = "open"  # which fails
        elif before == "get_last_error":
            before = "capture_open"
        strike = f"later-{fault}@{before}"
        if STEP_OF[before] == STEP_OF[call]:
            # Memory is looked at now and then.
            lasts = 10 * _CALL_LASTS_MS if fault == "flood" else _CALL_LASTS_MS
            # What sends has a thread of its own: the stream waits for it instead.
            where = "next_batch:150" if call == "send:2" else call
            strike += f",slow={lasts}@{where}"
    return f"fail@open,{strike}" if call == "get_last_error" else strike


def dead(pid: int) -> bool:
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return True
    return text.rpartition(")")[2].split()[0] in "ZX"


@dataclass
class Life:
    """One session, from load to close, and what came of it.

    ``sound``: the plugin gives no wrong answers, so rows follow each other.
    """

    session: WorkerSession
    library: Path
    sound: bool = True
    refused: bool = False
    rows: int = 0
    manifest: Any = None
    seen: list[str] = field(default_factory=list)

    def step(self, name: str) -> None:
        """Do one step; raise what it raises."""
        self.seen.append(name)
        act = {
            "load": self.load,
            "init": lambda: self.session.init(0, ""),
            "open": self.open,
            "read": self.read,
            "progress": self.session.progress,
            "metrics": lambda: self.session.metrics(0),
            "set_config": lambda: self.session.set_config(0, "x"),
            "dump_state": self.session.dump_state,
            "close_capture": self.session.close_capture,
            "close": self.session.close,
        }
        act[name]()

    def load(self) -> None:
        self.manifest = self.session.load(str(self.library))[1]

    def open(self) -> None:
        known = "faulty.number" in self.manifest.fields
        columns = request_columns(self.manifest, "faulty.number") if known else []
        params = f"batch=10,events={EVENTS}"
        options = CaptureOptions(plugin_info=True)
        try:
            self.session.open(0, params, columns, options)
        except PluginOpenError:
            self.refused = True

    def read(self) -> None:
        while not self.refused:
            chunk = self.session.read(20)
            assert chunk is not None
            if chunk.batch is not None:
                self.count(chunk.batch)
            if chunk.error is not None:
                raise chunk.error
            if chunk.end:
                return

    def count(self, batch: Any) -> None:
        batch.validate(full=True)
        if "faulty.number" in batch.schema.names:
            numbers = [n for n in batch["faulty.number"].to_pylist() if n]
            wanted = range(self.rows + 1, self.rows + 1 + len(numbers))
            assert not self.sound or numbers == list(wanted)
            self.rows += len(numbers)


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.fixture
def library(sample, tmp_path):
    def copy(spec: str) -> Path:
        made = sample("faulty", "libfaulty_live.so")
        return Path(shutil.copy(made, tmp_path / f"libfaulty--{spec}.so"))

    return copy


def pause(life: Life, how: Any) -> None:
    """Wait until the fault has struck: the process is gone, or a thread stands still."""
    if how == "hang":
        time.sleep(0.12)
    else:
        pid = life.session.pid
        wait_until(lambda: dead(pid), 30, "the process ends")


def strike_from_outside(life: Life, how: signal.Signals) -> None:
    os.kill(life.session.pid, how)
    wait_until(lambda: dead(life.session.pid), 30, "the process ends")


def live_through(life: Life, call: str, moment: str, how: Any) -> WorkbenchError | None:
    """Take the steps in order; return the first error, None if all goes well."""
    at = ORDER.index(STEP_OF[call])
    previous = CALLS[max(CALLS.index(call) - 1, 0)]
    pause_before = moment == "before" and STEP_OF[previous] != STEP_OF[call]
    try:
        for index, step in enumerate(ORDER):
            if index == at and call == "dlopen" and moment == "before":
                strike_from_outside(life, how)
            elif index == at and pause_before:
                pause(life, how)
            life.step(step)
            if index == at and moment == "between":
                pause(life, how)
    except (PluginCrashed, PluginHung) as error:
        return error
    return None


def hold_against(error: WorkbenchError | None, how: Any, call: str, moment: str):
    """Check that the error tells what has happened."""
    if how == "hang" and moment != "during":
        assert error is None  # a thread that stands still stops nobody
        return
    if how == "hang":
        assert isinstance(error, PluginHung), error
    else:
        assert isinstance(error, PluginCrashed), error
        ended = "signal" if isinstance(how, signal.Signals) else "exit"
        assert error.reason == ("memory" if how == "memory" else ended)
        if how != "memory":
            assert how in {error.signal, error.exit_status}
    assert len(str(error)) < 20_000
    if moment == "during" and call != "send:2" and how != "memory":
        name = call.partition(":")[0].replace("extract", "extract_fields")
        if name.startswith("get_extract"):
            name = call
        assert error.call == (name if name == "dlopen" else f"plugin_{name}")


def one_cell(path: Path, fault: str, call: str, moment: str) -> None:
    how = ENDS[fault]
    session = WorkerSession(
        call_timeout_sec=HANG_LIMIT_SEC if how == "hang" else 20,
        memory_limit_bytes=160 << 20,
    )
    life = Life(session, path)
    try:
        error = live_through(life, call, moment, how)
        hold_against(error, how, call, moment)
        last = ORDER.index(life.seen[-1]) if life.seen else 0
        if error is not None:
            # Not before it could: every step before the fault has done its work.
            assert last >= ORDER.index(STEP_OF[call])
        if call in {"extract:40", "parse_event:40", "event_to_string:40"}:
            assert life.rows >= (39 if moment == "during" else 0)
        if last > ORDER.index("read") and not life.refused:
            assert life.rows == EVENTS
    finally:
        session.close()


@pytest.mark.parametrize(("fault", "call", "moment"), list(cells()))
def test_a_fault_costs_one_error(library, fault, call, moment):
    before = open_files()
    begun = time.monotonic()
    one_cell(library(spec_of(fault, call, moment)), fault, call, moment)
    assert time.monotonic() - begun < 60
    gc.collect()  # what an error's traceback holds
    assert open_files() <= before


# Faults that the process outlives, and answers that the host refuses or takes.
SURVIVABLE = {
    "stdout",
    "slow=1",
    "fork=1",
    "chdir",
    "environment",
    "later-hang",
    *("null", "empty", "bytes", "html", "huge=1", "fail", "silent", "code"),
    *(f"badjson={kind}" for kind in (0, 2, 4)),
}
IN_PROCESS = """
import json, sys
from pathlib import Path
from tests.crash.test_every_call import Life, ORDER, STEP_OF, EVENTS
from workbench.errors import WorkbenchError
from workbench.session.local_session import LocalSession
for path, call, certain in json.load(sys.stdin):
    session = LocalSession()
    life = Life(session, Path(path), sound=certain)
    error = None
    try:
        for step in ORDER:
            life.step(step)
    except WorkbenchError as caught:
        error = caught
    session.close()
    if certain and (error is not None or life.rows != EVENTS and not life.refused):
        print(path, life.seen, life.rows, error)
    elif error and ORDER.index(life.seen[-1]) < ORDER.index(STEP_OF[call]):
        print("too early:", path, life.seen, error)
print("done")
"""


def test_what_can_be_survived_in_the_notebooks_own_process_is(library):
    asked = []
    for fault in sorted(SURVIVABLE):
        certain = fault.partition("=")[0] in {
            "stdout",
            "slow",
            "fork",
            "chdir",
            "environment",
            "later-hang",
        }
        for call in CALLS:
            spec = f"{fault}@{call}"
            if call == "get_last_error":
                spec = f"fail@open,{spec}"
            asked.append((str(library(spec)), call, certain))
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", IN_PROCESS],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        errors="replace",
        timeout=300,
        cwd=Path(__file__).resolve().parents[2],
    )
    assert done.returncode == 0, done.stderr[-3000:]
    said = [line for line in done.stdout.splitlines() if "faulty writes" not in line]
    assert said == ["done"], said
