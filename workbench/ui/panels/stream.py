"""The stream bar: start, pause, stop; rate, count, memory; limits; crash card."""

from __future__ import annotations

import threading
import time
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from workbench.ui.data.error_card import error_card
from workbench.ui.state import condition_queries as queries
from workbench.ui.state.stream import Limits, Stream, default_limits

if TYPE_CHECKING:
    from collections.abc import Callable

    from workbench.ui.state.model import LabModel
    from workbench.ui.widgets.part import Part

__all__ = ["StreamPanel"]

_PROGRESS_SEC = 0.5
_ENDS = {
    "eof": "the source ended",
    "limit": "limit reached",
    "cancelled": "stopped",
}


class StreamPanel:
    """Runs captures of a plugin (or of a Workbench's sources) into the model."""

    def __init__(self, part: Part, model: LabModel) -> None:
        self.part, self.model = part, model
        self.limits: Limits = default_limits()
        self.stream: Stream | None = None
        self.target: Any = None
        self.source = ""
        self.params = ""
        self.error: Exception | None = None
        self._note = ""
        self._progress: dict[str, Any] | None = None
        self._progress_at = 0.0
        self._was = ""
        self._opening: threading.Thread | None = None
        self.on_started: Callable[[], None] = lambda: None
        part.put(phase="none", card=None)
        part.handle(
            start=self._on_start,
            pause=self.toggle_pause,
            stop=self.stop,
            restart=self._on_restart,
            dismiss=self._on_dismiss,
            limit=self._on_limit,
            set=self._on_set,
        )

    # -- what it streams ----

    def take_target(self, target: Any) -> None:
        """Stream from ``target`` (Plugin or Workbench), or show finished events."""
        self.stop()
        if self.stream is not None:
            self.stream.wait(2)
        self.stream, self.error, self._note = None, None, ""
        self.target = target
        suggestions = queries.open_suggestions(target)
        # Another plugin brings its own open params.
        self.params = suggestions[0]["value"] if suggestions else ""
        sources = queries.sources_of(target)
        self.source = sources[0] if sources else ""
        self.part.put(
            name=queries.target_name(target),
            about=queries.target_about(target),
            streams=queries.can_stream(target),
            sources=sources,
            source=self.source,
            suggestions=suggestions,
            params=self.params,
            limits=asdict(self.limits),
            card=None,
        )
        self.refresh({"source"})

    def take_settings(self, other: StreamPanel) -> None:
        """Take the open params and limits of another stream bar."""
        self.params = other.params or self.params
        self.part.put(params=self.params)
        self.set_limits(**asdict(other.limits))

    # -- actions ----

    def start(self, params: str | None = None) -> None:
        """Open the source and begin to stream; events so far are replaced."""
        if self.stream is not None and self.stream.alive:
            return
        if params is not None:
            self.params = params
        self.error, self._note, self._progress = None, "", None
        self.part.put(card=None, params=self.params)
        opened = queries.open_capture(self.target, self.params, self.source)
        self._begin(opened)

    def _begin(self, opened: Any) -> None:
        capture, fields, make_events = opened
        self.model.take_source(fields, self.source, make_events)
        self.stream = Stream(capture, deliver=self.model.deliver, limits=self.limits)
        self.model.live = True
        self.model.touch("stream")
        self.stream.start()
        self.on_started()

    def _open_aside(self) -> None:
        """Open the source in a thread: a slow plugin holds up neither keys nor cell."""
        target, params, source = self.target, self.params, self.source

        def work() -> None:
            try:
                opened = queries.open_capture(target, params, source)
            except Exception as error:  # noqa: BLE001 - shown on the card
                with self.model.lock:
                    self._opening = None
                    self._fail(error)
                    self.model.touch("stream")
                return
            with self.model.lock:
                self._opening = None
                if self.target is target:
                    self._begin(opened)
                else:
                    opened[0].close()

        self._opening = threading.Thread(
            target=work, name="workbench-lab-open", daemon=True
        )
        self._opening.start()
        self.model.touch("stream")

    def stop(self) -> None:
        """End the stream; what was read stays."""
        if self.stream is not None and self.stream.alive:
            self.stream.stop("stopped")
            self.model.touch("stream")

    def toggle_pause(self) -> None:
        """Pause, or go on."""
        if self.stream is None:
            return
        if self.stream.phase == "paused":
            self.stream.resume()
        else:
            self.stream.pause()
        self.model.touch("stream")

    def _on_start(self, params: str | None = None) -> None:
        busy = self.stream is not None and self.stream.alive
        if busy or self._opening is not None:
            return
        if params is not None:
            self.params = str(params)
        self.error, self._note, self._progress = None, "", None
        self.part.put(card=None, params=self.params)
        self._open_aside()

    def _on_restart(self) -> None:
        self._on_start(self.params)

    def _on_dismiss(self) -> None:
        self.part.put(card=None)

    def _on_limit(self, key: str, value: float) -> None:
        if key in {"events", "seconds", "mebibytes"} and value and value > 0:
            number = float(value) if key == "seconds" else int(value)
            self.set_limits(**{key: number})

    def set_limits(self, **limits: Any) -> None:
        """Change where streams stop: events, seconds, mebibytes."""
        self.limits = replace(self.limits, **limits)
        if self.stream is not None:
            self.stream.limits = self.limits
        self.part.put(limits=asdict(self.limits))

    def _on_set(self, key: str, value: str) -> None:
        if key == "params":
            self.params = str(value)
        elif key == "source" and value in queries.sources_of(self.target):
            self.source = str(value)

    def _fail(self, error: Exception) -> None:
        self.error = error
        self.part.put(card=error_card(error, kept=len(self.model.store)))

    # -- showing ----

    @property
    def live(self) -> bool:
        """Whether rows may still come."""
        if self._opening is not None:
            return True
        return self.stream is not None and self.stream.alive

    def tick(self) -> None:
        """Hold the limits and notice the end; called by the writer about 10×/s."""
        stream = self.stream
        if stream is None:
            return
        stream.check_limits()
        if stream.alive:
            now = time.monotonic()
            if now - self._progress_at > _PROGRESS_SEC and stream.phase != "stopping":
                self._progress_at = now
                self._progress = queries.progress_of(stream.capture)
            return
        if self.model.live:
            self.model.live = False
            self._note = stream.ended_by or _ENDS.get(stream.end_reason or "", "")
            if stream.error is not None:
                self._fail(stream.error)
            self.model.touch("stream", "rows", "ended")

    def refresh(self, changes: set[str]) -> None:
        """Show what changed."""
        stream = self.stream
        phase = self._phase()
        if changes <= {"funnel", "selection", "labels"} and phase == self._was:
            return
        self._was = phase
        rate = None if stream is None else stream.rate()
        self.part.put(
            phase=phase,
            count=len(self.model.store),
            rate=None if rate is None else _calm(rate),
            matches=self.model.matcher.count,
            memory=self.model.store.nbytes,
            elapsed=None if stream is None else round(stream.elapsed, 1),
            progress=self._progress if stream is not None and stream.alive else None,
            note=self._note,
        )

    def _phase(self) -> str:
        if self._opening is not None:
            return "starting"
        if self.stream is not None:
            return self.stream.phase
        if self.error is not None:
            return "failed"
        if self.target is None:
            return "none"
        return "idle" if queries.can_stream(self.target) else "ended"


def _calm(rate: float) -> float:
    """Round to three digits, so that the number can be read while it changes."""
    if rate <= 0:
        return 0.0
    digits = max(0, len(str(int(rate))) - 3)
    return float(round(rate, -digits) if rate >= 10 else round(rate, 1))
