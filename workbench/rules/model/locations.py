"""Where something is in rules files, from the outside in.

A :class:`Location` is a chain: rules content → rule 'x' → rule condition → expression.
It knows the engine's position numbers (from 0, bytes, with its own arithmetic inside
conditions) and the true byte in the file, a :class:`SourcePoint`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from workbench.yamlcpp import Node, SourceText

__all__ = ["ConditionLocation", "Location", "SourcePoint"]

# Bytes that the engine's snippets show on either side of the caret.
_SNIPPET_HALF = 80


@dataclass(frozen=True, slots=True)
class SourcePoint:
    """A true position: byte ``pos`` in ``source``."""

    source: SourceText
    pos: int


@dataclass(frozen=True, slots=True)
class Location:
    """One link of the chain. ``kind``: the engine's item type; ``name``: of the item.

    ``exact``: the true position where that is more exact than the engine's.
    """

    source: SourceText
    pos: int
    kind: str = "rules content"
    name: str = ""
    parent: Location | None = None
    at_end: bool = False
    exact: SourcePoint | None = None

    def pointing_at(self, source: SourceText, pos: int) -> Location:
        """Return the same location with a more exact true position."""
        return replace(self, exact=SourcePoint(source, pos))

    def inside(self, kind: str, node: Node, name: str = "") -> Location:
        """Go one step in: to ``node``."""
        return Location(self.source, node.start, kind, name, self)

    def row_column(self) -> tuple[int, int]:
        """Return the engine's line and column, from 0."""
        row, column = self.source.row_column(self.pos)
        return row, 0 if self.at_end else column

    def source_point(self) -> SourcePoint:
        """Return the true position."""
        return self.exact or SourcePoint(self.source, self.pos)

    def engine_json(self) -> dict[str, Any]:
        """Return one entry of the engine's ``locations``."""
        row, column = self.row_column()
        return {
            "item_type": self.kind,
            "item_name": self.name,
            "position": {
                "name": self.source.name,
                "line": row,
                "column": column,
                "offset": self.pos,
            },
        }

    def chain(self) -> list[Location | ConditionLocation]:
        """Return the links from the outside in."""
        links: list[Location | ConditionLocation] = []
        link: Location | None = self
        while link is not None:
            links.append(link)
            link = link.parent
        return links[::-1]

    def snippet(self) -> str:
        """Return the engine's two lines: text and caret."""
        return _snippet(self.source.data, self.pos)


@dataclass(frozen=True, slots=True)
class ConditionLocation:
    """A location inside a condition, by the engine's arithmetic.

    ``text``: the condition after exceptions and lists; ``index``: byte offset in it (or
    in a macro's text: the engine does not tell them apart). ``base``: the item.
    ``find``: finds where the text really stands.
    """

    base: Location
    text: bytes
    index: int
    row: int
    column: int
    find: Callable[[], SourcePoint | None] | None = None

    def source_point(self) -> SourcePoint:
        """Return the true position."""
        found = self.find() if self.find is not None else None
        return found or self.base.source_point()

    def engine_json(self) -> dict[str, Any]:
        """Return one entry of the engine's ``locations``."""
        shown = self.text
        if len(shown) > 20:
            shown = shown[:17] + b"..."
        row, column = self.base.row_column()
        return {
            "item_type": "condition expression",
            "item_name": "",
            "position": {
                "name": f'"{shown.decode("utf-8", "replace")}"',
                "line": row + self.row,
                "column": column + self.column,
                "offset": self.base.pos + self.index,
            },
        }

    def chain(self) -> list[Location | ConditionLocation]:
        """Return the links from the outside in."""
        return [*self.base.chain(), self]

    def snippet(self) -> str:
        """Return the engine's two lines; its caret counts from the file's offset."""
        return _snippet(self.text, self.base.pos + self.index)


def _snippet(content: bytes, pos: int) -> str:
    if not content:
        return "<No context available>\n"
    pos = min(pos, len(content) - 1)
    if pos and content[pos] == 10:
        pos -= 1
    start = content.rfind(b"\n", 0, pos + 1) + 1
    end = content.find(b"\n", pos)
    line = content[start : end if end >= 0 else len(content)]
    caret = pos - start
    first = max(0, caret - _SNIPPET_HALF)
    shown = line[first : caret + _SNIPPET_HALF]
    if first:
        shown = b"..." + shown[3:]
    if caret + _SNIPPET_HALF < len(line):
        shown = shown[:-3] + b"..."
    line, caret = shown, caret - first
    return line.decode("utf-8", "replace") + "\n" + " " * max(0, caret) + "^\n"
