"""IP addresses as text, a column at a time."""

from __future__ import annotations

import functools
import socket

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

__all__ = ["address_text"]


# Rows turned at a time: the working arrays stay in the processor's cache.
_BLOCK = 32768


@functools.cache
def _pair_tables() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Give, per two octets, 8 characters padded with NUL and how many are used.

    First for the first two octets of an address, with a dot after each, then for the
    last two, with a dot between them.
    """
    octets = np.arange(65536)
    dotted = [f"{i}.".encode().ljust(4, b"\0") for i in range(256)]
    plain = [str(i).encode().ljust(4, b"\0") for i in range(256)]
    inner = np.frombuffer(b"".join(dotted), np.uint32)
    last = np.frombuffer(b"".join(plain), np.uint32)
    head = np.stack([inner[octets & 255], inner[octets >> 8]], axis=1)
    tail = np.stack([inner[octets & 255], last[octets >> 8]], axis=1)
    return (
        head.view(np.uint64).ravel(),
        (head.view(np.uint8) != 0).sum(axis=1, dtype=np.int8),
        tail.view(np.uint64).ravel(),
        (tail.view(np.uint8) != 0).sum(axis=1, dtype=np.int8),
    )


def _v4_text(octets: np.ndarray) -> pa.Array:
    """Turn an (n, 4) array of octets into n dotted quads."""
    head, head_used, tail, tail_used = _pair_tables()
    pairs = np.ascontiguousarray(octets).view("<u2")
    chars = np.empty((len(pairs), 2), np.uint64)
    chars[:, 0] = head[pairs[:, 0]]
    chars[:, 1] = tail[pairs[:, 1]]
    flat = chars.view(np.uint8).ravel()
    data = np.compress(flat != 0, flat)
    offsets = np.zeros(len(pairs) + 1, np.int32)
    used = head_used[pairs[:, 0]] + tail_used[pairs[:, 1]]
    np.cumsum(used, out=offsets[1:], dtype=np.int32)
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(data)]
    return pa.Array.from_buffers(pa.string(), len(pairs), buffers)


def _slow_text(value: bytes | None) -> str | None:
    """Give the text of one address; bytes of another length show as hexadecimal."""
    if value is None:
        return None
    if len(value) == 4:
        return socket.inet_ntop(socket.AF_INET, value)
    if len(value) == 16:
        return socket.inet_ntop(socket.AF_INET6, value)
    return "0x" + value.hex()


def address_text(column: pa.Array) -> pa.Array:
    """Turn a binary array of 4- or 16-byte addresses into their text, null to null."""
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
    offsets = np.frombuffer(column.buffers()[1], np.int32)
    offsets = offsets[column.offset : column.offset + count + 1]
    lengths = np.diff(offsets)
    raw = column.buffers()[2]
    data = np.frombuffer(raw, np.uint8) if raw is not None else np.empty(0, np.uint8)
    valid = column.is_valid().to_numpy(zero_copy_only=False)
    four = (lengths == 4) & valid
    short = int(four.sum())
    if short == count:
        return _v4_text(data[offsets[0] : offsets[-1]].reshape(-1, 4))
    others = int(valid.sum()) - short
    out = pa.nulls(count, pa.string())
    if short:
        starts = offsets[:-1][four]
        octets = data[starts[:, None] + np.arange(4)]
        out = pc.replace_with_mask(out, pa.array(four), _v4_text(octets))
    if others:
        rest = pa.array(valid & ~four)
        encoded = column.filter(rest).dictionary_encode()
        values = encoded.dictionary.to_pylist()
        texts = pa.array([_slow_text(v) for v in values], pa.string())
        out = pc.replace_with_mask(out, rest, texts.take(encoded.indices))
    return out
