"""Errors that the host told as data, rebuilt as the classes people catch."""

from __future__ import annotations

from typing import Any

from workbench import errors

__all__ = ["error_from_wire"]

_KINDS = (
    "PluginFailure",
    "PluginInitError",
    "PluginLoadError",
    "PluginOpenError",
    "WorkbenchError",
)


def error_from_wire(data: dict[str, Any]) -> errors.WorkbenchError:
    """Build the error that the host described; unknown kinds become the base class."""
    kind = data.get("kind")
    name = kind if kind in _KINDS else "WorkbenchError"
    cls: type[errors.WorkbenchError] = getattr(errors, str(name))
    known = cls._facts
    facts = {k: v for k, v in dict(data.get("facts") or {}).items() if k in known}
    return cls(str(data.get("message", "")), **facts)
