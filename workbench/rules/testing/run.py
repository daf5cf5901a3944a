"""Running rule tests: cases become tables, rules run over them, results are told."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape, quoteattr

from workbench.errors import ConditionError, WorkbenchError
from workbench.fields.reference import nearest_names, resolve
from workbench.rules.target.target import Target, target_of
from workbench.rules.testing.case_files import Case, TestFile, read_tests, value_reader

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import pyarrow as pa

    from workbench.fields.declarations import FieldTable
    from workbench.rules.ruleset import RuleSet

__all__ = [
    "CaseResult",
    "TestReport",
    "resolve_column_info",
    "run_tests",
]

# Time of an inline event that gives none: an arbitrary fixed moment, ns.
_DEFAULT_NS = 1_700_000_000_000_000_000
_PLUGIN_EVENT = 322


@dataclass(frozen=True, slots=True)
class CaseResult:
    """How a case went. ``message``: "" when it passed."""

    name: str
    file: str
    line: int
    message: str = ""

    @property
    def passed(self) -> bool:
        """Say whether the case passed."""
        return not self.message


@dataclass(slots=True)
class TestReport:
    """The results of one or more files of rule tests."""

    __test__ = False

    results: list[CaseResult] = field(default_factory=list)

    @property
    def failures(self) -> list[CaseResult]:
        """The cases that failed."""
        return [r for r in self.results if not r.passed]

    @property
    def passed(self) -> bool:
        """Say whether every case passed."""
        return not self.failures

    def __bool__(self) -> bool:
        """Say whether every case passed."""
        return self.passed

    def __len__(self) -> int:
        """Count the cases."""
        return len(self.results)

    def __iter__(self) -> Iterator[CaseResult]:
        """Give the results."""
        return iter(self.results)

    def __str__(self) -> str:
        """Give one line per case and a summary."""
        lines = []
        for result in self.results:
            word = "PASSED" if result.passed else "FAILED"
            lines.append(f"{result.file}:{result.line}: {result.name}: {word}")
            lines += [f"    {line}" for line in result.message.splitlines()]
        failed = len(self.failures)
        lines.append(f"{len(self) - failed} passed, {failed} failed")
        return "\n".join(lines)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        from workbench.formatting import html

        rows = [
            ("passed" if r.passed else "FAILED", r.name, r.line, r.message)
            for r in self.results
        ]
        return html.table(["", "case", "line", "why"], rows)

    def to_junit(self) -> str:
        """Give the results as JUnit XML."""
        head = (
            f'<testsuites><testsuite name="rule tests" tests="{len(self)}" '
            f'failures="{len(self.failures)}" errors="0">'
        )
        parts = ['<?xml version="1.0" encoding="utf-8"?>', head]
        for result in self.results:
            head = (
                f"<testcase classname={quoteattr(_xml(result.file))} "
                f'name={quoteattr(_xml(result.name))} line="{result.line}"'
            )
            if result.passed:
                parts.append(head + "/>")
            else:
                first = _xml(result.message.splitlines()[0])
                body = escape(_xml(result.message))
                parts.append(
                    f"{head}><failure message={quoteattr(first)}>{body}</failure>"
                    "</testcase>"
                )
        parts.append("</testsuite></testsuites>\n")
        return "\n".join(parts)


def _xml(text: str) -> str:
    """Spell out what XML cannot hold."""
    return "".join(
        c
        if c in "\t\n"
        or (c >= " " and not 0xD800 <= ord(c) <= 0xDFFF and c not in "\x7f\ufffe\uffff")
        else f"\\x{ord(c):02x}"
        for c in text
    )


def run_tests(
    rules: RuleSet, path: Path, *, plugins: Any = (), events: Any = None
) -> TestReport:
    """Run one file of tests against ``rules``.

    ``plugins``: loaded plugins, for fields and payloads; without them the file's own
    ``plugins`` are loaded, or its ``fields`` count. ``events``: in place of captures.
    Raises WorkbenchError when the file itself is wrong, RulesError when Falco would
    refuse the rules.
    """
    file = read_tests(path)
    given = tuple(plugins) if isinstance(plugins, list | tuple) else (plugins,)
    runner = _Runner(rules, file, given, events)
    return TestReport([runner.result(case) for case in file.cases])


class _Runner:
    def __init__(
        self, rules: RuleSet, file: TestFile, plugins: tuple[Any, ...], events: Any
    ) -> None:
        self.file = file
        self.plugins = plugins
        self.events = events
        self.captures: dict[Path, Any] = {}
        target = self._target()
        self.source = file.source or next(iter(target.sources), "")
        if self.source not in target.sources:
            known = ", ".join(target.sources) or "none"
            raise WorkbenchError(
                f"{file.path}: unknown source {self.source!r} (known: {known}); give "
                "the plugins, or declare the fields"
            )
        self.fields: FieldTable = target.fields_of(self.source)
        self.engine = rules.engines(target)[self.source]
        self.known_rules = {rule.name for rule in rules.rules}
        self.running = {rule.name for rule in self.engine.rules}
        self.value = value_reader(file)

    def _target(self) -> Target:
        if self.plugins:
            target = target_of(list(self.plugins))
        elif self.events is not None:
            target = target_of(self.events)
        else:
            source = self.file.source
            target = Target({source: self.file.fields}, versions_known=False)
        if target is None:  # pragma: no cover - something was given
            raise WorkbenchError("nothing to test against")
        return target

    def result(self, case: Case) -> CaseResult:
        try:
            message = self._message(case)
        except WorkbenchError as error:
            message = str(error)
        return CaseResult(case.name, str(self.file.path), case.line, message)

    def _message(self, case: Case) -> str:
        named = [*case.fires, *case.quiet, *(case.exactly or [])]
        for name in named:
            if name not in self.running:
                return self._unknown_rule(name)
        if case.event is not None:
            table = self._inline(case.event)
            fired = self._fired(table)
        elif case.payload is not None:
            fired = self._fired_events(self._payload_events(case.payload))
        else:
            fired = self._fired_events(self._saved_events(case))
        faults = [
            fault for label, names in fired for fault in _faults(case, label, names)
        ]
        return "\n".join(faults[:20])

    def _unknown_rule(self, name: str) -> str:
        if name in self.known_rules:
            return (
                f"rule '{name}' does not run on source {self.source} (or is disabled)"
            )
        near = nearest_names(name, dict.fromkeys(self.known_rules))
        hint = f"; did you mean '{near[0]}'?" if near else ""
        return f"there is no rule '{name}'{hint}"

    def _inline(self, event: Mapping[str, Any]) -> pa.Table:
        """Make a table of one row from values by field text."""
        import pyarrow as pa

        from workbench.events.events import events_from_table

        columns: dict[str, Any] = {}
        for text, node in event.items():
            try:
                found = resolve(text, self.fields)
            except ConditionError as error:
                raise WorkbenchError(f"event: {error}") from None
            value = self.value(node, found.info)
            columns[found.column] = pa.array([value], arrow_type(found.info))
        for name in self.engine.columns:
            if name not in columns and not name.startswith("evt."):
                info = resolve_column_info(name, self.fields)
                columns[name] = pa.array([None], arrow_type(info))
        columns.setdefault("evt.num", pa.array([1], pa.uint64()))
        columns.setdefault("evt.rawtime", pa.array([_DEFAULT_NS], pa.uint64()))
        events = events_from_table(
            pa.table(columns), fields=self.fields, source=self.source
        )
        table: pa.Table = events.table_with(self.engine.conditions.columns)
        return table

    def _payload_events(self, payload: bytes) -> Any:
        import pyarrow as pa

        from workbench.events.events import events_from_table

        if not self.plugins:
            raise WorkbenchError(
                "a payload needs the plugin to extract its fields: name it under "
                "'plugins' or give --plugin"
            )
        number = 0
        for one in self.plugins:
            for manifest in getattr(one, "manifests", None) or [one.info]:
                if manifest.event_source == self.source:
                    number = manifest.id
        table = pa.table(
            {
                "evt.num": pa.array([1], pa.uint64()),
                "evt.rawtime": pa.array([_DEFAULT_NS], pa.uint64()),
                "raw": pa.array([plugin_event(number, payload)], pa.binary()),
            }
        )
        events = events_from_table(table, fields=self.fields, source=self.source)
        return events.attach(*self.plugins)

    def _saved_events(self, case: Case) -> Any:
        import numpy as np

        events = self.events
        if events is None:
            path = case.capture or self.file.path
            events = self.captures.get(path)
            if events is None:
                from workbench.events.opening import open_events

                events = self.captures[path] = open_events(path, plugins=self.plugins)
        numbers = events.table.column("evt.num").to_numpy()
        wanted = np.array(case.numbers or [], np.uint64)
        missing = wanted[~np.isin(wanted, numbers)]
        if len(missing):
            raise WorkbenchError(f"the capture has no event {missing[0]}")
        return events[np.isin(numbers, wanted)]

    def _fired_events(self, events: Any) -> list[tuple[str, set[str]]]:
        table = events.table_with(self.engine.conditions.columns)
        return self._fired(table)

    def _fired(self, table: pa.Table) -> list[tuple[str, set[str]]]:
        """Give for each row its label and the rules that fire on it."""
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


def arrow_type(info: Any) -> pa.DataType:
    """Give the Arrow type of a column for a field."""
    import pyarrow as pa

    from workbench.fields.types import FIELD_TYPES

    kind = {"bool": pa.bool_(), "uint64": pa.uint64()}.get(
        FIELD_TYPES[info.type].arrow, pa.binary()
    )
    return pa.list_(kind) if info.is_list else kind


def resolve_column_info(name: str, fields: FieldTable) -> Any:
    """Give the declaration behind a column's name."""
    from workbench.fields.reference import resolve_column

    return resolve_column(name, fields).info


def plugin_event(plugin_id: int, payload: bytes) -> bytes:
    """Make the stored form of a plugin event: header, two lengths, id, payload."""
    head = struct.Struct("<QqIHI")
    lengths = struct.pack("<II", 4, len(payload))
    body = struct.pack("<I", plugin_id) + payload
    total = head.size + len(lengths) + len(body)
    start = head.pack(_DEFAULT_NS, -1, total, _PLUGIN_EVENT, 2)
    return start + lengths + body
