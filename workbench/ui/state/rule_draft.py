"""The rule being written: the form's texts, exceptions from rows, parts taken out.

The draft knows no widget. :meth:`RuleDraft.rule` gives the Rule as it is now;
:meth:`RuleDraft.rule_set` puts the macros and lists that it uses beside it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from workbench.condition.analysis.fragments import find_fragments, replace_spans

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from workbench.condition.analysis.fragments import Fragment
    from workbench.diagnostics import Span
    from workbench.rules import Macro, Rule, RuleException, RuleList, RuleSet

__all__ = [
    "RuleDraft",
    "exception_name",
    "fragment_state",
    "nameable_fragments",
]

_NAME = re.compile(r"[^a-z0-9]+")
_ITEM_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_KEYWORDS = frozenset({"and", "or", "not"})


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
    # The rule that the draft began with: it keeps what the form does not show.
    base: Rule | None = None
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

        given: dict[str, Any] = {
            "name": self.name.strip() or "New rule",
            "desc": self.desc.strip(),
            "condition": self.named(condition.strip()),
            "output": self.output.strip(),
            "priority": self.priority,
            "source": self.source or "syscall",
            "tags": self.tag_list(),
            "exceptions": tuple(self.exceptions),
        }
        return Rule(**given) if self.base is None else replace(self.base, **given)

    @classmethod
    def of(cls, rule: Rule) -> RuleDraft:
        """Return a draft of a rule as it is."""
        made = cls(base=rule)
        made.take(rule)
        return made

    def changed(self, **texts: Any) -> RuleDraft:
        """Return a copy with other texts, exceptions or fragments."""
        kept: dict[str, Any] = {
            "exceptions": list(self.exceptions),
            "fragments": dict(self.fragments),
        }
        return replace(self, **{**kept, **texts})

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


def exception_name(fields: Sequence[str]) -> str:
    """Return a name for an exception that compares ``fields``."""
    base = "_".join(f.split(".")[-1] for f in fields)
    return f"known_{_NAME.sub('_', base.lower())}".strip("_")


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
