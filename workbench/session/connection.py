"""One worker and the talk with it: requests, waiting, the watchdog, and its end."""

from __future__ import annotations

import os
import select
import socket
import time
from collections import deque
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.errors import PluginCrashed, PluginHung, WorkbenchError
from workbench.session.call_trace import Tracer
from workbench.session.crash_report import ExitFacts, crash_error, hang_error
from workbench.session.host_errors import error_from_wire
from workbench.session.interrupts import undisturbed
from workbench.session.log_reader import LogReader
from workbench.session.sandbox import Denials
from workbench.session.spawn import WorkerProcess
from workbench.wire.messages import receive, receive_packet, send

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.session.sandbox import SandboxPlan

__all__ = ["WorkerConnection", "default_memory_limit"]

DEFAULT_CALL_TIMEOUT_SEC = 30.0
# How often a wait looks up to see whether a call hangs.
_LOOK_SEC = 0.05
# A dead worker's last words may still be on their way through the kernel.
_REAP_SEC = 5.0
# How long a source may take to come back from next_batch when all is to end.
_LEAVE_SEC = 0.5
_NEXT = ("plugin_next_batch", "plugin_next")


def default_memory_limit() -> int:
    """Half of the memory available now, in bytes."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return 4 << 30
    for line in lines:
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024 // 2
    return 4 << 30


class WorkerConnection:
    """A live worker; after its end, the reason why.

    ``error``: None while it lives, then the error to raise. ``packets``: what came over
    the data socket and was not taken yet.
    """

    def __init__(
        self,
        call_timeout_sec: float | None,
        memory_limit_bytes: int | None,
        plan: SandboxPlan | None = None,
    ) -> None:
        """Start a worker, in a sandbox if it has a ``plan``; wait until it answers."""
        self._limit = call_timeout_sec
        self.memory_limit = memory_limit_bytes or default_memory_limit()
        self.error: WorkbenchError | None = None
        self.packets: deque[tuple[bytes, list[int]]] = deque()
        self.plugins: dict[int, str] = {}
        self.calls: Sequence[str] = ()
        self._killed_for = ""
        self._closed = False
        self._loads = 0
        self.sandbox: dict[str, Any] = {}
        self._denials = Denials() if plan is not None else None
        self.worker = WorkerProcess(plan)
        self.logs = LogReader(self.worker, self._watch_memory)
        self.tracer = Tracer(self.worker.shared_page)
        self.tracer.plugins = self.plugins
        self._seq = 0
        self._watch = (0, 0.0)
        self._poller = select.poll()
        self._poller.register(self.worker.control, select.POLLIN)
        self._poller.register(self.worker.data, select.POLLIN)
        if self.worker.death >= 0:
            self._poller.register(self.worker.death, select.POLLIN)
        self._data_open = True
        try:
            hello, _ = self._reply(0)
            self._bound(hello["sandbox"])
        except BaseException as error:
            if isinstance(error, WorkbenchError):
                self.error = self.error or error  # nobody is there to say goodbye to
            self.close()
            raise
        self.calls = [str(name) for name in hello["calls"]]
        self.tracer.names = self.calls

    def _bound(self, facts: dict[str, Any] | None) -> None:
        """Take in what the worker says of its sandbox; raise if it has none to say."""
        if facts is not None:
            self.worker.adopt(int(facts["guard"]))
            self.sandbox = facts
        if facts is not None and facts["error"] is not None:
            raise error_from_wire(facts["error"])
        if facts is None and self._denials is not None:
            raise WorkbenchError("the worker did not bind itself (a workbench bug)")

    def explained(self, error: WorkbenchError) -> WorkbenchError:
        """Give ``error`` with what the sandbox denied before it."""
        if self._denials is not None:
            self.logs.catch_up()
            self._denials.explain(error, self.logs.lines())
        return error

    # ---- requests --------------------------------------------------------------------

    def call(
        self, op: str, fds: Sequence[int] = (), **request: Any
    ) -> tuple[Any, list[int]]:
        """Ask, wait for the answer, give it with its descriptors.

        Raises the error the host told, PluginCrashed or PluginHung when it ended.
        """
        self._raise_if_dead()
        self._seq += 1
        try:
            send(self.worker.control, {"op": op, "seq": self._seq, **request}, fds)
        except OSError:
            self._bury()
        return self._reply(self._seq)

    def post(self, op: str) -> None:
        """Send a request that has no answer."""
        if self.error is None:
            with suppress(OSError):
                send(self.worker.control, {"op": op, "seq": 0})

    def _reply(self, seq: int) -> tuple[Any, list[int]]:
        while True:
            self._raise_if_dead()
            self.wait(None)
            received = self._received()
            if received is None:
                continue
            reply, fds = received
            if reply.get("seq") != seq:
                # The answer to a question whose asker was interrupted.
                _close_all(fds)
                continue
            self.tracer.drain()
            if "error" in reply:
                _close_all(fds)
                raise self.explained(error_from_wire(reply["error"]))
            return reply["ok"], fds

    def _received(self) -> tuple[dict[str, Any], list[int]] | None:
        poller = select.poll()
        poller.register(self.worker.control, select.POLLIN)
        if not poller.poll(0):
            return None
        try:
            received = receive(self.worker.control)
        except ValueError as error:
            self._kill("protocol")
            self._bury()
            raise WorkbenchError(f"the worker sent nonsense: {error}") from error
        if received is None:
            self._bury()
        return received

    # ---- waiting ---------------------------------------------------------------------

    def wait(self, timeout_sec: float | None) -> None:
        """Wait for something to arrive, at most so long; take in data packets.

        Ends the worker when the call in flight takes too long.
        """
        look = _LOOK_SEC
        if self._limit is not None:
            look = min(look, max(self._limit / 4, 0.005))
        deadline = None if timeout_sec is None else time.monotonic() + timeout_sec
        while self.error is None:
            nap = look
            if deadline is not None:
                nap = min(nap, max(0.0, deadline - time.monotonic()))
            ready = self._poller.poll(nap * 1000)
            if any(self._tells_death(fd, what) for fd, what in ready):
                self._bury()
                return
            if ready:
                self.take_packets()
                return
            self._watch_call()
            if deadline is not None and time.monotonic() >= deadline:
                return

    def _tells_death(self, fd: int, what: int) -> bool:
        if fd == self.worker.death:
            return True
        if fd != self.worker.control.fileno() or not what & select.POLLHUP:
            return False
        # Its last answer may still wait to be read.
        try:
            return not self.worker.control.recv(1, socket.MSG_PEEK)
        except ConnectionError:
            return True

    def take_packets(self) -> None:
        """Take in what the data socket holds."""
        while self._data_open:
            with undisturbed():
                try:
                    data, fds = receive_packet(self.worker.data)
                except BlockingIOError:
                    return
                if not data:
                    self._data_open = False
                    with suppress(KeyError):
                        self._poller.unregister(self.worker.data)
                    return
                self.packets.append((data, fds))

    def _watch_call(self) -> None:
        call, _, number, _, _ = self.worker.shared_page.state()
        now = time.monotonic()
        seen, since = self._watch
        if number != seen or not since or (not call and self.calls):
            self._watch = (number, now)
            return
        limit = self._limit
        if limit is None:
            name = self.calls[call] if call < len(self.calls) else ""
            if name in _NEXT:
                return
            limit = DEFAULT_CALL_TIMEOUT_SEC
        if now - since > limit:
            self._hang(limit)

    @property
    def closed(self) -> bool:
        """True after :meth:`close`."""
        return self._closed

    def expect_plugin(self, path: str) -> None:
        """Name the plugin that is about to be loaded, for reports and the trace."""
        self.plugins[self._loads] = Path(path).name
        self._loads += 1

    def in_next(self) -> bool:
        """Return whether the source is in next_batch."""
        return self.waiting_call() in _NEXT

    def drop_packets(self) -> None:
        """Forget what came for a capture that nobody reads any more."""
        self.take_packets()
        while self.packets:
            _close_all(self.packets.popleft()[1])

    def waiting_call(self) -> str:
        """Return the C name of the call in flight, "" for none."""
        call = self.worker.shared_page.state()[0]
        return str(self.calls[call]) if 0 < call < len(self.calls) else ""

    def _watch_memory(self) -> None:
        # On the log thread: a flood does not wait until somebody reads.
        if self.error is None and self.worker.resident_bytes() > self.memory_limit:
            self._kill("memory")

    # ---- the end ---------------------------------------------------------------------

    def _kill(self, reason: str) -> None:
        self._killed_for = self._killed_for or reason
        self.worker.kill()

    def _death(self, exit_code: int) -> ExitFacts:
        self.logs.settle()
        return ExitFacts(
            shared_page=self.worker.shared_page,
            exit_code=exit_code,
            calls=self.calls,
            plugins=self.plugins,
            log_tail=self.logs.tail(),
            crash_text=self._crash_text(),
            killed_for=self._killed_for,
            memory_limit=self.memory_limit,
        )

    def _crash_text(self) -> str:
        size = min(os.fstat(self.worker.crash_text).st_size, 1 << 16)
        return os.pread(self.worker.crash_text, size, 0).decode("utf-8", "replace")

    def _hang(self, limit: float) -> None:
        self.worker.kill()
        code = self.worker.exit_code(_REAP_SEC)
        self.take_packets()
        self.error = self.explained(hang_error(self._death(code or 0), limit))

    def give_up(self, limit: float) -> PluginHung:
        """End a worker that does not come back from a call; give the error."""
        self._hang(limit)
        assert isinstance(self.error, PluginHung)  # noqa: S101 - _hang made it
        return self.error

    def end_for_damage(self, what: str) -> PluginCrashed:
        """End a worker whose answers make no sense; give the error."""
        self.worker.kill()
        self.worker.exit_code(_REAP_SEC)
        names = ", ".join(sorted(set(self.plugins.values())))
        self.logs.settle()
        error = PluginCrashed(
            f"plugin {names} damaged the memory of its worker: {what}; the worker was "
            "ended",
            plugin=names,
            reason="damage",
            log_tail=self.logs.tail(),
        )
        self.error = error
        return error

    def _bury(self) -> None:
        """Find out why the worker is gone, or going."""
        if self.error is not None:
            return
        code = self.worker.exit_code(_REAP_SEC)
        if code is None:
            # Its sockets are closed but it runs on: nothing can be said to it any more.
            self.worker.kill()
            code = self.worker.exit_code(_REAP_SEC)
        self.take_packets()
        death = self._death(code if code is not None else 0)
        error = crash_error(death) if self.calls else _false_start(death)
        self.error = self.explained(error)

    def _raise_if_dead(self) -> None:
        if self._closed:
            raise WorkbenchError("the session is closed")
        if self.error is not None:
            raise self.error

    def close(self) -> None:
        """End the worker, politely if it listens; raise if a plugin crashes then."""
        if self._closed:
            return
        crash: WorkbenchError | None = None
        had_error = self.error is not None
        try:
            if not had_error:
                crash = self._say_goodbye()
        finally:
            self.tracer.drain()
            self._closed = True
            self.logs.settle()
            self.logs.close()
            for _, fds in self.packets:
                _close_all(fds)
            self.packets.clear()
            self.worker.close()
        if crash is not None:
            raise crash

    def leaves_next(self, within_sec: float) -> bool:
        """Wait for ``next_batch`` to return; tell whether it did."""
        deadline = time.monotonic() + within_sec
        while self.waiting_call() in _NEXT:
            if self.error is not None or time.monotonic() > deadline:
                return False
            time.sleep(0.002)
        return True

    def _say_goodbye(self) -> WorkbenchError | None:
        self.worker.shared_page.set_stop(1)
        if not self.leaves_next(_LEAVE_SEC):
            # A source that waits for the outside world is not to blame.
            self.worker.kill()
            return None
        try:
            self.call("close")
        except WorkbenchError as error:
            return error
        finally:
            # Until here its end was expected to come from us.
            if self.error is None:
                self.worker.wait_dead(1.0)
        return None


def _false_start(death: ExitFacts) -> WorkbenchError:
    """Return why a worker ended before it could be asked anything."""
    words = "\n    ".join(death.log_tail) or f"exit status {death.exit_code}"
    return WorkbenchError(
        f"the worker process could not start (is the workbench built?):\n    {words}"
    )


def _close_all(fds: Sequence[int]) -> None:
    for fd in fds:
        with suppress(OSError):
            os.close(fd)
