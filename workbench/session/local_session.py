"""A session whose plugins live in this very process: ``isolation="none"``.

The same C code as in a worker, driven by the caller's thread. For debugging: a plugin
that crashes or hangs takes everything with it.
"""

from __future__ import annotations

import mmap
import os
import socket
import time
import weakref
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from workbench.errors import PluginOpenError, WorkbenchError
from workbench.host import handles
from workbench.host.event_block import feed_chunks, split_block
from workbench.host.plugin_host import PluginHost
from workbench.host.stress import rounds, threads
from workbench.manifest import Manifest, OpenParam
from workbench.session.call_trace import Tracer
from workbench.session.chunk_reader import ChunkReader
from workbench.session.event_block import (
    assemble_batch,
    block_parts,
    filter_ways,
    wire_columns,
    wire_options,
)
from workbench.session.host_errors import error_from_wire
from workbench.session.log_lines import (
    LARGEST_LOG_PACKET,
    KeptLines,
    decode_log_packet,
)
from workbench.session.numbering import Numbering
from workbench.session.table_decoder import decode_tables
from workbench.session.types import CaptureOptions, Chunk, Progress
from workbench.wire.messages import HostError
from workbench.wire.shared_page import SharedPage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from workbench.session.types import (
        CallErrors,
        ColumnRequest,
        LogLine,
        TableSnapshot,
        TraceCall,
    )

__all__ = ["LocalSession"]

# Ctrl-C is seen between slices, when the plugin returns.
_SLICE_NS = 50_000_000
_ENDED = 2


class _Block:
    """A chunk's memory, freed when the last array over it is gone."""

    def __init__(self, address: int, free: Callable[[], None]) -> None:
        self.address = address
        weakref.finalize(self, free)


@contextmanager
def _told() -> Iterator[None]:
    """Turn the host's refusals into the errors that people catch."""
    try:
        yield
    except HostError as error:
        raise error_from_wire(error.to_wire()) from None


class LocalSession:
    """Implements :class:`workbench.session.interface.Session` in-process."""

    def __init__(
        self,
        call_timeout_sec: float | None = None,  # noqa: ARG002 - same signature
        memory_limit_bytes: int | None = None,  # noqa: ARG002 - same signature
    ) -> None:
        """Start without plugins; the limits of a worker do not exist here."""
        self._page = mmap.mmap(-1, handles.shared_page_bytes())
        self._shared_page = SharedPage(self._page)
        kind = socket.SOCK_SEQPACKET | socket.SOCK_CLOEXEC
        self._log, self._log_end = socket.socketpair(socket.AF_UNIX, kind)
        self._log.setblocking(False)
        self._lines = KeptLines()
        self._tracer = Tracer(self._shared_page)
        self._tracer.names = handles.CALLS
        self._plugin_host: PluginHost | None = PluginHost(
            self._page, self._log_end.fileno()
        )
        self._reader: ChunkReader | None = None
        self._ended = False
        self._loads = 0
        self._progress = Progress()
        self._numbering = Numbering()
        self.number_base: int | None = None

    @property
    def pid(self) -> int:
        """This process's own ID."""
        return os.getpid()

    @property
    def alive(self) -> bool:
        """False after :meth:`close`."""
        return self._plugin_host is not None

    def _open_plugin_host(self) -> PluginHost:
        if self._plugin_host is None:
            raise WorkbenchError("the session is closed")
        return self._plugin_host

    def inspect(self, path: str) -> Manifest:
        """Return what a library is; see :meth:`Session.inspect`."""
        return self._load(path, inspect=True)[1]

    def load(self, path: str) -> tuple[int, Manifest]:
        """Load and check a library; see :meth:`Session.load`."""
        return self._load(path, inspect=False)

    def _load(self, path: str, *, inspect: bool) -> tuple[int, Manifest]:
        path = os.fspath(path)
        plugin_host = self._open_plugin_host()
        self._tracer.plugins[self._loads] = Path(path).name
        self._loads += 1
        with _told():
            answer = plugin_host.load(path, inspect=inspect)
        manifest = Manifest.from_facts(answer["manifest"])
        index = int(answer["plugin"])
        self._tracer.plugins[index] = manifest.name or Path(path).name
        self._tracer.drain()
        return index, manifest

    def init(
        self, plugin: int, config: str, *, as_falco: bool = False
    ) -> tuple[OpenParam, ...]:
        """Initialise; see :meth:`Session.init`."""
        with _told():
            answer = self._open_plugin_host().init(plugin, config, as_falco=as_falco)
        return tuple(OpenParam(**row) for row in answer["open_params"])

    def open(
        self,
        plugin: int,
        params: str,
        columns: Sequence[ColumnRequest],
        options: CaptureOptions,
    ) -> None:
        """Open the source of ``plugin``; see :meth:`Session.open`."""
        if self._reader is not None:
            raise PluginOpenError(
                "a capture is open in this session: close it first", params=params
            )
        base = self._numbering.fresh()
        with _told():
            answer = self._open_plugin_host().open(
                plugin,
                params,
                wire_columns(columns),
                {**wire_options(options), "number_base": base},
                programs=options.programs,
            )
        self.number_base = base
        self._reader = ChunkReader(answer["columns"], answer["source"], trusted=True)
        self._ended = False
        self._progress = Progress()

    def read(self, timeout_sec: float | None = None) -> Chunk | None:
        """Return the next chunk; see :meth:`Session.read`."""
        plugin_host, reader = self._open_plugin_host(), self._reader
        if reader is None or plugin_host.pump is None:
            raise WorkbenchError("no capture is open")
        deadline = None if timeout_sec is None else time.monotonic() + timeout_sec
        while True:
            # Nobody else empties the socket that plugins log into.
            self._drain_log()
            taken = plugin_host.pump.take()
            if taken is not None:
                return _chunk(reader, taken)
            if self._ended:
                return None
            if plugin_host.pump.run(-1, _SLICE_NS) == _ENDED:
                if (taken := plugin_host.pump.take()) is not None:
                    return _chunk(reader, taken)
                return self._end(plugin_host)
            if deadline is not None and time.monotonic() >= deadline:
                plugin_host.pump.flush()
                taken = plugin_host.pump.take()
                return taken and _chunk(reader, taken)

    def _end(self, plugin_host: PluginHost) -> Chunk:
        self._ended = True
        self._tracer.drain()
        end = plugin_host.end_of_capture()
        error = error_from_wire(end["error"]) if end["error"] else None
        seen = plugin_host.pump.events() if plugin_host.pump is not None else 0
        first_ns = self._reader.first_ns if self._reader is not None else 0
        return Chunk(None, end["end"], error, seen, first_ns, filter_ways(end["ways"]))

    def waiting_call(self) -> str:
        """Return the C name of the plugin call in flight, "" for none."""
        return handles.CALLS[self._shared_page.state()[0]]

    def reached(self) -> int:
        """Return the number of the event in work; see :meth:`Session.reached`."""
        return self._shared_page.state()[4]

    def stop(self) -> None:
        """Ask the running capture to end; see :meth:`Session.stop`."""
        if self._reader is not None:
            self._shared_page.set_stop(1)

    def close_capture(self) -> None:
        """Close the source; see :meth:`Session.close_capture`."""
        self._reader = None
        if self._plugin_host is not None:
            self._plugin_host.close_capture()
            self._tracer.drain()

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
        block, size = _block_of(raw, numbers)
        request = {
            "count": len(raw),
            "source": source,
            "columns": wire_columns(columns),
            "options": {
                **wire_options(CaptureOptions()),
                **self._numbering.options(number_base),
                "one_number": one_number,
            },
        }
        with _told():
            chunks, _ = feed_chunks(
                self._open_plugin_host(), request, *split_block(block, size, len(raw))
            )
        return _joined(chunks, columns, len(raw))

    def rounds(self, plugin: int, config: str, count: int) -> dict[str, Any]:
        """Initialise and destroy ``count`` times; see :meth:`Session.rounds`."""
        with _told():
            return rounds(self._open_plugin_host(), plugin, config, count)

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
        blocks = []
        for _ in range(count + 1):
            block, size = _block_of(raw, numbers)
            blocks.append(split_block(block, size, len(raw)))
        request = {
            "plugin": plugin,
            "config": config,
            "count": len(raw),
            "source": source,
            "columns": wire_columns(columns),
            "options": wire_options(CaptureOptions()),
        }
        with _told():
            runs, _ = threads(self._open_plugin_host(), request, blocks)
        return [_joined(chunks, columns, len(raw)) for chunks in runs]

    def event_strings(self, plugin: int, raw: pa.Array, numbers: pa.Array) -> pa.Array:
        """Return ``event_to_string``; see :meth:`Session.event_strings`."""
        block, size = _block_of(raw, numbers)
        parts = split_block(block, size, len(raw))
        with _told():
            texts = self._open_plugin_host().event_texts(
                plugin,
                *parts,
                len(raw),
                options=self._numbering.text_options(),
            )
        return pa.array(texts, type=pa.binary())

    def progress(self) -> Progress:
        """Ask for the progress of the open capture."""
        answer = (
            self._open_plugin_host().progress() if self._reader is not None else None
        )
        if answer is not None:
            self._progress = Progress(answer["hundredths"] / 100, answer["text"])
        return self._progress

    def set_config(self, plugin: int, config: str) -> bool:
        """Hand over a new config; see :meth:`Session.set_config`."""
        with _told():
            return self._open_plugin_host().set_config(plugin, config)

    def metrics(self, plugin: int) -> list[dict[str, Any]]:
        """Return the plugin's metrics."""
        with _told():
            return self._open_plugin_host().metrics(plugin)

    def tables(self, max_rows: int) -> list[TableSnapshot]:
        """Return the state tables; see :meth:`Session.tables`."""
        with _told():
            return decode_tables(self._open_plugin_host().tables(max_rows))

    def dump_state(self) -> list[bytes]:
        """Ask for the plugins' state; see :meth:`Session.dump_state`."""
        with _told():
            return self._open_plugin_host().dump_state()

    def call_errors(self) -> list[CallErrors]:
        """Return what failed without ending the capture."""
        return self._tracer.errors()

    def trace(self, plugin: int | None = None) -> list[TraceCall]:
        """Return the calls made so far, oldest first."""
        return self._tracer.calls(plugin)

    def log(self, plugin: int | None = None) -> list[LogLine]:
        """Return the log so far, oldest first."""
        self._drain_log()
        return self._lines.of(plugin, self._shared_page.log_dropped())

    def _drain_log(self) -> None:
        while self._plugin_host is not None:
            try:
                packet = self._log.recv(LARGEST_LOG_PACKET)
            except BlockingIOError:
                return
            entry = decode_log_packet(packet)
            if entry is not None:
                self._lines.add(*entry)

    def close(self) -> None:
        """Destroy all plugins (idempotent); their libraries stay mapped."""
        plugin_host = self._plugin_host
        if plugin_host is None:
            return
        self._reader = None
        plugin_host.close()
        self._drain_log()
        self._tracer.drain()
        self._plugin_host = None
        self._log.close()
        self._log_end.close()


def _block_buffer(address: int, size: int, free: Callable[[], None]) -> Any:
    return pa.foreign_buffer(address, size, base=_Block(address, free))


def _chunk(reader: ChunkReader, taken: tuple[int, int, Callable[[], None]]) -> Chunk:
    batch = reader.read(_block_buffer(*taken))
    return Chunk(batch, seen=reader.seen, first_ns=reader.first_ns)


def _joined(
    chunks: Sequence[tuple[int, int, Callable[[], None]]],
    columns: Sequence[ColumnRequest],
    rows: int,
) -> pa.RecordBatch:
    """Make one batch of a feeding's chunks, and free them."""
    whole = b"".join(handles.memory_at(a, n)[:] for a, n, _ in chunks)
    for _, _, free in chunks:
        free()
    sizes = [n for _, n, _ in chunks]
    return assemble_batch(pa.py_buffer(whole), sizes, columns, rows)


def _block_of(raw: Any, numbers: Any) -> tuple[bytearray, int]:
    """Lay stored events out in memory of our own."""
    parts, size = block_parts(raw, numbers)
    block = bytearray()
    for part in parts:
        block += memoryview(part).cast("B") if len(part) else b""
    return block, size
