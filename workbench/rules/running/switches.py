"""Which rules of a set run: switches as in a falco.yaml, and selections."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from workbench.rules.model.model import PRIORITIES, level_named

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from workbench.rules.model.entries import RuleEntry

__all__ = ["Selection", "Switch", "Switches", "switches_for", "wildcard_matches"]

# Enable or disable; "rule" or "tag"; a pattern for names, or a tag.
Switch: TypeAlias = "tuple[bool, str, str]"

_ALL_OFF: Switch = (False, "rule", "*")


@dataclass(frozen=True, slots=True)
class Switches:
    """Decides whether a rule is on: its own key, then each switch in order."""

    switches: tuple[Switch, ...]

    def __call__(self, entry: RuleEntry) -> bool:
        """Whether ``entry`` is on."""
        on = entry.enabled
        for enable, kind, pattern in self.switches:
            if kind == "rule":
                hit = wildcard_matches(pattern, entry.name)
            else:
                hit = pattern in entry.tags
            on = enable if hit else on
        return on


@dataclass(frozen=True, slots=True)
class Selection:
    """Some rules of a set: those that satisfy everything that is given.

    ``tags``: one of them is enough; ``names``: texts that may hold ``*``; ``level``: of
    the least severe priority.
    """

    tags: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    level: int = PRIORITIES[-1].level

    def __call__(self, entry: RuleEntry) -> bool:
        """Whether ``entry`` is selected."""
        return (
            level_named(entry.priority) <= self.level
            and (not self.tags or not entry.tags.isdisjoint(self.tags))
            and (
                not self.names
                or any(wildcard_matches(name, entry.name) for name in self.names)
            )
        )


def switches_for(
    entries: Sequence[RuleEntry], wanted: Iterable[str], selections: Sequence[Selection]
) -> list[Switch]:
    """Return switches that leave on the rules named ``wanted``, and no other.

    As few as the selections allow; else one for every rule. Raises ValueError when
    a rule's name is a pattern that means others, too.
    """
    names = set(wanted)
    chosen = [_ALL_OFF]
    if len(selections) == 1:
        chosen += [(True, "tag", tag) for tag in selections[0].tags]
        chosen += [(True, "rule", name) for name in selections[0].names]
    exact = [_ALL_OFF, *((True, "rule", e.name) for e in entries if e.name in names)]
    for switches in (chosen, exact):
        decide = Switches(tuple(switches))
        if {entry.name for entry in entries if decide(entry)} == names:
            return switches
    raise ValueError("no switches leave on these rules alone: a name holds '*'")


def wildcard_matches(pattern: str, text: str) -> bool:
    """Match ``*`` as the engine does: at the first occurrence, never going back."""
    head, *rest = pattern.split("*")
    if not text.startswith(head):
        return False
    if not rest:
        return text == pattern
    at = len(head)
    for literal in rest:
        if not literal:
            continue
        found = text.find(literal, at)
        if found < 0:
            return False
        at = found + len(literal)
    return not rest[-1] or at == len(text)
