"""The notebook widgets themselves: thin shells over one script each.

Every message from the browser goes through :meth:`LabWidget.receive`, which finds the
handler, holds the lab's lock, and turns an error into a notice on screen: nothing that
a person does fails in silence.
"""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING, Any

import anywidget
import traitlets

from workbench.ui.widgets import assets

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Editor", "EventTable", "LabWidget", "StateWidget", "Timeline"]


class LabWidget(anywidget.AnyWidget):
    """A widget whose messages ``{"do": name, …}`` call the handler registered for it.

    ``lock``: held while a handler runs; parts of one lab share it. ``on_error`` gets
    the exception of a handler that failed.
    """

    _css = assets.style()

    def __init__(self, **traits: Any) -> None:
        super().__init__(**traits)
        self.lock: Any = threading.RLock()
        self.on_error: Callable[[Exception], None] | None = None
        self._handlers: dict[str, Callable[..., Any]] = {}
        self.on_msg(self.receive)

    def handle(self, name: str, handler: Callable[..., Any]) -> None:
        """Call ``handler(**message)`` for messages ``{"do": name, …}``."""
        self._handlers[name] = handler

    def handle_all(self, **handlers: Callable[..., Any]) -> None:
        """Register several handlers by the names of their messages."""
        self._handlers.update(handlers)

    def receive(self, _widget: Any, content: Any, _buffers: Any = None) -> None:
        """Take one message from the browser."""
        if not isinstance(content, dict):
            return
        message = {str(key): value for key, value in content.items()}
        handler = self._handlers.get(message.pop("do", ""))
        if handler is None:
            return
        try:
            with self.lock:
                handler(**message)
        except Exception as error:
            if self.on_error is None:
                raise
            self.on_error(error)

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

    def resend(self) -> None:
        """Send what can change once more, in case the browser missed the last."""
        keys = [key for key in self.keys if key in self._changing]
        self.send_state(keys)

    _changing: tuple[str, ...] = ()


class StateWidget(LabWidget):
    """Forms and cards; ``view`` names the script's view, ``state`` is what it shows."""

    _esm = assets.script("panel")
    view = traitlets.Unicode().tag(sync=True)
    state = traitlets.Dict().tag(sync=True)
    page = traitlets.Unicode().tag(sync=True)
    _changing = ("state",)

    def put(self, **values: Any) -> None:
        """Change parts of the state; sends only when something is different."""
        changed = {k: v for k, v in values.items() if self.state.get(k, ...) != v}
        if changed:
            self.state = {**self.state, **changed}


class Editor(LabWidget):
    """The text editor for conditions and outputs.

    ``text``: two-way; set it with :meth:`set_text`. ``checked``: the complaints, tagged
    with the text they belong to; positions are UTF-16 code units.
    """

    _esm = assets.script("editor")
    text = traitlets.Unicode().tag(sync=True)
    checked = traitlets.Dict().tag(sync=True)
    language = traitlets.Unicode("condition").tag(sync=True)
    words = traitlets.Dict().tag(sync=True)
    label = traitlets.Unicode("Condition").tag(sync=True)
    placeholder = traitlets.Unicode("").tag(sync=True)
    _changing = ("checked",)

    def set_text(self, text: str) -> None:
        """Replace the text in Python and in every browser."""
        self.text = text
        self.send({"do": "text", "text": text})


class EventTable(LabWidget):
    """The virtual table; rows are fetched by message, see :mod:`.table_state`."""

    _esm = assets.script("table")
    columns = traitlets.List().tag(sync=True)
    shown = traitlets.List().tag(sync=True)
    widths = traitlets.Dict().tag(sync=True)
    total = traitlets.Int(0).tag(sync=True)
    version = traitlets.Int(0).tag(sync=True)
    sort = traitlets.List().tag(sync=True)
    quick = traitlets.Unicode("").tag(sync=True)
    show = traitlets.Unicode("all").tag(sync=True)
    follow = traitlets.Bool(default_value=False).tag(sync=True)
    selected = traitlets.List().tag(sync=True)
    active_column = traitlets.Unicode("").tag(sync=True)
    counts = traitlets.Dict().tag(sync=True)
    note = traitlets.Unicode("").tag(sync=True)
    empty = traitlets.Unicode("No events yet.").tag(sync=True)
    reveal = traitlets.Int(-1).tag(sync=True)
    height = traitlets.Int(420).tag(sync=True)
    _changing = ("total", "version", "counts", "note", "selected")


class Timeline(LabWidget):
    """Counts over time or a number, with a brush; ``data`` as Bins gives it."""

    _esm = assets.script("timeline")
    data = traitlets.Dict().tag(sync=True)
    field = traitlets.Unicode("evt.time").tag(sync=True)
    fields = traitlets.List().tag(sync=True)
    _changing = ("data",)
