"""Empty sets that decide a condition: which it can never, or must always, match.

A list that is empty until somebody fills it is good style, and most conditions do not
mind: ``not user in (allowed)``. Only where nothing else counts any more is it worth a
word.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.condition.binding.bound import (
    BoundAnd,
    BoundCheck,
    BoundNot,
    Constants,
    postorder,
)

if TYPE_CHECKING:
    from workbench.condition.binding.bound import Bound

__all__ = ["decided_by_empty_sets", "is_empty_set"]


def is_empty_set(check: BoundCheck) -> bool:
    """Whether a check compares with no value at all, so that it is always false."""
    empty = isinstance(check.right, Constants) and not check.right.values
    # A list that is there but holds nothing is inside an empty set.
    return empty and not (check.test == "in" and check.left.is_list)


def decided_by_empty_sets(root: Bound) -> bool | None:
    """Return what a condition always comes to because of its empty sets.

    None: other checks count, too.
    """
    stack: list[bool | None] = []
    for node in postorder(root):
        if isinstance(node, BoundCheck):
            stack.append(False if is_empty_set(node) else None)
        elif isinstance(node, BoundNot):
            value = stack.pop()
            stack.append(None if value is None else not value)
        else:
            children = stack[-len(node.children) :]
            del stack[-len(node.children) :]
            decisive = not isinstance(node, BoundAnd)
            if decisive in children:
                stack.append(decisive)
            else:
                stack.append(None if None in children else not decisive)
    return stack[0]
