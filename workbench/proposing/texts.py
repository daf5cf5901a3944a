"""What texts have in common: beginnings, ends, and pieces between separators."""

from __future__ import annotations

import math
import re
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["text_patterns"]

_DIGIT = re.compile(rb"[0-9]")
_LETTER = re.compile(rb"[A-Za-z\x80-\xff]")
_PIECE = re.compile(rb"[A-Za-z0-9_\x80-\xff]+|[^A-Za-z0-9_\x80-\xff]+")
# So much of a value is looked at, in bytes and in pieces from either end.
_LONGEST = 300
_MOST_PIECES = 24
_SPANS = 3
_MOST = 60
# Signs that say something alone.
_TELLING = b"'\"<>;|`$%\\(){}*"


def text_patterns(
    values: Sequence[bytes], events: int, support: float
) -> Iterator[tuple[str, bytes]]:
    """Yield operator and text: what at least ``support`` of ``events`` values share.

    Operators: startswith, endswith, contains, glob. Each pattern at most once, those
    of all values first.
    """
    cut = [value[:_LONGEST] for value in values]
    least = max(1, math.ceil(support * events))
    distinct = len(set(cut))
    head = _common_start(cut)
    tail = _common_start([v[::-1] for v in cut])[::-1]
    if distinct > 1:
        if len(head) > 1:
            yield "startswith", head
        if len(tail) > 1:
            yield "endswith", tail
        if len(head) > 1 and len(tail) > 1 and not re.search(rb"[*?\[\\]", head + tail):
            yield "glob", head + b"*" + tail
    starts, ends, holds = _counted(cut)
    for operator, counts in (
        ("startswith", starts),
        ("endswith", ends),
        ("contains", holds),
    ):
        kept = [
            (text, n)
            for text, n in counts.items()
            if n >= least and text != b"/"
            if operator != "contains" or _says_something(text)
        ]
        kept.sort(key=lambda pair: (-pair[1], -len(pair[0]), pair[0]))
        for text, _ in kept[:_MOST]:
            yield operator, text
    for text in filter(_says_something, _shared(cut)):
        yield "contains", text


def _says_something(text: bytes) -> bool:
    """Whether a piece of a text is more than a separator or a part of a time."""
    return _LETTER.search(text) is not None or not _DIGIT.search(text)


def _common_start(values: Sequence[bytes]) -> bytes:
    low, high = min(values), max(values)
    same = 0
    while same < len(low) and low[same] == high[same]:
        same += 1
    return low[:same]


def _counted(
    values: Sequence[bytes],
) -> tuple[Counter[bytes], Counter[bytes], Counter[bytes]]:
    """Count beginnings, ends and runs of pieces, each once for each value."""
    starts: Counter[bytes] = Counter()
    ends: Counter[bytes] = Counter()
    holds: Counter[bytes] = Counter()
    for value, times in Counter(values).items():
        bounds = [m.start() for m in _PIECE.finditer(value)] + [len(value)]
        for counter, texts in (
            (starts, {value[:at] for at in bounds[1:_MOST_PIECES]}),
            (ends, {value[at:] for at in bounds[-_MOST_PIECES:-1]}),
            (holds, _runs(value, bounds)),
        ):
            for text in texts:
                counter[text] += times
    return starts, ends, holds


def _runs(value: bytes, bounds: list[int]) -> set[bytes]:
    near = (
        bounds
        if len(bounds) <= 2 * _MOST_PIECES
        else (bounds[:_MOST_PIECES] + bounds[-_MOST_PIECES:])
    )
    found = set()
    for span in range(1, _SPANS + 1):
        for first, last in zip(near, near[span:], strict=False):
            text = value[first:last]
            if len(text) > 1 or text in _TELLING:
                found.add(text)
    found.update(value[i : i + 1] for i in range(len(value)) if value[i] in _TELLING)
    found.discard(b"")
    return found


def _shared(values: Sequence[bytes]) -> list[bytes]:
    """Return the longest texts that every value holds, at most a dozen."""
    distinct = sorted(set(values), key=len)
    if len(distinct) < 2 or len(distinct) > 200:
        return []
    short = distinct[0]
    found: list[bytes] = []
    begin = 0
    reach = 0
    while begin < len(short):
        reach = max(reach, begin)
        while reach < len(short) and all(
            short[begin : reach + 1] in value for value in distinct[1:]
        ):
            reach += 1
        text = short[begin:reach]
        if len(text) > 1 and not any(text in other for other in found):
            found.append(text)
        begin += 1
    found.sort(key=lambda text: (-len(text), text))
    return found[:12]
