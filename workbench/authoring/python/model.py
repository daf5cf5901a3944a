"""What a plugin author writes in Python: a subclass of :class:`PythonPlugin`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.authoring.python.values import PluginEvent, PluginInfo
    from workbench.events.events import Events
    from workbench.fields.declarations import FieldInfo
    from workbench.manifest import OpenParam

__all__ = ["API_VERSION", "PythonPlugin", "find_plugin_class", "overrides"]

# The plugin API that Python plugins are compiled against.
API_VERSION = "3.12.0"


class PythonPlugin:
    """Base class of plugins written in Python.

    Implement :meth:`info` always; :meth:`open` and :meth:`next_batch` to be an event
    source; :meth:`fields` and :meth:`extract` to extract fields; :meth:`parse` to see
    every event first. An exception raised anywhere becomes the plugin's last error,
    its traceback goes to the log, and the call returns FAILURE.
    """

    # JSON schema of the init config; None takes any text.
    init_schema: dict[str, Any] | None = None

    @classmethod
    def preview(
        cls, params: str = "", *, config: Any = None, max_events: int = 1000
    ) -> Events:
        """Drive the class in this process, without building; return its events.

        ``config``: init config, decoded. Errors of the class are raised as they are.
        """
        from workbench.authoring.python.preview import preview

        return preview(cls(), params, config=config, max_events=max_events)

    def info(self) -> PluginInfo:
        """Return what the plugin says about itself."""
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
        """Return the next events: payloads, or pairs of time (ns) and payload.

        An empty batch means "nothing now". Raise ``EndOfEvents`` at the end.
        """
        raise NotImplementedError

    def close(self, instance: Any) -> None:
        """End a stream."""

    def progress(self, instance: Any) -> tuple[float, str]:  # noqa: ARG002
        """Return percent done (0..100) and a text."""
        return 0.0, ""

    def extract(self, event: PluginEvent, name: str, arg: str | int | None) -> Any:
        """Return the value of the field ``name``, None when the event has none.

        By type: str or bytes, int, bool; ns for times; 4 or 16 bytes or address text
        for ipaddr; a list of these for list fields.
        """
        raise NotImplementedError

    def event_to_string(self, event: PluginEvent) -> str:
        """Return one line of text for an event."""
        return event.data.decode("utf-8", "replace")

    def parse(self, event: PluginEvent) -> None:
        """See an event before any extraction, to keep state."""
        raise NotImplementedError

    def destroy(self) -> None:
        """Release what :meth:`init` took."""


def overrides(plugin: type[PythonPlugin], name: str) -> bool:
    """Whether the author wrote the method ``name``."""
    return getattr(plugin, name) is not getattr(PythonPlugin, name)


def find_plugin_class(namespace: dict[str, Any]) -> type[PythonPlugin]:
    """Return the one plugin class that a module's source defines, the last if several.

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
