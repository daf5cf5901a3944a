"""Conditions: Falco's language over Arrow tables, with the engine's verdicts.

:func:`compile_condition` makes a text ready to run over tables,
:func:`compile_conditions` many at once, :func:`check_condition` tells everything that
is wrong with a text, :func:`complete` what may come next.
"""

from __future__ import annotations

from workbench.lazy import lazy_names

# Public name → module that defines it; loaded on first use.
_HOMES = {
    "check_condition": "workbench.condition.binding.recover",
    "compile_condition": "workbench.condition.execution.compile",
    "compile_conditions": "workbench.condition.execution.compile",
    "complete": "workbench.condition.analysis.completion",
}

__all__ = sorted(_HOMES)  # noqa: PLE0605 - one table holds the names and their homes
__getattr__, __dir__ = lazy_names(__name__, _HOMES)
