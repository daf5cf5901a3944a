"""IP addresses as text, a column at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from workbench.arrow.buffers import offsets_of
from workbench.native._core import ffi, lib

if TYPE_CHECKING:
    from typing import Any

__all__ = ["address_text"]

# Longest text of an address of 4 bytes, and of 16.
_QUAD, _SIX = 15, 45
# Rows turned at a time, so that no column of texts outgrows 32-bit offsets.
_BLOCK = 1 << 20


def address_text(column: pa.Array) -> pa.Array:
    """Turn a binary array of 4- or 16-byte addresses into their text, null to null.

    Bytes of another length show as hexadecimal digits.
    """
    if not pa.types.is_binary(column.type):
        column = column.cast(pa.binary())
    if len(column) <= _BLOCK:
        return _block_text(column)
    starts = range(0, len(column), _BLOCK)
    return pa.concat_arrays([_block_text(column.slice(i, _BLOCK)) for i in starts])


def _block_text(column: pa.Array) -> pa.Array:
    count = len(column)
    if count == 0:
        return pa.array([], pa.string())
    data_buffer = column.buffers()[2]
    offsets = offsets_of(column)
    lengths = np.diff(offsets)
    room = _room(lengths)
    texts = np.empty(room, np.uint8)
    text_offsets = np.empty(count + 1, np.int32)
    data = _pointer("uint8_t *", data_buffer) if data_buffer is not None else ffi.NULL
    used = lib.wb_text_addresses(
        data,
        _pointer("int32_t *", offsets),
        count,
        _pointer("uint8_t *", texts),
        room,
        _pointer("int32_t *", text_offsets),
    )
    if used < 0:
        raise ValueError("the offsets of an address column are not ascending")
    validity = None
    if column.null_count:
        validity = column.is_valid().buffers()[1]
    buffers = [validity, pa.py_buffer(text_offsets), pa.py_buffer(texts[:used])]
    return pa.Array.from_buffers(pa.string(), count, buffers)


def _room(lengths: np.ndarray) -> int:
    """Return the bytes that the texts of values of these lengths can take at most."""
    six = int(np.count_nonzero(lengths == 16))
    four = int(np.count_nonzero(lengths == 4))
    room = six * _SIX + four * _QUAD
    if six + four < np.count_nonzero(lengths):
        room += int((2 + 2 * lengths.astype(np.int64)).sum())
    return room


def _pointer(kind: str, memory: Any) -> Any:
    """Return the address of memory that the caller keeps alive."""
    return ffi.from_buffer(kind, memory)
