"""The few columns that decide most conditions, by what checks usually find.

Nothing hangs on it but speed: a worker tries them against all columns at once and goes
on with what is cheaper.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from workbench.condition.execution.evaluate import leaf_cost

if TYPE_CHECKING:
    from collections.abc import Container

    from workbench.condition.execution.plan import Leaf, Node, Plan

__all__ = ["deciding_columns"]

# About how many events in a hundred pass a check. A rule that asks whether a field is
# there at all usually means a rare one.
_PASSING = {
    "exists": 20,
    "ne": 90,
    "not_in": 90,
    "lt": 50,
    "le": 50,
    "gt": 50,
    "ge": 50,
}
_USUAL = 5
# A check that more events pass than these decides little.
_DECIDES = 50


class _Option(NamedTuple):
    """Columns that settle a node for most events.

    ``rest``: of a hundred events, those it does not settle. ``cost``: how rare the
    columns are among all checks; ``work``: ns that asking them takes.
    """

    rest: int
    cost: float
    work: float
    columns: frozenset[str]


def deciding_columns(plan: Plan, known: Container[str]) -> frozenset[str]:
    """Return columns among ``known`` that settle every condition for most events.

    Columns that many conditions read come first; empty when there are none.
    """
    uses = Counter(name for leaf in plan.leaves for name in leaf.columns)
    options: list[_Option | None] = []
    for node in plan.nodes:
        options.append(_option(node, plan, options, known, uses))
    found: frozenset[str] = frozenset()
    for root in dict.fromkeys(plan.roots):
        option = options[root]
        if option is None:
            return frozenset()
        found |= option.columns
    return found


def _option(
    node: Node,
    plan: Plan,
    options: list[_Option | None],
    known: Container[str],
    uses: Counter[str],
) -> _Option | None:
    if node.op == "leaf":
        return _of_leaf(plan.leaves[node.children[0]], known, uses)
    kids = [options[child] for child in node.children]
    usable = [kid for kid in kids if kid is not None]
    if node.op == "and":
        return min(usable, key=_preferred, default=None)
    if len(usable) < len(kids) or not kids:
        return None
    columns = frozenset[str]().union(*(kid.columns for kid in usable))
    work = sum(kid.work for kid in usable)
    cost = sum(1 / uses[name] for name in columns)
    rest = sum(kid.rest for kid in usable)
    return _Option(100 - rest if node.op == "not" else rest, cost, work, columns)


def _of_leaf(leaf: Leaf, known: Container[str], uses: Counter[str]) -> _Option | None:
    columns = leaf.columns
    if leaf.how != "kernel" or not all(name in known for name in columns):
        return None
    rest = _PASSING.get(leaf.test.partition(" ")[0], _USUAL)
    cost = sum(1 / uses[name] for name in columns)
    return _Option(rest, cost, leaf_cost(leaf), frozenset(columns))


def _preferred(option: _Option) -> tuple[bool, float, float, list[str]]:
    """Order the options of one node, the best first, the same in every run."""
    return option.rest > _DECIDES, option.cost, option.work, sorted(option.columns)
