"""RuleSet: rules of one or more files, checked, run, tested and compared."""

from __future__ import annotations

import copy
import os
import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeAlias, TypeVar, overload

from workbench.arguments import FLAG, PATH, TEXT, TEXTS, described, either, takes
from workbench.errors import WorkbenchError
from workbench.falco_config import FalcoConfig, existing_rules_files, read_falco_yaml
from workbench.rules.kinds import FILE, FILES, OPTIONS, SOURCE
from workbench.rules.loading.files import parse_file, read_path
from workbench.rules.measures import RuleMeasures
from workbench.rules.model.items import ItemList
from workbench.rules.model.model import PRIORITIES, Rule, level_named
from workbench.rules.rule_conditions import RuleConditions
from workbench.rules.running.alert_format import AlertFormat
from workbench.rules.running.alerts import Alerts
from workbench.rules.running.options import RunOptions
from workbench.rules.running.switches import Selection, switches_for
from workbench.rules.target.target import Target, target_key, target_of

if TYPE_CHECKING:
    from workbench.condition.execution.compile import CompiledSet
    from workbench.rules.loading.files import RulesFile
    from workbench.rules.model.diagnostic_list import DiagnosticList
    from workbench.rules.model.entries import RuleEntry
    from workbench.rules.model.model import Macro, RuleList
    from workbench.rules.model.rule_diagnostic import RuleDiagnostic
    from workbench.rules.running.compare import Comparison
    from workbench.rules.running.elsewhere import ComparesRules, RunsRules
    from workbench.rules.running.engine import SourceEngine
    from workbench.rules.running.live import AlertStream
    from workbench.rules.testing.report import TestReport

__all__ = ["ItemList", "Rule", "RuleSet", "load_rules", "parse_rules"]

_Found = TypeVar("_Found")


class RuleSet(RuleMeasures, RuleConditions):
    """Rules files in loading order.

    Reading never fails: :meth:`check` returns what is wrong. ``files``: names.
    """

    @takes(files=FILES, from_disk=FLAG)
    def __init__(
        self, files: Iterable[RulesFile] = (), *, from_disk: bool = False
    ) -> None:
        """Hold ``files``; made by :func:`load_rules` and :func:`parse_rules`."""
        super().__init__(files, from_disk=from_disk)
        # the latest engines: planning a hundred conditions is worth keeping
        self._engines: dict[Any, dict[str, SourceEngine]] = {}
        # what a falco.yaml says about running these rules
        self._config: FalcoConfig | None = None
        self._selections: tuple[Selection, ...] = ()
        self._live: AlertStream | None = None

    @classmethod
    def from_falco_yaml(
        cls,
        path: str | os.PathLike[str],
        *,
        plugin_dir: str | os.PathLike[str] | None = None,
    ) -> Self:
        """Load the rules files of a falco.yaml, to run as it says.

        So :meth:`run` honours its ``rules:``, ``append_output``, ``priority``,
        ``rule_matching``, ``static_fields`` and the forms of alerts. ``plugin_dir``: as
        ``Workbench.from_falco_yaml``, which loads its plugins. What is odd about the
        file is a UserWarning. Raises WorkbenchError where Falco would refuse to start.
        """
        config = read_falco_yaml(path, plugin_dir=plugin_dir)
        files, notes = existing_rules_files(config)
        for text in (*config.notes, *notes):
            warnings.warn(text, UserWarning, stacklevel=2)
        if not files:
            raise WorkbenchError(f"{path} names no rules files that exist")
        found = [read_path(p) for name in files for p in _files_of(name)]
        rules = cls(found, from_disk=True)
        rules._config = config
        return rules

    def falco_config(self) -> FalcoConfig:
        """Return the part of a falco.yaml that runs these rules as they run here.

        Raises WorkbenchError when rules are not in files (save them first), or no
        switches select them.
        """
        config = FalcoConfig("") if self._config is None else self._config
        paths = [str(Path(path).resolve()) for path in self.saved_paths]
        config = replace(config, rules_files=paths, plugins=[], notes=[])
        if not self._selections:
            return config
        options = self.run_options()
        level = min(options.level, *(s.level for s in self._selections))
        found = self.loaded(None).collector.rules.values()
        entries = [e for e in found if level_named(e.priority) <= level]
        wanted = [e.name for e in entries if options.enables(e)]
        try:
            config.switches = switches_for(entries, wanted, self._selections)
        except ValueError as error:
            raise WorkbenchError(str(error)) from None
        config.priority = PRIORITIES[level].key.lower()
        return config

    def run_options(self, priority: str | None = None) -> RunOptions:
        """Return how these rules run; ``priority``: least severe one that does."""
        from workbench.events.builtin_columns import host_name
        from workbench.rules.running.falco_options import falco_options

        if self._config is None:
            options = RunOptions(priority, AlertFormat(hostname=host_name()))
        else:
            options = falco_options(self._config)
            options = replace(options, priority=priority or options.priority)
        return replace(options, selections=self._selections)

    def select(
        self,
        *,
        tags: Iterable[str] | str = (),
        names: Iterable[str] | str = (),
        priority: str | None = None,
    ) -> RuleSet:
        """Return the same files with only some of the rules.

        A rule must satisfy all that is given: one of ``tags``; one of ``names``, where
        ``*`` stands for any text as in falco.yaml; at least as severe as ``priority``.
        Rules that are disabled stay so. Rules files cannot hold a selection: saving
        writes the other rules too; :meth:`falco_config` has it. Raises ValueError for
        an unknown priority.
        """
        chosen = Selection(_texts(tags), _texts(names), level_named(priority))
        rules = copy.copy(self)
        vars(rules).update(
            _files=list(self._files),
            _cache=dict(self._cache),
            _engines={},
            _selections=(*self._selections, chosen),
        )
        return rules

    def _chosen(self, entry: RuleEntry) -> bool:
        return all(selection(entry) for selection in self._selections)

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel as the bytes of the files, read again on arrival."""
        parts = (self._files, self._originals)
        packed = [
            [(f.source.mark + f.source.data, f.source.name, f.fault) for f in files]
            for files in parts
        ]
        state = {
            "_paths": self._paths,
            "_config": self._config,
            "_selections": self._selections,
        }
        return _rebuilt, (*packed, state)

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

    @takes(options=OPTIONS, ignore=TEXTS)
    def check(
        self,
        against: Any = None,
        options: RunOptions | None = None,
        *,
        ignore: Iterable[str] = (),
    ) -> DiagnosticList:
        """Return everything that is wrong with any file, each at its location.

        ``against``: a Plugin, Workbench or Events, several of them, or a mapping of
        source → fields; None checks all that can be checked without knowing fields.
        Errors and engine warnings have Falco's codes; the others are beyond Falco. With
        Events the rules also run over them: a rule that matches some, and always after
        another one, is warned of.

        ``ignore``: codes of warnings and hints beyond Falco that are left out. Comments
        do the same: ``# workbench: ignore[empty-set]`` at or above a line, or the first
        line of an item; ``# workbench: ignore-file[…]`` for a file.
        """
        from workbench.rules.linting.lint import lint
        from workbench.rules.running.hidden import rules_always_hidden

        target = target_of(against)
        loaded = self.loaded(target, options or self.run_options())
        beyond = lint(loaded.collector, loaded.compilation, target)
        found = [*loaded.diagnostics, *beyond]
        runs = loaded.successful and not self._all_matches
        if runs and hasattr(against, "table_with"):
            known = {d.location for d in found if d.code == "shadowed-rule"}
            hidden = rules_always_hidden(self, against)
            found += [item for item in hidden if item.location not in known]
        return self._public(found, ignore)

    def verdicts(self, against: Any = None) -> list[dict[str, Any]]:
        """Return Falco's ``falco_load_results``, with every error instead of the first.

        Position numbers are Falco's own.
        """
        loaded = self.loaded(target_of(against))
        return loaded.engine_json()

    # running

    @takes(options=OPTIONS)
    def engines(
        self, against: Any, options: RunOptions | None = None
    ) -> dict[str, SourceEngine]:
        """Compile the enabled rules of each source that ``against`` knows.

        Raises RulesError when Falco would refuse the rules.
        """
        from workbench.rules.running.engine import source_engine

        options = options or self.run_options()
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

    @property
    def _all_matches(self) -> bool:
        return self._config is not None and self._config.rule_matching == "all"

    def columns(self, against: Any, source: str | None = None) -> list[str]:
        """Return the columns that rules of ``source`` read: what a capture needs."""
        engines = self.engines(against)
        if source is None:
            source = next(iter(engines), None)
        if source is None or source not in engines:
            return []
        return engines[source].columns

    def conditions(self, against: Any, source: str | None = None) -> CompiledSet:
        """Return the conditions of rules of ``source``: ``where`` of a capture.

        A capture asks for them itself: ``rules.run(plugin.open(params, where=rules))``
        reads only events that raise alerts.
        """
        from workbench.condition.execution.compile import CompiledSet

        engines = self.engines(against)
        if source is None:
            source = next(iter(engines), None)
        if source is None or source not in engines:
            return CompiledSet(())
        return engines[source].conditions

    @overload
    def run(
        self,
        events: RunsRules[_Found],
        *,
        all_matches: bool | None = None,
        priority: str | None = None,
        options: RunOptions | None = None,
        alerts_per_rule: int | None = 1000,
    ) -> _Found: ...

    @overload
    def run(
        self,
        events: Any,
        *,
        all_matches: bool | None = None,
        priority: str | None = None,
        options: RunOptions | None = None,
    ) -> Alerts: ...

    @takes(all_matches=either(FLAG, None), priority=either(TEXT, None), options=OPTIONS)
    def run(
        self,
        events: Any,
        *,
        all_matches: bool | None = None,
        priority: str | None = None,
        options: RunOptions | None = None,
        alerts_per_rule: int | None = 1000,
    ) -> Alerts | Any:
        """Run the enabled rules over events and return the alerts.

        ``events``: Events, a mapping source → Events, or an open Capture, which is read
        to its end; or an Archive, which gives ArchiveAlerts: counts of all alerts, and
        the first ``alerts_per_rule`` of each rule (None: all of them). Every rule runs
        over the events of its own source; alerts come in the order of the events.
        ``all_matches``: every matching rule alerts, not just the first; None: as the
        falco.yaml says that the rules came from, else not.
        ``priority``: least severe priority that runs. Raises RulesError when Falco
        would refuse the rules.
        """
        from workbench.rules.running.match import match_stored

        options = options or self.run_options(priority)
        if all_matches is None:
            all_matches = self._all_matches
        if hasattr(events, "run_rules"):
            return events.run_rules(
                self,
                all_matches=all_matches,
                options=options,
                alerts_per_rule=alerts_per_rule,
            )
        if isinstance(events, Mapping):
            runs = [
                self.run(own, all_matches=all_matches, options=options)
                for own in events.values()
            ]
            return Alerts([batch for alerts in runs for batch in alerts.batches])
        if hasattr(events, "record_batches"):
            live = self.stream(events, all_matches=all_matches, options=options)
            return live.collect()
        if not hasattr(events, "table_with"):
            raise WorkbenchError(
                f"rules run over Events or an open Capture, not over "
                f"{described(events)}: capture some first, with plugin.capture(…)"
            )
        engines = self.engines(events, options)
        return Alerts(list(match_stored(engines, events, all_matches=all_matches)))

    def stream(
        self,
        capture: Any,
        *,
        all_matches: bool | None = None,
        options: RunOptions | None = None,
    ) -> AlertStream:
        """Return the alerts of an open Capture as they come, to iterate.

        Each is a mapping: the columns of ``Alerts.frame`` → values; ``async for`` works
        too. ``capture``: as opened, unless rules read fields with arguments; then
        ``plugin.open(…, fields=rules.columns(plugin))``. ``all_matches``: as
        :meth:`run`. Ctrl-C keeps what came before as :attr:`last_alerts` and raises
        AlertsInterrupted, a KeyboardInterrupt. Raises RulesError when Falco would
        refuse the rules.
        """
        from workbench.rules.running.live import AlertStream

        if not hasattr(capture, "record_batches"):
            raise WorkbenchError(
                f"alerts stream from an open Capture, not from {described(capture)}; "
                "open one with plugin.open(…)"
            )
        target = Target({capture.source: capture.fields}, versions_known=False)
        engines = self.engines(target, options)
        if all_matches is None:
            all_matches = self._all_matches
        self._live = AlertStream(capture, engines, all_matches=all_matches)
        return self._live

    @property
    def last_alerts(self) -> Alerts | None:
        """The alerts so far of the latest :meth:`stream`, or run over a Capture."""
        return None if self._live is None else self._live.alerts

    def factor(self) -> RuleSet:
        """Return new rules in which what several repeat became lists and macros."""
        from workbench.rules.editing.extract_shared import extract_shared

        taken = [*self.lists.keys(), *self.macros.keys()]
        lists, macros, rules = extract_shared(self.rules, taken)
        items: list[Rule | Macro | RuleList] = [*self.lists, *lists]
        items += [*self.macros, *macros, *rules]
        return parse_rules("\n".join(item.to_yaml() for item in items))

    # testing and comparing

    @takes(path=PATH)
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
        ``rule`` may be left out while there is one. Written are the payloads, and the
        plugins that read them. ``columns``: fields to write instead, besides all that
        the rule and its macros read; so it is done, with all fields there are, where
        the events were not kept or no plugin is known. A name that ends with
        ``rule_tests.yaml`` lets pytest and ``workbench test FOLDER`` find the file.
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
        engine = self.engines(events).get(enabled[0].source)
        running = [] if engine is None else engine.rules
        needed = [
            column
            for at, one in enumerate(running)
            if engine is not None and one.name == enabled[0].name
            for column in engine.conditions[at].columns
        ]
        return write_tests(
            events,
            target,
            rule=enabled[0],
            needed=needed,
            rules_files=files,
            columns=list(columns),
        )

    @overload
    def compare(
        self,
        other: RuleSet,
        events: ComparesRules[_Found],
        *,
        all_matches: bool | None = None,
        alerts_per_rule: int | None = 1000,
    ) -> _Found: ...

    @overload
    def compare(
        self, other: RuleSet, events: Any, *, all_matches: bool | None = None
    ) -> Comparison: ...

    def compare(
        self,
        other: RuleSet,
        events: Any,
        *,
        all_matches: bool | None = None,
        alerts_per_rule: int | None = 1000,
    ) -> Comparison | Any:
        """Compare alerts: which appear, disappear or change from this to ``other``.

        ``events``, ``all_matches``: as for :meth:`run`, whose default this is, too:
        under first match an alert that one rule loses may move to another. Of an
        Archive it returns an ArchiveComparison with the first ``alerts_per_rule``
        differences of each rule.
        """
        from workbench.rules.running.compare import compare_runs

        if all_matches is None:
            all_matches = self._all_matches
        if hasattr(events, "compare_rules"):
            return events.compare_rules(
                self, other, all_matches=all_matches, alerts_per_rule=alerts_per_rule
            )
        old = self.run(events, all_matches=all_matches)
        new = other.run(events, all_matches=all_matches)
        return compare_runs(old, new, all_matches=all_matches)


_Packed: TypeAlias = "list[tuple[bytes, str, RuleDiagnostic | None]]"


def _texts(given: Iterable[str] | str) -> tuple[str, ...]:
    return (given,) if isinstance(given, str) else tuple(given)


def _rebuilt(kept: _Packed, originals: _Packed, state: dict[str, Any]) -> RuleSet:
    """Undo :meth:`RuleSet.__reduce__`."""
    before = [_unpacked(*packed) for packed in originals]
    files = []
    for number, packed in enumerate(kept):
        same = number < len(before) and packed == originals[number]
        files.append(before[number] if same else _unpacked(*packed))
    rules = RuleSet(files)
    vars(rules).update(state, _originals=tuple(before))
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


@takes(paths=FILE)
def load_rules(*paths: str | os.PathLike[str]) -> RuleSet:
    """Read rules files in this order; a directory gives its YAML files, sorted.

    Never raises for what is in the files or for files that cannot be read:
    :meth:`RuleSet.check` returns that.
    """
    files = [read_path(p) for path in paths for p in _files_of(path)]
    return RuleSet(files, from_disk=True)


@takes(text=SOURCE, name=TEXT)
def parse_rules(text: str | bytes, name: str = "rules.yaml") -> RuleSet:
    """Read rules from a text; ``name`` stands for the file in diagnostics."""
    raw = text if isinstance(text, bytes) else text.encode("utf-8", "surrogateescape")
    return RuleSet([parse_file(raw, name)])
