"""Alerts of a capture as they come, for loops and for ``async for``."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from typing import TYPE_CHECKING, Any

from workbench.formatting.units import counted
from workbench.interrupted import Interrupted
from workbench.rules.running.alerts import Alerts
from workbench.rules.running.match import match_live

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping

    import pyarrow as pa

    from workbench.rules.running.alert_batch import SomeBatch
    from workbench.rules.running.engine import SourceEngine

__all__ = ["AlertStream", "AlertsInterrupted"]

# Longest wait in one read, so that an event loop that ends is not held up, seconds.
_SLICE_SEC = 0.2


class AlertsInterrupted(Interrupted):
    """Ctrl-C while alerts were read; ``alerts`` holds those that came before."""

    def __init__(self, message: str = "", alerts: Alerts | None = None) -> None:
        """Keep ``alerts`` beside the message."""
        super().__init__(message, alerts)
        self.alerts = alerts


class AlertStream:
    """Alerts of an open capture, one mapping each, as its events come.

    Keys are the columns of ``Alerts.frame``: of output fields, those of the alert's own
    rule; absent values are None. ``alerts``: all so far. Only events that alerted are
    kept. Reads the capture while it is iterated, ``async for`` in a thread.
    """

    def __init__(
        self,
        capture: Any,
        engines: Mapping[str, SourceEngine],
        *,
        all_matches: bool,
    ) -> None:
        """Run ``engines`` over ``capture``; made by ``RuleSet.stream``."""
        self._capture = capture
        self._engines = engines
        self._all_matches = all_matches
        self._batches: list[SomeBatch] = []
        self._rows: deque[dict[str, Any]] = deque()
        self._ended = False
        # what was read, until its alerts are kept
        self._unmatched: pa.RecordBatch | None = None
        self._reading = threading.Lock()

    @property
    def alerts(self) -> Alerts:
        """All alerts so far, also those not yet iterated."""
        return Alerts(list(self._batches))

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Return this stream."""
        return self

    def __next__(self) -> dict[str, Any]:
        """Wait for the next alert.

        Raises the error that ended the capture; after Ctrl-C, AlertsInterrupted, which
        is a KeyboardInterrupt.
        """
        while not self._rows and not self._ended:
            self._read(None)
        if not self._rows:
            raise StopIteration
        return self._rows.popleft()

    def __aiter__(self) -> AsyncIterator[dict[str, Any]]:
        """Return this stream."""
        return self

    async def __anext__(self) -> dict[str, Any]:
        """Wait for the next alert while other tasks run; raises as a loop does."""
        while not self._rows and not self._ended:
            await asyncio.to_thread(self._read, _SLICE_SEC)
        if not self._rows:
            raise StopAsyncIteration
        return self._rows.popleft()

    def collect(self) -> Alerts:
        """Read to the end and return all alerts."""
        while not self._ended:
            self._read(None)
            self._rows.clear()
        return self.alerts

    def _read(self, timeout_sec: float | None) -> None:
        """Take what the capture has next, waiting at most ``timeout_sec``."""
        with self._reading:
            # a task that was cancelled may have left a read behind that found some
            if self._rows or self._ended:
                return
            capture = self._capture
            try:
                self._unmatched = capture.read(timeout_sec)
                if self._unmatched is not None:
                    self._match(self._unmatched)
                elif capture.end_reason is not None:
                    self._ended = True
            except KeyboardInterrupt:
                self._interrupted()
            except BaseException:
                self._ended = True
                raise

    def _interrupted(self) -> None:
        """Take what was read already, end, and raise AlertsInterrupted."""
        self._ended = True
        rest = [] if self._unmatched is None else [self._unmatched]
        for batch in [*rest, *self._capture.drain()]:
            self._match(batch)
        alerts = self.alerts
        raise AlertsInterrupted(
            f"interrupted after {counted(self._capture.count, 'event')}: "
            f"{counted(len(alerts), 'alert')} kept as rules.last_alerts",
            alerts,
        ) from None

    def _match(self, batch: pa.RecordBatch) -> None:
        source = self._capture.source
        batch = self._capture.with_columns(batch, self._engines[source].columns)
        pairs = [(source, batch)]
        for found in match_live(self._engines, pairs, all_matches=self._all_matches):
            if len(found):
                kept = found.compacted()
                rows = list(Alerts([kept]).rows())
                self._batches.append(kept)
                self._rows.extend(rows)
        self._unmatched = None
