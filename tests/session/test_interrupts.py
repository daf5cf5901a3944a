"""Ctrl-C at every line and at random moments: nothing is left, nothing is replaced.

``WORKBENCH_INTERRUPTS=full`` takes every line (about 1,400), 500 moments and 1,000
cycles; else a tenth or so of them.
"""

# ruff: noqa: PT012 - what is interrupted stands in the block
from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

import workbench as wb
from workbench.session import interrupts
from workbench.session.interrupts import (
    finaliser,
    finishing,
    hastened,
    interruptible,
    interruption_point,
    patiently,
    undisturbed,
)

ROOT = Path(__file__).resolve().parents[2]
FULL = os.environ.get("WORKBENCH_INTERRUPTS") == "full"


def strike():
    signal.raise_signal(signal.SIGINT)


# ---- regions -------------------------------------------------------------------------


def test_a_region_puts_ctrl_c_off_until_its_end():
    done = []
    with pytest.raises(KeyboardInterrupt), interruptible():
        strike()
        done.append(1)
    assert done == [1]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_nested_regions_are_one():
    done = []
    with pytest.raises(KeyboardInterrupt), interruptible():
        with interruptible(), undisturbed():
            strike()
        done.append(1)
    assert done == [1]


def test_ctrl_c_strikes_at_a_point():
    done = []
    with pytest.raises(KeyboardInterrupt), interruptible():
        interruption_point()
        strike()
        done.append(1)
        interruption_point()
        done.append(2)
    assert done == [1]


def test_no_point_disturbs_the_undisturbed():
    done = []
    with pytest.raises(KeyboardInterrupt), interruptible():
        with undisturbed():
            strike()
            interruption_point()
            done.append(1)
        interruption_point()
        done.append(2)
    assert done == [1]


def test_what_ctrl_c_would_lose_is_undone_once():
    undone = []
    with pytest.raises(KeyboardInterrupt), interruptible(undo=lambda: undone.append(1)):
        strike()
    assert undone == [1]
    with interruptible(undo=lambda: undone.append(2)):
        pass
    assert undone == [1]


def test_an_error_does_not_replace_ctrl_c():
    with pytest.raises(KeyboardInterrupt) as caught, interruptible():
        strike()
        raise ValueError("beside it")
    assert isinstance(caught.value.__context__, ValueError)


def test_an_error_while_undoing_does_not_replace_ctrl_c():
    def undo():
        raise wb.WorkbenchError("cannot")

    with pytest.raises(KeyboardInterrupt), interruptible(undo=undo):
        strike()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_second_ctrl_c_hastens_an_undo():
    seen = []

    def undo():
        with finishing():
            for _ in range(2):
                strike()
                seen.append(hastened())

    with pytest.raises(KeyboardInterrupt), interruptible(undo=undo):
        strike()
    assert seen == [False, True]


def test_one_ctrl_c_hastens_what_takes_long(monkeypatch):
    monkeypatch.setattr(interrupts, "_HASTEN_SEC", 0.05)
    seen = []
    with pytest.raises(KeyboardInterrupt), finishing():
        strike()
        seen.append(hastened())
        time.sleep(0.1)
        seen.append(hastened())
    assert seen == [False, True]


def test_a_handler_of_the_users_own_is_called():
    called = []
    before = signal.signal(signal.SIGINT, lambda *args: called.append(args))
    try:
        with interruptible():
            strike()
            assert called == []
    finally:
        signal.signal(signal.SIGINT, before)
    assert [number for number, _ in called] == [signal.SIGINT]


@pytest.mark.parametrize("handler", [signal.SIG_IGN, signal.SIG_DFL])
def test_what_python_does_not_answer_stays_as_it_is(handler):
    before = signal.signal(signal.SIGINT, handler)
    try:
        with interruptible():
            assert signal.getsignal(signal.SIGINT) == handler
    finally:
        signal.signal(signal.SIGINT, before)


def test_other_threads_have_no_regions():
    seen = []

    def act():
        with interruptible(), finishing():
            seen.append(hastened())
            interruption_point()

    with pytest.raises(KeyboardInterrupt), finishing():
        strike()
        strike()
        assert hastened()
        thread = threading.Thread(target=act)
        thread.start()
        thread.join()
    assert seen == [False]


def test_a_finaliser_hands_ctrl_c_on():
    with pytest.raises(KeyboardInterrupt):
        with finaliser():
            strike()
        limit = time.monotonic() + 5
        while time.monotonic() < limit:
            time.sleep(0.01)


def test_waiting_for_a_lock_can_be_interrupted():
    lock = threading.Lock()
    lock.acquire()
    threading.Timer(
        0.1, signal.pthread_kill, (threading.get_ident(), signal.SIGINT)
    ).start()
    with pytest.raises(KeyboardInterrupt), interruptible():
        patiently(lock)
    lock.release()
    patiently(lock)
    assert lock.locked()


def test_nothing_is_left_of_a_region():
    assert interrupts._regions.depth == 0
    assert interrupts._regions.undisturbed == 0
    assert interrupts._regions.finishing == 0


# ---- plugins -------------------------------------------------------------------------


@pytest.fixture(scope="module", autouse=True)
def imported(plugin):
    """Import all that a capture needs: that is not what is interrupted here."""
    with wb.load(plugin("probe")) as loaded:
        assert len(loaded.capture("n=5").frame) == 5


def strike_in(loaded: wb.Plugin, call: str) -> None:
    """Interrupt once the plugin is in ``call``."""
    main = threading.get_ident()
    session = loaded.pool._sessions[0].session

    def watch():
        limit = time.monotonic() + 20
        while session.waiting_call() != call and time.monotonic() < limit:
            time.sleep(0.01)
        signal.pthread_kill(main, signal.SIGINT)

    threading.Thread(target=watch).start()


def later(seconds: float) -> None:
    main = threading.get_ident()
    threading.Timer(seconds, signal.pthread_kill, (main, signal.SIGINT)).start()


def test_ctrl_c_ends_a_load_that_hangs(plugin):
    start = time.monotonic()
    later(0.5)
    with pytest.raises(KeyboardInterrupt):
        wb.load(plugin("probe"), config="fault=hang")
    assert time.monotonic() - start < 10


def test_ctrl_c_hastens_a_close(plugin):
    loaded = wb.load(plugin("probe"))
    capture = loaded.open("n=100;fault=hang@close:0")
    capture.read()
    start = time.monotonic()
    strike_in(loaded, "plugin_close")
    with pytest.raises(KeyboardInterrupt):
        loaded.close()
    assert time.monotonic() - start < 10
    assert loaded.closed
    loaded.close()


def test_ctrl_c_keeps_every_row_read(plugin):
    with wb.load(plugin("probe")) as loaded:
        later(0.6)
        with pytest.raises(KeyboardInterrupt):
            loaded.capture("n=100000000;batch=50;block=1", fields=["probe.num"])
        numbers = loaded.last_events.table.column("evt.num").to_pylist()
        assert numbers == list(range(1, len(numbers) + 1))
        assert len(loaded.capture("n=5")) == 5


def test_ctrl_c_while_closing_keeps_the_events(plugin):
    with wb.load(plugin("probe")) as loaded:
        strike_in(loaded, "plugin_close")
        with pytest.raises(KeyboardInterrupt):
            loaded.capture("n=20;fault=hang@close:0", fields=["probe.num"])
        assert len(loaded.last_events) == 20
        assert len(loaded.capture("n=5")) == 5


# ---- everywhere ----------------------------------------------------------------------


def interrupted_life(library: Path, mode: str, count: str) -> dict:
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "tests.support.interrupted_life",
            library,
            mode,
            count,
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=1500 if FULL else 280,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    told = json.loads(done.stdout)
    print({name: value for name, value in told.items() if name != "faults"})
    assert not told["faults"], "\n".join(told["faults"])[:4000]
    return told


@pytest.mark.parametrize("part", range(28) if FULL else [0, 9, 18])
def test_at_every_line(plugin, part):
    told = interrupted_life(plugin("probe"), "lines", f"28/{part}")
    # Few lines run once only, such as those of a wait that was not needed again.
    assert told["points"] > 0.9 * told["lines"] / 28 - 2
    assert told["lines"] > 1000


@pytest.mark.parametrize("round_", range(10 if FULL else 1))
def test_at_random_moments(plugin, round_):
    told = interrupted_life(plugin("probe"), "moments", f"{50 + round_}")
    # On a busy machine many moments come too late to strike anything.
    assert told["points"] > 5


def test_loads_interrupted_over_and_over(plugin):
    told = interrupted_life(plugin("probe"), "cycles", "1000" if FULL else "150")
    assert told["held"][0] == told["held"][1]
    assert told["memory_end"] - told["memory_start"] < 16 << 20
