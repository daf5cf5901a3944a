"""Lines of a rules file that stand too far in or out."""

from __future__ import annotations

import re

__all__ = ["indentation_fault"]

_KEY_LINE = re.compile(rb"([ ]*)((?:-[ ]+)?)([A-Za-z][\w-]*):(?=[ \t\r\n]|\Z)(.*)")
_BLOCK = re.compile(rb"[ ]*[|>][0-9+-]*[ ]*(?:#.*)?\Z")


def indentation_fault(data: bytes, pos: int) -> str | None:
    """Return what is wrong with the indentation where a ``:`` is not expected.

    ``pos``: of the colon. None when its line does not begin with a key, or the key
    stands where the one before it does.
    """
    begin = data.rfind(b"\n", 0, pos) + 1
    line = _KEY_LINE.match(data, begin)
    if line is None or line.end(3) != pos:
        return None
    key = line.group(3).decode()
    column = line.start(3) - begin
    loose = False
    for text in reversed(data[:begin].splitlines()[-1000:]):
        before = _KEY_LINE.match(text)
        if before is None:
            loose = loose or bool(text.strip())
            continue
        name = before.group(3).decode()
        if loose and _BLOCK.match(before.group(4)):
            return f"wrong indentation: indent the text of '{name}' more than its key"
        if before.start(3) == column:
            return None
        return (
            f"wrong indentation: '{key}' begins in column {column + 1}, '{name}' before"
            f" it in column {before.start(3) + 1}"
        )
    return None
