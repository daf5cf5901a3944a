"""Wildcard patterns as the C library matches them, on bytes, in the C locale, no flags.

``*`` any bytes, slashes and leading dots included; ``?`` one byte; ``[…]`` one byte of
a set; a backslash takes the next byte literally. The odd corners follow glibc: a
bracket that is not closed stands for itself, a lone backslash at the end or an unknown
class never matches.

All alignments are followed at once (a set of places in the pattern), so that the time
is at most text × pattern.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["fnmatch"]

_STAR, _ANY, _OPEN, _CLOSE = b"*?[]"
_ESCAPE, _DASH, _DOT, _EQUALS, _COLON = b"\\-.=:"

_CLASSES: dict[bytes, Callable[[int], bool]] = {
    b"alpha": lambda c: chr(c).isalpha(),
    b"digit": lambda c: chr(c).isdigit(),
    b"alnum": lambda c: chr(c).isalnum(),
    b"upper": lambda c: chr(c).isupper(),
    b"lower": lambda c: chr(c).islower(),
    b"space": lambda c: c in b" \t\n\v\f\r",
    b"blank": lambda c: c in b" \t",
    b"punct": lambda c: 33 <= c < 127 and not chr(c).isalnum(),
    b"print": lambda c: 32 <= c < 127,
    b"graph": lambda c: 33 <= c < 127,
    b"cntrl": lambda c: c < 32 or c == 127,
    b"xdigit": lambda c: c in b"0123456789abcdefABCDEF",
}


def _fold(char: int, fold: bool) -> int:  # noqa: FBT001
    """Return the byte to compare: with ``fold``, capital letters made small."""
    return char + 32 if fold and 65 <= char <= 90 else char


class _NoMatch(Exception):
    """The whole pattern cannot match from here."""


class _Unclosed(Exception):
    """The bracket has no end and stands for itself."""


class _Bracket:
    """Reads one bracket for one byte; the result may depend on the byte."""

    def __init__(self, pattern: bytes, start: int, char: int, *, fold: bool) -> None:
        self.pattern = pattern
        self.at = start
        self.char = char
        self.folded = _fold(char, fold)
        self.fold = fold

    def peek(self, offset: int = 0) -> int:
        index = self.at + offset
        return self.pattern[index] if index < len(self.pattern) else 0

    def take(self) -> int:
        char = self.peek()
        self.at += 1
        return char

    def matches(self) -> bool:
        """Whether the byte is in the set; ``at`` ends up behind the bracket."""
        negated = self.peek() in b"!^" and self.peek() != 0
        self.at += negated
        found = self.search()
        if found:
            self.skip()
        return found != negated

    def search(self) -> bool:
        char = self.take()
        while True:
            if char == _OPEN and self.peek() == _COLON and (name := self.class_name()):
                if name not in _CLASSES:
                    raise _NoMatch
                if self.char < 128 and _CLASSES[name](self.char):
                    return True
                char = self.take()
            elif char == _OPEN and self.peek() == _EQUALS and self.equivalence():
                if self.peek(-3) == self.char:
                    return True
                char = self.take()
            elif char == 0:
                raise _Unclosed
            else:
                low, ranged, same = self.member(char)
                if same and not ranged:
                    return True
                char = self.take()
                if char == _DASH and self.peek() != _CLOSE:
                    high = _fold(self.range_end(), self.fold)
                    if low <= self.folded <= high:
                        return True
                    char = self.take()
            if char == _CLOSE:
                return False

    def member(self, char: int) -> tuple[int, bool, bool]:
        """Read a member: its byte, "a range may follow", "equals the byte"."""
        if char == _OPEN and self.peek() == _DOT:
            low = self.collating()
            ranged = self.peek() == _DASH and self.peek(1) != 0
            return _fold(low, self.fold), ranged, low == self.char
        if char == _ESCAPE:
            char = self.take()
            if char == 0:
                raise _NoMatch
        low = _fold(char, self.fold)
        ranged = self.peek() == _DASH and self.peek(1) not in (0, _CLOSE)
        return low, ranged, low == self.folded

    def class_name(self) -> bytes | None:
        """Read ``:name:]`` if it is one; else stay."""
        end = self.at + 1
        while end < len(self.pattern) and 97 <= self.pattern[end] < 122:
            end += 1
        if self.pattern[end : end + 2] != b":]":
            return None
        name = self.pattern[self.at + 1 : end]
        self.at = end + 2
        return name or b"?"

    def equivalence(self) -> bool:
        """Read ``=x=]`` if it is one; else stay."""
        if self.peek(1) == 0 or self.peek(2) != _EQUALS or self.peek(3) != _CLOSE:
            return False
        self.at += 4
        return True

    def collating(self) -> int:
        """Read ``.x.]``; only names of one byte exist."""
        end = self.pattern.find(b".]", self.at + 1)
        if end != self.at + 2:
            raise _NoMatch
        self.at = end + 2
        return self.pattern[end - 1]

    def range_end(self) -> int:
        end = self.take()
        if end == _OPEN and self.peek() == _DOT:
            return self.collating()
        if end == _ESCAPE:
            end = self.take()
        if end == 0:
            raise _NoMatch
        return end

    def skip(self) -> None:
        """Move behind the bracket after a member matched."""
        while True:
            char = self.take()
            if char == 0:
                raise _Unclosed
            if char == _CLOSE:
                return
            if char == _ESCAPE:
                if self.take() == 0:
                    raise _NoMatch
            elif char == _OPEN and self.peek() == _COLON:
                self.class_name()
            elif char == _OPEN and self.peek() == _EQUALS:
                if not self.equivalence():
                    raise _NoMatch
            elif char == _OPEN and self.peek() == _DOT:
                end = self.pattern.find(b".]", self.at + 1)
                if end < 0:
                    raise _NoMatch
                self.at = end + 2


@lru_cache(maxsize=65536)
def _step(pattern: bytes, at: int, char: int, *, fold: bool) -> int:
    """Match one byte with what stands at ``at``: the place behind, or -1."""
    first = pattern[at]
    if first == _ANY:
        return at + 1
    if first == _OPEN:
        bracket = _Bracket(pattern, at + 1, char, fold=fold)
        try:
            return bracket.at if bracket.matches() else -1
        except _NoMatch:
            return -1
        except _Unclosed:
            pass
    elif first == _ESCAPE:
        at += 1
        if at >= len(pattern):
            return -1
        first = pattern[at]
    return at + 1 if _fold(first, fold) == _fold(char, fold) else -1


def _with_stars(pattern: bytes, places: set[int]) -> set[int]:
    """Add the places reached by letting stars match nothing."""
    for place in list(places):
        at = place
        while at < len(pattern) and pattern[at] == _STAR:
            at += 1
            places.add(at)
    return places


def fnmatch(pattern: bytes, text: bytes, *, fold: bool = False) -> bool:
    """Match all of ``text`` up to its first NUL; ``fold``: ASCII letters alike."""
    pattern = pattern.partition(b"\0")[0]
    places = _with_stars(pattern, {0})
    for char in text.partition(b"\0")[0]:
        reached = set()
        for at in places:
            if at < len(pattern):
                if pattern[at] == _STAR:
                    reached.add(at)
                else:
                    behind = _step(pattern, at, char, fold=fold)
                    if behind >= 0:
                        reached.add(behind)
        if not reached:
            return False
        places = _with_stars(pattern, reached)
    return len(pattern) in places
