"""Numbers with their nouns and units, for people."""

from __future__ import annotations

import datetime as dt

__all__ = ["counted", "duration_text", "moment_text"]

_NS_PER_SEC = 10**9


def counted(number: int, noun: str) -> str:
    """Return ``number`` with its noun, such as "1 field" or "1,200 events"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def duration_text(duration_ns: int, *, digits: int = 3) -> str:
    """Return a length of time in its natural unit, with ``digits`` or so digits."""
    for unit, size in (("s", _NS_PER_SEC), ("ms", 10**6), ("µs", 10**3)):
        if duration_ns >= size:
            return f"{duration_ns / size:.{digits}g} {unit}"
    return f"{duration_ns} ns"


def moment_text(time_ns: int, *, trimmed: bool = False) -> str:
    """Return a time, ns since the epoch, as ISO 8601 in UTC with nanoseconds.

    ``trimmed``: without the zeros at the end of the second's fraction.
    """
    seconds, rest = divmod(time_ns, _NS_PER_SEC)
    fraction = f".{rest:09}"
    if trimmed:
        fraction = fraction.rstrip("0").rstrip(".")
    moment = dt.datetime.fromtimestamp(seconds, dt.UTC).isoformat()
    return f"{moment.removesuffix('+00:00')}{fraction}Z"
