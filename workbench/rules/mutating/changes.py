"""Every change of the conditions of some rules, of their macros and lists, compiled.

A macro or list is changed once, in all rules that use it, as a mistake in it would.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from workbench.condition.binding.bind import bind
from workbench.condition.binding.faults import BindFault, UncheckedField
from workbench.condition.execution.compile import CompiledCondition
from workbench.condition.syntax.nodes import (
    AndExpr,
    MacroExpr,
    postorder,
)
from workbench.rules.mutating.variants import changed, variants

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from workbench.condition.syntax.nodes import Expr
    from workbench.fields.declarations import FieldTable
    from workbench.rules.compiling.compiled import Compilation, CompiledRule, Parsed
    from workbench.rules.compiling.list_substitution import CompiledList
    from workbench.rules.compiling.source_map import SourceMap
    from workbench.rules.model.locations import SourcePoint
    from workbench.rules.mutating.variants import Owner, Variant

__all__ = ["Change", "changes_of", "compiled_change"]


@dataclass(slots=True)
class Change:
    """One change. ``inside``: the item that it is made in, such as "macro web".

    ``rules``: numbers of the rules that use it. ``edits``: see
    :func:`workbench.rules.mutating.variants.changed`.
    """

    kind: str
    before: str
    after: str
    inside: str
    file: str
    line: int
    column: int
    rules: list[int]
    edits: dict[tuple[Owner, int], Expr | None] = field(default_factory=dict)

    @property
    def key(self) -> tuple[str, str, str, str, str, int, int]:
        """What tells it from every other change of the same rules."""
        place = self.file, self.line, self.column
        return self.kind, self.before, self.after, self.inside, *place


@dataclass(slots=True)
class _Text:
    """A rule's or macro's own text, and the rules that it is part of."""

    owner: Owner
    tree: Expr
    parsed: Parsed
    rules: list[int]
    exceptions: list[str] = field(default_factory=list)


def changes_of(
    compilation: Compilation, rules: Sequence[CompiledRule], fields: FieldTable
) -> list[Change]:
    """Return every change of ``rules`` and of the macros and lists that they use."""
    found: dict[object, Change] = {}
    lists = {one.entry.name: one for one in compilation.lists.lists}
    for text in _texts(compilation, rules):
        origin = text.parsed.source_map()
        for variant in variants(text.tree, fields, len(text.exceptions)):
            edits = {(text.owner, variant.number): variant.new}
            name = origin.list_at(variant.at) if variant.kind == "item" else None
            if name is None or name not in lists:
                change = _change(text, variant, origin)
                found[(text.owner, len(found))] = change
                change.edits |= edits
                continue
            place = _item_place(lists[name], variant.before)
            change = Change("item", variant.before, "", f"list {name}", *place, [])
            known = found.setdefault((name, variant.before), change)
            known.edits |= edits
            known.rules = sorted({*known.rules, *text.rules})
    return list(found.values())


def _texts(compilation: Compilation, rules: Sequence[CompiledRule]) -> Iterator[_Text]:
    macros: dict[str, _Text] = {}
    for number, rule in enumerate(rules):
        owner = "rule", rule.entry.name
        text = _Text(owner, rule.tree, rule.parsed, [number])
        text.exceptions = _exceptions(rule)
        yield text
        for node in postorder(rule.tree):
            if isinstance(node, MacroExpr):
                parsed = compilation.macros[node.name]
                text = _Text(("macro", node.name), node.child, parsed, [])
                known = macros.setdefault(node.name, text)
                if number not in known.rules:
                    known.rules.append(number)
    yield from macros.values()


def _exceptions(rule: CompiledRule) -> list[str]:
    """Return the names of the exceptions that end a rule's text, in order."""
    added = rule.parsed.added or []
    names = [part.exception.name for part in added if part.text == b"))"]
    joined = isinstance(rule.tree, AndExpr) and len(rule.tree.children) > len(names)
    return names if joined else []


def _change(text: _Text, variant: Variant, origin: SourceMap) -> Change:
    inside, before = " ".join(text.owner), variant.before
    if variant.exception >= 0:
        name = text.exceptions[variant.exception]
        inside = f"exception {name} of {inside}"
        before = name if variant.kind == "exception" else before
    place = _place(origin.source_point(variant.at))
    return Change(variant.kind, before, variant.after, inside, *place, text.rules)


def _place(point: SourcePoint | None) -> tuple[str, int, int]:
    if point is None:
        return "", 0, 0
    return (point.source.name, *point.source.line_column(point.pos))


def _item_place(compiled: CompiledList, shown: str) -> tuple[str, int, int]:
    """Return where a list's item stands; the list itself for one of another list."""
    for text, node, source in compiled.entry.items:
        if text.strip("\"'") == shown.strip('"'):
            return (source.name, *source.line_column(node.start))
    return _place(compiled.entry.location.source_point())


def compiled_change(
    change: Change, rules: Sequence[CompiledRule], fields: FieldTable
) -> dict[int, CompiledCondition]:
    """Return the changed conditions, by number of the rule; none: Falco refuses it.

    So a mistake that loading finds is no mutant.
    """
    made: dict[int, CompiledCondition] = {}
    for number in change.rules:
        rule = rules[number]
        tree = changed(rule.tree, ("rule", rule.entry.name), change.edits)
        if tree is None:
            continue
        try:
            bound = bind(tree, fields)
        except (BindFault, UncheckedField):
            return {}
        if bound.root is None:
            return {}
        made[number] = CompiledCondition.from_bound(
            bound, text="", ast="", fields=fields
        )
    return made
