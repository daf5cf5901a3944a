"""What a YAML text becomes: nodes with byte ranges, and the text they came from."""

from __future__ import annotations

from bisect import bisect_right
from typing import Literal

__all__ = ["Kind", "Node", "SourceText", "YamlError"]

Kind = Literal["null", "scalar", "sequence", "mapping"]

# Byte-order marks and the codec of what follows; longer marks first.
_MARKS = (
    (b"\xff\xfe\x00\x00", "utf-32-le"),
    (b"\x00\x00\xfe\xff", "utf-32-be"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)


class YamlError(Exception):
    """A text that the engine's YAML reader refuses.

    ``reason``: the reader's words. ``pos``: byte offset in :attr:`SourceText.data`;
    ``at_end``: the reader had consumed everything and gone back to column 0.
    """

    def __init__(self, reason: str, pos: int, *, at_end: bool = False) -> None:
        """Keep the facts."""
        super().__init__(reason, pos)
        self.reason = reason
        self.pos = pos
        self.at_end = at_end


class SourceText:
    """The bytes of a file, with the arithmetic from offsets to lines and columns.

    ``data``: UTF-8 (or whatever stood in the file) without byte-order mark.
    ``prefix``: the mark that was removed; UTF-16 and UTF-32 are converted.
    """

    def __init__(self, raw: bytes, name: str = "") -> None:
        """Take the bytes as read from ``name``."""
        self.name = name
        self.prefix = b""
        if raw.startswith(b"\xef\xbb\xbf"):
            self.prefix, raw = raw[:3], raw[3:]
        else:
            for mark, codec in _MARKS:
                if raw.startswith(mark):
                    text = raw[len(mark) :].decode(codec, "replace")
                    self.prefix, raw = mark, text.encode("utf-8", "replace")
                    break
        self.data = raw
        self._starts: list[int] | None = None

    @property
    def mark(self) -> bytes:
        """The byte-order mark to write before :attr:`data`: that of UTF-8."""
        return self.prefix if self.prefix == b"\xef\xbb\xbf" else b""

    def _line_starts(self) -> list[int]:
        if self._starts is None:
            starts = [0]
            find = self.data.find
            at = find(b"\n")
            while at >= 0:
                starts.append(at + 1)
                at = find(b"\n", at + 1)
            self._starts = starts
        return self._starts

    def row_column(self, pos: int) -> tuple[int, int]:
        """Return line and column of a byte offset, both from 0, columns in bytes."""
        starts = self._line_starts()
        row = bisect_right(starts, pos) - 1
        return row, pos - starts[row]

    def line_column(self, pos: int) -> tuple[int, int]:
        """Return line and column of a byte offset, both from 1, in characters."""
        row, column = self.row_column(pos)
        start = self._line_starts()[row]
        head = self.data[start : start + column].decode("utf-8", "replace")
        return row + 1, len(head) + 1

    def line(self, row: int) -> bytes:
        """Return the line with number ``row`` (from 0) without its end."""
        starts = self._line_starts()
        if row >= len(starts):
            return b""
        end = starts[row + 1] - 1 if row + 1 < len(starts) else len(self.data)
        return self.data[starts[row] : end]


class Node:
    """One value of a document.

    ``start``, ``end``: byte range in the source. ``text``: of a scalar, bytes that are
    not UTF-8 as surrogates. ``items``: of a sequence. ``pairs``: of a mapping, in
    order, duplicates kept. ``plain``: a scalar without quotes and not a block.
    ``size``: values inside with aliases counted as often as they are used.
    """

    __slots__ = (
        "_index",
        "end",
        "items",
        "kind",
        "pairs",
        "plain",
        "size",
        "start",
        "text",
    )

    def __init__(self, kind: Kind, start: int, end: int) -> None:
        """Make an empty node over a byte range."""
        self.kind: Kind = kind
        self.start = start
        self.end = end
        self.text = ""
        self.plain = False
        self.items: list[Node] = []
        self.pairs: list[tuple[Node, Node]] = []
        self.size = 1
        self._index: dict[str, Node] | None = None

    def get(self, key: str) -> Node | None:
        """Return the value of ``key`` in a mapping; the first of duplicates counts."""
        index = self._index
        if index is None:
            index = {}
            for name, value in self.pairs:
                if name.kind == "scalar":
                    index.setdefault(name.text, value)
            self._index = index
        return index.get(key)

    def __repr__(self) -> str:
        """Show kind and content, for debugging."""
        if self.kind == "scalar":
            return f"Node({self.text!r}@{self.start})"
        return f"Node({self.kind}@{self.start}:{self.end})"
