"""Programs as bytes, for a worker that leaves out events nobody wants.

plan ─▶ its upper bound ─▶ bytes ─▶ worker: ``native/src/kernel/packed.h``

A worker has the C kernel and the columns of plugins, neither regular expressions nor
the reference evaluator nor most of ``evt.*``. What it cannot answer counts as "may be":
its program keeps at least the rows that match, and whoever reads them decides.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from workbench.condition.execution.deciding import deciding_columns
from workbench.condition.execution.evaluate import leaf_cost, looked_up
from workbench.condition.execution.kernel import NODE_OPS, is_packed, question
from workbench.condition.execution.plan import Node, Plan

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from workbench.condition.execution.plan import Leaf

__all__ = ["PackedColumn", "pack", "pack_stages"]

_HEAD = struct.Struct("<8I")
_COLUMN = struct.Struct("<2I")
_LEAF = struct.Struct("<4i3If16s16s")
_NODE = struct.Struct("<4i")
_MAGIC, _VERSION = 0x504B4257, 1
# Kinds of columns: those of the kernel, and a bit for lists.
_U64, _BOOL, _BYTES = 4, 5, 1
_KINDS = {"bool": _BOOL, "string": _BYTES, "ipaddr": _BYTES, "ipnet": _BYTES}
_LIST = 0x100
# A worker refuses larger ones; their rows are all sent.
_LARGEST = 64 << 20

# Answers that need no node.
_ALWAYS, _NEVER = -1, -2


@dataclass(frozen=True, slots=True)
class PackedColumn:
    """A column that the worker has: what it calls it, its field type."""

    where: int
    type: str
    is_list: bool = False

    @property
    def kind(self) -> int:
        """The kind of the column in a packed program."""
        return _KINDS.get(self.type, _U64) | (_LIST if self.is_list else 0)


class _Bound:
    """The nodes of the least program over known columns that keeps what ``plan`` does.

    For every node two others: one that is true wherever it may be, and one that is true
    only where it must be.
    """

    def __init__(self, plan: Plan, columns: Mapping[str, PackedColumn]) -> None:
        self.plan = plan
        self.columns = columns
        self.leaves: list[Leaf] = []
        self.nodes: list[Node] = []
        self._leaf_numbers: dict[int, int] = {}
        self._numbers: dict[Node, int] = {}
        made: list[tuple[int, int]] = []
        for node in plan.nodes:
            made.append(self._bounds(node, made))
        self.root = self._join("or", [made[root][1] for root in plan.roots])

    def _bounds(self, node: Node, made: Sequence[tuple[int, int]]) -> tuple[int, int]:
        if node.op == "leaf":
            number = self._leaf(node.children[0])
            return (_NEVER, _ALWAYS) if number is None else (number, number)
        kids = [made[child] for child in node.children]
        if node.op == "not":
            low, high = kids[0]
            return self._negate(high), self._negate(low)
        if node.op == "one":
            if all(low == high >= 0 for low, high in kids):
                number = self._node("one", [high for _, high in kids])
                return number, number
            return _NEVER, self._join("or", [high for _, high in kids])
        low = self._join(node.op, [low for low, _ in kids])
        return low, self._join(node.op, [high for _, high in kids])

    def _leaf(self, number: int) -> int | None:
        """Return the node of a leaf that the worker can answer, None for others."""
        leaf = self.plan.leaves[number]
        if leaf.how != "kernel":
            return None
        for name in leaf.columns:
            known = self.columns.get(name)
            if (
                known is None
                or (known.type, known.is_list) != (self.plan.column_types[name])
            ):
                return None
        if number not in self._leaf_numbers:
            self._leaf_numbers[number] = len(self.leaves)
            self.leaves.append(leaf)
        return self._node("leaf", [self._leaf_numbers[number]])

    def _node(self, op: str, kids: Sequence[int]) -> int:
        node = Node(op, tuple(kids))
        if node not in self._numbers:
            self._numbers[node] = len(self.nodes)
            self.nodes.append(node)
        return self._numbers[node]

    def _negate(self, child: int) -> int:
        if child < 0:
            return _NEVER if child == _ALWAYS else _ALWAYS
        return self._node("not", [child])

    def _join(self, op: str, kids: Sequence[int]) -> int:
        nothing, all_of_it = (_ALWAYS, _NEVER) if op == "and" else (_NEVER, _ALWAYS)
        if all_of_it in kids:
            return all_of_it
        left = list(dict.fromkeys(kid for kid in kids if kid != nothing))
        if len(left) > 1:
            return self._node(op, left)
        return left[0] if left else nothing


def pack(plan: Plan, columns: Mapping[str, PackedColumn]) -> bytes | None:
    """Return a program for the rows that any condition of ``plan`` may match.

    ``columns``: what the worker has. None when that cannot leave out any row, or would
    take a program larger than a worker accepts.
    """
    bound = _Bound(plan, columns)
    if bound.root == _ALWAYS:
        return None
    if bound.root == _NEVER:
        bound.root = bound._node("or", [])  # noqa: SLF001 - of this module
    used = _reached(bound)
    names = list(dict.fromkeys(n for leaf in bound.leaves for n in leaf.columns))
    numbers = {name: number for number, name in enumerate(names)}
    literals, places = _literals(bound.leaves)
    children: list[int] = []
    nodes = []
    for number, node in enumerate(bound.nodes):
        first = node.children[0] if node.op == "leaf" else len(children)
        if node.op != "leaf":
            children += node.children
        shared = used[number] > 1
        nodes.append(_NODE.pack(NODE_OPS[node.op], first, len(node.children), shared))
    parts = [
        *(_COLUMN.pack(columns[n].where, columns[n].kind) for n in names),
        *(
            _leaf_bytes(leaf, plan, numbers, place)
            for leaf, place in zip(bound.leaves, places, strict=True)
        ),
        *nodes,
        struct.pack(f"<{len(children)}i", *children),
        struct.pack("<i", bound.root),
        literals,
    ]
    counts = (len(names), len(bound.leaves), len(nodes), len(children), 1)
    head = _HEAD.pack(_MAGIC, _VERSION, *counts, len(literals))
    packed = b"".join([head, *parts])
    return packed if len(packed) <= _LARGEST and is_packed(packed) else None


def pack_stages(plan: Plan, columns: Mapping[str, PackedColumn]) -> tuple[bytes, ...]:
    """Return programs as :func:`pack`, each of which keeps what the last one keeps.

    The first reads only the few columns that decide most conditions; it is there when
    these are not all.
    """
    whole = pack(plan, columns)
    if whole is None:
        return ()
    few = deciding_columns(plan, columns)
    read = {name for leaf in plan.leaves for name in leaf.columns}
    if few and few < read & columns.keys():
        first = pack(plan, {name: columns[name] for name in few})
        if first is not None:
            return first, whole
    return (whole,)


def _reached(bound: _Bound) -> list[int]:
    """Count how often each node stands below another one, or is the root."""
    used = [0] * len(bound.nodes)
    used[bound.root] = 1
    for node in bound.nodes:
        if node.op != "leaf":
            for child in node.children:
                used[child] += 1
    return used


def _literals(leaves: Sequence[Leaf]) -> tuple[bytes, list[int]]:
    """Lay constants out leaf by leaf, lengths, then bytes; say where each begins."""
    parts: list[bytes] = []
    places = []
    at = 0
    for leaf in leaves:
        places.append(at)
        lengths = [len(constant) for constant in leaf.constants]
        parts += [struct.pack(f"<{len(lengths)}I", *lengths), *leaf.constants]
        at += 4 * len(lengths) + sum(lengths)
    return b"".join(parts), places


def _leaf_bytes(
    leaf: Leaf, plan: Plan, numbers: Mapping[str, int], place: int
) -> bytes:
    op, flags = question(leaf)
    right = leaf.right
    return _LEAF.pack(
        op,
        flags,
        numbers[leaf.side.column],
        -1 if right is None else numbers[right.column],
        place,
        len(leaf.constants),
        looked_up(leaf, plan) and leaf.side.type in _KINDS and leaf.side.type != "bool",
        leaf_cost(leaf),
        bytes(leaf.side.steps),
        bytes(right.steps) if right else b"",
    )
