"""Arrow and Parquet files from strangers, decoded within bounds.

A file of which it is known beforehand that decoding it takes little is decoded here
(``nearby``). All others are decoded elsewhere: file ──descriptor──► a process with
little memory (``decoder``) ──pipe──► record batches here, counted as they come.
Whatever happens to that process is one CaptureFileError.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn

import pyarrow as pa
import pyarrow.compute as pc

from workbench.captures.decoder import DAMAGED, NO_MEMORY, TEXT_MARK
from workbench.captures.files import file_errors
from workbench.captures.nearby import NEARBY_ERRORS, open_nearby
from workbench.captures.soundness import as_bytes, as_text, sound
from workbench.closing import Closing
from workbench.errors import CaptureFileError
from workbench.formatting.printable import shortened
from workbench.memory import half_of_memory
from workbench.reading import open_regular

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["Decoded", "held_bytes", "read_all", "too_large"]

# Arrow does without numpy, which takes longer to load than all else.
_BOOT: Final = (
    "import sys; sys.path += sys.argv[7:]; sys.modules['numpy'] = None; "
    "from workbench.captures.decoder import main; main(sys.argv[1:7])"
)
# What the decoder needs beside what it decodes.
_BASE_BYTES: Final = 256 << 20
_PIECE_ROWS: Final = 1 << 16
_MAX_REASON_BYTES: Final = 2000
# An allocator that takes what is asked for, and gives it back.
_ALLOCATOR: Final = {
    "ARROW_DEFAULT_MEMORY_POOL": "system",
    "MALLOC_MMAP_THRESHOLD_": "131072",
    "MALLOC_TRIM_THRESHOLD_": "131072",
}
# How long the decoder may take to end once nobody reads from it.
_END_SEC: Final = 5.0
# Of every row: what its number and its times will take.
_ROW_BYTES: Final = 16
_VALUE_BYTES: Final = 8


def _roots() -> list[str]:
    """Return the folders that the decoder imports from: ours and Arrow's."""
    found = [str(Path(__file__).resolve().parents[2])]
    spec = find_spec("pyarrow")
    if spec is not None and spec.origin:
        found.append(str(Path(spec.origin).parents[1]))
    return list(dict.fromkeys(found))


class Decoded(Closing):
    """The record batches of one file; ``schema``: theirs, with the file's metadata.

    ``form``: "arrow" or "parquet". ``columns``: only these. ``rows``: at most so many
    in a batch, 0 for the schema alone. ``max_bytes``: what one batch and the decoding
    of it may take, roughly. ``part``: only this row group or record batch, -1: all.
    ``shown``: the path that messages name, None: ``path``. Raises CaptureFileError,
    while iterating too.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        form: str,
        *,
        columns: Sequence[str] | None = None,
        rows: int = _PIECE_ROWS,
        max_bytes: int | None = None,
        part: int = -1,
        shown: str | None = None,
    ) -> None:
        """Start decoding."""
        self.path = os.fspath(path) if shown is None else shown
        self.form = form
        self._limit = half_of_memory() if max_bytes is None else max_bytes
        self._reader: Any = None
        wanted = json.dumps(None if columns is None else list(columns))
        heap = str(_BASE_BYTES + self._limit // 2)
        with file_errors(path, "read"):
            fd = open_regular(path)
            try:
                self._said = os.memfd_create("decoder", os.MFD_CLOEXEC)
                words = [form, str(fd), wanted, str(rows), heap, str(part)]
                self._start([*words, *_roots()], fd)
            finally:
                os.close(fd)
        try:
            self._reader = self._told(lambda: pa.ipc.open_stream(self._process.stdout))
            sent = self._reader.schema
            self._texts = [TEXT_MARK in (f.metadata or {}) for f in sent]
            empty = self._named([pa.array([], field.type) for field in sent], sent)
            self.schema = empty.schema.with_metadata(sent.metadata)
        except BaseException:
            self.close()
            raise

    def _start(self, words: list[str], fd: int) -> None:
        try:
            self._process = subprocess.Popen(  # noqa: S603 - this Python
                [sys.executable, "-I", "-S", "-c", _BOOT, *words],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=self._said,
                pass_fds=[fd],
                env={**os.environ, **_ALLOCATOR},
                # Ctrl-C is for the notebook, which then ends the decoder.
                start_new_session=True,
            )
        except BaseException:
            os.close(self._said)
            raise

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        """Yield the batches that are left."""
        while True:
            batch = self._told(self._next)
            if batch is None:
                return
            yield batch

    def _next(self) -> pa.RecordBatch | None:
        try:
            batch = self._reader.read_next_batch()
        except StopIteration:
            # A stream that breaks off between two batches looks as if it had ended.
            if self._process.wait():
                raise pa.ArrowInvalid("the stream broke off") from None
            return None
        return self._named(batch.columns, batch.schema)

    def _named(self, columns: list[pa.Array], schema: pa.Schema) -> pa.RecordBatch:
        """Return a batch in which text is text again, whether or not it is UTF-8."""
        columns = [
            as_text(column) if text else column
            for column, text in zip(columns, self._texts, strict=True)
        ]
        return pa.RecordBatch.from_arrays(columns, names=schema.names)

    def _told(self, step: Any) -> Any:
        """Return what ``step`` gives; where it fails, say what the decoder said."""
        try:
            return step()
        except (pa.ArrowException, OSError, MemoryError) as error:
            self._raise(error)

    def _raise(self, error: BaseException) -> NoReturn:
        code = self._end()
        name = shortened(self.path)
        kind = "Arrow" if self.form == "arrow" else "Parquet"
        if code == DAMAGED:
            size = os.fstat(self._said).st_size
            raw = os.pread(self._said, min(size, _MAX_REASON_BYTES), 0)
            reason = raw.decode("utf-8", "replace")
            text = f"cannot read {name}: it is not a valid {kind} file: {reason}"
        elif code == NO_MEMORY or isinstance(error, MemoryError):
            text = too_large(name, self.form, self._limit)
        else:
            how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
            text = (
                f"cannot read {name}: decoding it ended the process that decodes "
                f"({how}); the file is damaged, or needs more memory than "
                f"max_bytes={self._limit} leaves"
            )
        raise CaptureFileError(text, path=self.path) from None

    def _end(self) -> int:
        """Return how the decoder ended, after it could not write any more."""
        if self._process.stdout is not None:
            self._process.stdout.close()
        try:
            self._process.wait(_END_SEC)
        except subprocess.TimeoutExpired:
            self._process.kill()
        return int(self._process.wait())

    def close(self) -> None:
        """End the decoder (idempotent)."""
        if self._said < 0:
            return
        self._process.kill()
        self._end()
        fd, self._said = self._said, -1
        os.close(fd)


def held_bytes(batch: pa.RecordBatch) -> int:
    """Return what a batch takes here, and in a frame of it."""
    size = int(batch.num_rows) * _ROW_BYTES
    return size + sum(map(_array_bytes, batch.columns))


def _array_bytes(array: pa.Array) -> int:
    size = int(array.nbytes)
    if pa.types.is_dictionary(array.type):
        # Frames write the words out.
        words = as_bytes(array.dictionary)
        if pa.types.is_primitive(words.type):
            return size + len(array) * _VALUE_BYTES
        if not (pa.types.is_binary(words.type) or pa.types.is_large_binary(words.type)):
            return int(words.nbytes) * max(1, len(array))
        lengths = pc.binary_length(words).cast(pa.int64()).take(array.indices)
        return int(array.indices.nbytes) + (pc.sum(lengths).as_py() or 0)
    while pa.types.is_nested(array.type):
        # Values without bytes of their own, such as nulls, become objects later.
        if pa.types.is_struct(array.type):
            return size + sum(map(_array_bytes, array.flatten()))
        array = array.keys if pa.types.is_map(array.type) else array.flatten()
        size += len(array) * _VALUE_BYTES
    return size


def too_large(name: str, form: str, limit: int) -> str:
    """Return what is said of a file that takes more than ``limit`` bytes."""
    piecewise = {"arrow": "arrow_file.iter_arrow", "parquet": "parquet.iter_parquet"}
    return (
        f"{name} holds more than {limit} bytes of events: give a larger max_bytes, or "
        f"read it in pieces with workbench.captures.{piecewise[form]}"
    )


def read_all(
    path: str | os.PathLike[str],
    form: str,
    *,
    columns: Sequence[str] | None = None,
    max_bytes: int | None = None,
) -> tuple[pa.Table, CaptureFileError | None]:
    """Return the table of a file, and the error that ended it early, if any.

    The table has the file's metadata; ``max_bytes``: it takes no more, roughly; None
    means half of the available memory. Raises CaptureFileError where no row was read.
    """
    limit = half_of_memory() if max_bytes is None else max_bytes
    table = _read_nearby(path, form, columns, limit)
    if table is not None:
        return table, None
    batches: list[pa.RecordBatch] = []
    failed = None
    with Decoded(path, form, columns=columns, max_bytes=limit) as file:
        try:
            batches.extend(_bounded(file, limit))
        except CaptureFileError as error:
            if not batches:
                raise
            failed = error
        try:
            table = sound(pa.Table.from_batches(batches, file.schema), path)
        except (pa.ArrowException, UnicodeDecodeError, MemoryError) as error:
            text = f"cannot read {shortened(os.fspath(path))}: {shortened(str(error))}"
            raise CaptureFileError(text, path=os.fspath(path)) from None
        return table.replace_schema_metadata(file.schema.metadata), failed


def _read_nearby(
    path: str | os.PathLike[str],
    form: str,
    columns: Sequence[str] | None,
    limit: int,
) -> pa.Table | None:
    """Return the table of a file that takes little here; None for any other file."""
    try:
        fd = open_regular(path)
    except (OSError, ValueError):
        return None
    try:
        with open_nearby(fd, form, limit // 2) as file:
            table = file.whole(columns, limit // 2)
            table = sound(table, path).replace_schema_metadata(file.schema.metadata)
            held = sum(map(held_bytes, table.to_batches()))
    except (*NEARBY_ERRORS, CaptureFileError):
        return None
    finally:
        os.close(fd)
    return table if held <= limit else None


def _bounded(file: Decoded, limit: int) -> Iterator[pa.RecordBatch]:
    """Yield the batches of ``file`` until they take more than ``limit`` bytes."""
    size = 0
    for batch in file:
        size += held_bytes(batch)
        if size > limit:
            text = too_large(shortened(file.path), file.form, limit)
            raise CaptureFileError(text, path=file.path)
        yield batch
