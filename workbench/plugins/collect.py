"""A capture read to its end: Events, a progress bar, and nothing lost on the way."""

from __future__ import annotations

import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from workbench.arrow.dictionaries import join_batches
from workbench.arrow.types import column_info, column_type
from workbench.errors import WorkbenchError
from workbench.events.builtin_columns import host_name
from workbench.events.events import Events
from workbench.events.origin import Origin
from workbench.formatting.printable import printable
from workbench.formatting.terminal import unspelled
from workbench.interrupted import Interrupted
from workbench.memory import half_of_memory
from workbench.plugins.extraction import PoolExtractor
from workbench.session.interrupts import (
    interruptible,
    interruption_point,
    undisturbed,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from workbench.plugins.capture import Capture

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from workbench.errors import EndReason
    from workbench.plugins.capture import Capture

__all__ = [
    "CaptureInterrupted",
    "EventsBuilder",
    "collect",
    "collect_all",
    "interactive",
]

# A bar appears only on captures that take longer.
_BAR_AFTER_SEC = 1.0
_ASK_EVERY_SEC = 0.5
# A source that gives nothing for so long is shown as waiting.
_IDLE_SEC = 2.0
_MAX_TEXT = 60
# How often the threads of several captures are looked at.
_LOOK_EVERY_SEC = 0.1


class CaptureInterrupted(Interrupted):
    """Ctrl-C while events were collected; ``events`` holds what was read."""

    def __init__(self, message: str = "", events: Events | None = None) -> None:
        """Keep ``events`` beside the message."""
        super().__init__(message, events)
        self.events = events


def interactive() -> bool:
    """Return whether somebody watches: a terminal or a notebook."""
    if "ipykernel" in sys.modules:
        return True
    return bool(sys.stderr is not None and sys.stderr.isatty())


class ProgressBar:
    """A progress bar on stderr or in the notebook, shown once a capture is slow."""

    def __init__(self, capture: Capture, progress: bool | None) -> None:  # noqa: FBT001
        """Show it always (True), never (False), or when somebody watches (None)."""
        self.capture = capture
        self.wanted = interactive() if progress is None else progress
        self.at_once = progress is True
        self._bar: Any = None
        self._began = self._asked = self._grew = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def update(self) -> None:
        """Show the events read, of the limit or of what the plugin expects."""
        if not self.wanted:
            return
        now = time.monotonic()
        count, limit = self.capture.reached, self.capture.options.max_events
        if self._bar is None:
            if not self.at_once and now - self._began < _BAR_AFTER_SEC:
                return
            from tqdm.auto import tqdm

            source = printable(self.capture.source, limit=40)
            self._bar = tqdm(
                total=limit,
                unit=" events",
                unit_scale=True,
                desc=source,
                leave=False,
                file=unspelled(sys.stderr),
            )
        if now - self._asked >= _ASK_EVERY_SEC:
            self._asked = now
            told = self.capture.progress
            if told.percent and limit is None:
                self._bar.total = max(count, int(count * 100 / told.percent))
            text = printable(told.text, limit=_MAX_TEXT)
            if now - self._grew > _IDLE_SEC:
                text = f"waiting for {self.capture.waiting_call or 'events'}"
            self._bar.set_postfix_str(text, refresh=False)
            self._bar.refresh()
        if count > self._bar.n:
            self._grew = now
            self._bar.update(count - self._bar.n)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.close()


class EventsBuilder:
    """Gathers record batches of one capture into Events."""

    def __init__(self, capture: Capture) -> None:
        """Gather what ``capture`` gives."""
        self.capture = capture
        self.batches: list[pa.RecordBatch] = []
        # Memory of the batches, bytes; dictionaries, which batches share, only once.
        self.held_bytes = 0
        self._dictionaries: dict[str, int] = {}
        self.notes: tuple[str, ...] = ()

    def add(self, batch: pa.RecordBatch) -> None:
        """Keep ``batch`` and count its memory."""
        self.batches.append(batch)
        for name, column in zip(batch.schema.names, batch.columns, strict=True):
            if pa.types.is_dictionary(column.type):
                self.held_bytes += column.indices.nbytes
                # It only grows from batch to batch.
                self._dictionaries[name] = column.dictionary.nbytes
            else:
                self.held_bytes += column.nbytes

    def stop_beyond(self, max_bytes: int) -> bool:
        """End the capture when the events need more memory; return whether it did."""
        held = self.held_bytes + sum(self._dictionaries.values())
        if held <= max_bytes or self.capture.end_reason is not None:
            return False
        self.batches += self.capture.drain()
        self.capture.end_reason = "limit"
        note = (
            f"stopped at {held:,} bytes of events, over the limit of {max_bytes:,}; "
            "give a larger max_bytes, name fewer fields, or iterate over open()"
        )
        self.notes = (note,)
        return True

    def origin(self, reason: EndReason | None = None) -> Origin:
        """Return where the events come from; ``reason``: how the capture ended."""
        capture = self.capture
        manifest = capture.loaded.manifest
        return Origin(
            source=capture.source,
            plugin=manifest.name,
            plugin_version=manifest.version,
            hostname=host_name(),
            start_ns=capture.start_ns,
            end_reason=reason or capture.end_reason,
            notes=(*capture.notes, *self.notes),
            seen=capture.seen if capture.filtered else None,
        )

    def events(self, reason: EndReason | None = None) -> Events:
        """Return everything gathered so far; ``reason``: how it ended."""
        capture = self.capture
        return Events(
            join_batches(self.batches, _schema(capture)),
            fields=capture.fields,
            origin=self.origin(reason),
            extractor=PoolExtractor(capture.pool, captured=capture.captured),
        )


def _schema(capture: Capture) -> pa.Schema:
    """Return the columns of a capture that had no events."""
    columns = [
        ("evt.num", pa.uint64()),
        ("evt.rawtime", pa.uint64()),
        ("evt.source", pa.dictionary(pa.int32(), pa.string())),
    ]
    taken = {name for name, _ in columns}
    columns += [
        (name, column_type(column_info(name, capture.fields)))
        for name in capture.columns
        if name not in taken
    ]
    if capture.keeps_events:
        columns.append(("raw", pa.binary()))
    return pa.schema(columns)


def collect(
    capture: Capture,
    *,
    timeout_sec: float | None = None,
    max_bytes: int | None = None,
    progress: bool | None = None,
) -> Events:
    """Read ``capture`` to its end, its limit or ``timeout_sec``, and close it.

    ``max_bytes``: of memory for the events; None is half of what is available now.
    Beyond it the capture ends with "limit", its rows kept and a note added.

    Ctrl-C raises CaptureInterrupted (a KeyboardInterrupt), errors of the plugin are
    raised as they are; both carry what was read as ``.events``.
    """
    found = EventsBuilder(capture)
    limit = half_of_memory() if max_bytes is None else max_bytes
    capture.pool.last_events = None
    with interruptible():
        try:
            with ProgressBar(capture, progress) as bar:
                for batch in capture.batches(timeout_sec=timeout_sec, idle=bar.update):
                    found.add(batch)
                    bar.update()
                    if found.stop_beyond(limit):
                        break
                    interruption_point()
            capture.close()
        except KeyboardInterrupt:
            with undisturbed():
                raise _interruption(found) from None
        except WorkbenchError as error:
            error.events = capture.pool.last_events = found.events()
            raise
        finally:
            capture.close()
        return found.events()


def _interruption(found: EventsBuilder) -> CaptureInterrupted:
    """Return what tells of Ctrl-C, with all that was read until then."""
    found.batches += found.capture.drain()
    events = found.capture.pool.last_events = found.events("cancelled")
    return CaptureInterrupted(
        f"interrupted after {len(events):,} events; they are kept as "
        "plugin.last_events (and as .events of this error)",
        events,
    )


class _Reader(threading.Thread):
    """Collects one capture; keeps its events, and the error that ended it."""

    def __init__(
        self, capture: Capture, timeout_sec: float | None, max_bytes: int
    ) -> None:
        super().__init__(name=f"capture of {capture.source}", daemon=True)
        self.capture = capture
        self.timeout_sec = timeout_sec
        self.max_bytes = max_bytes
        self.events: Events | None = None
        self.error: Exception | None = None

    def run(self) -> None:
        try:
            self.events = collect(
                self.capture,
                timeout_sec=self.timeout_sec,
                max_bytes=self.max_bytes,
                progress=False,
            )
        except WorkbenchError as error:
            self.error, self.events = error, error.events
        except Exception as error:  # noqa: BLE001 - raised again by the caller
            self.error = error


def collect_all(
    captures: Mapping[str, Capture],
    *,
    timeout_sec: float | None = None,
    max_bytes: int | None = None,
) -> dict[str, Events]:
    """Read all ``captures`` to their ends; give their Events by source.

    ``max_bytes``: of memory for the events of all, in equal parts; as in `collect`.
    An error of one stops the others and is raised with everything read, by source, as
    ``.events``; so is Ctrl-C.
    """
    limit = half_of_memory() if max_bytes is None else max_bytes
    part = limit // max(1, len(captures))
    readers = {n: _Reader(c, timeout_sec, part) for n, c in captures.items()}
    for reader in readers.values():
        reader.start()
    interrupted: KeyboardInterrupt | None = None
    while any(reader.is_alive() for reader in readers.values()):
        try:
            for reader in readers.values():
                interruption_point()
                reader.join(_LOOK_EVERY_SEC)
        except KeyboardInterrupt as error:
            interrupted = error
        if interrupted or any(reader.error for reader in readers.values()):
            for capture in captures.values():
                capture.stop()
    found = {n: r.events for n, r in readers.items() if r.events is not None}
    if interrupted is not None:
        interrupted.events = found  # type: ignore[attr-defined]
        raise interrupted
    for reader in readers.values():
        if reader.error is not None:
            if isinstance(reader.error, WorkbenchError):
                reader.error.events = found
            raise reader.error
    return found
