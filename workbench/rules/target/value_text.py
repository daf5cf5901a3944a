"""Column values as texts and as JSON values, column by column."""

from __future__ import annotations

import socket
from json.encoder import encode_basestring as _encode
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pyarrow as pa

__all__ = [
    "fitted",
    "json_texts",
    "json_values",
    "list_text",
    "quoted",
    "raw_values",
    "text_values",
]

# The engine keeps this many bytes of a list's text.
_LIST_BYTES = 1023
# Generic fields printed with at least nine digits.
_NINE_DIGITS = frozenset(("evt.rawtime.ns", "evt.reltime", "evt.reltime.ns"))


def address_text(raw: bytes | None) -> str | None:
    """Write an address of 4 or 16 bytes; anything else has no text of its own."""
    if raw is None:
        return None
    if len(raw) == 4:
        return socket.inet_ntop(socket.AF_INET, raw)
    if len(raw) == 16:
        return socket.inet_ntop(socket.AF_INET6, raw)
    return "<NA>"


def _flat(column: Any) -> pa.Array:
    """Return one plain array: no chunks, no dictionaries inside lists."""
    import pyarrow as pa

    if isinstance(column, pa.ChunkedArray):
        if column.num_chunks == 1:
            return column.chunk(0)
        column = column.combine_chunks()
        if isinstance(column, pa.ChunkedArray):  # dictionaries that differ
            column = column.unify_dictionaries().combine_chunks()
    return column


def _integers(array: pa.Array) -> pa.Array:
    """Return times as unsigned numbers of nanoseconds."""
    import pyarrow as pa

    kind = array.type
    if pa.types.is_timestamp(kind) or pa.types.is_duration(kind):
        wanted = (
            pa.timestamp("ns", kind.tz)
            if pa.types.is_timestamp(kind)
            else pa.duration("ns")
        )
        return array.cast(wanted).cast(pa.int64()).view(pa.uint64())
    return array


def _strings(array: pa.Array, errors: str) -> list[str | None]:
    import pyarrow as pa

    kind = array.type
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        try:
            text = array.cast(
                pa.large_string() if pa.types.is_large_binary(kind) else pa.string()
            )
        except pa.ArrowInvalid:
            return [
                None if v is None else v.decode("utf-8", errors)
                for v in array.to_pylist()
            ]
        found: list[str | None] = text.to_pylist()
        return found
    if pa.types.is_fixed_size_binary(kind) or not (
        pa.types.is_string(kind) or pa.types.is_large_string(kind)
    ):
        return [
            None
            if v is None
            else v.decode("utf-8", errors)
            if isinstance(v, bytes)
            else str(v)
            for v in array.to_pylist()
        ]
    plain: list[str | None] = array.to_pylist()
    return plain


def _scalars(array: pa.Array, kind: str, *, as_json: bool) -> list[Any]:
    """Return the values of a plain array: texts, or what JSON shows."""
    import pyarrow as pa

    if pa.types.is_dictionary(array.type):
        known = _scalars(array.dictionary, kind, as_json=as_json)
        return [None if i is None else known[i] for i in array.indices.to_pylist()]
    if kind == "string":
        return _strings(array, "replace" if as_json else "surrogateescape")
    if kind == "ipnet":
        return [None if v is None else "<IPNET>" for v in array.to_pylist()]
    if kind == "ipaddr":
        from workbench.arrow.addresses import address_text as column_text

        texts: list[str | None] = column_text(array).to_pylist()
        return texts
    values: list[Any] = _integers(array).to_pylist()
    if as_json:
        return values
    if kind == "bool":
        words = {None: None, True: "true", False: "false"}
        return [words[v] for v in values]
    return [None if v is None else str(v) for v in values]


def _lists(array: pa.Array, kind: str, *, as_json: bool) -> list[list[Any] | None]:
    """Return list values; an empty list is absent."""
    import pyarrow as pa

    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    items = _scalars(_flat(array.values), kind, as_json=as_json)
    offsets = array.offsets.to_pylist()
    valid = array.is_valid().to_pylist()
    return [
        items[offsets[i] : offsets[i + 1]]
        if ok and offsets[i] != offsets[i + 1]
        else None
        for i, ok in enumerate(valid)
    ]


def list_text(items: Sequence[str | None]) -> str:
    """Write a list as the engine does: in parentheses, at most 1023 bytes.

    A comma is only put where something stands before it, so empty values at the
    beginning leave no trace.
    """
    first = next((i for i, item in enumerate(items) if item), len(items))
    text = "(" + ",".join(item or "" for item in items[first:]) + ")"
    if len(text) * 4 > _LIST_BYTES:
        raw = text.encode("utf-8", "surrogateescape")
        if len(raw) > _LIST_BYTES:
            return raw[:_LIST_BYTES].decode("utf-8", "surrogateescape")
    return text


def text_values(
    column: Any, name: str, kind: str, *, is_list: bool
) -> list[str | None]:
    """Return one text per row, None where the value is absent.

    ``column``: Arrow array in the condition layout; ``kind``: the field's type.
    """
    array = _flat(column)
    if is_list:
        return [
            None if items is None else list_text(items)
            for items in _lists(array, kind, as_json=False)
        ]
    values = _scalars(array, kind, as_json=False)
    if name in _NINE_DIGITS:
        return [None if v is None else v.zfill(9) for v in values]
    return values


def json_values(column: Any, kind: str, *, is_list: bool) -> list[Any]:
    """Return one JSON value per row: numbers, truth values, texts, lists or None."""
    array = _flat(column)
    if is_list:
        return list(_lists(array, kind, as_json=True))
    return _scalars(array, kind, as_json=True)


def quoted(text: str) -> str:
    """Write a text as JSON; what is not UTF-8 becomes U+FFFD."""
    if not text.isascii():
        text = text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return _encode(text)


def _json_scalars(array: pa.Array, kind: str) -> list[str]:
    """Write each value of a plain array as JSON, "null" where absent."""
    import pyarrow as pa

    if pa.types.is_dictionary(array.type):
        known = _json_scalars(array.dictionary, kind)
        return ["null" if i is None else known[i] for i in array.indices.to_pylist()]
    values = _scalars(array, kind, as_json=kind == "string")
    if kind == "string":
        return [
            "null" if v is None else _encode(v) if v.isascii() else quoted(v)
            for v in values
        ]
    if kind in ("ipaddr", "ipnet"):
        return ["null" if v is None else f'"{v}"' for v in values]
    return ["null" if v is None else v for v in values]


def json_texts(column: Any, kind: str, *, is_list: bool) -> list[str]:
    """Return one value per row, written as JSON; as :func:`json_values`, but faster."""
    array = _flat(column)
    if not is_list:
        return _json_scalars(array, kind)
    import pyarrow as pa

    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    items = _json_scalars(_flat(array.values), kind)
    ends = array.offsets.to_pylist()
    return [
        f"[{','.join(items[ends[i] : ends[i + 1]])}]"
        if ok and ends[i] != ends[i + 1]
        else "null"
        for i, ok in enumerate(array.is_valid().to_pylist())
    ]


def raw_values(column: Any, kind: str, *, is_list: bool) -> list[Any]:
    """Return one value per row as conditions see it: bytes, numbers, truth values.

    Lists come as tuples; an absent value is None.
    """
    array = _flat(column)
    if is_list:
        import pyarrow as pa

        if pa.types.is_dictionary(array.type):
            array = array.dictionary_decode()
        items = raw_values(array.values, kind, is_list=False)
        offsets = array.offsets.to_pylist()
        return [
            tuple(items[offsets[i] : offsets[i + 1]]) or None if ok else None
            for i, ok in enumerate(array.is_valid().to_pylist())
        ]
    values = _integers(array).to_pylist()
    if kind in ("string", "ipaddr", "ipnet"):
        return [v.encode() if isinstance(v, str) else v for v in values]
    return list(values)


def fitted(width: int) -> Callable[[str], str]:
    """Make the function that pads or shortens a text to ``width`` bytes."""

    def fit(text: str) -> str:
        if text.isascii():
            return text[:width].ljust(width)
        raw = text.encode("utf-8", "surrogateescape")[:width].ljust(width)
        return raw.decode("utf-8", "surrogateescape")

    return fit
