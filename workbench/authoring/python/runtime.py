"""Inside a library made from Python: answers the C calls that ``glue.c`` hands over.

Runs in the interpreter that the library started (or found running). :func:`install` is
called once with the library's ffi and the author's source text.
"""

from __future__ import annotations

import contextlib
import ipaddress
import json
import linecache
import os
import sys
import traceback
from typing import TYPE_CHECKING, Any

from workbench.authoring.facts.event_header import NO_TIME, event_header
from workbench.authoring.python.model import PythonPlugin, find_plugin_class
from workbench.authoring.python.values import EndOfEvents, PluginEvent, PluginInfo

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["install"]

SUCCESS, FAILURE, TIMEOUT, EOF = 0, 1, -1, 2
_LOG_ERROR = 3
# Tracebacks logged by one state, bytes; a log line carries so many.
_MAX_LOGGED_BYTES = 1 << 20
_MAX_LINE_BYTES = 8000

_UINT64, _STRING, _RELTIME, _ABSTIME, _BOOL, _IPADDR, _IPNET = 8, 9, 20, 21, 25, 40, 41
# Field type → C array that holds values of it; whole numbers by default.
_ARRAYS = {
    _BOOL: "uint32_t[]",
    _STRING: "char *[]",
    _IPADDR: "wbp_byte_buffer[]",
    _IPNET: "wbp_byte_buffer[]",
}


class _State:
    """One plugin state: the author's object and the memory lent to the host."""

    def __init__(self) -> None:
        self.plugin = PythonPlugin()
        self.info = PluginInfo("")
        self.error: Any = None
        self.logged_bytes = 0
        # Event number and traceback logged last: a host may ask again for each field.
        self.logged_last = (-1, "")
        self.event_number = -1
        # Calls whose first error stands on stderr.
        self.printed: set[str] = set()
        self.lent: list[Any] = []
        self.texts: dict[str, Any] = {}
        # By field ID: its name, and memory for a single value of it.
        self.names: dict[int, str] = {}
        self.slots: dict[int, Any] = {}
        # By address: the handle, the author's instance, the batch lent last.
        self.instances: dict[int, list[Any]] = {}
        self.log: Any = None
        self.handle: Any = None


def _c_bytes(value: Any) -> bytes:
    """Return a text as C reads it: up to its first NUL, with one at the end."""
    raw = value if isinstance(value, bytes) else str(value).encode("utf-8")
    return raw.partition(b"\0")[0] + b"\0" if b"\0" in raw else raw + b"\0"


def _address_bytes(value: Any) -> bytes:
    if isinstance(value, bytes):
        return value
    return ipaddress.ip_address(value).packed


def _pieces(text: str) -> list[str]:
    """Return ``text`` in pieces that fit into log lines, cut between its lines."""
    pieces = [""]
    for line in text.splitlines(keepends=True):
        for at in range(0, len(line), _MAX_LINE_BYTES // 4):
            part = line[at : at + _MAX_LINE_BYTES // 4]
            if len((pieces[-1] + part).encode("utf-8", "replace")) > _MAX_LINE_BYTES:
                pieces.append("")
            pieces[-1] += part
    return pieces


class Runtime:
    """The plugin class of one library and its states; C calls the methods of ``CALLS``.

    An exception of the author's code becomes the last error and the return code FAILURE
    (or NULL); its traceback goes to the log.
    """

    def __init__(
        self, ffi: Any, lib: Any, source: str, name: str, filename: str
    ) -> None:
        """Execute ``source``; what goes wrong is kept for the first ``init``.

        ``filename``: where the author keeps the source, for tracebacks.
        """
        self.ffi = ffi
        self.lib = lib
        # Looked up for every value.
        self.from_buffer = ffi.from_buffer
        self.states: dict[int, _State] = {}
        self.sources: dict[bytes, str] = {}
        self.load_error = ""
        self.filename = filename
        self.plugin_class: type[PythonPlugin] | None = None
        namespace: dict[str, Any] = {"__name__": f"falco_plugin_{name}"}
        # Tracebacks show the lines as built, not as the file is by then.
        lines = source.splitlines(keepends=True)
        linecache.cache[filename] = (len(source), None, lines, filename)
        try:
            code = compile(source, self.filename, "exec")
            exec(code, namespace)  # noqa: S102 - the library is made of this source
            self.plugin_class = find_plugin_class(namespace)
        except Exception:  # noqa: BLE001 - an author's error of any kind is reported
            self.load_error = traceback.format_exc()

    # -- between C and Python ------------------------------------------------------

    def _number(self, pointer: Any) -> int:
        return int(self.ffi.cast("uintptr_t", pointer))

    def _state(self, s: Any) -> _State:
        state: _State = self.ffi.from_handle(s)
        return state

    def _event(self, state: _State, given: Any) -> PluginEvent:
        ffi = self.ffi
        source = ffi.string(given.source)
        known = self.sources.get(source)
        if known is None:
            known = self.sources[source] = source.decode("utf-8", "replace")
        data = ffi.unpack(given.data, given.size)
        state.event_number = given.number
        return PluginEvent(given.number, given.time, data, known)

    def _c_text(self, text: str) -> Any:
        raw = text.encode("utf-8", "replace").replace(b"\0", b"")
        return self.ffi.new("char[]", raw)

    def _fail(self, state: _State, call: str = "") -> int:
        """Keep the current error as last error and log its traceback.

        Extraction may fail for every event: only so many bytes are logged, and only
        the first error of a ``call`` that is named goes to stderr, as one line.
        """
        error = sys.exc_info()[1]
        place = self._place(error)
        if call and error is not None and call not in state.printed:
            state.printed.add(call)
            self._print_first(state, call, error, place)
        short = "".join(traceback.format_exception_only(error)).strip().splitlines()[-1]
        state.error = self._c_text(place + short)
        if error is not None:
            self._log_traceback(state, error)
        return FAILURE

    def _log_traceback(self, state: _State, error: BaseException) -> None:
        if state.log is None or state.logged_bytes > _MAX_LOGGED_BYTES:
            return
        frames = error.__traceback__
        while frames and frames.tb_frame.f_code.co_filename == __file__:
            frames = frames.tb_next
        shown = frames or error.__traceback__
        text = "".join(traceback.format_exception(type(error), error, shown))
        if (state.event_number, text) == state.logged_last:
            return
        state.logged_last = state.event_number, text
        state.logged_bytes += len(text)
        pieces = _pieces(text)
        if state.logged_bytes > _MAX_LOGGED_BYTES:
            pieces.append("further tracebacks are not logged")
        owner, function = state.log
        for piece in pieces:
            self.lib.wbp_call_log(function, owner, self._c_text(piece), _LOG_ERROR)

    def _place(self, error: BaseException | None) -> str:
        """Return the last line of the author's own that the error came through."""
        frames = traceback.extract_tb(error.__traceback__ if error else None)
        lines = [f.lineno for f in frames if f.filename == self.filename]
        return f"{os.path.basename(self.filename)}:{lines[-1]} " if lines else ""  # noqa: PTH119

    def _print_first(
        self, state: _State, call: str, error: BaseException, place: str
    ) -> None:
        if "workbench.host.plugin_host" in sys.modules:
            # This host tells it itself, also across the border of a worker.
            return
        # what the exception says may come from the event: the log alone holds it
        text = (
            f"plugin {state.info.name}: error in {call}: {place}"
            f"{type(error).__name__}; the log has the traceback\n"
        )
        # a host may have closed its stderr
        with contextlib.suppress(OSError, ValueError, AttributeError):
            sys.stderr.write(text)
            sys.stderr.flush()

    def _lend_text(
        self, state: _State, slot: str, make: Callable[[], str], rc: Any = None
    ) -> Any:
        """Return C text that lives until the next call for ``slot``; NULL on failure.

        ``rc``: where the return code goes, if the call has one.
        """
        code = SUCCESS
        try:
            state.texts[slot] = self._c_text(make())
        except Exception:  # noqa: BLE001 - becomes the last error
            code = self._fail(state)
        if rc is not None:
            rc[0] = code
        return self.ffi.NULL if code else state.texts[slot]

    # -- life of a state -----------------------------------------------------------

    def init(self, config: Any, owner: Any, log: Any, rc: Any) -> Any:
        """Make a state; it is returned after a failure too, to be asked why."""
        state = _State()
        state.handle = self.ffi.new_handle(state)
        state.log = (owner, log) if log else None
        self.states[self._number(state.handle)] = state
        if self.plugin_class is None:
            state.error = self._c_text(self.load_error)
            rc[0] = FAILURE
            return state.handle
        try:
            state.plugin = self.plugin_class()
            state.info = state.plugin.info()
            text = self.ffi.string(config).decode("utf-8", "surrogateescape")
            schema = self.plugin_class.init_schema
            state.plugin.init(json.loads(text or "{}") if schema else text)
            rc[0] = SUCCESS
        except Exception:  # noqa: BLE001 - becomes the last error
            rc[0] = self._fail(state)
        return state.handle

    def destroy(self, s: Any) -> None:
        """Destroy a state."""
        state = self.states.pop(self._number(s), None)
        if state is not None:
            try:
                state.plugin.destroy()
            except Exception:  # noqa: BLE001 - only the log is left to read it
                self._fail(state)

    def last_error(self, s: Any) -> Any:
        """Return the last error as C text, or NULL."""
        return self._state(s).error or self.ffi.NULL

    # -- sourcing ------------------------------------------------------------------

    def list_open_params(self, s: Any, rc: Any) -> Any:
        """Return the suggested open params as JSON."""
        state = self._state(s)
        return self._lend_text(
            state,
            "open_params",
            lambda: json.dumps([p.to_dict() for p in state.plugin.open_params()]),
            rc,
        )

    def open(self, s: Any, params: Any, rc: Any) -> Any:
        """Open an instance and return its handle."""
        state = self._state(s)
        try:
            text = self.ffi.string(params).decode("utf-8", "surrogateescape")
            opened = [None, state.plugin.open(text), None]
        except Exception:  # noqa: BLE001 - becomes the last error
            rc[0] = self._fail(state)
            return self.ffi.NULL
        handle = opened[0] = self.ffi.new_handle(opened)
        state.instances[self._number(handle)] = opened
        rc[0] = SUCCESS
        return handle

    def close(self, s: Any, h: Any) -> None:
        """Close an instance."""
        state = self._state(s)
        opened = state.instances.pop(self._number(h), None)
        if opened is not None:
            try:
                state.plugin.close(opened[1])
            except Exception:  # noqa: BLE001 - becomes the last error
                self._fail(state)

    def next_batch(self, s: Any, h: Any, count: Any, arena: Any) -> int:
        """Lend the next events, one behind the other, until the next batch or close."""
        state = self._state(s)
        opened = state.instances[self._number(h)]
        rc = SUCCESS
        try:
            events = state.plugin.next_batch(opened[1])
        except EndOfEvents as end:
            events, rc = end.events, EOF
        except Exception:  # noqa: BLE001 - becomes the last error
            return self._fail(state)
        if not events:
            return EOF if rc == EOF else TIMEOUT
        plugin_id = state.info.id
        try:
            pieces = []
            for item in events:
                time_ns, data = item if isinstance(item, tuple) else (NO_TIME, item)
                pieces.append(event_header(time_ns, len(data), plugin_id))
                pieces.append(data)
            block = bytearray().join(pieces)
        except Exception:  # noqa: BLE001 - an event of a wrong type
            return self._fail(state)
        arena[0] = opened[2] = self.ffi.from_buffer(block)
        count[0] = len(events)
        return rc

    def progress(self, s: Any, h: Any, pct: Any) -> Any:
        """Return the progress as text, and its number in hundredths of a percent."""
        state = self._state(s)

        def text() -> str:
            instance = state.instances[self._number(h)][1]
            percent, said = state.plugin.progress(instance)
            pct[0] = min(10000, max(0, round(percent * 100)))
            return said

        return self._lend_text(state, "progress", text)

    def event_to_string(self, s: Any, given: Any) -> Any:
        """Return one line of text for an event."""
        state = self._state(s)
        return self._lend_text(
            state,
            "event_to_string",
            lambda: state.plugin.event_to_string(self._event(state, given)),
        )

    # -- extraction and parsing ----------------------------------------------------

    def extract(self, s: Any, given: Any, count: int, fields: Any) -> int:
        """Lend the values of several fields of one event until the next extraction."""
        state: _State = self.ffi.from_handle(s)
        state.lent = []
        names = state.names
        try:
            event = self._event(state, given)
            extract = state.plugin.extract
            for i in range(count):
                field = fields[i]
                field.res_len = 0
                name = names.get(field.field_id)
                if name is None:
                    name = names[field.field_id] = self.ffi.string(field.field).decode()
                arg: str | int | None = None
                if field.arg_present:
                    if field.arg_key:
                        arg = self.ffi.string(field.arg_key).decode("utf-8", "replace")
                    else:
                        arg = field.arg_index
                value = extract(event, name, arg)
                if value is not None:
                    self._lend(state, field, value)
        except Exception:  # noqa: BLE001 - becomes the last error
            return self._fail(state, "extract")
        return SUCCESS

    def _lend(self, state: _State, field: Any, value: Any) -> None:
        """Lend the value or values of one field to the host."""
        kind = field.ftype
        lent = state.lent
        if field.flist:
            values = [self._stored(kind, v, lent) for v in value]
            many = self.ffi.new(_ARRAYS.get(kind, "uint64_t[]"), values)
            lent.append(many)
            field.res = many
            field.res_len = len(values)
            return
        # One slot per field and state: a call never asks twice for one field.
        slot = state.slots.get(field.field_id)
        if slot is None:
            slot = self.ffi.new(_ARRAYS.get(kind, "uint64_t[]"), 1)
            state.slots[field.field_id] = slot
        slot[0] = self._stored(kind, value, lent)
        field.res = slot
        field.res_len = 1

    def _stored(self, kind: int, value: Any, lent: list[Any]) -> Any:
        """Return one value as C stores it; what it points to is lent."""
        if kind == _STRING:
            text = self.from_buffer("char[]", _c_bytes(value))
            lent.append(text)
            return text
        if kind in (_IPADDR, _IPNET):
            address = self.from_buffer(_address_bytes(value))
            lent.append(address)
            return (len(address), address)
        return bool(value) if kind == _BOOL else value

    def parse(self, s: Any, given: Any) -> int:
        """Hand one event to the author's ``parse``."""
        state = self._state(s)
        try:
            state.plugin.parse(self._event(state, given))
        except Exception:  # noqa: BLE001 - becomes the last error
            return self._fail(state, "parse")
        return SUCCESS


# Method of Runtime → what C gets when the method itself breaks: a return code, NULL, or
# nothing. C calls the methods wbp_py_….
_NULL, _NOTHING = "NULL", "nothing"
CALLS: dict[str, int | str] = {
    "init": _NULL,
    "destroy": _NOTHING,
    "last_error": _NULL,
    "list_open_params": _NULL,
    "open": _NULL,
    "close": _NOTHING,
    "next_batch": FAILURE,
    "progress": _NULL,
    "event_to_string": _NULL,
    "extract": FAILURE,
    "parse": FAILURE,
}


def install(ffi: Any, lib: Any, source: str, name: str, filename: str) -> None:
    """Define the functions that the C side calls."""
    runtime = Runtime(ffi, lib, source, name, filename)
    for method, broken in CALLS.items():
        options: dict[str, Any] = {"name": f"wbp_py_{method}"}
        if broken != _NOTHING:
            options["error"] = ffi.NULL if broken == _NULL else broken
        ffi.def_extern(**options)(getattr(runtime, method))
