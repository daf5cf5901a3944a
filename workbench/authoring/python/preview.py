"""Drive a plugin class in the kernel itself: plain tracebacks, no build."""

from __future__ import annotations

import ipaddress
import time
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from workbench.authoring.python.model import EndOfEvents, PluginEvent
from workbench.events.events import events_from_table
from workbench.fields.declarations import FieldTable
from workbench.fields.types import FIELD_TYPES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workbench.authoring.python.model import PythonPlugin
    from workbench.events.events import Events
    from workbench.fields.declarations import FieldInfo

__all__ = ["preview"]

_ARROW = {"uint64": pa.uint64(), "bool": pa.bool_(), "binary": pa.binary()}


def preview(
    plugin: PythonPlugin, params: str, *, config: Any, max_events: int
) -> Events:
    """Initialise ``plugin``, stream up to ``max_events`` and extract every field.

    Errors of the author's code are raised as they are, with their tracebacks.
    """
    info = plugin.info()
    schema = plugin.init_schema
    if schema is not None:
        import jsonschema

        config = {} if config is None else config
        jsonschema.validate(config, schema)
    plugin.init(config if config is not None else "")
    declared = [f for f in plugin.fields() if f.arg is None or not f.arg.required]
    columns: dict[str, list[Any]] = {f.name: [] for f in declared}
    times: list[int] = []
    instance = plugin.open(params)
    try:
        for number, (when, data) in enumerate(_events(plugin, instance, max_events)):
            event = PluginEvent(number + 1, when, data, info.event_source)
            times.append(when)
            for item in declared:
                value = plugin.extract(event, item.name, None)
                columns[item.name].append(_stored(item, value))
    finally:
        plugin.close(instance)
        plugin.destroy()
    table = pa.table(
        {
            "evt.num": pa.array(range(1, len(times) + 1), pa.uint64()),
            "evt.rawtime": pa.array(times, pa.uint64()),
            **{f.name: pa.array(columns[f.name], _type(f)) for f in declared},
        }
    )
    return events_from_table(
        table,
        fields=FieldTable(plugin.fields()),
        source=info.event_source,
        plugin=info.name,
        plugin_version=info.version,
    )


def _events(
    plugin: PythonPlugin, instance: Any, limit: int
) -> Iterator[tuple[int, bytes]]:
    count = 0
    done = False
    while not done and count < limit:
        try:
            batch = plugin.next_batch(instance)
        except EndOfEvents as end:
            batch, done = end.events, True
        for item in batch[: limit - count]:
            yield item if isinstance(item, tuple) else (time.time_ns(), item)
            count += 1


def _type(item: FieldInfo) -> pa.DataType:
    kind = _ARROW[FIELD_TYPES[item.type].arrow]
    return pa.list_(kind) if item.is_list else kind


def _stored(item: FieldInfo, value: Any) -> Any:
    """Give a value as the host would store it."""
    if value is None:
        return None
    if item.is_list:
        # An empty list counts as absent.
        return [_one(item.type, v) for v in value] or None
    return _one(item.type, value)


def _one(kind: str, value: Any) -> Any:
    if kind == "string":
        return value.encode() if isinstance(value, str) else value
    if kind in ("ipaddr", "ipnet"):
        return value if isinstance(value, bytes) else ipaddress.ip_address(value).packed
    return bool(value) if kind == "bool" else int(value)
