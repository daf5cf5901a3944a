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


class _Filter:
    """A condition, compiled once; keeps the rows of each table that match it."""

    def __init__(self, text: str | None, fields: Any) -> None:
        self.columns: list[str] = []
        self._compiled: Any = None
        if text is not None:
            from workbench.condition import compile_condition

            self._compiled = compile_condition(text, fields)
            self.columns = list(self._compiled.columns)
            for warning in self._compiled.warnings:
                note(warning)

    def __call__(self, table: pa.Table) -> pa.Table:
        if self._compiled is None:
            return table
        return table.filter(self._compiled.mask(table))


def run(args: argparse.Namespace) -> int:
    """Load, open, and print until the end, a limit or Ctrl-C."""
    with opened_workbench(args) as workbench:
        workbench.load(args.plugin, config=args.config)
        load_companions(workbench, args)
        return _stream(workbench, args)


def _stream(workbench: Workbench, args: argparse.Namespace) -> int:
    from workbench.captures.text_lines import shown_columns
    from workbench.fields.reference import resolve_column
    from workbench.plugins.capture import Capture
    from workbench.plugins.collect import EventsBuilder
    from workbench.plugins.compatibility import source_name
    from workbench.plugins.selection import default_fields

    plugin = next(iter(workbench.plugins.values()))
    source = source_name(plugin.info)
    fields = workbench.fields_of(source)
    keep = _Filter(args.where, fields)
    wanted: list[Any] = (
        list(default_fields(workbench.manifests, source))
        if args.fields is None
        else args.fields
    )
    columns = _column_names(wanted, fields)
    extra = [resolve_column(c, fields) for c in keep.columns if c not in columns]
    raw = args.out is not None and suffix_of(args.out) not in {".jsonl", ".csv"}
    capture = Capture(
        workbench.pool,
        workbench.pool.loaded_plugins[0],
        args.open,
        fields=[*wanted, *extra],
        keep_events=raw,
        max_events=args.max_events,
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
        return _copy(capture, sink, keep, kept, args)


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
    keep: _Filter,
    kept: list[str],
    args: argparse.Namespace,
) -> int:
    written = 0

    def write(batch: pa.RecordBatch) -> None:
        nonlocal written
        table = keep(pa.Table.from_batches([batch])).select(kept)
        written += table.num_rows
        if table.num_rows:
            sink.write(table)

    status = copy_capture(capture, write, sink.close, timeout_sec=args.timeout)
    if status == INTERRUPTED:
        note(f"interrupted after {capture.count:,} events")
        return status
    if args.where is not None and not written:
        note(f"none of the {capture.count:,} events read match --where")
    if args.out is not None and sys.stderr.isatty():
        note(f"{args.out}: {capture.count:,} events read")
    return status
