"""What the methods of Events take."""

from __future__ import annotations

from numbers import Integral
from typing import Any

from workbench.arguments import TEXTS, Kind, described, either, wrong
from workbench.errors import ArgumentError
from workbench.events.conditions import is_condition

__all__ = [
    "CONDITION",
    "NUMBER",
    "RULES",
    "SELECTION",
    "TEXT_OR_TEXTS",
    "check_explained",
    "is_mask",
]


def is_mask(value: Any) -> bool:
    """Whether a value is one-dimensional data; a frame or events are not."""
    if isinstance(value, str | bytes | dict) or not hasattr(value, "__len__"):
        return False
    return isinstance(value, list | tuple) or not hasattr(value, "columns")


def _is_number(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, Integral):
        return False
    return 0 <= int(value) < 2**64


NUMBER = Kind(
    "a whole number from 0 on",
    _is_number,
)
CONDITION = Kind(
    "a condition: a text, what compile_condition returned, or a Rule",
    lambda v: not isinstance(v, bytes) and is_condition(v),
)
RULES = either(
    Kind("a RuleSet", lambda v: hasattr(v, "compile_condition")),
    None,
)
SELECTION = Kind(
    "a condition, or a mask with one boolean per event",
    lambda v: CONDITION.fits(v) or is_mask(v),
)


TEXT_OR_TEXTS = Kind("a list of texts", lambda v: isinstance(v, str) or TEXTS.fits(v))


def check_explained(evt_num: Any, condition: Any) -> None:
    """Raise ArgumentError unless these are an event number and a condition."""
    if isinstance(evt_num, str):
        raise ArgumentError(
            "explain takes the number of the event first, then the condition: "
            f"explain({described(condition)}, {described(evt_num)})",
            argument="evt_num",
        )
    if not NUMBER.fits(evt_num):
        raise wrong("Events.explain", "evt_num", NUMBER.words, evt_num)
    if not CONDITION.fits(condition):
        raise wrong("Events.explain", "condition", CONDITION.words, condition)
