"""The worker process: take requests from the notebook, pump while a capture is open.

Started with the descriptors of the control socket, the data socket, the log socket, the
shared_page and the crash text. Ends when the control socket closes.
"""

from __future__ import annotations

import _socket
import mmap
import os
import resource
import struct
import sys

from workbench.host import handles
from workbench.host.event_block import (
    feed_chunks,
    split_block,
    split_programs,
    text_parts,
)
from workbench.host.plugin_host import PluginHost
from workbench.host.stress import rounds, threads
from workbench.wire.limits import refusal_text
from workbench.wire.messages import (
    END,
    MAGIC,
    MESSAGE,
    HostError,
    receive,
    send,
    write_memfd,
)
from workbench.wire.small_json import decode, encode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["main"]

_SLICE_NS = 500_000_000
_ENDED = 2
_PARENT_GONE = 6
_LOST_AT = 164  # wb_shared_page.lost


class _Worker:
    """The state of the loop."""

    def __init__(
        self, control: _socket.socket, data: _socket.socket, plugin_host: PluginHost
    ) -> None:
        self._control = control
        self._data = data
        self._plugin_host = plugin_host
        self._pumping = False
        self._reply_fds: list[int] = []

    def run(self) -> None:
        """Serve until the other side is gone."""
        while True:
            if self._pumping and not self._pump_on():
                continue
            received = receive(self._control)
            if received is None:
                return
            request, fds = received
            if request["op"] == "close":
                self._plugin_host.close()
                send(self._control, {"seq": request["seq"], "ok": None})
                return
            if request["op"] != "wake":
                self._answer(request, fds)

    def _pump_on(self) -> bool:
        """Pump for a while; True when a request waits."""
        pump = self._plugin_host.pump
        if pump is None:
            self._pumping = False
            return True
        why = pump.run(self._control.fileno(), _SLICE_NS)
        if why == _ENDED:
            self._pumping = False
            if pump.end()[0] == _PARENT_GONE:
                raise SystemExit(1)
            end = self._plugin_host.end_of_capture()
            head = MESSAGE.pack(MAGIC, END, 0, pump.events(), 0, 0)
            self._data.sendall(head + encode(end).encode())
        return why == 1

    def _answer(self, request: dict[str, Any], fds: list[int]) -> None:
        reply: dict[str, Any] = {"seq": request["seq"]}
        self._reply_fds = []
        try:
            handler = getattr(self, f"_do_{request['op']}")
            reply["ok"] = handler(request, fds)
        except HostError as error:
            reply["error"] = error.to_wire()
        except OSError as error:
            text = f"the worker cannot do this: {refusal_text(error)}"
            reply["error"] = HostError("WorkbenchError", text).to_wire()
        except Exception:  # noqa: BLE001 - a bug of ours is told, not died of
            reply["error"] = {
                "kind": "WorkbenchError",
                "message": "the worker failed: " + _traceback(),
                "facts": {},
            }
        finally:
            for fd in fds:
                os.close(fd)
        try:
            send(self._control, reply, self._reply_fds)
        except ValueError as error:
            told = HostError("WorkbenchError", f"the worker cannot answer: {error}")
            send(self._control, {"seq": request["seq"], "error": told.to_wire()})
        for fd in self._reply_fds:
            if fd != self._arena_fd():
                os.close(fd)

    def _arena_fd(self) -> int:
        return (
            self._plugin_host.pump.arena_fd()
            if self._plugin_host.pump is not None
            else -1
        )

    def _do_load(self, request: dict[str, Any], _fds: list[int]) -> Any:
        return self._plugin_host.load(
            request["path"], file=request["file"], inspect=request["inspect"]
        )

    def _do_init(self, request: dict[str, Any], _fds: list[int]) -> Any:
        return self._plugin_host.init(
            request["plugin"], request["config"], as_falco=request["as_falco"]
        )

    def _do_open(self, request: dict[str, Any], fds: list[int]) -> Any:
        data = os.pread(fds[0], os.fstat(fds[0]).st_size, 0) if fds else b""
        opened = self._plugin_host.open(
            request["plugin"],
            request["params"],
            request["columns"],
            request["options"],
            self._data.fileno(),
            programs=split_programs(data, request["options"]["programs"]),
        )
        self._pumping = True
        self._reply_fds = [self._arena_fd()]
        return opened

    def _do_close_capture(self, _request: dict[str, Any], _fds: list[int]) -> Any:
        self._pumping = False
        self._plugin_host.close_capture()

    def _do_progress(self, _request: dict[str, Any], _fds: list[int]) -> Any:
        return self._plugin_host.progress()

    def _do_set_config(self, request: dict[str, Any], _fds: list[int]) -> Any:
        return self._plugin_host.set_config(request["plugin"], request["config"])

    def _do_metrics(self, request: dict[str, Any], _fds: list[int]) -> Any:
        return self._plugin_host.metrics(request["plugin"])

    def _do_tables(self, request: dict[str, Any], _fds: list[int]) -> Any:
        data = self._plugin_host.tables(request["max_rows"])
        self._reply_fds = [write_memfd("workbench-tables", [data])]

    def _do_dump_state(self, _request: dict[str, Any], _fds: list[int]) -> Any:
        events = self._plugin_host.dump_state()
        self._reply_fds = [write_memfd("workbench-state", events)]
        return [len(event) for event in events]

    def _do_live_objects(self, _request: dict[str, Any], _fds: list[int]) -> Any:
        return handles.live_objects()

    def _block(self, request: dict[str, Any], fds: list[int]) -> tuple[Any, Any, Any]:
        # Private pages: a plugin that writes into its event changes a copy.
        block = mmap.mmap(fds[0], 0, access=mmap.ACCESS_COPY)
        return split_block(block, request["data_bytes"], request["count"])

    def _do_extract(self, request: dict[str, Any], fds: list[int]) -> Any:
        data, offsets, numbers = self._block(request, fds)
        chunks, names = feed_chunks(self._plugin_host, request, data, offsets, numbers)
        sizes = []
        try:
            parts = []
            for address, size, _ in chunks:
                sizes.append(size)
                parts.append(handles.memory_at(address, size))
            self._reply_fds = [write_memfd("workbench-extract", parts)]
        finally:
            for _, _, free in chunks:
                free()
        return {"sizes": sizes, "columns": names}

    def _do_rounds(self, request: dict[str, Any], _fds: list[int]) -> Any:
        plugin, config = request["plugin"], request["config"]
        return rounds(self._plugin_host, plugin, config, request["count"])

    def _do_threads(self, request: dict[str, Any], fds: list[int]) -> Any:
        blocks = [self._block(request, fds) for _ in range(request["threads"] + 1)]
        runs, names = threads(self._plugin_host, request, blocks)
        chunks = [chunk for run in runs for chunk in run]
        try:
            parts = [handles.memory_at(address, size) for address, size, _ in chunks]
            self._reply_fds = [write_memfd("workbench-threads", parts)]
        finally:
            for _, _, free in chunks:
                free()
        return {"runs": [[size for _, size, _ in r] for r in runs], "columns": names}

    def _do_event_strings(self, request: dict[str, Any], fds: list[int]) -> Any:
        data, offsets, numbers = self._block(request, fds)
        texts = self._plugin_host.event_texts(
            request["plugin"],
            data,
            offsets,
            numbers,
            request["count"],
            options=request["options"],
        )
        self._reply_fds = [write_memfd("workbench-texts", text_parts(texts))]


def main(argv: list[str]) -> None:
    """Serve one notebook.

    ``argv``: five descriptors, that of a plan or -1, and the notebook's process id.
    """
    control_fd, data_fd, log_fd, board_fd, text_fd, plan_fd, parent = map(int, argv)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _offer_to_the_kernel()
    shared_page = mmap.mmap(board_fd, handles.shared_page_bytes())
    os.close(board_fd)
    handles.install_crash_report(shared_page, text_fd)
    handles.end_with_parent(parent)
    control = _socket.socket(fileno=control_fd)
    sandbox = _bind(control, shared_page, log_fd, plan_fd) if plan_fd >= 0 else None
    # A thread: what binds a process comes before there is another one.
    handles.watch_socket(control_fd)
    data = _socket.socket(fileno=data_fd)
    plugin_host = PluginHost(shared_page, log_fd)
    send(control, {"seq": 0, "ok": {"calls": handles.CALLS, "sandbox": sandbox}})
    status = 1
    try:
        _Worker(control, data, plugin_host).run()
        sys.stdout.flush()
        status = 0
    except SystemExit:
        pass
    except BaseException:  # noqa: BLE001 - told to the log, which is all there is
        if _is_open(control_fd) and _is_open(data_fd):
            print(_traceback(), file=sys.stderr)  # noqa: T201 - the log reads it
    finally:
        if not _is_open(control_fd) or not _is_open(data_fd):
            struct.pack_into("<I", shared_page, _LOST_AT, 1)
        # Destructors of plugins that were not closed are not our business, and the
        # shared page must outlive whoever reports to it: end at once.
        os._exit(status)


def _bind(control: _socket.socket, shared_page: Any, log_fd: int, plan_fd: int) -> Any:
    """Bind this process as the plan says; when that fails, say why and end."""
    from workbench.host.confine import confine

    plan = decode(os.pread(plan_fd, os.fstat(plan_fd).st_size, 0).decode())
    os.close(plan_fd)
    sys.dont_write_bytecode = True
    try:
        return confine(plan, shared_page, log_fd)
    except HostError as error:
        send(control, {"seq": 0, "error": error.to_wire()})
        os._exit(1)


def _offer_to_the_kernel() -> None:
    """When memory runs out, let the kernel end this process, not the notebook."""
    try:
        with open("/proc/self/oom_score_adj", "w", encoding="ascii") as score:  # noqa: PTH123
            score.write("1000")
    except OSError:
        pass  # read-only /proc: the kernel chooses by size


def _traceback() -> str:
    import traceback

    return traceback.format_exc()


def _is_open(fd: int) -> bool:
    try:
        os.fstat(fd)
    except OSError:
        return False
    return True
