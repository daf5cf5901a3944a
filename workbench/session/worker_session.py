"""A session whose plugins live in a worker process.

plugin → worker → chunk in a memfd → mapped here → Arrow record batch, without a copy.
"""

from __future__ import annotations

import os
import time
from collections import deque
from contextlib import suppress
from itertools import accumulate, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.errors import (
    PluginCrashed,
    PluginHung,
    PluginOpenError,
    WorkbenchError,
)
from workbench.lazy import lazy_module
from workbench.manifest import Manifest, OpenParam
from workbench.session.chunk_reader import ChunkReader
from workbench.session.connection import WorkerConnection
from workbench.session.event_block import (
    ASYNC_COLUMNS,
    assemble_batch,
    decode_texts,
    expected_columns,
    filter_ways,
    pack_events,
    wire_columns,
    wire_options,
)
from workbench.session.incoming import close_all
from workbench.session.interrupts import (
    deferring,
    finishing,
    interruptible,
    interruption_point,
)
from workbench.session.numbering import Numbering
from workbench.session.received_memory import ArenaMemory, map_memory
from workbench.session.shapes import InvalidDataError
from workbench.session.table_decoder import decode_tables
from workbench.session.types import CaptureOptions, Chunk, Progress
from workbench.wire.messages import END, write_memfd

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa

    from workbench.errors import EndReason
    from workbench.session.incoming import Packet
    from workbench.session.sandbox import SandboxPlan
    from workbench.session.spawn import WorkerProcess
    from workbench.session.types import (
        CallErrors,
        ColumnRequest,
        LogLine,
        TableSnapshot,
        TraceCall,
    )
else:
    pa = lazy_module("pyarrow")

__all__ = ["WorkerSession"]

_MOST_COST = 2**64 - 1
_ALL = 1 << 30
# After stop(): how long the reader waits for a source to come back.
_STOP_SEC = 0.05
# How long the next call waits for a source that was left behind.
_LEFT_BEHIND_SEC = 2.0
_PROGRESS_SEC = 0.25


class _Capture:
    """The reader's side of one open source."""

    def __init__(self, reader: ChunkReader, arena: int, worker: WorkerProcess) -> None:
        self.reader = reader
        self.arena = arena
        self._worker = worker
        worker.keep(arena)
        self.pending: deque[Chunk] = deque()
        self.acknowledged = 0
        self.rows = 0
        self.last_seq = 0
        self.stopped_at: float | None = None
        self.ended = False

    def close(self) -> None:
        if self.arena >= 0:
            self._worker.drop(self.arena)
            self.arena = -1


class WorkerSession:
    """Implements :class:`workbench.session.interface.Session` with a worker process."""

    def __init__(
        self,
        call_timeout_sec: float | None = None,
        memory_limit_bytes: int | None = None,
        plan: SandboxPlan | None = None,
    ) -> None:
        """Start the worker, in a sandbox if it has a ``plan``.

        ``call_timeout_sec``: limit for every call; None is 30 s for all but next_batch.
        ``memory_limit_bytes``: None is half of the memory available now.
        """
        self._connection = WorkerConnection(call_timeout_sec, memory_limit_bytes, plan)
        # What the worker is bound to, {} for nothing.
        self.sandbox = self._connection.sandbox
        self._capture: _Capture | None = None
        self._left_behind = False
        self._progress = Progress()
        self._cost = 0
        self._numbering = Numbering()
        self.number_base: int | None = None

    @property
    def alive(self) -> bool:
        """False once the worker is gone."""
        connection = self._connection
        return not (connection.closed or connection.error or connection.inherited)

    @property
    def pid(self) -> int:
        """The worker's process id."""
        return self._connection.worker.pid

    # ---- loading ---------------------------------------------------------------------

    def inspect(self, path: str) -> Manifest:
        """Return what a library is; see :meth:`Session.inspect`."""
        return self._load(path, inspect=True)[1]

    def load(self, path: str) -> tuple[int, Manifest]:
        """Load and check a library; see :meth:`Session.load`."""
        return self._load(path, inspect=False)

    def _load(self, path: str, *, inspect: bool) -> tuple[int, Manifest]:
        path = os.fspath(path)
        self._connection.expect_plugin(path)
        # The worker stays in the folder where it was started.
        file = os.path.abspath(path)  # noqa: PTH100 - Path would not resolve "..".
        answer, _ = self._call("load", path=path, file=file, inspect=inspect)
        with self._connection.untrusted():
            index = int(answer["plugin"])
            manifest = Manifest.from_facts(answer["manifest"])
        self._connection.name_plugin(index, manifest.name or Path(path).name)
        return index, manifest

    def init(
        self, plugin: int, config: str, *, as_falco: bool = False
    ) -> tuple[OpenParam, ...]:
        """Initialise; see :meth:`Session.init`."""
        answer, _ = self._call("init", plugin=plugin, config=config, as_falco=as_falco)
        if answer.get("complaint"):
            self._connection.logs.note(answer["complaint"])
        return tuple(OpenParam(**row) for row in answer["open_params"])

    def _call(
        self, op: str, fds: Sequence[int] = (), **request: Any
    ) -> tuple[Any, list[int]]:
        if self._left_behind:
            self._meet_again()
        return self._connection.call(op, fds, **request)

    @deferring
    def _ask(self, op: str, fds: Sequence[int] = (), **request: Any) -> tuple[Any, Any]:
        """Ask for what comes as memory: the answer, and the memory."""
        answer, received = self._call(op, fds, **request)
        try:
            with self._connection.untrusted():
                return answer, map_memory(received[0], self._connection.memory_limit)
        finally:
            close_all(received)

    def _meet_again(self) -> None:
        """Wait for a source that was left behind in next_batch."""
        if (
            not self._connection.leaves_next(_LEFT_BEHIND_SEC)
            and self._connection.error is None
        ):
            raise self._connection.give_up(_LEFT_BEHIND_SEC)
        self._left_behind = False
        self._connection.call("close_capture")
        self._connection.drop_packets()

    # ---- captures --------------------------------------------------------------------

    def open(
        self,
        plugin: int,
        params: str,
        columns: Sequence[ColumnRequest],
        options: CaptureOptions,
    ) -> None:
        """Open the source of ``plugin``; see :meth:`Session.open`."""
        with interruptible(undo=self.close_capture):
            self._open(plugin, params, columns, options)

    def _open(
        self,
        plugin: int,
        params: str,
        columns: Sequence[ColumnRequest],
        options: CaptureOptions,
    ) -> None:
        self._connection.raise_if_inherited()
        if self._capture is not None:
            raise PluginOpenError(
                "a capture is open in this session: close it first", params=params
            )
        if self._left_behind:
            self._meet_again()
        self._connection.drop_packets()
        self._settle_window()
        base = self._numbering.fresh()
        programs = []
        if options.programs:
            programs.append(write_memfd("workbench-programs", options.programs))
        try:
            answer, fds = self._call(
                "open",
                programs,
                plugin=plugin,
                params=params,
                columns=wire_columns(columns),
                options={**wire_options(options), "number_base": base},
            )
        finally:
            close_all(programs)
        try:
            with self._connection.untrusted():
                layout = expected_columns(columns, options)
                named = [name for name, *_ in layout]
                if len(answer["columns"]) > len(layout):
                    # Some plugin injects events, which the worker knows.
                    layout += ASYNC_COLUMNS
                    named = [name for name, *_ in layout]
                if answer["columns"] != named:
                    raise InvalidDataError("other columns than asked for")  # noqa: TRY301
                reader = ChunkReader(
                    named, answer["source"], layout=layout, most_rows=options.chunk_rows
                )
        except BaseException:
            close_all(fds)
            raise
        self._capture = _Capture(reader, fds[0], self._connection.worker)
        self.number_base = base
        self._connection.streaming = True
        self._progress = Progress()

    def _settle_window(self) -> None:
        """Acknowledge what was sent for captures that were closed before their end."""
        shared_page = self._connection.worker.shared_page
        self._cost = shared_page.counters()[1]
        shared_page.acknowledge(self._cost)

    def read(self, timeout_sec: float | None = None) -> Chunk | None:
        """Return the next chunk; see :meth:`Session.read`."""
        self._connection.raise_if_inherited()
        capture = self._capture
        if capture is None:
            raise WorkbenchError("no capture is open")
        chunk: Chunk | None = None

        def give_back() -> None:
            if chunk is not None:
                capture.pending.appendleft(chunk)

        with interruptible(undo=give_back):
            chunk = self._next_chunk(capture, timeout_sec)
        return chunk

    def _next_chunk(self, capture: _Capture, timeout_sec: float | None) -> Chunk | None:
        deadline = None if timeout_sec is None else time.monotonic() + timeout_sec
        while True:
            interruption_point()
            if not capture.pending:
                self._connection.take_packets()
                self._decode(capture)
            if capture.pending:
                return capture.pending.popleft()
            if capture.ended:
                return None
            if self._connection.error is not None:
                self._died(capture, self._connection.error)
                continue
            left = self._patience(capture, deadline)
            if left is None and capture.pending:
                continue
            self._connection.wait(left)
            if deadline is not None and time.monotonic() >= deadline:
                self._connection.take_packets()
                self._decode(capture)
                if not capture.pending and self._connection.error is None:
                    return None

    def _patience(self, capture: _Capture, deadline: float | None) -> float | None:
        """Return how long to wait; leave a stopped source behind when it is time."""
        now = time.monotonic()
        left = None if deadline is None else max(0.0, deadline - now)
        if capture.stopped_at is None:
            return left
        if now - capture.stopped_at > _STOP_SEC and self._connection.in_next():
            self._left_behind = True
            capture.ended = True
            capture.pending.append(Chunk(None, end="cancelled"))
            return None
        return min(0.01, left) if left is not None else 0.01

    def _decode(self, capture: _Capture, most: int = 1) -> None:
        """Turn packets that came into chunks, and let the worker go on.

        ``most``: so many; what a slow reader leaves in its queue holds the worker back.
        """
        packets = self._connection.incoming.packets
        while packets and (capture.ended or len(capture.pending) < most):
            packet = packets.popleft()
            try:
                if not capture.ended:
                    with self._connection.untrusted():
                        self._decode_packet(capture, packet)
            except WorkbenchError as error:
                capture.pending.append(Chunk(None, "crashed", error))
                capture.ended = True
            finally:
                packet.close()

    def _decode_packet(self, capture: _Capture, packet: Packet) -> None:
        if packet.kind() == END:
            end, error, seen = packet.end()
            if seen < capture.reader.seen:
                raise InvalidDataError("fewer events than before")
            if error is not None:
                error = self._connection.explained(error)
            first = capture.reader.first_ns
            ways = filter_ways(end.get("ways", ()))
            capture.pending.append(Chunk(None, end["end"], error, seen, first, ways))
            capture.ended = True
            self._connection.tracer.drain()
            return
        seq, rows, cost, memory = packet.chunk()
        if seq != capture.last_seq + 1:
            raise InvalidDataError("a chunk out of order")
        batch = capture.reader.read(memory)
        if batch.num_rows != rows:
            raise InvalidDataError("a chunk of other rows than announced")
        reader = capture.reader
        capture.rows += rows
        if reader.seen < capture.rows:
            raise InvalidDataError("more rows than events")
        capture.pending.append(Chunk(batch, None, None, reader.seen, reader.first_ns))
        capture.last_seq = seq
        self._cost = (self._cost + cost) & _MOST_COST
        shared_page = self._connection.worker.shared_page
        shared_page.acknowledge(self._cost)
        if shared_page.waiting():
            self._connection.post("wake")

    def _died(self, capture: _Capture, error: WorkbenchError) -> None:
        """End the capture of a dead worker; unsent rows still lie in its builder."""
        self._connection.take_packets()
        self._decode(capture, _ALL)
        if capture.ended:
            return
        # A wild write may have hit the rows that were not complete: they are lost then.
        with suppress(ValueError, OSError, MemoryError, pa.ArrowException):
            if capture.arena >= 0:
                arena = ArenaMemory(capture.arena)
                rescued = capture.reader.rescue(arena, capture.last_seq)
                if rescued is not None:
                    capture.pending.append(
                        Chunk(
                            rescued,
                            seen=capture.reader.seen,
                            first_ns=capture.reader.first_ns,
                        )
                    )
        end: EndReason = "failure"
        if isinstance(error, PluginCrashed):
            end = "crashed"
        elif isinstance(error, PluginHung):
            end = "hung"
        seen, first = capture.reader.seen, capture.reader.first_ns
        capture.pending.append(Chunk(None, end, error, seen, first))
        capture.ended = True

    @deferring
    def stop(self) -> None:
        """Ask the running capture to end; see :meth:`Session.stop`."""
        capture = self._capture
        if capture is None or capture.ended or capture.stopped_at is not None:
            return
        self._connection.raise_if_inherited()
        capture.stopped_at = time.monotonic()
        self._connection.worker.shared_page.set_stop(1)
        self._connection.post("wake")

    @deferring
    def close_capture(self) -> None:
        """Close the source; see :meth:`Session.close_capture`."""
        capture, self._capture = self._capture, None
        if capture is None:
            return
        self._connection.streaming = False
        try:
            if self.alive and not self._left_behind:
                self._connection.worker.shared_page.set_stop(1)
                if self._connection.leaves_next(_STOP_SEC):
                    self._connection.call("close_capture")
                else:
                    self._left_behind = True
        finally:
            capture.close()
            self._connection.drop_packets()

    def waiting_call(self) -> str:
        """Return the C name of the plugin call in flight, "" for none."""
        return self._connection.waiting_call()

    def reached(self) -> int:
        """Return the number of the event in work; see :meth:`Session.reached`."""
        return self._connection.worker.shared_page.state()[4]

    # ---- stored events ---------------------------------------------------------------

    @deferring
    def extract(
        self,
        raw: pa.Array,
        numbers: pa.Array,
        source: str,
        columns: Sequence[ColumnRequest],
        *,
        number_base: int | None = None,
        one_number: bool = False,
    ) -> pa.RecordBatch:
        """Extract from stored events; see :meth:`Session.extract`."""
        block, data_bytes = pack_events(raw, numbers)
        try:
            answer, whole = self._ask(
                "extract",
                [block],
                data_bytes=data_bytes,
                count=len(raw),
                source=source,
                columns=wire_columns(columns),
                options={
                    **wire_options(CaptureOptions()),
                    **self._numbering.options(number_base),
                    "one_number": one_number,
                },
            )
        finally:
            os.close(block)
        with self._connection.untrusted():
            return assemble_batch(whole, answer["sizes"], columns, len(raw))

    def rounds(self, plugin: int, config: str, count: int) -> dict[str, Any]:
        """Initialise and destroy ``count`` times; see :meth:`Session.rounds`."""
        answer, _ = self._call("rounds", plugin=plugin, config=config, count=count)
        return dict(answer)

    @deferring
    def threads(
        self,
        plugin: int,
        config: str,
        raw: pa.Array,
        source: str,
        columns: Sequence[ColumnRequest],
        *,
        count: int,
    ) -> list[pa.RecordBatch]:
        """Extract in several threads at once; see :meth:`Session.threads`."""
        numbers = pa.array(range(1, len(raw) + 1), pa.uint64())
        block, data_bytes = pack_events(raw, numbers)
        try:
            answer, whole = self._ask(
                "threads",
                [block],
                plugin=plugin,
                config=config,
                data_bytes=data_bytes,
                count=len(raw),
                source=source,
                columns=wire_columns(columns),
                options=wire_options(CaptureOptions()),
                threads=count,
            )
        finally:
            os.close(block)
        with self._connection.untrusted():
            batches = []
            for sizes in answer["runs"]:
                batches.append(assemble_batch(whole, sizes, columns, len(raw)))
                whole = whole.slice(sum(sizes))
            return batches

    @deferring
    def event_strings(self, plugin: int, raw: pa.Array, numbers: pa.Array) -> pa.Array:
        """Return ``event_to_string``; see :meth:`Session.event_strings`."""
        block, data_bytes = pack_events(raw, numbers)
        try:
            _, texts = self._ask(
                "event_strings",
                [block],
                plugin=plugin,
                data_bytes=data_bytes,
                count=len(raw),
                options=self._numbering.text_options(),
            )
        finally:
            os.close(block)
        with self._connection.untrusted():
            return decode_texts(texts.to_pybytes(), len(raw))

    # ---- the rest --------------------------------------------------------------------

    def progress(self) -> Progress:
        """Ask for the progress; the last one known while the source waits."""
        if self._capture is None or self._left_behind or not self.alive:
            return self._progress
        if not self._connection.leaves_next(_PROGRESS_SEC):
            return self._progress
        answer, _ = self._connection.call("progress")
        if answer is not None:
            self._progress = Progress(answer["hundredths"] / 100, answer["text"])
        return self._progress

    def set_config(self, plugin: int, config: str) -> bool:
        """Hand over a new config; see :meth:`Session.set_config`."""
        return bool(self._call("set_config", plugin=plugin, config=config)[0])

    def metrics(self, plugin: int) -> list[dict[str, Any]]:
        """Return the plugin's metrics."""
        return list(self._call("metrics", plugin=plugin)[0])

    def tables(self, max_rows: int) -> list[TableSnapshot]:
        """Return the state tables; see :meth:`Session.tables`."""
        _, rows = self._ask("tables", max_rows=max_rows)
        with self._connection.untrusted():
            return decode_tables(rows.to_pybytes())

    def dump_state(self) -> list[bytes]:
        """Ask for the plugins' state; see :meth:`Session.dump_state`."""
        sizes, events = self._ask("dump_state")
        with self._connection.untrusted():
            if sum(sizes) != events.size:
                raise InvalidDataError("events of other sizes than announced")
            data = events.to_pybytes()
        ends = list(accumulate(sizes, initial=0))
        return [data[start:end] for start, end in pairwise(ends)]

    def call_errors(self) -> list[CallErrors]:
        """Return what failed without ending the capture."""
        return self._connection.tracer.errors()

    def trace(self, plugin: int | None = None) -> list[TraceCall]:
        """Return the calls made so far, oldest first."""
        return self._connection.tracer.calls(plugin, dead=not self.alive)

    def log(self, plugin: int | None = None) -> list[LogLine]:
        """Return the log so far, oldest first."""
        return self._connection.logs.lines(plugin)

    def close(self) -> None:
        """Destroy all plugins and end the worker (idempotent)."""
        with finishing():
            capture, self._capture = self._capture, None
            if capture is not None:
                capture.close()
            self._connection.close()
