"""Texts as YAML that reads back to the same texts, whoever reads it.

Plain where nothing could misread it, blocks for several or long lines, else quoted.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["INDENT", "block", "flow", "flow_value", "pair", "scalar", "sequence"]

# One step of indentation in what is written.
INDENT = "  "
# Longest line before a block is folded, in characters.
_WIDTH = 88

_PLAIN = re.compile(
    r"[A-Za-z_/($<][^\x00-\x1f\x7f-\xa0\u2028\u2029\ufeff\ud800-\udfff]*"
)
_MISREAD = re.compile(r": |:$| #|^\s|\s$|^--|^\.\.\.")
# Words and numbers that some reader takes for something else than text.
_WORDS = re.compile(
    r"(?:y|yes|n|no|true|false|on|off|null|none|nan|inf|infinity|~)", re.IGNORECASE
)
_FLOW_SPECIAL = re.compile(r"[,\[\]{}]")
_ESCAPES = {
    "\0": "\\0",
    "\a": "\\a",
    "\b": "\\b",
    "\t": "\\t",
    "\n": "\\n",
    "\v": "\\v",
    "\f": "\\f",
    "\r": "\\r",
    "\x1b": "\\e",
    '"': '\\"',
    "\\": "\\\\",
}
_ESCAPED = re.compile('[\x00-\x1f"\\\\\x7f-\xa0\u2028\u2029\ufeff\ufffe\uffff]')
# What a block scalar can hold besides line feeds.
_BLOCK_SAFE = re.compile(r"[^\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff]*")


def _quoted(text: str) -> str:
    if "'" not in text and _ESCAPED.sub("", text) == text:
        return f"'{text}'"
    if '"' in text and not re.search(r"[\x00-\x1f\x7f-\xa0\u2028\u2029\ufeff]", text):
        # quotes inside read best between single quotes, doubled if need be
        return "'" + text.replace("'", "''") + "'"
    return '"' + _ESCAPED.sub(_escape, text) + '"'


def _escape(match: re.Match[str]) -> str:
    char = match.group()
    known = _ESCAPES.get(char)
    if known is not None:
        return known
    code = ord(char)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def _is_plain(text: str) -> bool:
    return bool(
        _PLAIN.fullmatch(text)
        and not _MISREAD.search(text)
        and not _WORDS.fullmatch(text)
    )


def scalar(text: str) -> str:
    """Write a text on one line, for a value in block context."""
    return text if _is_plain(text) else _quoted(text)


def flow(text: str) -> str:
    """Write a text on one line, for an item inside brackets or braces."""
    if _is_plain(text) and not _FLOW_SPECIAL.search(text) and "?" not in text:
        return text
    return _quoted(text)


def _literal(text: str, indent: str) -> str | None:
    """Write several lines as a literal block; None when a block cannot hold them."""
    body = text.rstrip("\n")
    lines = body.split("\n")
    if (
        not body
        or not _BLOCK_SAFE.fullmatch(text)
        or lines[0].startswith(" ")
        or any(line.endswith(" ") or (not line.strip() and line) for line in lines)
        or not lines[0]
    ):
        return None
    ends = len(text) - len(body)
    chomp = {0: "-", 1: ""}.get(ends, "+")
    written = [indent + line if line else "" for line in lines]
    written += [""] * (ends - 1)
    return f"|{chomp}\n" + "\n".join(written)


def _folded(text: str, indent: str) -> str | None:
    """Write one long line as a folded block; None when folding would change it."""
    if (
        not _BLOCK_SAFE.fullmatch(text)
        or text != text.strip()
        or "  " in text
        or "\n" in text
        or " " not in text
    ):
        return None
    room = _WIDTH - len(indent)
    lines: list[str] = []
    for clause in re.split(r" (?=(?:and|or) )", text):
        if lines and len(lines[-1]) + len(clause) < room // 2:
            lines[-1] += " " + clause
        else:
            lines.append("")
            for word in clause.split(" "):
                if not lines[-1]:
                    lines[-1] = word
                elif len(lines[-1]) + len(word) < room:
                    lines[-1] += " " + word
                else:
                    lines.append(word)
    if len(lines) < 2:
        return None
    return ">-\n" + "\n".join(indent + line for line in lines)


def block(text: str, key_width: int, indent: str) -> str:
    """Write a text as the value of a key; blocks are indented by ``indent``.

    ``key_width``: columns already taken on the line of the key.
    """
    written = None
    if "\n" in text:
        written = _literal(text, indent)
    elif key_width + len(text) > _WIDTH:
        written = _folded(text, indent)
    return written if written is not None else scalar(text)


def pair(key: str, text: str, indent: str = INDENT) -> str:
    """Write ``key: text`` with the text in its most readable safe form."""
    width = len(indent) + len(key) + 2
    return f"{indent}{key}: {block(text, width, indent + INDENT)}"


def sequence(key: str, items: Sequence[str], indent: str = INDENT) -> str:
    """Write a sequence of texts on one line, or one line each when long."""
    line = f"{indent}{key}: {flow_value(items)}"
    if len(line) <= _WIDTH or len(items) < 2:
        return line
    rows = [f"{indent}{INDENT}- {scalar(item)}" for item in items]
    return f"{indent}{key}:\n" + "\n".join(rows)


def flow_value(value: Any) -> str:
    """Write a text, or nested lists or tuples of texts in brackets, on one line."""
    if isinstance(value, str):
        return flow(value)
    return f"[{', '.join(map(flow_value, value))}]"
