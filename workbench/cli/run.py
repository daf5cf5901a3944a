"""``workbench run``: rules over a plugin's events or a saved capture, as Falco does."""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.cli.sandbox import add_sandbox_arguments, workbench_for
from workbench.errors import PluginLoadError, RulesError, WorkbenchError
from workbench.falco_config import FalcoConfig, load_plugins, read_falco_yaml
from workbench.field_refs import resolve_column
from workbench.rules.alerts import AlertBatch, statistics
from workbench.rules.configured import (
    ConfiguredAdditions,
    ConfiguredForm,
    switched,
    with_static_columns,
    with_static_fields,
)
from workbench.rules.ruleset import RuleSet, load_rules
from workbench.rules.target import target_of

if TYPE_CHECKING:
    from workbench.bench import Workbench
    from workbench.capture import Capture
    from workbench.rules.engine import SourceEngine

__all__ = ["add_arguments", "run"]

_FINE, _FAILED, _INTERRUPTED = 0, 1, 130
# Longest wait for one source while others may have events, seconds.
_TURN_SEC = 0.05


def _count(text: str) -> int:
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError("a count is not negative")
    return number


def _seconds(text: str) -> float:
    number = float(text)
    if not number >= 0:
        raise argparse.ArgumentTypeError("a time is not negative")
    return number


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument(
        "-c", dest="falco_yaml", metavar="FALCO_YAML", help="run as this file says"
    )
    source.add_argument("--plugin", metavar="PATH", help="the plugin library, a .so")
    source.add_argument("--events", metavar="FILE", help="a saved capture")
    add = parser.add_argument
    add("--config", metavar="TEXT", help="init config of --plugin")
    add("--open", metavar="TEXT", default="", help="open params of --plugin")
    add(
        "--with",
        metavar="PLUGIN",
        dest="others",
        action="append",
        default=[],
        help="load another plugin too, such as an extractor; may be repeated",
    )
    add(
        "-r",
        dest="rules",
        metavar="RULES",
        nargs="+",
        action="extend",
        default=[],
        help="rules files or directories, in order; in place of rules_files",
    )
    add("--plugin-dir", metavar="DIR", help="where relative library paths begin")
    add("--json", action="store_true", help="one JSON object per alert")
    add("--all-matches", action="store_true", help="every matching rule alerts")
    add("--max-events", metavar="N", type=_count, help="stop after so many events")
    add("--timeout", metavar="SEC", type=_seconds, help="stop after so many seconds")
    add_sandbox_arguments(parser)


@dataclass(slots=True)
class _Job:
    """What one run works with."""

    args: argparse.Namespace
    bench: Workbench
    config: FalcoConfig
    printer: _Printer
    all_matches: bool


class _Printer:
    """Writes alerts as they come and counts them."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        self.counts: Counter[str] = Counter()

    def print(self, batch: AlertBatch) -> None:
        for rule, number in zip(batch.rules, batch.totals, strict=True):
            self.counts[rule.name] += number
        if not len(batch):
            return
        lines = batch.json_lines() if self.as_json else batch.lines()
        out = sys.stdout.buffer
        for line in lines:
            out.write(line.encode("utf-8", "surrogateescape") + b"\n")
        out.flush()

    def close(self, engines: dict[str, SourceEngine], order: list[str]) -> None:
        rules = {r.name: r for engine in engines.values() for r in engine.rules}
        ordered = [rules[name] for name in order if name in rules]
        text = statistics(self.counts, ordered) + "\n"
        if self.as_json:
            sys.stdout.flush()
            sys.stderr.write(text)
        else:
            sys.stdout.buffer.write(text.encode("utf-8", "surrogateescape"))
            sys.stdout.buffer.flush()


def run(args: argparse.Namespace) -> int:
    """Carry the command out."""
    config = _config(args)
    for note in config.notes:
        print(f"workbench: {note}", file=sys.stderr)
    files = args.rules or _existing(config)
    if not files:
        raise WorkbenchError(
            "You must specify at least one rules file/directory via -r or a "
            "rules_files entry in falco.yaml"
        )
    rules = load_rules(*files)
    as_json = args.json or config.json_output
    all_matches = args.all_matches or config.rule_matching == "all"
    with workbench_for(args) as bench:
        if args.plugin:
            plugin = bench.load(args.plugin, config=args.config)
            bench.default_params[plugin.name] = args.open
        load_plugins(config, bench)
        for path in args.others:
            bench.load(path)
        printer = _Printer(as_json=as_json)
        if args.events:
            job = _Job(args, bench, config, printer, all_matches)
            return _run_file(job, rules)
        _check_sources(bench)
        engines = _engines(rules, bench, config)
        order = [rule.name for rule in rules.rules]
        status = _FINE
        try:
            job = _Job(args, bench, config, printer, all_matches)
            status = _Runner(job, engines).run()
        finally:
            printer.close(engines, order)
        return status


def _config(args: argparse.Namespace) -> FalcoConfig:
    if args.falco_yaml:
        return read_falco_yaml(args.falco_yaml, plugin_dir=args.plugin_dir)
    return FalcoConfig("")


def _existing(config: FalcoConfig) -> list[str]:
    """Give the rules files of the configuration that exist; Falco skips the others."""
    found = []
    for name in config.rules_files:
        beside = Path(config.path).parent / name
        if Path(name).exists():
            found.append(name)
        elif beside.exists():
            # Falco would skip it: it looks in the folder it is started in
            print(
                f"workbench: {name}: taken from beside {config.path}", file=sys.stderr
            )
            found.append(str(beside))
        else:
            print(f"workbench: {name} does not exist and is skipped", file=sys.stderr)
    return found


def _check_sources(bench: Workbench) -> None:
    from workbench.registration import unused

    idle = unused(bench.manifests)
    if idle:
        raise PluginLoadError(
            f"Plugin '{idle[0].name}' is loaded but unused as not compatible with any "
            "known event source; load the plugin that produces its events too",
            path=idle[0].path,
        )
    if not bench.sources:
        raise WorkbenchError(
            "Must enable at least one event source: load a plugin that is one"
        )


def _engines(
    rules: RuleSet, against: Any, config: FalcoConfig
) -> dict[str, SourceEngine]:
    """Compile the rules; what is odd goes to stderr."""
    from workbench.generic import host_name

    target = target_of(against)
    if target is None:  # pragma: no cover - something was given
        raise WorkbenchError("nothing to run rules over")
    target = with_static_fields(target, config.static_fields)
    form = ConfiguredForm(
        iso_time=config.time_iso,
        include_message=config.json_include_message,
        include_output=config.json_include_output,
        include_output_fields=config.json_include_output_fields,
        include_tags=config.json_include_tags,
        hostname=host_name(),
        appended=config.appended,
    )
    try:
        engines = rules.engines(
            target,
            priority=config.priority,
            form=form,
            additions=ConfiguredAdditions(config.appended),
            enabled=switched(config.switches),
        )
    except RulesError as error:
        print(error.diagnostics, file=sys.stderr)
        raise
    except ValueError as error:
        raise WorkbenchError(str(error)) from None
    warnings = [d for d in rules.check(target) if d.severity != "hint"]
    for item in warnings:
        print(f"workbench: {item}", file=sys.stderr)
    return engines


def _run_file(job: _Job, rules: RuleSet) -> int:
    from workbench.events import open_events
    from workbench.rules.engine import match_events

    bench, config, printer = job.bench, job.config, job.printer
    events = open_events(job.args.events, plugins=(bench,) if bench.plugins else ())
    if job.args.max_events is not None:
        events = events[: job.args.max_events]
    engines = _engines(rules, [events, *([bench] if bench.plugins else [])], config)
    if config.static_fields:
        events = events.derive(with_static_columns(events.table, config.static_fields))
    engine = engines.get(events.source)
    if engine is None:
        known = ", ".join(engines) or "none"
        raise WorkbenchError(
            f"{job.args.events} does not say which event source it is of "
            f"(known: {known}); give the plugin that made it by --with"
        )
    printer.print(match_events(engine, events, all_matches=job.all_matches))
    printer.close(engines, [rule.name for rule in rules.rules])
    return _FINE


class _Runner:
    """Reads all sources in turn and prints their alerts."""

    def __init__(self, job: _Job, engines: dict[str, SourceEngine]) -> None:
        args = job.args
        self.engines = engines
        self.static = job.config.static_fields
        self.printer = job.printer
        self.all_matches = job.all_matches
        self.left: int | None = args.max_events
        self.limit = None if args.timeout is None else time.monotonic() + args.timeout
        self.bench = job.bench

    def run(self) -> int:
        import contextlib

        with contextlib.ExitStack() as stack:
            captures = [
                stack.enter_context(self._open(source)) for source in self.engines
            ]
            try:
                self._read(captures)
            except KeyboardInterrupt:
                for capture in captures:
                    for batch in capture.drain():
                        self._match(capture, batch)
                print("workbench: interrupted", file=sys.stderr)
                return _INTERRUPTED
        return _FINE

    def _open(self, source: str) -> Capture:
        fields = self.bench.fields_of(source)
        wanted = [
            resolve_column(name, fields)
            for name in self.engines[source].columns
            if name not in ("evt.num", "evt.rawtime", "evt.source")
            and not name.startswith("static.")
        ]
        return self.bench.open(source=source, fields=wanted)  # type: ignore[arg-type]

    def _read(self, captures: list[Capture]) -> None:
        running = list(captures)
        while running:
            for capture in list(running):
                wait: float | None = _TURN_SEC if len(running) > 1 else None
                if self.limit is not None:
                    rest = self.limit - time.monotonic()
                    if rest <= 0:
                        return
                    wait = rest if wait is None else min(wait, rest)
                batch = capture.read(wait)
                if batch is not None:
                    self._match(capture, batch)
                    if self.left == 0:
                        return
                elif capture.end_reason is not None:
                    running.remove(capture)
            if self.left == 0:
                return

    def _match(self, capture: Capture, batch: Any) -> None:
        import pyarrow as pa

        if self.left is not None:
            batch = batch.slice(0, self.left)
            self.left -= batch.num_rows
        table = with_static_columns(pa.Table.from_batches([batch]), self.static)
        engine = self.engines[capture.source]
        self.printer.print(engine.match(table, all_matches=self.all_matches))
