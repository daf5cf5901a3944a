"""Values as short texts for people: cells of the table, lines of the detail.

Only the rows on screen come here, so the code is plain Python over few values. Texts
are bounded before they become Python objects: one event may hold megabytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from workbench.arrow.addresses import address_text
from workbench.formatting.html import printable

if TYPE_CHECKING:
    from workbench.fields.declarations import FieldInfo

__all__ = ["cell_texts", "span_text", "stamp_text"]

# Most items of a list field shown in one cell.
_ITEMS = 20
_UNITS = ((10**9, "s"), (10**6, "ms"), (10**3, "µs"))


def stamp_text(nanoseconds: int) -> str:
    """Give a time, ns since the epoch, as date and time of day in UTC."""
    if nanoseconds >= 2**63:
        return str(nanoseconds)
    whole = np.datetime64(nanoseconds // 10**9, "s")
    return f"{str(whole).replace('T', ' ')}.{nanoseconds % 10**9:09d}"


def span_text(nanoseconds: int) -> str:
    """Give a length of time in its natural unit."""
    for size, unit in _UNITS:
        if nanoseconds >= size:
            return f"{nanoseconds / size:.6g} {unit}"
    return f"{nanoseconds} ns"


def _bounded(array: pa.Array, limit: int) -> pa.Array:
    """Cut long strings, so that a cell costs no more than it shows."""
    kind = array.type
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return pc.binary_slice(array, 0, 4 * limit + 4)
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return pc.utf8_slice_codeunits(array, 0, limit + 1)
    return array


def _text(value: Any, info: FieldInfo | None) -> str:
    kind = info.type if info else ""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) and kind == "abstime":
        return stamp_text(value)
    if isinstance(value, int) and kind == "reltime":
        return span_text(value)
    return str(value)


def _scalars(array: pa.Array, info: FieldInfo | None, limit: int) -> list[str | None]:
    if pa.types.is_dictionary(array.type):
        array = array.dictionary.take(array.indices)
    kind = array.type
    binary = pa.types.is_binary(kind) or pa.types.is_fixed_size_binary(kind)
    if info is not None and info.type in {"ipaddr", "ipnet"} and binary:
        return [None if v is None else str(v) for v in address_text(array).to_pylist()]
    if pa.types.is_timestamp(kind) or pa.types.is_duration(kind):
        unit = pa.timestamp("ns") if pa.types.is_timestamp(kind) else pa.duration("ns")
        array = array.cast(unit).cast(pa.int64())
    values = _bounded(array, limit).to_pylist()
    return [None if v is None else _text(v, info) for v in values]


def cell_texts(
    array: pa.Array, info: FieldInfo | None, *, limit: int = 160
) -> list[str | None]:
    """Give each value of ``array`` as one line of text, None where it is absent.

    Lists show as ``(a, b)``, as the engine writes them; times and addresses are
    readable; control and bidirectional characters are spelled. ``limit``: longest text
    in characters.
    """
    if pa.types.is_list(array.type) or pa.types.is_large_list(array.type):
        return [_list_text(array[row], info, limit) for row in range(len(array))]
    return [
        None if text is None else printable(text, limit=limit)
        for text in _scalars(array, info, limit)
    ]


def _list_text(scalar: Any, info: FieldInfo | None, limit: int) -> str | None:
    items = scalar.values
    if items is None or len(items) == 0:
        return None
    shown = _scalars(items.slice(0, _ITEMS), info, limit)
    more = ", …" if len(items) > _ITEMS else ""
    text = ", ".join("" if item is None else item for item in shown)
    return printable(f"({text}{more})", limit=limit)
