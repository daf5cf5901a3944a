"""The plugins of one session, driven by plain data: what worker and kernel share.

Every public method takes and gives what JSON can carry (besides buffers of stored
events), and raises HostError for what is expected to go wrong.
"""

from __future__ import annotations

from workbench.host.declarations import FIELD_CODES, check_open_params
from workbench.host.handles import HostHandle, PluginHandle, Pump
from workbench.host.library import open_library
from workbench.host.loader import examine
from workbench.wire.messages import HostError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

__all__ = ["END_REASONS", "PluginHost"]

# Bits of the pump, see cdef/pump.h.
_FLAGS = {
    "keep_payload": 1,
    "keep_raw": 2,
    "plugin_info": 4,
    "one_field_per_call": 8,
    "dictionaries": 16,
    "async_columns": 32,
    "parse": 64,
    "one_number": 128,
    "own_numbers": 256,
}
_EOF, _LIMIT, _CANCELLED, _FAILURE, _BAD_EVENT = 1, 2, 3, 4, 5
END_REASONS = {_EOF: "eof", _LIMIT: "limit", _CANCELLED: "cancelled"}
_RETURN_CODES = {
    0: "SUCCESS",
    1: "FAILURE",
    -1: "TIMEOUT",
    2: "EOF",
    3: "NOT_SUPPORTED",
}
_SUCCESS = 0


class _Loaded:
    """A plugin and what the loader found out about it."""

    def __init__(
        self, handle: PluginHandle, facts: dict[str, Any], ids: dict[str, int]
    ) -> None:
        self.handle = handle
        self.facts = facts
        self.ids = ids
        self.initialised = False

    @property
    def name(self) -> str:
        return str(self.facts["name"])


class PluginHost:
    """Load, initialise, open and ask plugins in this process."""

    def __init__(self, shared_page: Any, log_fd: int) -> None:
        """Start empty; ``shared page`` is the shared page."""
        self._shared_page, self._log_fd = shared_page, log_fd
        self._host = HostHandle(shared_page, log_fd)
        self._plugins: list[_Loaded | None] = []
        self.pump: Pump | None = None
        self._source: _Loaded | None = None

    # ---- loading --------------------------------------------------------------

    def load(
        self, path: str, *, file: str | None = None, inspect: bool = False
    ) -> dict[str, Any]:
        """Load a library; give its ``plugin`` number and its ``manifest`` facts.

        ``file``: where ``path`` is, when it means something else here. ``inspect``:
        give complaints as data instead of refusing, and do not keep the library.
        """
        index = len(self._plugins)
        self._plugins.append(None)
        handle = open_library(self._host, path, file or path, index)
        facts, ids, minor = examine(handle, path)
        complaints = facts["complaints"]
        if inspect:
            handle.free()
            return {"plugin": index, "manifest": facts}
        complaints += self._neighbours(facts)
        if complaints:
            handle.free()
            shown = "\n  ".join(complaints)
            if not facts["symbols"]:
                shown += " (it exports no function of the plugin API: is it a plugin?)"
            raise HostError(
                "PluginLoadError",
                f"cannot load plugin {path}: {shown}",
                path=path,
                complaints=complaints,
            )
        if facts["family"]:
            handle.describe(
                facts["family"],
                minor,
                facts["name"],
                facts["event_source"],
                facts["id"],
            )
            capabilities = facts["capabilities"]
            if "extraction" in capabilities:
                handle.scope(parsing=False, sources=facts["extract_event_sources"])
            if "parsing" in capabilities:
                handle.scope(parsing=True, sources=facts["parse_event_sources"])
            if "async" in capabilities:
                handle.announce(facts["async_events"], facts["async_event_sources"])
        self._plugins[index] = _Loaded(handle, facts, ids)
        return {"plugin": index, "manifest": facts}

    def _neighbours(self, facts: dict[str, Any]) -> list[str]:
        """Hold a new plugin against those loaded before it."""
        name, number = facts["name"], facts["id"]
        others = [p for p in self._plugins if p is not None]
        if any(p.name == name for p in others):
            return [f"found another plugin with name {name}. Aborting."]
        if number and any(p.facts["id"] == number for p in others):
            return [f"found another plugin with ID {number}. Aborting."]
        return []

    def _plugin(self, index: int) -> _Loaded:
        plugin = self._plugins[index] if 0 <= index < len(self._plugins) else None
        if plugin is None:
            raise HostError("WorkbenchError", f"there is no plugin number {index} here")
        return plugin

    def _ready(self, index: int) -> _Loaded:
        plugin = self._plugin(index)
        if not plugin.initialised:
            raise HostError(
                "WorkbenchError",
                f"plugin capability used before init: {plugin.name}",
            )
        return plugin

    def init(
        self, index: int, config: str, *, as_falco: bool = False
    ) -> dict[str, Any]:
        """Initialise; give the suggested open params.

        ``as_falco``: without state tables where Falco gives none.
        """
        plugin = self._plugin(index)
        if plugin.initialised:
            raise HostError(
                "WorkbenchError", f"plugin has been initialized twice: {plugin.name}"
            )
        if "\0" in config:
            raise HostError(
                "PluginInitError",
                f"could not initialize plugin: {plugin.name}: the init config holds a "
                "NUL character, which C text cannot carry",
                plugin=plugin.name,
            )
        code = plugin.handle.init(config, as_falco=as_falco)
        if code != _SUCCESS:
            had_state = plugin.handle.has_state()
            said = plugin.handle.last_error()
            plugin.handle.destroy()
            reason = said
            if not had_state:
                reason = "plugin handle or 'get_last_error' function not defined"
            raise HostError(
                "PluginInitError",
                f"could not initialize plugin: {reason or 'it gave no reason'} "
                f"(plugin {plugin.name}, plugin_init returned {_code_name(code)})",
                plugin=plugin.name,
                last_error=said,
            )
        plugin.initialised = True
        plugin.handle.ask_types()
        if "sourcing" not in plugin.facts["capabilities"]:
            return {"open_params": []}
        params, complaint = check_open_params(*plugin.handle.open_params())
        return {"open_params": params, "complaint": complaint}

    # ---- trials ------------------------------------------------------------------

    def second_handle(self, index: int) -> PluginHost:
        """Return a plugin host whose plugin 0 shares a mapped library."""
        plugin = self._plugin(index)
        plugin_host = PluginHost(self._shared_page, self._log_fd)
        handle = plugin_host._host.second_handle(plugin.handle)
        plugin_host._plugins.append(_Loaded(handle, plugin.facts, plugin.ids))
        return plugin_host

    # ---- captures --------------------------------------------------------------

    def open(
        self,
        index: int,
        params: str,
        columns: list[dict[str, Any]],
        options: dict[str, Any],
        data_fd: int = -1,
        *,
        programs: Sequence[Any] = (),
    ) -> dict[str, Any]:
        """Open the source; give the event source and the names of the columns.

        ``programs``: stages of a filter, see ``native/src/pump/filter.h``.
        """
        plugin = self._ready(index)
        if self.pump is not None:
            raise HostError(
                "PluginOpenError",
                f"a capture of {self._source.name if self._source else ''} is open: "
                "close it first",
                plugin=plugin.name,
                params=params,
            )
        if "sourcing" not in plugin.facts["capabilities"]:
            raise HostError(
                "PluginOpenError",
                f"plugin {plugin.name} has no event source to open: its capabilities "
                f"are {', '.join(plugin.facts['capabilities'])}",
                plugin=plugin.name,
                params=params,
            )
        if "\0" in params:
            raise HostError(
                "PluginOpenError",
                "the open params hold a NUL character, which C text cannot carry",
                plugin=plugin.name,
                params=params,
            )
        source = plugin.facts["event_source"] or "syscall"
        options = {**options, "async_columns": self._any("async")}
        flags = sum(bit for name, bit in _FLAGS.items() if options.get(name))
        pump = self._host.pump(
            plugin.handle,
            source,
            data_fd=data_fd,
            chunk_rows=int(options["chunk_rows"]),
            window_bytes=int(options["window_bytes"]),
            flush_ns=int(options["flush_sec"] * 1e9),
            max_events=int(options["max_events"] or 0),
            flags=flags,
            number_base=int(options["number_base"]),
        )
        try:
            names = self._want(pump, columns, options)
            for program in programs:
                pump.filter(program, int(options["order"]))
            pump.prepare()
            _open_source(pump, plugin, params)
        except BaseException:
            pump.free()
            raise
        self.pump = pump
        self._source = plugin
        return {"source": source, "columns": names}

    def _want(
        self, pump: Pump, columns: list[dict[str, Any]], options: dict[str, Any]
    ) -> list[str]:
        names = ["evt.num", "evt.rawtime"]
        for column in columns:
            plugin = self._ready(int(column["plugin"]))
            number = plugin.ids.get(column["field"])
            if number is None:
                raise HostError(
                    "WorkbenchError",
                    f"plugin {plugin.name} has no field {column['field']}",
                )
            index = int(column["arg_index"])
            pump.want(
                plugin.handle,
                number,
                column["field"],
                FIELD_CODES[column["type"]],
                is_list=bool(column["is_list"]),
                arg_present=bool(column["arg_present"]),
                arg_key=column["arg_key"],
                arg_index=index,
                offsets=bool(column["offsets"]),
            )
            names.append(column["column"])
            if column["offsets"]:
                names += [f"{column['column']}#start", f"{column['column']}#len"]
        for option, name in (
            ("keep_payload", "payload"),
            ("keep_raw", "raw"),
            ("plugin_info", "evt.plugininfo"),
        ):
            if options.get(option):
                names.append(name)
        if options.get("async_columns"):
            names += ["evt.is_async", "evt.asynctype"]
        return names

    def _any(self, capability: str) -> bool:
        """Return whether an initialised plugin has a capability."""
        return any(
            p is not None and p.initialised and capability in p.facts["capabilities"]
            for p in self._plugins
        )

    def end_of_capture(self) -> dict[str, Any]:
        """Return why the pump ended: ``end``, and ``error`` as data or None.

        ``ways``: how events were filtered.
        """
        pump, plugin = self.pump, self._source
        if pump is None or plugin is None:
            return {"end": "cancelled", "error": None, "ways": []}
        reason, code, message, events = pump.end()
        ways = pump.ways()
        if reason in END_REASONS:
            return {"end": END_REASONS[reason], "error": None, "ways": ways}
        said = None
        if reason == _FAILURE:
            said = plugin.handle.last_error()
            message = (
                f"{said or 'the plugin gave no reason'} (plugin {plugin.name}, "
                f"{self._next_call()} returned {_code_name(code)} "
                f"after event #{events})"
            )
        error = HostError(
            "PluginFailure",
            message,
            plugin=plugin.name,
            call=self._next_call(),
            return_code=code,
            last_error=said,
            event_number=events,
        )
        return {"end": "failure", "error": error.to_wire(), "ways": ways}

    def _next_call(self) -> str:
        plugin = self._source
        batched = plugin is None or plugin.handle.has("next_batch")
        return "plugin_next_batch" if batched else "plugin_next"

    def close_capture(self) -> None:
        """Close the source (idempotent)."""
        pump, self.pump, self._source = self.pump, None, None
        if pump is not None:
            pump.free()

    def progress(self) -> dict[str, Any] | None:
        """Ask for the progress of the open capture; None when it has none."""
        answer = self.pump.progress() if self.pump is not None else None
        if answer is None:
            return None
        return {"hundredths": answer[0], "text": answer[1]}

    # ---- stored events ----------------------------------------------------------

    def feed(
        self,
        source: str,
        columns: list[dict[str, Any]],
        options: dict[str, Any],
        data_fd: int = -1,
    ) -> tuple[Pump, list[str]]:
        """Return a pump for stored events and the names of its columns.

        Plugins that keep state parse every event first, as in a live stream.
        """
        options = {**options, "parse": self._any("parsing")}
        flags = sum(bit for name, bit in _FLAGS.items() if options.get(name))
        pump = self._host.pump(
            None,
            source,
            data_fd=data_fd,
            chunk_rows=int(options["chunk_rows"]),
            window_bytes=1 << 40,
            flags=flags,
            number_base=int(options.get("number_base", 0)),
        )
        try:
            names = self._want(pump, columns, {})
            pump.prepare()
        except BaseException:
            pump.free()
            raise
        return pump, names

    def event_texts(
        self,
        index: int,
        data: Any,
        offsets: Any,
        numbers: Any,
        count: int,
        *,
        options: dict[str, Any],
    ) -> list[bytes | None]:
        """Return ``event_to_string`` of stored events."""
        plugin = self._ready(index)
        pump = self._host.pump(
            None,
            plugin.facts["event_source"],
            flags=_FLAGS["own_numbers"] if options["own_numbers"] else 0,
            number_base=int(options["number_base"]),
        )
        try:
            return pump.event_texts(plugin.handle, data, offsets, numbers, count)
        finally:
            pump.free()

    # ---- the rest ------------------------------------------------------------------

    def set_config(self, index: int, config: str) -> bool:
        """Hand over a new config; False if the plugin does not take it."""
        return self._ready(index).handle.set_config(config) == _SUCCESS

    def metrics(self, index: int) -> list[dict[str, Any]]:
        """Return the plugin's metrics."""
        return self._ready(index).handle.metrics()

    def tables(self, max_rows: int) -> bytes:
        """Return all state tables as bytes."""
        return self._host.tables(max_rows)

    def dump_state(self) -> list[bytes]:
        """Return the async events that describe the plugins' state."""
        events, failed = self._host.dump_state()
        if failed is not None:
            raise HostError("PluginFailure", failed, call="plugin_dump_state")
        return events

    def close(self) -> None:
        """Close the capture, destroy the plugins (idempotent)."""
        self.close_capture()
        self._plugins = []
        self._host.close()


def _open_source(pump: Pump, plugin: _Loaded, params: str) -> None:
    code = pump.open(params)
    if code != _SUCCESS:
        said = plugin.handle.last_error()
        raise HostError(
            "PluginOpenError",
            f"cannot open {params!r}: {said or 'the plugin gave no reason'} "
            f"(plugin {plugin.name}, plugin_open returned {_code_name(code)})",
            plugin=plugin.name,
            params=params,
            last_error=said,
        )
    refused = pump.live_error()
    if refused is not None:
        listening = refused.startswith("capture_open")
        call = "capture_open" if listening else "set_async_event_handler"
        raise HostError(
            "PluginFailure", refused, plugin=plugin.name, call=f"plugin_{call}"
        )


def _code_name(code: int) -> str:
    return _RETURN_CODES.get(code, f"unknown code {code}")
