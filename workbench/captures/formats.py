"""Capture files: one row per suffix, what writes it and what reads it."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from workbench.arrow.dictionaries import plain_lists
from workbench.captures.contents import CaptureContents, describe
from workbench.captures.files import file_errors
from workbench.errors import WorkbenchError
from workbench.saving import replacing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

__all__ = ["SUFFIXES", "check_suffix", "load", "save", "suffix_of"]


def suffix_of(path: Path) -> str:
    """Return the suffix that decides the format; ``.scap.gz`` is ``.scap``."""
    name = path.name.lower()
    name = name.removesuffix(".gz")
    return "." + name.rpartition(".")[2] if "." in name else ""


@contextlib.contextmanager
def _replaced(path: Path) -> Iterator[Path]:
    """Yield a path beside ``path`` that takes its place when all went well."""
    with file_errors(path, "write"), replacing(path) as draft:
        yield draft


def _facts(contents: CaptureContents) -> dict[str, Any]:
    return {
        "fields": contents.fields,
        "source": contents.source,
        "plugin": contents.plugin,
        "plugin_version": contents.plugin_version,
        "hostname": contents.hostname,
        "extra": contents.extra,
    }


def _save_parquet(contents: CaptureContents, path: Path) -> None:
    from workbench.captures.parquet import write_parquet

    write_parquet(path, contents.table, **_facts(contents))


def _save_scap(contents: CaptureContents, path: Path) -> None:
    from workbench.captures.scap import write_scap

    if "raw" not in contents.table.column_names:
        raise WorkbenchError(
            f"{path}: a .scap file holds raw events, and these were not kept; "
            "capture with keep_events=True, or save as .parquet"
        )
    write_scap(path, contents.table, hostname=contents.hostname or "")


def _save_arrow(contents: CaptureContents, path: Path) -> None:
    table = contents.table.replace_schema_metadata(describe(**_facts(contents)))
    # The file format wants one dictionary per column.
    table = plain_lists(table).unify_dictionaries()
    with (
        _replaced(path) as draft,
        pa.OSFile(str(draft), "wb") as sink,
        pa.ipc.new_file(sink, table.schema) as writer,
    ):
        writer.write_table(table)


def _save_jsonl(contents: CaptureContents, path: Path) -> None:
    from workbench.captures.json_lines import json_rows
    from workbench.captures.text_lines import shown_columns

    columns = shown_columns(contents.table)
    lines = json_rows(
        contents.table, contents.fields, columns, skip_absent=contents.skip_absent
    )
    with (
        _replaced(path) as draft,
        draft.open("w", encoding="utf-8", errors="replace") as sink,
    ):
        sink.writelines(lines)


def _save_csv(contents: CaptureContents, path: Path, *, guard: bool = True) -> None:
    from workbench.captures.text_lines import csv_header, csv_rows, shown_columns

    columns = shown_columns(contents.table)
    with (
        _replaced(path) as draft,
        draft.open("w", encoding="utf-8", errors="replace", newline="") as sink,
    ):
        sink.write(csv_header(columns))
        rows = csv_rows(contents.table, contents.fields, columns, guard=guard)
        sink.writelines(rows)


def _load_parquet(
    path: Path, _sources: Mapping[int, str], max_bytes: int | None
) -> CaptureContents:
    from workbench.captures.parquet import read_parquet

    return read_parquet(path, max_bytes=max_bytes)


def _load_scap(
    path: Path, sources: Mapping[int, str], max_bytes: int | None
) -> CaptureContents:
    from workbench.captures.scap import read_scap

    return read_scap(path, sources=dict(sources), state=True, max_bytes=max_bytes)


def _load_arrow(
    path: Path, _sources: Mapping[int, str], max_bytes: int | None
) -> CaptureContents:
    from workbench.captures.arrow_file import read_arrow

    return read_arrow(path, max_bytes=max_bytes)


# Suffix → how to write it, how to read it (None: text, which keeps no types).
SUFFIXES: dict[
    str,
    tuple[
        Callable[[CaptureContents, Path], None],
        Callable[[Path, Mapping[int, str], int | None], CaptureContents] | None,
    ],
] = {
    ".parquet": (_save_parquet, _load_parquet),
    ".scap": (_save_scap, _load_scap),
    ".arrow": (_save_arrow, _load_arrow),
    ".jsonl": (_save_jsonl, None),
    ".csv": (_save_csv, None),
}


def check_suffix(path: Path) -> str:
    """Return the suffix of ``path``; raise WorkbenchError when no format has it."""
    suffix = suffix_of(path)
    if suffix not in SUFFIXES:
        raise WorkbenchError(
            f"{path}: the suffix decides the format; use one of {', '.join(SUFFIXES)}"
        )
    return suffix


def save(contents: CaptureContents, path: Path, *, csv_guard: bool = True) -> Path:
    """Write ``contents`` in the format of the path's suffix; return the path.

    ``csv_guard``: texts in CSV that look like formulas get an apostrophe.

    Text formats show ``evt.source``, so the table needs that column for them.
    """
    suffix = check_suffix(path)
    if suffix == ".csv":
        _save_csv(contents, path, guard=csv_guard)
    else:
        SUFFIXES[suffix][0](contents, path)
    return path


def load(
    path: Path, sources: Mapping[int, str], *, max_bytes: int | None = None
) -> CaptureContents:
    """Read a file in the format of its suffix.

    ``sources``: plugin ID → event source, for formats that keep the ID alone.
    ``max_bytes``: of events at most; None means half of the available memory. Raises
    CaptureFileError for damage (with the rows before it), WorkbenchError otherwise.
    """
    read = SUFFIXES[check_suffix(path)][1]
    if read is None:
        raise WorkbenchError(
            f"{path}: a text file keeps no field types, so it is not read back; "
            "save events as .parquet, .arrow or .scap to open them again"
        )
    if not os.path.lexists(path):
        raise WorkbenchError(f"{path}: no such file")
    return read(path, sources, max_bytes)
