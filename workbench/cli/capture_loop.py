"""Read a capture to its end, a limit or Ctrl-C, and lose nothing of what was read."""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

from workbench.cli.options import FINE, INTERRUPTED, note
from workbench.errors import WorkbenchError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import pyarrow as pa

    from workbench.plugins.capture import Capture

__all__ = ["WaitNote", "copy_capture", "ended_by_sigterm"]

# Silence after which a terminal is told what is waited for, seconds.
_QUIET_SEC = 1.0


class WaitNote:
    """Prints once, on a terminal, what captures without events wait for."""

    def __init__(self, captures: Sequence[Capture]) -> None:
        """Count the silence from now on."""
        self._captures = captures
        self._since = time.monotonic()
        self._reached = 0
        self._printed = not sys.stderr.isatty()

    def event(self) -> None:
        """Note that events came."""
        self._since = time.monotonic()

    def idle(self) -> None:
        """Print what is waited for, when it has been silent for a second."""
        if self._printed:
            return
        reached = sum(capture.reached for capture in self._captures)
        if reached != self._reached:
            # Events come, though none that matches.
            self._reached = reached
            self.event()
        waited = time.monotonic() - self._since
        if waited < _QUIET_SEC:
            return
        self._printed = True
        waiting = [
            f"{capture.waiting_call or 'the next call'} of {capture.loaded.name}"
            for capture in self._captures
            if capture.end_reason is None
        ]
        note(
            f"no events for {waited:.1f} s; waiting for {', '.join(waiting)} "
            "(Ctrl-C ends)"
        )


@contextlib.contextmanager
def ended_by_sigterm() -> Iterator[None]:
    """Let SIGTERM end the block as Ctrl-C does: what was read is written first."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(*_: object) -> None:
        # As Ctrl-C, at whatever moment that is answered; a background job ignores it.
        if not callable(signal.getsignal(signal.SIGINT)):
            raise KeyboardInterrupt
        signal.raise_signal(signal.SIGINT)

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def copy_capture(
    capture: Capture,
    write: Callable[[pa.RecordBatch], Any],
    close: Callable[[], Any],
    *,
    timeout_sec: float | None = None,
    idle: Callable[[], Any] | None = None,
) -> int:
    """Hand every record batch to ``write``, then call ``close`` whatever happened.

    ``idle``: called while nothing comes; a terminal is told once what is waited for.
    Returns the exit status: FINE, or INTERRUPTED after Ctrl-C. Raises what ended the
    capture, after ``close``.
    """
    status = FINE
    waiting = WaitNote([capture])

    def quiet() -> None:
        waiting.idle()
        if idle is not None:
            idle()

    try:
        for batch in capture.batches(timeout_sec=timeout_sec, idle=quiet):
            waiting.event()
            write(batch)
    except KeyboardInterrupt:
        for batch in capture.drain():
            write(batch)
        status = INTERRUPTED
    except WorkbenchError:
        close()
        raise
    except BaseException:
        with contextlib.suppress(OSError, WorkbenchError):
            close()
        raise
    close()
    return status
