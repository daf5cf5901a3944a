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
    size = len(data)
    flow = fold == "flow"
    plain = flow and not style.quoted
    out = bytearray()
    found = empty = more = started_more = by_indent = False
    past_opening = flow
    folded = 0
    last_escape = -1
    visible = pos
    while pos < size:
        # up to the end of the line
        solid = len(out)
        escaped_break = False
        line_head = pos == 0 or data[pos - 1] == 10
        while True:
            hit = style.stop.search(data, pos)
            stop = hit.start() if hit else size
            if line_head and (stop > pos or stop == size or data[pos] not in b"\r\n"):
                line_head = False
                ends = style.end is not None and style.end.match(data, pos)
                if pos < size and not ends and _DOCUMENT.match(data, pos):
                    if style.quoted:
                        raise YamlError("illegal document indicator in scalar", pos)
                    if plain:
                        text = _finish(out, last_escape, chomp, trim=plain)
                        return BreakResult(text, pos, visible, by_indent=False)
            if stop > pos:
                chunk = data[pos:stop]
                stripped = len(chunk.rstrip(BLANK))
                if stripped:
                    solid = len(out) + stripped
                    visible = pos + stripped
                out += chunk
                found = past_opening = True
                pos = stop
            if pos >= size or data[pos] in b"\r\n":
                break
            if style.end is not None and style.end.match(data, pos):
                break
            found = past_opening = True
            if data[pos] == style.escape:
                if style.escape == 92 and BREAK.match(data, pos + 1):
                    pos += 1
                    solid = last_escape = len(out)
                    escaped_break = True
                    break
                piece, pos = _escape(data, pos, style.escape)
                out += piece
                solid = last_escape = len(out)
                visible = pos
            else:  # a quote inside the other style never gets here
                out.append(data[pos])
                pos += 1
        if pos >= size:
            if style.quoted:
                raise YamlError("illegal EOF in scalar", size)
            break
        if style.end is not None and style.end.match(data, pos):
            if style.quoted:
                pos += 1
                visible = pos
            break
        if flow:
            del out[solid:]
        # the line end
        hit = BREAK.match(data, pos)
        pos = hit.end() if hit else pos
        # the indentation of the next line
        run = _SPACES.match(data, pos)
        spaces = run.end() - pos if run else 0
        if plain and data[pos + spaces : pos + spaces + 1] == b"#" and spaces:
            spaces -= 1
        column = column_of(data, pos)
        if not (detect and not found):
            spaces = max(0, min(spaces, indent - column))
        pos += spaces
        column += spaces
        if detect and not found:
            indent = max(indent, column)
        while pos < size and data[pos] in BLANK:
            if data[pos] == 9 and column < indent and not style.quoted:
                raise YamlError("illegal tab when looking for indentation", pos)
            if not flow or (plain and data[pos + 1 : pos + 2] == b"#"):
                break
            pos += 1
            column += 1
        next_empty = pos < size and data[pos] in b"\r\n"
        next_more = pos < size and data[pos] in BLANK
        if fold == "block" and folded == 0 and next_empty:
            started_more = more
        if past_opening:
            if fold == "none":
                out.append(10)
            elif fold == "block":
                if not (empty or next_empty or more or next_more) and column >= indent:
                    out.append(32)
                elif next_empty:
                    folded += 1
                else:
                    out.append(10)
                if not next_empty and folded:
                    out += b"\n" * (folded - 1)
                    if started_more or next_more or not found:
                        out.append(10)
                    folded = 0
            elif next_empty:
                out.append(10)
            elif not empty and not escaped_break:
                out.append(32)
        empty, more, past_opening = next_empty, next_more, True
        if not empty and column < indent:
            by_indent = True
            break
    text = _finish(out, last_escape, chomp, trim=plain)
    return BreakResult(text, pos, visible, by_indent)


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
