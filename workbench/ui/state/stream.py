"""One capture, read in a daemon thread: rows go to whoever takes them, limits hold.

The thread only reads: everything shown is made elsewhere, at most ten times a second.
Pausing stops reading; the plugin then waits, since little may be in flight.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    import pyarrow as pa

__all__ = ["Limits", "Stream", "default_limits"]

_MIB = 1 << 20
_RATE_SEC = 1.5


@dataclass(frozen=True, slots=True)
class Limits:
    """Where a stream stops by itself: events, seconds, MiB of rows in memory."""

    events: int
    seconds: float
    mebibytes: int

    def reached(self, events: int, seconds: float, size: int) -> str:
        """Name the limit that is reached, "" for none; ``size`` in bytes."""
        if events >= self.events:
            return f"limit of {self.events:,} events"
        if seconds >= self.seconds:
            return f"limit of {self.seconds:g} seconds"
        if size >= self.mebibytes * _MIB:
            return f"limit of {self.mebibytes} MiB"
        return ""


def default_limits() -> Limits:
    """Return limits that leave most of the memory alone."""
    return Limits(1_000_000, 3600, max(64, min(2048, _available_mib() // 8)))


def _available_mib() -> int:
    try:
        with open("/proc/meminfo", encoding="ascii") as lines:  # noqa: PTH123 - a kernel file
            for line in lines:
                if line.startswith("MemAvailable:"):
                    return int(line.split()[1]) // 1024
    except (OSError, ValueError):
        pass
    return 4096


class Stream:
    """Reads ``capture`` until it ends, a limit is reached, or :meth:`stop`.

    ``deliver(batch)`` is called in the reading thread for every record batch.
    ``phase``: starting, running, waiting, paused, stopping, ended or failed.
    """

    def __init__(
        self,
        capture: Any,
        *,
        deliver: Callable[[pa.RecordBatch], None],
        limits: Limits,
    ) -> None:
        self.capture = capture
        self.limits = limits
        self.events = 0
        self.nbytes = 0
        self.error: Exception | None = None
        self.end_reason: str | None = None
        self.ended_by = ""
        self.started = time.monotonic()
        self.last_rows = self.started
        self._ended_at: float | None = None
        self._deliver = deliver
        self._stopping = False
        self._gate = threading.Event()
        self._gate.set()
        self._done = threading.Event()
        self._samples: deque[tuple[float, int]] = deque([(self.started, 0)])
        self._thread = threading.Thread(
            target=self._read, name="workbench-lab-reader", daemon=True
        )

    def start(self) -> None:
        """Begin reading."""
        self._thread.start()

    @property
    def alive(self) -> bool:
        """Whether more rows may come."""
        return not self._done.is_set()

    @property
    def elapsed(self) -> float:
        """Seconds since the start, until the end."""
        return (self._ended_at or time.monotonic()) - self.started

    @property
    def phase(self) -> str:
        """What the stream is doing, in one word."""
        if not self.alive:
            return "failed" if self.error is not None else "ended"
        if self._stopping:
            return "stopping"
        if not self._gate.is_set():
            return "paused"
        if self.events == 0:
            return "starting" if self.elapsed < 1 else "waiting"
        return "waiting" if time.monotonic() - self.last_rows > 1 else "running"

    def pause(self) -> None:
        """Stop taking rows until :meth:`resume`."""
        self._gate.clear()

    def resume(self) -> None:
        """Take rows again."""
        self._gate.set()

    def stop(self, why: str = "") -> None:
        """Ask the capture to end; what was read stays."""
        if self._stopping or not self.alive:
            return
        self._stopping = True
        self.ended_by = why
        self._gate.set()
        self.capture.stop()

    def wait(self, timeout_sec: float | None = None) -> bool:
        """Wait until the stream ended; False when ``timeout_sec`` passed first."""
        return self._done.wait(timeout_sec)

    def check_limits(self) -> None:
        """Stop when a limit is reached; called from time to time by the lab."""
        reached = self.limits.reached(self.events, self.elapsed, self.nbytes)
        if reached:
            self.stop(reached)

    def rate(self) -> float | None:
        """Return events per second over the last moments, None once it ended."""
        if not self.alive:
            return None
        now = time.monotonic()
        self._samples.append((now, self.events))
        while len(self._samples) > 2 and now - self._samples[1][0] > _RATE_SEC:
            self._samples.popleft()
        then, count = self._samples[0]
        return (self.events - count) / (now - then) if now - then > 0.05 else 0.0

    def _read(self) -> None:
        try:
            for batch in self.capture.record_batches():
                self._gate.wait()
                room = self.limits.events - self.events
                piece = batch.slice(0, room) if batch.num_rows > room else batch
                self.events += piece.num_rows
                self.nbytes += piece.nbytes
                self.last_rows = time.monotonic()
                self._deliver(piece)
                self.check_limits()
                if self._stopping and self.events >= self.limits.events:
                    break
        except Exception as error:  # noqa: BLE001 - shown on the crash card
            self.error = error
        finally:
            self.end_reason = getattr(self.capture, "end_reason", None)
            try:
                self.capture.close()
            except Exception as error:  # noqa: BLE001 - the first error is the cause
                self.error = self.error or error
            self._ended_at = time.monotonic()
            self._done.set()
