"""Rule tests: cases become tables, rules run over them, results are reported."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

from workbench.errors import ConditionError, WorkbenchError
from workbench.fields.reference import resolve, resolve_column
from workbench.fields.spelling import nearest_names
from workbench.rules.target.target import Target, target_of
from workbench.rules.testing.case_files import value_reader
from workbench.rules.testing.report import CaseResult, TestReport

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from workbench.condition.execution.compile import CompiledCondition
    from workbench.rules.running.engine import SourceEngine
    from workbench.rules.testing.case_files import Case, TestFile

__all__ = ["case_events", "run_tests", "tested_source"]

# Time of an inline event that gives none: an arbitrary fixed moment, ns.
_DEFAULT_NS = 1_700_000_000_000_000_000
_PLUGIN_EVENT = 322
# What the names of built-in fields that tell the time begin with.
_OF_TIME = ("evt.rawtime", "evt.time", "evt.datetime", "evt.reltime", "evt.latency")
# Lines of the message of a case that failed.
_MAX_FAULTS = 20


def tested_source(
    file: TestFile, plugins: tuple[Any, ...], events: Any
) -> tuple[Target, str]:
    """Return what a file's tests run against, and the event source of its cases.

    Known fields are those of ``plugins``, else of ``events``, else those that the file
    declares. Raises WorkbenchError for an unknown source.
    """
    if plugins or events is not None:
        target = target_of(list(plugins) or events)
    else:
        target = Target({file.source: file.fields}, versions_known=False)
    if target is None:  # pragma: no cover - something was given
        raise WorkbenchError("nothing to test against")
    source = file.source or next(iter(target.sources), "")
    if source not in target.sources:
        known = ", ".join(target.sources) or "none"
        raise WorkbenchError(
            f"{file.path}: unknown source {source!r} (known: {known}); give the "
            "plugins, or declare the fields"
        )
    return target, source


def run_tests(
    file: TestFile,
    engine: SourceEngine,
    known_rules: set[str],
    *,
    plugins: tuple[Any, ...] = (),
    events: Any = None,
) -> TestReport:
    """Run the cases of a file with the rules of one source.

    ``known_rules``: names of all rules, for hints. ``plugins``: loaded plugins, for
    payloads. ``events``: in place of the captures that the file names.
    """
    runner = _Runner(file, engine, known_rules, plugins, events)
    return TestReport([runner.result(case) for case in file.cases])


def case_events(
    file: TestFile, engine: SourceEngine, *, plugins: tuple[Any, ...] = ()
) -> list[tuple[Case, Any]]:
    """Return the events of every case of a file that names what it expects rightly."""
    runner = _Runner(file, engine, set(), plugins, None)
    return [(case, runner.events_of(case)) for case in file.cases]


class _Runner:
    def __init__(
        self,
        file: TestFile,
        engine: SourceEngine,
        known_rules: set[str],
        plugins: tuple[Any, ...],
        events: Any,
    ) -> None:
        self.file = file
        self.engine = engine
        self.source = engine.source
        self.fields = engine.fields
        self.known_rules = known_rules
        self.plugins = plugins
        self.events = events
        self.captures: dict[Path, Any] = {}
        self.running = {rule.name for rule in engine.rules}
        self.value = value_reader(file)

    def result(self, case: Case) -> CaseResult:
        place = (case.name, str(self.file.path), case.line)
        try:
            message = self._message(case)
        except WorkbenchError as error:
            message = str(error)
        open_questions = "" if message else "\n".join(self._undecided(case))
        return CaseResult(*place, message or open_questions, not open_questions)

    def _undecided(self, case: Case) -> Iterator[str]:
        """Yield why a rule that must be quiet may fire on the event that was meant."""
        if case.event is None:
            return
        given = {resolve(text, self.fields).column for text in case.event}
        for name in case.quiet:
            read = (c for r, c in self._conditions() if r == name)
            needed = dict.fromkeys(
                _given_by(column) for c in read for column in c.columns
            )
            missing = [n for n in needed if n and n not in given]
            if missing:
                yield (
                    f"not decided: rule '{name}' reads {', '.join(missing)}, which the "
                    f"event does not give; '{missing[0]}: null' says that it is absent"
                )

    def _conditions(self) -> Iterator[tuple[str, CompiledCondition]]:
        """Yield the name of each rule with its condition."""
        for at, rule in enumerate(self.engine.rules):
            yield rule.name, self.engine.conditions[at]

    def _message(self, case: Case) -> str:
        named = [*case.fires, *case.quiet, *(case.exactly or [])]
        for name in named:
            if name not in self.running:
                return self._unknown_rule(name)
        fired = self._fired_events(self.events_of(case))
        faults = [
            fault for label, names in fired for fault in _faults(case, label, names)
        ]
        return "\n".join(faults[:_MAX_FAULTS])

    def events_of(self, case: Case) -> Any:
        """Return the events that a case is about."""
        if case.event is not None:
            return self._inline_events(case.event)
        if case.payload is not None:
            return self._payload_events(case, case.payload)
        return self._saved_events(case)

    def _unknown_rule(self, name: str) -> str:
        if name in self.known_rules:
            return (
                f"rule '{name}' does not run on source {self.source} (or is disabled)"
            )
        near = nearest_names(name, self.known_rules)
        hint = f"; did you mean '{near[0]}'?" if near else ""
        return f"there is no rule '{name}'{hint}"

    def _inline_events(self, event: Mapping[str, Any]) -> Any:
        """Make one event from values by field text."""
        import pyarrow as pa

        from workbench.arrow.types import column_type
        from workbench.events.from_table import events_from_table

        columns: dict[str, Any] = {}
        for text, node in event.items():
            try:
                found = resolve(text, self.fields)
            except ConditionError as error:
                raise WorkbenchError(f"event: {error}") from None
            value = self.value(node, found.info)
            columns[found.column] = pa.array([value], column_type(found.info))
        for name in self.engine.columns:
            if name not in columns and not name.startswith("evt."):
                info = resolve_column(name, self.fields).info
                columns[name] = pa.array([None], column_type(info))
        columns.setdefault("evt.num", pa.array([1], pa.uint64()))
        columns.setdefault("evt.rawtime", pa.array([_DEFAULT_NS], pa.uint64()))
        return events_from_table(
            pa.table(columns), fields=self.fields, source=self.source
        )

    def _payload_events(self, case: Case, payload: bytes) -> Any:
        import pyarrow as pa

        from workbench.events.from_table import events_from_table

        if not self.plugins:
            raise WorkbenchError(self._missing_plugin())
        number = 0
        for plugin in self.plugins:
            for manifest in getattr(plugin, "manifests", None) or [plugin.info]:
                if manifest.event_source == self.source:
                    number = manifest.id
        time_ns = _DEFAULT_NS if case.time_ns is None else case.time_ns
        raw = _plugin_event(number, payload, time_ns)
        table = pa.table(
            {
                "evt.num": pa.array([case.number], pa.uint64()),
                "evt.rawtime": pa.array([time_ns], pa.uint64()),
                "raw": pa.array([raw], pa.binary()),
            }
        )
        events = events_from_table(table, fields=self.fields, source=self.source)
        return events.attach(*self.plugins)

    def _missing_plugin(self) -> str:
        """Say which plugin a payload needs."""
        named = ", ".join(str(library) for library, _ in self.file.plugins)
        if named:
            return (
                f"a payload needs the plugins of its file, {named}: run the file with "
                "'workbench test' or pytest, or load them and give them with plugins="
            )
        return (
            "a payload needs the plugin that extracts fields from events of source "
            f"{self.source}: name it under 'plugins' or give --plugin"
        )

    def _saved_events(self, case: Case) -> Any:
        import numpy as np

        events = self.events
        if events is None:
            path = case.capture or self.file.path
            if path not in self.captures:
                from workbench.events.opening import open_events

                self.captures[path] = open_events(path, plugins=self.plugins)
            events = self.captures[path]
        if not events.source and events.sources:
            # of a mixed capture only events of the rules' own source count
            events = events.by_source().get(self.source, events[:0])
        numbers = events.table.column("evt.num").to_numpy()
        wanted = np.array(case.numbers or [], np.uint64)
        missing = wanted[~np.isin(wanted, numbers)]
        if len(missing):
            raise WorkbenchError(
                f"the capture has no event {missing[0]} of source {self.source}"
            )
        return events[np.isin(numbers, wanted)]

    def _fired_events(self, events: Any) -> list[tuple[str, set[str]]]:
        """Return for each event its label and the rules that fire on it."""
        table = events.table_with(self.engine.conditions.columns)
        masks = self.engine.conditions.masks(table) if self.engine.rules else []
        numbers = table.column("evt.num").to_pylist()
        several = len(numbers) > 1
        fired: list[set[str]] = [set() for _ in numbers]
        for rule, mask in zip(self.engine.rules, masks, strict=True):
            for row in mask.to_numpy(zero_copy_only=False).nonzero()[0].tolist():
                fired[row].add(rule.name)
        return [
            (f"event {number}: " if several else "", names)
            for number, names in zip(numbers, fired, strict=True)
        ]


def _faults(case: Case, label: str, fired: set[str]) -> Iterator[str]:
    shown = ", ".join(f"'{n}'" for n in sorted(fired)) or "no rule"
    for name in case.fires:
        if name not in fired:
            yield f"{label}rule '{name}' did not fire; fired: {shown}"
    for name in case.quiet:
        if name in fired:
            yield f"{label}rule '{name}' fired, but must not"
    if case.exactly is not None:
        wanted = set(case.exactly)
        yield from (
            f"{label}rule '{name}' did not fire; fired: {shown}"
            for name in sorted(wanted - fired)
        )
        yield from (
            f"{label}rule '{name}' fired, but only {sorted(wanted)} may"
            for name in sorted(fired - wanted)
        )


def _given_by(column: str) -> str:
    """Return the column that an event gives ``column`` with; "" if it needs none."""
    if not column.startswith("evt."):
        return column
    if column == "evt.num":
        return column
    # every other built-in field is of the time, or the same for all events
    return "evt.rawtime" if column.startswith(_OF_TIME) else ""


def _plugin_event(plugin_id: int, payload: bytes, time_ns: int) -> bytes:
    """Make the stored form of a plugin event: header, two lengths, id, payload."""
    head = struct.Struct("<QqIHI")
    lengths = struct.pack("<II", 4, len(payload))
    body = struct.pack("<I", plugin_id) + payload
    total = head.size + len(lengths) + len(body)
    start = head.pack(time_ns, -1, total, _PLUGIN_EVENT, 2)
    return start + lengths + body
