"""``workbench record``: the events of a plugin into capture files, for hours."""

from __future__ import annotations

import argparse
import contextlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from workbench.captures.scap import ScapWriter
from workbench.cli.sandbox import add_sandbox_arguments, workbench_for
from workbench.cli.stream import batches_until, count_text, seconds_text, split_fields
from workbench.errors import WorkbenchError
from workbench.event_files import suffix_of

if TYPE_CHECKING:
    import pyarrow as pa

    from workbench.bench import Workbench
    from workbench.capture import Capture

__all__ = ["add_arguments", "run"]

_FORMS = (".scap", ".parquet")


def _above_zero(text: str) -> int:
    number = count_text(text)
    if not number:
        raise argparse.ArgumentTypeError("it must be greater than 0")
    return number


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    add = parser.add_argument
    add("plugin", metavar="PLUGIN", help="the plugin library, a .so")
    add(
        "--out",
        metavar="FILE",
        type=Path,
        required=True,
        help="a .scap file (with .gz: packed), complete up to the last event at any "
        "moment; or a .parquet file, complete when the recording ends",
    )
    add("--config", metavar="TEXT", help="init config of PLUGIN")
    add("--open", metavar="TEXT", default="", help="open params of PLUGIN")
    add(
        "--with",
        metavar="PLUGIN",
        dest="others",
        action="append",
        default=[],
        help="load another plugin beside it; may be repeated",
    )
    add(
        "--fields",
        metavar="A,B",
        type=split_fields,
        help="fields to keep in a .parquet file; default: all that need no argument",
    )
    rotation = parser.add_mutually_exclusive_group()
    rotation.add_argument(
        "--rotate-bytes",
        metavar="N",
        type=_above_zero,
        help="begin a new file after about N bytes: FILE-0001, FILE-0002 …",
    )
    rotation.add_argument(
        "--rotate-sec",
        metavar="N",
        type=seconds_text,
        help="begin a new file after N seconds",
    )
    add("--max-events", metavar="N", type=count_text, help="stop after N events")
    add("--timeout", metavar="SEC", type=seconds_text, help="stop after SEC seconds")
    add_sandbox_arguments(parser)


class _Writer(Protocol):
    paths: list[Path]

    def write(self, data: pa.RecordBatch, /) -> int:
        """Take further rows."""

    def flush(self) -> None:
        """Hand over what waits; called when the stream rests."""

    def close(self) -> None:
        """Finish the file."""


def run(args: argparse.Namespace) -> int:
    """Record until the end, a limit or Ctrl-C; print the files that were written."""
    if suffix_of(args.out) not in _FORMS:
        print(
            f"workbench: {args.out}: a recording is a {' or a '.join(_FORMS)} file",
            file=sys.stderr,
        )
        return 2
    if suffix_of(args.out) == ".parquet" and (args.rotate_bytes or args.rotate_sec):
        print("workbench: only .scap recordings are rotated", file=sys.stderr)
        return 2
    with workbench_for(args) as bench:
        bench.load(args.plugin, config=args.config)
        for path in args.others:
            bench.load(path)
        return _record(bench, args)


def _record(bench: Workbench, args: argparse.Namespace) -> int:
    from workbench.capture import Capture

    scap = suffix_of(args.out) == ".scap"
    # A capture file holds whole events: nothing need be extracted for it.
    capture = Capture(
        bench.roster,
        bench.roster.members[0],
        args.open,
        fields=[] if scap else args.fields,
        keep_events=True,
        max_events=args.max_events,
    )
    with capture:
        writer = _scap_writer(capture, args) if scap else _parquet_writer(capture, args)
        return _pump(capture, writer, args)


def _scap_writer(capture: Capture, args: argparse.Namespace) -> _Writer:
    def state() -> list[bytes]:
        with capture.calling() as seat, seat.calling() as session:
            return session.dump_state()

    return ScapWriter(
        args.out,
        rotate_bytes=args.rotate_bytes,
        rotate_sec=args.rotate_sec,
        state=state,
    )


class _ParquetFile:
    """A Parquet writer that knows its path."""

    def __init__(self, path: Path, **facts: Any) -> None:
        from workbench.captures.parquet import ParquetWriter

        self.paths = [path]
        self._writer = ParquetWriter(path, **facts)

    def write(self, data: pa.RecordBatch) -> int:
        return self._writer.write(data)

    def flush(self) -> None:
        """Wait on: small row groups would make a slow file."""

    def close(self) -> None:
        self._writer.close()


def _parquet_writer(capture: Capture, args: argparse.Namespace) -> _Writer:
    from workbench.collect import Collector

    origin = Collector(capture).origin()
    return _ParquetFile(
        args.out,
        fields=capture.fields,
        source=origin.source,
        plugin=origin.plugin,
        plugin_version=origin.plugin_version,
        hostname=origin.hostname,
    )


def _pump(capture: Capture, writer: _Writer, args: argparse.Namespace) -> int:
    from workbench.collect import Bar

    status = 0
    try:
        with Bar(capture, sys.stderr.isatty()) as bar:
            batches = batches_until(capture, args.timeout, idle=writer.flush)
            for batch in batches:
                writer.write(batch)
                bar.update(capture.count, args.max_events)
    except KeyboardInterrupt:
        for batch in capture.drain():
            writer.write(batch)
        status = 130
    except WorkbenchError:
        # What was read is on disk; the error comes after it.
        writer.close()
        _tell(capture, writer)
        raise
    except BaseException:
        with contextlib.suppress(OSError, WorkbenchError):
            writer.close()
        raise
    writer.close()
    _tell(capture, writer)
    return status


def _tell(capture: Capture, writer: _Writer) -> None:
    """Print the paths; say on stderr how much is in them."""
    for path in writer.paths:
        if path.exists():
            print(path)
    sys.stdout.flush()
    count = len(writer.paths)
    files = "1 file" if count == 1 else f"{count} files"
    reason = capture.end_reason or "stopped"
    print(
        f"workbench: {capture.count:,} events in {files} (end: {reason})",
        file=sys.stderr,
    )
