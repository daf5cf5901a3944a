"""``workbench replay``: stored events through plugins again, as Falco replays them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from workbench.cli.options import (
    FAILED,
    FINE,
    add_option,
    add_options,
    add_sandbox_options,
    load_companions,
    note,
    opened_workbench,
    print_json,
    usage_error,
)
from workbench.cli.sinks import line_sink

if TYPE_CHECKING:
    import argparse

    from workbench.events.events import Events
    from workbench.plugins.workbench import Workbench

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument(
        "file", metavar="FILE", type=Path, help="a .scap, .parquet or .arrow file"
    )
    add_option(
        parser,
        "--with",
        help="a plugin that knows the events, their source first; may be repeated",
    )
    add_options(parser, "--fields", "--where")
    add_option(parser, "--max-events", help="only the first N events")
    add_options(parser, "--format", "--out", "--no-csv-guard")
    parser.add_argument(
        "--check",
        action="store_true",
        help="print no events; extract every field again and compare: exit status 1 "
        "when values differ",
    )
    add_option(parser, "--json", help="with --check: print the report as JSON")
    add_sandbox_options(parser)


def run(args: argparse.Namespace) -> int:
    """Read the file, extract, and print; or compare."""
    from workbench.events.opening import open_events

    if args.json and not args.check:
        return usage_error("--json goes with --check")
    if args.check and not args.companions:
        return usage_error("--check needs --with PLUGIN")
    with opened_workbench(args) as workbench:
        load_companions(workbench, args)
        plugins = [workbench] if args.companions else []
        if args.check:
            return _check(args.file, workbench, as_json=args.json)
        events = open_events(args.file, plugins=plugins)
        for text in events.origin.notes:
            note(f"{args.file}: {text}")
        return _show(events, args)


def _check(path: Path, workbench: Workbench, *, as_json: bool) -> int:
    from workbench.captures.formats import suffix_of
    from workbench.events.opening import open_events
    from workbench.replay.check import RECORDED, REPLAYED_TWICE, check_replay

    events = open_events(path, plugins=[workbench])
    # A .scap file holds events only: its fields come from a first replay.
    labels = REPLAYED_TWICE if suffix_of(path) == ".scap" else RECORDED
    report = check_replay(events, workbench, labels=labels)
    if as_json:
        print_json(report.to_dict())
    else:
        print(report)
    return FINE if report.same else FAILED


def _show(events: Events, args: argparse.Namespace) -> int:
    from workbench.captures.text_lines import shown_columns

    if args.max_events is not None:
        events = events[: args.max_events]
    if args.fields is not None:
        events = events.extract(*args.fields)
    if args.where is not None:
        events = events.where(args.where)
    if args.out is not None:
        events.save(args.out, csv_guard=args.csv_guard)
        return FINE
    columns = shown_columns(events.table, args.fields)
    sink = line_sink(args.format, events.fields, columns, guard=args.csv_guard)
    sink.write(events.shown_table)
    sink.close()
    return FINE
