"""Whether any row can match, told by the smallest and largest value of its columns.

Parts of a file for which the answer is no need not be read. Only what is certain is
no: a check that is not understood here may match.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.condition.binding.bound import (
    BoundAnd,
    BoundCheck,
    BoundNot,
    Constants,
    postorder,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from workbench.condition.binding.bound import Bound

__all__ = ["may_match"]


def _number_tests() -> dict[str, Callable[[int, int, int], bool]]:
    """Return test → whether some value between least and most passes it."""

    def equal(least: int, most: int, value: int) -> bool:
        return least <= value <= most

    return {
        "eq": equal,
        "in": equal,
        "lt": lambda least, _, value: least < value,
        "le": lambda least, _, value: least <= value,
        "gt": lambda _, most, value: most > value,
        "ge": lambda _, most, value: most >= value,
    }


_NUMBERS = _number_tests()


def _text_may(test: str, least: bytes, most: bytes, value: bytes) -> bool:
    """Return whether some text between ``least`` and ``most`` may pass."""
    if test not in ("eq", "in", "startswith"):
        return True
    # What follows a NUL in a text may not count: such texts begin with the value too,
    # and all that do lie between it and the first larger text that does not.
    return most >= value and (least <= value or least.startswith(value))


def _check_may(check: BoundCheck, ranges: Mapping[str, tuple[Any, Any]]) -> bool:
    column, right = check.left.column, check.right
    if (
        column is None
        or column not in ranges
        or check.left.is_list
        or not isinstance(right, Constants)
    ):
        return True
    least, most = ranges[column]
    if not right.values:
        return True
    for value in right.values:
        if isinstance(value, bytes) and isinstance(least, bytes):
            if check.left.type != "string" or _text_may(check.test, least, most, value):
                return True
        elif isinstance(value, int) and isinstance(least, int):
            test = _NUMBERS.get(check.test)
            if isinstance(value, bool) or test is None or test(least, most, value):
                return True
        else:
            return True
    return False


def may_match(root: Bound, ranges: Mapping[str, tuple[Any, Any]]) -> bool:
    """Return False when no row can match. ``ranges``: column → least and most value.

    Numbers are unsigned, texts are bytes; bounds may be wider than the values are.
    """
    may: dict[int, bool] = {}
    for node in postorder(root):
        if isinstance(node, BoundCheck):
            may[id(node)] = _check_may(node, ranges)
        elif isinstance(node, BoundNot):
            may[id(node)] = True
        else:
            below = [may[id(child)] for child in node.children]
            may[id(node)] = all(below) if isinstance(node, BoundAnd) else any(below)
    return may[id(root)]
