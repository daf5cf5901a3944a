"""Every error the workbench raises on purpose, as plain data.

Errors travel from the worker process to the notebook and through ``pickle``. Each class
therefore keeps its constructor arguments as attributes and rebuilds itself from them.
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from workbench.formatting.printable import bounded

__all__ = [
    "ArgumentError",
    "ArtifactError",
    "CaptureFileError",
    "ConditionError",
    "EndReason",
    "FileError",
    "PluginCrashed",
    "PluginFailure",
    "PluginHung",
    "PluginInitError",
    "PluginLoadError",
    "PluginOpenError",
    "RulesError",
    "WorkbenchError",
]


def _rebuild(
    cls: type[WorkbenchError],
    message: str,
    facts: dict[str, Any],
    extras: dict[str, Any],
) -> WorkbenchError:
    """Undo :meth:`WorkbenchError.__reduce__`."""
    error = cls(message, **facts)
    error.__dict__.update(extras)
    return error


# How a capture ended.
EndReason = Literal["eof", "limit", "cancelled", "failure", "crashed", "hung"]


class WorkbenchError(Exception):
    """Base of all errors raised on purpose; its message says what to do next.

    ``message`` is the whole text shown to people; very long names in it, and what is
    beyond 20,000 characters, are cut in the middle. ``events`` holds what had been read
    when the error was raised while events were being collected, else None.
    """

    _facts: ClassVar[tuple[str, ...]] = ()

    def __init__(self, message: str = "", **facts: Any) -> None:
        """Keep ``message`` and the facts that the class names in ``_facts``."""
        unknown = set(facts) - set(self._facts)
        if unknown:
            text = f"{type(self).__name__} has no facts {sorted(unknown)}"
            raise TypeError(text)
        message = bounded(message)
        super().__init__(message)
        self.message = message
        self.events: Any = None
        for name in self._facts:
            setattr(self, name, facts.get(name))

    def _render_traceback_(self) -> list[str]:
        """Return what a notebook prints: the user's frames and the message."""
        from workbench.user_frames import notebook_lines

        name = f"{type(self).__module__}.{type(self).__qualname__}"
        words = [f"{name}: {self.message}", *getattr(self, "__notes__", ())]
        return notebook_lines(self, words)

    def __reduce__(self) -> tuple[Any, ...]:
        """Survive pickling with every fact and later note in place."""
        facts = {name: getattr(self, name) for name in self._facts}
        extras = {
            name: value
            for name, value in self.__dict__.items()
            if name not in self._facts and name != "message"
        }
        return _rebuild, (type(self), self.message, facts, extras)


class ArgumentError(WorkbenchError, TypeError, ValueError):
    """An argument that is not what the function takes. ``argument``: its name."""

    argument: str | None
    _facts = ("argument",)


class PluginLoadError(WorkbenchError):
    """A library that cannot be used as a plugin.

    ``path``: the file asked for. ``complaints``: list of str, every reason found.
    """

    path: str | None
    complaints: list[str]
    _facts = ("path", "complaints")

    def __init__(self, message: str = "", **facts: Any) -> None:
        """Default ``complaints`` to the message itself."""
        if facts.get("complaints") is None:
            facts["complaints"] = [message] if message else []
        super().__init__(message, **facts)


class PluginInitError(WorkbenchError):
    """``plugin_init`` refused, or its init config does not fit the init schema.

    ``plugin``: name. ``last_error``: the plugin's own words or None. ``config_path``:
    where in the init config the schema was broken, such as ``["a"][0]``, or None.
    """

    plugin: str | None
    last_error: str | None
    config_path: str | None
    _facts = ("plugin", "last_error", "config_path")


class PluginOpenError(WorkbenchError):
    """``plugin_open`` refused the open params.

    ``plugin``: name. ``params``: the text given. ``last_error``: the plugin's words.
    """

    plugin: str | None
    params: str | None
    last_error: str | None
    _facts = ("plugin", "params", "last_error")


class PluginFailure(WorkbenchError):
    """A plugin call returned a failure, or broke the rules of the plugin API.

    ``plugin``: name. ``call``: C function name such as ``plugin_next_batch``.
    ``return_code``: int or None. ``last_error``: the plugin's words or None.
    ``event_number``: number of the event in work or of the last one, or None.
    """

    plugin: str | None
    call: str | None
    return_code: int | None
    last_error: str | None
    event_number: int | None
    _facts = ("plugin", "call", "return_code", "last_error", "event_number")


class PluginCrashed(WorkbenchError):
    """The plugin ended its process: signal, ``exit``, ``_exit`` or memory limit.

    ``plugin``: name or path. ``signal``: number such as 11, or None. ``exit_status``:
    int or None. ``reason``: "signal", "exit", "memory", or "sent invalid data" when the
    worker sends what no worker sends by itself. ``call``: C function in flight.
    ``event_number``: of the event in work or of the last one, or None. ``backtrace``:
    list of str, native frames, innermost first. ``log_tail``: list of str, the last
    lines it wrote.
    """

    plugin: str | None
    signal: int | None
    exit_status: int | None
    reason: str | None
    call: str | None
    event_number: int | None
    backtrace: list[str] | None
    log_tail: list[str] | None
    _facts = (
        "plugin",
        "signal",
        "exit_status",
        "reason",
        "call",
        "event_number",
        "backtrace",
        "log_tail",
    )


class PluginHung(WorkbenchError):
    """A plugin call did not return within its limit; the worker was ended.

    ``plugin``: name or path. ``call``: C function in flight. ``event_number``: of the
    event in work or of the last one. ``limit_sec``: the limit that passed, seconds.
    ``log_tail``: list of str, the last lines the plugin wrote.
    """

    plugin: str | None
    call: str | None
    event_number: int | None
    limit_sec: float | None
    log_tail: list[str] | None
    _facts = ("plugin", "call", "event_number", "limit_sec", "log_tail")


class ConditionError(WorkbenchError):
    """A condition that Falco would refuse.

    ``position``: 0-based byte offset of the fault in the UTF-8 text. ``line`` and
    ``column``: 1-based, characters. ``stage``: "parse" or "compile". ``diagnostics``:
    list of Diagnostic, the first being this error. ``hint``: a correction or None.
    """

    position: int | None
    line: int | None
    column: int | None
    stage: str | None
    diagnostics: list[Any] | None
    hint: str | None
    _facts = ("position", "line", "column", "stage", "diagnostics", "hint")


class FileError(WorkbenchError):
    """A file that cannot be read or written. ``path``: the file."""

    path: str | None
    _facts: ClassVar[tuple[str, ...]] = ("path",)


class CaptureFileError(FileError):
    """A capture file that cannot be read or written.

    ``path``: the file. ``offset``: where the damage begins, bytes in the uncompressed
    data, or None. ``events`` holds what was read before the damage.
    """

    path: str | None
    offset: int | None
    _facts: ClassVar[tuple[str, ...]] = ("path", "offset")


class ArtifactError(WorkbenchError):
    """A plugin or rules file that cannot be fetched from a registry or installed.

    ``artifact``: what was asked for. ``reference``: registry, repository and tag or
    digest that it stands for, or None. ``stage``: where it failed: "name", "index",
    "registry", "platform", "layout", "requirement", "digest", "archive" or "install".
    """

    artifact: str | None
    reference: str | None
    stage: str | None
    _facts = ("artifact", "reference", "stage")


class RulesError(WorkbenchError):
    """Rules files or outputs that Falco would refuse.

    ``diagnostics``: list of Diagnostic, every complaint.
    """

    diagnostics: list[Any]
    _facts = ("diagnostics",)

    def __init__(self, message: str = "", **facts: Any) -> None:
        """Default ``diagnostics`` to an empty list."""
        if facts.get("diagnostics") is None:
            facts["diagnostics"] = []
        super().__init__(message, **facts)
