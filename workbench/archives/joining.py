"""Rows of several files as one Events, in order of time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from workbench.arrow.dictionaries import plain_lists
from workbench.arrow.types import column_info, column_type
from workbench.events.events import Events
from workbench.events.origin import Origin

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.fields.declarations import FieldTable

__all__ = ["join_rows", "no_events"]


def no_events(
    fields: FieldTable, columns: Sequence[str] = (), sources: Sequence[str] = ()
) -> Events:
    """Return no events, of a table that has ``columns``."""
    empty = {
        name: pa.array([], column_type(column_info(name, fields)))
        for name in columns
        if column_info(name, fields) is not None
    }
    number = {name: pa.array([], pa.uint64()) for name in ("evt.num", "evt.rawtime")}
    source = sources[0] if len(sources) == 1 else ""
    return Events(
        pa.table({**empty, **number}), fields=fields, origin=Origin(source=source)
    )


def join_rows(found: Sequence[Any], fields: FieldTable, limit: int | None) -> Events:
    """Return rows of parts as Events in order of time; at most ``limit``."""
    if not found:
        return no_events(fields)
    tables = [_plain(one.table) for one in found]
    table = pa.concat_tables(_alike(tables), promote_options="permissive")
    times = table.column("evt.rawtime").to_numpy()
    if len(times) and (np.diff(times.view(np.int64)) < 0).any():
        table = table.take(np.argsort(times, kind="stable"))
    if limit is not None:
        table = table.slice(0, limit)
    origins = [one.origin for one in found]
    names = {origin.source for origin in origins}
    first = origins[0]
    origin = Origin(
        source=names.pop() if len(names) == 1 else "",
        plugin=first.plugin if len({o.plugin for o in origins}) == 1 else None,
        plugin_version=(
            first.plugin_version
            if len({(o.plugin, o.plugin_version) for o in origins}) == 1
            else None
        ),
        hostname=first.hostname if len({o.hostname for o in origins}) == 1 else "",
        start_ns=min(o.start_ns for o in origins),
        notes=tuple(dict.fromkeys(n for o in origins for n in o.notes)),
    )
    return Events(table, fields=fields, origin=origin)


def _plain(table: pa.Table) -> pa.Table:
    """Return a table whose texts are bytes, without dictionaries."""
    table = plain_lists(table)
    for at, field in enumerate(table.schema):
        kind = field.type
        if pa.types.is_dictionary(kind):
            kind = kind.value_type
        if pa.types.is_string(kind) or pa.types.is_large_string(kind):
            kind = pa.binary()
        elif pa.types.is_list(kind) and pa.types.is_string(kind.value_type):
            kind = pa.list_(pa.binary())
        if kind != field.type:
            column = table.column(at)
            if pa.types.is_dictionary(field.type):
                column = column.cast(field.type.value_type)
            table = table.set_column(at, field.name, column.cast(kind))
    return table


def _alike(tables: list[pa.Table]) -> list[pa.Table]:
    """Leave out stored events where some tables lack them: they stay or go together."""
    if all("raw" in t.column_names for t in tables):
        return tables
    return [t.drop_columns("raw") if "raw" in t.column_names else t for t in tables]
