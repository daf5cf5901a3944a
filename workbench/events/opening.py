"""Stored events opened: what a capture file held, with the fields that plugins add."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from workbench.captures import formats
from workbench.errors import CaptureFileError, ConditionError
from workbench.events.builtin_columns import first_time
from workbench.events.columns import source_rows, with_number_and_time
from workbench.events.events import Events
from workbench.events.extractor import extractor_of
from workbench.events.origin import Origin
from workbench.fields.builtin import ASYNC_FIELDS
from workbench.fields.declarations import FieldTable
from workbench.fields.reference import resolve

if TYPE_CHECKING:
    import os

    from workbench.captures.contents import CaptureContents

__all__ = ["open_events"]


def open_events(path: str | os.PathLike[str], *, plugins: Any = ()) -> Events:
    """Return the events of a file that ``Events.save`` or Falco wrote.

    ``path``: ``.parquet``, ``.arrow`` or ``.scap`` (``.scap.gz``). ``plugins``: Plugin
    and Workbench objects, in registration order, to extract fields from the stored
    events. Raises WorkbenchError when the file cannot be used; what comes before any
    damage is kept as ``.events`` of the CaptureFileError.
    """
    if not isinstance(plugins, (list, tuple, set)):
        plugins = (plugins,)
    for plugin in plugins:
        if isinstance(plugin, (str, Path)):
            advice = f"use wb.load({str(plugin)!r})"
            raise TypeError(f"plugins= takes loaded plugins, not paths: {advice}")
    plugins = tuple(plugins)
    sources = {m.id: m.event_source for p in plugins for m in p.manifests if m.id}
    try:
        contents = formats.load(Path(path), sources)
    except CaptureFileError as error:
        # What came before the damage is kept, as of a capture that fails.
        if error.events is not None:
            error.events = _as_events(error.events, plugins)
        raise
    return _as_events(contents, plugins)


def _as_events(contents: CaptureContents, plugins: tuple[Any, ...]) -> Events:
    """Wrap what was read, with every field that the plugins can give."""
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
    """Return whether a field can be asked for by its name."""
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
    """Return the one event source of the rows, "" when there are none or several."""
    names = list(source_rows(table))
    return names[0] if len(names) == 1 else ""
