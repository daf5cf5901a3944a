"""From bound trees to one program: distinct checks once, equal subtrees once.

bound trees ─▶ leaves (what to ask of which column) ─▶ nodes over leaves ─▶ kernel

A *leaf* is the smallest question: one operand, one test, its constants. Conditions
that mean the same share leaves and nodes, whoever wrote them.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from workbench.condition.binding.bound import (
    BoundAnd,
    BoundCheck,
    BoundNot,
    BoundOr,
    CallStep,
    ColumnStep,
    Constants,
    Operand,
    postorder,
)
from workbench.condition.semantics import regex
from workbench.condition.semantics.values import Network

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from workbench.condition.binding.bound import Bound

__all__ = ["Leaf", "Node", "Plan", "Side", "build_plan"]

# Transformers that the kernel applies to one text.
_STEPS = {"tolower": 1, "toupper": 2, "basename": 3, "b64": 4}
_MAX_STEPS = 16

_MEMBERSHIP = frozenset(["in", "intersects", "not_in"])


@dataclass(frozen=True, slots=True)
class Side:
    """An operand the kernel reads by itself: a column, transformed text by text.

    ``steps``: codes of the kernel. ``length``: the number asked is the length.
    """

    column: str
    type: str
    is_list: bool
    steps: tuple[int, ...] = ()
    length: bool = False


@dataclass(frozen=True, slots=True)
class Leaf:
    """One question. ``how``: "kernel", "regex" or "reference".

    ``test``: a key of ``TESTS``, with " net" behind it when the constants are networks
    and " whole" when a text is searched past its NULs. ``constants``: in the kernel's
    form. ``check``: what the reference evaluator gets.
    """

    how: Literal["kernel", "regex", "reference"]
    test: str
    left: Side | None = None
    right: Side | None = None
    constants: tuple[bytes, ...] = ()
    check: BoundCheck | None = None

    @property
    def side(self) -> Side:
        """Return the left side of a leaf for the kernel or a pattern."""
        if self.left is None:
            raise TypeError("this leaf is for the reference evaluator")
        return self.left

    @property
    def columns(self) -> tuple[str, ...]:
        """Return the columns read."""
        if self.check is not None:
            names = list(self.check.left.columns)
            if isinstance(self.check.right, Operand):
                names += self.check.right.columns
            return tuple(dict.fromkeys(names))
        sides = [side for side in (self.left, self.right) if side]
        return tuple(dict.fromkeys(side.column for side in sides))


@dataclass(frozen=True, slots=True)
class Node:
    """``op``: "leaf" (``children``: its number), "and", "or", "not" or "one"."""

    op: str
    children: tuple[int, ...]


@dataclass(slots=True, eq=False, weakref_slot=True)
class Plan:
    """The program of some conditions; plain data.

    ``nodes``: children before parents. ``roots``: one node per condition.
    ``column_types``: column → (field type, is list). ``check_nodes``: per condition,
    check of its bound tree (by identity, in order of the text) → node.
    """

    leaves: list[Leaf] = field(default_factory=list)
    nodes: list[Node] = field(default_factory=list)
    roots: list[int] = field(default_factory=list)
    uses: list[int] = field(default_factory=list)
    column_types: dict[str, tuple[str, bool]] = field(default_factory=dict)
    check_nodes: list[list[int]] = field(default_factory=list)


class _Builder:
    def __init__(self) -> None:
        self.plan = Plan()
        self._leaves: dict[Leaf, int] = {}
        self._nodes: dict[Node, int] = {}
        self._checks: dict[BoundCheck, int] = {}

    def node(self, op: str, children: Iterable[int]) -> int:
        kids = tuple(children)
        if op in ("and", "or"):
            kids = tuple(dict.fromkeys(kids))
            if len(kids) == 1:
                return kids[0]
        key = Node(op, kids)
        number = self._nodes.get(key)
        if number is None:
            number = self._nodes[key] = len(self.plan.nodes)
            self.plan.nodes.append(key)
            self.plan.uses.append(0)
            if op != "leaf":
                for kid in kids:
                    self.plan.uses[kid] += 1
        return number

    def leaf(self, leaf: Leaf) -> int:
        number = self._leaves.get(leaf)
        if number is None:
            number = self._leaves[leaf] = len(self.plan.leaves)
            self.plan.leaves.append(leaf)
        return self.node("leaf", (number,))

    def columns(self, operand: Operand | Constants | None) -> None:
        if isinstance(operand, Operand):
            for step in operand.steps:
                if isinstance(step, ColumnStep):
                    kind = (step.type, step.is_list)
                    self.plan.column_types.setdefault(step.column, kind)

    def check(self, check: BoundCheck) -> int:
        number = self._checks.get(check)
        if number is None:
            self.columns(check.left)
            self.columns(check.right)
            number = self._checks[check] = self._check(check)
        return number

    def _check(self, check: BoundCheck) -> int:
        left = _side(check.left)
        if left is None or not _kernel_can(check, left):
            return self.leaf(Leaf("reference", check.test, check=check))
        if isinstance(check.right, Operand):
            right = _side(check.right)
            if right is None or not _pair_can(check, left, right):
                return self.leaf(Leaf("reference", check.test, check=check))
            return self.leaf(Leaf("kernel", check.test, left, right))
        if check.right is None:
            return self.leaf(Leaf("kernel", check.test, left))
        values = check.right.values
        if check.combine is None:
            return self._single(check.test, left, values)
        singles = [self._single(check.test, left, (value,)) for value in values]
        if check.combine == "one":
            return self.node("one", singles)
        if not singles:
            return self.node("or", ())
        return self.node("or" if check.combine == "any" else "and", singles)

    def _single(
        self, test: str, left: Side, values: Sequence[bytes | int | Network]
    ) -> int:
        if test == "regex":
            pattern = _constant(values[0])
            match = self.leaf(Leaf("regex", test, left, constants=(pattern,)))
            must = regex.required(pattern)
            if must is None:
                return match
            rough = Leaf("kernel", f"{must.kind} whole", left, constants=(must.text,))
            return self.node("and", (self.leaf(rough), match))
        constants = tuple(_constant(value) for value in values)
        if values and isinstance(values[0], Network):
            test = f"{test} net"
        if test.partition(" ")[0] in _MEMBERSHIP:
            constants = tuple(sorted(set(constants)))
        return self.leaf(Leaf("kernel", test, left, constants=constants))


def _constant(value: bytes | int | Network) -> bytes:
    """Return a constant for the kernel: bytes, 8-byte number, prefix + address."""
    if isinstance(value, bytes):
        return value
    if isinstance(value, Network):
        return bytes([value.prefix]) + value.address
    return struct.pack("<Q", int(value))


def _side(operand: Operand) -> Side | None:
    """Return what the kernel reads by itself, None for other operands."""
    first, *calls = operand.steps
    if not isinstance(first, ColumnStep):
        return None
    codes: list[int] = []
    for index, call in enumerate(calls):
        if not isinstance(call, CallStep) or call.args != (index,):
            return None
        if call.name == "len" and index == len(calls) - 1:
            # The length of a list counts its values, whatever was done to them;
            # base64 may make the list absent, so that is left to the reference.
            if first.is_list and 4 in codes:
                return None
            steps = () if first.is_list else tuple(codes)
            return Side(first.column, first.type, first.is_list, steps, length=True)
        if call.name == "val":
            continue
        if call.name not in _STEPS or call.option is not None:
            return None
        codes.append(_STEPS[call.name])
    if len(codes) > _MAX_STEPS:
        return None
    return Side(first.column, first.type, first.is_list, tuple(codes))


def _kernel_can(check: BoundCheck, left: Side) -> bool:
    """Whether the kernel knows the test on such a side."""
    if check.test == "regex":
        return not left.is_list and not left.length
    if left.is_list and not left.length:
        return check.test in ("exists", "in", "intersects")
    return True


def _pair_can(check: BoundCheck, left: Side, right: Side) -> bool:
    if left.length or right.length:
        return check.test in ("eq", "ne", "lt", "le", "gt", "ge", *_MEMBERSHIP)
    if left.is_list != right.is_list:
        return False
    if left.is_list:
        plain = not left.steps and not right.steps
        return plain and check.test in ("in", "intersects")
    return check.test not in ("regex", "pmatch")


def build_plan(trees: Sequence[Bound]) -> Plan:
    """Plan the program of bound ``trees``."""
    builder = _Builder()
    for tree in trees:
        stack: list[int] = []
        checks: list[int] = []
        for node in postorder(tree):
            if isinstance(node, BoundCheck):
                number = builder.check(node)
                checks.append(number)
            elif isinstance(node, BoundNot):
                number = builder.node("not", (stack.pop(),))
            elif isinstance(node, BoundAnd | BoundOr):
                size = len(node.children)
                kids = stack[-size:]
                del stack[-size:]
                number = builder.node(
                    "and" if isinstance(node, BoundAnd) else "or", kids
                )
            stack.append(number)
        builder.plan.roots.append(stack.pop())
        builder.plan.check_nodes.append(checks)
    return builder.plan
