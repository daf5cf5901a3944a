"""``workbench run``: rules over a plugin's events or a saved capture, as Falco does."""

from __future__ import annotations

import contextlib
import sys
import time
from collections import Counter
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from workbench.cli.capture_loop import WaitNote
from workbench.cli.options import (
    FINE,
    INTERRUPTED,
    add_option,
    add_options,
    add_sandbox_options,
    load_companions,
    note,
    opened_workbench,
    usage_error,
)
from workbench.errors import PluginLoadError, WorkbenchError
from workbench.falco_config import (
    FalcoConfig,
    existing_rules_files,
    read_falco_yaml,
)
from workbench.fields.reference import resolve_column
from workbench.formatting.printable import printable
from workbench.plugins.filtering import EventFilter
from workbench.rules.model.model import ENGINE_VERSION
from workbench.rules.model.versions import version_text
from workbench.rules.ruleset import RuleSet, load_rules
from workbench.rules.running.alerts import Alerts, match_statistics, statistics
from workbench.rules.running.falco_options import falco_options
from workbench.rules.target.target import target_of

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    import pyarrow as pa

    from workbench.plugins.capture import Capture
    from workbench.plugins.workbench import Workbench
    from workbench.rules.running.alert_batch import SomeBatch
    from workbench.rules.running.engine import SourceEngine
    from workbench.rules.running.options import RunOptions

__all__ = ["add_arguments", "run"]

# Longest wait for one source while others may have events, and alone, seconds.
_TURN_SEC, _ALONE_SEC = 0.05, 0.25
# How long alerts may wait for others when they do not go to a terminal, seconds.
_UNWATCHED_SEC = 0.25

# Falco's options that choose rules: option, attribute, its value, help.
_RULE_CHOICES = (
    ("-T", "disabled_tags", "TAG", "disable rules with this tag; may be repeated"),
    ("-t", "tags", "TAG", "only run rules with this tag; may be repeated"),
    ("-D", "disabled", "TEXT", "disable rules whose name holds TEXT; may be repeated"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    source = parser.add_mutually_exclusive_group(required=True)
    add_option(source, "-c", help="run with this configuration of Falco")
    add_option(source, "--plugin", action="store", default=None, help="run this plugin")
    add_option(source, "--events", help="run over a saved capture")
    add_option(parser, "--config", help="init config of --plugin")
    add_option(parser, "--open", help="open params of --plugin")
    add_option(parser, "--with")
    add_option(
        parser,
        "-r",
        help="rules files or directories, in order, instead of rules_files",
    )
    add_option(parser, "--plugin-dir")
    for option, dest, metavar, text in _RULE_CHOICES:
        parser.add_argument(
            option, dest=dest, metavar=metavar, action="append", default=[], help=text
        )
    add_option(parser, "--json", help="print one JSON object per alert")
    parser.add_argument(
        "--all-matches",
        action="store_true",
        help="let every matching rule alert, not only the first",
    )
    parser.add_argument(
        "--strict",
        action="store_true",
        help="refuse plugins that Falco does not load, such as those of an older API",
    )
    parser.add_argument(
        "--stats",
        action="store_true",
        help="end with how often each rule matched, alerted, or came after which rule, "
        "and how events were filtered in the plugin's process",
    )
    parser.add_argument(
        "--quiet",
        action="store_true",
        help="do not print versions, plugins and rules files at the start",
    )
    add_options(parser, "--max-events", "--timeout")
    add_sandbox_options(parser)


@dataclass(slots=True)
class _Job:
    """What one run works with."""

    args: argparse.Namespace
    workbench: Workbench
    rules: RuleSet
    options: RunOptions
    all_matches: bool


class _Printer:
    """Writes alerts as they come and counts them."""

    def __init__(self, *, as_json: bool, stats: bool) -> None:
        self.as_json = as_json
        self.stats = stats
        self.counts: Counter[str] = Counter()
        self.matched: Counter[str] = Counter()
        self.hidden: dict[str, Counter[str]] = {}

    def print(self, batch: SomeBatch) -> None:
        for rule, number in zip(batch.rules, batch.totals, strict=True):
            self.counts[rule.name] += number
        if self.stats:
            for rule, number, earlier in zip(
                batch.rules, batch.matched, batch.hidden, strict=True
            ):
                self.matched[rule.name] += number
                self.hidden.setdefault(rule.name, Counter()).update(earlier)
        if not len(batch):
            return
        alerts = Alerts([batch])
        out, terminal = sys.stdout.buffer, sys.stdout.isatty()
        for line in alerts.json_lines() if self.as_json else alerts.lines():
            # A value on a terminal neither acts nor begins a line that is no alert.
            shown = printable(line) if terminal else line
            out.write(shown.encode("utf-8", "surrogateescape") + b"\n")
        out.flush()

    def close(self, engines: dict[str, SourceEngine]) -> None:
        rules = [rule for engine in engines.values() for rule in engine.rules]
        stream = sys.stderr if self.as_json else sys.stdout
        terminal = stream.isatty()
        text = statistics(self.counts, rules, spelled=terminal) + "\n"
        if self.stats:
            rules.sort(key=lambda rule: rule.index)
            matched = {rule.name: self.matched[rule.name] for rule in rules}
            more = match_statistics(matched, self.counts, self.hidden, spelled=terminal)
            text += f"{more}\n"
        if self.as_json:
            sys.stdout.flush()
            sys.stderr.write(text)
        else:
            sys.stdout.buffer.write(text.encode("utf-8", "surrogateescape"))
            sys.stdout.buffer.flush()


def run(args: argparse.Namespace) -> int:
    """Run the rules and print alerts and statistics as Falco does."""
    from workbench.plugins.workbench import load_plugins

    if args.tags and (args.disabled or args.disabled_tags):
        return usage_error("-t goes with neither -T nor -D")
    config = _config(args)
    config.switches += _switches(args)
    for text in config.notes:
        note(text)
    files = args.rules or _existing(config)
    if not files:
        raise WorkbenchError(
            "You must specify at least one rules file/directory via -r or a "
            "rules_files entry in falco.yaml"
        )
    options = falco_options(config)
    all_matches = args.all_matches or config.rule_matching == "all"
    started = _StartLines(quiet=args.quiet)
    started.versions(config)
    with opened_workbench(args) as workbench:
        if args.plugin:
            plugin = workbench.load(args.plugin, config=args.config)
            workbench.default_params[plugin.name] = args.open
        load_plugins(config, workbench)
        load_companions(workbench, args)
        if args.strict:
            _refuse_what_falco_refuses(workbench)
        started.loaded(workbench, files)
        job = _Job(args, workbench, load_rules(*files), options, all_matches)
        printer = _Printer(as_json=args.json or config.json_output, stats=args.stats)
        return (_run_file if args.events else _run_live)(job, printer)


def _refuse_what_falco_refuses(workbench: Workbench) -> None:
    for manifest in workbench.manifests:
        if manifest.falco_refusal:
            raise PluginLoadError(
                f"{manifest.name}: {manifest.falco_refusal}", path=manifest.path
            )


class _StartLines:
    """Prints what Falco prints before the first event, to stderr."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet

    def _print(self, text: str) -> None:
        if not self._quiet:
            print(f"{time.asctime()}: {printable(text)}", file=sys.stderr)

    def versions(self, config: FalcoConfig) -> None:
        from workbench import __version__

        engine = version_text(ENGINE_VERSION)
        self._print(f"Workbench version: {__version__} (rules engine {engine})")
        if config.path:
            self._print("Workbench initialized with configuration files:")
            self._print(f"   {config.path} | schema validation: {config.schema}")

    def loaded(self, workbench: Workbench, files: list[str]) -> None:
        for plugin in workbench.plugins.values():
            info = plugin.info
            self._print(
                f"Loaded plugin '{info.name}' {info.version} from file {info.path}"
            )
        self._print("Loading rules from:")
        for name in files:
            self._print(f"   {name}")
        if workbench.sources:
            self._print(f"Enabled event sources: {', '.join(workbench.sources)}")


def _config(args: argparse.Namespace) -> FalcoConfig:
    if args.falco_yaml:
        return read_falco_yaml(args.falco_yaml, plugin_dir=args.plugin_dir)
    return FalcoConfig("")


def _existing(config: FalcoConfig) -> list[str]:
    """Return the rules files of the configuration that exist; note the others."""
    found, notes = existing_rules_files(config)
    for text in notes:
        note(text)
    return found


def _switches(args: argparse.Namespace) -> list[tuple[bool, str, str]]:
    """Return the switches that -D, -T and -t stand for, as Falco had them."""
    off = [(False, "rule", f"*{text}*") for text in args.disabled]
    off += [(False, "tag", tag) for tag in args.disabled_tags]
    if args.tags:
        return [(False, "rule", "*"), *((True, "tag", tag) for tag in args.tags)]
    return off


def _check_sources(workbench: Workbench) -> None:
    from workbench.plugins.compatibility import unused

    idle = unused(workbench.manifests)
    if idle:
        raise PluginLoadError(
            f"Plugin '{idle[0].name}' is loaded but unused as not compatible with any "
            "known event source; load the plugin that produces its events too",
            path=idle[0].path,
        )
    if not workbench.sources:
        raise WorkbenchError(
            "Must enable at least one event source: load a plugin that is one"
        )


def _engines(
    rules: RuleSet, against: Any, options: RunOptions
) -> dict[str, SourceEngine]:
    """Compile the rules; print what is odd about them to stderr."""
    target = target_of(against)
    try:
        engines = rules.engines(target, options)
    except ValueError as error:
        raise WorkbenchError(str(error)) from None
    for item in rules.check(target, options):
        if item.severity != "hint":
            note(item)
    return engines


def _run_file(job: _Job, printer: _Printer) -> int:
    from workbench.events.opening import open_events
    from workbench.rules.running.match import match_stored

    plugins = (job.workbench,) if job.workbench.plugins else ()
    events = open_events(job.args.events, plugins=plugins)
    if job.args.max_events is not None:
        events = events[: job.args.max_events]
    engines = _engines(job.rules, [events, *plugins], job.options)
    for batch in match_stored(engines, events, all_matches=job.all_matches):
        printer.print(batch)
    printer.close(engines)
    return FINE


def _run_live(job: _Job, printer: _Printer) -> int:
    from workbench.rules.running.match import match_live

    _check_sources(job.workbench)
    engines = _engines(job.rules, job.workbench, job.options)
    timeout = job.args.timeout
    deadline = None if timeout is None else time.monotonic() + timeout
    with contextlib.ExitStack() as stack:
        stack.callback(printer.close, engines)
        captures = [
            stack.enter_context(_open(job, engine)) for engine in engines.values()
        ]
        if job.args.stats:
            stack.callback(_print_stats, captures)
        batches = _Batches(captures, job.args.max_events, deadline)
        matches = partial(match_live, engines, all_matches=job.all_matches)
        try:
            for batch in matches(batches.read()):
                printer.print(batch)
        except KeyboardInterrupt:
            for batch in matches(batches.drain()):
                printer.print(batch)
            note("interrupted")
            return INTERRUPTED
    return FINE


def _open(job: _Job, engine: SourceEngine) -> Capture:
    """Open the source of an engine with the columns that its rules read."""
    wanted = [
        resolve_column(name, engine.fields)
        for name in engine.columns
        if name not in ("evt.num", "evt.rawtime", "evt.source")
        and not name.startswith("static.")
    ]
    # Rows that may raise an alert come here; the rules decide on these.
    where = EventFilter(engine.conditions, engine.fields, decides=False)
    if not sys.stdout.isatty():
        # Nobody watches: alerts of more events at once cost less.
        where.flush_sec = _UNWATCHED_SEC
    return job.workbench.open(
        source=engine.source,
        fields=wanted,  # type: ignore[arg-type]
        max_events=job.args.max_events,
        where=where,
    )


def _print_stats(captures: list[Capture]) -> None:
    """Print how each source was filtered, the dearest way last."""
    for capture in captures:
        kept = f"{capture.count:,} of {capture.seen:,} events may raise an alert"
        note(f"{capture.source}: {kept}")
        for way in sorted(capture.ways, key=lambda way: -way.events):
            how = f"{way.order}, {'in stages' if way.staged else 'one stage'}"
            cost = f", about {way.ns:,.0f} ns each" if way.ns else ""
            note(f"{capture.source}: {how}: {way.events:,} events{cost}")


class _Batches:
    """Reads several captures in turn, until they end or a limit is reached."""

    def __init__(
        self, captures: list[Capture], max_events: int | None, deadline: float | None
    ) -> None:
        """Read at most ``max_events``, until ``deadline`` by the steady clock."""
        self._captures = captures
        self._left = max_events
        self._counted: dict[Capture, int] = dict.fromkeys(captures, 0)
        self._deadline = deadline

    def read(self) -> Iterator[tuple[str, pa.RecordBatch]]:
        """Yield event source and record batch."""
        running = list(self._captures)
        waiting = WaitNote(self._captures)
        while running and self._left != 0:
            for capture in list(running):
                wait = _TURN_SEC if len(running) > 1 else _ALONE_SEC
                if self._deadline is not None:
                    rest = self._deadline - time.monotonic()
                    if rest <= 0:
                        return
                    wait = min(wait, rest)
                batch = capture.read(wait)
                if batch is not None:
                    waiting.event()
                    yield capture.source, self._limited(capture, batch)
                    if self._left == 0:
                        return
                elif capture.end_reason is not None:
                    running.remove(capture)
                else:
                    waiting.idle()

    def drain(self) -> Iterator[tuple[str, pa.RecordBatch]]:
        """Yield what the captures had read already, and stop them."""
        for capture in self._captures:
            for batch in capture.drain():
                yield capture.source, self._limited(capture, batch)

    def _limited(self, capture: Capture, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Count the events up to ``batch``, those left out too; drop what is over."""
        if self._left is None:
            return batch
        counted = self._counted[capture]
        taken = min(self._left, capture.seen - counted)
        self._left -= taken
        self._counted[capture] = counted + taken
        import numpy as np

        from workbench.arrow.buffers import numbers_of

        numbers = numbers_of(batch.column("evt.num"), np.uint64)
        rows = int(np.searchsorted(numbers, counted + taken, side="right"))
        return batch.slice(0, rows)
