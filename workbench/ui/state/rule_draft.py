"""The rule being written: the form's texts, exceptions from rows, parts taken out.

The draft knows no widget. :meth:`RuleDraft.rule` gives the Rule as it is now;
:meth:`RuleDraft.rule_set` puts the macros and lists that it uses beside it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from workbench.arrow.types import column_info
from workbench.ui.data.axis import TIME_AXIS
from workbench.ui.data.column_sets import MACHINE_COLUMNS
from workbench.ui.data.values import literal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from workbench.fields.declarations import FieldInfo
    from workbench.rules import Macro, Rule, RuleException, RuleList, RuleSet
    from workbench.ui.data.row_store import RowStore

__all__ = ["Fragment", "Proposal", "RuleDraft", "find_parts", "propose_exception"]

_NAME = re.compile(r"[^a-z0-9]+")
_LIST = re.compile(
    r"\b(?:in|intersects|pmatch)\s*(\((?:[^()'\"]|'[^']*'|\"[^\"]*\")*\))"
)
_GROUP = re.compile(r"\((?:[^()'\"]|'[^']*'|\"[^\"]*\")*\)")
_MOST_VALUES = 100
# Fields that tell events apart instead of saying what they have in common.
_FEW_DISTINCT = 3


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
    parts: list[tuple[Fragment, Macro | RuleList]] = field(default_factory=list)

    def named(self, condition: str) -> str:
        """Give the condition with the parts taken out replaced by their names.

        The editor keeps the whole condition: it has to be evaluated as it is.
        """
        for part, item in self.parts:
            written = f"({item.name})" if part.kind == "list" else item.name
            condition = condition.replace(part.text, written)
        return condition

    def used_items(self, condition: str) -> list[Macro | RuleList]:
        """Give the lists, then the macros, that stand for parts of the condition."""
        used = [(p, item) for p, item in self.parts if p.text in condition]
        used.sort(key=lambda pair: pair[0].kind != "list")
        return [item for _, item in used]

    def tag_list(self) -> tuple[str, ...]:
        """Give the tags, split at commas."""
        return tuple(t.strip() for t in self.tags.split(",") if t.strip())

    def rule(self, condition: str) -> Rule:
        """Give the rule as it is now, with ``condition``."""
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

    def rule_set(self, condition: str, checked: Any = None) -> RuleSet:
        """Give a rule set of this rule and the macros and lists taken out of it.

        ``checked``: Plugin, Workbench or Events whose plugins the file requires.
        """
        from workbench.rules import RuleSet
        from workbench.rules.linting.requirements import header_yaml

        rules = RuleSet()
        rules.add(header_yaml(dict(getattr(checked, "plugin_versions", None) or {})))
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
        """Give the exception that compares ``fields`` for equality."""
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
            values=tuple(values[:_MOST_VALUES]),
        )

    def to_state(self) -> dict[str, Any]:
        """Give what the form shows."""
        return {
            "name": self.name,
            "fields": [
                {"field": f, "chosen": f in self.chosen, "note": self.notes[f]}
                for f in self.fields
            ],
        }


def _plain_literal(value: Any, info: FieldInfo | None) -> str | None:
    """Give a value as exceptions write it: without the condition's quotes."""
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


@dataclass(frozen=True, slots=True)
class Fragment:
    """A piece of the condition that can become a macro or a list."""

    kind: str
    text: str
    name: str
    start: int
    end: int


def find_parts(condition: str, fields: Mapping[str, FieldInfo]) -> list[Fragment]:
    """Find value lists and bracketed groups that could get a name."""
    del fields
    parts = []
    for match in _LIST.finditer(condition):
        inner = match[1][1:-1]
        if "," in inner:
            parts.append(Fragment("list", match[1], "known_values", *match.span(1)))
    taken = [(p.start, p.end) for p in parts]
    for match in _GROUP.finditer(condition):
        inside = any(a <= match.start() < b for a, b in taken)
        head = condition[: match.start()].rstrip()
        plain = not head or head.endswith(("and", "or", "not", "("))
        if plain and not inside and re.search(r"\b(and|or)\b", match[0]):
            parts.append(Fragment("macro", match[0], "named_part", *match.span()))
    if re.search(r"\b(and|or)\b", condition):
        whole = condition.strip()
        start = condition.index(whole)
        parts.append(
            Fragment("macro", whole, "whole_condition", start, start + len(whole))
        )
    return parts
