"""Names that look like a name: what a writer probably meant."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["edits_between", "names_ending_in", "nearest_names"]

# Names longer than this are cut: comparing costs time that grows with the square.
_MAX_LENGTH = 100
# Candidates, of which the closest are kept.
_CANDIDATES = 12


def edits_between(first: str, second: str) -> int:
    """Return how many letters to insert, remove, change or swap with the next."""
    before: list[int] = []
    above = list(range(len(second) + 1))
    for row, letter in enumerate(first, 1):
        current = [row]
        for column, other in enumerate(second, 1):
            cost = min(
                above[column] + 1,
                current[column - 1] + 1,
                above[column - 1] + (letter != other),
            )
            if (
                row > 1
                and column > 1
                and letter == second[column - 2]
                and first[row - 2] == other
            ):
                cost = min(cost, before[column - 2] + 1)
            current.append(cost)
        before, above = above, current
    return above[-1]


def nearest_names(name: str, names: Iterable[str], count: int = 3) -> list[str]:
    """Return up to ``count`` of ``names`` that look like ``name``.

    Fewest edits first, then the most alike. A name one letter away leaves no doubt:
    those that need more than one edit beyond it are left out.
    """
    folded = {known.lower(): known for known in reversed(list(names))}
    wanted = name.lower()[:_MAX_LENGTH]
    close = difflib.get_close_matches(wanted, folded, max(count, _CANDIDATES), 0.7)
    edits = {each: edits_between(wanted, each[:_MAX_LENGTH]) for each in close}
    close.sort(key=edits.__getitem__)
    if close and edits[close[0]] <= 1:
        close = [each for each in close if edits[each] <= edits[close[0]] + 1]
    return [folded[each] for each in close[:count]]


def names_ending_in(name: str, names: Iterable[str], count: int = 3) -> list[str]:
    """Return up to ``count`` of ``names`` whose last part is ``name`` or looks so."""
    tails: dict[str, list[str]] = {}
    for known in names:
        _, dot, tail = known.rpartition(".")
        if dot:
            tails.setdefault(tail, []).append(known)
    near = nearest_names(name, tails, count)
    return [known for tail in near for known in tails[tail]][:count]
