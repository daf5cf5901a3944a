"""What follows from a bound condition without looking at any event."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from workbench.condition.binding.bound import (
    BoundAnd,
    BoundCheck,
    BoundNot,
    BoundOr,
    Constants,
    postorder,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.condition.binding.bound import Bound
    from workbench.diagnostics import Span

__all__ = ["find_shadows", "verdict"]

_MAX_U64 = (1 << 64) - 1
# Conditions with more parts than this are not looked into.
_MAX_PARTS = 2000


@dataclass(frozen=True, slots=True)
class _Literal:
    """A check or its opposite."""

    check: BoundCheck
    positive: bool


def _literals(node: Bound) -> list[_Literal] | None:
    """Return the checks that must all hold for a conjunction, None for other shapes."""
    found: list[_Literal] = []
    todo = [node]
    while todo:
        part = todo.pop()
        if isinstance(part, BoundAnd):
            todo.extend(reversed(part.children))
        elif isinstance(part, BoundCheck):
            found.append(_Literal(part, positive=True))
        elif isinstance(part, BoundNot) and isinstance(part.child, BoundCheck):
            found.append(_Literal(part.child, positive=False))
        else:
            return None
        if len(found) > _MAX_PARTS:
            return None
    return found


def _some_literals(node: Bound) -> list[_Literal]:
    """Return those checks of a conjunction that stand alone in it."""
    found: list[_Literal] = []
    todo = [node]
    while todo and len(found) < _MAX_PARTS:
        part = todo.pop()
        if isinstance(part, BoundAnd):
            todo.extend(reversed(part.children))
        elif isinstance(part, BoundCheck):
            found.append(_Literal(part, positive=True))
        elif isinstance(part, BoundNot) and isinstance(part.child, BoundCheck):
            found.append(_Literal(part.child, positive=False))
    return found


def _scalar_column(check: BoundCheck) -> str | None:
    left = check.left
    return None if left.is_list or left.type == "ipnet" else left.column


def _values(check: BoundCheck) -> frozenset[Any] | None:
    """Return the only values that satisfy a check on a plain scalar field."""
    if _scalar_column(check) is None or not isinstance(check.right, Constants):
        return None
    if check.test == "in" or (check.test == "eq" and check.combine in (None, "any")):
        return frozenset(check.right.values)
    return None


def _excluded(literal: _Literal) -> frozenset[Any] | None:
    """Return values that a check rules out."""
    check = literal.check
    if not literal.positive:
        return _values(check)
    if _scalar_column(check) is None or not isinstance(check.right, Constants):
        return None
    if check.test == "not_in" or (check.test == "ne" and check.combine is None):
        return frozenset(check.right.values)
    return None


def _contradicts(literals: Sequence[_Literal]) -> bool:
    """Whether checks that must all hold exclude each other."""
    allowed: dict[str, frozenset[Any]] = {}
    excluded: dict[str, set[Any]] = {}
    low: dict[str, int] = {}
    high: dict[str, int] = {}
    needed: set[str] = set()
    absent: set[str] = set()
    positive = [item.check for item in literals if item.positive]
    for item in literals:
        check = item.check
        if not item.positive and any(
            other.test == check.test and other == check for other in positive
        ):
            return True
        column = check.left.column
        if column is None:
            continue
        if item.positive:
            needed.add(column)
        elif check.test == "exists":
            absent.add(column)
        values = _values(check) if item.positive else None
        if values is not None:
            known = allowed.get(column)
            allowed[column] = values if known is None else known & values
        out = _excluded(item)
        if out is not None:
            excluded.setdefault(column, set()).update(out)
        if item.positive and check.left.type in ("uint64", "reltime", "abstime"):
            _bounds(check, column, low, high)
    if needed & absent:
        return True
    for column, values in allowed.items():
        left = values - excluded.get(column, set())
        if column in low:
            left = frozenset(v for v in left if v >= low[column])
        if column in high:
            left = frozenset(v for v in left if v <= high[column])
        if not left:
            return True
    return any(low[c] > high.get(c, _MAX_U64) for c in low) or any(
        high[c] < 0 for c in high
    )


def _bounds(
    check: BoundCheck, column: str, low: dict[str, int], high: dict[str, int]
) -> None:
    if not isinstance(check.right, Constants) or len(check.right.values) != 1:
        return
    value = check.right.values[0]
    if not isinstance(value, int):
        return
    if check.test in ("gt", "ge"):
        least = value + (check.test == "gt")
        low[column] = max(low.get(column, 0), least)
    elif check.test in ("lt", "le"):
        most = value - (check.test == "lt")
        high[column] = min(high.get(column, _MAX_U64), most)


def verdict(root: Bound) -> tuple[bool, Span | None, tuple[str, ...]] | None:
    """Whether a condition is always (True) or never (False) true, and where.

    None when neither follows. Returns also the span of the part that decides, and the
    macros it is in.
    """
    stack: list[tuple[bool | None, Bound]] = []
    for count, node in enumerate(postorder(root)):
        if count > 20 * _MAX_PARTS:
            return None
        if isinstance(node, BoundCheck):
            empty = (
                isinstance(node.right, Constants)
                and not node.right.values
                and node.test in ("in", "intersects", "eq")
                and not node.left.is_list
            )
            stack.append((False if empty else None, node))
        elif isinstance(node, BoundNot):
            value, where = stack.pop()
            stack.append((None if value is None else not value, where))
        elif isinstance(node, BoundAnd | BoundOr):
            parts = stack[-len(node.children) :]
            del stack[-len(node.children) :]
            stack.append(_joined(node, parts))
    value, where = stack[0]
    if value is None:
        return None
    macros = where.macros if isinstance(where, BoundCheck) else ()
    span = where.span if isinstance(where, BoundCheck) else None
    return value, span, macros


def _joined(
    node: BoundAnd | BoundOr, parts: list[tuple[bool | None, Bound]]
) -> tuple[bool | None, Bound]:
    decides = isinstance(node, BoundOr)
    for value, where in parts:
        if value is decides:
            return decides, where
    if all(value is (not decides) for value, _ in parts):
        return not decides, parts[0][1]
    if isinstance(node, BoundAnd):
        return (False if _contradicts(_some_literals(node)) else None), node
    opposites = {
        part.child
        for part in node.children
        if isinstance(part, BoundNot) and isinstance(part.child, BoundCheck)
    }
    always = any(
        isinstance(part, BoundCheck) and part in opposites for part in node.children
    )
    return (True if always else None), node


# shadows


def _implied(wanted: _Literal, given: Sequence[_Literal]) -> bool:
    """Whether one of the checks given implies the one wanted."""
    check = wanted.check
    values = _values(check) if wanted.positive else None
    column = check.left.column
    for item in given:
        if item.positive == wanted.positive and item.check == check:
            return True
        if item.check.left.column != column or column is None:
            continue
        if wanted.positive and item.positive and check.test == "exists":
            return True
        if values is not None and item.positive:
            own = _values(item.check)
            if own is not None and own and own <= values:
                return True
    return False


def find_shadows(roots: Sequence[Bound]) -> list[tuple[int, int]]:
    """Find pairs (later, earlier) where the later condition implies the earlier one.

    Only what follows check by check is found; each later one is told once.
    """
    pairs: list[tuple[int, int]] = []
    by_column: dict[str, list[tuple[int, list[_Literal]]]] = {}
    for number, root in enumerate(roots):
        literals = _some_literals(root)
        columns = {name for item in literals for name in item.check.left.columns}
        candidates = {
            entry[0]: entry[1]
            for name in columns
            for entry in by_column.get(name, ())[:200]
        }
        for earlier in sorted(candidates):
            if all(_implied(item, literals) for item in candidates[earlier]):
                pairs.append((number, earlier))
                break
        whole = _literals(root)
        if whole:
            first = whole[0].check.left.columns
            if first:
                by_column.setdefault(first[0], []).append((number, whole))
    return pairs
