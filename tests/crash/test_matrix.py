"""Every fault in every call: what is raised, what it names, what is kept."""

from __future__ import annotations

import gc
import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import workbench as wb

pytestmark = pytest.mark.crash

BATCH = 10
EVENTS = 1000
HANG_LIMIT_SEC = 0.3

# fault → how the process ends.
ENDS = {
    "segfault": signal.SIGSEGV,
    "abort": signal.SIGABRT,
    "divide": signal.SIGFPE,
    "illegal": signal.SIGILL,
    "overflow": signal.SIGSEGV,
    "heap": signal.SIGABRT,
    "raise": signal.SIGKILL,
    "exit": 3,
    "_exit=9": 9,
    "hang": "hang",
    "busy": "hang",
    "deaf": "hang",
    "flood": "memory",
}
# moment → (C function, event number, rows kept, None where there is nothing to keep).
MOMENTS = {
    "dlopen": ("dlopen", None, None),
    "get_required_api_version": ("plugin_get_required_api_version", None, None),
    "get_fields": ("plugin_get_fields", None, None),
    "init": ("plugin_init", None, None),
    "list_open_params": ("plugin_list_open_params", None, None),
    "open": ("plugin_open", None, None),
    "next_batch:40": ("plugin_next_batch", 30, 30),
    "extract:40": ("plugin_extract_fields", 40, 39),
    "event_to_string:40": ("plugin_event_to_string", 40, 39),
    "close": ("plugin_close", EVENTS, EVENTS),
    "destroy": ("plugin_destroy", EVENTS, None),
}
BEFORE_INIT = {"dlopen", "get_required_api_version", "get_fields"}
DURING_INIT = {"init", "list_open_params"}


def arguments(moment: str, spec: str, with_fault, library: Path):
    """Where a fault of this moment has to be asked for: library, config, params."""
    params = f"batch={BATCH},events={EVENTS}"
    if moment in BEFORE_INIT:
        return with_fault(spec), None, params
    if moment in DURING_INIT:
        return library, spec, params
    return library, None, f"{params},{spec}"


# What takes a while is asked for in fewer calls.
SOME = {"init", "next_batch:40", "extract:40", "destroy"}
FEW = {"busy": {"extract:40"}, "deaf": {"next_batch:40", "destroy"}, "flood": SOME}
CELLS = [
    (fault, moment)
    for fault in ENDS
    for moment in MOMENTS
    if moment in FEW.get(fault, MOMENTS)
]


@pytest.mark.parametrize(("fault", "moment"), CELLS)
@pytest.mark.usefixtures("nothing_leaks")
def test_a_fault_in_a_worker(faulty, with_fault, works, fault, moment):
    call, event, rows = MOMENTS[moment]
    how = ENDS[fault]
    path, config, params = arguments(moment, f"{fault}@{moment}", with_fault, faulty)
    fields = ["evt.plugininfo" if "string" in moment else "faulty.number"]
    plugin = None
    started = time.monotonic()
    kind = wb.PluginHung if how == "hang" else wb.PluginCrashed
    with pytest.raises(kind) as caught:  # noqa: PT012 - which call raises is the question
        plugin = wb.load(
            path,
            config=config,
            call_timeout_sec=HANG_LIMIT_SEC if how == "hang" else 20,
            memory_limit_bytes=120 << 20,
        )
        events = plugin.capture(params, fields=fields)
        assert (moment, len(events)) == ("destroy", EVENTS)
        plugin.close()
    took = time.monotonic() - started
    error = caught.value
    assert (error.call, error.event_number) == (call, event)
    assert call in str(error)
    assert (None if error.events is None else len(error.events)) == rows
    if rows:
        assert list(error.events.frame["evt.num"]) == list(range(1, rows + 1))
    if how == "hang":
        assert HANG_LIMIT_SEC <= took < HANG_LIMIT_SEC + 20
    else:
        is_signal = isinstance(how, signal.Signals)
        reason = how if how == "memory" else "signal" if is_signal else "exit"
        assert error.reason == reason
        if reason != "memory":
            assert error.signal == (how if is_signal else None)
            assert error.exit_status == (None if is_signal else how)
        if is_signal:
            assert how.name in str(error)
        if fault == "overflow":
            assert "its stack is used up" in str(error)
    if plugin is not None:
        plugin.close()
    works()


IN_KERNEL = """
import json, os, sys, time
import workbench as wb
sound, *cells = json.load(sys.stdin)
with wb.load(sound, isolation="none") as plugin:
    plugin.capture("events=1")  # imports everything once
answers = []
for path, config, params, fields in cells:
    child = os.fork()
    if child == 0:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1)
        os.dup2(null, 2)
        plugin = wb.load(path, config=config, isolation="none")
        plugin.capture(params, fields=fields)
        plugin.close()
        os._exit(111)
    answers.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
print(json.dumps(answers))
"""


def test_a_fault_in_the_kernel_itself_ends_it_as_it_would_end_falco(faulty, with_fault):
    cells, wanted, names = [], [], []
    for fault, how in ENDS.items():
        if isinstance(how, str):
            continue  # nobody could end it
        for moment in MOMENTS:
            spec = f"{fault}@{moment}"
            path, config, params = arguments(moment, spec, with_fault, faulty)
            fields = ["evt.plugininfo" if "string" in moment else "faulty.number"]
            cells.append((str(path), config, params, fields))
            wanted.append(-how if isinstance(how, signal.Signals) else how)
            names.append(spec)
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", IN_KERNEL],
        input=json.dumps([str(faulty), *cells]),
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "PYTHONPATH": str(Path(wb.__file__).parent.parent)},
    )
    assert done.returncode == 0, done.stderr
    assert dict(zip(names, json.loads(done.stdout), strict=True)) == dict(
        zip(names, wanted, strict=True)
    )


@pytest.mark.parametrize("fault", ["segfault", "exit"])
@pytest.mark.usefixtures("nothing_leaks")
def test_a_fault_while_it_is_only_inspected(with_fault, works, fault):
    with pytest.raises(wb.PluginCrashed) as caught:
        wb.inspect(with_fault(f"{fault}@get_name"))
    assert caught.value.call == "plugin_get_name"
    works()


def test_a_marker_shows_which_rows_came_before_the_crash(faulty, works):
    with wb.load(faulty) as plugin:
        seen = []
        capture = plugin.open("batch=7,segfault@extract:500", fields=["faulty.text"])
        with pytest.raises(wb.PluginCrashed) as caught, capture:  # noqa: PT012
            for frame in capture:
                seen += list(frame["faulty.text"])
        assert seen == [f"event {n}" for n in range(1, 500)]
        assert caught.value.event_number == 500
        assert capture.end_reason == "crashed"
        # The same object goes on with a new worker.
        assert len(plugin.capture("events=5")) == 5
    works()


@pytest.mark.timing
def test_a_crash_is_raised_soon(faulty):
    with wb.load(faulty) as plugin:
        plugin.capture("events=1", fields=["faulty.number"])
        took = []
        for _ in range(5):
            capture = plugin.open(
                "batch=10,segfault@extract:40", fields=["faulty.number"]
            )
            started = time.monotonic()
            with pytest.raises(wb.PluginCrashed), capture:
                for _ in capture:
                    pass
            took.append(time.monotonic() - started)
    assert min(took) < 0.1, took


CYCLES = int(os.environ.get("CRASH_CYCLES", "200"))
# Cycles after which everything has been imported and cached.
WARM = 100
# What the allocator keeps for later, in bytes; a page of a worker alone has 340,000.
SLACK = 16 << 20


def resident_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.slow
@pytest.mark.usefixtures("nothing_leaks")
def test_many_crashes_leave_nothing_behind(with_fault):
    """Loads that crash, in a call of their own each: CRASH_CYCLES of them (200)."""
    moments = ["dlopen", "get_fields", "init", "open", "extract:40", "destroy"]
    paths = {moment: with_fault(f"segfault@{moment}") for moment in moments}

    def crash(number: int) -> bool:
        moment = moments[number % len(moments)]
        with pytest.raises(wb.PluginCrashed) as caught, wb.load(paths[moment]) as made:
            made.capture("events=50", fields=["faulty.number"])
        return caught.value.call == MOMENTS[moment][0]

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(crash, range(WARM)))
        gc.collect()
        before = resident_bytes()
        assert all(pool.map(crash, range(CYCLES)))
    gc.collect()
    assert resident_bytes() - before < SLACK
