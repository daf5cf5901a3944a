"""Scalars of every style: where they end, how lines fold, what escapes mean."""

from __future__ import annotations

import re
from dataclasses import dataclass

from workbench.yamlcpp.nodes import YamlError

__all__ = ["BLANK", "BREAK", "BreakResult", "Style", "column_of", "scan_scalar"]

BLANK = b" \t"
BREAK = re.compile(rb"\r\n|\n|\r")
_DOCUMENT = re.compile(rb"(?:---|\.\.\.)(?=[ \t\r\n]|\Z)")
_SPACES = re.compile(rb" *")
_NEXT_LINE = re.compile(rb"\n *(?=[^ \t\r\n#])")
_BACKSLASH = ord("\\")

_SIMPLE_ESCAPES = {
    ord("0"): b"\x00",
    ord("a"): b"\x07",
    ord("b"): b"\x08",
    ord("t"): b"\t",
    ord("\t"): b"\t",
    ord("n"): b"\n",
    ord("v"): b"\x0b",
    ord("f"): b"\x0c",
    ord("r"): b"\r",
    ord("e"): b"\x1b",
    ord(" "): b" ",
    ord('"'): b'"',
    ord("'"): b"'",
    ord("\\"): b"\\",
    ord("/"): b"/",
    # these two leave UTF-8, as in the engine's reader
    ord("N"): b"\x85",
    ord("_"): b"\xa0",
    ord("L"): b"\xe2\x80\xa8",
    ord("P"): b"\xe2\x80\xa9",
}
_HEX_ESCAPES = {ord("x"): 2, ord("u"): 4, ord("U"): 8}


@dataclass(frozen=True, slots=True)
class Style:
    """How one style of scalar is read.

    ``stop``: finds the next byte that needs a look: end, break or escape. ``end``:
    matches where the scalar is over, None for blocks. ``escape``: the escaping byte;
    unquoted styles take NUL for one, as the engine's reader does.
    """

    stop: re.Pattern[bytes]
    end: re.Pattern[bytes] | None
    escape: int
    quoted: bool = False


PLAIN_BLOCK = Style(
    re.compile(rb":(?=[ \t\r\n]|\Z)|[ \t](?=#)|[\r\n]|\x00"),
    re.compile(rb":(?=[ \t\r\n]|\Z)|(?:\r\n|[ \t\r\n])#"),
    0,
)
PLAIN_FLOW = Style(
    re.compile(rb":(?=[ \t\r\n,\]}]|\Z)|[,?\[\]{}]|[ \t](?=#)|[\r\n]|\x00"),
    re.compile(rb":(?=[ \t\r\n,\]}]|\Z)|[,?\[\]{}]|(?:\r\n|[ \t\r\n])#"),
    0,
)
SINGLE = Style(re.compile(rb"'|[\r\n]"), re.compile(rb"'(?!')"), ord("'"), quoted=True)
DOUBLE = Style(re.compile(rb'"|\\|[\r\n]'), re.compile(rb'"'), ord("\\"), quoted=True)
BLOCK = Style(re.compile(rb"[\r\n]|\x00"), None, 0)


@dataclass(slots=True)
class BreakResult:
    """Where a scalar ended.

    ``pos``: where reading goes on. ``content_end``: after its last visible byte.
    ``by_indent``: a less indented line ended it.
    """

    text: bytes
    pos: int
    content_end: int
    by_indent: bool


def column_of(data: bytes, pos: int) -> int:
    """Return the column of ``pos``, from 0, in bytes."""
    return pos - data.rfind(b"\n", 0, pos) - 1


def _escape(data: bytes, pos: int, quote: int) -> tuple[bytes, int]:
    """Decode the escape that starts at ``pos``: its bytes and where it ends."""
    after = pos + 1
    code = data[after] if after < len(data) else 4
    after += 1
    if quote == ord("'") and code == quote:
        return b"'", after
    simple = _SIMPLE_ESCAPES.get(code)
    if simple is not None:
        return simple, after
    digits = _HEX_ESCAPES.get(code)
    if digits is None:
        raise YamlError(f"unknown escape character: {chr(code)}", after)
    value = 0
    for _ in range(digits):
        char = data[after : after + 1]
        after += 1
        if char not in b"0123456789abcdefABCDEF" or not char:
            raise YamlError("bad character found while scanning hex number", after)
        value = value * 16 + int(char, 16)
    if 0xD800 <= value <= 0xDFFF or value > 0x10FFFF:
        raise YamlError(f"invalid unicode: {value}", after)
    return chr(value).encode(), after


def scan_scalar(
    data: bytes,
    pos: int,
    style: Style,
    *,
    indent: int,
    detect: bool = False,
    fold: str = "flow",
    chomp: str = "strip",
) -> BreakResult:
    """Read one scalar whose content begins at ``pos``.

    ``indent``: least column of its further lines; ``detect``: take it from the first
    line with content. ``fold``: "flow", "block" or "none". ``chomp``: what becomes of
    line ends at the end: "clip", "strip", "keep". Raises YamlError.
    """
    if style.end is not None:
        simple = _on_one_line(data, pos, style, style.end, indent)
        if simple is not None:
            return simple
    scan = _Scan(data, pos, style, indent, detect=detect, fold=fold)
    by_indent = False
    while not by_indent and scan.pos < scan.size and not scan.line():
        column = scan.indentation()
        by_indent = scan.line_break(column)
    text = _finish(scan.out, scan.last_escape, chomp, trim=scan.plain)
    return BreakResult(text, scan.pos, scan.visible, by_indent)


def _on_one_line(
    data: bytes, pos: int, style: Style, end: re.Pattern[bytes], indent: int
) -> BreakResult | None:
    """Read a scalar that has one line and no escape, as most have; else None."""
    hit = style.stop.search(data, pos)
    if hit is None or pos == 0 or data[pos - 1] == 10 or hit.start() == pos:
        return None
    stop = hit.start()
    if end.match(data, stop):
        if style.quoted:
            return BreakResult(data[pos:stop], stop + 1, stop + 1, by_indent=False)
        text = data[pos:stop].rstrip(BLANK)
        return BreakResult(text, stop, pos + len(text), by_indent=False)
    following = None if style.quoted else _NEXT_LINE.match(data, stop)
    if following is None or following.end() - stop > indent:
        return None
    text = data[pos:stop].rstrip(BLANK)
    return BreakResult(text, following.end(), pos + len(text), by_indent=True)


class _Scan:
    """One scalar being read, in three phases per line: content, indentation, break."""

    __slots__ = (
        "block",
        "data",
        "detect",
        "empty",
        "escaped_break",
        "flow",
        "folded",
        "found",
        "indent",
        "last_escape",
        "more",
        "out",
        "past_opening",
        "plain",
        "pos",
        "size",
        "started_more",
        "style",
        "visible",
    )

    def __init__(
        self,
        data: bytes,
        pos: int,
        style: Style,
        indent: int,
        *,
        detect: bool,
        fold: str,
    ) -> None:
        self.data = data
        self.pos = self.visible = pos
        self.size = len(data)
        self.style = style
        self.indent = indent
        self.detect = detect
        self.flow = self.past_opening = fold == "flow"
        self.block = fold == "block"
        self.plain = self.flow and not style.quoted
        self.out = bytearray()
        # of the lines so far: any content; the last one empty, or more indented
        self.found = self.empty = self.more = self.started_more = False
        self.escaped_break = False
        self.folded = 0
        self.last_escape = -1

    def line(self) -> bool:
        """Read up to the end of the line; True when the scalar is over."""
        data, style, out, size = self.data, self.style, self.out, self.size
        pos = self.pos
        solid = len(out)
        self.escaped_break = False
        line_head = pos == 0 or data[pos - 1] == 10
        while True:
            hit = style.stop.search(data, pos)
            stop = hit.start() if hit else size
            if line_head and (stop > pos or stop == size or data[pos] not in b"\r\n"):
                line_head = False
                if self._at_document(pos):
                    self.pos = pos
                    return True
            if stop > pos:
                chunk = data[pos:stop]
                stripped = len(chunk.rstrip(BLANK))
                if stripped:
                    solid = len(out) + stripped
                    self.visible = pos + stripped
                out += chunk
                self.found = self.past_opening = True
                pos = stop
            if pos >= size or data[pos] in b"\r\n" or self._over(pos):
                break
            self.found = self.past_opening = True
            pos = self._special(pos)
            solid = len(out)
            if self.escaped_break:
                break
        self.pos = pos
        if self._ended():
            return True
        if self.flow:
            del out[solid:]
        return False

    def _over(self, pos: int) -> bool:
        end = self.style.end
        return end is not None and end.match(self.data, pos) is not None

    def _at_document(self, pos: int) -> bool:
        """Whether a document marker ends an unquoted scalar at the head of a line."""
        if pos >= self.size or not _DOCUMENT.match(self.data, pos) or self._over(pos):
            return False
        if self.style.quoted:
            raise YamlError("illegal document indicator in scalar", pos)
        return self.plain

    def _special(self, pos: int) -> int:
        """Take an escape; return where it ends."""
        if self.data[pos] != self.style.escape:
            # a quote inside the other style never gets here
            self.out.append(self.data[pos])
            return pos + 1
        if self.style.escape == _BACKSLASH and BREAK.match(self.data, pos + 1):
            self.escaped_break = True
            self.last_escape = len(self.out)
            return pos + 1
        piece, pos = _escape(self.data, pos, self.style.escape)
        self.out += piece
        self.last_escape = len(self.out)
        self.visible = pos
        return pos

    def _ended(self) -> bool:
        """Whether the scalar is over here, its closing quote taken."""
        if self.pos >= self.size:
            if self.style.quoted:
                raise YamlError("illegal EOF in scalar", self.size)
            return True
        if not self._over(self.pos):
            return False
        if self.style.quoted:
            self.pos += 1
            self.visible = self.pos
        return True

    def indentation(self) -> int:
        """Take the line end and the indentation behind it; return its column."""
        data = self.data
        hit = BREAK.match(data, self.pos)
        pos = hit.end() if hit else self.pos
        run = _SPACES.match(data, pos)
        spaces = run.end() - pos if run else 0
        if self.plain and spaces and data[pos + spaces : pos + spaces + 1] == b"#":
            spaces -= 1
        column = column_of(data, pos)
        first = self.detect and not self.found
        if not first:
            spaces = max(0, min(spaces, self.indent - column))
        pos += spaces
        column += spaces
        if first:
            self.indent = max(self.indent, column)
        while pos < self.size and data[pos] in BLANK:
            if data[pos] == 9 and column < self.indent and not self.style.quoted:
                raise YamlError("illegal tab when looking for indentation", pos)
            if not self.flow or (self.plain and data[pos + 1 : pos + 2] == b"#"):
                break
            pos += 1
            column += 1
        self.pos = pos
        return column

    def line_break(self, column: int) -> bool:
        """Write what a line end becomes; True when the next line is outside."""
        pos = self.pos
        next_empty = pos < self.size and self.data[pos] in b"\r\n"
        next_more = pos < self.size and self.data[pos] in BLANK
        if self.block and self.folded == 0 and next_empty:
            self.started_more = self.more
        if self.past_opening:
            if self.block:
                self._fold_block(column, empty=next_empty, more=next_more)
            elif not self.flow or next_empty:
                self.out.append(10)
            elif not self.empty and not self.escaped_break:
                self.out.append(32)
        self.empty, self.more, self.past_opening = next_empty, next_more, True
        return not next_empty and column < self.indent

    def _fold_block(self, column: int, *, empty: bool, more: bool) -> None:
        """Fold a line end of a ``>`` block; ``empty``, ``more``: the next line."""
        solid = not (self.empty or empty or self.more or more)
        if solid and column >= self.indent:
            self.out.append(32)
        elif empty:
            self.folded += 1
        else:
            self.out.append(10)
        if not empty and self.folded:
            self.out += b"\n" * (self.folded - 1)
            if self.started_more or more or not self.found:
                self.out.append(10)
            self.folded = 0


def _finish(out: bytearray, last_escape: int, chomp: str, *, trim: bool) -> bytes:
    """Cut what trails, never what was escaped."""
    if trim:
        keep = max(len(out.rstrip(BLANK)), last_escape + 1 if last_escape >= 0 else 0)
        del out[keep:]
    if chomp != "keep":
        content = len(out.rstrip(b"\n"))
        if last_escape >= 0:
            content = max(content, last_escape + 1)
        if chomp == "clip" and content:
            content += 1
        del out[content:]
    return bytes(out)
