"""What a plugin said of its own end: a panic, an assertion, an uncaught exception.

Runtimes write one line that names the fault and many that do not.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from workbench.formatting.printable import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["last_words", "tells_of_skipping"]

# Lines looked at, and characters of one that are shown.
_MAX_LINES = 2000
_MAX_TEXT = 300

# What begins such a line, and whether the next one belongs to it: Go, Rust, C++, C,
# the C library's own checks, sanitizers.
_STARTS: tuple[tuple[re.Pattern[str], re.Pattern[str] | None], ...] = (
    (re.compile(r"panic: "), None),
    (re.compile(r"thread '.{0,100}'.{0,40} panicked at "), re.compile("")),
    (
        re.compile(r"terminate called (?:after throwing|without)|libc\+\+abi: "),
        re.compile(r"\s+what\(\): "),
    ),
    (re.compile(r"fatal error: |fatal runtime error: "), None),
    (re.compile(r".{0,300}: Assertion [`'].{0,300}' failed|Assertion failed: "), None),
    (re.compile(r"\*\*\* .{0,100} \*\*\*|==\d+==ERROR: "), None),
    (
        re.compile(
            r"(?:free|malloc|realloc|munmap_chunk|double free|corrupted|malloc_\w+)\b"
            r".{0,40}(?:\(\): |or corruption|corrupted|invalid |size vs)"
        ),
        None,
    ),
)
_SKIPPED = re.compile(
    r"not recogni[sz]ed|\b(?:skip(?:ped|ping|s)?|ignor(?:ed|ing|es?))\b", re.IGNORECASE
)


def last_words(lines: Sequence[str]) -> str:
    """Return the line that says why a plugin ended itself, "" when there is none.

    ``lines``: what it wrote, oldest first. The most telling kind counts, of several of
    one kind the last.
    """
    recent = lines[-_MAX_LINES:]
    for start, more in _STARTS:
        for at in range(len(recent) - 1, -1, -1):
            if not start.match(recent[at]):
                continue
            text = recent[at].strip()
            follows = recent[at + 1 : at + 2]
            if more is not None and follows and more.match(follows[0]):
                text = f"{text} {follows[0].strip()}"
            return printable(text, limit=_MAX_TEXT)
    return ""


def tells_of_skipping(line: str) -> bool:
    """Whether a log line says that the plugin left something out."""
    return _SKIPPED.search(line[:_MAX_TEXT]) is not None
