"""Conditions: Falco's language over Arrow tables, with the engine's verdicts.

:func:`compile_condition` makes a text ready to run over tables,
:func:`compile_conditions` many at once, :func:`check_condition` tells everything that
is wrong with a text, :func:`complete` what may come next.
"""

from __future__ import annotations

from typing import Any

# Public name → module that defines it; loaded on first use.
_HOMES = {
    "check_condition": "workbench.condition.recover",
    "compile_condition": "workbench.condition.compile",
    "compile_conditions": "workbench.condition.compile",
    "complete": "workbench.condition.completion",
}

__all__ = sorted(_HOMES)  # noqa: PLE0605 - one table holds the names and their homes


def __getattr__(name: str) -> Any:
    """Load a public name from its home on first use."""
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'workbench.condition' has no attribute {name!r}")
    import importlib

    value = getattr(importlib.import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
