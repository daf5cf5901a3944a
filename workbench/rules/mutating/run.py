"""Mutation testing: change rules one mistake at a time, ask every test at once.

Conditions, macros and lists are changed as trees; some hundred mutants at a time are
planned together and evaluated over the events of all tests. What no test notices is
evaluated over the events that are given besides. See DeMillo, Lipton and Sayward,
"Hints on test data selection", Computer 11(4), 1978.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.condition.execution import kernel
from workbench.errors import WorkbenchError
from workbench.rules.mutating.changes import changes_of, compiled_change
from workbench.rules.mutating.known import known_cases, known_events, words_of
from workbench.rules.mutating.report import Mutant, MutationReport
from workbench.rules.mutating.witness import witness_of
from workbench.rules.target.target import target_key, target_of
from workbench.rules.testing.case_files import read_tests
from workbench.rules.testing.run import case_events, run_tests, tested_source

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from workbench.condition.execution.compile import CompiledCondition
    from workbench.condition.execution.kernel import Words
    from workbench.rules.compiling.compiled import Compilation, CompiledRule
    from workbench.rules.mutating.changes import Change
    from workbench.rules.mutating.known import Known
    from workbench.rules.mutating.witness import Witness
    from workbench.rules.running.engine import SourceEngine
    from workbench.rules.target.target import Target

__all__ = ["mutate"]

# Mutants in all: more would take minutes, and nobody reads them.
_MAX_MUTANTS = 50_000
# Bytes of bitmaps, and mutants, evaluated together.
_BATCH_BYTES = 64 << 20
_MAX_BATCH = 1_000


@dataclass(slots=True)
class _Group:
    """Rules of one source as compiled for one target, and the events known of it."""

    engine: SourceEngine
    compilation: Compilation
    rules: list[CompiledRule]
    known: list[Known] = field(default_factory=list)


def mutate(
    rules: Any, paths: Sequence[Any], events: Any, plugins: tuple[Any, ...]
) -> MutationReport:
    """Return what the tests of ``paths`` and the labels of ``events`` notice.

    ``rules``: a RuleSet. Raises WorkbenchError when there is nothing that could notice
    anything, or when a test fails already.
    """
    if events is not None and not hasattr(events, "table_with"):
        kind = type(events).__name__
        raise WorkbenchError(f"labels are looked for in Events, not in a {kind}")
    labels = {} if events is None else events.labels
    if not paths and not labels:
        raise WorkbenchError(
            "mutation testing needs files of rule tests, or labelled events: "
            "events.label(mask, must_match=…)"
        )
    groups: dict[Any, _Group] = {}
    for path in paths:
        _add_tests(groups, rules, Path(path), events, plugins)
    if events is not None:
        target = _target(events, plugins)
        for source, own in events.by_source().items():
            group = _group(groups, rules, target, source)
            if group.rules:
                group.known.append(known_events(group.engine, own, labels))
    # the events of tests alone are too few to call a mutant harmless
    unseen = "survived" if events is None else "equivalent"
    found: dict[Any, Mutant] = {}
    for group in groups.values():
        for change, mutant in _mutants(group, unseen):
            key = (mutant.rules, *change.key)
            known = found.setdefault(key, mutant)
            order = ("killed", "survived", "equivalent")
            if order.index(mutant.outcome) < order.index(known.outcome):
                found[key] = mutant
    if not found:
        raise WorkbenchError("these rules have no check that could be changed")
    ordered = sorted(found.values(), key=lambda m: (m.file, m.line, m.column))
    return MutationReport(ordered)


def _target(events: Any, plugins: tuple[Any, ...]) -> Target:
    target = target_of(list(plugins) or events)
    if target is None or not target.sources:  # pragma: no cover - refused by run, too
        raise WorkbenchError("these events do not name their event source")
    return target


def _group(groups: dict[Any, _Group], rules: Any, target: Any, source: str) -> _Group:
    key = target_key(target), source
    if key not in groups:
        engine = rules.engines(target)[source]
        compilation = rules.loaded(target, rules.run_options()).compilation
        names = {rule.name for rule in engine.rules}
        own = [r for r in compilation.rules if r.entry.name in names]
        groups[key] = _Group(engine, compilation, own)
    return groups[key]


def _add_tests(
    groups: dict[Any, _Group],
    rules: Any,
    path: Path,
    events: Any,
    plugins: tuple[Any, ...],
) -> None:
    file = read_tests(path)
    target, source = tested_source(file, plugins, events)
    group = _group(groups, rules, target, source)
    names = {rule.name for rule in rules.rules}
    report = run_tests(file, group.engine, names, plugins=plugins)
    if not report:
        first = report.failures[0]
        count = len(report.failures)
        raise WorkbenchError(
            f"{path}: {count} of {len(report)} tests fail before any mutation, first "
            f"{first.name!r} (line {first.line}): {first.message.splitlines()[0]}; "
            "mend these first"
        )
    cases = case_events(file, group.engine, plugins=plugins)
    if cases and group.rules:
        group.known.append(known_cases(group.engine, cases, path.name))


def _mutants(group: _Group, unseen: str) -> Iterator[tuple[Change, Mutant]]:
    """Yield every mutant of a group with its outcome.

    ``unseen``: the outcome where no known event tells a mutant from its rule.
    """
    fields = group.engine.fields
    changes = changes_of(group.compilation, group.rules, fields)
    if len(changes) > _MAX_MUTANTS:
        raise WorkbenchError(
            f"these rules have {len(changes):,} mutants, more than {_MAX_MUTANTS:,}: "
            "test fewer rules at a time"
        )
    made = [(c, compiled_change(c, group.rules, fields)) for c in changes]
    open_ones = [(c, m, _State()) for c, m in made if m]
    pending = open_ones
    # tests first: they are few, and notice most
    for known in group.known:
        pending = [one for one in pending if not one[2].noticed_by]
        _ask(known, pending, group)
    for change, _, state in open_ones:
        names = tuple(group.rules[number].entry.name for number in change.rules)
        outcome = "survived" if state.witness is not None else unseen
        outcome = "killed" if state.noticed_by else outcome
        witness = state.witness if outcome == "survived" else None
        rule = witness.rule if witness else names[0]
        yield change, Mutant(
            rule, names, change.inside, change.kind, change.before, change.after,
            change.file, change.line, change.column, outcome, state.noticed_by, witness,
        )  # fmt: skip


@dataclass(slots=True)
class _State:
    noticed_by: str = ""
    witness: Witness | None = None


def _ask(
    known: Known,
    mutants: Sequence[tuple[Change, dict[int, CompiledCondition], _State]],
    group: _Group,
) -> None:
    """Evaluate mutants over known events; note who notices them, or a witness."""
    rows = known.table.num_rows
    size = max(1, min(_MAX_BATCH, _BATCH_BYTES // (rows // 8 + 1)))
    chosen: dict[int, list[int]] = {}
    for first in range(0, len(mutants), size):
        batch = mutants[first : first + size]
        conditions = [c for _, made, _ in batch for c in made.values()]
        words = iter(words_of(conditions, known.table))
        for _, made, state in batch:
            own = {number: next(words) for number in made}
            differs = known.differences(own)
            row = known.noticed(own, differs)
            if row is not None:
                state.noticed_by = known.origin(row)
            elif differs and state.witness is None:
                state.witness = _witness(known, differs, group, chosen)


def _witness(
    known: Known,
    differs: dict[int, Words],
    group: _Group,
    chosen: dict[int, list[int]],
) -> Witness:
    """Take an event that tells them apart, one that told others if there is one."""
    number, words = next(iter(differs.items()))
    rows = chosen.setdefault(number, [])

    def holds(row: int, bits: Words) -> bool:
        return bool(int(bits[row >> 6]) >> (row & 63) & 1)

    row = next((r for r in rows if holds(r, words)), None)
    if row is None:
        row = int(kernel.set_rows(words, known.table.num_rows)[0])
        rows.append(row)
    return witness_of(
        known.table,
        row,
        columns=group.engine.conditions[number].columns,
        fields=group.engine.fields,
        rule=group.rules[number].entry.name,
        source=group.engine.source,
        origin=known.origin(row),
        fires=holds(row, known.masks[number]),
    )
