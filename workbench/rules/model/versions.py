"""Versions ``x.y.z`` and what is compatible with what, by the engine's rule."""

from __future__ import annotations

import re
from typing import TypeAlias

__all__ = ["Version", "compatible", "parse_version", "version_text"]

Version: TypeAlias = tuple[int, int, int]

# What follows the third number is ignored; each number is read like C's %u.
_VERSION = re.compile(r"\s*([+-]?\d+)\.\s*([+-]?\d+)\.\s*([+-]?\d+)", re.ASCII)
_LIMIT = 1 << 32
# Digits of the largest number of 64 bits.
_MAX_DIGITS = 20


def parse_version(text: str) -> Version | None:
    """Read the leading ``x.y.z``; None when there is none."""
    match = _VERSION.match(text)
    if match is None:
        return None
    major, minor, patch = map(_number, match.groups())
    return major, minor, patch


def _number(text: str) -> int:
    """Return what C's %u makes of a number: 64 bits at the most, the lower 32 kept."""
    digits = text.lstrip("+-").lstrip("0") or "0"
    if len(digits) > _MAX_DIGITS or int(digits) >= 1 << 64:
        return _LIMIT - 1
    return int(text[:1].strip("+0123456789") + digits) % _LIMIT


def compatible(present: Version, required: Version) -> bool:
    """Whether ``present`` satisfies ``required``: same major, at least as new."""
    return present[0] == required[0] and present >= required


def version_text(version: Version) -> str:
    """Write a version."""
    return ".".join(map(str, version))
