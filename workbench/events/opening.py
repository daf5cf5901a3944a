"""Events in files: one row per suffix, what writes it and what reads it."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from workbench.arrow.types import plain_lists
from workbench.errors import CaptureFileError, ConditionError, WorkbenchError
from workbench.events.builtin_columns import first_time
from workbench.events.columns import Origin, source_rows, with_number_and_time
from workbench.fields.builtin import ASYNC_FIELDS
from workbench.fields.declarations import FieldTable
from workbench.fields.reference import resolve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from workbench.captures.contents import CaptureContents
    from workbench.events.events import Events

__all__ = ["SUFFIXES", "read_events", "save_events", "suffix_of"]


def suffix_of(path: Path) -> str:
    """Give the suffix that decides the form; ``.scap.gz`` is ``.scap``."""
    name = path.name.lower()
    name = name.removesuffix(".gz")
    return "." + name.rpartition(".")[2] if "." in name else ""


@contextlib.contextmanager
def _whole(path: Path) -> Iterator[Path]:
    """Give a path beside ``path`` that takes its place when all went well."""
    from workbench.captures.files import file_errors, replacing

    with file_errors(path, "write"), replacing(path) as draft:
        yield draft


def _facts(events: Events) -> dict[str, Any]:
    origin = events.origin
    return {
        "fields": events.fields,
        "source": origin.source,
        "plugin": origin.plugin,
        "plugin_version": origin.plugin_version,
        "hostname": origin.hostname,
        "extra": {
            "start_ns": origin.start_ns,
            "end_reason": origin.end_reason,
            "plugins": events.plugin_versions,
        },
    }


def _save_parquet(events: Events, path: Path) -> None:
    from workbench.captures.parquet import write_parquet

    write_parquet(path, events.table, **_facts(events))


def _save_scap(events: Events, path: Path) -> None:
    from workbench.captures.scap import write_scap

    if not events.keeps_raw:
        raise WorkbenchError(
            f"{path}: a .scap file holds whole events, and these were not kept; "
            "capture with keep_events=True, or save as .parquet"
        )
    write_scap(path, events.table, hostname=events.origin.hostname)


def _save_arrow(events: Events, path: Path) -> None:
    from workbench.captures.contents import describe

    table = events.table.replace_schema_metadata(describe(**_facts(events)))
    # The file format wants one dictionary per column.
    table = plain_lists(table).unify_dictionaries()
    with (
        _whole(path) as draft,
        pa.OSFile(str(draft), "wb") as sink,
        pa.ipc.new_file(sink, table.schema) as writer,
    ):
        writer.write_table(table)


def _save_jsonl(events: Events, path: Path) -> None:
    from workbench.captures.text_lines import json_rows, shown_columns

    columns = shown_columns(events.table)
    with (
        _whole(path) as draft,
        draft.open("w", encoding="utf-8", errors="replace") as sink,
    ):
        sink.writelines(json_rows(events.shown_table, events.fields, columns))


def _save_csv(events: Events, path: Path) -> None:
    from workbench.captures.text_lines import csv_header, csv_rows, shown_columns

    columns = shown_columns(events.table)
    with (
        _whole(path) as draft,
        draft.open("w", encoding="utf-8", errors="replace", newline="") as sink,
    ):
        sink.write(csv_header(columns))
        sink.writelines(csv_rows(events.shown_table, events.fields, columns))


def _read_parquet(path: Path, _plugins: tuple[Any, ...]) -> CaptureContents:
    from workbench.captures.parquet import read_parquet

    return read_parquet(path)


def _read_scap(path: Path, plugins: tuple[Any, ...]) -> CaptureContents:
    from workbench.captures.scap import read_scap

    sources = {
        info.id: info.event_source
        for plugin in plugins
        for info in plugin.manifests
        if info.id
    }
    return read_scap(path, sources=sources, state=True)


def _read_arrow(path: Path, _plugins: tuple[Any, ...]) -> CaptureContents:
    from workbench.captures.contents import CaptureContents, undescribe
    from workbench.captures.files import file_errors

    with file_errors(path, "read"):
        try:
            with pa.OSFile(str(path), "rb") as file:
                table = pa.ipc.open_file(file).read_all()
        except pa.ArrowInvalid as fault:
            raise WorkbenchError(f"{path} is no Arrow file: {fault}") from None
    facts, _ = undescribe(table.schema.metadata)
    return CaptureContents(table.replace_schema_metadata(None), **facts)


# Suffix → how to write it, how to read it (None: text, which keeps no types).
SUFFIXES: dict[
    str,
    tuple[
        Callable[[Events, Path], None],
        Callable[[Path, tuple[Any, ...]], CaptureContents] | None,
    ],
] = {
    ".parquet": (_save_parquet, _read_parquet),
    ".scap": (_save_scap, _read_scap),
    ".arrow": (_save_arrow, _read_arrow),
    ".jsonl": (_save_jsonl, None),
    ".csv": (_save_csv, None),
}


def _form(path: Path) -> tuple[Any, Any]:
    form = SUFFIXES.get(suffix_of(path))
    if form is None:
        raise WorkbenchError(
            f"{path}: the suffix decides the form; use one of {', '.join(SUFFIXES)}"
        )
    return form


def save_events(events: Events, path: Path) -> Path:
    """Write ``events`` in the form of the path's suffix; give the path."""
    _form(path)[0](events, path)
    return path


def read_events(path: Path, plugins: tuple[Any, ...]) -> Events:
    """Read a file in the form of its suffix, asking ``plugins`` for their fields."""
    read = _form(path)[1]
    if read is None:
        raise WorkbenchError(
            f"{path}: a text file keeps no field types, so it is not read back; "
            "save events as .parquet, .arrow or .scap to open them again"
        )
    if not os.path.lexists(path):
        raise WorkbenchError(f"{path}: no such file")
    try:
        contents = read(path, plugins)
    except CaptureFileError as error:
        # What came before the damage is kept, as of a capture that fails.
        if error.events is not None:
            error.events = _as_events(error.events, plugins)
        raise
    return _as_events(contents, plugins)


def _as_events(contents: CaptureContents, plugins: tuple[Any, ...]) -> Events:
    """Wrap what was read, with every field that the plugins can give."""
    from workbench.events.events import Events
    from workbench.events.extractor import extractor_of

    table = with_number_and_time(contents.table)
    source = contents.source or _only_source(table)
    known = {m.event_source: m for p in plugins for m in p.manifests if m.event_source}
    maker = known.get(source)
    visible = _visible(table)
    start = contents.extra.get("start_ns")
    if not isinstance(start, int):
        start = first_time(visible) or 0
    origin = Origin(
        source=source,
        plugin=contents.plugin or (maker.name if maker else None),
        plugin_version=contents.plugin_version or (maker.version if maker else None),
        hostname=contents.hostname or "",
        start_ns=start % 2**64,
        end_reason=None,
        notes=contents.notes,
        extra={"plugins": contents.extra.get("plugins")},
    )
    fields = FieldTable(contents.fields.values())
    events = Events(visible, fields=fields, origin=origin)
    if not plugins:
        return events
    extractor = extractor_of(plugins)
    events = events.attach(*plugins)
    if not events.keeps_raw:
        return events
    if len(visible) < len(table):
        # Plugins parse state that is not shown, before the events.
        events = Events(table, fields=fields, origin=origin).attach(*plugins)
    offered = {n: i for s in events.sources for n, i in extractor.fields_of(s).items()}
    missing = [
        name
        for name, info in offered.items()
        if not (info.arg and info.arg.required)
        and name not in table.column_names
        and _nameable(name, events.fields)
    ]
    if any("async" in m.capabilities for p in plugins for m in p.manifests):
        missing += [n for n in ASYNC_FIELDS if n not in table.column_names]
    if missing:
        events = events.extract(*missing)
    if len(visible) == len(table):
        return events
    shown = Events(_visible(events.table), fields=fields, origin=origin)
    return shown.attach(*plugins)


def _nameable(name: str, fields: FieldTable) -> bool:
    """Tell whether a field can be asked for by its name."""
    try:
        return resolve(name, fields).column == name
    except ConditionError:
        return False


def _visible(table: pa.Table) -> pa.Table:
    """Leave out the events that only plugins see."""
    if "state_only" not in table.column_names:
        return table
    hidden = table.column("state_only")
    table = table.drop_columns("state_only")
    return table.filter(pc.invert(hidden)) if pc.any(hidden).as_py() else table


def _only_source(table: pa.Table) -> str:
    """Give the one event source of the rows, "" when there are none or several."""
    names = list(source_rows(table))
    return names[0] if len(names) == 1 else ""
