"""Stored events opened: what a capture file held, with the fields that plugins add."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from workbench.arguments import PATH, takes, wrong
from workbench.captures import formats
from workbench.errors import (
    ArgumentError,
    CaptureFileError,
    ConditionError,
    PluginCrashed,
    PluginFailure,
    PluginHung,
)
from workbench.events.builtin_columns import first_time
from workbench.events.columns import with_number_and_time
from workbench.events.events import Events
from workbench.events.extractor import extractor_of
from workbench.events.origin import Origin
from workbench.events.source_names import only_source
from workbench.events.stored_opening import open_stored_events
from workbench.fields.builtin import ASYNC_FIELDS
from workbench.fields.declarations import FieldTable
from workbench.fields.reference import resolve

if TYPE_CHECKING:
    import os

    from workbench.captures.contents import CaptureContents

__all__ = ["open_events"]

# How often a plugin may fail while a file is opened; then its other fields are left.
_MOST_FAILURES = 24


@takes(path=PATH)
def open_events(
    path: str | os.PathLike[str], *, plugins: Any = (), max_bytes: int | None = None
) -> Events:
    """Return the events of a file that ``Events.save`` or Falco wrote.

    ``path``: ``.parquet``, ``.arrow`` or ``.scap`` (``.scap.gz``). ``plugins``: Plugin
    and Workbench objects, in registration order, to extract fields from the stored
    events; fields in which a plugin crashes are left out, and ``origin.notes`` name
    them. ``max_bytes``: stop with an error beyond so many bytes of events, however
    small the file; None means half of the available memory. A Parquet or Arrow file of
    more than a megabyte stays on disk, and is read by need: its damage is found, and
    ``max_bytes`` counts, when rows are asked for. Raises WorkbenchError when
    the file cannot be used; what comes before any damage is kept as ``.events`` of the
    CaptureFileError.
    """
    if not isinstance(plugins, (list, tuple, set)):
        plugins = (plugins,)
    for plugin in plugins:
        if isinstance(plugin, (str, Path)):
            advice = f"use wb.load({str(plugin)!r})"
            raise ArgumentError(
                f"plugins= takes loaded plugins, not paths: {advice}",
                argument="plugins",
            )
        if not hasattr(plugin, "manifests"):
            raise wrong("open_events", "plugins", "Plugin or Workbench objects", plugin)
    plugins = tuple(plugins)
    sources = {m.id: m.event_source for p in plugins for m in p.manifests if m.id}
    if not plugins:
        stored = open_stored_events(Path(path), max_bytes)
        if stored is not None:
            return stored
    try:
        contents = formats.load(Path(path), sources, max_bytes=max_bytes)
    except CaptureFileError as error:
        # What came before the damage is kept, as of a capture that fails.
        if error.events is not None:
            error.events = _as_events(error.events, plugins)
        raise
    return _as_events(contents, plugins)


def _as_events(contents: CaptureContents, plugins: tuple[Any, ...]) -> Events:
    """Wrap what was read, with every field that the plugins can give."""
    table = with_number_and_time(contents.table)
    source = contents.source or only_source(table)
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
    events, notes = _with_columns(events, missing)
    if len(visible) == len(table) and not notes:
        return events
    origin = replace(origin, notes=(*origin.notes, *notes))
    shown = Events(_visible(events.table), fields=fields, origin=origin)
    return shown.attach(*plugins)


def _with_columns(events: Events, names: list[str]) -> tuple[Events, list[str]]:
    """Return the events with the columns that can be had, and notes on the others.

    A plugin that crashes in one field is asked for halves of the fields, until those
    that it crashes in are alone; the file opens without them.
    """
    notes: list[str] = []
    # The next piece is at the end.
    pieces = [names] if names else []
    failures = 0
    while pieces:
        piece = pieces.pop()
        try:
            events = events.extract(*piece)
        except (PluginCrashed, PluginFailure, PluginHung) as error:
            failures += 1
            hung = isinstance(error, PluginHung)
            if len(piece) > 1 and not hung and failures < _MOST_FAILURES:
                middle = len(piece) // 2
                pieces += [piece[middle:], piece[:middle]]
                continue
            if hung or failures >= _MOST_FAILURES:
                # Each further attempt costs a restart, or a whole time limit.
                piece = [*piece, *(n for rest in reversed(pieces) for n in rest)]
                pieces = []
            first = str(error).partition("\n")[0]
            notes.append(
                f"{', '.join(piece)}: not extracted, because {first}; "
                "events.extract(…) asks again"
            )
    return events, notes


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
