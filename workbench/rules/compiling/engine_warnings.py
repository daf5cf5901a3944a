"""What the engine warns of in a condition that compiles all the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from workbench.condition.syntax.nodes import (
    BinaryCheckExpr,
    FieldExpr,
    ListExpr,
    UnaryCheckExpr,
    ValueExpr,
    postorder,
)
from workbench.rules.model.locations import ConditionLocation

if TYPE_CHECKING:
    from workbench.condition.syntax.nodes import Expr
    from workbench.rules.compiling.compiled import Parsed
    from workbench.rules.model.diagnostics_sink import DiagnosticSink
    from workbench.rules.model.entries import RuleEntry
    from workbench.rules.model.locations import SourcePoint

    Checked: TypeAlias = BinaryCheckExpr | UnaryCheckExpr

__all__ = ["DEPRECATED_FIELDS", "compared_values", "warn_of_old_idioms"]

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


def _location(entry: RuleEntry, parsed: Parsed, node: Checked) -> ConditionLocation:
    """Return the location of a check: the engine points at all of the condition."""
    own = parsed.tree is not None and any(
        inner is node for inner in postorder(parsed.tree)
    )

    def find() -> SourcePoint | None:
        # a check inside a macro counts in the macro's text
        return parsed.source_map().source_point(node.span.start) if own else None

    return ConditionLocation(entry.condition_location, parsed.written, 0, 0, 0, find)


def warn_of_old_idioms(
    sink: DiagnosticSink, entry: RuleEntry, tree: Expr, parsed: Parsed
) -> None:
    """Warn of deprecated fields and of comparisons with <NA>."""
    seen: set[str] = set()
    for node in postorder(tree):
        if not isinstance(node, BinaryCheckExpr | UnaryCheckExpr):
            continue
        name = node.left.name if isinstance(node.left, FieldExpr) else ""
        if name in DEPRECATED_FIELDS and name not in seen:
            seen.add(name)
            sink.warn(
                "LOAD_DEPRECATED_ITEM",
                f"usage of deprecated field '{name}' has been detected in the rule "
                "condition",
                _location(entry, parsed, node),
                f"remove the checks of {name}",
            )
    for node in postorder(tree):
        if isinstance(node, BinaryCheckExpr) and _compares_with_na(node):
            name = getattr(node.left, "name", "")
            sink.warn(
                "LOAD_UNSAFE_NA_CHECK",
                "",
                _location(entry, parsed, node),
                f"an absent {name} never equals <NA>: write 'not {name} exists'",
            )
            return


def _compares_with_na(node: BinaryCheckExpr) -> bool:
    return (
        isinstance(node.left, FieldExpr)
        and node.left.name.startswith(_UNSAFE_FAMILIES)
        and node.op in _UNSAFE_OPERATORS
        and b"<NA>" in compared_values(node)
    )


def compared_values(node: BinaryCheckExpr) -> list[bytes]:
    """Return the plain values on the right of a check."""
    right = node.right
    values = right.items if isinstance(right, ListExpr) else (right,)
    return [value.value for value in values if isinstance(value, ValueExpr)]
