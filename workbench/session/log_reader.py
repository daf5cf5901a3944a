"""What the plugin logs and prints: collected all the time, so that it never blocks.

A daemon thread reads the log socket and the pipes of stdout and stderr into a bounded
list, and looks after the memory limit while it is at it. It also ends a worker whose
owner is gone without having closed it.
"""

from __future__ import annotations

import os
import select
import threading
import time
from typing import TYPE_CHECKING

from workbench.session.forks import renew_in_forks
from workbench.session.log_lines import (
    LARGEST_LOG_PACKET,
    KeptLines,
    decode_log_packet,
)
from workbench.session.types import LogLine

if TYPE_CHECKING:
    from collections.abc import Callable
    from weakref import WeakMethod

    from workbench.session.incoming import Incoming
    from workbench.session.spawn import WorkerProcess

__all__ = ["LogReader"]

_LONGEST_LINE = 8192
# A line in an error message, characters.
_LONGEST_TOLD = 400
_LOOK_MS = 100


class _Pipe:
    """One of the worker's output pipes, cut into lines."""

    def __init__(self, stream: str) -> None:
        self.stream = stream
        self._rest = b""

    def feed(self, data: bytes) -> list[LogLine]:
        *lines, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > _LONGEST_LINE:
            lines.append(self._rest)
            self._rest = b""
        return [self._line(line) for line in lines]

    def finish(self) -> list[LogLine]:
        rest, self._rest = self._rest, b""
        return [self._line(rest)] if rest else []

    def _line(self, raw: bytes) -> LogLine:
        text = raw[:_LONGEST_LINE].decode("utf-8", "replace").rstrip("\r")
        return LogLine(time.time_ns(), self.stream, "", "", text)


class LogReader:
    """Collects lines in the background until the worker is gone."""

    def __init__(
        self,
        worker: WorkerProcess,
        look: WeakMethod[Callable[[], None]],
        incoming: Incoming,
    ) -> None:
        """Start reading; ``look`` is called about ten times a second.

        Once its object is gone, the worker is ended and ``incoming`` closed.
        """
        self._worker = worker
        self._look = look
        self._incoming = incoming
        self._ended = threading.Event()
        self._lines = KeptLines()
        self._lock = threading.Lock()
        renew_in_forks(self)
        self._wake_read, self._wake_write = os.pipe()
        self._pipes = {worker.stdout: _Pipe("stdout"), worker.stderr: _Pipe("stderr")}
        for fd in self._pipes:
            os.set_blocking(fd, False)
        self._thread = threading.Thread(
            target=self._run, name="workbench-log", daemon=True
        )
        try:
            self._thread.start()
        except BaseException:
            os.close(self._wake_read)
            os.close(self._wake_write)
            raise

    def renew_locks(self) -> None:
        """Forget in a fork who held the lock."""
        self._lock = threading.Lock()

    def _run(self) -> None:
        poller = select.poll()
        for fd in (self._worker.log.fileno(), *self._pipes, self._wake_read):
            poller.register(fd, select.POLLIN)
        open_fds = {self._worker.log.fileno(), *self._pipes}
        while True:
            # A plugin may close its ends and go on: it is looked after all the same.
            if not open_fds and self._worker.exit_code() is not None:
                self._ended.set()
            for fd, _ in poller.poll(_LOOK_MS):
                if fd == self._wake_read:
                    return
                if not self._drain(fd):
                    poller.unregister(fd)
                    open_fds.discard(fd)
            look = self._look()
            if look is None:
                self._end_orphan()
                return
            look()
            del look

    def _end_orphan(self) -> None:
        """Give back what nobody can close any more."""
        self._incoming.close()
        self._worker.close()
        for fd in (self._wake_read, self._wake_write):
            os.close(fd)

    def _drain(self, fd: int) -> bool:
        """Read what is there; False at the end of the stream."""
        pipe = self._pipes.get(fd)
        for _ in range(64):
            # Two threads drain: what one of them has read, the other must find.
            with self._lock:
                try:
                    data = os.read(fd, LARGEST_LOG_PACKET)
                except BlockingIOError:
                    return True
                except OSError:
                    data = b""
                if not data:
                    if pipe is not None:
                        self._keep(pipe.finish())
                    return False
                if pipe is not None:
                    self._keep(pipe.feed(data))
                else:
                    entry = decode_log_packet(data)
                    if entry is not None:
                        self._lines.add(*entry)
        return True

    def _keep(self, lines: list[LogLine]) -> None:
        for line in lines:
            self._lines.add(None, line)

    def note(self, text: str) -> None:
        """Add a warning of the workbench's own."""
        line = LogLine(time.time_ns(), "log", "warning", "workbench", text)
        with self._lock:
            self._lines.add(None, line)

    def abandon(self) -> None:
        """Close our ends, in a fork, where the thread is not."""
        if self._wake_write >= 0:
            os.close(self._wake_read)
            os.close(self._wake_write)
            self._wake_read = self._wake_write = -1

    def catch_up(self) -> None:
        """Take in what has been sent until now."""
        if self._wake_write >= 0:
            for fd in (self._worker.log.fileno(), *self._pipes):
                self._drain(fd)

    def settle(self) -> None:
        """Take in what a worker that is gone has left behind."""
        self._ended.wait(0.2)
        for fd in (self._worker.log.fileno(), *self._pipes):
            self._drain(fd)

    def lines(self, plugin: int | None = None) -> list[LogLine]:
        """Return the lines, oldest first; of one plugin what it logged itself."""
        with self._lock:
            return self._lines.of(plugin, self._worker.shared_page.log_dropped())

    def printed(self) -> list[str]:
        """Return what was printed on the standard streams, as text, oldest first."""
        return [line.message for line in self.lines() if line.stream != "log"]

    def tail(self, count: int = 20) -> list[str]:
        """Return the last lines as text, long ones cut."""
        return [line.message[:_LONGEST_TOLD] for line in self.lines()[-count:]]

    def close(self) -> None:
        """Stop reading (idempotent)."""
        if self._wake_write < 0:
            return
        os.write(self._wake_write, b"x")
        self._thread.join()
        os.close(self._wake_read)
        os.close(self._wake_write)
        self._wake_read = self._wake_write = -1
