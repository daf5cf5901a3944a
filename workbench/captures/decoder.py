"""Arrow and Parquet files decoded in a process of their own: what runs there.

A few kilobytes can hold gigabytes, and damage can make the decoder itself crash. So
that neither reaches the notebook, this process reads the file under a limit of memory
and writes plain record batches, checked in every buffer, to its standard output as an
Arrow stream. Texts travel as bytes; ``decoding`` in the parent turns them back.
"""

from __future__ import annotations

import json
import os
import resource
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

from workbench.arrow.dictionaries import plain_array
from workbench.captures.soundness import as_bytes, is_text
from workbench.formatting.printable import printable, shortened

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "DAMAGED",
    "NO_MEMORY",
    "TEXT_MARK",
    "DamageError",
    "check_schema",
    "main",
    "serve",
]

# Exit codes that say why nothing more comes; the reason is on standard error.
DAMAGED: Final = 4
NO_MEMORY: Final = 5
# Metadata of a field whose bytes were text in the file.
TEXT_MARK: Final = b"workbench.text"
_MAX_COLUMNS: Final = 10_000
_MAX_METADATA_BYTES: Final = 16 << 20
_MAX_REASON: Final = 300
# Of kinds like these a few bytes may stand for any number of values.
_ENDLESS: Final = (
    pa.types.is_run_end_encoded,
    pa.types.is_union,
    pa.types.is_list_view,
    pa.types.is_large_list_view,
)


class DamageError(Exception):
    """A file that holds what no events have."""


def _limit_memory(heap_bytes: int) -> None:
    """Let this process take ``heap_bytes`` of memory and not a byte of disk."""
    for name, most in (
        (resource.RLIMIT_DATA, heap_bytes),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 1 << 16),
    ):
        hard = resource.getrlimit(name)[1]
        allowed = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(name, (allowed, allowed))


def check_schema(schema: pa.Schema) -> None:
    """Raise DamageError for a schema that no events have."""
    if len(schema) > _MAX_COLUMNS:
        raise DamageError(f"it has {len(schema):,} columns")
    told = schema.metadata or {}
    if sum(len(key) + len(value) for key, value in told.items()) > _MAX_METADATA_BYTES:
        raise DamageError(f"its metadata takes more than {_MAX_METADATA_BYTES:,} bytes")
    for field in schema:
        _check_kind(field.name, field.type)


def _check_kind(name: str, kind: pa.DataType) -> None:
    if any(is_kind(kind) for is_kind in _ENDLESS):
        shown = f"{printable(name, limit=80)} is {printable(str(kind), limit=80)}"
        raise DamageError(f"its column {shown}, which no events have")
    if isinstance(kind, pa.BaseExtensionType):
        _check_kind(name, kind.storage_type)
    elif pa.types.is_dictionary(kind):
        _check_kind(name, kind.value_type)
    else:
        for at in range(kind.num_fields):
            _check_kind(name, kind.field(at).type)


def _plain(array: pa.Array) -> pa.Array:
    """Return a column as it travels: bytes for text, every buffer checked."""
    array.validate()
    if isinstance(array, pa.ExtensionArray):
        array = array.storage
    if pa.types.is_string_view(array.type):
        array = array.cast(pa.large_string())
    elif pa.types.is_binary_view(array.type):
        array = array.cast(pa.large_binary())
    array = as_bytes(array)
    array.validate(full=True)
    if not pa.types.is_dictionary(array.type):
        # A dictionary inside lists would be written out later, unbounded.
        array = plain_array(array)
    return array


def _stream_schema(schema: pa.Schema) -> pa.Schema:
    fields = []
    for field in schema:
        kind = _plain(pa.chunked_array([], field.type).combine_chunks()).type
        mark = {TEXT_MARK: b"1"} if is_text(field.type) else None
        fields.append(pa.field(field.name, kind, metadata=mark))
    return pa.schema(fields, metadata=schema.metadata)


def _parquet(
    path: str, columns: list[str] | None, rows: int, part: int
) -> Iterator[Any]:
    """Yield the schema, then record batches; ``part``: of this row group, -1: all."""
    import pyarrow.parquet as pq

    file = pq.ParquetFile(path, pre_buffer=False)
    schema = file.schema_arrow
    check_schema(schema)
    if columns is not None:
        wanted = [name for name in schema.names if name in set(columns)]
        schema = pa.schema([schema.field(n) for n in wanted], schema.metadata)
    yield schema
    if rows:
        groups = None if part < 0 else [part]
        yield from file.iter_batches(rows, groups, columns)


def _arrow(path: str, columns: list[str] | None, rows: int, part: int) -> Iterator[Any]:
    """Yield the schema, then record batches; ``part``: of this one, -1: all."""
    with pa.memory_map(path) as source:
        reader = pa.ipc.open_file(source)
        check_schema(reader.schema)
        names = reader.schema.names if columns is None else columns
        yield reader.schema
        parts = range(reader.num_record_batches) if part < 0 else [part]
        for at in parts if rows else ():
            batch = reader.get_batch(at)
            for column in batch.columns:
                column.validate()
            if columns is not None:
                batch = batch.select(names)
            for start in range(0, batch.num_rows, rows):
                yield batch.slice(start, rows)


_READERS = {"parquet": _parquet, "arrow": _arrow}


def serve(
    form: str, fd: int, columns: list[str] | None, rows: int, part: int = -1
) -> None:
    """Write the file at ``fd`` to standard output, ``rows`` in a batch at most.

    ``part``: only this row group or record batch, -1 for all of them.
    """
    pieces = _READERS[form](f"/proc/self/fd/{fd}", columns, rows, part)
    schema = _stream_schema(next(pieces))
    with (
        os.fdopen(os.dup(1), "wb", buffering=0) as out,
        pa.PythonFile(out, "w") as sink,
        pa.ipc.new_stream(sink, schema) as writer,
    ):
        for batch in pieces:
            columns_now = [_plain(column) for column in batch.columns]
            writer.write_batch(pa.RecordBatch.from_arrays(columns_now, schema=schema))


def main(words: list[str]) -> None:
    """Decode as ``words`` say: form, descriptor, columns, rows, memory, part."""
    form, fd, columns, rows, heap_bytes, part = words
    _limit_memory(int(heap_bytes))
    code, reason = 0, ""
    try:
        serve(form, int(fd), json.loads(columns), int(rows), int(part))
    except MemoryError:
        code = NO_MEMORY
    except BrokenPipeError:
        code = 0
    except Exception as error:  # noqa: BLE001 - whatever it is, the file caused it
        code, reason = DAMAGED, str(error) or type(error).__name__
    if reason:
        shown = printable(shortened(reason, _MAX_REASON))
        os.write(2, shown.encode("utf-8", "replace"))
    os._exit(code)
