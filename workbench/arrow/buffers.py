"""Numbers in the buffers of Arrow arrays, as files of strangers may have them.

A sound buffer holds what its array needs, and may be longer: by bytes that are no whole
number, too. That of an array without values may be missing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.lazy import lazy_module

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
else:
    np = lazy_module("numpy")
    pa = lazy_module("pyarrow")

__all__ = ["flags_of", "numbers_array", "numbers_of", "offsets_of"]


def numbers_of(array: pa.Array, kind: type[np.generic]) -> np.ndarray:
    """Return the values of an array of numbers, also where they are null.

    ``kind``: NumPy's name for the type of ``array``. Nothing is copied.
    """
    return _numbers(array.buffers()[1], kind, array.offset, len(array))


def offsets_of(array: pa.Array) -> np.ndarray:
    """Return where the values of an array of bytes, texts or lists begin, and the end.

    One more than there are values, of 32 or 64 bits each. Nothing is copied.
    """
    kind = array.type
    large = (
        pa.types.is_large_binary(kind)
        or pa.types.is_large_string(kind)
        or pa.types.is_large_list(kind)
    )
    width = np.int64 if large else np.int32
    if not len(array):
        return np.zeros(1, width)
    return _numbers(array.buffers()[1], width, array.offset, len(array) + 1)


def flags_of(mask: pa.BooleanArray) -> np.ndarray:
    """Return a mask without nulls as booleans of its own, one byte each.

    Array.to_numpy would import pandas first.
    """
    if not len(mask):
        return np.zeros(0, bool)
    bits = np.frombuffer(mask.buffers()[1], np.uint8)
    end = mask.offset + len(mask)
    flags = np.unpackbits(bits, bitorder="little", count=end)
    return flags[mask.offset :].view(bool)


def numbers_array(numbers: np.ndarray) -> pa.Array:
    """Return numbers as an Arrow array, without a copy.

    pyarrow.array would import pandas first.
    """
    whole = np.ascontiguousarray(numbers)
    kind = pa.from_numpy_dtype(whole.dtype)
    return pa.Array.from_buffers(kind, len(whole), [None, pa.py_buffer(whole)])


def _numbers(buffer: Any, kind: type[np.generic], first: int, count: int) -> np.ndarray:
    if not count:
        return np.empty(0, kind)
    return np.frombuffer(buffer, kind, count, first * np.dtype(kind).itemsize)
