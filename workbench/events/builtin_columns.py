"""The values of ``evt.*`` fields, a column at a time, as the engine gives them.

Made from ``evt.num``, ``evt.rawtime`` and, where kept, the stored event itself. Local
times use the process's UTC offset of this moment for every event, as the engine does.
"""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING

from workbench.arrow.buffers import offsets_of
from workbench.arrow.times import NS_PER_SEC, event_times, time_text
from workbench.fields.builtin import BUILTIN_FIELDS
from workbench.lazy import lazy_module

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc
else:
    np = lazy_module("numpy")
    pa = lazy_module("pyarrow")
    pc = lazy_module("pyarrow.compute")

__all__ = [
    "BuiltinContext",
    "async_flags",
    "builtin_column",
    "fallback_info",
    "first_time",
    "host_name",
    "payloads",
]

# Types of stored events, and where their parts begin.
_ASYNC_EVENT = 402
_TYPE_AT = 20
PAYLOAD_AT = 38
_ASYNC_NAME_AT = 42
# The engine shows so many payload bytes when a plugin has no text of its own.
_SHOWN_BYTES = 50


@dataclass(frozen=True, slots=True)
class BuiltinContext:
    """What ``evt.*`` values need beyond the table.

    ``start_ns``: time of the first event of the capture. ``plugin``: name of the source
    plugin, None if unknown. ``hostname``: as captured. ``plugin_info``: gives the
    plugin's texts for stored events (null where it has none), or gives None.
    """

    source: str
    start_ns: int
    plugin: str | None
    hostname: str
    plugin_info: Callable[[pa.ChunkedArray, pa.ChunkedArray], pa.ChunkedArray | None]


def host_name() -> str:
    """Return the name that evt.hostname shows for events captured here and now."""
    return os.environ.get("FALCO_HOSTNAME") or socket.gethostname()


def _constant(text: str | None, rows: int) -> pa.Array:
    """Return one text for every row as a dictionary column, null for None."""
    if text is None:
        return pa.nulls(rows, pa.string())
    codes = pa.array(np.zeros(rows, np.int32))
    return pa.DictionaryArray.from_arrays(codes, pa.array([text], pa.string()))


def payloads(raw: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    """Return the plugin's own bytes of stored events, null where they are not one."""
    # An open-ended binary_slice miscounts its buffer in some releases of Arrow.
    return pc.binary_replace_slice(raw, 0, PAYLOAD_AT, b"")


def fallback_info(payload: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    """Return the text the engine makes when a plugin has none for its event."""
    head = pc.binary_slice(payload, 0, _SHOWN_BYTES)
    size = pc.binary_length(payload)
    odd = pc.match_substring_regex(head, "[^ -~]")
    shown = pc.if_else(odd, pa.scalar(b"<binary>"), head)
    cut = pc.and_(pc.greater(size, _SHOWN_BYTES), pc.invert(odd))
    tail = pc.if_else(cut, pa.scalar(b"..."), pa.scalar(b""))
    length = size.cast(pa.string()).cast(pa.binary())
    parts = (pa.scalar(b"datalen="), length, pa.scalar(b" data="), shown, tail)
    return pc.binary_join_element_wise(*parts, pa.scalar(b""))


def async_flags(table: pa.Table) -> np.ndarray:
    """Return which stored events a plugin injected on its own."""
    found = np.zeros(table.num_rows, bool)
    if "raw" not in table.column_names:
        return found
    row = 0
    for chunk in table.column("raw").chunks:
        offsets = offsets_of(chunk)
        usable = np.diff(offsets) >= _TYPE_AT + 2
        raw = chunk.buffers()[2]
        data = np.frombuffer(raw if raw is not None else b"", np.uint8)
        at = offsets[:-1][usable] + _TYPE_AT
        kinds = data[at].astype(np.uint16) | data[at + 1].astype(np.uint16) << 8
        found[row : row + len(chunk)][usable] = kinds == _ASYNC_EVENT
        row += len(chunk)
    return found


def first_time(table: pa.Table) -> int | None:
    """Return the time that evt.reltime counts from: of the first event of a source.

    None when ``table`` has no event but asynchronous ones, which do not count.
    """
    if not table.num_rows:
        return None
    own = np.flatnonzero(~async_flags(table))
    return int(event_times(table)[own[0]]) if len(own) else None


def _async_names(table: pa.Table) -> pa.Array:
    flags = async_flags(table)
    names: list[bytes | None] = [None] * table.num_rows
    if flags.any():
        raw = table.column("raw")
        for row in np.flatnonzero(flags):
            names[row] = raw[int(row)].as_py()[_ASYNC_NAME_AT:].split(b"\0", 1)[0]
    return pa.array(names, pa.binary())


def _plugin_info(table: pa.Table, context: BuiltinContext) -> pa.ChunkedArray:
    """Ask the plugin for its texts, fall back to the engine's; async has none."""
    if "raw" not in table.column_names:
        raise KeyError("evt.plugininfo")
    raw = table.column("raw")
    own = fallback_info(payloads(raw))
    given = context.plugin_info(raw, table.column("evt.num"))
    if given is not None:
        empty = pc.equal(pc.binary_length(given), 0)
        own = pc.coalesce(pc.if_else(empty, None, given), own)
    flags = async_flags(table)
    return pc.if_else(pa.array(flags), None, own) if flags.any() else own


# Text field → strftime form, local time or UTC, with nanoseconds or not.
_TIME_FORMS: dict[str, tuple[str, bool, bool]] = {
    "evt.time": ("%H:%M:%S", True, True),
    "evt.time.s": ("%H:%M:%S", True, False),
    "evt.datetime": ("%Y-%m-%d %H:%M:%S", True, True),
    "evt.datetime.s": ("%Y-%m-%d %H:%M:%S", True, False),
}


def builtin_column(
    name: str, table: pa.Table, context: BuiltinContext
) -> pa.Array | pa.ChunkedArray:
    """Return the values of a generic field for the rows of ``table``.

    ``table`` has ``evt.num`` and ``evt.rawtime``, both uint64. Raises KeyError when
    ``name`` is no generic field, or needs stored events that the table does not have.
    """
    if name not in BUILTIN_FIELDS:
        raise KeyError(name)
    rows = table.num_rows
    if name in {"evt.num", "evt.rawtime"}:
        return table.column(name)
    if name in _TIME_FORMS:
        form, local, nanos = _TIME_FORMS[name]
        return time_text(event_times(table), form, local=local, nanos=nanos)
    if name == "evt.time.iso8601":
        text = time_text(
            event_times(table), "%Y-%m-%dT%H:%M:%S", local=False, nanos=True
        )
        return pc.binary_join_element_wise(text, "+0000", "")
    if name.startswith(("evt.rawtime.", "evt.reltime")):
        times = event_times(table)
        if name.startswith("evt.reltime"):
            # Unsigned: earlier than the first event wraps around, as in the engine.
            times = times - np.uint64(context.start_ns)
        if name.endswith(".s"):
            times = times // np.uint64(NS_PER_SEC)
        elif name.endswith(".ns"):
            times = times % np.uint64(NS_PER_SEC)
        return pa.array(times)
    if name == "evt.source":
        return _constant(context.source or None, rows)
    if name == "evt.hostname":
        return _constant(context.hostname, rows)
    if name == "evt.pluginname":
        names = _constant(context.plugin, rows)
        flags = async_flags(table)
        return pc.if_else(pa.array(flags), None, names) if flags.any() else names
    if name == "evt.is_async":
        return pa.array(async_flags(table))
    if name == "evt.asynctype":
        return _async_names(table)
    return _plugin_info(table, context)
