"""Capture files (.scap) as Falco and sysdig write and read them.

Rows with whole 3.x events → :class:`ScapWriter` → blocks in a file (plain or gzip) →
:class:`ScapReader` → record batches. :func:`write_scap` and :func:`read_scap` do whole
tables. A capture keeps events, not fields: to get these back, plugins extract again.
"""

from __future__ import annotations

import os
import socket
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn

import pyarrow as pa
import pyarrow.compute as pc

from workbench.captures.contents import CaptureContents
from workbench.captures.files import ByteSink, file_errors
from workbench.captures.framing import FramingError, frame, preamble
from workbench.captures.scap_reader import ScapReader
from workbench.closing import Closing
from workbench.errors import CaptureFileError
from workbench.memory import half_of_memory
from workbench.saving import replacing

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["ScapReader", "ScapWriter", "read_scap", "write_scap"]

_FLUSH_SEC: Final = 1.0


class ScapWriter(Closing):
    """Appends events to a capture file, starting a new file by size or by time.

    Without rotation there is one file, ``path``. With it the files are
    ``name-0001.scap``, ``name-0002.scap`` … beside ``path``; each is a whole capture.
    Every written event is in the file when :meth:`write` returns; gzip files lag at
    most a second or a mebibyte behind.

    Raises CaptureFileError when the file cannot be written or an event is unsound.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        hostname: str | None = None,
        compress: bool | None = None,
        rotate_bytes: int | None = None,
        rotate_sec: float | None = None,
        state: Callable[[], list[bytes]] | None = None,
    ) -> None:
        """Open the first file.

        ``hostname``: kept in the file for ``evt.hostname``; None means this machine's.
        ``compress``: gzip; None means when ``path`` ends in ``.gz``. ``rotate_bytes``:
        size (before compression) after which a new file begins. ``rotate_sec``: age.
        ``state``: gives the async events that describe the plugins' state; asked for
        each file, which begins with them, as a reader wants state first.
        """
        for name, value in (("rotate_bytes", rotate_bytes), ("rotate_sec", rotate_sec)):
            if value is not None and value <= 0:
                raise CaptureFileError(f"{name} must be greater than 0, is {value}")
        self._path = Path(path)
        named_gzip = self._path.suffix == ".gz"
        self._compress = named_gzip if compress is None else compress
        self._rotate_bytes = rotate_bytes
        self._rotate_sec = rotate_sec
        self._state = state
        if hostname is None:
            hostname = os.environ.get("FALCO_HOSTNAME") or socket.gethostname()
        self._preamble = preamble(hostname, os.cpu_count() or 0, 0)
        self._sink: ByteSink | None = None
        self._opened_at = 0.0
        self._flushed_at = 0.0
        self._events_in_file = 0
        self.paths: list[Path] = []
        self.events = 0
        self._start_file()

    @property
    def path(self) -> Path:
        """Return the file being written, or the last one."""
        return self.paths[-1]

    def _start_file(self) -> None:
        path = self._path
        if self._rotate_bytes is not None or self._rotate_sec is not None:
            parts = 2 if path.suffix == ".gz" else 1
            ending = "".join(path.suffixes[-parts:])
            stem = path.name.removesuffix(ending)
            path = path.with_name(f"{stem}-{len(self.paths) + 1:04d}{ending}")
        with file_errors(path, "write"):
            self._sink = ByteSink(path, compress=self._compress)
            self.paths.append(path)
            self._sink.write(self._preamble)
            self._sink.flush()
            self._write_state()
        self._opened_at = self._flushed_at = time.monotonic()
        self._events_in_file = 0

    def _write_state(self) -> None:
        events = self._state() if self._state is not None else []
        if events:
            raw = pa.array(events, pa.binary())
            now = pa.array([time.time_ns()] * len(events), pa.uint64())
            for piece, _ in frame(raw, now):
                self._open_sink().write(piece)

    def _open_sink(self) -> ByteSink:
        if self._sink is None:
            raise CaptureFileError("the capture file is closed", path=str(self.path))
        return self._sink

    def _rotate_if_due(self) -> None:
        sink = self._open_sink()
        age = time.monotonic() - self._opened_at
        full = self._rotate_bytes is not None and sink.bytes_in >= self._rotate_bytes
        old = self._rotate_sec is not None and age >= self._rotate_sec
        # A capture without events is refused by Falco, so an empty file is kept.
        if self._events_in_file and (full or old):
            with file_errors(self.path, "write"):
                sink.close()
            self._start_file()

    def write(self, data: pa.Table | pa.RecordBatch) -> int:
        """Append the rows of ``data`` (columns ``raw`` and, if there, ``evt.rawtime``).

        Returns the number of events written.
        """
        self._open_sink()
        before = self.events
        for raw, times in _raw_chunks(data, self._path):
            self._write_chunk(raw, times)
        if time.monotonic() - self._flushed_at >= _FLUSH_SEC:
            self.flush()
        return self.events - before

    def _write_chunk(self, raw: pa.Array, times: pa.Array | None) -> None:
        pieces = frame(raw, times, piece_bytes=self._rotate_bytes)
        try:
            for piece, rows in pieces:
                self._rotate_if_due()
                with file_errors(self.path, "write"):
                    self._open_sink().write(piece)
                self.events += rows
                self._events_in_file += rows
        except FramingError as error:
            place = "" if error.row is None else f" in row {error.row}"
            text = f"cannot write the event{place} to {self.path}: {error.reason}"
            raise CaptureFileError(text, path=str(self.path)) from error

    def flush(self) -> None:
        """Hand everything written so far to the system."""
        with file_errors(self.path, "write"):
            self._open_sink().flush()
        self._flushed_at = time.monotonic()

    def close(self) -> None:
        """Flush and close (idempotent)."""
        sink, self._sink = self._sink, None
        if sink is not None:
            with file_errors(self.path, "write"):
                sink.close()


def _raw_chunks(
    data: pa.Table | pa.RecordBatch, path: Path
) -> list[tuple[pa.Array, pa.Array | None]]:
    """Return (raw, times) per chunk, of the types the C core reads."""
    if "raw" not in data.schema.names:
        text = (
            f"cannot write {path}: the events have no raw bytes; "
            "capture them with keep_events=True"
        )
        raise CaptureFileError(text, path=str(path))
    table = pa.table(data) if isinstance(data, pa.RecordBatch) else data
    table = pa.Table.from_batches(table.to_batches(), schema=table.schema)
    has_time = "evt.rawtime" in table.schema.names
    chunks: list[tuple[pa.Array, pa.Array | None]] = []
    columns = ["raw", "evt.rawtime"] if has_time else ["raw"]
    for batch in table.select(columns).to_batches():
        raw = batch.column(0)
        if not (pa.types.is_binary(raw.type) or pa.types.is_large_binary(raw.type)):
            raw = raw.cast(pa.binary())
        if raw.null_count:
            text = f"cannot write {path}: {raw.null_count} events have no raw bytes"
            raise CaptureFileError(text, path=str(path))
        times = batch.column(1) if has_time else None
        if times is not None and times.type != pa.uint64():
            times = times.cast(pa.int64()).cast(pa.uint64())
        if times is not None and times.null_count:
            times = pc.fill_null(times, pa.scalar(2**64 - 1, pa.uint64()))
        chunks.append((raw, times))
    return chunks


def write_scap(
    path: str | os.PathLike[str],
    table: pa.Table,
    *,
    hostname: str | None = None,
    compress: bool | None = None,
) -> int:
    """Write all rows of ``table`` as one capture file and give their number.

    ``table``: columns ``raw`` (whole 3.x events) and, if there, ``evt.rawtime`` (ns).
    The file appears whole or not at all. ``hostname``, ``compress``: as ScapWriter.
    Raises CaptureFileError.
    """
    target = Path(path)
    packed = target.suffix == ".gz" if compress is None else compress
    with (
        file_errors(target, "write"),
        replacing(target) as draft,
        ScapWriter(draft, hostname=hostname, compress=packed) as writer,
    ):
        try:
            return writer.write(table)
        except CaptureFileError as error:
            text = error.message.replace(str(draft), str(target))
            raise CaptureFileError(text, path=str(target)) from error.__cause__


def read_scap(
    path: str | os.PathLike[str],
    *,
    sources: Mapping[int, str] | None = None,
    state: bool = False,
    keep_other: bool = False,
    max_bytes: int | None = None,
) -> CaptureContents:
    """Read a capture file, plain or gzip, into one table.

    ``sources``: plugin id → event source; events of other ids get a null source, id 0
    is ``syscall``. ``state``: also give the events that a reader only feeds to parsing,
    marked in a column ``state_only``. ``keep_other``: also give events that are neither
    plugin nor async events. ``max_bytes``: stop with an error beyond so many bytes of
    events, None means half of the available memory.

    A file cut short gives what is there and a note. Raises CaptureFileError for
    anything else; its ``events`` are the CaptureContents read before the damage.
    """
    limit = max_bytes if max_bytes is not None else half_of_memory()
    batches: list[pa.RecordBatch] = []
    size = 0
    with ScapReader(
        path, sources=sources, state=state, keep_other=keep_other
    ) as reader:
        try:
            for batch in reader:
                batches.append(batch)
                size += batch.nbytes
                if size > limit:
                    _refuse_size(path, limit)
        except CaptureFileError as error:
            error.events = _contents(reader, batches)
            raise
        return _contents(reader, batches)


def _refuse_size(path: str | os.PathLike[str], limit: int) -> NoReturn:
    text = (
        f"{os.fspath(path)} holds more than {limit} bytes of events: "
        "read it in pieces with workbench.captures.scap.ScapReader"
    )
    raise CaptureFileError(text, path=os.fspath(path))


def _contents(reader: ScapReader, batches: list[pa.RecordBatch]) -> CaptureContents:
    table = pa.Table.from_batches(batches, schema=reader.schema)
    table = table.unify_dictionaries()
    names = set(pc.unique(table["evt.source"]).to_pylist()) if len(table) else set()
    source = names.pop() if len(names) == 1 else None
    extra: dict[str, Any] = {"plugin_ids": dict(reader.plugin_ids)}
    return CaptureContents(
        table=table,
        source=source,
        hostname=reader.hostname,
        notes=tuple(reader.notes),
        extra=extra,
    )
