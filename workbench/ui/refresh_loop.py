"""The one writer: a daemon thread that keeps the screen up to date.

It sleeps until something happened, works at most ten times a second, and a second after
the last change sends the state once more: a browser that missed a message is put right.
It holds the lab weakly, so that the thread ends with the lab.
"""

from __future__ import annotations

import contextlib
import threading
import time
import weakref
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from workbench.ui.state.model import LabModel

__all__ = ["RefreshLoop", "Refreshable"]

_TICK_SEC = 0.1
_REST_SEC = 1.0
_IDLE_SEC = 5.0


class Refreshable(Protocol):
    """What the refresh loop keeps up to date."""

    model: LabModel

    @property
    def live(self) -> bool:
        """Whether time alone changes what is shown."""

    def tick(self) -> None:
        """Bring state and screen up to date; refinements later."""

    def refine(self) -> None:
        """Do one piece of what may come later."""

    def finish(self) -> None:
        """Do what can wait until nothing happens for a moment."""

    def resend(self) -> None:
        """Send the state again."""


class RefreshLoop:
    """Drives a lab from a daemon thread; :meth:`close` ends it."""

    def __init__(self, lab: Refreshable) -> None:
        self._lab = weakref.ref(lab)
        self._wake = lab.model.wake
        self._closed = False
        self.ticks = 0
        self.busy_sec = 0.0
        self._thread = threading.Thread(
            target=self._run, name="workbench-lab-refresh", daemon=True
        )

    def start(self) -> None:
        """Begin; more calls do nothing."""
        if not self._thread.is_alive() and not self._closed:
            with contextlib.suppress(RuntimeError):
                self._thread.start()

    def close(self) -> None:
        """End the thread after its present round."""
        self._closed = True
        self._wake.set()

    def _run(self) -> None:
        rested = True
        last_change = 0.0
        while not self._closed:
            lab = self._lab()
            if lab is None:
                return
            live = lab.live
            del lab
            wait = _TICK_SEC if live else (_IDLE_SEC if rested else _REST_SEC)
            woken = self._wake.wait(wait)
            self._wake.clear()
            lab = self._lab()
            if lab is None or self._closed:
                return
            began, used = time.monotonic(), time.thread_time()
            if woken or live:
                lab.tick()
                lab.refine()
                if live or not self._wake.is_set():
                    lab.finish()
                rested, last_change = False, time.monotonic()
            elif not rested and began - last_change >= _REST_SEC * 0.9:
                lab.resend()
                rested = True
            self.ticks += 1
            self.busy_sec += time.thread_time() - used
            live = lab.live
            del lab
            if live:
                # At most ten rounds a second while rows keep coming.
                time.sleep(max(0.0, _TICK_SEC - (time.monotonic() - began)))
