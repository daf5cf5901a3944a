"""Taking what rules repeat out into lists and macros."""

from __future__ import annotations

import dataclasses
import re
from collections import Counter
from typing import TYPE_CHECKING

from workbench.condition.syntax.canonical import canonical
from workbench.condition.syntax.grammar import ParseFault
from workbench.condition.syntax.nodes import (
    AndExpr,
    BinaryCheckExpr,
    ListExpr,
    postorder,
)
from workbench.condition.syntax.parser import parse
from workbench.rules.model.model import Macro, Rule, RuleList

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from workbench.diagnostics import Span

__all__ = ["extract_shared"]

# Fewer values than this are left in place.
_LEAST_VALUES = 3
_WORD = re.compile(r"[^ \t\r\n(),=]+")
# Shorter conditions than this are left in place, in characters.
_LEAST_TEXT = 40


def extract_shared(
    rules: Sequence[Rule], taken: Iterable[str]
) -> tuple[list[RuleList], list[Macro], list[Rule]]:
    """Return new lists and macros for what at least two rules share, and the rules.

    Sets of values become lists, parts of ``and`` conditions become macros. ``taken``:
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


def _value_sets(rule: Rule) -> list[tuple[str, ListExpr]]:
    """Return the sets of plain words in a condition, with the field before them."""
    try:
        tree = parse(rule.condition)
    except ParseFault:
        return []
    found = []
    for node in postorder(tree):
        if (
            isinstance(node, BinaryCheckExpr)
            and isinstance(node.right, ListExpr)
            and len(node.right.items) >= _LEAST_VALUES
        ):
            field = getattr(node.left, "name", "values")
            found.append((field, node.right))
    return found


def _lists(
    rules: Sequence[Rule], names: set[str], known: set[str]
) -> tuple[list[RuleList], list[Rule]]:
    shown: Counter[str] = Counter()
    fields: dict[str, str] = {}
    sets: list[list[tuple[str, ListExpr]]] = []
    for rule in rules:
        found = []
        raw = rule.condition.encode("utf-8", "surrogateescape")
        for field, node in _value_sets(rule):
            if any(i.value.decode("utf-8", "replace") in known for i in node.items):
                continue  # lists in lists go one level deep only
            inside = raw[node.span.start + 1 : node.span.end - 1]
            text = inside.decode("utf-8", "surrogateescape").strip()
            found.append((text, node))
            shown[text] += 1
            fields.setdefault(text, field)
        sets.append(found)
    made: dict[str, RuleList] = {}
    result = []
    for rule, found in zip(rules, sets, strict=True):
        changes = []
        for text, node in found:
            if shown[text] < 2:
                continue
            if text not in made:
                stem = fields[text].rpartition(".")[2] + "_values"
                raw = rule.condition.encode("utf-8", "surrogateescape")
                items = [
                    raw[i.span.start : i.span.end].decode("utf-8", "surrogateescape")
                    for i in node.items
                ]
                made[text] = RuleList(_name(stem, names), tuple(items))
            changes.append((node.span, f"({made[text].name})"))
        condition = _replaced(rule.condition, changes)
        result.append(dataclasses.replace(rule, condition=condition))
    return list(made.values()), result


def _macros(rules: Sequence[Rule], names: set[str]) -> tuple[list[Macro], list[Rule]]:
    shown: Counter[str] = Counter()
    parts: list[list[tuple[str, Span]]] = []
    for rule in rules:
        found: list[tuple[str, Span]] = []
        try:
            tree = parse(rule.condition)
        except ParseFault:
            parts.append(found)
            continue
        if isinstance(tree, AndExpr):
            found = [
                (canonical(child), child.span)
                for child in tree.children
                if isinstance(child, BinaryCheckExpr)
            ]
        long = [f for f in found if f[1].end - f[1].start >= _LEAST_TEXT]
        shown.update({text for text, _ in long})
        parts.append(long)
    made: dict[str, Macro] = {}
    result = []
    for rule, long in zip(rules, parts, strict=True):
        changes = []
        for text, span in long:
            if shown[text] < 2:
                continue
            if text not in made:
                raw = rule.condition.encode("utf-8", "surrogateescape")
                written = raw[span.start : span.end].decode("utf-8", "surrogateescape")
                made[text] = Macro(_name(text.split("(")[0], names), written)
            changes.append((span, made[text].name))
        condition = _replaced(rule.condition, changes)
        result.append(dataclasses.replace(rule, condition=condition))
    return list(made.values()), result
