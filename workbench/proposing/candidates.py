"""Checks that could tell chosen events from others, made from the values they have.

Each costs bits: about what it takes to write it down, given the fields and their
values. Values that differ from event to event (numbers, times, identifiers) give no
equality: it would only list the examples.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from workbench.fields.literals import literal
from workbench.proposing.networks import common_networks
from workbench.proposing.texts import text_patterns

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from workbench.fields.declarations import FieldInfo

__all__ = ["Candidate", "FieldValues", "field_candidates"]

# What an operator costs, in bits: the plainer, the cheaper.
OPERATOR_BITS = {
    "=": 1.0,
    "in": 1.0,
    "intersects": 2.0,
    "exists": 2.0,
    ">=": 2.0,
    "<=": 2.0,
    "startswith": 2.5,
    "endswith": 3.0,
    "contains": 3.5,
    "glob": 6.0,
}
NEGATION_BITS = 3.0
# A value counts when this share of the chosen events has it.
_SUPPORT = 0.3
_MOST_ITEMS = 12
_COMMON = 8
_DIGIT_BITS = math.log2(10)
_WORD = re.compile(rb"\A[\x20-\x7e\x80-\xff]+\Z")


@dataclass(frozen=True, slots=True)
class Candidate:
    """One check: its text, the field it is about, and what it costs in bits."""

    text: str
    field: str
    operator: str
    bits: float


@dataclass(frozen=True, slots=True)
class FieldValues:
    """What is known of one field before the search.

    ``chosen``, ``avoided``: its values in these events, None where absent. ``common``:
    the most frequent values among all events. ``distinct``: about how many there are;
    ``unique``: whether nearly every event has one of its own.
    """

    name: str
    info: FieldInfo
    chosen: Sequence[Any]
    avoided: Sequence[Any]
    common: Sequence[Any]
    distinct: int
    unique: bool


def field_candidates(
    values: FieldValues, operators: Collection[str]
) -> Iterator[Candidate]:
    """Yield the checks on one field that some of its chosen values pass."""
    name = values.name
    for operator, text, bits, negated in _checks(values):
        if operator in operators and text is not None:
            total = OPERATOR_BITS[operator] + bits
            check = f"{name} {operator} {text}".rstrip()
            if negated and operator == "=":
                check = f"{name} != {text}"
            elif negated:
                check = f"not {check}"
            yield Candidate(
                check, name, operator, total + (NEGATION_BITS if negated else 0.0)
            )


_Check = tuple[str, "str | None", float, bool]


def _checks(values: FieldValues) -> Iterator[_Check]:
    """Yield operator, right side, bits of the right side, and whether to negate."""
    here = [v for v in values.chosen if v is not None and v != []]
    if not here:
        yield "exists", "", 0.0, True
        return
    if len(here) == len(values.chosen):
        yield "exists", "", 0.0, False
    if values.info.is_list:
        yield from _items(values)
        return
    if values.info.type == "ipnet":
        for network, bits in common_networks(here):
            yield "=", network, bits, False
        return
    yield from _equalities(values, here)
    if values.info.type in {"uint64", "reltime"}:
        yield from _ranges(here)
    if values.info.type == "string":
        yield from _patterns(values, here)
    yield from _others(values, here)


def _value_bits(values: FieldValues) -> float:
    return math.log2(values.distinct + 1)


def _equalities(values: FieldValues, here: list[Any]) -> Iterator[_Check]:
    counts = Counter(here)
    if values.unique and (len(counts) > 1 or len(here) < 3):
        return
    bits = _value_bits(values)
    least = max(1, math.ceil(_SUPPORT * len(values.chosen)))
    for value, count in sorted(counts.items(), key=lambda i: (-i[1], str(i[0]))):
        if count >= least:
            yield "=", literal(value, values.info), bits, False
    if values.unique:
        return
    for repeated in (1, 2):
        kept = sorted((v for v, n in counts.items() if n >= repeated), key=_order)
        if 2 <= len(kept) <= _MOST_ITEMS:
            yield "in", _listed(kept, values.info), bits * len(kept), False


def _order(value: Any) -> tuple[str, Any]:
    return type(value).__name__, value


def _listed(items: Sequence[Any], info: FieldInfo) -> str | None:
    texts = [literal(item, info) for item in items]
    return None if None in texts else f"({', '.join(map(str, texts))})"


def _items(values: FieldValues) -> Iterator[_Check]:
    """Yield checks of a list field: what many of the chosen lists hold."""
    counts = Counter(item for row in values.chosen for item in set(row or ()))
    least = max(1, math.ceil(_SUPPORT * len(values.chosen)))
    bits = _value_bits(values)
    kept = [(item, n) for item, n in counts.items() if item is not None and n >= least]
    for item, _ in sorted(kept, key=lambda pair: (-pair[1], str(pair[0])))[:40]:
        yield "intersects", _listed([item], values.info), bits, False
    avoided = Counter(item for row in values.avoided for item in set(row or ()))
    for item, _ in avoided.most_common(_COMMON):
        if item is not None and item not in counts:
            yield "intersects", _listed([item], values.info), bits, True


def _ranges(here: list[Any]) -> Iterator[_Check]:
    """Yield limits at the ends of the chosen numbers, and rounder ones beyond them."""
    low, high = min(here), max(here)
    for limit, digits in _rounder(low, up=False):
        if limit > 0:
            yield ">=", str(limit), digits * _DIGIT_BITS, False
    for limit, digits in _rounder(high, up=True):
        yield "<=", str(limit), digits * _DIGIT_BITS, False


def _rounder(number: int, *, up: bool) -> list[tuple[int, int]]:
    """Return the number and rounder ones on its way down or up, with their digits."""
    found: dict[int, int] = {}
    for digits in range(1, len(str(number)) + 1):
        step = 10 ** max(0, len(str(number)) - digits)
        limit = -(-number // step) * step if up else number // step * step
        found.setdefault(limit, len(str(limit).rstrip("0")) or 1)
        if digits == 1 and number >= 10:
            half = step // 2 or 1
            limit = -(-number // half) * half if up else number // half * half
            found.setdefault(limit, 2)
    return list(found.items())[:6]


def _patterns(values: FieldValues, here: list[bytes]) -> Iterator[_Check]:
    word = _value_bits(values)
    for operator, value in text_patterns(here, len(values.chosen), _SUPPORT):
        yield operator, _text_literal(value), word + 2.0, False
    if values.avoided:
        mine = b"\n".join(here)
        there = [v for v in values.avoided if v is not None]
        for operator, value in text_patterns(there, len(there), _SUPPORT):
            if operator == "contains" and value not in mine:
                yield operator, _text_literal(value), word + 2.0, True


def _text_literal(value: bytes) -> str | None:
    if not _WORD.match(value):
        return None
    return literal(value, None)


def _others(values: FieldValues, here: list[Any]) -> Iterator[_Check]:
    """Yield negations: frequent values of other events that no chosen one has."""
    mine = set(here)
    bits = _value_bits(values)
    avoided = Counter(v for v in values.avoided if v is not None)
    wanted = [*(v for v, _ in avoided.most_common(_COMMON)), *values.common[:_COMMON]]
    kept = [v for v in dict.fromkeys(wanted) if v is not None and v not in mine]
    for value in kept:
        yield "=", literal(value, values.info), bits, True
    for pair in pairwise(kept[:4]):
        yield "in", _listed(pair, values.info), 2 * bits, True
