"""Versions ``x.y.z`` and what is compatible with what, by the engine's rule."""

from __future__ import annotations

import re
from typing import TypeAlias

__all__ = ["Version", "compatible", "parse_version", "version_text"]

Version: TypeAlias = tuple[int, int, int]

# What follows the third number is ignored; each number is read like C's %u.
_VERSION = re.compile(r"\s*([+-]?\d+)\.\s*([+-]?\d+)\.\s*([+-]?\d+)")
_LIMIT = 1 << 32


def parse_version(text: str) -> Version | None:
    """Read the leading ``x.y.z``; None when there is none."""
    match = _VERSION.match(text)
    if match is None:
        return None
    major, minor, patch = (int(part) % _LIMIT for part in match.groups())
    return major, minor, patch


def compatible(present: Version, required: Version) -> bool:
    """Whether ``present`` satisfies ``required``: same major, at least as new."""
    return present[0] == required[0] and present >= required


def version_text(version: Version) -> str:
    """Write a version."""
    return ".".join(map(str, version))
