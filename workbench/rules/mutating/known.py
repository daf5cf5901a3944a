"""The events that are known of one source: what rules must do on them, if anything."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.arrow.dictionaries import plain_array
from workbench.condition.execution import kernel
from workbench.condition.execution.compile import CompiledSet
from workbench.condition.execution.evaluate import Evaluation
from workbench.errors import WorkbenchError
from workbench.rules.running.match import condition_table

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pyarrow as pa

    from workbench.condition.execution.compile import CompiledCondition
    from workbench.condition.execution.kernel import Words
    from workbench.rules.running.engine import SourceEngine
    from workbench.rules.testing.case_files import Case

__all__ = ["Known", "known_cases", "known_events", "words_of"]


def words_of(conditions: Sequence[CompiledCondition], table: pa.Table) -> list[Words]:
    """Return one bitmap per condition over a table."""
    if not conditions:
        return []
    return Evaluation(CompiledSet(conditions).plan, table).words()


@dataclass(slots=True)
class Known:
    """Events in one table, and what is expected of rules on them.

    ``masks``: where each rule matches. ``held``: rule number → rows on which a test
    says whether it fires. ``labelled``: rows that are labelled; there, some rule
    matches or none. ``origin``: names a row for people.
    """

    table: pa.Table
    masks: list[Words]
    origin: Callable[[int], str]
    held: dict[int, Words] = field(default_factory=dict)
    labelled: Words | None = None

    def differences(self, made: Mapping[int, Words]) -> dict[int, Words]:
        """Return for changed rules the rows on which they differ; none: left out."""
        found = {number: words ^ self.masks[number] for number, words in made.items()}
        return {number: words for number, words in found.items() if words.any()}

    def noticed(
        self, made: Mapping[int, Words], differs: Mapping[int, Words]
    ) -> int | None:
        """Return a row on which a test or a label notices the change, or None."""
        for number, words in differs.items():
            held = self.held.get(number)
            if held is not None and (words & held).any():
                return _first(words & held)
        if self.labelled is None or not differs:
            return None
        before = self.any_match({})
        seen = (self.any_match(made) ^ before) & self.labelled
        return _first(seen) if seen.any() else None

    def any_match(self, made: Mapping[int, Words]) -> Words:
        """Return the rows that some rule matches; ``made``: of changed rules."""
        total = kernel.words_for(self.table.num_rows)
        for number, words in enumerate(self.masks):
            total |= made.get(number, words)
        return total


def _first(words: Words) -> int:
    return int(kernel.set_rows(words, 64 * len(words))[0])


def known_cases(
    engine: SourceEngine, cases: Sequence[tuple[Case, Any]], file: str
) -> Known:
    """Join the events of a file's cases; hold rules where their cases name them."""
    import pyarrow as pa

    needed = [*engine.conditions.columns, "evt.num", "evt.rawtime"]
    names = list(dict.fromkeys(needed))
    tables, owners = [], []
    for number, (_, events) in enumerate(cases):
        one = events.table_with(names).select(names)
        columns = [
            pa.chunked_array([plain_array(c) for c in one.column(n).chunks], None)
            if one.num_rows
            else one.column(n)
            for n in names
        ]
        tables.append(pa.table(columns, names=names))
        owners += [number] * one.num_rows
    table = pa.concat_tables(tables, promote_options="permissive").combine_chunks()
    masks = words_of(engine.conditions.conditions, table)
    numbers = {rule.name: at for at, rule in enumerate(engine.rules)}
    flags = np.zeros((len(numbers), len(owners)), bool)
    for row, owner in enumerate(owners):
        case = cases[owner][0]
        if case.exactly is not None:
            flags[:, row] = True
        for name in (*case.fires, *case.quiet):
            flags[numbers[name], row] = True
    held = {at: _packed(flags[at]) for at in range(len(numbers)) if flags[at].any()}

    def origin(row: int) -> str:
        return f"the event of case '{cases[owners[row]][0].name}' ({file})"

    return Known(table, masks, origin, held)


def known_events(
    engine: SourceEngine, events: Any, labels: Mapping[int, bool]
) -> Known:
    """Take events of the engine's source. Raises WorkbenchError for a broken label."""
    table = condition_table(engine, events, ["evt.num", "evt.rawtime"])
    masks = words_of(engine.conditions.conditions, table)
    numbers = table.column("evt.num").to_numpy()

    def origin(row: int) -> str:
        return f"event {numbers[row]}"

    known = Known(table, masks, origin)
    if labels:
        flags = np.isin(numbers, np.array(list(labels), np.uint64))
        known.labelled = _packed(flags)
        fires = np.zeros(len(numbers), bool)
        fires[kernel.set_rows(known.any_match({}), len(numbers))] = True
        for row in np.flatnonzero(flags).tolist():
            wanted = labels[int(numbers[row])]
            if bool(fires[row]) is not wanted:
                word = "must match" if wanted else "must not match"
                does = "no rule matches it" if wanted else "a rule matches it"
                raise WorkbenchError(
                    f"event {numbers[row]} is labelled '{word}', but {does}: mend the "
                    "rules or the label before testing mutations"
                )
    return known


def _packed(flags: Any) -> Words:
    packed = np.packbits(flags, bitorder="little")
    words = np.zeros(((len(flags) + 63) >> 6) * 8, np.uint8)
    words[: len(packed)] = packed
    return words.view(np.uint64)
