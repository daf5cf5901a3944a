"""RuleSet: rules files together, in loading order.

The text of the files is the truth: what is added or saved is text, and rules, macros
and lists are read from it. So comments, order and quoting stay as they are.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.arguments import FLAG, PATH, TEXT, either, takes
from workbench.errors import RulesError, WorkbenchError
from workbench.rules.editing.texts import appended, joined_files
from workbench.rules.kinds import FILE, FILES, ITEM, ITEM_OR_TEXT, KIND, OPTIONS, SOURCE
from workbench.rules.loader import Loaded, load
from workbench.rules.loading.files import RulesFile, parse_file, read_path
from workbench.rules.model.diagnostic_list import DiagnosticList
from workbench.rules.model.items import ItemList
from workbench.rules.running.alert_format import AlertFormat
from workbench.rules.running.alerts import Alerts
from workbench.rules.running.options import RunOptions
from workbench.rules.target.target import Target, target_key, target_of
from workbench.saving import save_text

if TYPE_CHECKING:
    from workbench.rules.model.model import Macro, Rule, RuleList
    from workbench.rules.model.rule_diagnostic import RuleDiagnostic
    from workbench.rules.running.compare import Comparison
    from workbench.rules.running.engine import SourceEngine
    from workbench.rules.testing.report import TestReport

__all__ = ["ItemList", "RuleSet", "load_rules", "parse_rules"]

# Diagnostics shown in the message of an error.
_MAX_SHOWN = 5
# Targets for which what was loaded is kept.
_MAX_LOADED = 8


class RuleSet:
    """Rules files in loading order.

    Reading never fails: :meth:`check` returns what is wrong. ``files``: names.
    """

    @takes(files=FILES)
    def __init__(self, files: Iterable[RulesFile] = ()) -> None:
        """Hold ``files``; made by :func:`load_rules` and :func:`parse_rules`."""
        self._files = list(files)
        self._cache: dict[Any, Loaded] = {}
        # the latest engines: planning a hundred conditions is worth keeping
        self._engines: dict[Any, dict[str, SourceEngine]] = {}

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel as the bytes of the files, read again on arrival."""
        files = [
            (f.source.mark + f.source.data, f.source.name, f.fault) for f in self._files
        ]
        return _rebuilt, (files,)

    # what it holds

    @property
    def files(self) -> list[str]:
        """Names of the files, in loading order."""
        return [file.source.name for file in self._files]

    @property
    def texts(self) -> dict[str, str]:
        """File name → text."""
        return {
            file.source.name: file.source.data.decode("utf-8", "surrogateescape")
            for file in self._files
        }

    @property
    def rules(self) -> ItemList[Rule]:
        """The rules in definition order, as later items left them."""
        entries = self.loaded(None).collector.rules.values()
        ordered = sorted(entries, key=lambda e: e.index)
        return ItemList(e.value() for e in ordered if e.condition and e.output)

    @property
    def macros(self) -> ItemList[Macro]:
        """The macros in definition order."""
        entries = self.loaded(None).collector.macros.values()
        return ItemList(e.value() for e in sorted(entries, key=lambda e: e.index))

    @property
    def lists(self) -> ItemList[RuleList]:
        """The lists in definition order."""
        entries = self.loaded(None).collector.lists.values()
        return ItemList(e.value() for e in sorted(entries, key=lambda e: e.index))

    @property
    def sources(self) -> list[str]:
        """The event sources that rules name, in order of first use."""
        return list(dict.fromkeys(rule.source for rule in self.rules))

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

    @takes(options=OPTIONS)
    def loaded(self, against: Any = None, options: RunOptions | None = None) -> Loaded:
        """Load the files against a target, as often as that or the options change."""
        options = options or RunOptions()
        target = target_of(against)
        if target is not None:
            target = options.extended(target)
        key = (target_key(target), options.level, options.additions)
        known = self._cache.get(key)
        if known is None:
            known = load(
                self._files,
                target,
                least_priority=options.level,
                additions=options.additions,
            )
            if len(self._cache) > _MAX_LOADED:
                self._cache.clear()
            self._cache[key] = known
        return known

    @takes(options=OPTIONS)
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

    def _public(self, found: Iterable[RuleDiagnostic]) -> DiagnosticList:
        sources = {file.source.name: file.source for file in self._files}
        return DiagnosticList.of(found, sources)

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

    def _refuse_broken(self, loaded: Loaded) -> None:
        if loaded.successful:
            return
        found = self._public(p for p in loaded.diagnostics if p.severity == "error")
        noun = "error" if len(found) == 1 else "errors"
        lines = [f"Falco would refuse these rules: {len(found)} {noun}"]
        lines += [f"  {item}" for item in found[:_MAX_SHOWN]]
        if len(found) > _MAX_SHOWN:
            lines.append(f"  … and {len(found) - _MAX_SHOWN} more; see .diagnostics")
        raise RulesError("\n".join(lines), diagnostics=found)

    def columns(self, against: Any, source: str | None = None) -> list[str]:
        """Return the columns that rules of ``source`` read: what a capture needs."""
        engines = self.engines(against)
        if source is None:
            source = next(iter(engines), None)
        if source is None or source not in engines:
            return []
        return engines[source].columns

    @takes(all_matches=FLAG, priority=either(TEXT, None), options=OPTIONS)
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
        from workbench.rules.running.match import match_live, match_stored

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
        return Alerts(list(match_stored(engines, events, all_matches=all_matches)))

    # changing and keeping

    @takes(item=ITEM_OR_TEXT)
    def add(self, item: Rule | Macro | RuleList | str) -> RuleSet:
        """Add a rule, macro, list or YAML text at the end of the last file.

        An item of a name that is there already redefines it. Returns this set.
        """
        text = item if isinstance(item, str) else item.to_yaml()
        raw = text.encode("utf-8", "surrogateescape")
        if self._files:
            last = self._files[-1].source
            self._files[-1] = parse_file(appended(last, raw), last.name)
        else:
            self._files.append(parse_file(raw, "rules.yaml"))
        self._changed()
        return self

    def _changed(self) -> None:
        """Forget what was made from the files as they were."""
        self._cache.clear()
        self._engines.clear()

    @takes(item=ITEM)
    def replace(self, item: Rule | Macro | RuleList) -> RuleSet:
        """Change an item where it stands; comments, order and quoting around it stay.

        Only keys whose values differ are rewritten. Raises KeyError when no such item
        is defined here. Returns this set.
        """
        from workbench.rules.editing.edit import replace_item

        for number, file in reversed(list(enumerate(self._files))):
            text = replace_item(file, item)
            if text is not None:
                self._files[number] = parse_file(text, file.source.name)
                self._changed()
                return self
        raise KeyError(
            f"no {type(item).__name__.lower()} {item.name!r} is defined here"
        )

    @takes(kind=KIND, name=TEXT)
    def remove(self, kind: str, name: str) -> RuleSet:
        """Take every item out that defines ``kind`` ("rule" …) ``name``."""
        from workbench.rules.editing.edit import remove_item

        found = False
        for number, file in enumerate(self._files):
            text = remove_item(file, kind, name)
            if text is not None:
                self._files[number] = parse_file(text, file.source.name)
                found = True
        if not found:
            raise KeyError(f"no {kind} {name!r} is defined here")
        self._changed()
        return self

    def to_yaml(self) -> str:
        """Return all files as one YAML text, as they are written."""
        raw = joined_files([file.source.data for file in self._files])
        return raw.decode("utf-8", "surrogateescape")

    def header(self, against: Any) -> str:
        """Return the requirement items that the rules lack, from what they really use.

        ``against``: the Plugin, Workbench or Events that they were made with.
        """
        from workbench.rules.linting.requirements import missing_header

        loaded = self.loaded(target_of(against))
        return missing_header(loaded.collector, loaded.compilation, against)

    def factor(self) -> RuleSet:
        """Return new rules in which what several repeat became lists and macros."""
        from workbench.rules.editing.extract_shared import extract_shared

        taken = [*self.lists.keys(), *self.macros.keys()]
        lists, macros, rules = extract_shared(self.rules, taken)
        items: list[Rule | Macro | RuleList] = [*self.lists, *lists]
        items += [*self.macros, *macros, *rules]
        return parse_rules("\n".join(item.to_yaml() for item in items))

    @takes(path=PATH, force=FLAG)
    def save(
        self, path: str | os.PathLike[str], *, against: Any = None, force: bool = False
    ) -> Path:
        """Write the rules to one file and return its path.

        Raises RulesError for what Falco would not load; ``force`` writes
        it all the same. ``against``: as :meth:`check`; what the rules require of it is
        then written first, unless it is there already.
        """
        if not force:
            self._refuse_broken(self.loaded(target_of(against)))
        target = Path(path)
        text = self.to_yaml()
        head = "" if against is None else self.header(against)
        if head:
            text = f"{head}{'---' if text.startswith(('---', '%')) else ''}\n{text}"
        return save_text(target, text)

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
        files = [
            os.path.relpath(file, target.parent)
            for file in self.files
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


def _rebuilt(kept: list[tuple[bytes, str, RuleDiagnostic | None]]) -> RuleSet:
    """Undo :meth:`RuleSet.__reduce__`."""
    files = []
    for raw, name, fault in kept:
        file = parse_file(raw, name)
        file.fault = fault or file.fault
        files.append(file)
    return RuleSet(files)


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
    return RuleSet(read_path(p) for path in paths for p in _files_of(path))


@takes(text=SOURCE, name=TEXT)
def parse_rules(text: str | bytes, name: str = "rules.yaml") -> RuleSet:
    """Read rules from a text; ``name`` stands for the file in diagnostics."""
    raw = text if isinstance(text, bytes) else text.encode("utf-8", "surrogateescape")
    return RuleSet([parse_file(raw, name)])
