"""An error as a card: what happened, in which call, where, what to do next."""

from __future__ import annotations

import signal
from typing import Any

from workbench.errors import PluginCrashed, PluginHung, WorkbenchError

__all__ = ["error_card", "error_text"]

_TAIL = 30


def error_text(error: Exception) -> str:
    """Return an error as one text for people; unexpected ones name their type."""
    if isinstance(error, WorkbenchError):
        return str(error)
    return f"{type(error).__name__}: {error}"


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return str(number)


def error_card(error: Exception, *, kept: int) -> dict[str, Any]:
    """Describe ``error`` for the screen; ``kept``: events read before it."""
    title = "The stream failed"
    if isinstance(error, PluginCrashed):
        title = "The plugin crashed"
    elif isinstance(error, PluginHung):
        title = "The plugin hangs"
    facts = []
    if getattr(error, "plugin", None):
        facts.append(["plugin", str(error.plugin)])  # type: ignore[attr-defined]
    number = getattr(error, "signal", None)
    if number is not None:
        facts.append(["signal", _signal_name(number)])
    for label, name in (
        ("exit status", "exit_status"),
        ("in call", "call"),
        ("return code", "return_code"),
        ("at event", "event_number"),
        ("limit, seconds", "limit_sec"),
        ("the plugin says", "last_error"),
    ):
        value = getattr(error, name, None)
        if value is not None and value != "":
            facts.append([label, str(value)])
    facts.append(["events kept", f"{kept:,}"])
    return {
        "title": title,
        "message": error_text(error),
        "facts": facts,
        "backtrace": "\n".join(getattr(error, "backtrace", None) or []),
        "log": "\n".join((getattr(error, "log_tail", None) or [])[-_TAIL:]),
        "restart": True,
    }
