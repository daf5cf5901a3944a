"""Numbers with their nouns and units, for people."""

from __future__ import annotations

__all__ = ["counted"]


def counted(number: int, noun: str) -> str:
    """Return ``number`` with its noun, such as "1 field" or "1,200 events"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
