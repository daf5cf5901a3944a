"""The notebook widget under the lab: one script, one channel, one lock.

Every message from the browser goes through :meth:`LabWidget.receive`, which finds the
part, holds the lab's lock, answers, and turns an error into a notice on screen: nothing
that a person does fails in silence.
"""

from __future__ import annotations

import contextlib
import threading
from typing import Any

import anywidget

from workbench.ui.widgets import assets
from workbench.ui.widgets.part import Part

__all__ = ["LabWidget"]


class LabWidget(anywidget.AnyWidget):
    """A widget made of parts: ``{"p": part, "do": name, …}`` calls its handler.

    ``lock``: held while a handler runs and while something is sent. A message with an
    ``id`` is answered by ``{"do": "reply", "id": …}``.
    """

    _esm = assets.script("lab")
    _css = assets.style()

    def __init__(self, **traits: Any) -> None:
        self.lock = threading.RLock()
        self.parts: dict[str, Part] = {}
        self._serial = 0
        super().__init__(**traits)
        self.on_msg(self.receive)

    def part(self, name: str, **state: Any) -> Part:
        """Make a part and carry it."""
        self.parts[name] = Part(name, **state)
        return self.parts[name]

    def show_error(self, error: Exception) -> None:
        """Show what failed; the lab knows where."""
        raise error

    def receive(self, _widget: Any, content: Any, _buffers: Any = None) -> None:
        """Take one message from the browser, and send what it changed."""
        if not isinstance(content, dict):
            return
        message = {str(key): value for key, value in content.items()}
        part = self.parts.get(str(message.pop("p", "")))
        do, asked = str(message.pop("do", "")), message.pop("id", None)
        if part is None:
            return
        answer: Any = None
        with self.lock:
            try:
                answer = part.receive(do, **message)
            except Exception as error:  # noqa: BLE001 - shown on screen
                self.show_error(error)
            if asked is not None:
                self._answer(asked, answer)
            self.flush()

    def _answer(self, asked: Any, answer: Any) -> None:
        buffers = None
        if isinstance(answer, bytes):
            answer, buffers = {}, [answer]
        self.send({"do": "reply", "id": asked, "value": answer}, buffers)

    def flush(self) -> None:
        """Send everything that changed since the last time, in one message."""
        with self.lock:
            fresh = {n: part.take_fresh() for n, part in self.parts.items()}
            changed = {name: values for name, values in fresh.items() if values}
            if changed:
                self._serial += 1
                self.send({"do": "state", "seq": self._serial, "parts": changed})

    def whole(self) -> dict[str, Any]:
        """Return the state of all parts, for a view that begins."""
        parts = {name: dict(part.state) for name, part in self.parts.items()}
        return {"seq": self._serial, "parts": parts}

    def open(self) -> None:
        """Open the channel to the browser."""
        super().open()
        self._free_route()

    def _send(self, msg: Any, buffers: Any = None) -> None:
        super()._send(msg, buffers=buffers)
        self._free_route()

    def _free_route(self) -> None:
        """Let the browser's messages take the way the browser chose.

        ipykernel 7.4 sends the messages of a channel to the shell that wrote to it
        last. A thread like ours may stand for a shell that was ended meanwhile, say by
        a reload of the page: everything a person does would be lost.
        """
        with contextlib.suppress(AttributeError):
            del self.comm._reply_subshell_id  # noqa: SLF001 - no public way
