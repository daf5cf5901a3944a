"""What the engine notes about a condition that compiles all the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from workbench.condition.syntax.nodes import (
    AndExpr,
    BinaryCheckExpr,
    FieldExpr,
    ListExpr,
    MacroExpr,
    OrExpr,
    UnaryCheckExpr,
    ValueExpr,
    postorder,
)
from workbench.fields.reference import nearest_names
from workbench.rules.model.entries import as_text
from workbench.rules.model.locations import ConditionLocation

if TYPE_CHECKING:
    from workbench.condition.syntax.nodes import Expr
    from workbench.rules.compiling.compiled import Parsed
    from workbench.rules.model.diagnostics_sink import DiagnosticSink
    from workbench.rules.model.entries import RuleEntry
    from workbench.rules.model.locations import SourcePoint

    Checked: TypeAlias = BinaryCheckExpr | UnaryCheckExpr

__all__ = [
    "DEPRECATED_FIELDS",
    "note_event_types",
    "note_old_idioms",
    "unknown_event_type",
]

DEPRECATED_FIELDS = (
    "evt.dir",
    "evt.latency.quantized",
    "evt.latency.human",
    "evt.latency.ns",
    "evt.latency.s",
    "evt.latency",
    "evt.wait_latency",
)
_UNSAFE_FAMILIES = ("ka.", "jevt.")
_UNSAFE_OPERATORS = frozenset(("=", "==", "!=", "in", "intersects", "pmatch"))


def _place(entry: RuleEntry, parsed: Parsed, node: Checked) -> ConditionLocation:
    """Make the place of a check: the engine points at the condition as a whole."""
    own = parsed.tree is not None and any(
        part is node for part in postorder(parsed.tree)
    )

    def find() -> SourcePoint | None:
        # a check inside a macro counts in the macro's text
        return parsed.retrace().spot(node.span.start) if own else None

    return ConditionLocation(entry.condition_place, parsed.written, 0, 0, 0, find)


def note_old_idioms(
    report: DiagnosticSink, entry: RuleEntry, tree: Expr, parsed: Parsed
) -> None:
    """Warn of deprecated fields and of comparisons with <NA>."""
    told: set[str] = set()
    for node in postorder(tree):
        if not isinstance(node, BinaryCheckExpr | UnaryCheckExpr):
            continue
        field = node.left
        if not isinstance(field, FieldExpr):
            continue
        if field.name in DEPRECATED_FIELDS and field.name not in told:
            told.add(field.name)
            report.warn(
                "LOAD_DEPRECATED_ITEM",
                f"usage of deprecated field '{field.name}' has been detected in the "
                "rule condition",
                _place(entry, parsed, node),
                f"remove the checks of {field.name}",
            )
    for node in postorder(tree):
        if not isinstance(node, BinaryCheckExpr):
            continue
        left, right = node.left, node.right
        if (
            not isinstance(left, FieldExpr)
            or not left.name.startswith(_UNSAFE_FAMILIES)
            or node.op not in _UNSAFE_OPERATORS
        ):
            continue
        values = right.items if isinstance(right, ListExpr) else (right,)
        if any(isinstance(v, ValueExpr) and v.value == b"<NA>" for v in values):
            report.warn(
                "LOAD_UNSAFE_NA_CHECK",
                "",
                _place(entry, parsed, node),
                f"an absent {left.name} never equals <NA>: write "
                f"'not {left.name} exists'",
            )
            return


def unknown_event_type(tree: Expr) -> tuple[BinaryCheckExpr, str, str] | None:
    """Find a check of evt.type with a name that no event has: it, name, and hint."""
    from workbench.rules.compiling.event_names import EVENT_NAMES

    for node in postorder(tree):
        if (
            not isinstance(node, BinaryCheckExpr)
            or not isinstance(node.left, FieldExpr)
            or node.left.name != "evt.type"
            or node.op not in ("=", "==", "!=", "in")
        ):
            continue
        right = node.right
        values = right.items if isinstance(right, ListExpr) else (right,)
        for value in values:
            if not isinstance(value, ValueExpr):
                continue
            name = as_text(value.value)
            if name not in EVENT_NAMES:
                near = nearest_names(name, dict.fromkeys(EVENT_NAMES))
                hint = f"did you mean {near[0]}?" if near else "name a system call"
                return node, name, hint
    return None


def note_event_types(report: DiagnosticSink, entry: RuleEntry, tree: Expr) -> None:
    """Warn when a syscall rule looks at every type of event."""
    if _restricts_types(tree):
        return
    report.warn(
        "LOAD_NO_EVTTYPE",
        "Rule matches too many evt.type values. This has a significant performance "
        "penalty.",
        entry.place,
        "add a check such as: evt.type in (open, openat)",
    )


def _restricts_types(tree: Expr) -> bool:
    """Say whether a condition can only hold for some event types."""
    stack: list[bool] = []
    for node in postorder(tree):
        if isinstance(node, AndExpr | OrExpr):
            count = len(node.children)
            parts = stack[-count:]
            del stack[-count:]
            stack.append(any(parts) if isinstance(node, AndExpr) else all(parts))
        elif isinstance(node, MacroExpr):
            continue
        elif isinstance(node, BinaryCheckExpr):
            left = node.left
            stack.append(
                isinstance(left, FieldExpr)
                and left.name == "evt.type"
                and node.op in ("=", "==", "in")
            )
        elif hasattr(node, "child"):
            stack[-1] = False
        else:
            stack.append(False)
    return stack[0]
