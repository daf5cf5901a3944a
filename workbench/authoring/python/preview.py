"""Drive a plugin class in the kernel itself: plain tracebacks, no build."""

from __future__ import annotations

import ipaddress
import time
from typing import TYPE_CHECKING, Any, Protocol

import pyarrow as pa

from workbench.authoring.python.values import EndOfEvents, PluginEvent
from workbench.events.from_table import events_from_table
from workbench.fields.declarations import FieldTable
from workbench.fields.types import FIELD_TYPES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from workbench.authoring.python.values import PluginInfo
    from workbench.events.events import Events
    from workbench.fields.declarations import FieldInfo

__all__ = ["PreviewedPlugin", "preview"]

_ARROW = {"uint64": pa.uint64(), "bool": pa.bool_(), "binary": pa.binary()}


class PreviewedPlugin(Protocol):
    """What a preview calls of a plugin; see ``PythonPlugin`` for what it means."""

    @property
    def init_schema(self) -> dict[str, Any] | None:
        """JSON schema of the init config."""

    def info(self) -> PluginInfo:
        """Return what the plugin says about itself."""

    def fields(self) -> Sequence[FieldInfo]:
        """Return the fields, in order."""

    def init(self, config: Any, /) -> None:
        """Take the init config."""

    def open(self, params: str, /) -> Any:
        """Start a stream and return its instance."""

    def next_batch(self, instance: Any, /) -> Sequence[bytes | tuple[int, bytes]]:
        """Return the next events."""

    def extract(self, event: PluginEvent, name: str, arg: str | int | None, /) -> Any:
        """Return the value of one field."""

    def close(self, instance: Any, /) -> None:
        """End a stream."""

    def destroy(self) -> None:
        """Release what ``init`` took."""


def preview(
    plugin: PreviewedPlugin, params: str, *, config: Any, max_events: int
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
    plugin: PreviewedPlugin, instance: Any, limit: int
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
    """Return a value as the host would store it."""
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
