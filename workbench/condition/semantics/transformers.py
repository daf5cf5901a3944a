"""What the transformers compute, in plain Python, on one value or one list of values.

The functions work on bytes as the engine keeps them, closing NULs included (see
:class:`workbench.condition.binding.bound.CallStep`). The fast evaluator is tested
against them.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from workbench.condition.semantics.values import cut_at_nul

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = [
    "STRING_TRANSFORMERS",
    "TRANSFORMER_INFO",
    "TransformerInfo",
    "apply_string",
    "decode_base64",
    "getopt",
    "join",
    "memory",
]


@dataclass(frozen=True, slots=True)
class TransformerInfo:
    """One transformer: ``usage`` as written, ``gives`` and ``desc`` for people.

    ``many``: takes two or more arguments; the others take one.
    """

    name: str
    usage: str
    gives: str
    desc: str
    many: bool = False


TRANSFORMER_INFO: dict[str, TransformerInfo] = {
    row.name: row
    for row in (
        TransformerInfo("tolower", "tolower(x)", "string", "ASCII letters made small"),
        TransformerInfo("toupper", "toupper(x)", "string", "ASCII letters made big"),
        TransformerInfo("b64", "b64(x)", "string", "decoded base64, else absent"),
        TransformerInfo("basename", "basename(x)", "string", "what follows the last /"),
        TransformerInfo("len", "len(x)", "uint64", "bytes of a text, values of a list"),
        TransformerInfo(
            "join", "join(separator, list)", "string", "a list as one text", many=True
        ),
        TransformerInfo(
            "concat", "concat(a, b, …)", "string", "texts end to end", many=True
        ),
        TransformerInfo(
            "getopt",
            'getopt(list, "ab:")[a]',
            "list of string",
            "options on a command line; with a letter in brackets, its last value",
            many=True,
        ),
        TransformerInfo("val", "val(field)", "as the field", "a field on the right"),
    )
}  # fmt: skip

_BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_SEXTET = {char: index for index, char in enumerate(_BASE64)}


def memory(value: bytes | int) -> bytes:
    """Return the bytes that the engine keeps for a value of any type."""
    if isinstance(value, bytes):
        return value
    return struct.pack("<I" if isinstance(value, bool) else "<Q", value)


def decode_base64(text: bytes) -> bytes | None:
    """Decode as strictly as the engine; None for anything that is not base64.

    Padding is optional, at most two ``=`` are dropped. One letter left over, or spare
    bits that are not zero, are errors; so is padding without anything before it.
    """
    if not text:
        return text
    for _ in range(2):
        text = text.removesuffix(b"=")
    if not text:
        return None
    bits = 0
    for char in text:
        sextet = _SEXTET.get(char)
        if sextet is None:
            return None
        bits = bits << 6 | sextet
    spare = len(text) * 6 % 8
    if spare == 6 or bits & ((1 << spare) - 1):
        return None
    return (bits >> spare).to_bytes(len(text) * 6 // 8)


def _basename(text: bytes) -> bytes:
    return text.rpartition(b"/")[2]


STRING_TRANSFORMERS: dict[str, Callable[[bytes], bytes | None]] = {
    "tolower": bytes.lower,
    "toupper": bytes.upper,
    "basename": _basename,
    "b64": decode_base64,
}


def apply_string(name: str, values: Sequence[bytes]) -> list[bytes] | None:
    """Apply a string transformer to each value; None when one has no result.

    Trailing NULs are taken off, and one is put on, unless the result ends in one.
    """
    function = STRING_TRANSFORMERS[name]
    results = []
    for value in values:
        result = function(value.rstrip(b"\0"))
        if result is None:
            return None
        results.append(result if result.endswith(b"\0") else result + b"\0")
    return results


def join(separator: bytes, items: Sequence[bytes]) -> bytes:
    """Put the items, cut at their first NUL, end to end with ``separator`` between."""
    return separator.join(cut_at_nul(item) for item in items)


def _read_options(spec: bytes) -> dict[int, bool]:
    """Read an option text: letter → whether it takes a value."""
    options: dict[int, bool] = {}
    at = 1 if spec.startswith(b":") else 0
    while at < len(spec):
        letter = spec[at]
        at += 1
        if letter == ord(":"):
            continue
        takes_value = spec[at : at + 1] == b":"
        at += takes_value
        options[letter] = options.get(letter, False) or takes_value
    return options


def getopt(
    words: Sequence[bytes], spec: bytes, option: bytes | None
) -> list[bytes] | None:
    """Read short options as C's ``getopt`` does, without moving words about.

    Without ``option`` the result lists each letter, followed by its value if it takes
    one; ``?`` for an unknown letter; an empty text, without the letter, where a value
    is missing. With ``option``: its last value (the letter itself if it takes none,
    empty where the value is missing), None if it does not occur.
    """
    options = _read_options(spec)
    results: list[bytes] = []
    selected: bytes | None = None
    at = 0
    while at < len(words):
        word = words[at]
        at += 1
        if word == b"--" or len(word) < 2 or not word.startswith(b"-"):
            break
        if word.startswith(b"--"):
            continue
        for index in range(1, len(word)):
            letter = word[index : index + 1]
            takes_value = options.get(word[index])
            if takes_value is None:
                results.append(b"?")
                continue
            if not takes_value:
                results.append(letter)
                selected = letter if letter == option else selected
                continue
            if index + 1 < len(word):
                value = word[index + 1 :]
                results += [letter, value]
            elif at < len(words):
                value = words[at]
                at += 1
                results += [letter, value]
            else:
                value = b""
                results.append(value)
            selected = value if letter == option else selected
            break
    if option is None:
        return results
    return None if selected is None else [selected]
