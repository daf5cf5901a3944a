"""What decoding a part of a Parquet file can take, told by its pages before decoding.

The footer says how many values a column chunk holds, but the decoder believes the
header of each page. So every header is read here first: a chunk of which any header
disagrees with the footer, or is unusual, has no bound.
"""

from __future__ import annotations

import os
import re
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

from workbench.captures.thrift_compact import CompactError, structure
from workbench.native._core import ffi, lib

if TYPE_CHECKING:
    import pyarrow.parquet as pq

__all__ = ["Chunk", "UnboundedError", "group_bytes", "read_footer"]

# Types of pages.
_DATA, _INDEX, _DICTIONARY, _DATA_V2 = range(4)
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
_CODECS: Final = {1: "snappy", 2: "gzip", 4: "brotli", 6: "zstd", 7: "lz4_raw"}
_WORD_BYTES: Final = 24
_HEADER_READS: Final = (256, 1 << 16)
_TAIL: Final = 8
# What one scan may look at, so that it stays cheap whatever the file.
_MAX_PAGES: Final = 20_000
_MAX_WORDS: Final = 50_000_000
_MAX_WORD_PAGE: Final = 8 << 20
# These count a chunk's bytes without its headers, and readers go on a little further.
_SHORT_CHUNKS: Final = re.compile(r"parquet-mr( version [01]\.[0-2]\b|(?! version))")


class UnboundedError(Exception):
    """A part of a file whose decoding has no bound that is known beforehand."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """A column chunk as the footer tells: places in the file and sizes in bytes.

    ``least``, ``most``: bounds of its values as they are stored, None where not told.
    """

    codec: int
    values: int
    packed: int
    start: int
    words_at: int | None
    least: bytes | None
    most: bytes | None


def read_footer(fd: int, most: int) -> list[tuple[int, list[Chunk]]]:
    """Return rows and column chunks of each row group of the Parquet file at ``fd``.

    Raises UnboundedError when the file does not end as one, or its footer takes more
    than ``most`` bytes.
    """
    size = os.fstat(fd).st_size
    tail = os.pread(fd, _TAIL, max(0, size - _TAIL))
    if len(tail) < _TAIL or tail[4:] != b"PAR1":
        raise UnboundedError
    length = int(struct.unpack_from("<I", tail)[0])
    if not 0 < length <= min(most, size - _TAIL):
        raise UnboundedError
    try:
        told, _ = structure(os.pread(fd, length, size - _TAIL - length))
    except (IndexError, CompactError):
        raise UnboundedError from None
    groups = told.get(4)
    if not isinstance(groups, list):
        raise UnboundedError
    found = []
    for group in groups:
        columns = group.get(1) if isinstance(group, dict) else None
        if not isinstance(columns, list):
            raise UnboundedError
        found.append((_count(group, 3), [_chunk(column) for column in columns]))
    if sum(rows for rows, _ in found) != _count(told, 3):
        raise UnboundedError
    return found


def _count(of: dict[int, Any], number: int) -> int:
    value = of.get(number)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise UnboundedError
    return value


def _chunk(column: Any) -> Chunk:
    """Return a chunk of this very file, not encrypted."""
    if not isinstance(column, dict) or set(column) & {1, 8, 9}:
        raise UnboundedError
    told = column.get(3)
    if not isinstance(told, dict):
        raise UnboundedError
    words_at = _count(told, 11) if 11 in told else None
    bounds = told.get(12)
    bounds = bounds if isinstance(bounds, dict) else {}
    least, most = (
        value if isinstance(value, bytes) else None
        for value in (bounds.get(6), bounds.get(5))
    )
    codec, values, packed, start = (_count(told, number) for number in (4, 5, 7, 9))
    return Chunk(codec, values, packed, start, words_at, least, most)


def _page_header(fd: int, start: int) -> tuple[dict[int, Any], int]:
    """Return the header of the page at ``start``, and where the page's data begins."""
    for size in _HEADER_READS:
        try:
            head, end = structure(os.pread(fd, size, start))
        except IndexError:
            continue
        except CompactError:
            break
        return head, start + end
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

    def chunk(self, column: Chunk, width: int | None) -> int:
        """Count a column chunk; return how many values it holds.

        ``width``: of a value in bytes, None for texts.
        """
        start = column.start
        if column.words_at and column.words_at < start:
            start = column.words_at
        end = start + column.packed
        if not 0 < start < end <= os.fstat(self.fd).st_size:
            raise UnboundedError
        values, longest, largest = 0, 0, 0
        while start < end:
            head, body = _page_header(self.fd, start)
            kind, size, packed = (_count(head, number) for number in (1, 2, 3))
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
        if values != column.values:
            raise UnboundedError
        return values

    def _dictionary(
        self,
        column: Chunk,
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
            if column.codec:
                codec = pa.Codec(_CODECS[column.codec])
                data = codec.decompress(data, decompressed_size=size)
        except (pa.ArrowException, OSError, ValueError, KeyError):
            return at_most
        words = ffi.from_buffer("uint8_t[]", data)
        found = int(lib.wb_text_longest(words, min(len(data), size), count))
        return at_most if found < 0 else found


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


def group_bytes(
    fd: int,
    group: tuple[int, list[Chunk]],
    told: pq.FileMetaData,
    *,
    columns: set[str] | None,
    budget: int,
) -> int:
    """Return what decoding a row group takes at most, bytes; ``columns``: only these.

    ``group``: as :func:`read_footer` returns it. ``told``: of the same file. Raises
    UnboundedError when that is more than ``budget``, or not known: a header that
    disagrees with the footer, an encoding that a few bytes suffice to blow up.
    """
    rows, chunks = group
    if _SHORT_CHUNKS.match(told.created_by or ""):
        raise UnboundedError
    if len(chunks) != told.num_columns:
        raise UnboundedError
    scan = _Scan(fd, budget)
    for at, chunk in enumerate(chunks):
        leaf = told.schema.column(at)
        if columns is not None and not _wanted(leaf.path, columns):
            continue
        width = _WIDTHS.get(leaf.physical_type)
        if leaf.physical_type == "FIXED_LEN_BYTE_ARRAY":
            width = max(0, leaf.length)
        elif width is None and leaf.physical_type != "BYTE_ARRAY":
            raise UnboundedError
        values = scan.chunk(chunk, width)
        if leaf.max_repetition_level == 0 and values != rows:
            raise UnboundedError
    return scan.total


def _wanted(path: str, columns: set[str]) -> bool:
    """Return whether a leaf belongs to one of ``columns``; names may hold dots."""
    return any(path == name or path.startswith(f"{name}.") for name in columns)
