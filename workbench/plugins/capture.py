"""Capture: one running event source, from open to close, read in record batches.

A capture holds a session of its pool. Rows come first: what was read before an error, a
stop or Ctrl-C is delivered, then the end is told. The session goes back when the stream
has ended or :meth:`Capture.close` is called.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
import warnings
import weakref
from typing import TYPE_CHECKING

import pyarrow as pa

from workbench.arguments import wrong
from workbench.closing import Closing
from workbench.errors import PluginOpenError, WorkbenchError
from workbench.formatting.html import escape, tag
from workbench.formatting.printable import printable
from workbench.formatting.units import counted
from workbench.plugins.call_errors import ErrorCounts
from workbench.plugins.capture_rows import BY_KIND, CaptureRows
from workbench.plugins.compatibility import fields_of, source_name
from workbench.plugins.extraction import Captured
from workbench.plugins.filtering import EventFilter, with_columns
from workbench.plugins.limits import checked_count
from workbench.plugins.selection import PAYLOAD, select_columns
from workbench.session.forks import renew_in_forks
from workbench.session.interrupts import (
    deferring,
    finaliser,
    finishing,
    interruptible,
    interruption_point,
    patiently,
)
from workbench.session.last_words import tells_of_skipping
from workbench.session.types import CaptureOptions, Progress

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    import pandas as pd

    from workbench.errors import EndReason
    from workbench.fields.declarations import FieldTable
    from workbench.fields.reference import ResolvedField
    from workbench.plugins.filtering import Where
    from workbench.plugins.pool import LoadedPlugin, PooledSession, SessionPool
    from workbench.session.interface import Session
    from workbench.session.types import Chunk, FilterWay

__all__ = ["Capture"]

# Longest wait in one read: so often Ctrl-C, stop and deadlines are looked at.
_SLICE_SEC = 0.1
# After a stop: how long a plugin may take to return before its host is ended.
_STOP_SEC = 0.08


class Capture(Closing):
    """One open event source; iterating gives one DataFrame per record batch.

    ``source``: its event source. ``end_reason``: None while it runs, then "eof",
    "limit", "cancelled", "failure", "crashed" or "hung". ``count``: events given,
    ``seen``: events read, also those that a condition left out.
    """

    def __init__(
        self,
        pool: SessionPool,
        loaded: LoadedPlugin,
        params: str | os.PathLike[str],
        *,
        fields: Iterable[str | ResolvedField] | None = None,
        keep_events: bool = False,
        max_events: int | None = None,
        where: Where | EventFilter | None = None,
    ) -> None:
        """Open the source of ``loaded``.

        ``max_events``: stop after reading so many, matching or not. ``where``: give
        only events that match this condition, or one of these.

        Raises PluginOpenError, ConditionError for an unknown field, PluginCrashed.
        """
        self._pooled: PooledSession | None = None
        self._lock = threading.RLock()
        renew_in_forks(self)
        self._stop = False
        self._stop_sent = False
        # Read, but Ctrl-C came before anybody had it.
        self._unread: list[pa.RecordBatch] = []
        # What ended the stream, raised once its last rows were given.
        self._pending: Exception | None = None
        self._progress = Progress()
        self._began_ns = time.time_ns()
        self._skipped = 0
        self._errors = ErrorCounts(pool.told_errors)
        self.count = 0
        self.seen = 0
        # At the end of one with a condition: how events were left out, and the cost.
        self.ways: tuple[FilterWay, ...] = ()
        self.end_reason: EndReason | None = None
        self.pool = pool
        self.loaded = loaded
        self.source = source_name(loaded.manifest)
        manifests = [m.manifest for m in pool.loaded_plugins]
        self.fields: FieldTable = fields_of(manifests, self.source)[0]
        self._wanted = select_columns(fields, manifests, self.source)
        if where is not None and not isinstance(where, EventFilter):
            where = EventFilter(where, self.fields)
        self._filter = where
        asked = self._wanted
        if where is not None:
            asked = with_columns(
                asked, where.columns, self.fields, manifests, self.source
            )
        self._asked = asked
        self._made = CaptureRows(
            self._wanted, where, loaded.manifest.name, self.source, keep_raw=keep_events
        )
        if isinstance(params, os.PathLike):
            params = os.fspath(params)
        if not isinstance(params, str):
            raise wrong("open", "params", "a text or a Path", params)
        self.params = params
        max_events = checked_count("max_events", max_events)
        if "\0" in params:
            raise wrong("open", "params", "a text without NUL", params)
        info = "evt.plugininfo" in asked.generic
        self._keep = keep_events
        injected = any("async" in m.capabilities for m in manifests)
        # Whether an event is asynchronous stands in the event itself.
        raw = keep_events or (injected and bool(BY_KIND & {*asked.generic}))
        self.options = CaptureOptions(
            keep_payload=asked.payload or (info and not raw),
            keep_raw=raw,
            plugin_info=info,
            max_events=max_events,
            one_field_per_call=any(m.one_field_per_call for m in pool.loaded_plugins),
            programs=() if where is None else where.programs(asked),
            **({} if where is None else where.options),
        )
        with interruptible(undo=self.close):
            self._open()

    def renew_locks(self) -> None:
        """Forget in a fork who held the lock."""
        self._lock = threading.RLock()

    def _open(self) -> None:
        if "sourcing" not in self.loaded.manifest.capabilities:
            name = self.loaded.name
            raise PluginOpenError(
                f"plugin {name} extracts fields but is no event source; load a plugin "
                "that is one into the same Workbench and open that",
                plugin=name,
                params=self.params,
            )
        self.pool.read_named(self.loaded, self.params)
        with self.pool.acquire(owner=self) as pooled:
            with pooled.calling() as session:
                session.open(
                    pooled.index(self.loaded),
                    self.params,
                    pooled.numbered(self._asked.requests),
                    self.options,
                )
            self._pooled = pooled
            self.captured = Captured(
                weakref.ref(pooled.session), pooled.session.number_base
            )
        if self.options.max_events == 0:
            # To the host 0 means no limit.
            self._finish("limit")

    # -- reading ---------------------------------------------------------------------

    def __iter__(self) -> Iterator[pd.DataFrame]:
        """Yield one DataFrame per record batch, as in ``Events.frame``."""
        from workbench.events.frame import event_frame

        for batch in self.record_batches():
            yield event_frame(
                pa.Table.from_batches([batch]),
                self.fields,
                source=self.source,
                columns=self._wanted.columns,
            )

    def record_batches(self) -> Iterator[pa.RecordBatch]:
        """Yield record batches in the condition layout until the stream ends.

        Raises, after the rows read before it, the error that ended the stream.
        """
        while (batch := self.read()) is not None:
            yield batch

    def read(self, timeout_sec: float | None = None) -> pa.RecordBatch | None:
        """Return the next record batch, None when there is none for now or any more.

        ``timeout_sec``: longest wait, None to wait until rows come or the stream ends.
        Raises the error that ended the stream once its rows were given.
        """
        batch: pa.RecordBatch | None = None

        def keep() -> None:
            if batch is not None:
                self._unread.append(batch)

        with interruptible(undo=keep):
            batch = self._unread.pop() if self._unread else self._next(timeout_sec)
        return batch

    def _next(self, timeout_sec: float | None) -> pa.RecordBatch | None:
        limit = None if timeout_sec is None else time.monotonic() + timeout_sec
        while self.end_reason is None:
            interruption_point()
            wait = _SLICE_SEC
            if limit is not None:
                wait = min(wait, max(0.0, limit - time.monotonic()))
            chunk = self._read(wait)
            if chunk is not None:
                batch = self._rows(chunk)
                error = chunk.error
                if chunk.end is not None:
                    self._finish(chunk.end)
                if batch is not None:
                    self._pending = error
                    return batch
                if error is not None:
                    raise error
            elif limit is not None and time.monotonic() >= limit:
                return None
        error, self._pending = self._pending, None
        if error is not None:
            raise error
        return None

    def batches(
        self,
        *,
        timeout_sec: float | None = None,
        idle: Callable[[], object] | None = None,
    ) -> Iterator[pa.RecordBatch]:
        """Yield record batches until the stream ends or ``timeout_sec`` has passed.

        ``idle``: called about ten times a second while nothing comes. After the time
        limit the end reason is "limit". Raises, after the rows read before it, the
        error that ended the stream.
        """
        limit = None if timeout_sec is None else time.monotonic() + timeout_sec
        while self.end_reason is None:
            wait = _SLICE_SEC
            if limit is not None:
                wait = min(wait, limit - time.monotonic())
                if wait <= 0:
                    rest = self.drain()
                    self.end_reason = "limit"
                    yield from rest
                    return
            batch = self.read(wait)
            if batch is not None:
                yield batch
            elif idle is not None:
                idle()
        # The error that ended the stream, after its rows.
        self.read()

    def _read(self, wait: float) -> Chunk | None:
        with self.calling() as pooled:
            self._send_stop(pooled)
            with pooled.calling(interruptible=True) as session:
                chunk = session.read(wait)
                if chunk is not None:
                    self._count_errors(pooled, session)
                return chunk

    def _count_errors(self, pooled: PooledSession, session: Session) -> None:
        loaded = self.pool.loaded_plugins
        names = {pooled.index(one): one.name for one in loaded}
        self._errors.update(session.call_errors(), names)

    def _rows(self, chunk: Chunk) -> pa.RecordBatch | None:
        """Return a chunk's rows with every column asked for; None if none match."""
        self.seen = max(self.seen, chunk.seen)
        self.ways = chunk.ways or self.ways
        batch = self._made.rows(chunk)
        if batch is not None:
            self.count += batch.num_rows
        return batch

    def with_columns(
        self, batch: pa.RecordBatch, names: Iterable[str]
    ) -> pa.RecordBatch:
        """Return a record batch of this capture with further ``evt.*`` columns.

        Those that follow from number, time and source; others are left out.
        """
        return self._made.with_columns(batch, names)

    # -- the state of it -------------------------------------------------------------

    @property
    def start_ns(self) -> int:
        """Time of the first event, nanoseconds since the epoch; 0 before it came."""
        return self._made.first_ns or 0

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the field columns, in the order asked for."""
        return self._wanted.columns

    @property
    def reached(self) -> int:
        """Number of the event that is looked at now, about; for people who wait."""
        pooled = self._pooled
        if pooled is None or self._filter is None or self.end_reason is not None:
            return self.seen
        return max(self.seen, pooled.session.reached())

    @property
    def filtered(self) -> bool:
        """Whether a condition leaves events out."""
        return self._filter is not None

    @property
    def keeps_events(self) -> bool:
        """Whether record batches end with the events themselves, as ``raw``."""
        return self._keep

    @property
    def keeps_payload(self) -> bool:
        """Whether the plugin's bytes were asked for by name."""
        return PAYLOAD in self._wanted.columns

    @property
    def skipped(self) -> int:
        """Log lines of this capture that say that something was left out.

        Such as "data not recognized"; of the last 10,000 lines.
        """
        if self._lock.acquire(blocking=False):
            try:
                if self._pooled is not None:
                    self._count_skipped(self._pooled)
            finally:
                self._lock.release()
        return self._skipped

    def _count_skipped(self, pooled: PooledSession) -> None:
        """Count while the session is ours: its log goes with it."""
        self._skipped = sum(
            line.time_ns >= self._began_ns and tells_of_skipping(line.message)
            for line in pooled.session.log()
        )

    @property
    def notes(self) -> tuple[str, ...]:
        """What people should know: how often extract and parse failed, and why."""
        manifests = [m.manifest for m in self.pool.loaded_plugins]
        left_out = () if self._filter is None else self._filter.notes(manifests)
        return (*self._errors.notes(self.loaded.name), *left_out)

    @property
    def closed(self) -> bool:
        """Whether the source was given back."""
        return self._pooled is None

    @property
    @deferring
    def progress(self) -> Progress:
        """How far the plugin says it is: ``percent`` (0..100 or None) and ``text``."""
        if self._lock.acquire(blocking=False):
            try:
                pooled = self._pooled
                if pooled is not None and self.end_reason is None:
                    with (
                        contextlib.suppress(WorkbenchError),
                        pooled.calling() as session,
                    ):
                        self._progress = session.progress()
            finally:
                self._lock.release()
        return self._progress

    @contextlib.contextmanager
    def calling(self) -> Iterator[PooledSession]:
        """Yield the session for calls between two reads."""
        with self.held() as pooled:
            if pooled is None:
                raise WorkbenchError("this capture is closed; open the source again")
            yield pooled

    @contextlib.contextmanager
    def held(self) -> Iterator[PooledSession | None]:
        """Yield the session, which no other thread gives back meanwhile, or None."""
        with interruptible(), self._lock:
            yield self._pooled

    @property
    def waiting_call(self) -> str:
        """C name of the plugin call in flight, "" for none: what a wait is for."""
        pooled = self._pooled
        return pooled.session.waiting_call() if pooled is not None else ""

    @deferring
    def stop(self) -> None:
        """Ask the stream to end; what was read still comes. From any thread."""
        self._stop = True
        if self._lock.acquire(blocking=False):
            try:
                if self._pooled is not None:
                    self._send_stop(self._pooled)
            finally:
                self._lock.release()

    def _send_stop(self, pooled: PooledSession) -> None:
        if self._stop and not self._stop_sent and self.end_reason is None:
            self._stop_sent = True
            with contextlib.suppress(WorkbenchError), pooled.calling() as session:
                session.stop()

    # -- the end ---------------------------------------------------------------------

    def drain(self) -> list[pa.RecordBatch]:
        """Stop, give what was read already, and close; never waits long.

        A plugin that does not return is ended with its host.
        """
        with finishing():
            return self._drain()

    def _drain(self) -> list[pa.RecordBatch]:
        found, self._unread = self._unread, []
        self.stop()
        limit = time.monotonic() + _STOP_SEC
        while self.end_reason is None:
            wait = limit - time.monotonic()
            try:
                chunk = self._read(max(0.0, wait))
            except WorkbenchError:
                break
            if chunk is not None:
                batch = self._rows(chunk)
                if batch is not None:
                    found.append(batch)
                if chunk.end is not None:
                    self._finish(chunk.end)
            elif wait <= 0:
                break
        self.close()
        return found

    def _finish(self, reason: EndReason) -> None:
        """Remember how the stream ended and give the session back."""
        if self.end_reason is None:
            # A source read ahead to its end was stopped all the same.
            asked = self._stop and reason == "eof"
            self.end_reason = "cancelled" if asked else reason
        if reason in {"crashed", "hung"} and self._pooled is not None:
            self._pooled.dead = True
        self._give_back(killed=reason in {"crashed", "hung"})

    def close(self) -> None:
        """Close the source (idempotent); rows not yet read are lost."""
        with finishing():
            ended = self.end_reason is not None
            if not ended:
                self.end_reason = "cancelled"
            self._unread.clear()
            self._give_back(killed=False)

    def _give_back(self, *, killed: bool) -> None:
        with interruptible():
            with self._lock:
                pooled = self._pooled
                if pooled is None:
                    return
                # Another thread may be about to end the host.
                patiently(pooled.lock)
                self._pooled = None
            self._end_capture(pooled, killed=killed)

    def _end_capture(self, pooled: PooledSession, *, killed: bool) -> None:
        try:
            if not killed:
                with pooled.calling() as session:
                    session.close_capture()
            self._count_skipped(pooled)
        finally:
            pooled.lock.release()
            self.pool.release(pooled)

    def __del__(self) -> None:
        with finaliser():
            if getattr(self, "_pooled", None) is None or self.pool.inherited:
                return
            try:
                warnings.warn(
                    f"the capture of {self.source} was not closed: call close(), read "
                    "it to its end, or use it in a with statement",
                    ResourceWarning,
                    stacklevel=2,
                    source=self,
                )
            finally:
                with contextlib.suppress(Exception):
                    self.close()

    def __repr__(self) -> str:
        state = self.end_reason or "running"
        noun = "event" if self.count == 1 else "events"
        skipped = self.skipped
        lines = "line says" if skipped == 1 else "lines say"
        log = [f"{skipped:,} log {lines} that data was skipped"] if skipped else []
        parts = [f"{self.count:,} {noun}", state, *log, *self.notes]
        return f"<Capture of {printable(self.source, limit=60)}: {', '.join(parts)}>"

    def _repr_html_(self) -> str:
        state = self.end_reason or "running"
        title = f"Capture of {self.source}: {counted(self.count, 'event')}, {state}"
        notes = [tag("div", escape("note: " + n, limit=250)) for n in self.notes]
        return tag("div", tag("b", escape(title)), *notes)
