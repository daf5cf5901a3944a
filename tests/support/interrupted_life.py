"""A plugin's life, interrupted: run as ``interrupted_life.py LIBRARY MODE COUNT``.

``lines``: SIGINT at lines of the package that a life runs, COUNT is ``of/part``: every
``of``-th of them from ``part`` on;
``moments``: COUNT times at a random moment; ``cycles``: COUNT loads, interrupted.
Prints one JSON object: how many there were, what went wrong, what was left behind.
"""

from __future__ import annotations

import gc
import json
import os
import random
import resource
import signal
import sys
import threading
import time
import traceback
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import workbench as wb

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

PACKAGE = str(Path(wb.__file__).parent)
# Sessions, plugins and what they need: where something is owned.
OWNERS = (f"{PACKAGE}/session/", f"{PACKAGE}/plugins/", f"{PACKAGE}/closing.py")


def life(library: str) -> None:
    """Load, open, read, ask, close, capture; leave one to the garbage collector."""
    plugin = wb.load(library)
    try:
        with plugin.open("n=40;batch=10", fields=["probe.num"]) as capture:
            while capture.read() is not None:
                pass
        events = plugin.capture("n=30;batch=10", max_events=20, fields=["probe.num"])
        assert events.extract("probe.user").table.num_rows == 20
        assert plugin.metrics is not None
    except KeyboardInterrupt:
        again(plugin)
        raise
    except BaseException as error:
        raise AssertionError(f"{type(error).__name__} instead") from error
    finally:
        close(plugin)
    left = wb.load(library)
    running = left.open("n=40;batch=10")
    running.read()
    del running, left


def again(plugin: Any) -> None:
    """Hold that the plugin still works after an interrupt."""
    try:
        events = plugin.capture("n=3", fields=["probe.num"])
    except wb.PluginOpenError as error:
        # Struck between open() and the with statement: nobody can close it but us.
        assert "has an open capture already" in str(error)  # noqa: PT017
        plugin._capture().close()
        events = plugin.capture("n=3", fields=["probe.num"])
    assert len(events) == 3, f"{len(events)} events after an interrupt"


def close(plugin: Any) -> None:
    """Close; once more when that was interrupted."""
    try:
        plugin.close()
    except KeyboardInterrupt:
        plugin.close()
        assert plugin.closed
        raise


def held() -> tuple[list[str], list[str], int]:
    """Return what this process has: descriptors, children, threads."""
    fds = []
    for name in os.listdir("/proc/self/fd"):  # noqa: PTH208
        try:
            target = os.readlink(f"/proc/self/fd/{name}")  # noqa: PTH115
        except OSError:
            continue
        fds.append(target.partition(":")[0])
    children: list[str] = []
    for task in Path("/proc/self/task").iterdir():
        children += (task / "children").read_text().split()
    return sorted(fds), children, threading.active_count()


def left_behind(before: tuple[list[str], list[str], int]) -> str:
    """Return what is here that was not before, "" for nothing; waits for the slow."""
    limit = time.monotonic() + 3
    while True:
        gc.collect()
        now = held()
        if now == before:
            return ""
        if time.monotonic() > limit:
            return f"left behind: {before} became {now}"
        time.sleep(0.005)


class At:
    """Raises SIGINT where ``place`` is reached; None only notes the places."""

    def __init__(self, place: tuple[str, int] | None) -> None:
        self.place = place
        self.places: dict[tuple[str, int], int] = {}
        self.struck = False

    def trace(self, frame: FrameType, event: str, _arg: Any) -> Any:
        file = frame.f_code.co_filename
        if not file.startswith(OWNERS):
            return None
        if event == "line":
            place = (file, frame.f_lineno)
            if self.place is None:
                self.places[place] = self.places.get(place, 0) + 1
            elif place == self.place:
                self.struck = True
                sys.settrace(None)
                signal.raise_signal(signal.SIGINT)
        return self.trace


def one(act: Callable[[], None]) -> str:
    """Return "" when it ended as it should, else what happened."""
    try:
        act()
    except KeyboardInterrupt:
        return ""
    except BaseException:  # noqa: BLE001 - told
        return traceback.format_exc(limit=-12)
    return ""


def traced(act: Callable[[], None], at: At) -> str:
    def run() -> None:
        sys.settrace(at.trace)
        try:
            act()
        finally:
            sys.settrace(None)

    return one(run)


def lines(library: str, which: str) -> dict[str, Any]:
    """Interrupt at the lines of one part."""
    seen = At(None)
    traced(lambda: life(library), seen)
    places = list(seen.places)
    of, part = map(int, which.split("/"))
    chosen = places[part::of]
    before = held()
    faults, struck = [], 0
    for place in chosen:
        at = At(place)
        told = traced(lambda: life(library), at)
        settled()
        told = told or left_behind(before)
        struck += at.struck
        if told:
            faults.append(f"{place[0].removeprefix(PACKAGE)}:{place[1]}: {told}")
    return {"points": struck, "lines": len(places), "faults": faults}


def moments(library: str, many: str) -> dict[str, Any]:
    """Interrupt from outside of Python's control, at random moments."""
    count = int(many)
    chance = random.Random(count)
    start = time.monotonic()
    life(library)
    whole = time.monotonic() - start
    before = held()
    faults, struck = [], 0
    for number in range(count):
        signal.setitimer(signal.ITIMER_REAL, chance.uniform(0.0005, whole))
        told = one(lambda: life(library))
        if told == "" and signal.setitimer(signal.ITIMER_REAL, 0)[0] == 0:
            struck += 1
        settled()
        told = told or left_behind(before)
        if told:
            faults.append(f"moment {number}: {told}")
    return {"points": struck, "faults": faults}


def cycles(library: str, many: str) -> dict[str, Any]:
    """Load and be interrupted, over and over; what is held then, and before."""
    count = int(many)

    def load() -> None:
        plugin = wb.load(library)
        close(plugin)

    chance = random.Random(count)
    start = time.monotonic()
    load()
    whole = time.monotonic() - start
    before, memory, faults = held(), [], []
    for number in range(count):
        signal.setitimer(signal.ITIMER_REAL, chance.uniform(0.0005, whole))
        told = one(load)
        settled()
        if told:
            faults.append(f"cycle {number}: {told}")
        memory.append(resident())
    told = left_behind(before)
    faults += [told] if told else []
    tenth = max(1, count // 10)
    return {
        "points": count,
        "faults": faults,
        "memory_start": max(memory[:tenth]),
        "memory_end": memory[-1],
        "held": [len(before[0]), len(held()[0])],
    }


def resident() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()


def settled() -> None:
    """Let an interrupt strike that a finaliser handed on, or that came late."""
    try:
        signal.setitimer(signal.ITIMER_REAL, 0)
        for thread in threading.enumerate():
            if isinstance(thread, threading.Timer):
                thread.join()
        time.sleep(0)
    except KeyboardInterrupt:
        pass


def main() -> None:
    warnings.simplefilter("ignore", ResourceWarning)
    # What a finaliser swallows is told on stderr; here it is expected.
    sys.unraisablehook = lambda _: None
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGALRM, lambda *_: signal.raise_signal(signal.SIGINT))
    library, mode, count = sys.argv[1:]
    run = {"lines": lines, "moments": moments, "cycles": cycles}[mode]
    life(library)
    print(json.dumps(run(library, count)))


if __name__ == "__main__":
    main()
