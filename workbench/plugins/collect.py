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
from workbench.plugins.extraction import PoolExtractor

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


class CaptureInterrupted(KeyboardInterrupt):
    """Ctrl-C while events were collected; ``events`` holds what was read."""

    def __init__(self, message: str = "", events: Events | None = None) -> None:
        """Keep ``events`` beside the message."""
        super().__init__(message, events)
        self.events = events

    def __str__(self) -> str:
        return str(self.args[0])


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
        count, limit = self.capture.seen, self.capture.options.max_events
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
            notes=capture.notes,
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
    progress: bool | None = None,
) -> Events:
    """Read ``capture`` to its end, its limit or ``timeout_sec``, and close it.

    Ctrl-C raises CaptureInterrupted (a KeyboardInterrupt), errors of the plugin are
    raised as they are; both carry what was read as ``.events``.
    """
    found = EventsBuilder(capture)
    capture.pool.last_events = None
    try:
        with ProgressBar(capture, progress) as bar:
            for batch in capture.batches(timeout_sec=timeout_sec, idle=bar.update):
                found.batches.append(batch)
                bar.update()
    except KeyboardInterrupt:
        found.batches += capture.drain()
        events = found.events("cancelled")
        capture.pool.last_events = events
        raise CaptureInterrupted(
            f"interrupted after {len(events):,} events; they are kept as "
            "plugin.last_events (and as .events of this error)",
            events,
        ) from None
    except WorkbenchError as error:
        error.events = capture.pool.last_events = found.events()
        raise
    finally:
        capture.close()
    return found.events()


class _Reader(threading.Thread):
    """Collects one capture; keeps its events, and the error that ended it."""

    def __init__(self, capture: Capture, timeout_sec: float | None) -> None:
        super().__init__(name=f"capture of {capture.source}", daemon=True)
        self.capture = capture
        self.timeout_sec = timeout_sec
        self.events: Events | None = None
        self.error: Exception | None = None

    def run(self) -> None:
        try:
            self.events = collect(
                self.capture, timeout_sec=self.timeout_sec, progress=False
            )
        except WorkbenchError as error:
            self.error, self.events = error, error.events
        except Exception as error:  # noqa: BLE001 - raised again by the caller
            self.error = error


def collect_all(
    captures: Mapping[str, Capture], *, timeout_sec: float | None = None
) -> dict[str, Events]:
    """Read all ``captures`` to their ends; give their Events by source.

    An error of one stops the others and is raised with everything read, by source, as
    ``.events``; so is Ctrl-C.
    """
    readers = {name: _Reader(c, timeout_sec) for name, c in captures.items()}
    for reader in readers.values():
        reader.start()
    interrupted: KeyboardInterrupt | None = None
    while any(reader.is_alive() for reader in readers.values()):
        try:
            for reader in readers.values():
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
