"""Comparison operators of rule exceptions, their ``comps``."""

from __future__ import annotations

import re

from workbench.condition.syntax.operators import OPERATORS

__all__ = ["is_comp", "takes_list"]

_MODIFIERS = frozenset(("oneof", "anyof", "allof"))
_COMP = re.compile(r"(\S+)(?: (\S+))?")


def is_comp(text: str) -> bool:
    """Whether ``text`` is an operator, or a text operator, a blank and a modifier.

    Nothing is trimmed, as in engine 0.62; later engines take blanks around it.
    """
    match = _COMP.fullmatch(text)
    operator = OPERATORS.get(match.group(1)) if match else None
    if match is None or operator is None:
        return False
    modifier = match.group(2)
    return modifier is None or (operator.right == "string" and modifier in _MODIFIERS)


def takes_list(text: str) -> bool:
    """Whether the right side of an operator, with its modifier if any, is a list.

    Only the last word is looked at, as the engine does.
    """
    operator = OPERATORS.get(text)
    if operator is not None:
        return operator.right == "list"
    return text.rpartition(" ")[2] in _MODIFIERS
