"""Which files and folders a text of the user's names: open params, mostly.

Open params are free text: a path, ``file://…``, JSON, or several of these with marks
between. What is named and exists is what the user wants a plugin to read.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from typing import Any

__all__ = ["named_paths"]

_LONGEST_TEXT = 1 << 16
_LONGEST_PATH = 4096
_MOST_PIECES = 256
_DEEPEST = 8
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_MARKS = re.compile(r"[\s,;|&=?#\"'<>()\[\]{}]+")
_WILDCARDS = re.compile(r"[*?\[]")
# Folders that hold everything, or everything of somebody: too much to be named in
# passing. sandbox_read can name them.
_TOO_MUCH = ("/", "/home", "/root", "/etc", "/proc", "/sys", "/dev", "/run", "/var")


def _strings(value: Any, depth: int = 0) -> list[str]:
    """Return the texts in decoded JSON."""
    if isinstance(value, str):
        return [value]
    if depth >= _DEEPEST or not isinstance(value, list | dict):
        return []
    items = value.values() if isinstance(value, dict) else value
    return [text for item in items for text in _strings(item, depth + 1)]


def _candidates(text: str) -> list[str]:
    """Return the texts that may be paths: the whole, what JSON holds, the pieces."""
    whole = [text]
    if text.lstrip()[:1] in {"{", "["}:
        with contextlib.suppress(ValueError, RecursionError):
            whole += _strings(json.loads(text))
    pieces = [p for t in whole for p in _MARKS.split(t) if _looks_like_path(p)]
    return [*whole, *pieces][:_MOST_PIECES]


def _looks_like_path(piece: str) -> bool:
    # A bare word is a word, even where a folder has the same name.
    return "/" in piece or "." in piece.strip(".")


def _plain(text: str) -> str | None:
    """Return the path in ``text`` without a scheme; None when it can be none."""
    text = text.strip()
    scheme = _SCHEME.match(text)
    if scheme is not None:
        text = text[scheme.end() :]
        if not text.startswith("/"):
            return None  # a machine's name follows
    if not text or len(text) > _LONGEST_PATH or "\0" in text:
        return None
    return os.path.expanduser(text) if text.startswith("~/") else text  # noqa: PTH111


def _existing(path: str) -> str | None:
    """Return the file or folder that ``path`` is, or where its wildcards search.

    None where there is none, and for folders that hold too much.
    """
    real = os.path.realpath(path)
    wildcard = _WILDCARDS.search(path)
    if not os.path.exists(real) and wildcard is not None:  # noqa: PTH110
        folder, slash, _ = path[: wildcard.start()].rpartition("/")
        if not slash:
            return None
        real = os.path.realpath(folder or "/")
    if not os.path.exists(real):  # noqa: PTH110
        return None
    home = os.path.realpath(os.path.expanduser("~"))  # noqa: PTH111
    return None if real in _TOO_MUCH or home == real else real


def named_paths(text: str) -> list[str]:
    """Return the files and folders that ``text`` names and that exist, canonical."""
    if len(text) > _LONGEST_TEXT:
        return []
    found: dict[str, None] = {}
    for candidate in _candidates(text):
        path = _plain(candidate)
        real = _existing(path) if path is not None else None
        if real is not None:
            found[real] = None
    return list(found)
