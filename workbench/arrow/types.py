"""Record batches of a stream → one table, without copying what need not be copied.

The pump may begin a column as a dictionary and go on with plain values once it has seen
too many distinct ones; and its dictionaries only grow. A table wants one type per
column: dictionaries stay where every batch has them, else their values are written out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.fields.builtin import BUILTIN_FIELDS
from workbench.fields.types import FIELD_TYPES
from workbench.lazy import lazy_module

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa

    from workbench.fields.declarations import FieldInfo
else:
    pa = lazy_module("pyarrow")

__all__ = [
    "COUNT_COLUMNS",
    "HIDDEN_COLUMNS",
    "column_info",
    "column_type",
    "text_array",
]

# Declared as times by the engine, but no number of nanoseconds since anything.
COUNT_COLUMNS = frozenset(
    {"evt.rawtime.s", "evt.rawtime.ns", "evt.reltime.s", "evt.reltime.ns"}
)

# Columns that serve the machine: never shown unless asked for by name.
HIDDEN_COLUMNS = frozenset({"raw"})


def column_info(column: str, fields: Mapping[str, FieldInfo]) -> FieldInfo | None:
    """Return the field that ``column`` (``probe.kv[key]``) holds, None for others."""
    name = column.partition("[")[0]
    return fields.get(name) or BUILTIN_FIELDS.get(name)


def text_array(column: pa.Array) -> pa.Array:
    """Turn bytes into text; what is not UTF-8 shows as U+FFFD."""
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        return column
    try:
        return column.cast(pa.string())
    except pa.ArrowInvalid:
        repaired = [
            None if v is None else v.decode("utf-8", "replace")
            for v in column.to_pylist()
        ]
        return pa.array(repaired, pa.string())


def column_type(info: FieldInfo | None) -> pa.DataType:
    """Return the Arrow type of a field's column as we make it; None: plain bytes."""
    if info is None:
        return pa.binary()
    kind = pa.type_for_alias(FIELD_TYPES[info.type].arrow)
    return pa.list_(kind) if info.is_list else kind
