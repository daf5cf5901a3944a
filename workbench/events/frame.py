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
from workbench.arrow.types import COUNT_COLUMNS, HIDDEN_COLUMNS, column_info, text_array
from workbench.events.shown_frame import EventFrame
from workbench.fields.builtin import BUILTIN_FIELDS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from workbench.fields.declarations import FieldInfo

__all__ = ["column_info", "event_frame"]

_TIME = pa.timestamp("ns", "UTC")
_SPAN = pa.duration("ns")


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


def _categorical(column: pa.ChunkedArray, info: FieldInfo | None) -> pd.Categorical:
    """Turn dictionary chunks into a Categorical; equal repaired texts become one."""
    column = column.unify_dictionaries()
    chunks = column.chunks
    values = chunks[0].dictionary if chunks else pa.array([], column.type.value_type)
    codes = [c.indices.fill_null(-1).to_numpy(zero_copy_only=False) for c in chunks]
    code = np.concatenate(codes) if codes else np.empty(0, np.int32)
    if info is None and pa.types.is_binary(values.type):
        texts = text_array(values)
    else:
        texts = _readable(values, info)
    if texts.null_count or len(pc.unique(texts)) < len(texts):
        encoded = texts.dictionary_encode()
        moved = np.append(
            encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False), -1
        )
        code, texts = moved[code], encoded.dictionary
    return pd.Categorical.from_codes(code, categories=pd.Index(texts.to_pandas()))


def _series(column: pa.ChunkedArray, info: FieldInfo | None) -> Any:
    """Turn one column into the pandas array of its readable form."""
    if pa.types.is_dictionary(column.type):
        return _categorical(column, info)
    chunks = [_readable(chunk, info) for chunk in column.chunks]
    kind = chunks[0].type if chunks else _readable(_empty(column), info).type
    if pa.types.is_null(kind):
        kind = pa.string()
    return pd.arrays.ArrowExtensionArray(pa.chunked_array(chunks, kind))


def _empty(column: pa.ChunkedArray) -> pa.Array:
    return pa.array([], column.type)


def event_frame(
    table: pa.Table,
    fields: Mapping[str, FieldInfo],
    *,
    source: str,
    columns: Sequence[str] | None = None,
) -> pd.DataFrame:
    """Return the frame of ``table``: evt.num, evt.time, evt.source, then its fields.

    ``table``: condition layout, with ``evt.num`` and ``evt.rawtime``. ``columns``:
    those to show after the first three; None shows all but the machine's own.
    """
    names = set(table.column_names)
    data: dict[str, Any] = {
        "evt.num": table.column("evt.num").to_numpy().astype(np.uint64, copy=False),
        "evt.time": _times(table.column("evt.rawtime")),
    }
    if "evt.source" in names:
        column = table.column("evt.source")
        if not pa.types.is_dictionary(column.type):
            column = column.dictionary_encode()
        data["evt.source"] = _categorical(column, BUILTIN_FIELDS["evt.source"])
    else:
        codes = np.zeros(table.num_rows, np.int8)
        data["evt.source"] = pd.Categorical.from_codes(codes, categories=[source])
    if columns is None:
        made = {"evt.num", "evt.source", "evt.time"}
        skip = HIDDEN_COLUMNS | made | {"evt.rawtime"}
        columns = [name for name in table.column_names if name not in skip]
    for name in columns:
        # evt.time, a text for conditions, is shown as the time that it is.
        if name not in data and name in names:
            info = None if name in COUNT_COLUMNS else column_info(name, fields)
            data[name] = _series(table.column(name), info)
    return EventFrame(data, index=pd.RangeIndex(table.num_rows), copy=False)


def _times(column: pa.ChunkedArray) -> Any:
    """Turn raw times into a numpy-backed UTC time array, NaT beyond int64."""
    if pa.types.is_integer(column.type):
        raw = column.cast(pa.uint64()).to_numpy()
        # A value beyond int64 turns negative; the smallest int64 is NaT.
        signed = raw.view(np.int64)
        if len(signed) and signed.min() < 0:
            signed = np.where(signed < 0, np.iinfo(np.int64).min, signed)
    else:
        signed = column.cast(_TIME).cast(pa.int64()).to_numpy()
    stamps = pd.DatetimeIndex(signed.view("datetime64[ns]"), copy=False)
    return stamps.tz_localize("UTC").array
