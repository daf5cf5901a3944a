"""RuleSet: rules of one or more files, checked, run, tested and compared."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from workbench.errors import WorkbenchError
from workbench.events.conditions import compile_for
from workbench.rules.loading.files import parse_file, read_path
from workbench.rules.model.items import ItemList
from workbench.rules.model.model import Rule
from workbench.rules.rule_files import RuleFiles
from workbench.rules.running.alert_format import AlertFormat
from workbench.rules.running.alerts import Alerts
from workbench.rules.running.options import RunOptions
from workbench.rules.target.target import Target, target_key, target_of

if TYPE_CHECKING:
    from workbench.condition.analysis.completion import Candidate
    from workbench.condition.execution.compile import CompiledCondition
    from workbench.diagnostics import Diagnostic
    from workbench.fields.declarations import FieldTable
    from workbench.rules.loading.files import RulesFile
    from workbench.rules.model.diagnostic_list import DiagnosticList
    from workbench.rules.model.model import Macro, RuleList
    from workbench.rules.model.rule_diagnostic import RuleDiagnostic
    from workbench.rules.running.compare import Comparison
    from workbench.rules.running.engine import SourceEngine
    from workbench.rules.testing.report import TestReport

__all__ = ["ItemList", "Rule", "RuleSet", "load_rules", "parse_rules"]


class RuleSet(RuleFiles):
    """Rules files in loading order.

    Reading never fails: :meth:`check` returns what is wrong. ``files``: names.
    """

    def __init__(
        self, files: Iterable[RulesFile] = (), *, from_disk: bool = False
    ) -> None:
        """Hold ``files``; made by :func:`load_rules` and :func:`parse_rules`."""
        super().__init__(files, from_disk=from_disk)
        # the latest engines: planning a hundred conditions is worth keeping
        self._engines: dict[Any, dict[str, SourceEngine]] = {}

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel as the bytes of the files, read again on arrival."""
        parts = (self._files, self._originals)
        packed = [
            [(f.source.mark + f.source.data, f.source.name, f.fault) for f in files]
            for files in parts
        ]
        return _rebuilt, (*packed, self._paths)

    def _changed(self) -> None:
        super()._changed()
        self._engines.clear()

    def __len__(self) -> int:
        """Count the rules."""
        return len(self.rules)

    def __iter__(self) -> Iterator[Rule]:
        """Return the rules."""
        return iter(self.rules)

    def __repr__(self) -> str:
        """Count what is there, and what is wrong."""
        counts = {
            "rule": len(self.rules),
            "macro": len(self.macros),
            "list": len(self.lists),
        }
        counted = [f"{n} {kind}{'' if n == 1 else 's'}" for kind, n in counts.items()]
        errors = sum(found.severity == "error" for found in self.check())
        if errors:
            counted.append(f"{errors} error{'' if errors == 1 else 's'}, see .check()")
        return f"<RuleSet: {', '.join(counted)}>"

    def _repr_html_(self) -> str:
        from workbench.formatting import html

        rows = [
            (r.name, r.priority, r.source, "yes" if r.enabled else "no", r.condition)
            for r in self.rules
        ]
        head = html.tag("p", html.escape(repr(self)[1:-1]))
        return head + html.table(
            ["rule", "priority", "source", "enabled", "condition"], rows
        )

    # checking

    def check(
        self, against: Any = None, options: RunOptions | None = None
    ) -> DiagnosticList:
        """Return everything that is wrong with any file, each at its location.

        ``against``: a Plugin, Workbench or Events, several of them, or a mapping of
        source → fields; None checks all that can be checked without knowing fields.
        Errors and engine warnings have Falco's codes; the others are beyond Falco.
        """
        from workbench.rules.linting.lint import lint

        target = target_of(against)
        loaded = self.loaded(target, options)
        beyond = lint(loaded.collector, loaded.compilation, target)
        return self._public([*loaded.diagnostics, *beyond])

    def verdicts(self, against: Any = None) -> list[dict[str, Any]]:
        """Return Falco's ``falco_load_results``, with every error instead of the first.

        Position numbers are Falco's own.
        """
        loaded = self.loaded(target_of(against))
        return loaded.engine_json()

    # conditions with these macros and lists

    def compile_condition(self, condition: Any, against: Any) -> CompiledCondition:
        """Compile a condition that may name macros and lists of this set.

        ``condition``: a text, the name of a rule of this set, a Rule with its
        exceptions, or a compiled condition, which is returned as it is. ``against``:
        Events, a Plugin or a Target. Raises ConditionError for a text that Falco would
        refuse, RulesError for a rule.
        """
        from workbench.rules import rule_conditions as conditions

        target, fields = _known(against)
        loaded = self.loaded(target)
        if isinstance(condition, Rule):
            return conditions.compile_given_rule(condition, loaded, target)
        if not isinstance(condition, str | bytes):
            compiled: CompiledCondition = condition
            return compiled
        if condition in loaded.collector.rules:
            return conditions.compile_named_rule(str(condition), loaded, target)
        return conditions.compile_text(condition, fields, loaded)

    def examine_condition(
        self, text: str, against: Any
    ) -> tuple[CompiledCondition | None, list[Diagnostic]]:
        """Return a text ready to run, None when it has errors, and all diagnostics.

        For editors; the arguments are those of :meth:`compile_condition`.
        """
        from workbench.rules.rule_conditions import examine_text

        target, fields = _known(against)
        return examine_text(text, fields, self.loaded(target))

    def complete(
        self,
        text: str,
        cursor: int,
        against: Any,
        values: Mapping[str, Any] | None = None,
    ) -> list[Candidate]:
        """Return what may stand at ``cursor`` of a condition, macros and lists too.

        ``against``: Events, a Plugin, a Target or a mapping name → FieldInfo; the
        others as for :func:`workbench.condition.analysis.completion.complete`.
        """
        from workbench.condition.analysis.completion import complete

        fields = against if isinstance(against, Mapping) else _known(against)[1]
        collector = self.loaded(None).collector
        return complete(
            text,
            cursor,
            fields,
            values,
            macros=list(collector.macros),
            lists=list(collector.lists),
        )

    def alert_notes(self, name: str, event: Any) -> tuple[str, ...]:
        """Return what else decides whether a rule alerts on the one event of ``event``.

        That is: whether it is disabled, or an earlier rule takes the event first.
        """
        from workbench.rules.rule_conditions import alert_notes

        return alert_notes(self, name, event)

    # running

    def engines(
        self, against: Any, options: RunOptions | None = None
    ) -> dict[str, SourceEngine]:
        """Compile the enabled rules of each source that ``against`` knows.

        Raises RulesError when Falco would refuse the rules.
        """
        from workbench.rules.running.engine import source_engine

        options = options or RunOptions()
        target = target_of(against)
        if target is None:
            raise WorkbenchError("rules run over a plugin or events; give one of them")
        key = (target_key(target), options)
        if key not in self._engines:
            loaded = self.loaded(target, options)
            self._refuse_broken(loaded)
            known = options.extended(target)
            engines = {
                source: source_engine(
                    loaded.compilation, source, known.fields_of(source), options
                )
                for source in target.sources
            }
            self._engines = {key: engines}
        return self._engines[key]

    def columns(self, against: Any, source: str | None = None) -> list[str]:
        """Return the columns that rules of ``source`` read: what a capture needs."""
        engines = self.engines(against)
        if source is None:
            source = next(iter(engines), None)
        if source is None or source not in engines:
            return []
        return engines[source].columns

    def run(
        self,
        events: Any,
        *,
        all_matches: bool = False,
        priority: str | None = None,
        options: RunOptions | None = None,
    ) -> Alerts:
        """Run the enabled rules over events and return the alerts.

        ``events``: Events, a mapping source → Events, or an open Capture, which is read
        to its end. Every rule runs over the events of its own source; alerts come in
        the order of the events. ``all_matches``: every matching rule alerts, not just
        the first. ``priority``: least severe priority that runs. Raises RulesError when
        Falco would refuse the rules.
        """
        from workbench.events.builtin_columns import host_name
        from workbench.rules.running.match import match_events, match_live

        if options is None:
            options = RunOptions(priority, AlertFormat(hostname=host_name()))
        if isinstance(events, Mapping):
            runs = [
                self.run(own, all_matches=all_matches, options=options)
                for own in events.values()
            ]
            return Alerts([batch for alerts in runs for batch in alerts.batches])
        if hasattr(events, "record_batches"):
            target = Target({events.source: events.fields}, versions_known=False)
            engines = self.engines(target, options)
            batches = ((events.source, batch) for batch in events.record_batches())
            return Alerts(list(match_live(engines, batches, all_matches=all_matches)))
        if not hasattr(events, "table_with"):
            kind = type(events).__name__
            raise WorkbenchError(
                f"rules run over Events or an open Capture, not over a {kind}: capture "
                "some first, with plugin.capture(…)"
            )
        engines = self.engines(events, options)
        return Alerts([match_events(engines, events, all_matches=all_matches)])

    def factor(self) -> RuleSet:
        """Return new rules in which what several repeat became lists and macros."""
        from workbench.rules.editing.extract_shared import extract_shared

        taken = [*self.lists.keys(), *self.macros.keys()]
        lists, macros, rules = extract_shared(self.rules, taken)
        items: list[Rule | Macro | RuleList] = [*self.lists, *lists]
        items += [*self.macros, *macros, *rules]
        return parse_rules("\n".join(item.to_yaml() for item in items))

    # testing and comparing

    def test(
        self, path: str | os.PathLike[str], *, plugins: Any = (), events: Any = None
    ) -> TestReport:
        """Run a file of rule tests against these rules.

        ``plugins``: loaded plugins, needed for payload cases and for fields that the
        file does not declare. ``events``: in place of the captures that it names.
        Raises WorkbenchError when the file itself is wrong, RulesError when Falco would
        refuse the rules.
        """
        from workbench.rules.testing.case_files import read_tests
        from workbench.rules.testing.run import run_tests, tested_source

        file = read_tests(Path(path))
        given = tuple(plugins) if isinstance(plugins, list | tuple) else (plugins,)
        target, source = tested_source(file, given, events)
        engine = self.engines(target)[source]
        names = {rule.name for rule in self.rules}
        return run_tests(file, engine, names, plugins=given, events=events)

    def write_tests(
        self,
        path: str | os.PathLike[str],
        events: Any,
        *,
        rule: str | None = None,
        columns: Iterable[str] = (),
    ) -> Path:
        """Turn labelled events into a file of rule tests and return its path.

        Events labelled "must match" must make ``rule`` fire, the others must not;
        ``rule`` may be left out while there is one. ``columns``: fields to write; none:
        all there are.
        """
        from workbench.rules.testing.labels import write_tests

        enabled = [r for r in self.rules if r.enabled and rule in (None, r.name)]
        if len(enabled) != 1:
            names = ", ".join(r.name for r in self.rules if r.enabled)
            raise WorkbenchError(
                f"name the rule that the labels are for with rule=; enabled: {names}"
            )
        target = Path(path)
        paths = self.files if self._paths is None else self._paths
        files = [
            os.path.relpath(file, target.parent)
            for file in paths
            if Path(file).exists()
        ]
        return write_tests(
            events,
            target,
            rule=enabled[0],
            rules_files=files,
            columns=list(columns),
        )

    def compare(
        self, other: RuleSet, events: Any, *, all_matches: bool = True
    ) -> Comparison:
        """Compare alerts: which appear, disappear or change from this to ``other``."""
        from workbench.rules.running.compare import compare_runs

        old = self.run(events, all_matches=all_matches)
        new = other.run(events, all_matches=all_matches)
        return compare_runs(old, new)


def _known(against: Any) -> tuple[Target, FieldTable]:
    """Return a target and the fields that a text may name there."""
    from workbench.fields.declarations import FieldTable

    target = target_of(against)
    if target is None:
        raise WorkbenchError("conditions need fields: give events or a plugin")
    fields = getattr(against, "fields", None)
    if fields is None:
        known = [i for s in target.sources for i in target.fields_of(s).values()]
        fields = {info.name: info for info in reversed(known)}
        return target, FieldTable(fields.values())
    return target, fields


@compile_for.register(Rule)
def _compile_rule(condition: Rule, events: Any) -> CompiledCondition:
    """Compile a rule that stands alone: without any macro or list."""
    return RuleSet().compile_condition(condition, events)


_Packed: TypeAlias = "list[tuple[bytes, str, RuleDiagnostic | None]]"


def _rebuilt(
    kept: _Packed, originals: _Packed, paths: tuple[str, ...] | None
) -> RuleSet:
    """Undo :meth:`RuleSet.__reduce__`."""
    before = [_unpacked(*packed) for packed in originals]
    files = []
    for number, packed in enumerate(kept):
        same = number < len(before) and packed == originals[number]
        files.append(before[number] if same else _unpacked(*packed))
    rules = RuleSet(files)
    rules._originals, rules._paths = tuple(before), paths  # noqa: SLF001 - its own
    return rules


def _unpacked(raw: bytes, name: str, fault: RuleDiagnostic | None) -> RulesFile:
    file = parse_file(raw, name)
    file.fault = fault or file.fault
    return file


def _files_of(path: str | os.PathLike[str]) -> list[Path]:
    """Return a file, or for a directory its .yaml and .yml files, sorted."""
    found = Path(path)
    try:
        inside = [p for p in found.iterdir() if p.suffix in (".yaml", ".yml")]
    except (OSError, ValueError):
        return [found]
    # a directory without any is reported like a file that cannot be read
    return sorted(inside) or [found]


def load_rules(*paths: str | os.PathLike[str]) -> RuleSet:
    """Read rules files in this order; a directory gives its YAML files, sorted.

    Never raises for what is in the files or for files that cannot be read:
    :meth:`RuleSet.check` returns that.
    """
    files = [read_path(p) for path in paths for p in _files_of(path)]
    return RuleSet(files, from_disk=True)


def parse_rules(text: str | bytes, name: str = "rules.yaml") -> RuleSet:
    """Read rules from a text; ``name`` stands for the file in diagnostics."""
    raw = text if isinstance(text, bytes) else text.encode("utf-8", "surrogateescape")
    return RuleSet([parse_file(raw, name)])
