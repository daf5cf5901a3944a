"""One worker and the talk with it: requests, waiting, the watchdog, and its end."""

from __future__ import annotations

import os
import select
import socket
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakMethod

from workbench.errors import PluginHung, WorkbenchError
from workbench.memory import half_of_memory
from workbench.session.call_trace import Tracer
from workbench.session.crash_report import (
    ExitFacts,
    crash_error,
    damage_error,
    hang_error,
)
from workbench.session.forks import inherited_error
from workbench.session.host_errors import error_from_wire
from workbench.session.incoming import Incoming
from workbench.session.interrupts import (
    deferring,
    finishing,
    hastened,
    interruptible,
    interruption_point,
)
from workbench.session.last_words import last_words
from workbench.session.log_reader import LogReader
from workbench.session.sandbox import Denials
from workbench.session.spawn import WorkerProcess
from workbench.session.watchdog import Watchdog
from workbench.wire.limits import refusal_text
from workbench.wire.messages import send

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from workbench.session.sandbox import SandboxPlan

__all__ = ["WorkerConnection"]

# How often a wait looks up to see whether a call hangs.
_LOOK_SEC = 0.05
# A dead worker's last words may still be on their way through the kernel.
_REAP_SEC = 5.0
# How long a source may take to come back from next_batch when all is to end.
_LEAVE_SEC = 0.5
_NEXT = ("plugin_next_batch", "plugin_next")
_LONGEST_NAME = 200


class WorkerConnection:
    """A live worker; after its end, the reason why.

    ``error``: None while it lives, then the error to raise. ``incoming``: what it sent.
    ``streaming``: a capture is open, so that next_batch may take as long as it likes.
    """

    def __init__(
        self,
        call_timeout_sec: float | None,
        memory_limit_bytes: int | None,
        plan: SandboxPlan | None = None,
    ) -> None:
        """Start a worker, in a sandbox if it has a ``plan``; wait until it answers."""
        with interruptible(undo=self._drop):
            self._start(call_timeout_sec, memory_limit_bytes, plan)

    def _start(
        self,
        call_timeout_sec: float | None,
        memory_limit_bytes: int | None,
        plan: SandboxPlan | None,
    ) -> None:
        self._limit = call_timeout_sec
        self.memory_limit = memory_limit_bytes or half_of_memory()
        self.error: WorkbenchError | None = None
        self.plugins: dict[int, str] = {}
        self.calls: Sequence[str] = ()
        self.streaming = False
        self._killed_for = ""
        self._closed = False
        self._loads = 0
        self._seq = 0
        self.sandbox: dict[str, Any] = {}
        self._denials = Denials() if plan is not None else None
        self.worker = WorkerProcess(plan)
        self.incoming = Incoming(self.worker.control, self.worker.data)
        try:
            look = WeakMethod(self._watch_memory)
            self.logs = LogReader(self.worker, look, self.incoming)
        except (OSError, RuntimeError) as error:
            self.worker.close()
            said = refusal_text(error) if isinstance(error, OSError) else str(error)
            raise WorkbenchError(f"cannot start a worker process: {said}") from error
        except BaseException:
            self.worker.close()
            raise
        self.tracer = Tracer(self.worker.shared_page)
        self.tracer.plugins = self.plugins
        self._watchdog = Watchdog(call_timeout_sec)
        self._poller = select.poll()
        self._poller.register(self.worker.control, select.POLLIN)
        self._poller.register(self.worker.data, select.POLLIN)
        if self.worker.death >= 0:
            self._poller.register(self.worker.death, select.POLLIN)
        try:
            self.incoming.expect(0)
            hello, _ = self._reply("hello", {})
            self._bound(hello["sandbox"])
        except BaseException as error:
            if isinstance(error, WorkbenchError):
                self.error = self.error or error  # nobody is there to say goodbye to
            self._drop()
            raise
        self.calls = list(hello["calls"])
        self.tracer.names = self.calls

    def _drop(self) -> None:
        """End a worker that nobody got to know; it has no plugin to be asked."""
        self.worker.kill()
        with suppress(WorkbenchError):
            self.close()

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
        """Return ``error`` with what the sandbox denied before it."""
        if self._denials is not None:
            self.logs.catch_up()
            self._denials.explain(error, self.logs.lines())
        return error

    # ---- requests --------------------------------------------------------------------

    @deferring
    def call(
        self, op: str, fds: Sequence[int] = (), **request: Any
    ) -> tuple[Any, list[int]]:
        """Ask, wait for the answer, return it with its descriptors.

        Raises the error the host told, PluginCrashed or PluginHung when it ended.
        """
        self._raise_if_dead()
        self._seq += 1
        self.incoming.expect(self._seq)
        self._watchdog.ask(op, request)
        message = {"op": op, "seq": self._seq, **request}
        while not self._sent(message, fds):
            # Stopped, or not reading: the watchdog decides.
            self.wait(_LOOK_SEC)
            self._raise_if_dead()
        return self._reply(op, request)

    def _sent(self, message: dict[str, Any], fds: Sequence[int]) -> bool:
        try:
            send(self.worker.control, message, fds, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return False
        except ConnectionError:
            self._bury()
        except (OSError, ValueError) as error:
            raise WorkbenchError(f"cannot ask the worker: {error}") from error
        return True

    def post(self, op: str) -> None:
        """Send a request that has no answer."""
        if self.error is None and not self.inherited:
            with suppress(OSError):
                message = {"op": op, "seq": 0}
                send(self.worker.control, message, (), socket.MSG_DONTWAIT)

    def _reply(self, op: str, request: dict[str, Any]) -> tuple[Any, list[int]]:
        self._watchdog.ask(op, request)
        try:
            while True:
                self._raise_if_dead()
                self.wait(None)
                try:
                    with self.untrusted():
                        answer = self.incoming.answer(op)
                except WorkbenchError as error:
                    self.tracer.drain()
                    self.explained(error)
                    raise
                if answer is not None:
                    self.tracer.drain()
                    return answer
        finally:
            self._watchdog.answered()

    @contextmanager
    def untrusted(self) -> Iterator[None]:
        """Decode what the worker sent: any failure ends the worker as damaged."""
        try:
            yield
        except WorkbenchError:
            raise
        except Exception as error:
            # Whatever a decoder trips over, a plugin has put it there.
            raise self.end_for_damage(str(error) or type(error).__name__) from error

    # ---- waiting ---------------------------------------------------------------------

    def wait(self, timeout_sec: float | None) -> None:
        """Wait for something to arrive, at most so long; take in what is there.

        Ends the worker when the call in flight takes too long, whatever else arrives.
        """
        look = _LOOK_SEC
        if self._limit is not None:
            look = min(look, max(self._limit / 4, 0.005))
        deadline = None if timeout_sec is None else time.monotonic() + timeout_sec
        arrived = self.incoming.arrived
        self._watchdog.begin()
        while self.error is None:
            interruption_point()
            if hastened():
                # Nobody wants to wait for its end any more.
                self._kill("interrupt")
            nap = look
            if deadline is not None:
                nap = min(nap, max(0.0, deadline - time.monotonic()))
            ready = [fd for fd, _ in self._poller.poll(nap * 1000)]
            if ready:
                self._take_in()
            if self.incoming.arrived != arrived or self.error is not None:
                return
            if self.worker.death in ready or self.incoming.control_ended:
                self._bury()
                return
            self._watch_call()
            if deadline is not None and time.monotonic() >= deadline:
                return

    def _take_in(self) -> None:
        try:
            self.incoming.take_in()
        except (ValueError, OSError) as error:
            self.end_for_damage(str(error))
        if self.incoming.data_ended:
            with suppress(KeyError):
                self._poller.unregister(self.worker.data)

    def take_packets(self) -> None:
        """Take in what the data socket holds."""
        if self.inherited:
            return
        try:
            self.incoming.take_packets()
        except (ValueError, OSError) as error:
            if self.error is None:
                self.end_for_damage(str(error))

    def _watch_call(self) -> None:
        idle = self._limit is None and self.streaming and self.in_next()
        call, _, number, _, _ = self.worker.shared_page.state()
        stopped = self.worker.stopped
        limit = self._watchdog.exceeded(
            number, calling=call != 0, idle=idle, stopped=stopped
        )
        if limit and idle and not stopped():
            raise WorkbenchError(
                f"the source has been waiting in {self.waiting_call()} for {limit:g} s "
                "and the worker can answer only afterwards: ask again when events "
                "come, or stop the capture"
            )
        if limit:
            self._hang(limit)
        elif self._watchdog.data_ended_for(self.incoming.data_ended, _REAP_SEC):
            self.end_for_damage("it closed its data socket and went on")

    @property
    def closed(self) -> bool:
        """True after :meth:`close`."""
        return self._closed

    def expect_plugin(self, path: str) -> None:
        """Name the plugin that is about to be loaded, for reports and the trace."""
        self.name_plugin(self._loads, Path(path).name)
        self._loads += 1

    def name_plugin(self, index: int, name: str) -> None:
        """Remember what a plugin is called; names of any length are a plugin's."""
        self.plugins[index] = name[:_LONGEST_NAME]

    def in_next(self) -> bool:
        """Return whether the source is in next_batch."""
        return self.waiting_call() in _NEXT

    def drop_packets(self) -> None:
        """Forget what came for a capture that nobody reads any more."""
        self.incoming.drop_packets()
        self.take_packets()
        self.incoming.drop_packets()

    def waiting_call(self) -> str:
        """Return the C name of the call in flight, "" for none."""
        if self.inherited:
            return ""
        call = self.worker.shared_page.state()[0]
        return str(self.calls[call]) if 0 < call < len(self.calls) else ""

    def _watch_memory(self) -> None:
        # On the log thread: a flood does not wait until somebody reads.
        limit = self.memory_limit
        if self.error is None and self.worker.held_bytes(limit) > limit:
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
            last_words=last_words(self.logs.printed()),
        )

    def _crash_text(self) -> str:
        size = min(os.fstat(self.worker.crash_text).st_size, 1 << 16)
        return os.pread(self.worker.crash_text, size, 0).decode("utf-8", "replace")

    def _hang(self, limit: float) -> None:
        self.worker.kill()
        code = self.worker.exit_code(_REAP_SEC)
        self.error = self.explained(hang_error(self._death(code or 0), limit))
        self.take_packets()

    def give_up(self, limit: float) -> PluginHung:
        """End a worker that does not come back from a call; give the error."""
        self._hang(limit)
        assert isinstance(self.error, PluginHung)  # noqa: S101 - _hang made it
        return self.error

    def end_for_damage(self, what: str) -> WorkbenchError:
        """End a worker whose answers make no sense; return the error."""
        if self.error is None:
            # What follows nonsense is not worth reading.
            self.incoming.data_ended = self.incoming.control_ended = True
            self.worker.kill()
            code = self.worker.exit_code(_REAP_SEC)
            self.error = self.explained(damage_error(self._death(code or 0), what))
        return self.error

    def _bury(self) -> None:
        """Find out why the worker is gone, or going."""
        if self.error is not None:
            return
        code = self.worker.exit_code(_REAP_SEC)
        if code is None:
            # Its sockets are closed but it runs on: nothing can be said to it any more.
            self.worker.kill()
            code = self.worker.exit_code(_REAP_SEC)
        death = self._death(code if code is not None else 0)
        error = crash_error(death) if self.calls else _false_start(death)
        self.error = self.explained(error)
        self.take_packets()

    @property
    def inherited(self) -> bool:
        """Whether this process is a fork of the one that the worker belongs to."""
        return self.worker.inherited

    def raise_if_inherited(self) -> None:
        """Raise in a fork, which must not touch what it shares with its parent."""
        if self.inherited:
            raise inherited_error()

    def _raise_if_dead(self) -> None:
        self.raise_if_inherited()
        if self._closed:
            raise WorkbenchError("the session is closed")
        if self.error is not None:
            raise self.error

    def close(self) -> None:
        """End the worker, politely if it listens; raise if a plugin crashes then."""
        with finishing():
            if self._closed:
                return
            if self.inherited:
                # The worker and its threads are not ours: only our copies end.
                self._closed = True
                self.logs.abandon()
                self.incoming.close()
                self.worker.close()
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
                self.incoming.close()
                self.worker.close()
            if crash is not None and self._killed_for != "interrupt":
                raise crash

    def leaves_next(self, within_sec: float) -> bool:
        """Wait for ``next_batch`` to return; tell whether it did."""
        deadline = time.monotonic() + within_sec
        while self.waiting_call() in _NEXT:
            if self.error is not None or time.monotonic() > deadline:
                return False
            interruption_point()
            time.sleep(0.002)
        return True

    def _hears_out(self, within_sec: float) -> bool:
        """Wait for answers to what was interrupted; tell whether they came."""
        deadline = time.monotonic() + within_sec
        while self.incoming.unanswered and self.error is None:
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            self.wait(left)
        return True

    def _say_goodbye(self) -> WorkbenchError | None:
        self.streaming = False
        self.worker.shared_page.set_stop(1)
        if not self.leaves_next(_LEAVE_SEC) or self.worker.stopped():
            # A source that waits for the outside world is not to blame.
            self.worker.kill()
            return None
        if not self._hears_out(_LEAVE_SEC):
            # Who asked did not wait for the answer either.
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
