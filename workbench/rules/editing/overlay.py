"""What changed in loaded rules, as items for a file that is loaded after them.

A rules file of somebody else stays as it is and can be updated: a file of one's own,
the overlay, appends to its items, replaces some of their keys and adds new ones.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from workbench.rules.model.model import RULE_FLAGS, Macro, Rule, RuleList
from workbench.yamlcpp.emit import INDENT, block, pair, sequence

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from workbench.rules.loading.collector import Collector
    from workbench.rules.model.model import RuleException

__all__ = ["Items", "overlay_items", "override_item", "same_items"]

_BLANKS = " \t\n\r\f\v"


@dataclass(frozen=True, slots=True)
class Items:
    """Lists, macros and rules by name, each in the order of its latest definition."""

    lists: Mapping[str, RuleList]
    macros: Mapping[str, Macro]
    rules: Mapping[str, Rule]

    @classmethod
    def of(cls, collector: Collector) -> Items:
        """Take what files left in a collection."""
        lists = sorted(collector.lists.values(), key=lambda e: e.visibility)
        macros = sorted(collector.macros.values(), key=lambda e: e.visibility)
        rules = sorted(collector.rules.values(), key=lambda e: e.index)
        return cls(
            {e.name: e.value() for e in lists},
            {e.name: e.value() for e in macros},
            {e.name: e.value() for e in rules if e.condition and e.output},
        )

    def get(self, item: Rule | Macro | RuleList) -> Rule | Macro | RuleList | None:
        """Return the namesake of ``item`` here."""
        if isinstance(item, Rule):
            return self.rules.get(item.name)
        if isinstance(item, Macro):
            return self.macros.get(item.name)
        return self.lists.get(item.name)

    def __iter__(self) -> Iterator[Rule | Macro | RuleList]:
        """Yield every item in an order that can be loaded."""
        yield from self.lists.values()
        yield from self.macros.values()
        yield from self.rules.values()


def overlay_items(old: Items, new: Items) -> str:
    """Return the items that make ``old`` into ``new`` when loaded after it.

    A rule that is gone is switched off; lists and macros that are gone stay, unused.
    """
    texts = []
    for item in new:
        before = old.get(item)
        if before is None:
            texts.append(item.to_yaml())
        else:
            texts.append(override_item(before, item))
    texts += [
        _item("rule", name, [(f"{INDENT}enabled: false", "enabled", "replace")])
        for name, rule in old.rules.items()
        if name not in new.rules and rule.enabled
    ]
    return "\n".join(text for text in texts if text)


def same_items(wanted: Items, found: Items) -> bool:
    """Whether ``found`` behaves as ``wanted``: what is gone may be there, but off."""
    kept = Items(
        {n: item for n, item in found.lists.items() if n in wanted.lists},
        {n: item for n, item in found.macros.items() if n in wanted.macros},
        {n: item for n, item in found.rules.items() if n in wanted.rules},
    )
    gone = [r for n, r in found.rules.items() if n not in wanted.rules]
    return (
        not any(rule.enabled for rule in gone)
        and kept.lists == wanted.lists
        and kept.macros == wanted.macros
        and list(kept.rules) == list(wanted.rules)
        and all(_filled(kept.rules[n]) == _filled(r) for n, r in wanted.rules.items())
    )


def _filled(rule: Rule) -> Rule:
    """Spell out the operators that exceptions leave to the engine."""
    exceptions = tuple(map(_with_comps, rule.exceptions))
    return replace(rule, exceptions=exceptions)


def _with_comps(exception: RuleException) -> RuleException:
    if exception.comps is not None or exception.fields is None:
        return exception
    several = not isinstance(exception.fields, str)
    comps = ("=",) * len(exception.fields) if several else "in"
    return replace(exception, comps=comps)


# A key of an item as written, its name, and what an override does with it.
_Change = tuple[str, str, str]


def override_item(old: Rule | Macro | RuleList, new: Rule | Macro | RuleList) -> str:
    """Return the item that makes ``old`` into ``new``; "" when they are the same.

    Only keys that differ are written: appended to where the new value begins with the
    old one, else replaced. A rule of another event source is written whole, which the
    engine refuses; an empty description keeps the old one.
    """
    if isinstance(old, Rule) and isinstance(new, Rule):
        if old.source != new.source:
            return new.to_yaml()
        return _item("rule", new.name, _rule_changes(old, new))
    if isinstance(old, Macro) and isinstance(new, Macro):
        return _item("macro", new.name, _text_change("condition", old, new))
    if isinstance(old, RuleList) and isinstance(new, RuleList):
        return _item("list", new.name, _items_change(old, new))
    raise TypeError("an item overrides one of its own kind")


def _item(kind: str, name: str, changes: Sequence[_Change]) -> str:
    """Write an item with an ``override`` mapping for ``changes``."""
    if not changes:
        return ""
    lines = [f"- {kind}: {block(name, len(kind) + 4, INDENT * 2)}"]
    lines += [text for text, _, _ in changes]
    lines.append(f"{INDENT}override:")
    lines += [f"{INDENT * 2}{key}: {operation}" for _, key, operation in changes]
    return "\n".join(lines) + "\n"


def _rule_changes(old: Rule, new: Rule) -> list[_Change]:
    changes = _text_change("condition", old, new)
    if new.desc and new.desc != old.desc:
        changes.append((pair("desc", new.desc), "desc", "replace"))
    if new.output != old.output:
        changes.append((pair("output", new.output), "output", "replace"))
    if new.priority != old.priority:
        written = f"{INDENT}priority: {new.priority}"
        changes.append((written, "priority", "replace"))
    if new.tags != old.tags:
        missing = set(old.tags) - set(new.tags)
        added = [tag for tag in new.tags if tag not in old.tags]
        tags, operation = (new.tags, "replace") if missing else (added, "append")
        changes.append((sequence("tags", tags), "tags", operation))
    for key, (attribute, _) in RULE_FLAGS.items():
        value = getattr(new, attribute)
        if value != getattr(old, attribute):
            written = f"{INDENT}{key}: {'true' if value else 'false'}"
            changes.append((written, key, "replace"))
    if new.capture_duration != old.capture_duration:
        written = f"{INDENT}capture_duration: {new.capture_duration}"
        changes.append((written, "capture_duration", "replace"))
    return changes + _exceptions_change(old, new)


def _text_change(key: str, old: Rule | Macro, new: Rule | Macro) -> list[_Change]:
    """Return how a condition changes: the engine appends with one blank."""
    before, after = old.condition, new.condition
    if before == after:
        return []
    rest = after.removeprefix(before + " ")
    if rest != after and rest.startswith(("and ", "or ")):
        return [(pair(key, rest), key, "append")]
    return [(pair(key, after), key, "replace")]


def _items_change(old: RuleList, new: RuleList) -> list[_Change]:
    if old.items == new.items:
        return []
    count = len(old.items)
    if new.items[:count] == old.items:
        return [(sequence("items", new.items[count:]), "items", "append")]
    return [(sequence("items", new.items), "items", "replace")]


def _exceptions_change(old: Rule, new: Rule) -> list[_Change]:
    before = tuple(map(_with_comps, old.exceptions))
    after = tuple(map(_with_comps, new.exceptions))
    if before == after:
        return []
    added = _appended_exceptions(before, new.exceptions)
    # replacing ones need their operators spelled out: the engine adds none
    written, operation = (after, "replace") if added is None else (added, "append")
    lines = [f"{INDENT}exceptions:{'' if written else ' []'}"]
    lines += [exception.to_yaml(INDENT * 2) for exception in written]
    return [("\n".join(lines), "exceptions", operation)]


def _appended_exceptions(
    old: Sequence[RuleException], new: Sequence[RuleException]
) -> list[RuleException] | None:
    """Return what to append to get ``new``; None when appending cannot."""
    names = [exception.name for exception in old]
    count = len(old)
    same_start = [e.name for e in new[:count]] == names
    if not same_start or len({e.name for e in new}) < len(new):
        return None
    found = []
    for before, after in zip(old, map(_with_comps, new), strict=False):
        fixed = len(before.values)
        if (before.fields, before.comps) != (after.fields, after.comps):
            return None
        if after.values[:fixed] != before.values:
            return None
        if len(after.values) > fixed:
            values = after.values[fixed:]
            found.append(replace(after, fields=None, comps=None, values=values))
    fresh = new[count:]
    if any(not e.values or e.fields is None for e in fresh):
        return None
    return [*found, *fresh]
