"""The search among checks: short conjunctions of the chosen events and few others.

What is minimised is a description length (Rissanen 1978): the bits of the condition,
and for each chosen event those that name it among all events that match. So a check
that halves the matches is worth one bit per chosen event (the size principle of
Tenenbaum and Griffiths 2001): few examples give short conditions, many give precise
ones, and events without a label are no counterexamples.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.proposing.candidates import Candidate

__all__ = ["MISS_BITS", "Evidence", "Found", "conjunctions", "count_bits", "score"]

Bits = npt.NDArray[np.uint64]

_BEAM = 16
_MOST_CANDIDATES = 400
# A chosen event that does not match costs these bits beyond its own place.
MISS_BITS = 8.0
# So much dearer is one that must not match and does.
_AVOID_FACTOR = 3.0
_AND_BITS = 1.0


def count_bits(words: Bits) -> npt.NDArray[np.int64]:
    """Return how many bits are set, along the last axis."""
    counts: npt.NDArray[np.int64]
    if hasattr(np, "bitwise_count"):
        counts = np.bitwise_count(words).sum(axis=-1, dtype=np.int64)
    else:
        # NumPy before 2.0.
        counts = _PER_BYTE[words.view(np.uint8)].sum(axis=-1, dtype=np.int64)
    return counts


_PER_BYTE = np.array([byte.bit_count() for byte in range(256)], np.uint8)


@dataclass(frozen=True, slots=True)
class Evidence:
    """The events that a search looks at, as three bitmaps per check.

    ``chosen``, ``avoided``, ``sample``: rows of words, one row per candidate.
    ``scale``: events that one row of the sample stands for. ``events``: how many there
    are in all. ``miss_bits``: price of a chosen event left out; none where another
    alternative may hold it.
    """

    chosen: Bits
    avoided: Bits
    sample: Bits
    chosen_count: int
    scale: float
    events: int
    miss_bits: float = MISS_BITS


@dataclass(frozen=True, slots=True)
class Found:
    """A conjunction of candidates, by number, and what it holds."""

    parts: tuple[int, ...]
    chosen: Bits
    avoided: Bits
    sample: Bits
    bits: float
    score: float


def score(
    *,
    bits: float,
    matches: float,
    hit: int,
    missed: int,
    avoided: int,
    events: int,
    miss_bits: float = MISS_BITS,
) -> float:
    """Return the description length in bits; smaller is better.

    ``matches``: events that match in all; ``hit``, ``missed``: chosen ones that do and
    do not; ``avoided``: events that must not match and do.
    """
    place = math.log2(max(events, 2))
    return (
        bits
        + hit * math.log2(max(matches, hit, 1))
        + missed * (place + miss_bits)
        + avoided * place * _AVOID_FACTOR
    )


def conjunctions(
    candidates: Sequence[Candidate], evidence: Evidence, most_checks: int
) -> list[Found]:
    """Return the best conjunctions of at most ``most_checks`` checks, best first."""
    singles = _singles(candidates, evidence)
    beam = singles[:_BEAM]
    best: dict[tuple[int, ...], Found] = {found.parts: found for found in beam}
    for _ in range(most_checks - 1):
        grown: dict[tuple[int, ...], Found] = {}
        for found in beam:
            for longer in _longer(found, singles, candidates, evidence):
                grown.setdefault(longer.parts, longer)
        beam = sorted(grown.values(), key=_rank)[:_BEAM]
        if not beam:
            break
        best |= {found.parts: found for found in beam}
    return sorted(best.values(), key=_rank)


def _rank(found: Found) -> tuple[float, int, tuple[int, ...]]:
    return found.score, len(found.parts), found.parts


def _singles(candidates: Sequence[Candidate], evidence: Evidence) -> list[Found]:
    """Return the candidates alone, one for each set of events, the best ones."""
    kept: dict[bytes, Found] = {}
    for number, candidate in enumerate(candidates):
        found = _found(
            (number,),
            (
                evidence.chosen[number],
                evidence.avoided[number],
                evidence.sample[number],
            ),
            candidate.bits,
            evidence,
        )
        if not found.chosen.any():
            continue
        key = b"".join(
            words.tobytes() for words in (found.chosen, found.avoided, found.sample)
        )
        other = kept.get(key)
        if other is None or _rank(found) < _rank(other):
            kept[key] = found
    return sorted(kept.values(), key=_rank)[:_MOST_CANDIDATES]


def _longer(
    found: Found,
    singles: Sequence[Found],
    candidates: Sequence[Candidate],
    evidence: Evidence,
) -> list[Found]:
    """Return ``found`` with one more check each, where that is worth its bits."""
    others = [
        single
        for single in singles
        if single.parts[0] not in found.parts
        and _compatible(single.parts[0], found.parts, candidates)
    ]
    if not others:
        return []
    samples = np.stack([o.sample for o in others]) & found.sample
    chosen = np.stack([o.chosen for o in others]) & found.chosen
    avoided = np.stack([o.avoided for o in others]) & found.avoided
    counted_words = (count_bits(words).tolist() for words in (chosen, avoided, samples))
    counts = zip(*counted_words, strict=True)
    longer = []
    for at, (other, counted) in enumerate(zip(others, counts, strict=True)):
        made = _found(
            tuple(sorted((*found.parts, *other.parts))),
            (chosen[at], avoided[at], samples[at]),
            found.bits + other.bits + _AND_BITS,
            evidence,
            counted,
        )
        if made.score < found.score:
            longer.append(made)
    longer.sort(key=_rank)
    return longer[:_BEAM]


def _compatible(
    number: int, parts: tuple[int, ...], candidates: Sequence[Candidate]
) -> bool:
    """Whether a check adds to others of its field: two limits do, two values do not."""
    mine = candidates[number]
    return not any(
        candidates[p].field == mine.field and candidates[p].operator == mine.operator
        for p in parts
        if mine.operator not in {"contains", "intersects"}
    )


def _found(
    parts: tuple[int, ...],
    words: tuple[Bits, Bits, Bits],
    bits: float,
    evidence: Evidence,
    counted: tuple[int, int, int] | None = None,
) -> Found:
    """Judge a conjunction; ``counted``: bits set in each of ``words``, if known."""
    chosen, avoided, sample = words
    if counted is None:
        counted = (
            int(count_bits(chosen)),
            int(count_bits(avoided)),
            int(count_bits(sample)),
        )
    hit, wrong, sampled = counted
    matches = sampled * evidence.scale
    total = score(
        bits=bits,
        matches=max(matches, hit),
        hit=hit,
        missed=evidence.chosen_count - hit,
        avoided=wrong,
        events=evidence.events,
        miss_bits=evidence.miss_bits,
    )
    return Found(parts, chosen, avoided, sample, bits, total)
