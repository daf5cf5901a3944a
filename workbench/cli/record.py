"""``workbench record``: the events of a plugin into capture files, for hours."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Any, Protocol

from workbench.captures.formats import suffix_of
from workbench.captures.scap import ScapWriter
from workbench.cli.capture_loop import copy_capture
from workbench.cli.options import (
    add_option,
    add_options,
    count,
    load_companions,
    note,
    seconds,
    usage_error,
)
from workbench.errors import WorkbenchError

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa

    from workbench.plugins.capture import Capture
    from workbench.plugins.workbench import Workbench

__all__ = ["add_arguments", "run"]

_SUFFIXES = (".scap", ".parquet")


def _positive_count(text: str) -> int:
    number = count(text)
    if not number:
        raise argparse.ArgumentTypeError("it must be greater than 0")
    return number


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    add_option(parser, "plugin")
    add_option(
        parser,
        "--out",
        required=True,
        help="a .scap file (add .gz to compress it), complete up to the last event at "
        "any moment; or a .parquet file, complete when the recording ends",
    )
    add_options(parser, "--config", "--open", "--with")
    add_option(
        parser,
        "--fields",
        help="fields to keep in a .parquet file; default: all that need no argument",
    )
    rotation = parser.add_mutually_exclusive_group()
    rotation.add_argument(
        "--rotate-bytes",
        metavar="N",
        type=_positive_count,
        help="begin a new file after about N bytes: FILE-0001, FILE-0002 …",
    )
    rotation.add_argument(
        "--rotate-sec",
        metavar="N",
        type=seconds,
        help="begin a new file after N seconds",
    )
    add_options(parser, "--max-events", "--timeout")


class _Writer(Protocol):
    paths: list[Path]

    def write(self, data: pa.RecordBatch, /) -> int:
        """Take further rows."""

    def flush(self) -> None:
        """Write what is buffered; called while no events come."""

    def close(self) -> None:
        """Finish the file."""


def run(args: argparse.Namespace) -> int:
    """Record until the end, a limit or Ctrl-C; print the files that were written."""
    from workbench.plugins.workbench import Workbench

    if suffix_of(args.out) not in _SUFFIXES:
        return usage_error(
            f"{args.out}: a recording is a {' or a '.join(_SUFFIXES)} file"
        )
    if suffix_of(args.out) == ".parquet" and (args.rotate_bytes or args.rotate_sec):
        return usage_error("only .scap recordings can be rotated")
    with Workbench() as workbench:
        workbench.load(args.plugin, config=args.config)
        load_companions(workbench, args)
        return _record(workbench, args)


def _record(workbench: Workbench, args: argparse.Namespace) -> int:
    from workbench.plugins.capture import Capture

    scap = suffix_of(args.out) == ".scap"
    # A capture file holds raw events: nothing need be extracted for it.
    capture = Capture(
        workbench.pool,
        workbench.pool.loaded_plugins[0],
        args.open,
        fields=[] if scap else args.fields,
        keep_events=True,
        max_events=args.max_events,
    )
    with capture:
        writer = _scap_writer(capture, args) if scap else _parquet_writer(capture, args)
        return _copy(capture, writer, args)


def _scap_writer(capture: Capture, args: argparse.Namespace) -> _Writer:
    def state() -> list[bytes]:
        with capture.calling() as pooled, pooled.calling() as session:
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
        """Do nothing: small row groups would make a slow file."""

    def close(self) -> None:
        self._writer.close()


def _parquet_writer(capture: Capture, args: argparse.Namespace) -> _Writer:
    from workbench.plugins.collect import EventsBuilder

    origin = EventsBuilder(capture).origin()
    return _ParquetFile(
        args.out,
        fields=capture.fields,
        source=origin.source,
        plugin=origin.plugin,
        plugin_version=origin.plugin_version,
        hostname=origin.hostname,
    )


def _copy(capture: Capture, writer: _Writer, args: argparse.Namespace) -> int:
    from workbench.plugins.collect import ProgressBar

    with ProgressBar(capture, sys.stderr.isatty()) as bar:

        def write(batch: pa.RecordBatch) -> None:
            writer.write(batch)
            bar.update()

        try:
            status = copy_capture(
                capture,
                write,
                writer.close,
                timeout_sec=args.timeout,
                idle=writer.flush,
            )
        except WorkbenchError:
            # What was read is on disk; the error comes after it.
            _print_files(capture, writer)
            raise
    _print_files(capture, writer)
    return status


def _print_files(capture: Capture, writer: _Writer) -> None:
    """Print the paths, and on stderr how many events are in the files."""
    for path in writer.paths:
        if path.exists():
            print(path)
    sys.stdout.flush()
    number = len(writer.paths)
    files = "1 file" if number == 1 else f"{number} files"
    reason = capture.end_reason or "stopped"
    note(f"{capture.count:,} events in {files} (end: {reason})")
