"""The values of columns: as display texts for people, and as JSON can hold them.

Texts of lists, times and addresses are the same in tables on the command line, in the
lab and in text files; what the engine itself writes into outputs is decided in
:mod:`workbench.rules.target.value_text`. Texts are bounded before they become Python
objects: one event may hold megabytes.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from workbench.arrow.addresses import address_text
from workbench.arrow.dictionaries import list_like, plain_array
from workbench.arrow.types import (
    COUNT_COLUMNS,
    column_info,
    text_array,
)
from workbench.formatting.printable import printable
from workbench.formatting.units import duration_text, moment_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from workbench.fields.declarations import FieldInfo

__all__ = ["display_info", "display_text", "display_texts", "json_array"]

# Most items of a list field shown in one text.
_MAX_ITEMS = 20
# Digits of a length of time that was measured, not chosen.
_DURATION_DIGITS = 6


def display_info(column: str, fields: Mapping[str, FieldInfo]) -> FieldInfo | None:
    """Return the field whose type decides how ``column`` reads; None: plain values."""
    return None if column in COUNT_COLUMNS else column_info(column, fields)


def json_array(column: pa.Array, info: FieldInfo | None) -> pa.Array:
    """Return a column as JSON can hold it: addresses and bytes as text, times in ns.

    Numbers, booleans and lists stay what they are; bytes that are not UTF-8 show as
    U+FFFD.
    """
    column = plain_array(column)
    kind = column.type
    if pa.types.is_list(kind):
        return list_like(column, json_array(column.values, info))
    if pa.types.is_binary(kind) or pa.types.is_fixed_size_binary(kind):
        if info is not None and info.type in {"ipaddr", "ipnet"}:
            return address_text(column)
        return text_array(column.cast(pa.binary()))
    if pa.types.is_timestamp(kind):
        return column.cast(pa.timestamp("ns", kind.tz)).cast(pa.int64())
    if pa.types.is_duration(kind):
        return column.cast(pa.duration("ns")).cast(pa.int64())
    return column


def display_text(value: Any, kind: str) -> str:
    """Return one value of a JSON column as people read it; ``kind``: its field type."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, int) and kind == "abstime":
        return moment_text(value, trimmed=True)
    if isinstance(value, int) and kind == "reltime":
        return duration_text(value, digits=_DURATION_DIGITS)
    return str(value)


def _bounded(array: pa.Array, limit: int) -> pa.Array:
    """Cut long strings, so that a text costs no more than it shows."""
    kind = array.type
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return pc.binary_slice(array, 0, 4 * limit + 4)
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return pc.utf8_slice_codeunits(array, 0, limit + 1)
    return array


def _scalars(array: pa.Array, info: FieldInfo | None, limit: int) -> list[str | None]:
    kind = info.type if info else ""
    values = json_array(_bounded(plain_array(array), limit), info).to_pylist()
    return [None if v is None else display_text(v, kind) for v in values]


def display_texts(
    array: pa.Array, info: FieldInfo | None, *, limit: int = 160
) -> list[str | None]:
    """Return each value of ``array`` as one line of text, None where it is absent.

    Lists show as ``(a, b)``, as the engine writes them, empty ones as absent; times are
    ISO 8601 in UTC; control and bidirectional characters are spelled. ``limit``:
    longest text in characters.
    """
    if pa.types.is_list(array.type) or pa.types.is_large_list(array.type):
        return _list_texts(array, info, limit)
    return [
        None if text is None else printable(text, limit=limit)
        for text in _scalars(array, info, limit)
    ]


def _list_texts(
    array: pa.Array, info: FieldInfo | None, limit: int
) -> list[str | None]:
    short = pc.list_slice(array, 0, _MAX_ITEMS + 1)
    items = iter(_scalars(short.flatten(), info, limit))
    out: list[str | None] = []
    for size in pc.list_value_length(short).to_pylist():
        if not size:
            out.append(None)
            continue
        shown = [item or "" for item in itertools.islice(items, size)]
        if size > _MAX_ITEMS:
            shown[-1] = "…"
        out.append(printable(f"({', '.join(shown)})", limit=limit))
    return out
