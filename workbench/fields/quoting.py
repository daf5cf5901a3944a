"""Quoted strings as conditions and field arguments write them, on bytes.

The engine's oddities are kept: a delimiter ends the string unless the one character
before it is a backslash, so no string can end in an escaped backslash; and a NUL ends
the search for the closing delimiter.
"""

from __future__ import annotations

import re

__all__ = ["EscapeFault", "quote", "scan_quoted"]

# What a backslash and one more character stand for. Backslash and blank give a single
# backslash: kept by the engine for old rules.
_ESCAPES = {
    b"b": b"\b",
    b"f": b"\f",
    b"n": b"\n",
    b"r": b"\r",
    b"t": b"\t",
    b" ": b"\\",
    b"\\": b"\\",
    b"/": b"/",
}
_WRITTEN = {
    b"\b": rb"\b",
    b"\f": rb"\f",
    b"\n": rb"\n",
    b"\r": rb"\r",
    b"\t": rb"\t",
    b"\\": rb"\\",
    b'"': rb"\"",
}
_END = {0x27: re.compile(rb"(?<!\\)'"), 0x22: re.compile(rb'(?<!\\)"')}
_ESCAPE = re.compile(rb"\\(.)", re.DOTALL)
_SPECIAL = re.compile(rb'[\b\f\n\r\t\\"]')


class EscapeFault(ValueError):
    """A closed quoted string with an escape that the engine refuses.

    ``end``: offset behind the string, where the engine stands when it gives up.
    ``at``: offset of the backslash. ``escape``: the character behind it.
    """

    def __init__(self, message: str, end: int, at: int, escape: str) -> None:
        super().__init__(message, end, at, escape)
        self.message = message
        self.end = end
        self.at = at
        self.escape = escape


def scan_quoted(raw: bytes, start: int) -> tuple[bytes, int] | None:
    """Read the quoted string whose delimiter stands at ``raw[start]``.

    Gives the decoded value and the offset behind the string; None when ``start`` is
    not at a delimiter or the string is not closed. Raises EscapeFault.
    """
    pattern = _END.get(raw[start]) if start < len(raw) else None
    if pattern is None:
        return None
    found = pattern.search(raw, start + 1)
    if found is None or raw.find(b"\0", start, found.start()) >= 0:
        return None
    body = raw[start + 1 : found.start()]
    if b"\\" not in body:
        return body, found.end()
    delimiter = found.group()

    def decode(escape: re.Match[bytes]) -> bytes:
        char = escape.group(1)
        if char == delimiter:
            return delimiter
        value = _ESCAPES.get(char)
        if value is None:
            shown = char.decode("utf-8", "backslashreplace")
            other = char in (b"'", b'"')
            message = (
                f"invalid \\{shown} escape in {delimiter.decode()}-quoted string"
                if other
                else f"unsupported string escape sequence: \\{shown}"
            )
            at = start + 1 + escape.start()
            raise EscapeFault(message, found.end(), at, shown)
        return value

    return _ESCAPE.sub(decode, body), found.end()


def quote(value: bytes) -> bytes:
    """Write ``value`` in double quotes, so that :func:`scan_quoted` reads it back.

    A value that ends in a backslash has no quoted form; its text is given all the same.
    """
    return b'"' + _SPECIAL.sub(lambda m: _WRITTEN[m.group()], value) + b'"'
