"""Inside a Python-made library: answers the C calls that ``glue.c`` hands over.

Runs in the interpreter that the library started (or found running). ``install`` is
called once with the library's ffi and the author's source text.
"""

from __future__ import annotations

import ipaddress
import json
import struct
import sys
import traceback
from typing import Any

from workbench.authoring.python.model import (
    EndOfEvents,
    PluginEvent,
    PythonPlugin,
    find_plugin_class,
)

__all__ = ["install"]

SUCCESS, FAILURE, TIMEOUT, EOF = 0, 1, -1, 2
_LOG_ERROR = 3
_LOGGED_FAILURES = 20
_NO_TIME = 2**64 - 1
_NO_INDEX = 2**64 - 1
# ts, tid, len, type, nparams, then the two parameter lengths and the plugin id.
_HEADER = struct.Struct("<QQIHIIII")
_PAYLOAD_OFFSET = _HEADER.size

_UINT64, _STRING, _RELTIME, _ABSTIME, _BOOL, _IPADDR, _IPNET = 8, 9, 20, 21, 25, 40, 41


class _State:
    """One plugin state: the author's object and the memory lent to the host."""

    def __init__(self, plugin: PythonPlugin) -> None:
        self.plugin = plugin
        self.info = plugin.info()
        self.error: Any = None
        self.failures = 0
        self.lent: list[Any] = []
        self.texts: dict[str, Any] = {}
        # By field ID: its name, and memory for a single value of it.
        self.names: dict[int, str] = {}
        self.slots: dict[int, Any] = {}
        self.instances: dict[int, Any] = {}
        self.log: Any = None
        self.handle: Any = None


class _Runtime:
    def __init__(self, ffi: Any, lib: Any, source: str, name: str) -> None:
        self.ffi = ffi
        self.lib = lib
        self.states: dict[int, _State] = {}
        self.sources: dict[bytes, str] = {}
        self.problem: str | None = None
        self.plugin_class: type[PythonPlugin] | None = None
        namespace: dict[str, Any] = {"__name__": f"falco_plugin_{name}"}
        try:
            code = compile(source, f"<plugin {name}>", "exec")
            exec(code, namespace)  # noqa: S102 - the library is made of this source
            self.plugin_class = find_plugin_class(namespace)
        except Exception:  # noqa: BLE001 - an author's error of any kind is reported
            self.problem = traceback.format_exc()

    def state(self, s: Any) -> _State:
        state: _State = self.ffi.from_handle(s)
        return state

    def text(self, state: _State, slot: str, value: str | bytes) -> Any:
        """Give C text that lives until the next call of the same function."""
        raw = value if isinstance(value, bytes) else value.encode("utf-8", "replace")
        kept = state.texts[slot] = self.ffi.new("char[]", raw.replace(b"\0", b""))
        return kept

    def fail(self, state: _State) -> int:
        """Keep the error in hand as last error, its traceback in the log.

        Extraction may fail for every event: only the first tracebacks are logged.
        """
        error = sys.exc_info()[1]
        short = "".join(traceback.format_exception_only(error)).strip().splitlines()[-1]
        state.error = self.ffi.new("char[]", short.encode("utf-8", "replace"))
        state.failures += 1
        if state.log is not None and state.failures <= _LOGGED_FAILURES:
            trace = traceback.format_exc()
            owner, fn = state.log
            text = self.ffi.new("char[]", trace.encode("utf-8", "replace"))
            self.lib.wbp_call_log(fn, owner, text, _LOG_ERROR)
        return FAILURE

    def event(self, given: Any) -> PluginEvent:
        ffi = self.ffi
        source = ffi.string(given.source)
        known = self.sources.get(source)
        if known is None:
            known = self.sources[source] = source.decode("utf-8", "replace")
        data = ffi.unpack(given.data, given.size)
        return PluginEvent(given.number, given.time, data, known)


def _address(value: Any) -> bytes:
    if isinstance(value, bytes):
        return value
    return ipaddress.ip_address(value).packed


def install(ffi: Any, lib: Any, source: str, name: str) -> None:
    """Define the functions that the C side calls."""
    run = _Runtime(ffi, lib, source, name)
    new = ffi.new

    @ffi.def_extern(error=ffi.NULL)
    def wbp_py_init(config: Any, owner: Any, log: Any, rc: Any) -> Any:
        if run.plugin_class is None:
            state = _State.__new__(_State)
            state.error = new("char[]", (run.problem or "").encode("utf-8", "replace"))
            state.plugin = PythonPlugin()
            state.handle = ffi.new_handle(state)
            run.states[int(ffi.cast("uintptr_t", state.handle))] = state
            rc[0] = FAILURE
            return state.handle
        state = _State(run.plugin_class())
        state.log = (owner, log) if log else None
        state.handle = ffi.new_handle(state)
        run.states[int(ffi.cast("uintptr_t", state.handle))] = state
        try:
            text = ffi.string(config).decode("utf-8", "surrogateescape")
            schema = run.plugin_class.init_schema
            state.plugin.init(json.loads(text or "{}") if schema else text)
            rc[0] = SUCCESS
        except Exception:  # noqa: BLE001 - becomes the last error
            rc[0] = run.fail(state)
        return state.handle

    @ffi.def_extern()
    def wbp_py_destroy(s: Any) -> None:
        state = run.states.pop(int(ffi.cast("uintptr_t", s)), None)
        if state is not None:
            try:
                state.plugin.destroy()
            except Exception:  # noqa: BLE001 - nobody is left to tell but the log
                run.fail(state)

    @ffi.def_extern(error=ffi.NULL)
    def wbp_py_last_error(s: Any) -> Any:
        return run.state(s).error or ffi.NULL

    @ffi.def_extern(error=ffi.NULL)
    def wbp_py_list_open_params(s: Any, rc: Any) -> Any:
        state = run.state(s)
        try:
            params = [p.to_dict() for p in state.plugin.open_params()]
            rc[0] = SUCCESS
            return run.text(state, "open_params", json.dumps(params))
        except Exception:  # noqa: BLE001 - becomes the last error
            rc[0] = run.fail(state)
            return ffi.NULL

    @ffi.def_extern(error=ffi.NULL)
    def wbp_py_open(s: Any, params: Any, rc: Any) -> Any:
        state = run.state(s)
        try:
            text = ffi.string(params).decode("utf-8", "surrogateescape")
            opened = [state.plugin.open(text), None]
            handle = ffi.new_handle(opened)
            state.instances[int(ffi.cast("uintptr_t", handle))] = (handle, opened)
            rc[0] = SUCCESS
        except Exception:  # noqa: BLE001 - becomes the last error
            rc[0] = run.fail(state)
            return ffi.NULL
        return handle

    @ffi.def_extern()
    def wbp_py_close(s: Any, h: Any) -> None:
        state = run.state(s)
        kept = state.instances.pop(int(ffi.cast("uintptr_t", h)), None)
        if kept is not None:
            try:
                state.plugin.close(kept[1][0])
            except Exception:  # noqa: BLE001 - becomes the last error
                run.fail(state)

    pack = _HEADER.pack

    @ffi.def_extern(error=FAILURE)
    def wbp_py_next_batch(s: Any, h: Any, count: Any, arena: Any) -> int:
        state = run.state(s)
        opened = state.instances[int(ffi.cast("uintptr_t", h))][1]
        rc = SUCCESS
        try:
            events = state.plugin.next_batch(opened[0])
        except EndOfEvents as end:
            events, rc = end.events, EOF
        except Exception:  # noqa: BLE001 - becomes the last error
            return run.fail(state)
        if not events:
            return EOF if rc == EOF else TIMEOUT
        number = state.info.id
        try:
            pieces = []
            for item in events:
                ts, data = item if isinstance(item, tuple) else (_NO_TIME, item)
                size = len(data)
                head = pack(
                    ts, _NO_TIME, _PAYLOAD_OFFSET + size, 322, 2, 4, size, number
                )
                pieces.append(head)
                pieces.append(data)
            blob = bytearray().join(pieces)
        except Exception:  # noqa: BLE001 - an event of a wrong kind
            return run.fail(state)
        # Lent until the next batch or close.
        opened[1] = ffi.from_buffer(blob)
        count[0] = len(events)
        arena[0] = opened[1]
        return rc

    @ffi.def_extern(error=ffi.NULL)
    def wbp_py_progress(s: Any, h: Any, pct: Any) -> Any:
        state = run.state(s)
        try:
            percent, text = state.plugin.progress(
                state.instances[int(ffi.cast("uintptr_t", h))][1][0]
            )
            pct[0] = min(10000, max(0, round(percent * 100)))
            return run.text(state, "progress", text)
        except Exception:  # noqa: BLE001 - becomes the last error
            run.fail(state)
            return ffi.NULL

    @ffi.def_extern(error=ffi.NULL)
    def wbp_py_event_to_string(s: Any, given: Any) -> Any:
        state = run.state(s)
        try:
            text = state.plugin.event_to_string(run.event(given))
            return run.text(state, "event_to_string", text)
        except Exception:  # noqa: BLE001 - becomes the last error
            run.fail(state)
            return ffi.NULL

    def c_text(value: Any) -> bytes:
        raw = value if isinstance(value, bytes) else str(value).encode("utf-8")
        return raw.partition(b"\0")[0] + b"\0" if b"\0" in raw else raw + b"\0"

    arrays = {_BOOL: "uint32_t[]", _STRING: "char *[]"}
    arrays |= {_IPADDR: "wbp_byte_buffer[]", _IPNET: "wbp_byte_buffer[]"}
    from_buffer = ffi.from_buffer

    def stored(kind: int, value: Any, lent: list[Any]) -> Any:
        """Give one value as C stores it; what it points to is lent."""
        if kind == _STRING:
            text = from_buffer("char[]", c_text(value))
            lent.append(text)
            return text
        if kind in (_IPADDR, _IPNET):
            address = from_buffer(_address(value))
            lent.append(address)
            return (len(address), address)
        return bool(value) if kind == _BOOL else value

    def put(state: _State, field: Any, value: Any) -> None:
        """Lend the value or values of one field to the host."""
        kind = field.ftype
        lent = state.lent
        if field.flist:
            values = [stored(kind, v, lent) for v in value]
            many = new(arrays.get(kind, "uint64_t[]"), values)
            lent.append(many)
            field.res = many
            field.res_len = len(values)
            return
        # One slot per field and state: a call never asks twice for one field.
        slot = state.slots.get(field.field_id)
        if slot is None:
            slot = new(arrays.get(kind, "uint64_t[]"), 1)
            state.slots[field.field_id] = slot
        slot[0] = stored(kind, value, lent)
        field.res = slot
        field.res_len = 1

    @ffi.def_extern(error=FAILURE)
    def wbp_py_extract(s: Any, given: Any, count: int, fields: Any) -> int:
        state = run.state(s)
        # Lent until the next extraction.
        state.lent = []
        names = state.names
        try:
            event = run.event(given)
            extract = state.plugin.extract
            for i in range(count):
                field = fields[i]
                field.res_len = 0
                name = names.get(field.field_id)
                if name is None:
                    name = names[field.field_id] = ffi.string(field.field).decode()
                arg: str | int | None = None
                if field.arg_present:
                    if field.arg_key:
                        arg = ffi.string(field.arg_key).decode("utf-8", "replace")
                    else:
                        arg = field.arg_index
                value = extract(event, name, arg)
                if value is not None:
                    put(state, field, value)
        except Exception:  # noqa: BLE001 - becomes the last error
            return run.fail(state)
        return SUCCESS

    @ffi.def_extern(error=FAILURE)
    def wbp_py_parse(s: Any, given: Any) -> int:
        state = run.state(s)
        try:
            state.plugin.parse(run.event(given))
        except Exception:  # noqa: BLE001 - becomes the last error
            return run.fail(state)
        return SUCCESS
