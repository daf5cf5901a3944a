"""Regular expressions of the engine: RE2 in POSIX syntax, the whole value, as bytes.

google-re2 decides. Many values at once go through pyarrow's RE2, which reads the
Perl syntax; :func:`rewrite` gives an equivalent pattern for it, or None when it is not
sure to be one. :func:`required` finds a text that every match must contain, so that
most values are ruled out by a plain search.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from workbench.condition.semantics.values import compile_regex
from workbench.lazy import lazy_module

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa
    import pyarrow.compute as pc
else:
    np = lazy_module("numpy")
    pa = lazy_module("pyarrow")
    pc = lazy_module("pyarrow.compute")

__all__ = ["Required", "full_match", "matches", "required", "rewrite"]

_REPEAT = re.compile(rb"\{(\d+)(?:(,)(\d*))?\}")
_SPECIAL = frozenset(b"\\.+*?()|[]{}^$")
_SIMPLE_ESCAPES = {0x6E: b"\n", 0x72: b"\r", 0x74: b"\t"}


def full_match(pattern: bytes, value: bytes) -> bool:
    """Ask google-re2 whether ``pattern`` matches all of ``value``."""
    return compile_regex(pattern).fullmatch(value) is not None


@dataclass(frozen=True, slots=True)
class _Token:
    """A piece of a pattern. ``kind``: literal, atom, open, close, bar, anchor, repeat.

    ``text``: as written. ``literal``: the bytes it stands for when it is one literal.
    """

    kind: str
    text: bytes
    literal: bytes = b""


def _class_end(pattern: bytes, at: int) -> int | None:
    """Return the offset behind the class that starts at ``at``, None if it is open."""
    at += 1
    if pattern[at : at + 1] == b"^":
        at += 1
    first = True
    while at < len(pattern):
        char = pattern[at : at + 1]
        if char == b"]" and not first:
            return at + 1
        if pattern[at : at + 2] == b"[:":
            end = pattern.find(b":]", at + 2)
            if end < 0:
                return None
            at = end + 2
        elif char == b"\\":
            if pattern[at + 1 : at + 2] in b"x01234567" or at + 1 >= len(pattern):
                return None
            at += 2
        else:
            at += 1
        first = False
    return None


def _tokens(pattern: bytes) -> list[_Token] | None:
    """Cut a valid POSIX pattern into tokens; None for what is better left alone."""
    out: list[_Token] = []
    at = 0
    while at < len(pattern):
        char = pattern[at : at + 1]
        if char == b"[":
            end = _class_end(pattern, at)
            if end is None:
                return None
            out.append(_Token("atom", pattern[at:end]))
            at = end
            continue
        if char == b"\\":
            code = pattern[at + 1] if at + 1 < len(pattern) else 0
            text = pattern[at : at + 2]
            if code in _SPECIAL or (0x20 < code < 0x7F and not chr(code).isalnum()):
                if code == 0x5F:  # "\_" is no escape of punctuation in RE2
                    return None
                out.append(_Token("literal", text, bytes([code])))
            elif code in _SIMPLE_ESCAPES:
                out.append(_Token("literal", text, _SIMPLE_ESCAPES[code]))
            else:
                return None
            at += 2
            continue
        repeat = _REPEAT.match(pattern, at) if char == b"{" else None
        if repeat or char in (b"*", b"+", b"?"):
            text = repeat.group() if repeat else char
            out.append(_Token("repeat", text))
            at += len(text)
            continue
        kind = {b"(": "open", b")": "close", b"|": "bar", b".": "atom"}.get(char)
        if kind is None and char in (b"^", b"$"):
            kind = "anchor"
        if kind is None:
            # A code point of several bytes is one atom.
            width = 1
            while at + width < len(pattern) and pattern[at + width] & 0xC0 == 0x80:
                width += 1
            text = pattern[at : at + width]
            out.append(_Token("literal", text, text))
            at += width
            continue
        out.append(_Token(kind, char))
        at += 1
    return out


@functools.lru_cache(maxsize=512)
def rewrite(pattern: bytes) -> str | None:
    """Turn a POSIX pattern into one for RE2's Perl syntax that matches whole values.

    ``a+?`` is a repeat of a repeat in POSIX and a lazy one in Perl; ``a**`` is an error
    in Perl: repeated repeats get a group each. None: ask google-re2 instead.
    """
    tokens = _tokens(pattern)
    if tokens is None:
        return None
    # Pieces of the group being read; each piece is a finished text.
    stack: list[list[bytes]] = [[]]
    repeated = False
    for token in tokens:
        pieces = stack[-1]
        if token.kind == "open":
            stack.append([])
        elif token.kind == "close":
            if len(stack) == 1:
                return None
            inner = b"".join(stack.pop())
            stack[-1].append(b"(?:" + inner + b")")
        elif token.kind == "repeat":
            if not pieces or pieces[-1] == b"|":
                return None
            if repeated:
                pieces[-1] = b"(?:" + pieces[-1] + b")"
            pieces[-1] += token.text
        else:
            pieces.append(token.text)
        repeated = token.kind == "repeat"
    if len(stack) != 1:
        return None
    try:
        return rb"(?m)\A(?:".decode() + b"".join(stack[0]).decode("utf-8") + r")\z"
    except UnicodeDecodeError:
        return None


@dataclass(frozen=True, slots=True)
class Required:
    """What every matching value has: ``kind`` "startswith" or "contains", ``text``."""

    kind: str
    text: bytes


@functools.lru_cache(maxsize=512)
def required(pattern: bytes) -> Required | None:
    """Find a text that every match of ``pattern`` begins with or contains.

    Looks at literals outside groups and repeats; None when there is none, or when the
    pattern has alternatives at its top level.
    """
    tokens = _tokens(pattern)
    if tokens is None:
        return None
    runs: list[tuple[int, bytes]] = [(0, b"")]
    depth = 0
    lead = next((i for i, t in enumerate(tokens) if t.kind != "anchor"), 0)
    for index, token in enumerate(tokens):
        following = tokens[index + 1].kind if index + 1 < len(tokens) else ""
        if token.kind == "bar" and depth == 0:
            return None
        plain = token.kind == "literal" and depth == 0 and following != "repeat"
        if plain:
            start, text = runs[-1]
            runs[-1] = (start if text else index, text + token.literal)
        elif token.kind != "anchor" and runs[-1][1]:
            runs.append((index + 1, b""))
        depth += (token.kind == "open") - (token.kind == "close")
    best = max(runs, key=lambda run: len(run[1]))
    first = runs[0]
    if first[0] == lead and first[1] and len(first[1]) >= len(best[1]):
        return Required("startswith", first[1])
    return Required("contains", best[1]) if len(best[1]) > 1 else None


def matches(pattern: bytes, values: pa.Array) -> npt.NDArray[np.bool_]:
    """Match every value of a large_string view of bytes; nulls give False."""
    text = rewrite(pattern)
    if text is not None:
        try:
            found = pc.match_substring_regex(values, text)
        except pa.ArrowInvalid:
            pass  # too large for pyarrow's RE2, which gets a longer pattern
        else:
            return np.asarray(found.fill_null(False).to_numpy(zero_copy_only=False))
    return _one_by_one(pattern, values.cast(pa.large_binary()).to_pylist())


def _one_by_one(
    pattern: bytes, values: Sequence[bytes | None]
) -> npt.NDArray[np.bool_]:
    answers: dict[bytes | None, bool] = {None: False}
    for value in values:
        if value is not None and value not in answers:
            answers[value] = full_match(pattern, value)
    return np.fromiter((answers[v] for v in values), np.bool_, len(values))
