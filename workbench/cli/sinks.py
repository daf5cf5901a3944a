"""Where the commands write events: lines on stdout, or a file by its suffix."""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING, Any, Protocol, TextIO

from workbench.arrow.values import display_info, display_texts
from workbench.captures.files import file_errors
from workbench.captures.formats import SUFFIXES, suffix_of
from workbench.captures.json_lines import json_rows
from workbench.captures.text_lines import csv_header, csv_rows, text_columns
from workbench.errors import CaptureFileError, WorkbenchError
from workbench.formatting.columns import aligned
from workbench.formatting.printable import printable
from workbench.saving import replacing

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    import pyarrow as pa

    from workbench.fields.declarations import FieldInfo
    from workbench.plugins.collect import EventsBuilder

__all__ = ["Sink", "file_sink", "line_sink"]

_MAX_CELL = 40
_BLOCK = 4096


class Sink(Protocol):
    """Takes tables of events; nothing is lost when closed after an interruption."""

    def write(self, table: pa.Table, /) -> Any:
        """Take further rows."""

    def close(self) -> None:
        """Finish what was begun."""


def table_lines(
    table: pa.Table,
    fields: Mapping[str, FieldInfo],
    columns: Sequence[str],
    widths: list[int],
) -> Iterator[str]:
    """Yield aligned lines; ``widths`` is filled by the first rows and then kept."""
    first = not widths
    for start in range(0, table.num_rows, _BLOCK):
        block = table.slice(start, _BLOCK)
        cells = [_cells(block, fields, name) for name in columns]
        if first:
            first = False
            names = [printable(name, limit=_MAX_CELL) for name in columns]
            widths += [
                max([len(name), *map(len, column)])
                for name, column in zip(columns, cells, strict=True)
            ]
            yield aligned(names, widths) + "\n"
        for row in zip(*cells, strict=True):
            yield aligned(row, widths) + "\n"


def _cells(table: pa.Table, fields: Mapping[str, FieldInfo], name: str) -> list[str]:
    """Return the values of a column as people read them, absent ones as a dash."""
    if name == "evt.time":
        return text_columns(table, fields, [name])[0]
    info = display_info(name, fields)
    return [
        "-" if text is None else text
        for chunk in table.column(name).chunks
        for text in display_texts(chunk, info, limit=_MAX_CELL)
    ]


class LineSink:
    """Writes lines of one format, each batch at once."""

    def __init__(
        self,
        out: TextIO,
        line_format: str,
        fields: Mapping[str, FieldInfo],
        columns: Sequence[str],
        *,
        guard: bool = True,
        skip_absent: bool = False,
    ) -> None:
        """Write to ``out``, which stays open; ``guard``: as in csv_rows.

        ``skip_absent``: as in json_rows.
        """
        self._skip_absent = skip_absent
        self._csv = {"guard": guard, "terminal": out.isatty()}
        self.out = out
        self.line_format = line_format
        self.fields = fields
        self.columns = list(columns)
        self._widths: list[int] = []
        if line_format == "csv":
            out.write(csv_header(self.columns, terminal=out.isatty()))

    def write(self, table: pa.Table) -> None:
        """Take further rows and flush."""
        if self.line_format == "jsonl":
            lines = json_rows(
                table, self.fields, self.columns, skip_absent=self._skip_absent
            )
        elif self.line_format == "csv":
            lines = csv_rows(table, self.fields, self.columns, **self._csv)
        else:
            lines = table_lines(table, self.fields, self.columns, self._widths)
        self.out.writelines(lines)
        self.out.flush()

    def close(self) -> None:
        """Flush."""
        self.out.flush()


class LineFile:
    """Writes lines to a file that appears whole, under its name, when closed."""

    def __init__(
        self,
        path: Path,
        form: str,
        fields: Mapping[str, FieldInfo],
        columns: Sequence[str],
        *,
        guard: bool = True,
        skip_absent: bool = False,
    ) -> None:
        """Begin the file. Raises CaptureFileError."""
        self.path = path
        self._failed = False
        with contextlib.ExitStack() as stack, file_errors(path, "write"):
            draft = stack.enter_context(replacing(path))
            out = draft.open("w", encoding="utf-8", errors="replace", newline="")
            stack.enter_context(out)
            self._lines = LineSink(
                out, form, fields, columns, guard=guard, skip_absent=skip_absent
            )
            self._stack = stack.pop_all()

    def write(self, table: pa.Table) -> None:
        """Take further rows. Raises CaptureFileError, and the old file then stays."""
        try:
            with file_errors(self.path, "write"):
                self._lines.write(table)
        except Exception:
            self._failed = True
            raise

    def close(self) -> None:
        """Let the file take the place of the old one (idempotent)."""
        stack = self._stack.pop_all()
        if self._failed:
            dropped = CaptureFileError("abandoned", path=str(self.path))
            with contextlib.suppress(CaptureFileError, OSError):
                stack.__exit__(CaptureFileError, dropped, None)
            return
        with file_errors(self.path, "write"):
            stack.close()


class EventsSink:
    """Keeps rows until the end and saves them as Events: for Arrow files."""

    def __init__(self, path: Path, builder: EventsBuilder) -> None:
        """Save what ``builder`` gathers."""
        self.path = path
        self.builder = builder

    def write(self, table: pa.Table) -> None:
        """Take further rows."""
        self.builder.batches += table.to_batches()

    def close(self) -> None:
        """Write the file."""
        self.builder.events().save(self.path)


def line_sink(
    line_format: str,
    fields: Mapping[str, FieldInfo],
    columns: Sequence[str],
    *,
    guard: bool = True,
    skip_absent: bool = False,
) -> Sink:
    """Return the sink that prints on stdout."""
    options = {"guard": guard, "skip_absent": skip_absent}
    return LineSink(sys.stdout, line_format, fields, columns, **options)


def file_sink(
    path: Path,
    builder: EventsBuilder,
    columns: Sequence[str],
    *,
    guard: bool = True,
    skip_absent: bool = False,
) -> Sink:
    """Return the sink that writes ``path``; its suffix decides the format.

    Raises WorkbenchError for an unknown suffix or a file that cannot be written.
    """
    capture = builder.capture
    suffix = suffix_of(path)
    if suffix not in SUFFIXES:
        raise WorkbenchError(
            f"{path}: the suffix decides the format; use one of {', '.join(SUFFIXES)}"
        )
    if suffix in {".jsonl", ".csv"}:
        options = {"guard": guard, "skip_absent": skip_absent}
        return LineFile(path, suffix[1:], capture.fields, columns, **options)
    origin = builder.origin()
    if suffix == ".scap":
        from workbench.captures.scap import ScapWriter

        return ScapWriter(path, hostname=origin.hostname)
    if suffix == ".parquet":
        from workbench.captures.parquet import ParquetWriter

        return ParquetWriter(
            path,
            fields=capture.fields,
            source=origin.source,
            plugin=origin.plugin,
            plugin_version=origin.plugin_version,
            hostname=origin.hostname,
        )
    return EventsSink(path, builder)
