"""``workbench replay``: stored events through plugins again, as Falco replays them."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.cli.sandbox import add_sandbox_arguments, workbench_for
from workbench.cli.sinks import FORMATS, line_sink
from workbench.cli.stream import count_text, split_fields

if TYPE_CHECKING:
    import argparse

    from workbench.bench import Workbench
    from workbench.events import Events

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    add = parser.add_argument
    add("file", metavar="FILE", type=Path, help="a .scap, .parquet or .arrow file")
    add(
        "--with",
        metavar="PLUGIN",
        dest="plugins",
        action="append",
        default=[],
        help="a plugin that knows the events: the source first; may be repeated",
    )
    add("--fields", metavar="A,B", type=split_fields, help="fields to show")
    add("--where", metavar="CONDITION", help="only events that match this condition")
    add("--max-events", metavar="N", type=count_text, help="only the first N events")
    add("--format", choices=FORMATS, default="table", help="form of the lines")
    add(
        "--out",
        metavar="FILE",
        type=Path,
        help="write a file instead; its suffix decides the form",
    )
    add(
        "--check",
        action="store_true",
        help="print no events: extract every field again and compare; status 1 when "
        "values differ",
    )
    add("--json", action="store_true", help="with --check: the report as JSON")
    add_sandbox_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Read the file, extract, and print; or compare."""
    from workbench.events import open_events

    if args.json and not args.check:
        print("workbench: --json goes with --check", file=sys.stderr)
        return 2
    if args.check and not args.plugins:
        print("workbench: --check needs --with PLUGIN", file=sys.stderr)
        return 2
    with workbench_for(args) as bench:
        for path in args.plugins:
            bench.load(path)
        plugins = [bench] if args.plugins else []
        if args.check:
            return _check(args.file, bench, as_json=args.json)
        events = open_events(args.file, plugins=plugins)
        for note in events.origin.notes:
            print(f"workbench: {args.file}: {note}", file=sys.stderr)
        return _show(events, args)


def _check(path: Path, bench: Workbench, *, as_json: bool) -> int:
    from workbench.event_files import suffix_of
    from workbench.events import open_events
    from workbench.replaying import RECORDED, REPLAYED_TWICE, check_replay

    events = open_events(path, plugins=[bench])
    # A .scap file holds events only: its fields come from a first replay.
    labels = REPLAYED_TWICE if suffix_of(path) == ".scap" else RECORDED
    report = check_replay(events, bench, labels=labels)
    print(json.dumps(report.to_dict(), indent=2) if as_json else report)
    return 0 if report.same else 1


def _show(events: Events, args: argparse.Namespace) -> int:
    from workbench.text_rows import shown_columns

    if args.max_events is not None:
        events = events[: args.max_events]
    if args.fields is not None:
        events = events.extract(*args.fields)
    if args.where is not None:
        events = events.where(args.where)
    if args.out is not None:
        events.save(args.out)
        return 0
    columns = shown_columns(events.table, args.fields)
    sink = line_sink(args.format, events.fields, columns)
    sink.write(events.table)
    sink.close()
    return 0
