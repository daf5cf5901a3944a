"""What decoding a part of a Parquet file can take, told by its pages before decoding.

The footer says how many values a column chunk holds, but the decoder believes the
header of each page. So every header is read here first: a chunk of which any header
disagrees with the footer, or is unusual, has no bound.
"""

from __future__ import annotations

import os
import re
import struct
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pyarrow.parquet as pq

__all__ = ["UnboundedError", "footer_bytes", "group_bytes"]

# Types of pages, and of the values of the thrift compact protocol.
_DATA, _INDEX, _DICTIONARY, _DATA_V2 = range(4)
_BOOLS, _BYTE, _INTEGERS, _DOUBLE, _BINARY, _STRUCT = (1, 2), 3, (4, 5, 6), 7, 8, 12
_DOUBLE_BYTES: Final = 8
_MAX_DEPTH: Final = 4
# Page type → id of its own header, and ids of values' number and encoding in that.
_HEADERS: Final = {_DATA: (5, 1, 2), _DICTIONARY: (7, 1, 2), _DATA_V2: (8, 1, 4)}
_PLAIN, _DELTA_LENGTHS, _WORDS = 0, 6, (2, 8)
# Encodings of which a page holds as many bytes of values as its size says, at most.
_SIZED: Final = (_PLAIN, _DELTA_LENGTHS)
_FIXED: Final = (_PLAIN, 2, 3, 5, 8, 9)
_WIDTHS: Final = {"BOOLEAN": 1, "INT32": 8, "INT64": 8, "INT96": 12, "FLOAT": 8,
                  "DOUBLE": 8}  # fmt: skip
# Of each value: two levels, an offset, a flag, what builders take in advance.
_VALUE_BYTES: Final = 16
_WORD_BYTES: Final = 24
_HEADER_READS: Final = (256, 1 << 16)
_TAIL: Final = 8
# What one scan may look at, so that it stays cheap whatever the file.
_MAX_PAGES: Final = 20_000
_MAX_WORDS: Final = 1_000_000
_MAX_WORD_PAGE: Final = 8 << 20
# These count a chunk's bytes without its headers, and readers go on a little further.
_SHORT_CHUNKS: Final = re.compile(r"parquet-mr( version [01]\.[0-2]\b|(?! version))")


class UnboundedError(Exception):
    """A part of a file whose decoding has no bound that is known beforehand."""


def footer_bytes(fd: int) -> int:
    """Return the size of the footer of the Parquet file at ``fd``, bytes.

    Raises UnboundedError when the file does not end as one.
    """
    size = os.fstat(fd).st_size
    tail = os.pread(fd, _TAIL, max(0, size - _TAIL))
    if len(tail) < _TAIL or tail[4:] != b"PAR1":
        raise UnboundedError
    return int(struct.unpack_from("<I", tail)[0])


class _Compact:
    """Reads a structure of the thrift compact protocol; strict about its form."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def _number(self) -> int:
        value = shift = 0
        while True:
            byte = self.data[self.at]
            self.at += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:  # noqa: PLR2004 - the bit that says: more
                return value
            shift += 7
            if shift > 63:  # noqa: PLR2004
                raise UnboundedError

    def _integer(self) -> int:
        value = self._number()
        return (value >> 1) ^ -(value & 1)

    def structure(self, depth: int = 0) -> dict[int, Any]:
        """Return field id → value."""
        if depth > _MAX_DEPTH:
            raise UnboundedError
        found: dict[int, Any] = {}
        last = 0
        while True:
            byte = self.data[self.at]
            self.at += 1
            if not byte:
                return found
            last = last + (byte >> 4) if byte >> 4 else self._integer()
            # Readers differ in which of two fields of one number they keep.
            if last in found:
                raise UnboundedError
            found[last] = self._value(byte & 15, depth)

    def _value(self, kind: int, depth: int) -> Any:
        if kind in _BOOLS:
            return kind == _BOOLS[0]
        if kind in _INTEGERS:
            return self._integer()
        if kind == _STRUCT:
            return self.structure(depth + 1)
        if kind == _BINARY:
            size = self._number()
        elif kind == _DOUBLE:
            size = _DOUBLE_BYTES
        elif kind == _BYTE:
            size = 1
        else:
            raise UnboundedError
        self.at += size
        if self.at > len(self.data):
            raise IndexError
        return None


def _page_header(fd: int, start: int) -> tuple[dict[int, Any], int]:
    """Return the header of the page at ``start``, and where the page's data begins."""
    for size in _HEADER_READS:
        reader = _Compact(os.pread(fd, size, start))
        try:
            return reader.structure(), start + reader.at
        except IndexError:
            continue
    raise UnboundedError


class _Scan:
    """The pages of column chunks; ``budget``: more than so many bytes are refused."""

    def __init__(self, fd: int, budget: int) -> None:
        self.fd = fd
        self.budget = budget
        self.total = 0
        self.pages = 0
        self.words = 0

    def _take(self, size: int) -> None:
        self.total += size
        if self.total > self.budget:
            raise UnboundedError

    def chunk(self, column: Any, width: int | None) -> int:
        """Count a column chunk; return how many values it holds.

        ``width``: of a value in bytes, None for texts.
        """
        start = column.data_page_offset
        words_at = column.dictionary_page_offset
        if column.has_dictionary_page and words_at and 0 < words_at < start:
            start = words_at
        end = start + column.total_compressed_size
        if column.file_path or not 0 < start < end <= os.fstat(self.fd).st_size:
            raise UnboundedError
        values, longest, largest = 0, 0, 0
        while start < end:
            head, body = _page_header(self.fd, start)
            kind, size, packed = (head.get(number) for number in (1, 2, 3))
            if not all(isinstance(n, int) and n >= 0 for n in (kind, size, packed)):
                raise UnboundedError
            start = body + packed
            self.pages += 1
            if start > end or self.pages > _MAX_PAGES:
                raise UnboundedError
            largest = max(largest, size)
            if kind == _INDEX:
                continue
            count, encoding = _own_header(head, kind)
            if kind == _DICTIONARY:
                longest = max(
                    longest,
                    self._dictionary(column, body, (size, packed), count, width),
                )
                continue
            values += count
            self._take(count * _VALUE_BYTES)
            self._take(_value_bytes(count, encoding, size, width, longest))
        # As packed and as unpacked, the largest page is held beside the values.
        self._take(2 * largest)
        if values != column.num_values:
            raise UnboundedError
        return values

    def _dictionary(
        self,
        column: Any,
        body: int,
        sizes: tuple[int, int],
        count: int,
        width: int | None,
    ) -> int:
        """Count a page of words; return the size of the longest, bytes."""
        size, packed = sizes
        if count * (4 if width is None else 1) > size:
            raise UnboundedError
        self._take(size + count * _WORD_BYTES)
        if width is not None:
            return width
        at_most = size - 4 * count
        self.words += count
        if self.words > _MAX_WORDS or size > _MAX_WORD_PAGE:
            return at_most
        data: Any = os.pread(self.fd, packed, body)
        try:
            if column.compression != "UNCOMPRESSED":
                codec = pa.Codec(column.compression.lower())
                data = codec.decompress(data, decompressed_size=size)
            return _longest(memoryview(data)[:size], count)
        except (pa.ArrowException, OSError, ValueError, struct.error):
            return at_most


def _own_header(head: dict[int, Any], kind: int) -> tuple[int, int]:
    """Return the number of values in a page, and their encoding."""
    if kind not in _HEADERS:
        raise UnboundedError
    number, count_at, encoding_at = _HEADERS[kind]
    own = head.get(number)
    if not isinstance(own, dict):
        raise UnboundedError
    count, encoding = own.get(count_at), own.get(encoding_at)
    if not isinstance(count, int) or not isinstance(encoding, int) or count < 0:
        raise UnboundedError
    return count, encoding


def _value_bytes(
    count: int, encoding: int, size: int, width: int | None, longest: int
) -> int:
    """Return what the values of a page take, bytes."""
    if width is not None:
        if encoding not in _FIXED:
            raise UnboundedError
        return count * width
    if encoding in _SIZED:
        return size
    if encoding in _WORDS:
        return count * longest
    raise UnboundedError


def _longest(data: memoryview, count: int) -> int:
    """Return the size of the longest of ``count`` words, each behind its size."""
    size_at = struct.Struct("<I").unpack_from
    at = most = 0
    for _ in range(count):
        (size,) = size_at(data, at)
        if size > most:
            most = size
        at += size + 4
    return int(most)


def group_bytes(
    fd: int,
    file: pq.ParquetFile,
    groups: Iterable[int],
    columns: set[str] | None,
    budget: int,
) -> int:
    """Return what decoding row groups takes at most, bytes; ``columns``: only these.

    Raises UnboundedError when that is more than ``budget``, or not known: a header
    that disagrees with the footer, an encoding that a few bytes suffice to blow up.
    """
    told = file.metadata
    if _SHORT_CHUNKS.match(told.created_by or ""):
        raise UnboundedError
    scan = _Scan(fd, budget)
    for number in groups:
        group = told.row_group(number)
        for at in range(group.num_columns):
            column = group.column(at)
            name = column.path_in_schema
            if columns is not None and not _wanted(name, columns):
                continue
            leaf = told.schema.column(at)
            width = _WIDTHS.get(leaf.physical_type)
            if leaf.physical_type == "FIXED_LEN_BYTE_ARRAY":
                width = max(0, leaf.length)
            elif width is None and leaf.physical_type != "BYTE_ARRAY":
                raise UnboundedError
            values = scan.chunk(column, width)
            flat = leaf.max_repetition_level == 0
            if flat and values != group.num_rows:
                raise UnboundedError
    return scan.total


def _wanted(path: str, columns: set[str]) -> bool:
    """Return whether a leaf belongs to one of ``columns``; names may hold dots."""
    return any(path == name or path.startswith(f"{name}.") for name in columns)
