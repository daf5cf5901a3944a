"""What several rules repeat, extracted into lists and macros."""

from __future__ import annotations

import dataclasses
import re
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from workbench.condition.syntax.canonical import canonical
from workbench.condition.syntax.grammar import ParseFault
from workbench.condition.syntax.nodes import (
    AndExpr,
    BinaryCheckExpr,
    ListExpr,
    postorder,
)
from workbench.condition.syntax.parser import parse
from workbench.diagnostics import Span
from workbench.rules.model.model import Macro, Rule, RuleList

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from workbench.condition.syntax.nodes import Expr

__all__ = ["extract_shared"]

# Fewer values than this are left in place.
_MIN_VALUES = 3
_WORD = re.compile(r"[^ \t\r\n(),=]+")
# Shorter conditions than this are left in place, in characters.
_MIN_TEXT = 40


_Item = TypeVar("_Item", RuleList, Macro)


class _Fragment(NamedTuple):
    """Text of a condition that may be shared: comparable text, span, list items."""

    text: str
    span: Span
    items: tuple[str, ...] = ()


def extract_shared(
    rules: Sequence[Rule], taken: Iterable[str]
) -> tuple[list[RuleList], list[Macro], list[Rule]]:
    """Return new lists and macros for what at least two rules share, and the rules.

    Sets of values become lists, checks joined by ``and`` become macros. ``taken``:
    names that are in use. Every rule means what it meant.
    """
    known = set(taken)
    # a list's name is replaced wherever it stands alone, so no word may be one
    names = known | {w for rule in rules for w in _WORD.findall(rule.condition)}
    lists, rules = _lists(rules, names, known)
    macros, rules = _macros(rules, names)
    return lists, macros, list(rules)


def _name(stem: str, names: set[str]) -> str:
    """Make a new name that is a good one for lists and macros."""
    stem = re.sub(r"[^a-z0-9_]+", "_", stem.lower()).strip("_")[:30] or "shared"
    stem = stem if stem[0].isalpha() else f"shared_{stem}"
    number = 1
    name = stem
    while name in names:
        number += 1
        name = f"{stem}_{number}"
    names.add(name)
    return name


def _replaced(text: str, changes: list[tuple[Span, str]]) -> str:
    raw = text.encode("utf-8", "surrogateescape")
    for span, name in sorted(changes, key=lambda c: c[0].start, reverse=True):
        raw = raw[: span.start] + name.encode() + raw[span.end :]
    return raw.decode("utf-8", "surrogateescape")


def _tree(rule: Rule) -> Expr | None:
    try:
        return parse(rule.condition)
    except ParseFault:
        return None


def _written(rule: Rule, span: Span) -> str:
    """Return a fragment of a condition as it is written."""
    raw = rule.condition.encode("utf-8", "surrogateescape")
    return raw[span.start : span.end].decode("utf-8", "surrogateescape")


def _value_sets(rule: Rule) -> list[tuple[str, ListExpr]]:
    """Return the sets of plain words in a condition, with the field before them."""
    tree = _tree(rule)
    return [
        (getattr(node.left, "name", "values"), node.right)
        for node in (postorder(tree) if tree is not None else ())
        if isinstance(node, BinaryCheckExpr)
        and isinstance(node.right, ListExpr)
        and len(node.right.items) >= _MIN_VALUES
    ]


def _lists(
    rules: Sequence[Rule], names: set[str], known: set[str]
) -> tuple[list[RuleList], list[Rule]]:
    found: list[list[_Fragment]] = []
    fields: dict[str, str] = {}
    for rule in rules:
        own = []
        for field, node in _value_sets(rule):
            if any(i.value.decode("utf-8", "replace") in known for i in node.items):
                continue  # lists in lists go one level deep only
            inside = Span(node.span.start + 1, node.span.end - 1)
            text = _written(rule, inside).strip()
            items = tuple(_written(rule, item.span) for item in node.items)
            own.append(_Fragment(text, node.span, items))
            fields.setdefault(text, field)
        found.append(own)

    def make(fragment: _Fragment, _rule: Rule) -> tuple[RuleList, str]:
        stem = fields[fragment.text].rpartition(".")[2] + "_values"
        made = RuleList(_name(stem, names), fragment.items)
        return made, f"({made.name})"

    counts = Counter(fragment.text for own in found for fragment in own)
    return _extracted(rules, found, counts, make)


def _macros(rules: Sequence[Rule], names: set[str]) -> tuple[list[Macro], list[Rule]]:
    found: list[list[_Fragment]] = []
    counts: Counter[str] = Counter()
    for rule in rules:
        tree = _tree(rule)
        own = [
            _Fragment(canonical(child), child.span)
            for child in (tree.children if isinstance(tree, AndExpr) else ())
            if isinstance(child, BinaryCheckExpr)
            and child.span.end - child.span.start >= _MIN_TEXT
        ]
        found.append(own)
        counts.update({fragment.text for fragment in own})

    def make(fragment: _Fragment, rule: Rule) -> tuple[Macro, str]:
        name = _name(fragment.text.split("(")[0], names)
        return Macro(name, _written(rule, fragment.span)), name

    return _extracted(rules, found, counts, make)


def _extracted(
    rules: Sequence[Rule],
    found: Sequence[Sequence[_Fragment]],
    counts: Mapping[str, int],
    make: Callable[[_Fragment, Rule], tuple[_Item, str]],
) -> tuple[list[_Item], list[Rule]]:
    """Return an item for each text found twice, and the rules that name it."""
    made: dict[str, tuple[_Item, str]] = {}
    result = []
    for rule, own in zip(rules, found, strict=True):
        changes = []
        for fragment in own:
            if counts[fragment.text] < 2:
                continue
            if fragment.text not in made:
                made[fragment.text] = make(fragment, rule)
            changes.append((fragment.span, made[fragment.text][1]))
        condition = _replaced(rule.condition, changes)
        result.append(dataclasses.replace(rule, condition=condition))
    return [item for item, _ in made.values()], result
