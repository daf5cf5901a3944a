"""Several event sources read at once, each by a thread of its own."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from workbench.errors import WorkbenchError
from workbench.plugins.collect import collect

if TYPE_CHECKING:
    from collections.abc import Mapping

    from workbench.events.events import Events
    from workbench.plugins.capture import Capture

__all__ = ["collect_all"]

_LOOK_EVERY_SEC = 0.1


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
