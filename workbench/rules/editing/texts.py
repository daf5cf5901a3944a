"""Texts of rules files put together."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.yamlcpp import SourceText

__all__ = ["appended", "joined_files"]


def appended(source: SourceText, raw: bytes) -> bytes:
    """Return the bytes of a file with items behind its own, one empty line between."""
    data = source.data
    if data and not data.endswith(b"\n"):
        data += b"\n"
    if data.strip() and not data.endswith(b"\n\n"):
        data += b"\n"
    if data.rstrip().endswith((b"]", b"}")) and _ends_in_flow(data):
        # A list in brackets is closed: what follows is another document.
        data += b"---\n"
    return source.mark + data + raw


def _ends_in_flow(data: bytes) -> bool:
    """Whether the last document of a text is one bracketed list or map."""
    last = re.split(rb"^---.*$", data, flags=re.MULTILINE)[-1].lstrip()
    lines = [line for line in last.splitlines() if not line.lstrip().startswith(b"#")]
    return b"\n".join(lines).lstrip().startswith((b"[", b"{"))


def joined_files(texts: Sequence[bytes]) -> bytes:
    """Return the texts of several files as one, each a document of its own."""
    joined: list[bytes] = []
    for data in texts:
        if not data.strip():
            continue
        if joined and not joined[-1].endswith(b"\n"):
            joined[-1] += b"\n"
        if joined and not data.startswith((b"---", b"%")):
            joined.append(b"---\n")
        joined.append(data)
    return b"".join(joined)
