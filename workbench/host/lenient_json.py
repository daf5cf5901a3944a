"""JSON as the real framework reads it: comments, and text after the document, pass."""

from __future__ import annotations

from workbench.wire.small_json import decode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["parse_json"]


def _without_comments(text: str) -> str:
    """Blank out ``//`` and ``/* */`` outside of strings."""
    kept = []
    i, n = 0, len(text)
    start = 0
    while i < n:
        char = text[i]
        if char == '"':
            i += 1
            while i < n and text[i] != '"':
                i += 2 if text[i] == "\\" else 1
            i += 1
        elif char == "/" and text[i + 1 : i + 2] == "/":
            end = text.find("\n", i)
            end = n if end < 0 else end
            kept.append(text[start:i])
            i = start = end
        elif char == "/" and text[i + 1 : i + 2] == "*":
            end = text.find("*/", i + 2)
            end = n if end < 0 else end + 2
            kept.append(text[start:i] + " ")
            i = start = end
        else:
            i += 1
    kept.append(text[start:])
    return "".join(kept)


def parse_json(text: str) -> Any:
    """Decode the first document in ``text``. Raises ValueError when there is none."""
    if "/" in text:
        text = _without_comments(text)
    return decode(text)
