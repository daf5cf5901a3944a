"""A worker's descendants: found wherever they went, counted, and ended.

Found by parentage, session and process group, and by a mark in the environment that
every child inherits: a daemon that left its session still has that.
"""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

__all__ = ["Process", "ProcessTree", "process_state"]

_PAGE = os.sysconf("SC_PAGE_SIZE")
# A program that forks as fast as it is ended loses after so many rounds.
_ROUNDS = 100
# Fields of /proc/PID/stat after the name in brackets.
_STATE, _PARENT, _GROUP, _SESSION, _START = 0, 1, 2, 3, 19


@dataclass(frozen=True, slots=True)
class Process:
    """One process; pid and start time together never come back."""

    pid: int
    start: int
    parent: int
    group: int
    session: int
    state: str


def _process(pid: int) -> Process | None:
    try:
        text = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return None
    words = text.rpartition(b")")[2].split()
    return Process(
        pid,
        int(words[_START]),
        int(words[_PARENT]),
        int(words[_GROUP]),
        int(words[_SESSION]),
        words[_STATE].decode(),
    )


def process_state(pid: int) -> str:
    """Return the kernel's letter for what a process does, "" when it is gone."""
    found = _process(pid)
    return found.state if found is not None else ""


def _children(pid: int) -> list[int]:
    found: list[int] = []
    with suppress(OSError):
        for task in os.scandir(f"/proc/{pid}/task"):
            with suppress(OSError):
                found += map(int, Path(task.path, "children").read_text().split())
    return found


class ProcessTree:
    """The descendants of process ``pid``, itself not among them.

    ``mark``: what the environment of all of them holds, such as ``NAME=value``.
    """

    def __init__(self, pid: int, mark: bytes) -> None:
        """Remember when ``pid`` started."""
        self._pid = pid
        self._mark = mark
        itself = _process(pid)
        self._start = itself.start if itself is not None else 0
        # Everything that was seen below it, also what has another parent since.
        self._seen: dict[int, int] = {}

    def below(self) -> list[int]:
        """Return the process ids below it now; cheap when there are none."""
        found = _children(self._pid)
        for pid in found:
            found += _children(pid)
        for pid in found:
            process = _process(pid)
            if process is not None:
                self._seen[pid] = process.start
        return found

    def _alive(self, *, by_session: bool) -> list[Process]:
        """Return every descendant that still runs, from one look at all processes."""
        everything = [
            process
            for name in os.listdir("/proc")  # noqa: PTH208 - a hundred times faster
            if name.isdigit()
            and (process := _process(int(name))) is not None
            and process.start >= self._start
            and process.pid not in (self._pid, os.getpid())
        ]
        parents = {self._pid}
        while grown := {
            p.pid for p in everything if p.parent in parents and p.pid not in parents
        }:
            parents |= grown
        return [
            process
            for process in everything
            if process.state not in "ZX"
            and self._is_ours(process, parents, by_session=by_session)
        ]

    def _is_ours(
        self, process: Process, parents: Collection[int], *, by_session: bool
    ) -> bool:
        if process.pid in parents or self._seen.get(process.pid) == process.start:
            return True
        if by_session and self._pid in (process.session, process.group):
            return True
        try:
            return self._mark in Path(f"/proc/{process.pid}/environ").read_bytes()
        except OSError:
            return False

    def end(self, *, by_session: bool) -> None:
        """End every descendant at once.

        ``by_session``: also those in the session of ``pid``; only while that number is
        its own, that is before its exit status was collected.
        """
        for _ in range(_ROUNDS):
            alive = self._alive(by_session=by_session)
            if not alive:
                return
            for process in alive:
                _kill(process)


def _kill(process: Process) -> None:
    """Send SIGKILL to this very process, never to a later one of the same number."""
    with suppress(OSError):
        handle = os.pidfd_open(process.pid)
        try:
            now = _process(process.pid)
            if now is not None and now.start == process.start:
                signal.pidfd_send_signal(handle, signal.SIGKILL)
        finally:
            os.close(handle)
