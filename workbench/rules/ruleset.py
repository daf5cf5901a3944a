"""RuleSet: rules files together, as people hold them.

The text of the files is the truth: what is added or saved is text, and rules, macros
and lists are read from it. So comments, order and quoting stay as they are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.errors import RulesError, WorkbenchError
from workbench.rules.loading.loader import (
    Loaded,
    RulesFile,
    load,
    parse_file,
    read_path,
)
from workbench.rules.model.diagnostic_list import DiagnosticList
from workbench.rules.model.items import ItemList
from workbench.rules.model.model import level_named
from workbench.rules.running.alerts import AlertFormat, Alerts
from workbench.rules.target.target import Target, target_key, target_of
from workbench.saving import save_text

if TYPE_CHECKING:
    import os

    from workbench.rules.compiling.output_stage import OutputAdditions
    from workbench.rules.model.entries import RuleEntry
    from workbench.rules.model.locations import RuleDiagnostic
    from workbench.rules.model.model import Macro, Rule, RuleList
    from workbench.rules.running.compare import Comparison
    from workbench.rules.running.engine import SourceEngine
    from workbench.rules.testing.run import TestReport

__all__ = ["ItemList", "RuleSet", "load_rules", "parse_rules"]

# Complaints shown in the message of an error.
_SHOWN = 5


class RuleSet:
    """Rules files in loading order.

    Reading never fails: what is wrong is told by :meth:`check`. ``files``: names.
    """

    def __init__(self, files: Iterable[RulesFile] = ()) -> None:
        """Hold ``files``; made by :func:`load_rules` and :func:`parse_rules`."""
        self._files = list(files)
        self._cache: dict[Any, Loaded] = {}
        # the latest engines: planning a hundred conditions is worth keeping
        self._engines: dict[Any, dict[str, SourceEngine]] = {}

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel as the bytes of the files, read again on arrival."""
        parts = [
            (f.source.mark + f.source.data, f.source.name, f.fault) for f in self._files
        ]
        return _rebuilt, (parts,)

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
        """Give the rules."""
        return iter(self.rules)

    def __repr__(self) -> str:
        """Count what is there, and what is wrong."""
        counts = {
            "rule": len(self.rules),
            "macro": len(self.macros),
            "list": len(self.lists),
        }
        parts = [f"{n} {word}{'' if n == 1 else 's'}" for word, n in counts.items()]
        errors = sum(found.severity == "error" for found in self.check())
        if errors:
            parts.append(f"{errors} error{'' if errors == 1 else 's'}, see .check()")
        return f"<RuleSet: {', '.join(parts)}>"

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

    def loaded(
        self,
        against: Any = None,
        *,
        least_priority: int = 7,
        additions: OutputAdditions | None = None,
    ) -> Loaded:
        """Load the files against a target, as often as that changes."""
        target = target_of(against)
        key: Any = None
        if additions is None:
            key = (target_key(target), least_priority)
            known = self._cache.get(key)
            if known is not None:
                return known
        loaded = load(
            self._files, target, least_priority=least_priority, additions=additions
        )
        if additions is None:
            if len(self._cache) > 8:
                self._cache.clear()
            self._cache[key] = loaded
        return loaded

    def check(self, against: Any = None) -> DiagnosticList:
        """Give every complaint about every file, each at its place.

        ``against``: a Plugin, Workbench or Events, several of them, or a mapping of
        source → fields; None checks all that can be checked without knowing fields.
        Errors and engine warnings have Falco's codes; the others are beyond Falco.
        """
        from workbench.rules.linting.lint import beyond_falco

        target = target_of(against)
        loaded = self.loaded(target)
        found = [*loaded.problems, *beyond_falco(loaded, target)]
        texts = {file.source.name: file.source for file in self._files}
        return DiagnosticList.of(found, texts)

    def verdicts(self, against: Any = None) -> list[dict[str, Any]]:
        """Give Falco's ``falco_load_results``, with every error instead of the first.

        Position numbers are Falco's own.
        """
        loaded = self.loaded(target_of(against))
        return loaded.engine_json()

    # running

    def engines(
        self,
        against: Any,
        *,
        priority: str | None = None,
        form: AlertFormat | None = None,
        additions: OutputAdditions | None = None,
        enabled: Callable[[RuleEntry], bool] | None = None,
    ) -> dict[str, SourceEngine]:
        """Compile the enabled rules of each source that ``against`` knows.

        ``priority``: least severe priority that is loaded. ``additions``: what is added
        to outputs. ``enabled``: decides in place of the rules' own word. Raises
        RulesError when Falco would refuse the rules.
        """
        from workbench.rules.running.engine import source_engine

        target = target_of(against)
        if target is None:
            raise WorkbenchError("say what the rules run over: a plugin or events")
        level = level_named(priority)
        key: Any = None
        if additions is None and enabled is None:
            key = (target_key(target), level, repr(form))
            known = self._engines.get(key)
            if known is not None:
                return known
        loaded = self.loaded(target, least_priority=level, additions=additions)
        self._refuse_broken(loaded)
        engines = {
            source: source_engine(
                loaded.compilation,
                source,
                target.fields_of(source),
                form or AlertFormat(),
                enabled,
            )
            for source in target.sources
        }
        if key is not None:
            self._engines = {key: engines}
        return engines

    def _refuse_broken(self, loaded: Loaded) -> None:
        if loaded.successful:
            return
        errors = [p for p in loaded.problems if p.severity == "error"]
        texts = {file.source.name: file.source for file in self._files}
        found = DiagnosticList.of(errors, texts)
        noun = "error" if len(found) == 1 else "errors"
        lines = [f"Falco would refuse these rules: {len(found)} {noun}"]
        lines += [f"  {item}" for item in found[:_SHOWN]]
        if len(found) > _SHOWN:
            lines.append(f"  … and {len(found) - _SHOWN} more; see .diagnostics")
        raise RulesError("\n".join(lines), diagnostics=found)

    def columns(self, against: Any, source: str | None = None) -> list[str]:
        """Give the columns that the rules of ``source`` read: what a capture needs."""
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
        form: AlertFormat | None = None,
    ) -> Alerts:
        """Run the enabled rules over events and give the alerts.

        ``events``: Events, a mapping source → Events, or an open Capture, which is read
        to its end. ``all_matches``: every matching rule alerts, not just the first.
        ``priority``: least severe priority that runs. Raises RulesError when Falco
        would refuse the rules.
        """
        from workbench.events.builtin_columns import host_name
        from workbench.rules.running.engine import match_capture, match_events

        form = form or AlertFormat(hostname=host_name())
        if isinstance(events, Mapping):
            parts = [
                self.run(e, all_matches=all_matches, priority=priority, form=form)
                for e in events.values()
            ]
            return Alerts([batch for part in parts for batch in part.batches])
        if hasattr(events, "record_batches"):
            against = Target({events.source: events.fields}, versions_known=False)
            engine = self.engines(against, priority=priority, form=form)[events.source]
            return Alerts(list(match_capture(engine, events, all_matches=all_matches)))
        if not hasattr(events, "table_with"):
            kind = type(events).__name__
            raise WorkbenchError(
                f"rules run over Events or an open Capture, not over a {kind}: capture "
                "some first, with plugin.capture(…)"
            )
        engines = self.engines(events, priority=priority, form=form)
        engine = next(iter(engines.values()), None)  # type: ignore[assignment]
        if engine is None:
            raise WorkbenchError(
                "these events do not say their event source, so no rule applies; give "
                "one with events_from_table(…, source=…)"
            )
        return Alerts([match_events(engine, events, all_matches=all_matches)])

    # changing and keeping

    def add(self, item: Rule | Macro | RuleList | str) -> RuleSet:
        """Add a rule, macro, list or YAML text at the end of the last file.

        An item of a name that is there already redefines it. Gives this set.
        """
        from workbench.rules.editing.export import item_yaml

        text = item if isinstance(item, str) else item_yaml(item)
        self._append(text)
        return self

    def _append(self, text: str) -> None:
        raw = text.encode("utf-8", "surrogateescape")
        if not self._files:
            self._files.append(parse_file(raw, "rules.yaml"))
        else:
            old = self._files[-1].source
            data = old.data
            if data and not data.endswith(b"\n"):
                data += b"\n"
            if data.strip() and not data.endswith(b"\n\n"):
                data += b"\n"
            if data.rstrip().endswith((b"]", b"}")) and _ends_in_flow(data):
                # A list in brackets is closed: what follows is another document.
                data += b"---\n"
            self._files[-1] = parse_file(old.mark + data + raw, old.name)
        self._changed()

    def _changed(self) -> None:
        """Forget what was made from the files as they were."""
        self._cache.clear()
        self._engines.clear()

    def replace(self, item: Rule | Macro | RuleList) -> RuleSet:
        """Change an item where it stands; comments, order and quoting around it stay.

        Only keys whose values differ are rewritten. Raises KeyError when no such item
        is defined here. Gives this set.
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
        """Give all files as one YAML text, as they are written."""
        parts: list[bytes] = []
        for file in self._files:
            data = file.source.data
            if not data.strip():
                continue
            if parts and not parts[-1].endswith(b"\n"):
                parts[-1] += b"\n"
            if parts and not data.startswith((b"---", b"%")):
                parts.append(b"---\n")
            parts.append(data)
        return b"".join(parts).decode("utf-8", "surrogateescape")

    def header(self, against: Any) -> str:
        """Give the requirement items that the rules lack, from what they really use.

        ``against``: the plugins, bench or events that they were made with.
        """
        from workbench.rules.linting.needs import missing_header

        return missing_header(self.loaded(target_of(against)), against)

    def factor(self) -> RuleSet:
        """Give new rules in which what several repeat became lists and macros."""
        from workbench.rules.editing.export import item_yaml
        from workbench.rules.editing.extract_shared import factored

        taken = [*self.lists.keys(), *self.macros.keys()]
        lists, macros, rules = factored(self.rules, taken)
        items: list[Rule | Macro | RuleList] = [*self.lists, *lists]
        items += [*self.macros, *macros, *rules]
        return parse_rules("\n".join(item_yaml(item) for item in items))

    def save(
        self, path: str | os.PathLike[str], *, against: Any = None, force: bool = False
    ) -> Path:
        """Write the rules to one file and give its path.

        Refuses, with RulesError saying why, what Falco would not load; ``force`` writes
        it all the same. ``against``: as :meth:`check`; what the rules require of it is
        then written first, unless they say so themselves.
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

    def test(
        self, path: str | os.PathLike[str], *, plugins: Any = (), events: Any = None
    ) -> TestReport:
        """Run a file of rule tests against these rules.

        ``plugins``: loaded plugins, needed for payload cases and for fields that the
        file does not declare. ``events``: in place of the captures that it names.
        """
        from workbench.rules.testing.run import run_tests

        return run_tests(self, Path(path), plugins=plugins, events=events)

    def write_tests(
        self,
        path: str | os.PathLike[str],
        events: Any,
        *,
        rule: str | None = None,
        columns: Iterable[str] = (),
    ) -> Path:
        """Turn labelled events into a file of rule tests and give its path.

        Events labelled "must match" must make ``rule`` fire, the others must not;
        ``rule`` may be left out while there is one. ``columns``: fields to write.
        """
        from workbench.rules.testing.labels import tests_from_labels

        return tests_from_labels(self, events, Path(path), rule, list(columns))

    def compare(
        self, other: RuleSet, events: Any, *, all_matches: bool = True
    ) -> Comparison:
        """Tell which alerts appear, disappear or change from this set to ``other``."""
        from workbench.rules.running.compare import compare_runs

        old = self.run(events, all_matches=all_matches)
        new = other.run(events, all_matches=all_matches)
        return compare_runs(old, new)


def _ends_in_flow(data: bytes) -> bool:
    """Tell whether the last document of a text is one bracketed list or map."""
    last = re.split(rb"^---.*$", data, flags=re.MULTILINE)[-1].lstrip()
    lines = [line for line in last.splitlines() if not line.lstrip().startswith(b"#")]
    return b"\n".join(lines).lstrip().startswith((b"[", b"{"))


def _rebuilt(parts: list[tuple[bytes, str, RuleDiagnostic | None]]) -> RuleSet:
    """Undo :meth:`RuleSet.__reduce__`."""
    files = []
    for raw, name, fault in parts:
        file = parse_file(raw, name)
        file.fault = fault or file.fault
        files.append(file)
    return RuleSet(files)


def _files_of(path: str | os.PathLike[str]) -> list[Path]:
    """Give a file, or for a directory its .yaml and .yml files, sorted."""
    found = Path(path)
    try:
        inside = [p for p in found.iterdir() if p.suffix in (".yaml", ".yml")]
    except (OSError, ValueError):
        return [found]
    # a directory without any is told like a file that cannot be read
    return sorted(inside) or [found]


def load_rules(*paths: str | os.PathLike[str]) -> RuleSet:
    """Read rules files in this order; a directory gives its YAML files, sorted.

    Never raises for what is in the files or for files that cannot be read: that is told
    by :meth:`RuleSet.check`.
    """
    return RuleSet(read_path(p) for path in paths for p in _files_of(path))


def parse_rules(text: str | bytes, name: str = "rules.yaml") -> RuleSet:
    """Read rules from a text; ``name`` stands for the file in complaints."""
    raw = text if isinstance(text, bytes) else text.encode("utf-8", "surrogateescape")
    return RuleSet([parse_file(raw, name)])
