"""Tables that strangers' files hold: every buffer looked at before anything uses it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pyarrow as pa

from workbench.arrow.dictionaries import list_like
from workbench.errors import CaptureFileError
from workbench.formatting.printable import printable, shortened

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["as_bytes", "as_text", "is_text", "sound"]

_MAX_NAMES = 5


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _is_word(kind: pa.DataType) -> bool:
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    return _is_text(kind) or bool(pa.types.is_binary(kind))


# Column → what its type must be, and how to say it.
_TYPES: dict[str, tuple[Callable[[pa.DataType], bool], str]] = {
    "evt.num": (pa.types.is_integer, "whole numbers"),
    "evt.rawtime": (
        lambda t: pa.types.is_integer(t) or pa.types.is_timestamp(t),
        "times",
    ),
    "evt.source": (_is_word, "texts"),
    "raw": (
        lambda t: pa.types.is_binary(t) or pa.types.is_large_binary(t),
        "bytes",
    ),
    "state_only": (pa.types.is_boolean, "true or false"),
}


def sound(table: pa.Table, path: str | os.PathLike[str]) -> pa.Table:
    """Return ``table`` with its buffers checked; text that is not UTF-8 as bytes.

    Raises CaptureFileError for columns that no events have, pyarrow.ArrowInvalid for
    damage.
    """
    _check_columns(table, os.fspath(path))
    for at, field in enumerate(table.schema):
        if field.name == "evt.source":
            table.column(at).validate(full=True)
            continue
        chunks = [_checked(chunk) for chunk in table.column(at).chunks]
        kinds = {chunk.type for chunk in chunks}
        if len(kinds) > 1:
            # Of one column all pieces are text, or none is.
            chunks = [as_bytes(chunk) for chunk in table.column(at).chunks]
        if chunks and chunks[0].type != field.type:
            table = table.set_column(at, field.name, pa.chunked_array(chunks))
    return table


def _check_columns(table: pa.Table, path: str) -> None:
    names = table.column_names
    file = shortened(path)
    if len(set(names)) != len(names):
        twice = sorted({name for name in names if names.count(name) > 1})
        listed = ", ".join(printable(name, limit=80) for name in twice[:_MAX_NAMES])
        text = f"{file} holds several columns of the same name: {listed}"
        raise CaptureFileError(text, path=path)
    for name, (fits, words) in _TYPES.items():
        kind = table.schema.field(name).type if name in names else pa.null()
        if not pa.types.is_null(kind) and not fits(kind):
            found = printable(str(kind), limit=80)
            text = f"{file} holds no events: its column {name} is {found}, not {words}"
            raise CaptureFileError(text, path=path)


def _checked(chunk: pa.Array) -> pa.Array:
    """Return a chunk sound in every buffer, as bytes if only its text is not."""
    try:
        chunk.validate(full=True)
    except pa.ArrowInvalid:
        chunk = as_bytes(chunk)
        chunk.validate(full=True)
    return chunk


def as_bytes(chunk: pa.Array) -> pa.Array:
    """Return an array with bytes for text, in dictionaries and lists too.

    Raises pyarrow.ArrowInvalid for damage.
    """
    return _viewed(
        chunk, {pa.string(): pa.binary(), pa.large_string(): pa.large_binary()}
    )


def as_text(chunk: pa.Array) -> pa.Array:
    """Undo :func:`as_bytes`; whether the text is UTF-8 is not looked at."""
    return _viewed(
        chunk, {pa.binary(): pa.string(), pa.large_binary(): pa.large_string()}
    )


def _viewed(chunk: pa.Array, kinds: dict[pa.DataType, pa.DataType]) -> pa.Array:
    kind = chunk.type
    if kind in kinds:
        return chunk.view(kinds[kind])
    # Offsets and indices are followed below: they must be sound first.
    chunk.validate()
    if pa.types.is_dictionary(kind) and kind.value_type in kinds:
        words = _viewed(chunk.dictionary, kinds)
        made = pa.DictionaryArray.from_arrays(chunk.indices, words)
        made.validate(full=True)
        return made
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return list_like(chunk, _viewed(chunk.values, kinds))
    return chunk


def is_text(kind: pa.DataType) -> bool:
    """Return whether values of ``kind`` are texts, or lists of texts."""
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return is_text(kind.value_type)
    if pa.types.is_dictionary(kind):
        return is_text(kind.value_type)
    return _is_text(kind) or bool(pa.types.is_string_view(kind))
