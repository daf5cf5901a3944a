"""Events over a table of anybody's: to learn, test and teach conditions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa

from workbench.arguments import TEXT, either, takes, wrong
from workbench.errors import ArgumentError
from workbench.events.builtin_columns import first_time, host_name
from workbench.events.columns import with_number_and_time
from workbench.events.events import Events
from workbench.events.origin import Origin
from workbench.fields.declarations import as_field_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from workbench.fields.declarations import FieldInfo

__all__ = ["events_from_table"]


@takes(source=TEXT, plugin=either(TEXT, None), plugin_version=either(TEXT, None))
def events_from_table(
    table: pa.Table,
    *,
    fields: Mapping[str, FieldInfo] | Iterable[FieldInfo | Mapping[str, Any]],
    source: str,
    plugin: str | None = None,
    plugin_version: str | None = None,
) -> Events:
    """Return Events over any Arrow table in the condition layout; no plugin is needed.

    ``fields``: mapping of FieldInfo, or decoded get_fields JSON. ``evt.num`` counts
    from 1 when the table has none, ``evt.rawtime`` comes from a timestamp column
    ``evt.time``, else all times are 0. Other ``evt.*`` columns are used as they are.
    """
    if isinstance(table, pa.RecordBatch):
        table = pa.Table.from_batches([table])
    if not isinstance(table, pa.Table):
        raise wrong("events_from_table", "table", "an Arrow table", table)
    names = table.column_names
    if len(set(names)) != len(names):
        twice = sorted({n for n in names if names.count(n) > 1})
        raise ArgumentError(
            f"the table has columns of the same name: {', '.join(twice)}",
            argument="table",
        )
    table = with_number_and_time(table)
    origin = Origin(
        source=source,
        plugin=plugin,
        plugin_version=plugin_version,
        hostname=host_name(),
        start_ns=first_time(table) or 0,
    )
    return Events(table, fields=as_field_table(fields), origin=origin)
