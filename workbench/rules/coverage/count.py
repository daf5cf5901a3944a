"""Counting over events: how often each check is evaluated, true, and decisive.

All distinct checks of all rules are evaluated once, into bitmaps; what each node of
each condition adds is a few operations on bitmaps, some rows at a time.

A check is *decisive* on an event when the other answer would change whether the rule
matches: the independence of modified condition/decision coverage (Chilenski and
Miller, Software Engineering Journal 9(5), 1994), asked of one event at a time.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.condition.execution import kernel
from workbench.condition.execution.columns import as_table
from workbench.condition.execution.evaluate import Evaluation
from workbench.condition.execution.outline import outline

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa

    from workbench.condition.execution.compile import CompiledSet
    from workbench.condition.execution.kernel import Words
    from workbench.condition.execution.outline import Line

__all__ = ["Counts", "count_rules", "no_counts"]

# Bytes of bitmaps held at a time, and rows combined at a time: they fit a cache.
_MEMORY = 128 << 20
_STEP = 1 << 18


@dataclass(slots=True)
class Counts:
    """Of one rule. ``lines``: nodes of its condition, parents first.

    ``evaluated``, ``true``, ``decisive``: rows, one number per line. ``matched``: rows
    that match; ``alerted``: under first match. ``hidden``: number of an earlier rule →
    rows that it takes.
    """

    lines: list[Line]
    evaluated: list[int]
    true: list[int]
    decisive: list[int]
    matched: int = 0
    alerted: int = 0
    hidden: dict[int, int] = field(default_factory=dict)


def no_counts(conditions: CompiledSet) -> list[Counts]:
    """Return the counts of every rule, all 0."""
    found = []
    for condition in conditions.conditions:
        lines = outline(condition.root)
        zeros = [0] * len(lines)
        found.append(Counts(lines, list(zeros), list(zeros), list(zeros)))
    return found


def count_rules(conditions: CompiledSet, table: pa.Table) -> list[Counts]:
    """Count every rule over ``table``, which has the columns needed, in rule order."""
    table = as_table(table)
    found = no_counts(conditions)
    if not found:
        return found
    numbers = conditions.plan.check_nodes
    distinct = list(dict.fromkeys(n for own in numbers for n in own))
    rows = max(1, _MEMORY * 8 // len(distinct) // _STEP) * _STEP
    for first in range(0, table.num_rows, rows):
        part = table.slice(first, rows)
        words = Evaluation(conditions.plan, part, distinct).words()
        answers = dict(zip(distinct, words, strict=True))
        for start in range(0, part.num_rows, _STEP):
            size = min(_STEP, part.num_rows - start)
            some = slice(start >> 6, (start + size + 63) >> 6)
            here = {number: answer[some] for number, answer in answers.items()}
            _count(found, numbers, here, size)
    return found


def _count(
    found: Sequence[Counts],
    numbers: Sequence[Sequence[int]],
    answers: dict[int, Words],
    rows: int,
) -> None:
    everything = kernel.all_rows(rows)
    free = everything.copy()
    owner = np.full(len(everything) * 64, -1, np.int16 if len(found) < 1 << 15 else int)
    for at, counts in enumerate(found):
        truth = _truth(counts.lines, numbers[at], answers, everything)
        _add(counts, truth, everything, rows)
        matched = truth[0]
        counts.matched += kernel.count_rows(matched, rows)
        first = matched & free
        counts.alerted += kernel.count_rows(first, rows)
        late = matched & ~free
        if late.any():
            owners = np.bincount(owner[kernel.set_rows(late, rows)])
            for number in np.flatnonzero(owners).tolist():
                taken = counts.hidden.get(number, 0)
                counts.hidden[number] = taken + int(owners[number])
        if first.any():
            owner[kernel.set_rows(first, rows)] = at
            free &= ~first


def _truth(
    lines: Sequence[Line],
    numbers: Sequence[int],
    answers: dict[int, Words],
    everything: Words,
) -> list[Words]:
    """Return for each node the rows for which it is true."""
    truth: list[Any] = [None] * len(lines)
    for at in range(len(lines) - 1, -1, -1):
        line = lines[at]
        if line.kind == "check":
            truth[at] = answers[numbers[line.number]]
        elif line.kind == "not":
            truth[at] = everything & ~truth[line.children[0]]
        else:
            join = np.bitwise_and if line.kind == "and" else np.bitwise_or
            result = truth[line.children[0]].copy()
            for child in line.children[1:]:
                join(result, truth[child], out=result)
            truth[at] = result
    return truth


def _add(counts: Counts, truth: Sequence[Words], everything: Words, rows: int) -> None:
    """Add one stretch of rows."""
    lines = counts.lines
    evaluated, true = _passed(lines, truth, everything, rows)
    for at, decides in enumerate(_decided(lines, truth, everything)):
        counts.evaluated[at] += evaluated[at]
        counts.true[at] += true[at]
        if decides is not None:
            counts.decisive[at] += kernel.count_rows(decides, rows)
        else:
            counts.decisive[at] += rows


def _passed(
    lines: Sequence[Line], truth: Sequence[Words], everything: Words, rows: int
) -> tuple[list[int], list[int]]:
    """Return for each node on how many rows it is evaluated, and there true.

    Only checks are counted: what a group passes on is what its parts leave.
    """
    reached: list[Any] = [None] * len(lines)
    reached[0] = everything
    evaluated, true = [0] * len(lines), [0] * len(lines)
    evaluated[0] = rows
    # groups are left when all below them is done: parents wait on a stack
    todo: list[tuple[int, int]] = [(0, 0)]
    while todo:
        at, part = todo.pop()
        line = lines[at]
        if line.kind == "check":
            true[at] = kernel.count_rows(truth[at] & reached[at], rows)
            continue
        children = line.children
        if part:
            child = children[part - 1]
            if line.kind == "not":
                true[at] = evaluated[at] - true[child]
                continue
            left = evaluated[child] - true[child]
            if line.kind == "and":
                left = true[child]
            if part == len(children):
                true[at] = left if line.kind == "and" else evaluated[at] - left
                continue
            evaluated[children[part]] = left
            passing = truth[child]
            if line.kind == "or":
                passing = ~passing
            reached[children[part]] = reached[child] & passing
        else:
            evaluated[children[0]] = evaluated[at]
            reached[children[0]] = reached[at]
        todo.append((at, part + 1))
        todo.append((children[part], 0))
    return evaluated, true


def _decided(
    lines: Sequence[Line], truth: Sequence[Words], everything: Words
) -> list[Words | None]:
    """Return for each node the rows it decides, None for all rows.

    A part decides where its group does and every other part lets it: is true under
    ``and``, false under ``or``.
    """
    decides: list[Words | None] = [None] * len(lines)
    for at, line in enumerate(lines):
        children, own = line.children, decides[at]
        if line.kind == "not":
            decides[children[0]] = own
        elif children:
            open_ = [
                truth[child] if line.kind == "and" else everything & ~truth[child]
                for child in children
            ]
            before = own
            for child, passing in zip(children, open_, strict=True):
                decides[child] = before
                before = passing if before is None else before & passing
            after = None
            for number in range(len(children) - 1, -1, -1):
                if after is not None:
                    front = decides[children[number]]
                    decides[children[number]] = (
                        after if front is None else front & after
                    )
                passing = open_[number]
                after = passing if after is None else after & passing
    return decides
