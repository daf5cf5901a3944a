"""Where the commands write events: lines on stdout, or a file by its suffix."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Protocol, TextIO

from workbench.arrow.values import display_info, display_texts
from workbench.captures.formats import SUFFIXES, suffix_of
from workbench.captures.text_lines import csv_header, csv_rows, json_rows, text_columns
from workbench.errors import WorkbenchError
from workbench.formatting.columns import aligned
from workbench.formatting.printable import printable

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
        owned: bool = False,
    ) -> None:
        """Write to ``out``; ``owned``: closing this closes it."""
        self.out = out
        self.line_format = line_format
        self.fields = fields
        self.columns = list(columns)
        self.owned = owned
        self._widths: list[int] = []
        if line_format == "csv":
            out.write(csv_header(self.columns))

    def write(self, table: pa.Table) -> None:
        """Take further rows and flush."""
        if self.line_format == "jsonl":
            lines = json_rows(table, self.fields, self.columns)
        elif self.line_format == "csv":
            lines = csv_rows(table, self.fields, self.columns)
        else:
            lines = table_lines(table, self.fields, self.columns, self._widths)
        self.out.writelines(lines)
        self.out.flush()

    def close(self) -> None:
        """Flush, and close what this opened."""
        if self.owned:
            self.out.close()
        else:
            self.out.flush()


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
    line_format: str, fields: Mapping[str, FieldInfo], columns: Sequence[str]
) -> Sink:
    """Return the sink that prints on stdout."""
    return LineSink(sys.stdout, line_format, fields, columns)


def file_sink(path: Path, builder: EventsBuilder, columns: Sequence[str]) -> Sink:
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
        from workbench.captures.files import file_errors

        with file_errors(path, "write"):
            out = path.open("w", encoding="utf-8", errors="replace", newline="")
        return LineSink(out, suffix[1:], capture.fields, columns, owned=True)
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
