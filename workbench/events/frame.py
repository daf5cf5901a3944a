"""Arrow → pandas: what people look at, made from what the engine compares.

A table in the condition layout keeps a plugin's bytes. A frame is for reading: text
repaired to UTF-8, addresses as text, times as times. Nothing flows back from a frame
into a condition.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from workbench.arrow.addresses import address_text
from workbench.arrow.dictionaries import list_like, plain_array
from workbench.arrow.types import (
    COUNT_COLUMNS,
    HIDDEN_COLUMNS,
    column_info,
    column_type,
    text_array,
)
from workbench.events.shown_frame import EventFrame
from workbench.fields.builtin import BUILTIN_FIELDS

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from workbench.fields.declarations import FieldInfo

__all__ = ["column_info", "event_frame", "readable_column", "typed_series"]

_TIME = pa.timestamp("ns", "UTC")
_SPAN = pa.duration("ns")
_NUMBERS = {
    kind: pd.api.types.pandas_dtype(name)
    for kind, name in (
        *((f"int{bits}", f"Int{bits}") for bits in (8, 16, 32, 64)),
        *((f"uint{bits}", f"UInt{bits}") for bits in (8, 16, 32, 64)),
        *(("float", "Float32"), ("double", "Float64")),
    )
}


def _ns_array(column: pa.Array, target: pa.DataType) -> pa.Array:
    """Turn uint64 nanoseconds into a 64-bit time type, null beyond its range."""
    if not pa.types.is_integer(column.type):
        return column if column.type == target else column.cast(target)
    signed = column.cast(pa.uint64()).view(pa.int64())
    if len(signed) and (pc.min(signed).as_py() or 0) < 0:
        signed = pc.if_else(pc.less(signed, 0), None, signed)
    return signed.view(target)


def _readable(column: pa.Array, info: FieldInfo | None) -> pa.Array:
    """Turn one plain array of field values into its readable form."""
    kind = column.type
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        column = plain_array(column)
        values = column.values  # noqa: PD011 - of Arrow, not of pandas
        return list_like(column, _readable(values, info))
    name = info.type if info else None
    binary = pa.types.is_binary(kind) or pa.types.is_large_binary(kind)
    if name in {"ipaddr", "ipnet"} and (binary or pa.types.is_fixed_size_binary(kind)):
        return address_text(column)
    if name == "abstime":
        return _ns_array(column, _TIME)
    if name == "reltime":
        return _ns_array(column, _SPAN)
    if name == "string" and binary:
        return text_array(column)
    return column


def readable_column(column: pa.ChunkedArray, info: FieldInfo | None) -> pa.ChunkedArray:
    """Return a column's readable values, dictionaries written out."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        # Texts are repaired once for each word, not for each row.
        chunks = [
            _readable_word(chunk.dictionary, info).take(chunk.indices)
            for chunk in column.chunks
        ]
    else:
        chunks = [_readable(chunk, info) for chunk in column.chunks]
    if not chunks:
        empty = pa.array([], kind.value_type if pa.types.is_dictionary(kind) else kind)
        chunks = [_readable(empty, info)]
    return pa.chunked_array(chunks, chunks[0].type)


def _readable_word(words: pa.Array, info: FieldInfo | None) -> pa.Array:
    if info is None and pa.types.is_binary(words.type):
        return text_array(words)
    return _readable(words, info)


def _declared(values: pa.ChunkedArray, info: FieldInfo | None) -> pa.ChunkedArray:
    """Give a column without any value the type that its field declares."""
    if not pa.types.is_null(values.type):
        return values
    empty = pa.array([], column_type(info)) if info else pa.array([], pa.string())
    return values.cast(_readable(empty, info).type)


def typed_series(column: pa.ChunkedArray, info: FieldInfo | None) -> Any:
    """Turn one column into the pandas array of its readable form.

    The dtype follows from the declared type alone: ``string[pyarrow]``, ``UInt64``,
    ``boolean``, ``timedelta64[ns]``, ``datetime64[ns, UTC]``, Arrow lists.
    """
    values = _declared(readable_column(column, info), info)
    kind = values.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return pd.StringDtype("pyarrow").__from_arrow__(values)
    if pa.types.is_boolean(kind):
        return pd.BooleanDtype().__from_arrow__(values)
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        return _NUMBERS[str(kind)].__from_arrow__(values)
    if pa.types.is_timestamp(kind):
        return _times(values)
    if pa.types.is_duration(kind):
        return _spans(values)
    return pd.arrays.ArrowExtensionArray(values)


def _categories(column: pa.ChunkedArray, info: FieldInfo | None) -> pd.Categorical:
    """Turn a column into a Categorical; texts that are equal once repaired are one."""
    values = _declared(readable_column(column, info), info)
    words = values.combine_chunks().dictionary_encode()
    codes = words.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    shown = typed_series(pa.chunked_array([words.dictionary]), None)
    return pd.Categorical.from_codes(codes, categories=pd.Index(shown))


def event_frame(
    table: pa.Table,
    fields: Mapping[str, FieldInfo],
    *,
    source: str,
    columns: Sequence[str] | None = None,
    categories: Collection[str] = (),
) -> pd.DataFrame:
    """Return the frame of ``table``: evt.num, evt.time, evt.source, then its fields.

    ``table``: condition layout, with ``evt.num`` and ``evt.rawtime``. ``columns``:
    those to show after the first three; None shows all but the machine's own.
    ``categories``: columns to give as categories instead.
    """
    names = set(table.column_names)
    data: dict[str, Any] = {
        "evt.num": table.column("evt.num").to_numpy().astype(np.uint64),
        "evt.time": _times(table.column("evt.rawtime")),
    }
    if "evt.source" in names:
        sources = table.column("evt.source")
    else:
        one = pa.array([source], pa.string())
        sources = one.take(pa.array(np.zeros(table.num_rows, np.int8)))
        sources = pa.chunked_array([sources])
    make = _categories if "evt.source" in categories else typed_series
    data["evt.source"] = make(sources, BUILTIN_FIELDS["evt.source"])
    if columns is None:
        made = {"evt.num", "evt.source", "evt.time"}
        skip = HIDDEN_COLUMNS | made | {"evt.rawtime"}
        columns = [name for name in table.column_names if name not in skip]
    for name in columns:
        # evt.time, a text for conditions, is shown as the time that it is.
        if name not in data and name in names:
            info = None if name in COUNT_COLUMNS else column_info(name, fields)
            make = _categories if name in categories else typed_series
            data[name] = make(table.column(name), info)
    return EventFrame(data, index=pd.RangeIndex(table.num_rows), copy=False)


def _own(column: pa.ChunkedArray, target: pa.DataType) -> np.ndarray[Any, Any]:
    """Return times or spans as numpy values of the reader's own, NaT for nulls."""
    chunks = [_ns_array(chunk, target) for chunk in column.chunks]
    values = pa.chunked_array(chunks, target).to_numpy()
    own: np.ndarray[Any, Any] = values if values.flags.writeable else values.copy()
    return own


def _times(column: pa.ChunkedArray) -> Any:
    """Turn raw times into a numpy-backed UTC time array, NaT beyond int64."""
    stamps = pd.DatetimeIndex(_own(column, _TIME), copy=False)
    return stamps.tz_localize("UTC").array


def _spans(column: pa.ChunkedArray) -> Any:
    """Turn raw spans into a numpy-backed array, NaT beyond int64."""
    return pd.TimedeltaIndex(_own(column, _SPAN), copy=False).array
