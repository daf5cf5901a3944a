"""Ctrl-C at safe moments: nothing is half-made, half-kept or half-closed.

Inside of a region SIGINT is noted. It becomes the interrupt that Python would have
raised where the code waits (:func:`interruption_point`), or at the region's end.
"""

from __future__ import annotations

import _thread
import functools
import signal
import threading
import time
from typing import TYPE_CHECKING, Any, ParamSpec, Self, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType, TracebackType

__all__ = [
    "deferring",
    "finaliser",
    "finishing",
    "hastened",
    "interruptible",
    "interruption_point",
    "patiently",
    "undisturbed",
]

P = ParamSpec("P")
R = TypeVar("R")

# How long a wait for a lock goes on before it looks whether it was interrupted.
_LOOK_SEC = 0.05
# After one Ctrl-C, how long a plugin still has to end as it likes.
_HASTEN_SEC = 0.5
# When a finaliser hands on an interrupt: Python would swallow it there.
_LATER_SEC = 0.02


class _Regions:
    """The regions that the main thread is in, and what was noted in them."""

    def __init__(self) -> None:
        self.depth = 0
        self.undisturbed = 0
        self.finishing = 0
        self.noted: list[tuple[int, FrameType | None]] = []
        self.noted_at = 0.0
        self.before: Any = None

    def note(self, number: int, frame: FrameType | None) -> None:
        if not self.noted:
            self.noted_at = time.monotonic()
        self.noted.append((number, frame))

    def enter(self) -> bool:
        """Begin a region; False where Python would not raise anything anyway."""
        if not _in_main():
            return False
        if not self.depth:
            before = signal.getsignal(signal.SIGINT)
            if not callable(before):
                return False
            signal.signal(signal.SIGINT, self.note)
            self.before = before
            self.noted.clear()
        self.depth += 1
        return True

    def deliver(self) -> None:
        """Do what Python would have done when the signal came."""
        if self.noted:
            noted = self.noted.pop()
            self.noted.clear()
            self.before(*noted)


_regions = _Regions()


class interruptible:  # noqa: N801 - read as a statement
    """A region in which Ctrl-C strikes at interruption points and at the end only.

    Nested regions are one. Does nothing outside of the main thread, where Python
    delivers no signals, and where nothing of Python's answers SIGINT. Never leave one
    open across a ``yield`` to somebody else's code.
    """

    _hard = False
    _finishing = False

    def __init__(self, undo: Callable[[], object] | None = None) -> None:
        """``undo``: called when Ctrl-C at the end loses what the block has made."""
        self._undo = undo
        self._entered = False

    def __enter__(self) -> Self:
        self._entered = _regions.enter()
        if self._entered:
            _regions.undisturbed += self._hard
            _regions.finishing += self._finishing
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if not self._entered:
            return
        _regions.undisturbed -= self._hard
        _regions.finishing -= self._finishing
        if _regions.depth > 1:
            _regions.depth -= 1
            return
        try:
            if _regions.noted and error is None and self._undo is not None:
                # Only one more Ctrl-C hastens that.
                first, _regions.noted = _regions.noted, []
                try:
                    with undisturbed():
                        self._undo()
                finally:
                    _regions.noted += first
        finally:
            _regions.depth = 0
            signal.signal(signal.SIGINT, _regions.before)
            self._strike()

    def _strike(self) -> None:
        _regions.deliver()


class undisturbed(interruptible):  # noqa: N801 - read as a statement
    """A region in which Ctrl-C waits for the end; only for what ends soon."""

    _hard = True


class finishing(undisturbed):  # noqa: N801 - read as a statement
    """A region that gives back what is owned: Ctrl-C does not stop but hasten it."""

    _finishing = True


class finaliser(finishing):  # noqa: N801 - read as a statement
    """A region for ``__del__``, where Python swallows interrupts: it comes later."""

    def _strike(self) -> None:
        if _regions.noted:
            _regions.noted.clear()
            later = threading.Timer(_LATER_SEC, _thread.interrupt_main)
            later.daemon = True
            later.start()


def hastened() -> bool:
    """Whether Ctrl-C came while something is being given back: twice, or long ago."""
    if not _regions.noted or not _regions.finishing or not _in_main():
        return False
    waited = time.monotonic() - _regions.noted_at
    return len(_regions.noted) > 1 or waited > _HASTEN_SEC


def _in_main() -> bool:
    return threading.get_ident() == threading.main_thread().ident


def interruption_point() -> None:
    """Let Ctrl-C strike here, if it came in this region."""
    if not _regions.noted or _regions.undisturbed or not _regions.depth:
        return
    if _in_main():
        _regions.deliver()


def deferring(function: Callable[P, R]) -> Callable[P, R]:
    """Make the whole ``function`` one region."""

    @functools.wraps(function)
    def whole(*args: P.args, **kwargs: P.kwargs) -> R:
        with interruptible():
            return function(*args, **kwargs)

    return whole


def patiently(lock: Any) -> None:
    """Acquire ``lock``, however long another thread holds it; Ctrl-C strikes."""
    while not lock.acquire(timeout=_LOOK_SEC):
        interruption_point()
