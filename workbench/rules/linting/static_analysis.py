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
# Conditions with more checks than this are not looked into.
_MAX_CHECKS = 2000
# Earlier rules that a rule is compared with, by column.
_MAX_CANDIDATES = 200


@dataclass(frozen=True, slots=True)
class _Literal:
    """A check or its opposite."""

    check: BoundCheck
    positive: bool


def _literals(node: Bound) -> tuple[list[_Literal], bool]:
    """Return the checks that stand alone in a conjunction, and whether that is all."""
    found: list[_Literal] = []
    complete = True
    todo = [node]
    while todo and len(found) < _MAX_CHECKS:
        child = todo.pop()
        if isinstance(child, BoundAnd):
            todo.extend(reversed(child.children))
        elif isinstance(child, BoundCheck):
            found.append(_Literal(child, positive=True))
        elif isinstance(child, BoundNot) and isinstance(child.child, BoundCheck):
            found.append(_Literal(child.child, positive=False))
        else:
            complete = False
    return found, complete and not todo


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
    """Return the values that a check rules out."""
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
    positive = [item.check for item in literals if item.positive]
    constraints: dict[str, _Constraint] = {}
    for item in literals:
        check = item.check
        if not item.positive and any(
            other.test == check.test and other == check for other in positive
        ):
            return True
        if check.left.column is not None:
            constraints.setdefault(check.left.column, _Constraint()).add(item)
    return any(constraint.excludes_all() for constraint in constraints.values())


class _Constraint:
    """What checks that must all hold leave of one column's values."""

    def __init__(self) -> None:
        self.allowed: frozenset[Any] | None = None
        self.excluded: set[Any] = set()
        self.low, self.high = 0, _MAX_U64
        self.needed = self.absent = False

    def add(self, item: _Literal) -> None:
        check = item.check
        if item.positive:
            self.needed = True
            values = _values(check)
            if values is not None:
                known = self.allowed
                self.allowed = values if known is None else known & values
            if check.left.type in ("uint64", "reltime", "abstime"):
                self._bound(check)
        elif check.test == "exists":
            self.absent = True
        self.excluded |= _excluded(item) or frozenset()

    def _bound(self, check: BoundCheck) -> None:
        if not isinstance(check.right, Constants) or len(check.right.values) != 1:
            return
        value = check.right.values[0]
        if not isinstance(value, int):
            return
        if check.test in ("gt", "ge"):
            self.low = max(self.low, value + (check.test == "gt"))
        elif check.test in ("lt", "le"):
            self.high = min(self.high, value - (check.test == "lt"))

    def excludes_all(self) -> bool:
        """Whether no value is left."""
        if (self.needed and self.absent) or self.low > self.high:
            return True
        if self.allowed is None:
            return False
        left = self.allowed - self.excluded
        if (self.low, self.high) != (0, _MAX_U64):
            left = frozenset(v for v in left if self.low <= v <= self.high)
        return not left


def verdict(root: Bound) -> tuple[bool, Span | None, tuple[str, ...]] | None:
    """Return whether a condition is always (True) or never (False) true.

    With it come the span of the check that decides, None for several, and the macros
    that it is in. None when neither follows.
    """
    stack: list[tuple[bool | None, Bound]] = []
    for count, node in enumerate(postorder(root)):
        if count > 20 * _MAX_CHECKS:
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
            children = stack[-len(node.children) :]
            del stack[-len(node.children) :]
            stack.append(_joined(node, children))
    value, where = stack[0]
    if value is None:
        return None
    macros = where.macros if isinstance(where, BoundCheck) else ()
    span = where.span if isinstance(where, BoundCheck) else None
    return value, span, macros


def _joined(
    node: BoundAnd | BoundOr, children: list[tuple[bool | None, Bound]]
) -> tuple[bool | None, Bound]:
    """Join what follows of the children, each with the node that decides it."""
    decides = isinstance(node, BoundOr)
    for value, where in children:
        if value is decides:
            return decides, where
    if all(value is (not decides) for value, _ in children):
        return not decides, children[0][1]
    if isinstance(node, BoundAnd):
        return (False if _contradicts(_literals(node)[0]) else None), node
    opposites = {
        child.child
        for child in node.children
        if isinstance(child, BoundNot) and isinstance(child.child, BoundCheck)
    }
    always = any(
        isinstance(child, BoundCheck) and child in opposites for child in node.children
    )
    return (True if always else None), node


# shadows


def _implied(wanted: _Literal, known: Sequence[_Literal]) -> bool:
    """Whether one of the known checks implies the one wanted."""
    check = wanted.check
    values = _values(check) if wanted.positive else None
    column = check.left.column
    for item in known:
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
    """Return pairs (later, earlier) where the later condition implies the earlier one.

    Only what follows check by check is found; each later one comes once.
    """
    pairs: list[tuple[int, int]] = []
    by_column: dict[str, list[tuple[int, list[_Literal]]]] = {}
    for number, root in enumerate(roots):
        literals, complete = _literals(root)
        columns = {name for item in literals for name in item.check.left.columns}
        candidates = {
            entry[0]: entry[1]
            for name in columns
            for entry in by_column.get(name, ())[:_MAX_CANDIDATES]
        }
        for earlier in sorted(candidates):
            if all(_implied(item, literals) for item in candidates[earlier]):
                pairs.append((number, earlier))
                break
        first = literals[0].check.left.columns if complete and literals else ()
        if first:
            by_column.setdefault(first[0], []).append((number, literals))
    return pairs
