"""Errors that the host told as data, rebuilt as the classes people catch."""

from __future__ import annotations

from typing import Any

from workbench import errors
from workbench.wire.messages import LARGEST_TEXT

__all__ = ["error_from_wire"]

_KINDS = (
    "PluginFailure",
    "PluginInitError",
    "PluginLoadError",
    "PluginOpenError",
    "WorkbenchError",
)


# More than what ``HostError.to_wire`` lets through is not from an honest worker.
_LONGEST = LARGEST_TEXT + 64
_MOST_COMPLAINTS = 1_000


def error_from_wire(data: dict[str, Any]) -> errors.WorkbenchError:
    """Build the error that the host described; unknown kinds become the base class."""
    kind = data.get("kind")
    name = kind if kind in _KINDS else "WorkbenchError"
    cls: type[errors.WorkbenchError] = getattr(errors, str(name))
    known = cls._facts
    facts = dict(data.get("facts") or {})
    kept = {key: _cut(value) for key, value in facts.items() if key in known}
    return cls(str(_cut(data.get("message", ""))), **kept)


def _cut(value: Any) -> Any:
    if isinstance(value, str):
        return value if len(value) <= _LONGEST else value[:_LONGEST] + "…"
    if isinstance(value, list):
        return [_cut(item) for item in value[:_MOST_COMPLAINTS]]
    return value
