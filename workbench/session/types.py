"""What a session takes and returns, as plain data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

    from workbench.errors import EndReason


__all__ = [
    "ORDERS",
    "CallErrors",
    "CaptureOptions",
    "Chunk",
    "ColumnRequest",
    "FilterWay",
    "LogLine",
    "Progress",
    "TableSnapshot",
    "TraceCall",
]


@dataclass(frozen=True, slots=True)
class ColumnRequest:
    """One field, with its argument, to extract into one column.

    ``column``: name as written, such as ``probe.kv[key]``. ``plugin``: index in the
    session of the plugin that extracts it. ``field_id``: index in its get_fields.
    ``arg_key``: None when the argument is not a key; ``arg_index``: 2^64-1 when it is
    not an index. ``offsets``: also ask for value offsets (plugin API ≥ 3.11): two more
    uint64 columns ``<column>#start`` and ``<column>#len``, counted from the beginning
    of the 3.x event (the payload begins at 38). ``field_id`` is only a note: the host
    looks the name up in the plugin's own declaration.
    """

    column: str
    plugin: int
    field_id: int
    field: str
    type: str
    is_list: bool = False
    arg_present: bool = False
    arg_key: bytes | None = None
    arg_index: int = 2**64 - 1
    offsets: bool = False


# "measured": as is cheapest. "at once": with those that programs read. "by batch": when
# the events of a batch are decided. "by event": before the next event is looked at.
ORDERS = ("measured", "at once", "by batch", "by event")


@dataclass(frozen=True, slots=True)
class CaptureOptions:
    """How to pump.

    ``keep_payload``: add a column ``payload`` (binary, without the event header).
    ``keep_raw``: add ``raw`` (binary, the whole 3.x event), for later extraction.
    ``plugin_info``: add ``evt.plugininfo`` (binary, the plugin's event_to_string or the
    framework's words for none). ``max_events``: stop after so many, None for no limit.
    ``chunk_rows``: largest record batch in rows; batches start small and grow.
    ``flush_sec``: longest time that a started batch waits. ``window_bytes``: memory
    that may be in flight to a slow reader. ``one_field_per_call``: never ask a plugin
    for two fields in one C call. ``dictionaries``: encode string columns with few
    distinct values as dictionaries. ``programs``: leave out events that these packed
    programs do not want (``condition/execution/packing.py``), one after the other;
    their columns 0 and 1 are number and time, the others the requests in their order.
    ``order``: when columns are extracted that no program reads, see ORDERS; a plugin
    that keeps state never sees an event again after a later one.
    """

    keep_payload: bool = False
    keep_raw: bool = False
    plugin_info: bool = False
    max_events: int | None = None
    chunk_rows: int = 32768
    flush_sec: float = 0.02
    window_bytes: int = 16 << 20
    one_field_per_call: bool = False
    dictionaries: bool = True
    programs: tuple[bytes, ...] = ()
    order: str = "measured"


@dataclass(frozen=True, slots=True)
class FilterWay:
    """A way of filtering that was tried. ``order``: one of ORDERS.

    ``staged``: whether a few columns came first. ``events``: that went this way.
    ``ns``: CPU time of one of them, about, with the plugin's; 0 when not measured.
    """

    order: str
    staged: bool
    events: int
    ns: float


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of the stream: rows, and the end when this was the last piece.

    ``batch`` has ``evt.num`` (uint64), ``evt.rawtime`` (uint64, ns), ``evt.source``
    (dictionary of binary), the requested columns in their order, and ``payload``,
    ``raw`` and ``evt.plugininfo`` if asked for. Columns are in the condition layout:
    bytes are kept as the plugin gave them, absent is null. A string column is a
    dictionary (int32 codes, binary values; a list of dictionary for lists) until it
    turns out to have many values; from then on it is plain binary.
    ``worker.protocol.columns.unify_batches`` gives the batches of one capture one
    schema. ``end``: None while the stream goes on. ``error``: the error that ended it,
    for the caller to raise after the rows. ``seen``: events of the capture so far,
    those that were left out included. ``first_ns``: time of the source's first event.
    ``ways``: at the end, how events were filtered.
    """

    batch: pa.RecordBatch | None
    end: EndReason | None = None
    error: Exception | None = None
    seen: int = 0
    first_ns: int = 0
    ways: tuple[FilterWay, ...] = ()


@dataclass(frozen=True, slots=True)
class CallErrors:
    """Events in which a call of a plugin failed, in the latest capture or extraction.

    ``plugin``: its number in the session. ``call``: "extract" or "parse". ``events``:
    how many. ``first``: number of the first one; ``text``: what the plugin said then.
    """

    plugin: int
    call: str
    events: int
    first: int
    text: str


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line a plugin logged or printed; ``stream``: "log", "stdout", "stderr"."""

    time_ns: int
    stream: str
    severity: str
    component: str
    message: str


@dataclass(frozen=True, slots=True)
class TraceCall:
    """One API call: C name, arguments shortened, return code, times in ns.

    ``return_code``: name such as "SUCCESS" or the returned text shortened, "" if none.
    ``count``: calls this row stands for (hot calls are counted, not listed).
    """

    seq: int
    plugin: str
    function: str
    arguments: str
    return_code: str
    start_ns: int
    duration_ns: int
    count: int = 1


@dataclass(frozen=True, slots=True)
class TableSnapshot:
    """A state table at one moment.

    ``key_type`` and the types of ``fields`` (name → type) are those of the plugin API:
    int8 … uint64, string, bool, table. ``owner``: the plugin it belongs to, "" for
    the built-in ones. ``size``: entries, None when the owner does not tell. ``keys``:
    one per row, None where the owner does not tell them. ``columns``: field → values
    per row; strings are bytes, a sub-table is the number of its entries, None is
    unreadable. ``note``: why rows are missing, "" when none are.
    """

    name: str
    key_type: str
    owner: str
    size: int | None
    fields: dict[str, str]
    read_only: frozenset[str]
    keys: list[int | None]
    columns: dict[str, list[Any]]
    note: str = ""


@dataclass(slots=True)
class Progress:
    """``percent``: 0..100, None when the plugin does not tell; ``text``: its words."""

    percent: float | None = None
    text: str = ""
    extra: dict[str, Any] = field(default_factory=dict)
