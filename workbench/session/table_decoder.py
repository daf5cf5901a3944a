"""State tables as the C core writes them: ``native/src/tables/snapshot.c``."""

from __future__ import annotations

import struct
from typing import Any, Final

from workbench.session.types import TableSnapshot

__all__ = ["STATE_TYPES", "decode_tables"]

# Code in the plugin API → name and how its eight bytes read.
STATE_TYPES: Final[dict[int, tuple[str, str]]] = {
    1: ("int8", "<b"),
    2: ("int16", "<h"),
    3: ("int32", "<i"),
    4: ("int64", "<q"),
    5: ("uint8", "<B"),
    6: ("uint16", "<H"),
    7: ("uint32", "<I"),
    8: ("uint64", "<Q"),
    9: ("string", ""),
    10: ("table", "<Q"),
    25: ("bool", "<?"),
}
_NO_SIZE: Final = 2**64 - 1
_ROW_KEY: Final = struct.Struct("<BQ")


class _Reader:
    """Takes values off the front of bytes."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def take(self, form: str) -> Any:
        value = struct.unpack_from(form, self._data, self._at)[0]
        self._at += struct.calcsize(form)
        return value

    def key(self) -> tuple[int, int]:
        known, key = _ROW_KEY.unpack_from(self._data, self._at)
        self._at += _ROW_KEY.size
        return known, key

    def raw(self, size: int) -> bytes:
        if self._at + size > len(self._data):
            raise ValueError("the snapshot of the tables is cut short")
        value = self._data[self._at : self._at + size]
        self._at += size
        return value

    def text(self) -> str:
        return self.blob().decode("utf-8", "replace")

    def blob(self) -> bytes:
        return self.raw(self.take("<I"))


def decode_tables(data: bytes) -> list[TableSnapshot]:
    """Read all tables. Raises ValueError or struct.error when ``data`` is cut."""
    reader = _Reader(data)
    return [_table(reader) for _ in range(reader.take("<I"))]


def _table(reader: _Reader) -> TableSnapshot:
    name = reader.text()
    key_code = reader.take("<i")
    owner = reader.text()
    size = reader.take("<Q")
    note = reader.text()
    fields: list[tuple[str, int, bool]] = [
        (reader.text(), reader.take("<i"), bool(reader.take("<B")))
        for _ in range(reader.take("<I"))
    ]
    keys: list[int | None] = []
    columns: list[list[Any]] = [[] for _ in fields]
    signed = key_code in {1, 2, 3, 4}
    for _ in range(reader.take("<Q")):
        known, key = reader.key()
        if signed and key >= 2**63:
            key -= 2**64
        keys.append(key if known else None)
        for (_, code, _), column in zip(fields, columns, strict=True):
            column.append(_value(reader, code))
    if not note and size != _NO_SIZE and len(keys) < size:
        note = f"only the first {len(keys)} of {size} entries"
    return TableSnapshot(
        name=name,
        key_type=_type_name(key_code),
        owner=owner,
        size=None if size == _NO_SIZE else size,
        fields={field: _type_name(code) for field, code, _ in fields},
        read_only=frozenset(field for field, _, fixed in fields if fixed),
        keys=keys,
        columns={f[0]: c for f, c in zip(fields, columns, strict=True)},
        note=note,
    )


def _type_name(code: int) -> str:
    return STATE_TYPES.get(code, (f"type {code}", ""))[0]


def _value(reader: _Reader, code: int) -> Any:
    if not reader.take("<B"):
        return None
    if code == 9:
        return reader.blob()
    form = STATE_TYPES.get(code, ("", "<Q"))[1]
    return struct.unpack_from(form, reader.raw(8))[0]
