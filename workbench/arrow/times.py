"""Times of events as text columns.

Local times use the process's UTC offset of this moment for every event, as the engine
does.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from workbench.arrow.buffers import numbers_of
from workbench.lazy import lazy_module

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc
else:
    np = lazy_module("numpy")
    pa = lazy_module("pyarrow")
    pc = lazy_module("pyarrow.compute")

__all__ = ["NS_PER_SEC", "event_times", "iso_times", "time_text"]


NS_PER_SEC = 10**9


def event_times(table: pa.Table) -> np.ndarray:
    """Return the raw times of events: uint64 nanoseconds since the epoch."""
    chunks = [
        numbers_of(chunk, np.uint64) for chunk in table.column("evt.rawtime").chunks
    ]
    return np.concatenate(chunks) if chunks else np.empty(0, np.uint64)


def _integers(values: np.ndarray) -> pa.Array:
    """Wrap int64 values; ``pyarrow.array`` would import pandas first, for a second."""
    memory = np.ascontiguousarray(values, np.int64)
    return pa.Array.from_buffers(pa.int64(), len(memory), [None, pa.py_buffer(memory)])


def _digits(numbers: np.ndarray) -> pa.Array:
    """Turn numbers below 10^9 into texts of nine digits."""
    rest = numbers.astype(np.uint32)
    chars = np.empty((len(rest), 9), np.uint8)
    for place in range(8, -1, -1):
        rest, digit = np.divmod(rest, np.uint32(10))
        chars[:, place] = digit + ord("0")
    offsets = np.arange(0, 9 * len(chars) + 1, 9, dtype=np.int32)
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(chars)]
    return pa.Array.from_buffers(pa.string(), len(chars), buffers)


def _word(text: str) -> pa.Scalar:
    """Wrap a text, for the same reason."""
    data = text.encode()
    ends = pa.py_buffer(np.array([0, len(data)], np.int32))
    return pa.Array.from_buffers(pa.string(), 1, [None, ends, pa.py_buffer(data)])[0]


def time_text(times: np.ndarray, form: str, *, local: bool, nanos: bool) -> pa.Array:
    """Format times; many events share a second, so each second is done once."""
    seconds, remainder = np.divmod(times, np.uint64(NS_PER_SEC))
    shift = time.localtime().tm_gmtoff if local else 0
    unique, inverse = np.unique(seconds.astype(np.int64) + shift, return_inverse=True)
    texts = pc.strftime(_integers(unique).cast(pa.timestamp("s")), format=form)
    whole = texts.take(_integers(inverse))
    if not nanos:
        return whole
    return pc.binary_join_element_wise(whole, _digits(remainder), _word("."))


def iso_times(table: pa.Table) -> pa.Array:
    """Return the times of events as ``2024-05-01T10:00:00.000000001Z``."""
    text = time_text(event_times(table), "%Y-%m-%dT%H:%M:%S", local=False, nanos=True)
    return pc.binary_join_element_wise(text, _word("Z"), _word(""))
