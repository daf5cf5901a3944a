"""From a byte of a finished condition back to the file it came from."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from workbench.rules.model.locations import SourcePoint

if TYPE_CHECKING:
    from workbench.rules.compiling.list_substitution import Substitution
    from workbench.rules.model.entries import Piece
    from workbench.yamlcpp import Node, SourceText

__all__ = ["SourceMap", "source_offset"]


def source_offset(node: Node, source: SourceText, offset: int, text: bytes) -> int:
    """Find where byte ``offset`` of a scalar's ``text`` stands in the file.

    Folding only changes white space, so the n-th visible byte of the text is the n-th
    visible byte of the source, escapes and the head of a block scalar aside.
    """
    data = source.data
    at, end = node.start, node.end
    wanted = len(text[:offset].translate(None, b" \t\r\n"))
    seen = 0
    while at < end and data[at : at + 1] in (b"&", b"!"):
        # an anchor or tag before the value
        while at < end and data[at] not in b" \t\r\n":
            at += 1
        while at < end and data[at] in b" \t\r\n":
            at += 1
    first = data[at : at + 1]
    quote = 0
    if not node.plain and first in (b"|", b">"):
        line_end = data.find(b"\n", at)
        at = end if line_end < 0 else line_end + 1
    elif not node.plain and first in (b"'", b'"'):
        quote = data[at]
        at += 1
        end -= 1
    while at < end:
        byte = data[at]
        if byte in b" \t\r\n":
            at += 1
            continue
        width, made = 1, 1
        if quote == 39 and byte == 39:
            width = 2
        elif quote == 34 and byte == 92:
            width, made = _escape_size(data, at)
        if seen + made > wanted:
            return at
        seen += made
        at += width
    return max(node.start, min(end, len(data)))


def _escape_size(data: bytes, at: int) -> tuple[int, int]:
    """Return the length of an escape and how many visible bytes it makes."""
    code = data[at + 1 : at + 2]
    digits = {b"x": 2, b"u": 4, b"U": 8}.get(code)
    if digits is not None:
        try:
            value = int(data[at + 2 : at + 2 + digits], 16)
            made = len(chr(value).encode("utf-8", "surrogatepass"))
        except (ValueError, OverflowError):
            made = 1
        if digits and value in (9, 10, 13, 32):
            made = 0
        return 2 + digits, made
    if code in (b"\r", b"\n"):
        return 1, 0
    if code in (b"n", b"r", b"t", b" ", b"\t"):
        return 2, 0
    return 2, {b"L": 3, b"P": 3}.get(code, 1)


class _Segment(NamedTuple):
    """``length`` bytes: of ``piece`` from ``base`` on, or all from one ``point``.

    ``list_name``: of the list that was put in here.
    """

    length: int
    piece: Piece | None = None
    base: int = 0
    point: SourcePoint | None = None
    list_name: str | None = None


class SourceMap:
    """A condition's text with the origin of every byte.

    Text of a piece moves with the offset; text that was put together points at one
    position.
    """

    def __init__(self) -> None:
        """Start empty."""
        self._segments: list[_Segment] = []

    def add_piece(self, piece: Piece) -> None:
        """Append a text as it stands in a file."""
        self._segments.append(_Segment(len(piece.text), piece))

    def add_made(self, length: int, point: SourcePoint | None) -> None:
        """Append text that the engine puts together; it points at ``point``."""
        self._segments.append(_Segment(length, point=point))

    def replace(self, change: Substitution) -> None:
        """Follow one list substitution: what was put in points at the name."""
        point = self.source_point(change.name_at)
        first = self._split(change.start)
        end = self._split(change.end)
        name = change.compiled.entry.name
        new = _Segment(change.length, point=point, list_name=name)
        self._segments[first:end] = [new]

    def _split(self, offset: int) -> int:
        """Make a segment begin at ``offset``; return its index."""
        position = 0
        for index, segment in enumerate(self._segments):
            if position >= offset:
                return index
            left = offset - position
            if left < segment.length:
                self._segments[index : index + 1] = [
                    segment._replace(length=left),
                    segment._replace(
                        length=segment.length - left, base=segment.base + left
                    ),
                ]
                return index + 1
            position += segment.length
        return len(self._segments)

    def source_point(self, offset: int) -> SourcePoint | None:
        """Return the true position of a byte of the finished text."""
        position = 0
        last: SourcePoint | None = None
        for segment in self._segments:
            piece = segment.piece
            if piece is not None:
                inner = segment.base + min(max(0, offset - position), segment.length)
                last = SourcePoint(
                    piece.source,
                    source_offset(piece.node, piece.source, inner, piece.text),
                )
            elif segment.point is not None:
                last = segment.point
            if offset < position + segment.length:
                return last
            position += segment.length
        return last

    def list_at(self, offset: int) -> str | None:
        """Return the list whose items stand at a byte of the finished text."""
        position = 0
        for segment in self._segments:
            if position <= offset < position + segment.length:
                return segment.list_name
            position += segment.length
        return None
