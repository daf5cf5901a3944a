"""``evt.type`` in rules of source ``syscall``: unknown names, and none at all."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeGuard

from workbench.condition.syntax.nodes import (
    AndExpr,
    BinaryCheckExpr,
    FieldExpr,
    MacroExpr,
    NotExpr,
    OrExpr,
    postorder,
)
from workbench.fields.spelling import nearest_names
from workbench.rules.compiling.engine_warnings import compared_values
from workbench.rules.model.entries import as_text

if TYPE_CHECKING:
    from workbench.condition.binding.bound import Bound
    from workbench.condition.syntax.nodes import Expr
    from workbench.rules.model.diagnostics_sink import DiagnosticSink
    from workbench.rules.model.entries import RuleEntry

__all__ = ["unknown_event_type", "warn_of_event_types"]


def unknown_event_type(tree: Expr) -> tuple[BinaryCheckExpr, str, str] | None:
    """Find a check of evt.type with a name that no event has: it, name, and hint."""
    from workbench.rules.compiling.event_names import EVENT_NAMES

    for node in postorder(tree):
        if not _is_type_check(node, ("=", "==", "!=", "in")):
            continue
        for name in map(as_text, compared_values(node)):
            if name not in EVENT_NAMES:
                near = nearest_names(name, EVENT_NAMES)
                hint = f"did you mean {near[0]}?" if near else "name a system call"
                return node, name, hint
    return None


def _is_type_check(
    node: Expr | Bound, operators: tuple[str, ...]
) -> TypeGuard[BinaryCheckExpr]:
    return (
        isinstance(node, BinaryCheckExpr)
        and isinstance(node.left, FieldExpr)
        and node.left.name == "evt.type"
        and node.op in operators
    )


def warn_of_event_types(
    sink: DiagnosticSink, entry: RuleEntry, tree: Expr, advice: str | None = None
) -> None:
    """Warn when a syscall rule looks at every type of event.

    ``advice``: what to do, when the rule is not meant for system calls.
    """
    if _restricts_types(tree):
        return
    sink.warn(
        "LOAD_NO_EVTTYPE",
        "Rule matches too many evt.type values. This has a significant performance "
        "penalty.",
        entry.location,
        advice or "add a check such as: evt.type in (open, openat)",
    )


def _restricts_types(tree: Expr) -> bool:
    """Whether a condition can only hold for some event types."""
    stack: list[bool] = []
    for node in postorder(tree):
        if isinstance(node, AndExpr | OrExpr):
            count = len(node.children)
            held = stack[-count:]
            del stack[-count:]
            stack.append(any(held) if isinstance(node, AndExpr) else all(held))
        elif isinstance(node, MacroExpr):
            continue
        elif isinstance(node, NotExpr):
            stack[-1] = False
        else:
            stack.append(_is_type_check(node, ("=", "==", "in")))
    return stack[0]
