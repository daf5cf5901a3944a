"""``workbench stream``: the events of a plugin, with their fields."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from workbench.captures.formats import suffix_of
from workbench.cli.capture_loop import copy_capture
from workbench.cli.options import (
    INTERRUPTED,
    add_option,
    add_options,
    add_sandbox_options,
    load_companions,
    note,
    opened_workbench,
)
from workbench.cli.sinks import Sink, file_sink, line_sink

if TYPE_CHECKING:
    import argparse

    from workbench.condition.execution.compile import CompiledCondition
    from workbench.plugins.capture import Capture
    from workbench.plugins.workbench import Workbench

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    add_options(parser, "plugin", "--config", "--open", "--with", "--fields", "--where")
    add_option(
        parser, "--max-events", help="stop after reading N events, matching or not"
    )
    add_options(parser, "--timeout", "--format", "--out", "--no-csv-guard")
    parser.add_argument(
        "--skip-absent",
        action="store_true",
        help="leave absent fields out of JSON lines, instead of null",
    )
    add_sandbox_options(parser)


def _condition(text: str | None, fields: Any) -> CompiledCondition | None:
    """Compile ``--where``; print what is odd about it. Raises ConditionError."""
    if text is None:
        return None
    from workbench.condition import compile_condition

    compiled = compile_condition(text, fields)
    for warning in compiled.warnings:
        note(warning)
    return compiled


def run(args: argparse.Namespace) -> int:
    """Load, open, and print until the end, a limit or Ctrl-C."""
    with opened_workbench(args) as workbench:
        workbench.load(args.plugin, config=args.config)
        load_companions(workbench, args)
        return _stream(workbench, args)


def _stream(workbench: Workbench, args: argparse.Namespace) -> int:
    from workbench.captures.text_lines import shown_columns
    from workbench.plugins.capture import Capture
    from workbench.plugins.collect import EventsBuilder
    from workbench.plugins.compatibility import source_name
    from workbench.plugins.selection import default_fields

    plugin = next(iter(workbench.plugins.values()))
    source = source_name(plugin.info)
    fields = workbench.fields_of(source)
    where = _condition(args.where, fields)
    wanted: list[Any] = (
        list(default_fields(workbench.manifests, source))
        if args.fields is None
        else args.fields
    )
    columns = _column_names(wanted, fields)
    raw = args.out is not None and suffix_of(args.out) not in {".jsonl", ".csv"}
    capture = Capture(
        workbench.pool,
        workbench.pool.loaded_plugins[0],
        args.open,
        fields=wanted,
        keep_events=raw,
        max_events=args.max_events,
        where=where,
    )
    with capture:
        shown = shown_columns(pa.schema([]).empty_table(), columns)
        kept = ["evt.num", "evt.rawtime", "evt.source", *columns]
        kept = list(dict.fromkeys([*kept, *(["raw"] if raw else [])]))
        options = {"guard": args.csv_guard, "skip_absent": args.skip_absent}
        if args.out is None:
            sink = line_sink(args.format, fields, shown, **options)
        else:
            sink = file_sink(args.out, EventsBuilder(capture), shown, **options)
        return _copy(capture, sink, kept, args)


def _column_names(texts: list[Any], fields: Any) -> list[str]:
    """Return the columns of field texts. Raises ConditionError for unknown ones."""
    from workbench.fields.reference import resolve
    from workbench.plugins.selection import PAYLOAD

    names = []
    for text in texts:
        if text == PAYLOAD:
            names.append(PAYLOAD)
        else:
            known = resolve(text, fields) if isinstance(text, str) else text
            names.append(known.column)
    return list(dict.fromkeys(names))


def _copy(
    capture: Capture,
    sink: Sink,
    kept: list[str],
    args: argparse.Namespace,
) -> int:

    def write(batch: pa.RecordBatch) -> None:
        sink.write(pa.Table.from_batches([batch]).select(kept))

    status = copy_capture(capture, write, sink.close, timeout_sec=args.timeout)
    if status == INTERRUPTED:
        note(f"interrupted after {capture.seen:,} events")
        return status
    if args.where is not None and not capture.count:
        note(f"none of the {capture.seen:,} events read match --where")
    if args.out is not None and sys.stderr.isatty():
        note(f"{args.out}: {capture.seen:,} events read")
    return status
