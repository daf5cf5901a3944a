"""A worker without a process: its ends of the sockets, for a fuzzer to write into."""

from __future__ import annotations

import os
import socket
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING
from unittest.mock import patch

from workbench.session.worker_session import WorkerSession
from workbench.wire.shared_page import PAGE_BYTES, SharedPage

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["StandIn", "session_with"]


class StandIn:
    """What :class:`workbench.session.spawn.WorkerProcess` is to a connection.

    It never runs and never waits: a process that was ended is gone at once.
    """

    def __init__(self) -> None:
        self._owned = ExitStack()
        kind = socket.SOCK_SEQPACKET | socket.SOCK_CLOEXEC
        pairs = [socket.socketpair(socket.AF_UNIX, kind) for _ in range(3)]
        for pair in pairs:
            for end in pair:
                self._owned.callback(end.close)
        (self.control, self._control), (self.data, self._data), (self.log, log) = pairs
        for ours in (self.data, self.log):
            ours.setblocking(False)
        # Of the process alone: its end closes them.
        self._theirs = ExitStack()
        self._theirs.callback(log.close)
        self.stdout, self.stderr = self._pipe(), self._pipe()
        self.crash_text = os.memfd_create("fuzz-crash", os.MFD_CLOEXEC)
        self._owned.callback(os.close, self.crash_text)
        self.page = bytearray(PAGE_BYTES)
        self.shared_page = SharedPage(self.page)
        self.death = -1
        self.pid = os.getpid()
        self.inherited = False
        self._kept: set[int] = set()
        self._code: int | None = None

    def _pipe(self) -> int:
        ours, theirs = os.pipe()
        self._owned.callback(os.close, ours)
        self._theirs.callback(os.close, theirs)
        return ours

    def say(
        self, data: bytes, fds: Sequence[int] = (), *, on_data: bool = False
    ) -> None:
        """Put a packet into one of the sockets."""
        sock = self._data if on_data else self._control
        socket.send_fds(sock, [data], list(fds), socket.MSG_DONTWAIT)

    def hang_up(self) -> None:
        """Close the worker's ends, as when its process ends."""
        self._end(0)
        self._control.close()
        self._data.close()

    def exit_code(self, _wait_sec: float = 0.0) -> int | None:
        return self._code

    def wait_dead(self, _timeout_sec: float) -> bool:
        return True

    def stopped(self) -> bool:
        return False

    def held_bytes(self, _limit: int) -> int:
        return 0

    def adopt(self, _guard: int) -> None:
        """A number is not a process here."""

    def keep(self, fd: int) -> None:
        """Own a descriptor until :meth:`drop` or the end."""
        self._kept.add(fd)

    def drop(self, fd: int) -> None:
        """Close a descriptor that was kept (idempotent)."""
        if fd in self._kept:
            self._kept.discard(fd)
            os.close(fd)

    def kill(self) -> None:
        self._end(-9)

    def _end(self, code: int) -> None:
        if self._code is None:
            self._code = code
        self._theirs.close()

    def close(self) -> None:
        for fd in list(self._kept):
            self.drop(fd)
        self._theirs.close()
        self._owned.close()


@contextmanager
def session_with(stand_in: StandIn) -> Iterator[WorkerSession]:
    """Yield a session that takes ``stand_in`` for its worker; close both."""
    try:
        with patch(
            "workbench.session.connection.WorkerProcess", lambda _plan: stand_in
        ):
            session = WorkerSession(call_timeout_sec=1.0, memory_limit_bytes=1 << 30)
        yield session
    finally:
        stand_in.close()
