"""Text that shows everything in it: nothing hidden, reordered or executed."""

from __future__ import annotations

import json
import re

__all__ = ["bounded", "marked", "printable", "repaired", "shortened", "visible"]

# Characters that show as nothing or as a blank though Python calls most of them
# printable: what Unicode lets a font ignore (Default_Ignorable_Code_Point, with the
# Hangul fillers and variation selectors), the blank of Braille, and what reorders text.
# The scripts of the lab (dom.js) have the same table.
_HIDDEN = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    "\u202a-\u202e\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)


# Longest word and longest text of a message, and what is left of longer words.
_MAX_WORD, _MAX_TEXT, _CUT_WORD = 1000, 20_000, 600
_LONG_WORD = re.compile(rf"\S{{{_MAX_WORD + 1},}}")


def printable(text: str, *, limit: int | None = None) -> str:
    r"""Return ``text`` with control, bidi and invisible characters spelled ``\x1b``.

    ``limit``: longest result in characters; an ellipsis marks the cut.
    """
    cut = limit is not None and len(text) > limit
    if cut:
        text = text[: (limit or 1) - 1]
    if text.isascii() and text.isprintable():
        # The usual case.
        return text + "…" if cut else text
    if text.isprintable() and not _HIDDEN.search(text):
        return text + "…" if cut else text
    out = "".join(
        c
        if _shows(c)
        else c.encode("unicode_escape", "backslashreplace").decode("ascii")
        for c in text
    )
    return out + "…" if cut else out


def visible(text: str) -> str:
    r"""Return ``text`` with all but line feeds as :func:`printable` shows it.

    Hidden characters are spelled as in JSON (``\u001b``), which stays JSON then.
    """
    if text.isprintable() and not _HIDDEN.search(text):
        return text
    return "".join(c if c == "\n" or _shows(c) else _json_escape(c) for c in text)


def marked(text: str) -> str:
    """Return ``text`` of the same length, each hidden character as U+FFFD."""
    return "".join(c if _shows(c) else "\N{REPLACEMENT CHARACTER}" for c in text)


def _shows(char: str) -> bool:
    return char == " " or (char.isprintable() and not _HIDDEN.match(char))


def _json_escape(char: str) -> str:
    return json.dumps(char)[1:-1] if char != "\x7f" else "\\u007f"


def shortened(text: str, limit: int = 300) -> str:
    """Return ``text``, of a long one its beginning and its end: for names in errors."""
    if len(text) <= limit:
        return text
    return f"{text[: limit // 2]}…{text[-limit // 2 + 1 :]}"


def bounded(text: str) -> str:
    """Return ``text`` as a message that people can read: long words and texts cut.

    Words are cut in the middle beyond 1,000 characters, texts beyond 20,000.
    """
    if len(text) <= _MAX_WORD:
        return text
    text = _LONG_WORD.sub(lambda found: shortened(found[0], _CUT_WORD), text)
    return shortened(text, _MAX_TEXT)


def repaired(text: str) -> str:
    """Return ``text`` with bytes that were not UTF-8 as U+FFFD, fit for any file."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
