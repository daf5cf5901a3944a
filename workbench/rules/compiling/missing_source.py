"""Rules without ``source:`` whose fields belong to the events of a plugin."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from workbench.rules.model.entries import joined
from workbench.rules.target.target import SYSCALL_FAMILIES

if TYPE_CHECKING:
    from workbench.rules.model.entries import RuleEntry
    from workbench.rules.target.target import Target

__all__ = ["likely_source", "source_advice"]

_DOTTED = re.compile(rb"[A-Za-z]\w*(?:\.\w+)+")


def likely_source(target: Target, *texts: bytes) -> str | None:
    """Return the one event source whose fields the texts of a rule name, or None."""
    votes: Counter[str] = Counter()
    own = target.fields_of("syscall")
    for text in texts:
        for name in {found.decode() for found in _DOTTED.findall(text)}:
            family = name.partition(".")[0]
            if family in SYSCALL_FAMILIES or name in own:
                continue
            for source in target.sources:
                fields = target.fields_of(source)
                if name in fields:
                    votes[source] += 100
                elif any(known.startswith(f"{family}.") for known in fields):
                    votes[source] += 1
    best = votes.most_common(2)
    if not best or (len(best) == 2 and best[0][1] == best[1][1]):
        return None
    return best[0][0]


def source_advice(target: Target | None, entry: RuleEntry) -> str | None:
    """Return what to add to a rule that lacks its source; None where nothing lacks."""
    if target is None or entry.source != "syscall":
        return None
    source = likely_source(target, joined(entry.condition), joined(entry.output))
    if source is None:
        return None
    return f"add 'source: {source}' to the rule; without it, it is for system calls"
