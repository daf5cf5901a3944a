"""Chunks of the pump as Arrow record batches, without copying.

The layout is that of ``native/src/pump/chunk.h``; its asserts hold the offsets.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, NamedTuple

from workbench.lazy import lazy_module

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import pyarrow as pa
else:
    np = lazy_module("numpy")
    pa = lazy_module("pyarrow")

__all__ = [
    "KIND_BOOL",
    "KIND_BYTES",
    "KIND_U64",
    "ChunkReader",
    "slice_of",
    "unify_batches",
]

_HEAD = struct.Struct("<IIQQQ4Q")
# kind, is_list, encoding, pad, nulls, six spans (off, len), dict_start, dict_new
_COLUMN = struct.Struct("<IIIIQ12QQQ")
_MAGIC = 0x4B434257
KIND_U64, KIND_BOOL, KIND_BYTES = 0, 1, 2
_DICT = 1


class _Column(NamedTuple):
    kind: int
    is_list: int
    encoding: int
    pad: int
    nulls: int
    validity: tuple[int, int]
    lists: tuple[int, int]
    offsets: tuple[int, int]
    data: tuple[int, int]
    dict_offsets: tuple[int, int]
    dict_data: tuple[int, int]
    dict_start: int
    dict_new: int


class _Dictionary:
    """The values of one column's dictionary, append-only.

    Arrays made earlier are views of the same memory and stay valid.
    """

    def __init__(self) -> None:
        self.count = 0
        self._offsets = np.zeros(257, dtype=np.int32)
        self._data = np.empty(8192, dtype=np.uint8)
        self._array: Any = None

    def extend(self, start: int, offsets: Any, data: Any) -> None:
        """Add entries; ``offsets`` count from the whole dictionary's beginning."""
        new = len(offsets) - 1
        if start != self.count or new < 0:
            raise ValueError("the worker sent a dictionary out of order")
        end, used = int(offsets[-1]), int(self._offsets[self.count])
        if used != int(offsets[0]) or end - used != len(data):
            raise ValueError("the worker sent a broken dictionary")
        if self.count + new + 1 > len(self._offsets):
            grown = np.zeros(2 * (self.count + new) + 1, dtype=np.int32)
            grown[: self.count + 1] = self._offsets[: self.count + 1]
            self._offsets = grown
        if end > len(self._data):
            room = np.empty(2 * end, dtype=np.uint8)
            room[:used] = self._data[:used]
            self._data = room
        self._data[used:end] = data
        self._offsets[self.count + 1 : self.count + new + 1] = offsets[1:]
        self.count += new
        self._array = None

    def array(self) -> Any:
        """Return the entries known so far."""
        if self._array is None:
            n = self.count
            self._array = pa.Array.from_buffers(
                pa.binary(),
                n,
                [
                    None,
                    pa.py_buffer(self._offsets[: n + 1]),
                    pa.py_buffer(self._data[: int(self._offsets[n])]),
                ],
                null_count=0,
            )
        return self._array


class ChunkReader:
    """Turn the chunks of one capture into record batches.

    ``names``: all columns in the order of the chunk. ``source``: event source name, for
    the column ``evt.source``. ``trusted``: skip the check of every offset and code, for
    chunks made in this very process. ``layout``: name, kind and whether it is a list,
    of every column asked for; ``most_rows``: in one chunk. Other chunks are refused.
    """

    def __init__(
        self,
        names: Sequence[str],
        source: str | None,
        *,
        trusted: bool = False,
        layout: Sequence[tuple[str, int, bool]] | None = None,
        most_rows: int = 1 << 31,
    ) -> None:
        """Start a capture."""
        self._names = list(names)
        self._layout = layout
        self._most_rows = most_rows
        self._trusted = trusted
        self._dictionaries: dict[int, _Dictionary] = {}
        self._source = None
        if source is not None:
            # pyarrow.array would import pandas first.
            name = source.encode("utf-8", "surrogateescape")
            ends = pa.py_buffer(struct.pack("=ii", 0, len(name)))
            buffers = [None, ends, pa.py_buffer(name)]
            self._source = pa.Array.from_buffers(pa.binary(), 1, buffers)
        self._zeros = pa.py_buffer(b"")
        # Of the capture so far: events, also those left out, and the first one's time.
        self.seen = 0
        self.first_ns = 0

    def read(self, buffer: Any) -> Any:
        """Return the record batch of a chunk; ``buffer``: pyarrow Buffer of all of it.

        Raises ValueError when the chunk is not what the pump writes.
        """
        try:
            rows, _, columns = self._head(buffer)
            return self._batch(buffer, rows, columns)
        except (pa.ArrowException, OverflowError, struct.error) as error:
            raise ValueError(f"the worker sent a damaged chunk: {error}") from error

    def _head(self, buffer: Any) -> tuple[int, int, list[_Column]]:
        """Read rows, sequence number and columns; hold them against what was asked."""
        count = len(self._names)
        size = _HEAD.size + count * _COLUMN.size
        head = slice_of(buffer, 0, size)
        magic, found, rows, seq, _, seen, first_ns = _HEAD.unpack_from(head, 0)[:7]
        if magic != _MAGIC:
            raise ValueError("the worker sent something that is no chunk")
        if found != count or rows > self._most_rows:
            raise ValueError("the worker sent other columns or rows than asked for")
        columns = []
        for i in range(count):
            raw = _COLUMN.unpack_from(head, _HEAD.size + i * _COLUMN.size)
            spans = [(raw[5 + 2 * k], raw[6 + 2 * k]) for k in range(6)]
            columns.append(_Column._make([*raw[:5], *spans, *raw[17:]]))
        if self._layout is not None:
            given = [(column.kind, bool(column.is_list)) for column in columns]
            if given != [(kind, is_list) for _, kind, is_list in self._layout]:
                raise ValueError("the worker sent columns of other types")
        if seen < self.seen or (self.first_ns and first_ns != self.first_ns):
            raise ValueError("the worker sent another count of events than before")
        self.seen, self.first_ns = seen, first_ns
        return rows, seq, columns

    def _batch(self, buffer: Any, rows: int, columns: list[_Column]) -> Any:
        arrays = [self._array(buffer, i, c, rows) for i, c in enumerate(columns)]
        names = list(self._names)
        if self._source is not None:
            arrays.insert(2, self._source_column(rows))
            names.insert(2, "evt.source")
        batch = pa.RecordBatch.from_arrays(arrays, names=names)
        if not self._trusted:
            # A plugin that writes where it should not must not take the notebook down.
            batch.validate(full=True)
        return batch

    def _source_column(self, rows: int) -> Any:
        if self._zeros.size < rows:
            self._zeros = pa.py_buffer(bytes(max(rows, 1024)))
        codes = pa.Array.from_buffers(
            pa.int8(), rows, [None, self._zeros.slice(0, rows)], null_count=0
        )
        return pa.DictionaryArray.from_arrays(codes, self._source)

    def _array(self, buffer: Any, index: int, column: _Column, rows: int) -> Any:
        validity = None
        if column.nulls:
            validity = slice_of(buffer, column.validity[0], (rows + 7) // 8)
        if not column.is_list:
            return self._values(buffer, index, column, rows, validity)
        lists = slice_of(buffer, column.lists[0], (rows + 1) * 4)
        elements = _last(lists, rows)
        values = self._values(buffer, index, column, elements, None)
        return pa.Array.from_buffers(
            pa.list_(values.type),
            rows,
            [validity, lists],
            null_count=column.nulls if validity is not None else 0,
            children=[values],
        )

    def _values(
        self, buffer: Any, index: int, column: _Column, n: int, validity: Any
    ) -> Any:
        nulls = column.nulls if validity is not None else 0
        if column.kind == KIND_U64:
            data = slice_of(buffer, column.data[0], n * 8)
            return pa.Array.from_buffers(pa.uint64(), n, [validity, data], nulls)
        if column.kind == KIND_BOOL:
            data = slice_of(buffer, column.data[0], (n + 7) // 8)
            return pa.Array.from_buffers(pa.bool_(), n, [validity, data], nulls)
        if column.encoding == _DICT:
            codes = slice_of(buffer, column.offsets[0], n * 4)
            indices = pa.Array.from_buffers(pa.int32(), n, [validity, codes], nulls)
            dictionary = self._dictionary(buffer, index, column)
            return pa.DictionaryArray.from_arrays(indices, dictionary)
        offsets = slice_of(buffer, column.offsets[0], (n + 1) * 4)
        data = slice_of(buffer, column.data[0], _last(offsets, n))
        return pa.Array.from_buffers(pa.binary(), n, [validity, offsets, data], nulls)

    def _dictionary(self, buffer: Any, index: int, column: _Column) -> Any:
        known = self._dictionaries.setdefault(index, _Dictionary())
        if column.dict_new:
            span = slice_of(buffer, column.dict_offsets[0], (column.dict_new + 1) * 4)
            offsets = np.frombuffer(span, dtype=np.int32)
            size = int(offsets[-1]) - int(offsets[0])
            data = slice_of(buffer, column.dict_data[0], size)
            known.extend(
                column.dict_start, offsets, np.frombuffer(data, dtype=np.uint8)
            )
        return known.array()

    def rescue(self, arena: Any, last_seq: int) -> Any:
        """Return the unsent rows in a dead worker's builder, None when there are none.

        ``arena``: an ArenaMemory over the builder. ``last_seq``: of the last chunk
        received. Raises ValueError when they are not what the pump writes.
        """
        rows, seq, columns = self._head(arena)
        if not rows or seq <= last_seq:
            return None
        shifted = []
        for i, column in enumerate(columns):
            data, offsets = column.dict_data, column.dict_offsets
            if column.encoding == _DICT and column.dict_new:
                # In the arena both spans begin with the whole dictionary.
                start = offsets[0] + column.dict_start * 4
                first = _number(arena, start)
                offsets, data = (start, 0), (data[0] + first, 0)
            # How many are null is counted by Arrow (-1); number and time never are.
            nulls = -1 if i > 1 else 0
            shifted.append(
                column._replace(nulls=nulls, dict_offsets=offsets, dict_data=data)
            )
        return self._batch(arena, rows, shifted)


def slice_of(buffer: Any, offset: int, size: int) -> Any:
    """Return a piece of a buffer; raise ValueError when it is not all inside."""
    if offset < 0 or size < 0 or offset + size > buffer.size:
        raise ValueError("the worker sent a chunk with a column out of bounds")
    return buffer.slice(offset, size)


def _number(buffer: Any, offset: int) -> int:
    return int(struct.unpack_from("<i", slice_of(buffer, offset, 4))[0])


def _last(offsets: Any, n: int) -> int:
    value = int(struct.unpack_from("<i", offsets, n * 4)[0])
    if value < 0:
        raise ValueError("the worker sent a chunk with negative offsets")
    return value


def unify_batches(batches: Sequence[Any]) -> list[Any]:
    """Return record batches of one capture the same schema, so that they form a table.

    Dictionaries of a column only grow: earlier codes are valid in the latest one. A
    column that left its dictionary on the way becomes plain in all batches.
    """
    if not batches:
        return []
    schema = batches[-1].schema
    last: dict[int, Any] = {}
    for i, field in enumerate(schema):
        if _is_dictionary(field.type):
            last[i] = _dictionary_of(batches[-1].column(i))
    unified = []
    for batch in batches:
        columns = [
            _rebased(batch.column(i), field.type, last.get(i))
            for i, field in enumerate(schema)
        ]
        unified.append(pa.RecordBatch.from_arrays(columns, schema=schema))
    return unified


def _is_dictionary(kind: Any) -> bool:
    if pa.types.is_list(kind):
        kind = kind.value_type
    return bool(pa.types.is_dictionary(kind))


def _dictionary_of(array: Any) -> Any:
    return (array.values if pa.types.is_list(array.type) else array).dictionary


def _rebased(array: Any, kind: Any, dictionary: Any) -> Any:
    if dictionary is None:
        return array if array.type == kind else array.cast(kind)
    if not pa.types.is_list(kind):
        return pa.DictionaryArray.from_arrays(array.indices, dictionary)
    values = pa.DictionaryArray.from_arrays(array.values.indices, dictionary)
    buffers = array.buffers()
    return pa.Array.from_buffers(
        kind, len(array), buffers[:2], array.null_count, array.offset, [values]
    )
