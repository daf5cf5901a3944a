"""Events in Parquet: any reader opens them, and conditions work without the plugin.

The field declarations, the plugin's name and version and the event source travel in
the schema metadata under the key ``workbench``. String columns are written as text;
a column that turns out to hold other bytes is written as binary, nothing repaired.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from workbench.arrow.dictionaries import join_batches, plain_lists
from workbench.captures.contents import CaptureContents, describe, undescribe
from workbench.captures.decoding import Decoded, read_all
from workbench.captures.files import file_errors
from workbench.errors import CaptureFileError
from workbench.fields.declarations import FieldInfo, as_field_table
from workbench.saving import replacing

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from types import TracebackType
    from typing import Self

__all__ = [
    "FOREIGN",
    "ParquetWriter",
    "iter_parquet",
    "read_parquet",
    "read_parquet_facts",
    "write_parquet",
]

_GROUP_ROWS: Final = 128 * 1024
_GROUP_BYTES: Final = 64 << 20
FOREIGN: Final = (
    "the file does not say which fields its columns are; "
    "give them to workbench.events_from_table"
)


class ParquetWriter:
    """Appends record batches to a Parquet file in row groups.

    A Parquet file is readable only once it is closed; for recordings that must survive
    a crash use ``.scap`` or rotation. The file appears under its name when closed.

    Raises CaptureFileError.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        fields: Mapping[str, FieldInfo] | Iterable[FieldInfo | Mapping[str, Any]] = (),
        source: str | None = None,
        plugin: str | None = None,
        plugin_version: str | None = None,
        hostname: str | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        """Remember what goes into the metadata; the file begins with the first rows."""
        self._path = Path(path)
        self._metadata = describe(
            fields=as_field_table(fields),
            source=source,
            plugin=plugin,
            plugin_version=plugin_version,
            hostname=hostname,
            extra=extra,
        )
        self._fields = as_field_table(fields)
        self._binary: set[str] = set()
        self._schema: pa.Schema | None = None
        self._writer: Any = None
        self._replacing: Any = None
        self._draft: Path | None = None
        self._waiting: list[pa.RecordBatch] = []
        self._waiting_bytes = 0
        self._closed = False
        self.events = 0

    def write(self, data: pa.Table | pa.RecordBatch) -> int:
        """Append rows and give their number; full row groups go to the file."""
        if self._closed:
            raise CaptureFileError("the file is closed", path=str(self._path))
        batches = data.to_batches() if isinstance(data, pa.Table) else [data]
        if self._schema is None:
            self._schema = data.schema
        for batch in batches:
            if batch.schema.names != self._schema.names:
                text = (
                    f"cannot write {self._path}: columns changed from "
                    f"{self._schema.names} to {batch.schema.names}"
                )
                raise CaptureFileError(text, path=str(self._path))
            self._waiting.append(batch)
            self._waiting_bytes += batch.nbytes
            rows = sum(len(b) for b in self._waiting)
            if rows >= _GROUP_ROWS or self._waiting_bytes >= _GROUP_BYTES:
                self.flush()
        return len(data)

    def flush(self) -> None:
        """End the row group; nothing happens without waiting rows."""
        if not self._waiting:
            return
        # A column may stop being a dictionary on the way.
        table = plain_lists(join_batches(self._waiting))
        self._waiting, self._waiting_bytes = [], 0
        self._write_group(table)

    def _write_group(self, table: pa.Table) -> None:
        binary = set(self._binary)
        shaped, needs = self._to_text(table.unify_dictionaries(), binary)
        if needs - binary and self._writer is not None:
            self._start_over(needs)
        self._binary |= needs
        with file_errors(self._path, "write"):
            if self._writer is None:
                self._open(shaped.schema)
            try:
                rows = len(table) if len(table) < 2 * _GROUP_ROWS else _GROUP_ROWS
                self._writer.write_table(
                    shaped.cast(self._writer.schema), row_group_size=rows
                )
            except pa.ArrowException as error:
                text = f"cannot write {self._path}: {error}"
                raise CaptureFileError(text, path=str(self._path)) from error
        self.events += len(table)

    def _to_text(self, table: pa.Table, binary: set[str]) -> tuple[pa.Table, set[str]]:
        """Turn string fields into utf8 where every value is sound text.

        Returns the table and the names that have to stay binary.
        """
        needs: set[str] = set()
        columns = []
        for name, column in zip(table.schema.names, table.columns, strict=True):
            target = _text_type(column.type) if self._is_string(name) else None
            shaped = column
            if target is not None and name not in binary:
                try:
                    shaped = _cast_text(column, target)
                except pa.ArrowInvalid:
                    needs.add(name)
            columns.append(shaped)
        return pa.table(columns, names=table.schema.names), needs

    def _is_string(self, column: str) -> bool:
        """Return whether a column holds a string field; addresses are bytes too."""
        if column.startswith("evt."):
            return True
        info = self._fields.get(column.split("[", 1)[0])
        return info is not None and info.type == "string"

    def _open(self, schema: pa.Schema) -> None:
        if self._replacing is None:
            self._replacing = replacing(self._path)
            self._draft = self._replacing.__enter__()
        metadata = {**(schema.metadata or {}), **self._metadata}
        self._writer = pq.ParquetWriter(
            self._draft,
            schema.with_metadata(metadata),
            compression="zstd",
            compression_level=1,
            version="2.6",
            write_statistics=True,
        )

    def _start_over(self, needs: set[str]) -> None:
        """Rewrite what is there with the columns ``needs`` as binary."""
        old, draft = self._replacing, self._draft
        self._writer.close()
        self._replacing = None
        try:
            with file_errors(self._path, "write"):
                source = pq.ParquetFile(draft)
                schema = _with_binary(source.schema_arrow, needs)
                self._open(schema)
                for group in range(source.num_row_groups):
                    self._writer.write_table(source.read_row_group(group).cast(schema))
                source.close()
        finally:
            _drop_draft(old)

    def close(self) -> None:
        """Write what waits and finish the file (idempotent)."""
        if self._closed:
            return
        self._closed = True
        try:
            self.flush()
            with file_errors(self._path, "write"):
                if self._writer is None and self._schema is not None:
                    empty, _ = self._to_text(self._schema.empty_table(), set())
                    self._open(empty.schema)
                if self._writer is not None:
                    self._writer.close()
        except BaseException as error:
            self._leave(error)
            raise
        self._leave(None)

    def abandon(self) -> None:
        """Drop what was written; ``path`` stays as it was (idempotent)."""
        if not self._closed:
            self._closed = True
            if self._writer is not None:
                self._writer.close()
            self._leave(CaptureFileError("abandoned"))

    def _leave(self, error: BaseException | None) -> None:
        holder, self._replacing, self._writer = self._replacing, None, None
        if holder is None:
            return
        if error is None:
            with file_errors(self._path, "write"):
                holder.__exit__(None, None, None)
            return
        _drop_draft(holder)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # Ctrl-C ends a recording, it does not throw it away.
        if error is None or isinstance(error, KeyboardInterrupt):
            self.close()
        else:
            self.abandon()


def _drop_draft(holder: Any) -> None:
    """Leave ``replacing`` as after a failure: the file stays as it was."""
    dropped = CaptureFileError("abandoned")
    with contextlib.suppress(CaptureFileError):
        holder.__exit__(CaptureFileError, dropped, None)


def write_parquet(
    path: str | os.PathLike[str],
    table: pa.Table,
    *,
    fields: Mapping[str, FieldInfo] | Iterable[FieldInfo | Mapping[str, Any]] = (),
    source: str | None = None,
    plugin: str | None = None,
    plugin_version: str | None = None,
    hostname: str | None = None,
    extra: Mapping[str, Any] | None = None,
) -> int:
    """Write all rows of ``table``, in the condition layout, and give their number.

    The facts besides the table are given back by :func:`read_parquet`; ``extra`` must
    be JSON data. The file appears whole or not at all. Raises CaptureFileError.
    """
    with ParquetWriter(
        path,
        fields=fields,
        source=source,
        plugin=plugin,
        plugin_version=plugin_version,
        hostname=hostname,
        extra=extra,
    ) as writer:
        return writer.write(table)


def read_parquet(
    path: str | os.PathLike[str],
    *,
    columns: Sequence[str] | None = None,
    max_bytes: int | None = None,
) -> CaptureContents:
    """Read a Parquet file of events; ``columns``: only these, None for all.

    ``max_bytes``: stop with an error beyond so many bytes of events, counted as they
    are decoded; None means half of the available memory.

    Files of other writers are read too; ``fields`` is then empty and a note says so.
    Raises CaptureFileError; its ``events`` are the CaptureContents read before.
    """
    table, failed = read_all(path, "parquet", columns=columns, max_bytes=max_bytes)
    contents = _contents(table, table.schema.metadata)
    if failed is not None:
        failed.events = contents
        raise failed
    return contents


def read_parquet_facts(path: str | os.PathLike[str]) -> CaptureContents:
    """Read everything but the rows: the table is empty, with the file's schema."""
    with Decoded(path, "parquet", rows=0) as file:
        return _contents(file.schema.empty_table(), file.schema.metadata)


def iter_parquet(
    path: str | os.PathLike[str],
    *,
    columns: Sequence[str] | None = None,
    batch_rows: int = 65536,
    max_bytes: int | None = None,
) -> Iterator[pa.RecordBatch]:
    """Yield the rows as record batches, one row group in memory at a time.

    ``max_bytes``: what one batch and the decoding of it may take, roughly; None means
    half of the available memory. Raises CaptureFileError.
    """
    with Decoded(
        path, "parquet", columns=columns, rows=batch_rows, max_bytes=max_bytes
    ) as file:
        yield from file


def _contents(
    table: pa.Table, metadata: Mapping[bytes, bytes] | None
) -> CaptureContents:
    facts, ours = undescribe(metadata)
    notes = () if ours else (FOREIGN,)
    return CaptureContents(
        table=table.replace_schema_metadata(None), notes=notes, **facts
    )


def _text_type(kind: pa.DataType) -> pa.DataType | None:
    """Return the text form of a type of byte strings, None for other types."""
    if pa.types.is_dictionary(kind):
        inner = _text_type(kind.value_type)
        return None if inner is None else pa.dictionary(kind.index_type, inner)
    if pa.types.is_list(kind):
        inner = _text_type(kind.value_type)
        return None if inner is None else pa.list_(inner)
    if pa.types.is_binary(kind):
        return pa.utf8()
    if pa.types.is_large_binary(kind):
        return pa.large_utf8()
    return None


def _cast_text(column: pa.ChunkedArray, target: pa.DataType) -> pa.ChunkedArray:
    if not pa.types.is_dictionary(target):
        return column.cast(target)
    chunks = [
        pa.DictionaryArray.from_arrays(
            chunk.indices, chunk.dictionary.cast(target.value_type)
        )
        for chunk in column.chunks
    ]
    return pa.chunked_array(chunks, type=target)


def _with_binary(schema: pa.Schema, names: set[str]) -> pa.Schema:
    def bytes_of(kind: pa.DataType) -> pa.DataType:
        if pa.types.is_dictionary(kind):
            return pa.dictionary(kind.index_type, bytes_of(kind.value_type))
        if pa.types.is_list(kind):
            return pa.list_(bytes_of(kind.value_type))
        return pa.large_binary() if pa.types.is_large_string(kind) else pa.binary()

    fields = [
        pa.field(f.name, bytes_of(f.type) if f.name in names else f.type)
        for f in schema
    ]
    return pa.schema(fields, metadata=schema.metadata)
