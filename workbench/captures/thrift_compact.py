"""The thrift compact protocol, as Parquet uses it: structures as plain dictionaries.

Strict: what readers may take in two ways, such as a field that occurs twice, is
refused, so that what is learned here is what a decoder will see.
"""

from __future__ import annotations

from typing import Any, Final

__all__ = ["CompactError", "structure"]

_MAX_DEPTH: Final = 12
_MAX_BITS: Final = 63
_TRUE, _FALSE, _BYTE, _I16, _I32, _I64, _DOUBLE, _BINARY, _LIST, _SET, _MAP, _STRUCT = (
    range(1, 13)
)
_DOUBLE_BYTES: Final = 8
_MAX_KEPT: Final = 256
_MORE: Final = 0x80
_LONG_LIST: Final = 15


class CompactError(Exception):
    """Bytes that are no structure, or one that readers may take in several ways."""


class _Reader:
    def __init__(self, data: bytes, at: int) -> None:
        self.data = data
        self.at = at

    def number(self) -> int:
        data, at = self.data, self.at
        byte = data[at]
        at += 1
        value = byte & 0x7F
        shift = 7
        while byte >= _MORE:
            if shift > _MAX_BITS:
                raise CompactError
            byte = data[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
        self.at = at
        return value

    def structure(self, depth: int) -> dict[int, Any]:
        if depth > _MAX_DEPTH:
            raise CompactError
        found: dict[int, Any] = {}
        last = 0
        while True:
            byte = self.data[self.at]
            self.at += 1
            if not byte:
                return found
            if byte >> 4:
                last += byte >> 4
            else:
                value = self.number()
                last = (value >> 1) ^ -(value & 1)
            if last in found:
                raise CompactError
            kind = byte & 15
            if kind in (_TRUE, _FALSE):
                found[last] = kind == _TRUE
            else:
                found[last] = self.value(kind, depth)

    def value(self, kind: int, depth: int) -> Any:
        if _I16 <= kind <= _I64:
            value = self.number()
            return (value >> 1) ^ -(value & 1)
        if kind == _STRUCT:
            return self.structure(depth + 1)
        if kind in (_LIST, _SET):
            return self.items(depth)
        if kind == _BINARY:
            return self.binary()
        if kind == _DOUBLE:
            size = _DOUBLE_BYTES
        elif kind in (_BYTE, _TRUE, _FALSE):
            size = 1
        else:
            raise CompactError
        self.at += size
        if self.at > len(self.data):
            raise IndexError
        return None

    def binary(self) -> bytes | None:
        size = self.number()
        start = self.at
        self.at += size
        if self.at > len(self.data):
            raise IndexError
        return self.data[start : self.at] if size <= _MAX_KEPT else None

    def items(self, depth: int) -> list[Any]:
        byte = self.data[self.at]
        self.at += 1
        count = byte >> 4
        if count == _LONG_LIST:
            count = self.number()
        # Each item takes a byte at least.
        if count > len(self.data) - self.at:
            raise IndexError
        return [self.value(byte & 15, depth + 1) for _ in range(count)]


def structure(data: bytes, at: int = 0) -> tuple[dict[int, Any], int]:
    """Return field id → value, and where the structure ends.

    Long texts, single bytes and fractions are passed over: None. Raises CompactError
    for what is no such structure, IndexError where ``data`` ends too early.
    """
    reader = _Reader(data, at)
    return reader.structure(0), reader.at
