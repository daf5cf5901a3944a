"""What a plugin author writes in Python: a subclass of :class:`PythonPlugin`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.events.events import Events
    from workbench.fields.declarations import FieldInfo
    from workbench.manifest import OpenParam

__all__ = ["EndOfEvents", "PluginEvent", "PluginInfo", "PythonPlugin"]

# The plugin API that Python plugins are compiled against.
API_VERSION = "3.12.0"


class EndOfEvents(Exception):
    """Raised by ``next_batch`` at the end of the stream (``events``: the last ones)."""

    def __init__(self, events: Sequence[bytes | tuple[int, bytes]] = ()) -> None:
        super().__init__("end of events")
        self.events = list(events)


@dataclass(frozen=True, slots=True)
class PluginInfo:
    """What the plugin says of itself.

    ``version``: ``x.y.z``. ``id``: registered plugin ID, 999 for tests, 0 together with
    an empty ``event_source`` for a plugin that only extracts.
    ``extract_event_sources``: further sources to extract from; empty with an empty
    ``event_source`` means any source.
    """

    name: str
    version: str = "0.1.0"
    description: str = ""
    contact: str = ""
    id: int = 0
    event_source: str = ""
    extract_event_sources: tuple[str, ...] = field(default=())


class PluginEvent:
    """One event, as extraction and parsing see it.

    ``number``: event number. ``timestamp``: ns since the epoch. ``data``: payload.
    ``source``: event source.
    """

    __slots__ = ("data", "number", "source", "timestamp")

    def __init__(self, number: int, timestamp: int, data: bytes, source: str) -> None:
        self.number = number
        self.timestamp = timestamp
        self.data = data
        self.source = source

    def __repr__(self) -> str:
        return f"PluginEvent(number={self.number}, data={self.data[:40]!r})"


class PythonPlugin:
    """Base class of plugins written in Python.

    Implement :meth:`info` always; :meth:`open` and :meth:`next_batch` to be an event
    source; :meth:`fields` and :meth:`extract` to give field values; :meth:`parse` to
    see every event first. An exception raised anywhere becomes the plugin's last error,
    its traceback goes to the log, and the call returns FAILURE.
    """

    # JSON schema of the init config; None takes any text.
    init_schema: dict[str, Any] | None = None

    @classmethod
    def preview(
        cls, params: str = "", *, config: Any = None, max_events: int = 1000
    ) -> Events:
        """Drive the class in this process, without building; give its events.

        ``config``: init config, decoded. Errors of the class are raised as they are.
        """
        from workbench.authoring.python.preview import preview

        return preview(cls(), params, config=config, max_events=max_events)

    def info(self) -> PluginInfo:
        """Say who the plugin is."""
        raise NotImplementedError

    def fields(self) -> Sequence[FieldInfo]:
        """Declare the fields, in order."""
        return ()

    def init(self, config: Any) -> None:
        """Take the init config: decoded JSON with an ``init_schema``, else text."""

    def open_params(self) -> Sequence[OpenParam]:
        """Suggest texts for :meth:`open`."""
        return ()

    def open(self, params: str) -> Any:
        """Start a stream; what is returned comes back as ``instance``."""
        raise NotImplementedError

    def next_batch(self, instance: Any) -> Sequence[bytes | tuple[int, bytes]]:
        """Give the next events: payloads, or pairs of time (ns) and payload.

        An empty batch means "nothing now". Raise :class:`EndOfEvents` at the end.
        """
        raise NotImplementedError

    def close(self, instance: Any) -> None:
        """End a stream."""

    def progress(self, instance: Any) -> tuple[float, str]:  # noqa: ARG002
        """Give percent done (0..100) and a text."""
        return 0.0, ""

    def extract(self, event: PluginEvent, name: str, arg: str | int | None) -> Any:
        """Give the value of the field ``name``, None when the event has none.

        By type: str or bytes, int, bool; ns for times; 4 or 16 bytes or address text
        for ipaddr; a list of these for list fields.
        """
        raise NotImplementedError

    def event_to_string(self, event: PluginEvent) -> str:
        """Give one line of text for an event."""
        return event.data.decode("utf-8", "replace")

    def parse(self, event: PluginEvent) -> None:
        """See an event before any extraction, to keep state."""
        raise NotImplementedError

    def destroy(self) -> None:
        """Release what :meth:`init` took."""


def overrides(plugin: type[PythonPlugin], name: str) -> bool:
    """Tell whether the author wrote the method ``name``."""
    return getattr(plugin, name) is not getattr(PythonPlugin, name)


def find_plugin_class(namespace: dict[str, Any]) -> type[PythonPlugin]:
    """Give the one plugin class that a module's source defines, the last if several.

    Raises ValueError when there is none.
    """
    found = [
        value
        for value in namespace.values()
        if isinstance(value, type)
        and issubclass(value, PythonPlugin)
        and value is not PythonPlugin
    ]
    if not found:
        raise ValueError(
            "the source defines no subclass of workbench.authoring.python.PythonPlugin"
        )
    return found[-1]
