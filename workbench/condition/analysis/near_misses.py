"""Near misses: rows that fail a condition by exactly one check.

A row is a near miss of a check when the condition is false for it and would be true if
the verdict of that one check were the opposite, all others staying as they are. A check
that stands in a condition several times counts as one: all its places flip together.
With ``or``, one row may be a near miss of several checks.

Top down, one bitmap per node tells for which rows the verdict of the whole condition
hangs on that node alone: all rows at the top; below ``and``, where all the siblings are
true; below ``or``, where all are false.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from workbench.condition.analysis.funnel import row_ranges
from workbench.condition.execution.columns import as_table, normalise
from workbench.condition.execution.outline import operand_name, outline, value_text
from workbench.condition.execution.reference import operand_values
from workbench.formatting import html
from workbench.formatting.printable import printable

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from workbench.condition.binding.bound import BoundCheck
    from workbench.condition.execution.compile import CompiledCondition
    from workbench.condition.execution.kernel import Words
    from workbench.condition.execution.outline import Line

__all__ = ["NearMiss", "NearMisses", "near_misses"]

# Row numbers kept per check, and how many of them are looked at for their values.
_MAX_ROWS = 10_000
_MAX_SAMPLED_ROWS = 1_000
_MAX_VALUES = 5


@dataclass(frozen=True, slots=True)
class NearMiss:
    """The rows that fail by one check alone.

    ``text``: the check. ``verdict``: what it says for these rows; the opposite would
    make them match. ``check``: its number in the condition, from 0 in the order of the
    text. ``count``: number of rows. ``rows``: their indices in the table, the first
    10,000. ``events``: their evt.num, if the table has it. ``seen``: what the check saw
    most often in the first rows, as (text, rows); ``operand``: name of what it saw.
    """

    check: int
    text: str
    verdict: bool
    count: int
    rows: npt.NDArray[np.int64]
    events: npt.NDArray[np.uint64] | None
    seen: tuple[tuple[str, int], ...]
    operand: str


@dataclass(frozen=True, slots=True)
class NearMisses:
    """Rows that fail by exactly one check, by check, most frequent first.

    ``rows``: of the table. ``matches``: rows that match. ``count``: near misses, each
    row counted once.
    """

    condition: str
    rows: int
    matches: int
    count: int
    groups: tuple[NearMiss, ...]

    def __len__(self) -> int:
        return len(self.groups)

    def __getitem__(self, index: int) -> NearMiss:
        return self.groups[index]

    @property
    def frame(self) -> pd.DataFrame:
        """One row per check: check, verdict, count, values, first_events."""
        import pandas as pd

        data = [
            (
                group.text,
                group.verdict,
                group.count,
                _values_text(group),
                [int(n) for n in _numbers(group)[:5]],
            )
            for group in self.groups
        ]
        columns = ["check", "verdict", "count", "values", "first_events"]
        return pd.DataFrame(data, columns=columns)

    @property
    def title(self) -> str:
        """One sentence with the result."""
        if not self.count:
            return f"no event fails by a single check ({self.matches:,} match)"
        return (
            f"{self.count:,} of {self.rows:,} events fail by a single check"
            f" ({self.matches:,} match)"
        )

    def __str__(self) -> str:
        """Return as text how many rows fail by each check alone, and what it saw."""
        out = [f"{self.title}: {self.condition}"]
        for group in self.groups:
            out.append(f"{group.count:>11,}  {printable(group.text, limit=120)}")
            numbers = ", ".join(str(n) for n in _numbers(group)[:5])
            what = "events" if group.events is not None else "rows"
            out.append(f"{'':13}{_is_text(group)}; {what} {numbers}")
            if group.seen:
                out.append(f"{'':13}{group.operand} is {_values_text(group)}")
        return "\n".join(out)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        rows = [
            (
                group.text,
                _is_text(group),
                f"{group.count:,}",
                _values_text(group),
                ", ".join(str(n) for n in _numbers(group)[:5]),
            )
            for group in self.groups
        ]
        head = html.tag("strong", html.escape(self.title))
        names = ["check", "", "events", "values seen", "first"]
        return html.tag("div", head, html.table(names, rows) if rows else "")


def _numbers(group: NearMiss) -> npt.NDArray[Any]:
    return group.rows if group.events is None else group.events


def _is_text(group: NearMiss) -> str:
    return "true, has to be false" if group.verdict else "false, has to be true"


def _values_text(group: NearMiss) -> str:
    return ", ".join(f"{text} ({count:,}×)" for text, count in group.seen)


def _decided(lines: list[Line], bitmaps: list[Words], everything: Words) -> list[Words]:
    """Return per line the rows whose verdict hangs on this node alone."""
    hangs: list[Any] = [None] * len(lines)
    hangs[0] = everything
    for at, line in enumerate(lines):
        if line.kind == "not":
            hangs[line.children[0]] = hangs[at]
            continue
        if not line.children:
            continue
        # What the siblings behind a child say, from the last to the first.
        good = [
            bitmaps[c] if line.kind == "and" else everything & ~bitmaps[c]
            for c in line.children
        ]
        behind: list[Any] = [everything] * len(good)
        for index in range(len(good) - 2, -1, -1):
            behind[index] = behind[index + 1] & good[index + 1]
        before = hangs[at]
        for index, child in enumerate(line.children):
            hangs[child] = before & behind[index]
            before = before & good[index]
        hangs[at] = None
    return hangs


def _flipped(
    lines: list[Line], bitmaps: list[Words], places: list[int], everything: Words
) -> Words:
    """Evaluate the condition with the checks at ``places`` turned round."""
    own: list[Any] = [None] * len(lines)
    for at in range(len(lines) - 1, -1, -1):
        line = lines[at]
        if line.kind == "check":
            own[at] = everything & ~bitmaps[at] if at in places else bitmaps[at]
        elif line.kind == "not":
            own[at] = everything & ~own[line.children[0]]
        else:
            result = own[line.children[0]].copy()
            for child in line.children[1:]:
                if line.kind == "and":
                    result &= own[child]
                else:
                    result |= own[child]
            own[at] = result
        for child in line.children:
            own[child] = None
    return own[0]  # type: ignore[no-any-return]


class _Collector:
    """Counts and first rows of one check."""

    def __init__(
        self, line: Line, check: BoundCheck, *, verdict: bool, keep: int
    ) -> None:
        self.number = line.number
        self.check = check
        self.text = line.text_alone
        self.verdict = verdict
        self.count = 0
        self.parts: list[npt.NDArray[np.int64]] = []
        self.kept = 0
        self.keep = keep

    def add(self, first: int, rows: int, words: Words) -> None:
        from workbench.condition.execution import kernel

        found = kernel.count_rows(words, rows)
        self.count += found
        if found and self.kept < self.keep:
            part = kernel.set_rows(words, rows)[: self.keep - self.kept] + first
            self.parts.append(part)
            self.kept += len(part)

    def finish(self, compiled: CompiledCondition, table: pa.Table) -> NearMiss:
        rows = np.concatenate(self.parts)
        events = None
        if table.column_names.count("evt.num") == 1:
            column = table.column("evt.num").take(rows)
            events = column.to_numpy().astype(np.uint64, copy=False)
        return NearMiss(
            self.number,
            self.text,
            self.verdict,
            self.count,
            rows,
            events,
            _seen_values(self.check, compiled, table, rows[:_MAX_SAMPLED_ROWS]),
            operand_name(self.check.left),
        )


def _seen_values(
    check: BoundCheck,
    compiled: CompiledCondition,
    table: pa.Table,
    rows: npt.NDArray[np.int64],
) -> tuple[tuple[str, int], ...]:
    """Count what the left side of a check was in some rows, most frequent first."""
    from workbench.condition.execution.evaluate import python_values

    operand = check.left
    # take() would join all chunks first, which 2 GiB of text do not allow.
    chosen = np.zeros(table.num_rows, np.bool_)
    chosen[rows] = True
    data: dict[str, list[Any]] = {}
    for name in operand.columns:
        type_, is_list = compiled.plan.column_types[name]
        array = table.column(name).filter(chosen).combine_chunks()
        if hasattr(array, "chunks"):
            array = array.chunk(0)
        data[name] = python_values(normalise(array, name, type_, is_list=is_list))
    seen: Counter[str] = Counter()
    for index in range(len(rows)):
        row = {name: values[index] for name, values in data.items()}
        found = operand_values(operand, row)
        value = found if operand.is_list or not found else found[0]
        if isinstance(value, bytes):
            value = value.rstrip(b"\0")
        seen[value_text(value, operand.type)] += 1
    return tuple(seen.most_common(_MAX_VALUES))


def near_misses(
    compiled: CompiledCondition, table: pa.Table, *, keep: int = _MAX_ROWS
) -> NearMisses:
    """Find the rows that fail a condition by exactly one check, grouped by that check.

    ``keep``: row numbers kept per check. Raises KeyError naming a column that is needed
    and missing.
    """
    from workbench.condition.execution import kernel

    table = as_table(table)
    lines = outline(compiled.root, compiled.origins)
    numbers = compiled.plan.check_nodes[0]
    places: dict[int, list[int]] = {}
    for at, line in enumerate(lines):
        if line.kind == "check":
            places.setdefault(numbers[line.number], []).append(at)
    collectors: dict[tuple[int, bool], _Collector] = {}
    matches = count = 0
    for first, rows, bitmaps in row_ranges(compiled, table, lines):
        everything = kernel.all_rows(rows)
        failing = everything & ~bitmaps[0]
        matches += kernel.count_rows(bitmaps[0], rows)
        hangs = _decided(lines, bitmaps, everything)
        any_check = np.zeros_like(everything)
        for number, where in places.items():
            if len(where) == 1:
                missed = failing & hangs[where[0]]
            else:
                missed = failing & _flipped(lines, bitmaps, where, everything)
            any_check |= missed
            line = lines[where[0]]
            said = bitmaps[where[0]]
            for verdict in (False, True):
                part = missed & said if verdict else missed & ~said
                if not part.any():
                    continue
                key = (number, verdict)
                if key not in collectors and line.check is not None:
                    made = _Collector(line, line.check, verdict=verdict, keep=keep)
                    collectors[key] = made
                collectors[key].add(first, rows, part)
        count += kernel.count_rows(any_check, rows)
    groups = [c.finish(compiled, table) for c in collectors.values()]
    groups.sort(key=lambda group: -group.count)
    return NearMisses(compiled.ast, table.num_rows, matches, count, tuple(groups))
