"""What a sound worker sends, recorded from a real one, for the fuzzers to damage."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from tests.conftest import request_columns
from tests.support.compiled import ROOT, compiled
from workbench.session.event_block import expected_columns
from workbench.session.types import CaptureOptions, ColumnRequest
from workbench.session.worker_session import WorkerSession

if TYPE_CHECKING:
    from pathlib import Path

ROWS = 40
OPTIONS = CaptureOptions(keep_payload=True, plugin_info=True)


@dataclass
class Recording:
    """Replies by request, memory that came with them, chunks and a dead builder.

    ``replies``: request → what stood under "ok". ``memory``: request → bytes of its
    descriptor. ``chunks``: packet and memory of each chunk. ``arena``: offset and bytes
    of the pieces of a builder that its worker left behind.
    """

    columns: list[ColumnRequest] = field(default_factory=list)
    replies: dict[str, Any] = field(default_factory=dict)
    memory: dict[str, bytes] = field(default_factory=dict)
    chunks: list[tuple[bytes, bytes]] = field(default_factory=list)
    end: bytes = b""
    arena: list[tuple[int, bytes]] = field(default_factory=list)
    arena_bytes: int = 0

    @property
    def layout(self) -> list[tuple[str, int, bool]]:
        """Name, kind and whether it is a list, of every column of a chunk."""
        return expected_columns(self.columns, OPTIONS)


def probe() -> Path:
    """Compile the plugin of the recording."""
    return compiled(
        "libprobe.so",
        *("-O1", "-g", "-fPIC", "-shared"),
        ROOT / "tests" / "support" / "plugins" / "probe.c",
        libraries=("-lpthread",),
    )


def pieces(fd: int) -> list[tuple[int, bytes]]:
    """Return what a sparse file holds: offset and bytes of each piece."""
    found, at, end = [], 0, os.fstat(fd).st_size
    while at < end:
        try:
            at = os.lseek(fd, at, os.SEEK_DATA)
        except OSError:
            break
        until = os.lseek(fd, at, os.SEEK_HOLE)
        found.append((at, os.pread(fd, until - at, at).rstrip(b"\0")))
        at = until
    return found


class _Recorder:
    """Listens at the one door for what comes from a worker."""

    def __init__(self, session: WorkerSession, into: Recording) -> None:
        self._into = into
        self._incoming = session._connection.incoming
        self._answer = self._incoming.answer
        self._incoming.answer = self.answer
        self._take_packets = self._incoming.take_packets
        self._incoming.take_packets = self.take_packets

    def answer(self, op: str) -> tuple[Any, list[int]] | None:
        found = self._answer(op)
        if found is not None:
            self._into.replies.setdefault(op, found[0])
            if found[1] and op != "open":
                size = os.fstat(found[1][0]).st_size
                self._into.memory.setdefault(op, os.pread(found[1][0], size, 0))
        return found

    def take_packets(self) -> None:
        known = len(self._incoming.packets)
        self._take_packets()
        for packet in list(self._incoming.packets)[known:]:
            if packet._fds:
                size = os.fstat(packet._fds[0]).st_size
                memory = os.pread(packet._fds[0], size, 0)
                self._into.chunks.append((packet.data, memory))
            else:
                self._into.end = self._into.end or packet.data


def _read_all(session: WorkerSession) -> None:
    while True:
        chunk = session.read(5.0)
        assert chunk is not None
        if chunk.end:
            return


def _die(session: WorkerSession, index: int, into: Recording) -> None:
    """Leave a builder behind whose rows are not complete."""
    params = f"n=5000;fault=segv@extract:{ROWS}"
    session.open(index, params, into.columns, OPTIONS)
    arena = session._capture.arena
    _read_all(session)
    into.arena, into.arena_bytes = pieces(arena), os.fstat(arena).st_size


@cache
def recording() -> Recording:
    """Return what a worker with the probe plugin sends."""
    made = Recording()
    session = WorkerSession()
    _Recorder(session, made)
    connection = session._connection
    made.replies["hello"] = {"calls": list(connection.calls), "sandbox": None}
    index, manifest = session.load(str(probe()))
    made.columns = request_columns(manifest)
    session.init(index, "")
    session.open(index, f"n={ROWS}", made.columns, OPTIONS)
    session.progress()
    _read_all(session)
    session.close_capture()
    session.metrics(index)
    session.tables(10)
    session.dump_state()
    raw = pa.array([bytes(38)] * 3, pa.binary())
    numbers = pa.array([1, 2, 3], pa.uint64())
    session.extract(raw, numbers, manifest.event_source, made.columns)
    session.event_strings(index, raw, numbers)
    session.set_config(index, "")
    _die(session, index, made)
    session.close()
    made.replies.setdefault("close", None)
    return made
