"""The table of field types: one row holds all facts about a type."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["FIELD_TYPES", "FieldType"]


@dataclass(frozen=True, slots=True)
class FieldType:
    """One row of the table of field types.

    ``code``: number in the plugin API. ``arrow``: name of the Arrow type of a column
    that we make. ``element_bytes``: size of one value in a C result array.
    """

    name: str
    code: int
    arrow: str
    element_bytes: int


FIELD_TYPES: dict[str, FieldType] = {
    row.name: row
    for row in (
        FieldType("uint64", 8, "uint64", 8),
        FieldType("string", 9, "binary", 8),
        FieldType("reltime", 20, "uint64", 8),
        FieldType("abstime", 21, "uint64", 8),
        FieldType("bool", 25, "bool", 4),
        FieldType("ipaddr", 40, "binary", 16),
        FieldType("ipnet", 41, "binary", 16),
    )
}
