"""Wildcard patterns as the C library matches them, on bytes, in the C locale, no flags.

``*`` any bytes, slashes and leading dots included; ``?`` one byte; ``[…]`` one byte of
a set; a backslash takes the next byte literally. The odd corners follow glibc: a
bracket that is not closed stands for itself, a lone backslash at the end or an unknown
class never matches, and a star is left where what follows it fits first.

Patterns come from events too: reading one takes time in proportion to its length, and
matching follows all alignments at once, a bit of a number for each.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

__all__ = ["fnmatch"]

_STAR, _ANY, _OPEN, _CLOSE = b"*?[]"
_ESCAPE, _DASH, _DOT, _EQUALS, _COLON = b"\\-.=:"

# Sets of bytes are numbers with one bit for each; NUL is in none of a bracket's.
_EVERY = (1 << 256) - 1
_ALL = _EVERY - 1
_CAPITALS = sum(1 << char for char in range(65, 91))
_PLAIN_OPEN = 1 << _OPEN


def _set_of(chars: bytes | range) -> int:
    found = 0
    for char in chars:
        found |= 1 << char
    return found


def _class(test: str) -> int:
    return _set_of(bytes(c for c in range(1, 128) if getattr(chr(c), test)()))


_CLASSES = {
    b"alpha": _class("isalpha"),
    b"digit": _class("isdigit"),
    b"alnum": _class("isalnum"),
    b"upper": _class("isupper"),
    b"lower": _class("islower"),
    b"space": _set_of(b" \t\n\v\f\r"),
    b"blank": _set_of(b" \t"),
    b"punct": _set_of(range(33, 127)) & ~_class("isalnum"),
    b"print": _set_of(range(32, 127)),
    b"graph": _set_of(range(33, 127)),
    b"cntrl": _set_of(range(1, 32)) | 1 << 127,
    b"xdigit": _set_of(b"0123456789abcdefABCDEF"),
}
_LONGEST_CLASS = 2048

# In place of where something ends.
_NO_MATCH, _UNCLOSED = -1, -2


def _span(first: int, last: int, *, fold: bool) -> int:
    """Return the set of a range; with ``fold``, capitals count as small letters."""
    found = ((1 << (last + 1)) - 1) >> first << first if last >= first else 0
    if fold:
        found = found & ~_CAPITALS | found >> 32 & _CAPITALS
    return found


def _fold(char: int) -> int:
    return char + 32 if 65 <= char <= 90 else char


class _Member(NamedTuple):
    """A member of a bracket: its bytes, where to skip on from, the next member."""

    chars: int
    skip_from: int
    after: int


class _Rest(NamedTuple):
    """What a bracket comes to from one of its members on.

    ``ends``: where it ends for which bytes, by the first member that has them.
    ``chars``: bytes that some member has. ``close``: where it ends for the others.
    ``plain``: whether ``[`` finds no end and stands for itself; None: not decided.
    """

    ends: dict[int, int]
    chars: int
    close: int
    plain: bool | None


class _Brackets:
    """The brackets of one pattern: members, and what they come to, are read once."""

    def __init__(self, pattern: bytes, *, fold: bool) -> None:
        self._text = pattern + b"\0\0\0\0"
        self._fold = fold
        self._rests: dict[int, _Rest] = {}
        self._skipped: dict[int, int] = {}
        self._last_dots = pattern.rfind(b".]")

    def ends(self, place: int) -> dict[int, int]:
        """Return where the bracket at ``place`` ends, for which bytes."""
        negated = self._text[place + 1] in b"!^" and self._text[place + 1] != 0
        rest = self._rest(place + 1 + negated)
        found = dict(rest.ends) if not negated else {}
        if negated and rest.close > 0 and _ALL & ~rest.chars:
            found[rest.close] = _ALL & ~rest.chars
        if rest.plain:
            found[place + 1] = found.get(place + 1, 0) | _PLAIN_OPEN
        return found

    def _rest(self, start: int) -> _Rest:
        members: list[tuple[int, _Member]] = []
        at = start
        rest: _Rest | None = None
        while rest is None and (rest := self._rests.get(at)) is None:
            member = self._member(at)
            members.append((at, member))
            at = member.after
            if at < 0:
                rest = _Rest({}, 0, _NO_MATCH, plain=at == _UNCLOSED)
            elif self._text[at] == _CLOSE:
                rest = _Rest({}, 0, at + 1, plain=False)
        for place, member in reversed(members):
            rest = self._rests[place] = self._with(member, rest)
        return rest

    def _with(self, member: _Member, rest: _Rest) -> _Rest:
        """Return what a member and the rest behind it come to."""
        chars, plain = member.chars, rest.plain
        ends = {end: left for end, had in rest.ends.items() if (left := had & ~chars)}
        if chars:
            end = self._skip(member.skip_from)
            if end > 0:
                ends[end] = ends.get(end, 0) | chars
            if chars & _PLAIN_OPEN:
                plain = end == _UNCLOSED
        return _Rest(ends, chars | rest.chars, rest.close, plain)

    def _skip(self, start: int) -> int:
        """Return where a bracket ends behind a member that had the byte."""
        way = []
        at = start
        while at >= 0 and at not in self._skipped:
            way.append(at)
            if self._text[at] == _CLOSE:
                self._skipped[at] = at + 1
            else:
                at = self._skip_one(at)
        end = at if at < 0 else self._skipped[at]
        for place in way:
            self._skipped[place] = end
        return end

    def _skip_one(self, at: int) -> int:
        char, following = self._text[at], self._text[at + 1]
        if char == 0:
            return _UNCLOSED
        if char == _ESCAPE:
            return at + 2 if following else _NO_MATCH
        if char == _OPEN and following == _COLON:
            after, _ = self._class_name(at + 1)
            return after or at + 1
        if char == _OPEN and following == _EQUALS:
            return self._equivalence(at + 1) or _NO_MATCH
        if char == _OPEN and following == _DOT:
            if at + 2 > self._last_dots:
                return _NO_MATCH
            return self._text.index(b".]", at + 2) + 2
        return at + 1

    # -- members: ``at`` is behind the bracket that opens one ------------------------

    def _class_name(self, at: int) -> tuple[int, bytes]:
        """Read ``:name:]``: the place behind it and the name; 0 when it is none."""
        end = at + 1
        while 97 <= self._text[end] < 122:
            end += 1
            if end - at > _LONGEST_CLASS:
                return _NO_MATCH, b""
        if self._text[end : end + 2] != b":]":
            return 0, b""
        return end + 2, self._text[at + 1 : end]

    def _equivalence(self, at: int) -> int:
        """Read ``=x=]``: the place behind it, 0 when it is none."""
        char, *end = self._text[at + 1 : at + 4]
        return at + 4 if char and bytes(end) == b"=]" else 0

    def _collating(self, at: int) -> int:
        """Read ``.x.]``: the place behind it; only names of one byte exist."""
        char, *end = self._text[at + 1 : at + 4]
        return at + 4 if char and bytes(end) == b".]" else _NO_MATCH

    def _member(self, at: int) -> _Member:
        """Read the member at ``at``, which may be the bracket's first ``]``."""
        text = self._text
        char = text[at]
        if char == 0:
            return _Member(0, at, _UNCLOSED)
        if char == _OPEN and text[at + 1] == _COLON:
            after, name = self._class_name(at + 1)
            if after:
                chars = _CLASSES.get(name)
                known = after > 0 and chars is not None
                return _Member(chars or 0, after, after if known else _NO_MATCH)
        elif char == _OPEN and text[at + 1] == _EQUALS:
            if after := self._equivalence(at + 1):
                return _Member(1 << text[at + 2], after, after)
        elif char == _OPEN and text[at + 1] == _DOT:
            after = self._collating(at + 1)
            if after < 0:
                return _Member(0, at, _NO_MATCH)
            return self._range(text[at + 2], after, collating=True)
        elif char == _ESCAPE:
            at += 1
            char = text[at]
            if char == 0:
                return _Member(0, at, _NO_MATCH)
        char = _fold(char) if self._fold else char
        return self._range(char, at + 1, collating=False)

    def _range(self, first: int, at: int, *, collating: bool) -> _Member:
        """Read on behind the byte ``first``: a range, or the byte alone."""
        following = self._text[at + 1] if self._text[at] == _DASH else -1
        if following not in (-1, 0, _CLOSE):
            last, after = self._range_end(at + 1)
            if last < 0:
                return _Member(0, at, _NO_MATCH)
            return _Member(_span(first, last, fold=self._fold), after, after)
        if following == _CLOSE and collating:
            return _Member(0, at, at)  # begins a range that has no end
        alone = _span(first, first, fold=self._fold and not collating)
        return _Member(alone, at, _NO_MATCH if following == 0 else at)

    def _range_end(self, at: int) -> tuple[int, int]:
        last = self._text[at]
        if last == _OPEN and self._text[at + 1] == _DOT:
            after = self._collating(at + 1)
            return (self._text[at + 2], after) if after > 0 else (_NO_MATCH, after)
        if last == _ESCAPE:
            at += 1
            last = self._text[at]
        last = _fold(last) if self._fold else last
        return (last or _NO_MATCH), at + 1


class _Token(NamedTuple):
    """What stands at a place: a star, or bytes with the place behind, for each end."""

    star: bool
    ends: tuple[tuple[int, int], ...]


def _tokens(pattern: bytes, *, fold: bool) -> dict[int, _Token]:
    """Read all places of a pattern that can be reached, in order."""
    brackets = _Brackets(pattern, fold=fold)
    found: dict[int, _Token] = {}
    reached = {0}
    for place, char in enumerate(pattern):
        if place not in reached:
            continue
        after = place + 1
        if char == _STAR:
            token = _Token(star=True, ends=((0, after),))
        elif char == _ANY:
            token = _Token(star=False, ends=((_EVERY, after),))
        elif char == _OPEN:
            ends = brackets.ends(place).items()
            token = _Token(star=False, ends=tuple((chars, end) for end, chars in ends))
        elif char == _ESCAPE and after == len(pattern):
            token = _Token(star=False, ends=())
        else:
            if char == _ESCAPE:
                char = pattern[after]  # noqa: PLW2901 - stands for the next one
                after += 1
            char = _fold(char) if fold else char  # noqa: PLW2901 - as asked for
            token = _Token(star=False, ends=((_span(char, char, fold=fold), after),))
        found[place] = token
        reached.update(end for _, end in token.ends)
    return found


class _Pattern:
    """A pattern that has been read, to be asked of texts."""

    def __init__(self, pattern: bytes, *, fold: bool) -> None:
        self._tokens = _tokens(pattern, fold=fold)
        self._end = len(pattern)
        self._regular = all(len(token.ends) <= 1 for token in self._tokens.values())
        if self._regular:
            self._number_tokens()

    def _number_tokens(self) -> None:
        """Assign a bit to each token: which are stars, which let a byte pass."""
        size = len(self._tokens) // 8 + 1
        stars, most = bytearray(size), bytearray(size)
        # By byte: tokens of few bytes that have it, tokens of most that have it not.
        having: dict[int, bytearray] = {}
        lacking: dict[int, bytearray] = {}
        for k, token in enumerate(self._tokens.values()):
            chars = token.ends[0][0] if token.ends else 0
            rows, bit = having, 1 << (k & 7)
            if token.star:
                stars[k >> 3] |= bit
            elif chars.bit_count() > 128:
                most[k >> 3] |= bit
                rows, chars = lacking, chars ^ _EVERY
            while chars:
                char = chars.bit_length() - 1
                chars ^= 1 << char
                rows.setdefault(char, bytearray(size))[k >> 3] |= bit
        self._stars = int.from_bytes(stars, "little")
        always = int.from_bytes(most, "little")
        self._pass = [always] * 256
        for char, row in lacking.items():
            self._pass[char] ^= int.from_bytes(row, "little")
        for char, row in having.items():
            self._pass[char] |= int.from_bytes(row, "little")

    def matches(self, text: bytes) -> bool:
        """Whether the pattern matches all of ``text``."""
        return self._all_at_once(text) if self._regular else self._by_place(text)

    def _all_at_once(self, text: bytes) -> bool:
        stars, passing = self._stars, self._pass
        # From a bit in a run of stars to the end of the run and one further: a carry.
        state = 1 | ((1 & stars) + stars) ^ stars
        for char in text:
            state = (state & passing[char]) << 1 | state & stars
            state |= ((state & stars) + stars) ^ stars
            if not state:
                return False
        return bool(state >> len(self._tokens) & 1)

    def _walk(self, place: int, text: bytes, at: int) -> tuple[int, int] | None:
        """Follow the pattern from ``place`` to a star, or to the end of both."""
        while place < self._end:
            token = self._tokens[place]
            if token.star:
                return place, at
            if at == len(text):
                return None
            for chars, end in token.ends:
                if chars >> text[at] & 1:
                    place = end
                    break
            else:
                return None
            at += 1
        return (place, at) if at == len(text) else None

    def _by_place(self, text: bytes) -> bool:
        """Match as the C library does where a bracket may end in several places."""
        found = self._walk(0, text, 0)
        while found is not None and found[0] < self._end:
            place, at = found
            place += 1
            if place == self._end:
                return True
            ways = (self._walk(place, text, start) for start in range(at, len(text)))
            found = next((way for way in ways if way is not None), None)
            if found is None and self._tokens[place].star:
                found = place, at
        return found is not None


# What rules say is short and comes again; what events say need not be kept.
_KEPT_BYTES = 512


@lru_cache(maxsize=1024)
def _kept(pattern: bytes, *, fold: bool) -> _Pattern:
    return _Pattern(pattern, fold=fold)


def fnmatch(pattern: bytes, text: bytes, *, fold: bool = False) -> bool:
    """Match all of ``text`` up to its first NUL; ``fold``: ASCII letters alike."""
    pattern = pattern.partition(b"\0")[0]
    read = _kept if len(pattern) <= _KEPT_BYTES else _Pattern
    return read(pattern, fold=fold).matches(text.partition(b"\0")[0])
