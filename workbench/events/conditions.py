"""What stands where a condition may: a text, a compiled condition, a rule.

Rules belong to a layer above this one, which registers with :func:`compile_for` how a
rule is compiled; a rule set given with ``rules=`` does it itself.
"""

from __future__ import annotations

import sys
import warnings
from functools import singledispatch
from typing import TYPE_CHECKING, Any, Protocol

from workbench.diagnostics import ConditionWarning

if TYPE_CHECKING:
    from collections.abc import Iterable

    from workbench.condition.execution.compile import CompiledCondition
    from workbench.diagnostics import Diagnostic

__all__ = ["RulesInHand", "compile_for", "compiled_condition", "is_condition"]


class RulesInHand(Protocol):
    """What a rule set does for conditions; see the methods of RuleSet."""

    def compile_condition(self, condition: Any, against: Any) -> CompiledCondition:
        """Compile a text, a rule or the name of one, with macros and lists."""

    def alert_notes(self, name: str, event: Any) -> tuple[str, ...]:
        """Return what else decides whether a rule alerts on one event."""


@singledispatch
def compile_for(condition: Any, events: Any) -> CompiledCondition:  # noqa: ARG001
    """Compile ``condition`` for ``events``; what is compiled already stays as it is.

    Raises TypeError for what is no condition.
    """
    if hasattr(condition, "root") and hasattr(condition, "mask"):
        compiled: CompiledCondition = condition
        return compiled
    kind = type(condition).__name__
    raise TypeError(f"not a condition: {kind}")


@compile_for.register(str)
@compile_for.register(bytes)
def _compile_text(condition: str | bytes, events: Any) -> CompiledCondition:
    from workbench.condition import compile_condition

    return compile_condition(condition, events.fields)


def is_condition(value: Any) -> bool:
    """Whether a value is a condition and not one flag per event."""
    known = compile_for.dispatch(type(value)) is not compile_for.dispatch(object)
    return known or (hasattr(value, "root") and hasattr(value, "mask"))


def compiled_condition(
    condition: Any, events: Any, rules: RulesInHand | None
) -> CompiledCondition:
    """Compile a condition with the macros and lists of ``rules``, if given.

    Tells what is odd about a text as a ConditionWarning. Raises as
    :meth:`workbench.events.events.Events.where`.
    """
    if rules is None:
        compiled = compile_for(condition, events)
    else:
        compiled = rules.compile_condition(condition, events)
    if isinstance(condition, str | bytes) and not compiled.rule:
        _warn(compiled.warnings)
    return compiled


def _warn(found: Iterable[Diagnostic]) -> None:
    for item in found:
        text = f"{item.message} [{item.code}]"
        warnings.warn(
            f"{text}; {item.hint}" if item.hint else text,
            ConditionWarning,
            stacklevel=_caller_level(),
        )


def _caller_level() -> int:
    """Return the stack level of the first frame outside this package."""
    level, frame = 1, sys._getframe(1)  # noqa: SLF001 - what warnings itself counts in
    while frame.f_back and frame.f_globals.get("__name__", "").startswith("workbench."):
        level, frame = level + 1, frame.f_back
    return level
