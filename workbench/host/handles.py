"""The one seam to the C host: pointers wrapped, C strings decoded, lifetimes kept.

Texts of plugins come as ``str`` with surrogates for bytes that are not UTF-8.
"""

from __future__ import annotations

from workbench.native._core import ffi, lib

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

__all__ = [
    "CALLS",
    "FAMILIES",
    "HostHandle",
    "PluginHandle",
    "Pump",
    "end_with_parent",
    "install_crash_report",
    "live_objects",
    "memory_at",
    "shared_page_bytes",
    "watch_socket",
]

FAMILIES = {"A1": 1, "A2": 2, "B": 3, "C": 4}

# Number of a call → its C name; "" is none.
CALLS: tuple[str, ...] = tuple(
    ffi.string(lib.wb_call_name(i)).decode() for i in range(lib.wb_call_count())
)
_NUMBER = {name.removeprefix("plugin_"): i for i, name in enumerate(CALLS)}

_ERROR_BYTES = 4096
_LARGEST_TEXT = 256 << 20
_MOST_METRICS = 4096

_METRIC_TYPES = {0: "monotonic", 1: "non_monotonic"}
_METRIC_VALUES = {
    0: ("uint32_t *", int),
    1: ("int32_t *", int),
    2: ("uint64_t *", int),
    3: ("int64_t *", int),
    4: ("double *", float),
    5: ("float *", float),
    6: ("int *", int),
}


def live_objects() -> int:
    """Count the objects of the C core that are alive."""
    return int(lib.wb_live_objects())


def shared_page_bytes() -> int:
    """Return the size of the shared page in bytes."""
    return int(lib.wb_shared_page_bytes())


def install_crash_report(shared_page: Any, text_fd: int) -> None:
    """Report the death of this process through ``shared_page`` (before any dlopen)."""
    if lib.wb_crash_install(
        ffi.from_buffer(shared_page, require_writable=True), text_fd
    ):
        raise OSError("cannot install the crash report")


def memory_at(address: int, size: int) -> Any:
    """Return a buffer over memory of the C core; the caller keeps it alive."""
    return ffi.buffer(ffi.cast("uint8_t *", address), size)


def _encode(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _decode(pointer: Any) -> str | None:
    if pointer == ffi.NULL:
        return None
    raw: bytes = ffi.string(pointer, _LARGEST_TEXT)
    return raw.decode("utf-8", "surrogateescape")


def end_with_parent(parent: int) -> None:
    """End this process with the process ``parent`` that started it."""
    lib.wb_end_with_parent(parent)


def watch_socket(fd: int) -> None:
    """End this process soon after the other end of socket ``fd`` is gone."""
    if lib.wb_watch_socket(fd):
        raise OSError("cannot watch the parent process")


class HostHandle:
    """The plugins of one session; ``shared_page``: a writable buffer of it."""

    def __init__(self, shared_page: Any, log_fd: int = -1) -> None:
        """Start with no plugin."""
        self._shared_page = ffi.from_buffer(shared_page, require_writable=True)
        self._c = lib.wb_host_new(self._shared_page, log_fd)

    def open(self, library: str, path: str, index: int) -> PluginHandle:
        """Open ``library``, calling it ``path``. Raises OSError with dlopen's words.

        ``index``: its number in the trace and in crash reports.
        """
        error = ffi.new("char[]", _ERROR_BYTES)
        plugin = lib.wb_plugin_open(
            self._c, index, _encode(library), _encode(path), error, _ERROR_BYTES
        )
        if plugin == ffi.NULL:
            raise OSError(_decode(error))
        return PluginHandle(plugin)

    def second_handle(self, of: PluginHandle) -> PluginHandle:
        """Return another plugin of a library opened by another host: same globals."""
        return PluginHandle(lib.wb_plugin_second_handle(self._c, of.c))

    def pump(
        self,
        source: PluginHandle | None,
        event_source: str,
        *,
        data_fd: int = -1,
        chunk_rows: int = 32768,
        window_bytes: int = 16 << 20,
        flush_ns: int = 20_000_000,
        max_events: int = 0,
        flags: int = 0,
        number_base: int = 0,
    ) -> Pump:
        """Make a pump; without ``source`` it is fed with stored events."""
        pointer = lib.wb_pump_new(
            self._c,
            source.c if source else ffi.NULL,
            _encode(event_source),
            data_fd,
            chunk_rows,
            window_bytes,
            flush_ns,
            max_events,
            flags,
        )
        lib.wb_pump_number_from(pointer, number_base)
        return Pump(pointer)

    def tables(self, max_rows: int) -> bytes:
        """Return all state tables as ``native/src/tables/snapshot.c`` lays them out."""
        size = ffi.new("uint64_t *")
        memory = lib.wb_host_tables(self._c, max_rows, size)
        try:
            return bytes(ffi.buffer(memory, size[0]))
        finally:
            lib.wb_block_free(memory)

    def dump_state(self) -> tuple[list[bytes], str | None]:
        """Return the async events of every plugin's ``dump_state``, or what failed."""
        size = ffi.new("uint64_t *")
        error = ffi.new("char[]", _ERROR_BYTES)
        memory = lib.wb_host_dump_state(self._c, size, error, _ERROR_BYTES)
        if memory == ffi.NULL:
            return [], _decode(error)
        try:
            data = bytes(ffi.buffer(memory, size[0]))
        finally:
            lib.wb_block_free(memory)
        events = []
        at = 0
        while at < len(data):
            end = at + 4 + int.from_bytes(data[at : at + 4], "little")
            events.append(data[at + 4 : end])
            at = end
        return events, None

    def close(self) -> None:
        """Destroy every plugin state, last loaded first (idempotent)."""
        host, self._c = self._c, None
        if host:
            lib.wb_host_free(host)


class PluginHandle:
    """One opened library."""

    def __init__(self, pointer: Any) -> None:
        """Wrap ``pointer``; the host owns it."""
        self.c = pointer

    def has(self, name: str) -> bool:
        """Return whether ``plugin_<name>`` is exported."""
        return bool(lib.wb_plugin_has(self.c, _NUMBER[name]))

    def symbols(self) -> list[str]:
        """Return the C names of all exported functions of the plugin API."""
        return [
            n for i, n in enumerate(CALLS) if i > 1 and lib.wb_plugin_has(self.c, i)
        ]

    def text(self, name: str) -> str | None:
        """Call a function without arguments; None when it gave NULL or is missing."""
        return _decode(lib.wb_plugin_text(self.c, _NUMBER[name]))

    def number(self, name: str) -> int:
        """Call a function that gives a number; 0 when it is missing."""
        return int(lib.wb_plugin_number(self.c, _NUMBER[name]))

    def init_schema(self) -> tuple[str | None, int]:
        """Return the init schema's text and its type."""
        kind = ffi.new("int32_t *")
        text = _decode(lib.wb_plugin_init_schema(self.c, kind))
        return text, int(kind[0])

    def describe(
        self, family: str, minor: int, name: str, source: str, plugin_id: int
    ) -> None:
        """Hand what the loader found out to the C side."""
        lib.wb_plugin_describe(
            self.c, FAMILIES[family], minor, _encode(name), _encode(source), plugin_id
        )

    def scope(self, *, parsing: bool, sources: list[str]) -> None:
        """Set the event sources that it extracts from (or parses); none = all."""
        lib.wb_plugin_scope(self.c, int(parsing), ffi.NULL)
        for source in sources:
            lib.wb_plugin_scope(self.c, int(parsing), _encode(source))

    def announce(self, names: list[str], sources: list[str]) -> None:
        """Return the async events it sends, and to which event sources (none = all)."""
        lib.wb_plugin_async_name(self.c, ffi.NULL)
        for name in names:
            lib.wb_plugin_async_name(self.c, _encode(name))
        for source in sources:
            lib.wb_plugin_async_source(self.c, _encode(source))

    def init(self, config: str, *, as_falco: bool = False) -> int:
        """Call ``plugin_init``; give its return code.

        ``as_falco``: without state tables where Falco gives none.
        """
        return int(lib.wb_plugin_init(self.c, _encode(config), as_falco))

    def has_state(self) -> bool:
        """Return whether init gave a state, also when it failed."""
        return bool(lib.wb_plugin_has_state(self.c))

    def last_error(self) -> str | None:
        """Ask for the last error; None without a state or an answer."""
        return _decode(lib.wb_plugin_last_error(self.c))

    def ask_types(self) -> None:
        """Ask which event types it wants to see; once, after init."""
        lib.wb_plugin_ask_types(self.c)

    def destroy(self) -> None:
        """Destroy the state (idempotent)."""
        lib.wb_plugin_destroy(self.c)

    def open_params(self) -> tuple[str | None, int]:
        """Return the text and the return code of ``plugin_list_open_params``."""
        code = ffi.new("int32_t *")
        text = _decode(lib.wb_plugin_open_params(self.c, code))
        return text, int(code[0])

    def set_config(self, config: str) -> int:
        """Hand over a new config; give the return code."""
        return int(lib.wb_plugin_set_config(self.c, _encode(config)))

    def metrics(self) -> list[dict[str, Any]]:
        """Return name, type and value of every metric."""
        out = ffi.new("wb_metric_copy[]", _MOST_METRICS)
        count = lib.wb_plugin_metrics(self.c, out, _MOST_METRICS)
        rows = []
        for i in range(count):
            ctype, convert = _METRIC_VALUES.get(out[i].value_type, ("uint64_t *", int))
            value = ffi.cast(ctype, ffi.addressof(out[i], "bits"))[0]
            rows.append(
                {
                    "name": _decode(out[i].name) or "",
                    "type": _METRIC_TYPES.get(out[i].type, str(out[i].type)),
                    "value": convert(value),
                }
            )
        return rows

    def free(self) -> None:
        """Forget the library: destroy its state, keep it mapped."""
        lib.wb_plugin_free(self.c)


class Pump:
    """One capture, or one feeding of stored events."""

    def __init__(self, pointer: Any) -> None:
        """Own ``pointer``."""
        self._c = pointer

    def want(
        self,
        plugin: PluginHandle,
        field_id: int,
        field: str,
        type_code: int,
        *,
        is_list: bool,
        arg_present: bool,
        arg_key: str | None,
        arg_index: int,
        offsets: bool,
    ) -> None:
        """Add a column."""
        key = ffi.NULL if arg_key is None else _encode(arg_key)
        text = arg_key
        if text is None:
            text = str(arg_index) if arg_present else ""
        lib.wb_pump_request(
            self._c,
            plugin.c,
            field_id,
            _encode(field),
            type_code,
            is_list,
            arg_present,
            key,
            arg_index,
            _encode(text),
            offsets,
        )

    def filter(self, program: Any, order: int) -> None:
        """Add a stage to the filter of events; ``order``: one of ``lib.WB_ORDER_*``.

        Raises ValueError for a bad program.
        """
        memory = ffi.from_buffer("uint8_t[]", program)
        if lib.wb_pump_filter(self._c, memory, len(program), order):
            raise ValueError("a damaged condition program")

    def ways(self) -> list[dict[str, Any]]:
        """Return the ways of filtering that were tried, none without a filter."""
        order, staged = ffi.new("int *"), ffi.new("int *")
        events, ns = ffi.new("uint64_t *"), ffi.new("double *")
        found: list[dict[str, Any]] = []
        while not lib.wb_pump_way(self._c, len(found), order, staged, events, ns):
            found.append(
                {
                    "order": int(order[0]),
                    "staged": bool(staged[0]),
                    "events": int(events[0]),
                    "ns": float(ns[0]),
                }
            )
        return found

    def prepare(self) -> None:
        """Allocate the columns. Raises OSError."""
        code = lib.wb_pump_prepare(self._c)
        if code:
            raise OSError(-code, "cannot allocate the columns")

    def arena_fd(self) -> int:
        """Return the descriptor of the builder's memory, -1 when it is private."""
        return int(lib.wb_pump_arena_fd(self._c))

    def open(self, params: str) -> int:
        """Call ``plugin_open``; give its return code."""
        return int(lib.wb_pump_open(self._c, _encode(params)))

    def live_error(self) -> str | None:
        """Return what an async handler or capture_open had against the open."""
        return _decode(lib.wb_pump_live_error(self._c))

    def async_counts(self) -> dict[str, int]:
        """Count the async events of this capture, by what became of them."""
        counts = ffi.new("wb_async_counts *")
        lib.wb_pump_async_counts(self._c, counts)
        names = ("taken", "given", "refused", "overflow", "future", "left")
        return {name: int(getattr(counts, name)) for name in names}

    def run(self, control_fd: int, slice_ns: int) -> int:
        """Pump until something happens; one of ``lib.WB_RUN_*``."""
        return int(lib.wb_pump_run(self._c, control_fd, slice_ns))

    def feed(
        self, data: Any, offsets: Any, numbers: Any, start: int, count: int
    ) -> int:
        """Extract from stored events ``start`` …; give how many were taken."""
        return int(
            lib.wb_pump_extract(
                self._c,
                ffi.from_buffer("uint8_t[]", data),
                ffi.from_buffer("int64_t[]", offsets) + start,
                ffi.from_buffer("uint64_t[]", numbers) + start,
                count,
            )
        )

    def event_texts(
        self, plugin: PluginHandle, data: Any, offsets: Any, numbers: Any, count: int
    ) -> list[bytes | None]:
        """Return ``event_to_string`` of stored events."""
        base = ffi.from_buffer("uint8_t[]", data)
        ends = ffi.from_buffer("int64_t[]", offsets)
        nums = ffi.from_buffer("uint64_t[]", numbers)
        texts: list[bytes | None] = []
        for i in range(count):
            size = ends[i + 1] - ends[i]
            text = lib.wb_pump_event_text(
                self._c, plugin.c, base + ends[i], size, nums[i]
            )
            texts.append(None if text == ffi.NULL else ffi.string(text))
        return texts

    def flush(self) -> None:
        """Send the rows so far."""
        lib.wb_pump_flush(self._c)

    def end(self) -> tuple[int, int, str, int]:
        """Return end reason (``lib.WB_END_*``), return code, message, event count."""
        message = _decode(lib.wb_pump_end_message(self._c)) or ""
        code = int(lib.wb_pump_end_code(self._c))
        return int(lib.wb_pump_end(self._c)), code, message, self.events()

    def events(self) -> int:
        """Count the events delivered."""
        return int(lib.wb_pump_events(self._c))

    def take(self) -> tuple[int, int, Callable[[], None]] | None:
        """Take a queued chunk: address, bytes, and how to free it."""
        size = ffi.new("uint64_t *")
        memory = lib.wb_pump_take(self._c, size)
        if memory == ffi.NULL:
            return None
        address = int(ffi.cast("uintptr_t", memory))
        return address, int(size[0]), lambda: lib.wb_block_free(memory)

    def progress(self) -> tuple[int, str] | None:
        """Return hundredths of a percent and the plugin's words, or None."""
        hundredths = ffi.new("uint32_t *")
        text = ffi.new("char **")
        if lib.wb_pump_progress(self._c, hundredths, text):
            return None
        return int(hundredths[0]), _decode(text[0]) or ""

    def close(self) -> None:
        """Close the source (idempotent)."""
        if self._c:
            lib.wb_pump_close(self._c)

    def free(self) -> None:
        """Close and forget (idempotent)."""
        pump, self._c = self._c, None
        if pump:
            lib.wb_pump_free(pump)
