"""Arrow and Parquet files decoded in this process, where that is known to be small.

Before anything is decoded, the parts of the file say what it will take; parts that do
not, or that say too much, are for the process of ``decoding``. Files are read, not
mapped: one that is cut short by its writer must not take the notebook along.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

import pyarrow as pa

from workbench.captures.arrow_blocks import blocks
from workbench.captures.decoder import DamageError, check_schema
from workbench.captures.parquet_pages import (
    UnboundedError,
    group_bytes,
    read_footer,
)
from workbench.closing import Closing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

__all__ = ["NEARBY_ERRORS", "NearbyFile", "Range", "UnboundedError", "open_nearby"]

# What reading a damaged part here may raise; the decoder then says it better.
NEARBY_ERRORS: Final = (
    UnboundedError,
    DamageError,
    pa.ArrowException,
    OSError,
    ValueError,
    TypeError,
    StopIteration,
    LookupError,
    MemoryError,
)
# Least and most value: of numbers, or of texts as bytes.
Range: TypeAlias = "tuple[int, int] | tuple[bytes, bytes]"
# What the parsed footer of a Parquet file takes per byte of it, at most.
_FOOTER_TIMES: Final = 300
_MAX_FOOTER: Final = 8 << 20
_ROW_BYTES: Final = 16
_HEAD_ROWS: Final = 1024


def _is_usual(kind: pa.DataType) -> bool:
    """Return whether values of a type take the room that their buffers take."""
    types = pa.types
    if types.is_dictionary(kind):
        return _is_flat(kind.value_type)
    if types.is_list(kind) or types.is_large_list(kind):
        return _is_flat(kind.value_type)
    return _is_flat(kind) or bool(types.is_null(kind))


def _is_flat(kind: pa.DataType) -> bool:
    types = pa.types
    tests: tuple[Callable[[pa.DataType], bool], ...] = (
        types.is_primitive,
        types.is_string,
        types.is_large_string,
        types.is_binary,
        types.is_large_binary,
        types.is_fixed_size_binary,
    )
    if isinstance(kind, pa.BaseExtensionType):
        return False
    return any(test(kind) for test in tests)


class NearbyFile(Closing):
    """A file whose parts can be decoded here; ``schema``: with the file's metadata.

    ``part_rows``: rows of each part: row group or record batch.
    """

    schema: pa.Schema
    part_rows: list[int]

    def __init__(self, fd: int) -> None:
        """Read the file at ``fd``, which stays the caller's."""
        self.fd = fd
        # The descriptor itself: whatever the path has become, and with a place of
        # its own in the file.
        self.path = f"/proc/self/fd/{fd}"

    def part(self, number: int, columns: Sequence[str] | None, budget: int) -> pa.Table:
        """Return one part, its buffers not checked yet; ``columns``: only these.

        ``columns``: at least one, each of them in the schema.

        Raises UnboundedError when that may take more than ``budget`` bytes, and other
        NEARBY_ERRORS for damage.
        """
        raise NotImplementedError

    def ranges(self, number: int, columns: Iterable[str]) -> dict[str, Range]:
        """Return least and most value of columns of a part, as far as it tells."""
        del number, columns
        return {}

    def head(self, number: int, columns: Sequence[str], budget: int) -> pa.Table:
        """Return some first rows of a part; otherwise as :meth:`part`."""
        return self.part(number, columns, budget)

    def whole(self, columns: Sequence[str] | None, budget: int) -> pa.Table:
        """Return all parts together; otherwise as :meth:`part`."""
        if columns is not None:
            columns = [name for name in self.schema.names if name in set(columns)]
            if not columns:
                raise UnboundedError
        parts = []
        for number in range(len(self.part_rows)):
            parts.append(self.part(number, columns, budget))
            budget -= parts[-1].nbytes
        if parts:
            return pa.concat_tables(parts)
        empty = self.schema.empty_table()
        return empty if columns is None else empty.select(list(columns))

    def close(self) -> None:
        """Close what reads the file (idempotent)."""
        raise NotImplementedError


def _check(schema: pa.Schema) -> None:
    check_schema(schema)
    names = schema.names
    if len(set(names)) != len(names):
        raise UnboundedError
    if not all(_is_usual(field.type) for field in schema):
        raise UnboundedError


class _NearbyParquet(NearbyFile):
    def __init__(self, fd: int, budget: int) -> None:
        import pyarrow.parquet as pq

        super().__init__(fd)
        self._groups = read_footer(fd, min(_MAX_FOOTER, budget // _FOOTER_TIMES))
        self.part_rows = [rows for rows, _ in self._groups]
        self._file = pq.ParquetFile(self.path, pre_buffer=False)
        try:
            self.schema = self._file.schema_arrow
            _check(self.schema)
        except BaseException:
            self.close()
            raise

    def part(self, number: int, columns: Sequence[str] | None, budget: int) -> pa.Table:
        wanted = None if columns is None else list(columns)
        self._check_part(number, wanted, budget)
        table = self._file.read_row_group(number, columns=wanted)
        if table.num_rows != self.part_rows[number]:
            raise UnboundedError
        return table if wanted is None else table.select(wanted)

    def ranges(self, number: int, columns: Iterable[str]) -> dict[str, Range]:
        """Return least and most value of texts and unsigned numbers of a row group."""
        told, (_, chunks) = self._file.metadata, self._groups[number]
        if len(chunks) != told.num_columns:
            return {}
        found: dict[str, Range] = {}
        for at, chunk in enumerate(chunks):
            leaf = told.schema.column(at)
            if leaf.path not in columns or leaf.max_repetition_level:
                continue
            if chunk.least is None or chunk.most is None:
                continue
            kind = self.schema.field(leaf.path).type
            if pa.types.is_dictionary(kind):
                kind = kind.value_type
            if kind == pa.uint64() and len(chunk.least) == len(chunk.most) == 8:
                least, most = (
                    int.from_bytes(b, "little") for b in (chunk.least, chunk.most)
                )
                found[leaf.path] = (least, most)
            elif leaf.physical_type == "BYTE_ARRAY":
                found[leaf.path] = (chunk.least, chunk.most)
        return found

    def head(self, number: int, columns: Sequence[str], budget: int) -> pa.Table:
        """Return some first rows of a row group, of which first pages suffice."""
        wanted = list(columns)
        self._check_part(number, wanted, budget)
        batches = self._file.iter_batches(_HEAD_ROWS, [number], wanted)
        return pa.Table.from_batches([next(batches)]).select(wanted)

    def _check_part(self, number: int, wanted: list[str] | None, budget: int) -> None:
        if self.part_rows[number] * _ROW_BYTES > budget:
            raise UnboundedError
        names = None if wanted is None else set(wanted)
        group_bytes(
            self.fd,
            self._groups[number],
            self._file.metadata,
            columns=names,
            budget=budget,
        )

    def close(self) -> None:
        self._file.close(force=True)


class _NearbyArrow(NearbyFile):
    def __init__(self, fd: int, budget: int) -> None:
        super().__init__(fd)
        words, self._batches = blocks(fd, min(_MAX_FOOTER, budget))
        self._words_bytes = sum(block.size for block in words)
        if self._words_bytes > budget:
            raise UnboundedError
        self._source = pa.OSFile(self.path)
        self._readers: dict[tuple[str, ...] | None, Any] = {}
        try:
            self.schema = self._reader(None).schema
            _check(self.schema)
        except BaseException:
            self.close()
            raise
        self.part_rows = [block.rows for block in self._batches]

    def _reader(self, columns: tuple[str, ...] | None) -> Any:
        if columns not in self._readers:
            options = pa.ipc.IpcReadOptions(use_threads=False)
            if columns is not None:
                names = self.schema.names
                chosen = sorted(names.index(name) for name in columns)
                options.included_fields = chosen
            self._readers[columns] = pa.ipc.open_file(self._source, options=options)
        return self._readers[columns]

    def part(self, number: int, columns: Sequence[str] | None, budget: int) -> pa.Table:
        block = self._batches[number]
        if block.size + self._words_bytes + block.rows * _ROW_BYTES > budget:
            raise UnboundedError
        wanted = None if columns is None else tuple(columns)
        batch = self._reader(wanted).get_batch(number)
        for column in batch.columns:
            column.validate()
        if batch.num_rows != block.rows:
            raise UnboundedError
        table = pa.Table.from_batches([batch])
        return table if wanted is None else table.select(list(wanted))

    def close(self) -> None:
        self._readers.clear()
        self._source.close()


def open_nearby(fd: int, form: str, budget: int) -> NearbyFile:
    """Return the "arrow" or "parquet" file at ``fd``, without decoding anything.

    ``budget``: bytes that what it says of itself may take. Raises NEARBY_ERRORS where
    that is unknown, too much, or damaged.
    """
    return (_NearbyArrow if form == "arrow" else _NearbyParquet)(fd, budget)
