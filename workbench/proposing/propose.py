"""From chosen events to conditions: make checks, search, measure on all events."""

from __future__ import annotations

from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from workbench.arrow.dictionaries import plain_array
from workbench.arrow.types import HIDDEN_COLUMNS
from workbench.condition.execution.compile import CompiledSet, try_compile
from workbench.errors import WorkbenchError
from workbench.fields.reference import resolve
from workbench.proposing.candidates import (
    OPERATOR_BITS,
    Candidate,
    FieldValues,
    field_candidates,
)
from workbench.proposing.proposal import Proposal, Proposals
from workbench.proposing.search import (
    MISS_BITS,
    Evidence,
    conjunctions,
    count_bits,
    score,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    import numpy.typing as npt

    from workbench.condition.execution.compile import CompiledCondition
    from workbench.fields.declarations import FieldInfo, FieldTable
    from workbench.proposing.search import Bits, Found

    Rows = npt.NDArray[np.int64]

__all__ = ["OPERATORS", "propose"]

# Operators that a proposal may use.
OPERATORS = tuple(OPERATOR_BITS)

# Rows that stand for all events while searching, and chosen ones that are looked at.
_SAMPLE = 20_000
_LOOKED_AT = 2_000
_VALUES = 500
_MOST_CANDIDATES = 1_500
# Conditions that are measured on all events.
_MEASURED = 60
_MOST_ALTERNATIVES = 3
_FIRST_TERMS = 2
# A conjunction of all examples with so few other events needs no alternatives.
_PRECISE = 0.05
_SHOWN_OTHERS = 10
_OR_BITS = 2.0
# Values are as good as unique when this share of those looked at are.
_UNIQUE = 0.9
_FEW = 50


@dataclass(frozen=True, slots=True)
class _Task:
    """Events to tell apart: rows of ``table`` that must and must not match."""

    table: pa.Table
    fields: FieldTable
    chosen: Rows
    avoided: Rows
    most_checks: int


def propose(
    table: pa.Table,
    fields: FieldTable,
    chosen: Rows,
    avoided: Rows,
    *,
    max_checks: int = 4,
    exclude_fields: Collection[str] = (),
    allow: Collection[str] = OPERATORS,
    limit: int = 10,
) -> Proposals:
    """Return conditions that ``chosen`` rows of ``table`` match, best first.

    ``avoided``: rows that must not match; all others are background. ``max_checks``: in
    one conjunction. ``allow``: operators to use. Deterministic. Raises WorkbenchError
    when nothing is chosen, the choice contradicts itself or there is no field to use.
    """
    wanted = _usable(table, fields, exclude_fields)
    _check_options(allow, max_checks, limit)
    _check_choice(table, chosen, avoided, list(wanted))
    task = _Task(table, fields, _some(chosen), _some(avoided), max_checks)
    sample = _spread(table.num_rows, _SAMPLE)
    candidates, compiled = _candidates(task, wanted, sample, allow)
    bits = _Bits(table, task, sample, compiled)
    texts = _conditions(candidates, bits, task)
    whole = replace(task, chosen=chosen, avoided=avoided)
    return _best(_measured(texts, whole), limit)


def _usable(
    table: pa.Table, fields: FieldTable, exclude: Collection[str]
) -> dict[str, FieldInfo]:
    """Return the columns that hold fields of plugins, by name."""
    left_out = {exclude} if isinstance(exclude, str) else set(exclude)
    found = {}
    for name in table.column_names:
        if name in HIDDEN_COLUMNS or name.startswith("evt.") or name in left_out:
            continue
        info = fields.get(name.partition("[")[0])
        if info is None or info.name in left_out or info.type == "abstime":
            continue
        if resolve(name, fields).column == name:
            found[name] = info
    if not found:
        raise WorkbenchError(
            "these events have no fields to propose conditions on; capture or extract "
            "some, or exclude fewer"
        )
    return found


def _check_options(allow: Collection[str], max_checks: int, limit: int) -> None:
    unknown = [name for name in allow if name not in OPERATORS]
    if unknown or not allow:
        raise WorkbenchError(
            f"cannot propose with {unknown or 'no operators'}; operators to allow: "
            + ", ".join(OPERATORS)
        )
    if max_checks < 1 or limit < 1:
        raise WorkbenchError("max_checks and limit are at least 1")


def _check_choice(
    table: pa.Table, chosen: Rows, avoided: Rows, names: list[str]
) -> None:
    if not len(chosen):
        raise WorkbenchError(
            "no event is chosen to match: give event numbers, a mask, or label events "
            "with must_match=True"
        )
    both = np.intersect1d(chosen, avoided)
    if len(both):
        number = table.column("evt.num")[int(both[0])].as_py()
        raise WorkbenchError(f"event {number} is to match and not to match")
    same = _alike(table.select(names), chosen, avoided)
    if same is not None:
        numbers = [table.column("evt.num")[row].as_py() for row in same]
        raise WorkbenchError(
            f"event {numbers[0]} is to match, event {numbers[1]} is not, but all their "
            "fields are equal: no condition tells them apart"
        )


def _alike(table: pa.Table, chosen: Rows, avoided: Rows) -> tuple[int, int] | None:
    """Return a row of each kind with the same values, None if there are none."""
    seen: dict[tuple[str, ...], int] = {}
    for rows, remember in ((_some(chosen), True), (_some(avoided), False)):
        for row, values in zip(rows, _row_values(table, rows), strict=True):
            if remember:
                seen.setdefault(values, int(row))
            elif values in seen:
                return seen[values], int(row)
    return None


def _row_values(table: pa.Table, rows: Rows) -> Iterator[tuple[str, ...]]:
    columns = [_values(table, name, rows) for name in table.column_names]
    return (tuple(map(repr, row)) for row in zip(*columns, strict=True))


def _values(table: pa.Table, name: str, rows: Rows) -> list[Any]:
    taken = table.column(name).take(pa.array(rows))
    return [v for chunk in taken.chunks for v in plain_array(chunk).to_pylist()]


def _spread(rows: int, most: int) -> Rows:
    """Return at most so many row numbers, evenly spread."""
    if rows <= most:
        return np.arange(rows)
    return np.unique(np.linspace(0, rows - 1, most).astype(np.int64))


def _some(rows: Rows) -> Rows:
    return rows[_spread(len(rows), _LOOKED_AT)]


def _candidates(
    task: _Task,
    wanted: dict[str, FieldInfo],
    sample: Rows,
    allow: Collection[str],
) -> tuple[list[Candidate], list[CompiledCondition]]:
    """Return the checks to search among, each compiled."""
    kept: list[Candidate] = []
    compiled: list[CompiledCondition] = []
    room = max(24, _MOST_CANDIDATES // len(wanted))
    field_bits = float(np.log2(len(wanted) + 1))
    seen: set[str] = set()
    for name, info in wanted.items():
        known = _field_values(task, name, info, sample)
        used = 0
        for candidate in field_candidates(known, allow):
            if candidate.text in seen or used >= room:
                continue
            seen.add(candidate.text)
            condition, _ = try_compile(candidate.text, task.fields)
            if condition is not None:
                kept.append(replace(candidate, bits=candidate.bits + field_bits))
                compiled.append(condition)
                used += 1
    if not kept:
        raise WorkbenchError("no check can be made from the values of these events")
    return kept, compiled


def _field_values(task: _Task, name: str, info: FieldInfo, sample: Rows) -> FieldValues:
    some = task.table.column(name).take(pa.array(sample))
    plain = pa.chunked_array([plain_array(chunk) for chunk in some.chunks])
    if info.is_list:
        plain = pa.chunked_array([chunk.flatten() for chunk in plain.chunks])
        plain = pa.chunked_array([plain_array(chunk) for chunk in plain.chunks])
    counts = pc.value_counts(plain.combine_chunks().drop_null())
    counts = sorted(
        ((i["counts"], i["values"]) for i in counts.to_pylist()),
        key=lambda pair: (-pair[0], str(pair[1])),
    )
    present = sum(count for count, _ in counts)
    return FieldValues(
        name=name,
        info=info,
        chosen=_values(
            task.table, name, task.chosen[_spread(len(task.chosen), _VALUES)]
        ),
        avoided=_values(
            task.table, name, task.avoided[_spread(len(task.avoided), _VALUES)]
        ),
        common=[value for _, value in counts[:16]],
        distinct=len(counts),
        unique=present >= _FEW and len(counts) > _UNIQUE * present,
    )


class _Bits:
    """Bitmaps of every candidate over the chosen, the avoided and the sampled rows."""

    def __init__(
        self,
        table: pa.Table,
        task: _Task,
        sample: Rows,
        compiled: Sequence[CompiledCondition],
    ) -> None:
        """Evaluate all candidates together, once."""
        rows = np.concatenate([task.chosen, task.avoided, sample])
        columns = list(dict.fromkeys(c for one in compiled for c in one.columns))
        part = table.select(columns).take(pa.array(rows))
        masks = CompiledSet(compiled).masks(part)
        ends = np.cumsum([len(task.chosen), len(task.avoided), len(sample)])
        flags = [m.to_numpy(zero_copy_only=False) for m in masks]
        pieces = [np.split(flag, ends[:2]) for flag in flags]
        self.chosen, self.avoided, self.sample = (
            np.stack([_packed(piece[at]) for piece in pieces]) for at in range(3)
        )
        self.events = table.num_rows
        self.scale = table.num_rows / max(1, len(sample))

    def evidence(self, left: Bits, count: int) -> Evidence:
        """Return what a search sees that is about the chosen rows ``left`` alone."""
        return Evidence(
            self.chosen & left,
            self.avoided,
            self.sample,
            count,
            self.scale,
            self.events,
        )


def _packed(flags: npt.NDArray[np.bool_]) -> Bits:
    """Return flags as words, the rest of the last one zero."""
    packed = np.packbits(flags, bitorder="little")
    words = np.zeros((len(flags) + 63) // 64 * 8 or 8, np.uint8)
    words[: len(packed)] = packed
    return words.view(np.uint64)


def _conditions(
    candidates: Sequence[Candidate], bits: _Bits, task: _Task
) -> list[tuple[str, float]]:
    """Return conditions with their bits: conjunctions, and alternatives of some."""
    left = _packed(np.ones(len(task.chosen), bool))
    count = len(task.chosen)
    found = conjunctions(candidates, bits.evidence(left, count), task.most_checks)
    made = [(_joined(candidates, f.parts), f.bits) for f in found[:_MEASURED]]
    best = found[0] if found else None
    whole = best is not None and not (left & ~best.chosen).any()
    if best is None or not whole or _share(best) > _PRECISE:
        made += _alternatives(candidates, bits, task, left)
    return made


def _share(found: Found) -> float:
    return int(count_bits(found.sample)) / (64 * found.sample.size)


def _joined(candidates: Sequence[Candidate], parts: Sequence[int]) -> str:
    """Write checks as a conjunction, the positive ones first."""
    texts = [candidates[p].text for p in parts]
    texts.sort(key=lambda text: (text.startswith("not ") or " != " in text, text))
    return " and ".join(texts)


def _alternatives(
    candidates: Sequence[Candidate], bits: _Bits, task: _Task, left: Bits
) -> list[tuple[str, float]]:
    """Return disjunctions, for examples that no conjunction holds together.

    Each begins with one of the best conjunctions that hold some of them, and goes on
    with the best one for the rest.
    """

    def found_for(rows: Bits, miss_bits: float = 0.0) -> list[Found]:
        evidence = bits.evidence(rows, int(count_bits(rows)))
        evidence = replace(evidence, miss_bits=miss_bits)
        return conjunctions(candidates, evidence, task.most_checks)

    def refined(terms: list[Found]) -> list[Found]:
        """Find each term anew for all that the others leave."""
        for at in range(len(terms)):
            rows = left
            for other in (*terms[:at], *terms[at + 1 :]):
                rows = rows & ~other.chosen
            found = found_for(rows, MISS_BITS)[:1] if rows.any() else []
            terms = [*terms[:at], *found, *terms[at + 1 :]] if found else terms
        return terms

    made = []
    partial = [found for found in found_for(left) if (left & ~found.chosen).any()]
    for first in partial[:_FIRST_TERMS]:
        terms = [first]
        rest = left & ~first.chosen
        while rest.any() and len(terms) < _MOST_ALTERNATIVES:
            found = found_for(rest)
            if not found:
                break
            terms.append(found[0])
            rest = rest & ~found[0].chosen
            made.append(_alternative(candidates, terms))
            made.append(_alternative(candidates, refined(terms)))
    return made


def _alternative(
    candidates: Sequence[Candidate], terms: Sequence[Found]
) -> tuple[str, float]:
    texts = [_joined(candidates, term.parts) for term in terms]
    text = " or ".join(f"({t})" if " and " in t else t for t in texts)
    return text, sum(term.bits for term in terms) + _OR_BITS * (len(terms) - 1)


@dataclass(frozen=True, slots=True)
class _Measured:
    """A proposal, with what tells whether another one matches the same events."""

    proposal: Proposal
    extent: bytes


def _measured(texts: Sequence[tuple[str, float]], task: _Task) -> list[_Measured]:
    """Evaluate conditions on all events; those that match a chosen one are kept."""
    unique = dict(texts)
    compiled = [(text, try_compile(text, task.fields)[0]) for text in unique]
    kept = [(text, condition) for text, condition in compiled if condition is not None]
    masks = CompiledSet(condition for _, condition in kept).masks(task.table)
    found = []
    for (text, _), mask in zip(kept, masks, strict=True):
        flags = mask.to_numpy(zero_copy_only=False)
        if flags[task.chosen].any():
            proposal = _proposal(text, unique[text], flags, task)
            found.append(
                _Measured(proposal, blake2b(np.packbits(flags).tobytes()).digest())
            )
    return found


def _proposal(
    text: str, bits: float, flags: npt.NDArray[np.bool_], task: _Task
) -> Proposal:
    hit, wrong = int(flags[task.chosen].sum()), int(flags[task.avoided].sum())
    chosen, matches = len(task.chosen), int(flags.sum())
    total = score(
        bits=bits,
        matches=matches,
        hit=hit,
        missed=chosen - hit,
        avoided=wrong,
        events=len(flags),
    )
    unchosen = flags.copy()
    unchosen[task.chosen] = False
    others = np.flatnonzero(unchosen)[:_SHOWN_OTHERS]
    return Proposal(
        condition=text,
        matches=matches,
        precision=hit / (hit + wrong),
        recall=hit / chosen,
        reason=_reason(hit, wrong, matches, task),
        others=tuple(task.table.column("evt.num").take(pa.array(others)).to_pylist()),
        score=round(total, 3),
    )


def _reason(hit: int, wrong: int, matches: int, task: _Task) -> str:
    """Return one sentence: what a condition does to the examples and the others."""
    chosen, avoided = len(task.chosen), len(task.avoided)
    events = task.table.num_rows
    mine = f"all {chosen:,}" if hit == chosen else f"{hit:,} of {chosen:,}"
    text = f"matches {mine} chosen event{'' if chosen == 1 else 's'}"
    if avoided:
        text += f", {wrong:,} of {avoided:,} that must not match"
    share = 100 * matches / events
    return text + f", and {matches:,} of {events:,} events in all ({share:.2g} %)"


def _best(measured: Sequence[_Measured], limit: int) -> Proposals:
    """Return the best proposals, one for each set of events that they match."""
    ranked = sorted(
        measured,
        key=lambda m: (
            m.proposal.score,
            len(m.proposal.condition),
            m.proposal.condition,
        ),
    )
    best: dict[bytes, Proposal] = {}
    for one in ranked:
        best.setdefault(one.extent, one.proposal)
    return Proposals(list(best.values())[:limit])
