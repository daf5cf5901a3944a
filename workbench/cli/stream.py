"""``workbench stream``: the events of a plugin, with their fields."""

from __future__ import annotations

import argparse
import contextlib
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from workbench.cli.sandbox import add_sandbox_arguments, workbench_for
from workbench.cli.sinks import FORMATS, Sink, file_sink, line_sink
from workbench.errors import WorkbenchError
from workbench.event_files import suffix_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from workbench.bench import Workbench
    from workbench.capture import Capture

__all__ = [
    "add_arguments",
    "batches_until",
    "count_text",
    "run",
    "seconds_text",
    "split_fields",
]

_WAIT_SEC = 0.1


def count_text(text: str) -> int:
    """Read a count for argparse."""
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError("a count is not negative")
    return number


def seconds_text(text: str) -> float:
    """Read a number of seconds for argparse."""
    number = float(text)
    if not number >= 0:
        raise argparse.ArgumentTypeError("a time is not negative")
    return number


def split_fields(text: str) -> list[str]:
    """Split at commas, but not inside brackets or quotes of an argument."""
    found, start, depth, quote = [], 0, 0, ""
    for at, char in enumerate(text):
        if quote:
            quote = "" if char == quote else quote
        elif depth and char in "'\"":
            quote = char
        elif char == "[":
            depth += 1
        elif char == "]":
            depth = max(0, depth - 1)
        elif char == "," and not depth:
            found.append(text[start:at])
            start = at + 1
    return [name.strip() for name in [*found, text[start:]] if name.strip()]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    add = parser.add_argument
    add("plugin", metavar="PLUGIN", help="the plugin library, a .so")
    add("--config", metavar="TEXT", help="init config of PLUGIN")
    add("--open", metavar="TEXT", default="", help="open params of PLUGIN")
    add(
        "--with",
        metavar="PLUGIN",
        dest="others",
        action="append",
        default=[],
        help="load another plugin beside it, such as an extractor; may be repeated",
    )
    add(
        "--fields",
        metavar="A,B",
        type=split_fields,
        help="fields to show, such as 'web.path,web.query[id]'; default: all that need "
        "no argument",
    )
    add("--where", metavar="CONDITION", help="only events that match this condition")
    add(
        "--max-events",
        metavar="N",
        type=count_text,
        help="stop after reading N events, matching or not",
    )
    add("--timeout", metavar="SEC", type=seconds_text, help="stop after SEC seconds")
    add("--format", choices=FORMATS, default="table", help="form of the lines")
    add(
        "--out",
        metavar="FILE",
        type=Path,
        help="write a file instead; its suffix decides the form: .parquet, .scap, "
        ".jsonl, .csv or .arrow",
    )
    add_sandbox_arguments(parser)


class _Filter:
    """Reads a condition once and keeps the rows of each table that match it."""

    def __init__(self, text: str | None, fields: Any) -> None:
        self.columns: list[str] = []
        self._compiled: Any = None
        if text is not None:
            from workbench.condition import compile_condition

            self._compiled = compile_condition(text, fields)
            self.columns = list(self._compiled.columns)
            for warning in self._compiled.warnings:
                print(f"workbench: {warning}", file=sys.stderr)

    def __call__(self, table: pa.Table) -> pa.Table:
        if self._compiled is None:
            return table
        return table.filter(self._compiled.mask(table))


def run(args: argparse.Namespace) -> int:
    """Load, open, and print until the end, a limit or Ctrl-C."""
    with workbench_for(args) as bench:
        bench.load(args.plugin, config=args.config)
        for path in args.others:
            bench.load(path)
        return _stream(bench, args)


def _stream(bench: Workbench, args: argparse.Namespace) -> int:
    from workbench.capture import Capture
    from workbench.collect import Collector
    from workbench.field_refs import resolve_column
    from workbench.registration import source_name
    from workbench.requests import default_fields
    from workbench.text_rows import shown_columns

    plugin = next(iter(bench.plugins.values()))
    source = source_name(plugin.info)
    fields = bench.fields_of(source)
    keep = _Filter(args.where, fields)
    wanted: list[Any] = list(
        default_fields(bench.manifests, source) if args.fields is None else args.fields
    )
    columns = _column_names(wanted, fields)
    extra = [resolve_column(c, fields) for c in keep.columns if c not in columns]
    raw = args.out is not None and suffix_of(args.out) not in {".jsonl", ".csv"}
    capture = Capture(
        bench.roster,
        bench.roster.members[0],
        args.open,
        fields=[*wanted, *extra],
        keep_events=raw,
        max_events=args.max_events,
    )
    with capture:
        shown = shown_columns(pa.schema([]).empty_table(), columns)
        kept = ["evt.num", "evt.rawtime", "evt.source", *columns]
        kept = list(dict.fromkeys([*kept, *(["raw"] if raw else [])]))
        if args.out is None:
            sink = line_sink(args.format, fields, shown)
        else:
            sink = file_sink(args.out, Collector(capture), shown)
        return _pump(capture, sink, keep, kept, args)


def _column_names(texts: list[Any], fields: Any) -> list[str]:
    """Give the columns of field texts. Raises ConditionError for unknown ones."""
    from workbench.field_refs import resolve
    from workbench.requests import PAYLOAD

    names = []
    for text in texts:
        if text == PAYLOAD:
            names.append(PAYLOAD)
        else:
            known = resolve(text, fields) if isinstance(text, str) else text
            names.append(known.column)
    return list(dict.fromkeys(names))


def batches_until(
    capture: Capture,
    seconds: float | None,
    *,
    idle: Callable[[], None] | None = None,
) -> Iterator[pa.RecordBatch]:
    """Give record batches until the end or the time limit.

    ``idle``: called while nothing comes.
    """
    limit = None if seconds is None else time.monotonic() + seconds
    while capture.end_reason is None:
        wait = _WAIT_SEC
        if limit is not None:
            wait = min(wait, limit - time.monotonic())
            if wait <= 0:
                yield from capture.drain()
                return
        batch = capture.read(wait)
        if batch is not None:
            yield batch
        elif idle is not None:
            idle()
    # The error that ended the stream, after its rows.
    capture.read()


def _pump(
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

    try:
        for batch in batches_until(capture, args.timeout):
            write(batch)
    except KeyboardInterrupt:
        for batch in capture.drain():
            write(batch)
        sink.close()
        print(f"workbench: interrupted after {capture.count:,} events", file=sys.stderr)
        return 130
    except WorkbenchError:
        # What was read is kept, then the error is told.
        sink.close()
        raise
    except BaseException:
        with contextlib.suppress(OSError, WorkbenchError):
            sink.close()
        raise
    sink.close()
    if args.where is not None and not written:
        print(
            f"workbench: none of the {capture.count:,} events read match --where",
            file=sys.stderr,
        )
    if args.out is not None and sys.stderr.isatty():
        print(f"{args.out}: {capture.count:,} events read", file=sys.stderr)
    return 0
