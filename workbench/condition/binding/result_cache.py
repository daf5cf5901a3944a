"""Checks that print alike share one result: a quirk of the engine, spelled out.

The engine remembers, for one event, the result of a check by its canonical text, and
the value of an operand by *its* canonical text. ``tolower("a.b")`` and ``tolower(a.b)``
print alike, so whichever is evaluated first decides for both. Where that matters,
:func:`share_alike` rewrites the tree so that plain two-valued logic gives the engine's
answer: such a check becomes "if an earlier one was reached, its result, else mine".
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING

from workbench.condition.binding.bound import (
    BoundAnd,
    BoundCheck,
    BoundNot,
    BoundOr,
    CallStep,
    ListStep,
    Operand,
    postorder,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.condition.binding.bound import Bound

__all__ = ["Printed", "share_alike"]

# Conditions beyond these numbers are left as they are: of checks in a condition, and of
# nodes that one clashing check may turn into.
_MAX_CHECKS = 500
_MAX_NODES = 2000


@dataclass(frozen=True, slots=True)
class Printed:
    """A check with its canonical texts: all of it, its left side, its right field."""

    check: BoundCheck
    text: bytes
    left: bytes
    right: bytes | None

    @property
    def remembered(self) -> bool:
        """Whether the engine remembers anything of it: not of ipnet fields."""
        return self.check.left.type != "ipnet"


def _clashes(printed: Sequence[Printed]) -> bool:
    """Whether any two texts are alike and mean different things; quick."""
    results: dict[bytes, BoundCheck] = {}
    values: dict[bytes, Operand] = {}
    for item in printed:
        if not item.remembered:
            continue
        if results.setdefault(item.text, item.check) != item.check:
            return True
        if values.setdefault(item.left, item.check.left) != item.check.left:
            return True
        right = item.check.right
        if (
            item.right is not None
            and isinstance(right, Operand)
            and values.setdefault(item.right, right) != right
        ):
            return True
    return False


def share_alike(
    root: Bound, printed: Sequence[Printed]
) -> tuple[Bound, tuple[BoundCheck, ...]]:
    """Rewrite ``root`` where checks print alike but differ; give also these checks.

    ``printed``: every check of ``root`` in order of evaluation.
    """
    if not 2 <= len(printed) <= _MAX_CHECKS or not _clashes(printed):
        return root, ()
    return _Sharing(root, printed).run()


class _Sharing:
    def __init__(self, root: Bound, printed: Sequence[Printed]) -> None:
        self.root = root
        self.by_check = {id(item.check): item for item in printed}
        self.clashing: list[BoundCheck] = []
        # For every check met so far: when it is reached, and its final meaning.
        self.earlier: list[tuple[Printed, Bound | None, Bound]] = []

    def run(self) -> tuple[Bound, tuple[BoundCheck, ...]]:
        """Walk in order of evaluation, rebuilding from the leaves."""
        paths = self._reached()
        done: list[Bound] = []
        final: dict[int, Bound] = {}
        for node in postorder(self.root):
            if isinstance(node, BoundCheck):
                item = self.by_check[id(node)]
                reached = self._when(paths.get(id(node), ()), final)
                meaning = self._meaning(item)
                self.earlier.append((item, reached, meaning))
                done.append(meaning)
            elif isinstance(node, BoundNot):
                done.append(BoundNot(done.pop(), node.span, node.macros))
            elif isinstance(node, BoundAnd | BoundOr):
                count = len(node.children)
                children = tuple(done[-count:])
                del done[-count:]
                done.append(type(node)(children, node.span, node.macros))
            final[id(node)] = done[-1]
        return done.pop(), tuple(self.clashing)

    def _reached(self) -> dict[int, tuple[tuple[Bound, bool], ...]]:
        """For every check: the nodes before it that must be true (or false)."""
        found: dict[int, tuple[tuple[Bound, bool], ...]] = {}
        todo: list[tuple[Bound, tuple[tuple[Bound, bool], ...]]] = [(self.root, ())]
        while todo:
            node, before = todo.pop()
            if isinstance(node, BoundCheck):
                found[id(node)] = before
            elif isinstance(node, BoundNot):
                todo.append((node.child, before))
            else:
                wanted = isinstance(node, BoundAnd)
                for child in node.children:
                    todo.append((child, before))
                    before = (*before, (child, wanted))
        return found

    def _when(
        self, before: tuple[tuple[Bound, bool], ...], final: dict[int, Bound]
    ) -> Bound | None:
        """Return the condition under which a check is reached; None for always."""
        parts: list[Bound] = []
        for node, wanted in before:
            meaning = final[id(node)]
            parts.append(meaning if wanted else BoundNot(meaning, node.span))
        return _all_of(parts)

    def _meaning(self, item: Printed) -> Bound:
        check = item.check
        if not item.remembered:
            return check
        same = [e for e in self.earlier if e[0].text == item.text and e[0].remembered]
        choices: list[tuple[Bound | None, Bound]] = []
        if any(e[0].check != check for e in same):
            choices = [(reached, meaning) for _, reached, meaning in same]
        else:
            for other, reached, _ in self.earlier:
                swapped = _swap(check, item, other)
                if swapped is not None:
                    choices.append((reached, swapped))
        if not any(meaning is not check for _, meaning in choices):
            return check
        if all(meaning == check for _, meaning in choices):
            return check
        self.clashing.append(check)
        meaning = _first_reached(choices, check)
        return meaning if _fits(meaning) else check


def _swap(check: BoundCheck, item: Printed, other: Printed) -> BoundCheck | None:
    """Return ``check`` with the operands that ``other`` left behind, or None."""
    if not other.remembered:
        return None
    known: dict[bytes, Operand] = {}
    right = other.check.right
    if other.right is not None and isinstance(right, Operand):
        known[other.right] = right
    known[other.left] = other.check.left
    left = _same_shape(check.left, known.get(item.left))
    new_right = check.right
    if item.right is not None and isinstance(new_right, Operand):
        new_right = _same_shape(new_right, known.get(item.right))
    if item.left not in known and (item.right is None or item.right not in known):
        return None
    return replace(check, left=left, right=new_right)


def _same_shape(own: Operand, other: Operand | None) -> Operand:
    """Return ``other`` as a value of the shape of ``own``, or ``own`` if it cannot be.

    The engine takes remembered values as they are: a list for a single value (it stops
    when there are several; here the first counts), a single value for a list.
    """
    if other is None or own.type != other.type:
        return own
    if own.is_list == other.is_list:
        return other
    last = (len(other.steps) - 1,)
    step: ListStep | CallStep
    if own.type != "string":
        return own
    if own.is_list:
        step = ListStep(last, (False,))
    else:
        step = CallStep("concat", last, None, "string", is_list=False)
    return replace(other, steps=(*other.steps, step), is_list=own.is_list)


def _fits(root: Bound) -> bool:
    return sum(1 for _ in islice(postorder(root), _MAX_NODES)) < _MAX_NODES


def _all_of(parts: list[Bound]) -> Bound | None:
    if not parts:
        return None
    if len(parts) == 1:
        return parts[0]
    return BoundAnd(tuple(parts), parts[0].span)


def _first_reached(choices: list[tuple[Bound | None, Bound]], own: BoundCheck) -> Bound:
    """Build: the meaning of the first choice that is reached, else ``own``."""
    result: Bound = own
    for reached, meaning in reversed(choices):
        if reached is None:
            result = meaning
        elif meaning != result:
            yes = BoundAnd((reached, meaning), own.span)
            no = BoundAnd((BoundNot(reached, own.span), result), own.span)
            result = BoundOr((yes, no), own.span)
    return result
