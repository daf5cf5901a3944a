"""From a byte of a finished condition back to the file it came from."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

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
    """Give the length of an escape and how many visible bytes it makes."""
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


# Length; piece and offset in it, or a fixed spot; name of the list put in.
_Part: TypeAlias = "tuple[int, Piece | None, int, SourcePoint | None, str | None]"


class SourceMap:
    """A condition's text with the origin of every stretch.

    A stretch is (length, spot maker): text of a piece moves with the offset, text that
    was put together points at one spot.
    """

    def __init__(self) -> None:
        """Start empty."""
        self._parts: list[_Part] = []

    def add_piece(self, piece: Piece) -> None:
        """Append a text as it stands in a file."""
        self._parts.append((len(piece.text), piece, 0, None, None))

    def add_made(self, length: int, spot: SourcePoint | None) -> None:
        """Append text that the engine puts together; it points at ``spot``."""
        self._parts.append((length, None, 0, spot, None))

    def replace(self, change: Substitution) -> None:
        """Follow one list substitution: what was put in points at the name."""
        spot = self.spot(change.name_at)
        self._cut(change.start)
        self._cut(change.end)
        position = 0
        kept: list[_Part] = []
        placed = False
        new: _Part = (change.length, None, 0, spot, change.compiled.entry.name)
        for part in self._parts:
            if not placed and position >= change.start:
                kept.append(new)
                placed = True
            if not change.start <= position < change.end:
                kept.append(part)
            position += part[0]
        if not placed:
            kept.append(new)
        self._parts = kept

    def _cut(self, offset: int) -> None:
        position = 0
        for index, (length, piece, base, spot, name) in enumerate(self._parts):
            if position < offset < position + length:
                left = offset - position
                self._parts[index : index + 1] = [
                    (left, piece, base, spot, name),
                    (length - left, piece, base + left, spot, name),
                ]
                return
            position += length

    def spot(self, offset: int) -> SourcePoint | None:
        """Give the true place of a byte of the finished text."""
        position = 0
        last: SourcePoint | None = None
        for length, piece, base, spot, _ in self._parts:
            if piece is not None:
                inner = base + min(max(0, offset - position), length)
                last = SourcePoint(
                    piece.source,
                    source_offset(piece.node, piece.source, inner, piece.text),
                )
            elif spot is not None:
                last = spot
            if offset < position + length:
                return last
            position += length
        return last

    def list_at(self, offset: int) -> str | None:
        """Give the list whose items stand at a byte of the finished text."""
        position = 0
        for length, _, _, _, name in self._parts:
            if position <= offset < position + length:
                return name
            position += length
        return None
