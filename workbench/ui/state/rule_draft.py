"""The rule being written: the form's texts, exceptions from rows, parts taken out.

The draft knows no widget. :meth:`RuleDraft.rule` gives the Rule as it is now;
:meth:`RuleDraft.rule_set` puts the macros and lists that it uses beside it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from workbench.arrow.types import column_info
from workbench.condition.analysis.fragments import find_fragments, replace_spans
from workbench.fields.literals import literal
from workbench.ui.data.axis import TIME_AXIS
from workbench.ui.data.column_sets import MACHINE_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from workbench.condition.analysis.fragments import Fragment
    from workbench.diagnostics import Span
    from workbench.fields.declarations import FieldInfo
    from workbench.rules import Macro, Rule, RuleException, RuleList, RuleSet
    from workbench.ui.data.row_store import RowStore

__all__ = [
    "Proposal",
    "RuleDraft",
    "fragment_state",
    "nameable_fragments",
    "propose_exception",
]

_NAME = re.compile(r"[^a-z0-9]+")
_ITEM_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_KEYWORDS = frozenset({"and", "or", "not"})
_MAX_VALUES = 100
# Fields that tell events apart instead of saying what they have in common.
_FEW_DISTINCT = 3


def _with_names(
    condition: str, fragments: Mapping[str, Fragment]
) -> tuple[str, list[str]]:
    """Return ``condition`` with names instead of fragments, and the names used."""
    names = {(f.kind, f.key): name for name, f in fragments.items()}
    changes: list[tuple[Span, str]] = []
    used: list[str] = []
    end = 0
    for found in find_fragments(condition) if names else ():
        name = names.get((found.kind, found.key))
        # What lies inside a fragment that has a name goes with it.
        if name is None or found.span.start < end:
            continue
        end = found.span.end
        used.append(name)
        changes.append((found.span, f"({name})" if found.kind == "list" else name))
    return replace_spans(condition, changes), used


@dataclass(slots=True)
class RuleDraft:
    """The texts of the form, as typed."""

    name: str = "New rule"
    desc: str = ""
    output: str = ""
    priority: str = "WARNING"
    source: str = ""
    tags: str = ""
    exceptions: list[RuleException] = field(default_factory=list)
    # Name of a macro or list → the fragment of the condition that it stands for.
    fragments: dict[str, Fragment] = field(default_factory=dict)

    def name_fragment(self, name: str, fragment: Fragment, condition: str) -> None:
        """Let a macro or list ``name`` stand for a fragment wherever it occurs.

        Raises ValueError for a name that rules files cannot use here: the engine
        replaces a list's name wherever it stands alone, in quotes too.
        """
        if not _ITEM_NAME.fullmatch(name) or name in _KEYWORDS:
            raise ValueError(
                f"{name!r} cannot name a macro or list; use letters, digits and _"
            )
        if name in re.split(r"[ \t\r\n(),=\"']+", condition):
            raise ValueError(
                f"{name!r} is a word of the condition; choose another name"
            )
        self.fragments[name] = fragment

    def named(self, condition: str) -> str:
        """Return the condition with the named fragments replaced by their names.

        The editor keeps the full text: it has to be evaluated as it is.
        """
        return _with_names(condition, self.fragments)[0]

    def used_items(self, condition: str) -> list[Macro | RuleList]:
        """Return lists, then macros in the order they need, used by the condition."""
        from workbench.rules import Macro, RuleList

        lists: dict[str, RuleList] = {}
        macros: dict[str, Macro] = {}

        def define(name: str) -> None:
            fragment = self.fragments[name]
            if fragment.kind == "list":
                lists[name] = RuleList(name, fragment.items)
            elif name not in macros:
                others = {
                    other: each
                    for other, each in self.fragments.items()
                    if each.key != fragment.key
                }
                text, inner = _with_names(fragment.inner, others)
                for each in inner:
                    define(each)
                macros[name] = Macro(name, text)

        for name in _with_names(condition, self.fragments)[1]:
            define(name)
        return [*lists.values(), *macros.values()]

    def tag_list(self) -> tuple[str, ...]:
        """Return the tags, split at commas."""
        return tuple(t.strip() for t in self.tags.split(",") if t.strip())

    def rule(self, condition: str) -> Rule:
        """Return the rule as it is now, with ``condition``."""
        from workbench.rules import Rule

        return Rule(
            name=self.name.strip() or "New rule",
            desc=self.desc.strip(),
            condition=self.named(condition.strip()),
            output=self.output.strip(),
            priority=self.priority,
            source=self.source,
            tags=self.tag_list(),
            exceptions=tuple(self.exceptions),
        )

    def rule_set(self, condition: str, target: Any = None) -> RuleSet:
        """Return a rule set of this rule and the macros and lists taken out of it.

        ``target``: Plugin, Workbench or Events whose plugins the file requires.
        """
        from workbench.rules import RuleSet
        from workbench.rules.linting.requirements import header_yaml

        rules = RuleSet()
        rules.add(header_yaml(dict(getattr(target, "plugin_versions", None) or {})))
        for item in (*self.used_items(condition), self.rule(condition)):
            rules.add(item)
        return rules

    def take(self, rule: Rule) -> None:
        """Fill the form from ``rule``."""
        self.name, self.desc, self.output = rule.name, rule.desc, rule.output
        self.priority, self.source = rule.priority, rule.source
        self.tags = ", ".join(rule.tags)
        self.exceptions = list(rule.exceptions)


@dataclass(slots=True)
class Proposal:
    """An exception for chosen rows: which fields to compare, and their values.

    ``fields``: candidates, best first; ``chosen``: those ticked to begin with.
    ``rows``: for each chosen event, field → literal.
    """

    name: str
    fields: list[str]
    chosen: set[str]
    notes: dict[str, str]
    rows: list[dict[str, str]]

    def exception(self, name: str, fields: Sequence[str]) -> RuleException:
        """Return the exception that compares ``fields`` for equality."""
        from workbench.rules import RuleException

        names = tuple(f for f in self.fields if f in fields)
        if not names:
            raise ValueError("choose at least one field to compare")
        values = []
        for row in self.rows:
            if all(n in row for n in names):
                value = tuple(row[n] for n in names)
                if value not in values:
                    values.append(value)
        return RuleException(
            name=name or self.name,
            fields=names,
            comps=tuple("=" for _ in names),
            values=tuple(values[:_MAX_VALUES]),
        )

    def to_state(self) -> dict[str, Any]:
        """Return what the form shows."""
        return {
            "name": self.name,
            "fields": [
                {"field": f, "chosen": f in self.chosen, "note": self.notes[f]}
                for f in self.fields
            ],
        }


def _plain_literal(value: Any, info: FieldInfo | None) -> str | None:
    """Return a value as exceptions write it: without the condition's quotes."""
    if isinstance(value, bytes) and info is not None and info.type == "string":
        try:
            return value.decode("utf-8")
        except UnicodeDecodeError:
            return None
    return literal(value, info)


def propose_exception(
    store: RowStore, positions: Sequence[int], condition: str
) -> Proposal:
    """Propose what to compare so that the rows at ``positions`` never alert.

    Fields that all these rows share come first; those of the condition are left out of
    the first choice, since they are what the rule looks for.
    """
    rows: list[dict[str, str]] = [{} for _ in positions]
    notes: dict[str, str] = {}
    weights: dict[str, int] = {}
    skip = {"evt.num", "evt.rawtime", "evt.source", TIME_AXIS, *MACHINE_COLUMNS}
    for name in store.columns:
        info = column_info(name, store.fields)
        if name in skip or info is None or info.is_list:
            continue
        seen = []
        for row, position in zip(rows, positions, strict=True):
            text = _plain_literal(store.value(position, name), info)
            if text is not None:
                row[name] = text
                seen.append(text)
        if len(seen) < len(positions):
            continue
        distinct = len(set(seen))
        example = seen[0] if len(seen[0]) <= 40 else seen[0][:39] + "…"
        notes[name] = example if distinct == 1 else f"{distinct} values, {example}, …"
        weights[name] = (
            distinct
            + 10 * (name in condition)
            + 5 * (info.type in {"abstime", "reltime"})
        )
    fields = sorted(notes, key=lambda name: weights[name])
    chosen = {name for name in fields if weights[name] <= _FEW_DISTINCT}
    chosen = set(sorted(chosen, key=fields.index)[:2]) or set(fields[:1])
    base = _NAME.sub("_", "_".join(f.split(".")[-1] for f in fields if f in chosen))
    return Proposal(f"known_{base}".strip("_"), fields, chosen, notes, rows)


def nameable_fragments(condition: str) -> list[Fragment]:
    """Return value lists, then groups, then the condition itself if it has parts."""
    found = find_fragments(condition)
    lists = [f for f in found if f.kind == "list" and len(f.items) > 1]
    groups = [f for f in found if f.kind == "group"]
    groups.sort(key=lambda fragment: fragment.text == condition.strip())
    return [*lists, *groups]


def fragment_state(fragment: Fragment, condition: str) -> dict[str, str]:
    """Return what the form shows of a fragment, with a name to begin with."""
    if fragment.kind == "list":
        kind, name = "list", "known_values"
    else:
        kind = "macro"
        covers = fragment.text == condition.strip()
        name = "whole_condition" if covers else "named_part"
    return {"kind": kind, "text": fragment.text, "name": name}
