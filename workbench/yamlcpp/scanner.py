"""Bytes → tokens, with the block structure that indentation implies.

A word may turn out to be a key only when its colon comes, so tokens wait in a queue:
a key (and the mapping it would open) is *unsure* until the colon or the line end.
"""

from __future__ import annotations

import re
from collections import deque

from workbench.yamlcpp import scalars
from workbench.yamlcpp.nodes import YamlError
from workbench.yamlcpp.tokens import DROPPED, SURE, UNSURE, Indent, Key, Token, Type

__all__ = ["Scanner"]

# More open brackets than the parser would ever follow (its limit is 500).
_MAX_FLOW_DEPTH = 1000
# A key is at most this far from its colon.
_MAX_KEY_BYTES = 1024

_TO_TOKEN = re.compile(rb"[ \t]*(?:#[^\r\n]*)?")
_NOT_BLANK = re.compile(rb"[^ \t\r\n]*")
_BLANKS = re.compile(rb"[ \t]*")
_DOC_START = re.compile(rb"---(?=[ \t\r\n]|\Z)")
_DOC_END = re.compile(rb"\.\.\.(?=[ \t\r\n]|\Z)")
_FOLLOWED = re.compile(rb"[-?:](?:[ \t\r\n]|\Z)")
_KEY_SIGN = re.compile(rb"\?[ \t\r\n]")
_VALUE_FLOW = re.compile(rb":(?:[ \t\r\n,\]}]|\Z)")
_ANCHOR = re.compile(rb"[^\[\]{}, \t\r\n]*")
_ANCHOR_END = re.compile(rb"[?:,\]}%@` \t\r\n]|\Z")
_NO_PLAIN = frozenset(b",[]{}#&*!|>'\"%@` \t\r\n")
_NO_PLAIN_FLOW = _NO_PLAIN | frozenset(b"?")
_DASH_FLOW = re.compile(rb"[-:](?:[ \t]|\Z)")
_CHOMP = re.compile(rb"[+-][0-9]|[0-9][+-]|[+-]|[0-9]")
_WORD = rb"[A-Za-z0-9-]"
_URI = re.compile(rb"(?:[A-Za-z0-9#;/?:@&=+$,_.!~*'()\[\]-]|%[0-9A-Fa-f]{2})*")
_TAG_TAIL = re.compile(rb"(?:[A-Za-z0-9#;/?:@&=+$_.~*'()-]|%[0-9A-Fa-f]{2})*")
_TAG_WORD = re.compile(_WORD + rb"*")


class Scanner:
    """Pulls tokens out of bytes on demand. Raises YamlError."""

    def __init__(self, data: bytes) -> None:
        """Stand at the beginning of ``data``."""
        self.data = data
        self.pos = 0
        self.size = len(data)
        self._tokens: deque[Token] = deque()
        self._flows: list[int] = []
        self._indents: list[Indent] = [Indent(-1, "")]
        self._keys: list[Key] = []
        self._key_allowed = True
        self._json_key = False
        self._ended = False
        self._actions = {code: getattr(self, name) for code, name in _ACTIONS.items()}

    # what the parser uses

    def peek(self) -> Token | None:
        """Return the next token without taking it, None at the end."""
        tokens = self._tokens
        while True:
            if tokens:
                state = tokens[0].state
                if state == SURE:
                    return tokens[0]
                if state == DROPPED:
                    tokens.popleft()
                    continue
            if self._ended:
                return tokens[0] if tokens else None
            self._scan()

    def pop(self) -> Token:
        """Take the token that :meth:`peek` returned."""
        return self._tokens.popleft()

    def error_here(self, reason: str) -> YamlError:
        """Make an error at the position reached."""
        return YamlError(reason, self.pos, at_end=self._ended)

    # indentation and keys

    def _column(self) -> int:
        return scalars.column_of(self.data, self.pos)

    def _emit(self, kind: Type, start: int, text: bytes = b"") -> Token:
        token = Token(kind, start, self.pos, text)
        self._tokens.append(token)
        return token

    def _push_indent(self, column: int, kind: str) -> Indent | None:
        if self._flows:
            return None
        top = self._indents[-1]
        if column < top.column or (
            column == top.column and not (kind == "seq" and top.kind == "map")
        ):
            return None
        indent = Indent(column, kind)
        start = Type.BLOCK_SEQ_START if kind == "seq" else Type.BLOCK_MAP_START
        indent.start = self._emit(start, self.pos)
        self._indents.append(indent)
        return indent

    def _pop_indent(self, *, at_end: bool = False) -> None:
        indent = self._indents.pop()
        if indent.state != SURE:
            self._drop_key()
            return
        if indent.kind:
            is_seq = indent.kind == "seq"
            kind = Type.BLOCK_SEQ_END if is_seq else Type.BLOCK_MAP_END
            self._emit(kind, self.pos).at_end = at_end

    def _pop_to_here(self) -> None:
        if self._flows:
            return
        column = self._column()
        indents = self._indents
        while indents:
            top = indents[-1]
            if top.column < column:
                break
            if top.column == column and not (
                top.kind == "seq" and not self._is_entry()
            ):
                break
            self._pop_indent()
        while indents and indents[-1].state == DROPPED:
            self._pop_indent()

    def _pop_all(self, *, at_end: bool = False) -> None:
        if self._flows:
            return
        while self._indents and self._indents[-1].kind:
            self._pop_indent(at_end=at_end)

    def _is_entry(self) -> bool:
        data, pos = self.data, self.pos
        return data[pos : pos + 1] == b"-" and bool(_FOLLOWED.match(data, pos))

    def _maybe_key(self) -> None:
        depth = len(self._flows)
        if not self._key_allowed or (self._keys and self._keys[-1].depth == depth):
            return
        key = Key(self.pos, depth)
        if not self._flows:
            key.indent = self._push_indent(self._column(), "map")
            if key.indent is not None:
                key.indent.state = UNSURE
                key.map_start = key.indent.start
                if key.map_start is not None:
                    key.map_start.state = UNSURE
        key.key = self._emit(Type.KEY, self.pos)
        key.key.state = UNSURE
        self._keys.append(key)

    def _drop_key(self) -> None:
        if self._keys and self._keys[-1].depth == len(self._flows):
            self._keys.pop().settle(DROPPED)

    def _confirm_key(self) -> bool:
        if not self._keys or self._keys[-1].depth != len(self._flows):
            return False
        key = self._keys.pop()
        near = self.pos - key.pos <= _MAX_KEY_BYTES
        sure = near and self.data.find(b"\n", key.pos, self.pos) < 0
        key.settle(SURE if sure else DROPPED)
        return sure

    # one token

    def _scan(self) -> None:
        self._skip_to_token()
        self._pop_to_here()
        data, pos = self.data, self.pos
        if pos >= self.size:
            self._pop_all(at_end=True)
            self._keys.clear()
            self._key_allowed = False
            self._ended = True
            return
        char = data[pos]
        if pos == 0 or data[pos - 1] == 10:
            if char == 37:  # %
                self._directive()
                return
            if char == 45 and _DOC_START.match(data, pos):
                self._document(Type.DOC_START)
                return
            if char == 46 and _DOC_END.match(data, pos):
                self._document(Type.DOC_END)
                return
        action = self._actions.get(char)
        if action is not None and action(pos, char):
            return
        self._plain(pos, char)

    def _skip_to_token(self) -> None:
        data = self.data
        while True:
            hit = _TO_TOKEN.match(data, self.pos)
            end = hit.end() if hit else self.pos
            if not self._flows and data.find(b"\t", self.pos, end) >= 0:
                comment = data.find(b"#", self.pos, end)
                if comment < 0 or data.find(b"\t", self.pos, comment) >= 0:
                    self._key_allowed = False
            self.pos = end
            line_end = scalars.BREAK.match(data, end)
            if line_end is None:
                return
            self.pos = line_end.end()
            self._drop_key()
            if not self._flows:
                self._key_allowed = True

    def _directive(self) -> None:
        self._pop_all()
        self._keys.clear()
        self._key_allowed = self._json_key = False
        start = self.pos
        self.pos += 1
        name = self._take(_NOT_BLANK)
        params = []
        while True:
            self._take(_BLANKS)
            char = self.data[self.pos : self.pos + 1]
            if char in (b"", b"\r", b"\n", b"#"):
                break
            params.append(self._take(_NOT_BLANK))
        self._emit(Type.DIRECTIVE, start, name).params = params

    def _take(self, pattern: re.Pattern[bytes]) -> bytes:
        hit = pattern.match(self.data, self.pos)
        if hit is None:
            return b""
        self.pos = hit.end()
        return hit.group()

    def _document(self, kind: Type) -> None:
        self._pop_all()
        self._keys.clear()
        self._key_allowed = self._json_key = False
        start = self.pos
        self.pos += 3
        self._emit(kind, start)

    def _flow_start(self, pos: int, char: int) -> bool:
        self._maybe_key()
        self._key_allowed = True
        self._json_key = False
        self.pos = pos + 1
        if len(self._flows) >= _MAX_FLOW_DEPTH:
            raise YamlError("bad file", pos)
        self._flows.append(char)
        kind = Type.FLOW_SEQ_START if char == 91 else Type.FLOW_MAP_START
        self._emit(kind, pos)
        return True

    def _solo_entry(self) -> None:
        if self._flows:
            if self._flows[-1] == 123 and self._confirm_key():
                self._emit(Type.VALUE, self.pos)
            elif self._flows[-1] == 91:
                self._drop_key()

    def _flow_end(self, pos: int, char: int) -> bool:
        if not self._flows:
            raise YamlError("illegal flow end", pos)
        self._solo_entry()
        self._key_allowed = False
        self._json_key = True
        self.pos = pos + 1
        if self._flows[-1] != (91 if char == 93 else 123):
            raise YamlError("illegal flow end", pos)
        self._flows.pop()
        self._emit(Type.FLOW_SEQ_END if char == 93 else Type.FLOW_MAP_END, pos)
        return True

    def _flow_entry(self, pos: int, _char: int) -> bool:
        self._solo_entry()
        self._key_allowed = True
        self._json_key = False
        self.pos = pos + 1
        self._emit(Type.FLOW_ENTRY, pos)
        return True

    def _block_entry(self, pos: int, _char: int) -> bool:
        if not _FOLLOWED.match(self.data, pos):
            return False
        if self._flows or not self._key_allowed:
            raise YamlError("illegal block entry", pos)
        self._push_indent(self._column(), "seq")
        self._key_allowed = True
        self._json_key = False
        self.pos = pos + 1
        self._emit(Type.BLOCK_ENTRY, pos)
        return True

    def _key_sign(self, pos: int, _char: int) -> bool:
        if not _KEY_SIGN.match(self.data, pos):
            return False
        if not self._flows:
            if not self._key_allowed:
                raise YamlError("illegal map key", pos)
            self._push_indent(self._column(), "map")
        self._key_allowed = not self._flows
        self.pos = pos + 1
        self._emit(Type.KEY, pos)
        return True

    def _value_sign(self, pos: int, _char: int) -> bool:
        if not self._flows:
            if not _FOLLOWED.match(self.data, pos):
                return False
        elif not self._json_key and not _VALUE_FLOW.match(self.data, pos):
            return False
        confirmed = self._confirm_key()
        self._json_key = False
        if confirmed:
            self._key_allowed = False
        else:
            if not self._flows:
                if not self._key_allowed:
                    raise YamlError("illegal map value", pos)
                self._push_indent(self._column(), "map")
            self._key_allowed = not self._flows
        self.pos = pos + 1
        self._emit(Type.VALUE, pos)
        return True

    def _reference(self, pos: int, char: int) -> bool:
        self._maybe_key()
        self._key_allowed = self._json_key = False
        self.pos = pos + 1
        name = self._take(_ANCHOR)
        word = "alias" if char == 42 else "anchor"
        if not name:
            sign = "*" if char == 42 else "&"
            raise YamlError(f"{word} not found after {sign}", self.pos)
        if not _ANCHOR_END.match(self.data, self.pos):
            reason = f"illegal character found while scanning {word}"
            raise YamlError(reason, self.pos)
        self._emit(Type.ALIAS if char == 42 else Type.ANCHOR, pos, name)
        return True

    def _tag(self, pos: int, _char: int) -> bool:
        self._maybe_key()
        self._key_allowed = self._json_key = False
        data = self.data
        self.pos = pos + 1
        if data[self.pos : self.pos + 1] == b"<":
            self.pos += 1
            text = self._take(_URI)
            if data[self.pos : self.pos + 1] != b">":
                raise YamlError("end of verbatim tag not found", self.pos)
            self.pos += 1
        else:
            text = self._take(_TAG_WORD)
            if data[self.pos : self.pos + 1] == b"!":
                self.pos += 1
                if not self._take(_TAG_TAIL):
                    raise YamlError("tag handle with no suffix", self.pos)
            elif self.pos < self.size:
                odd = self.pos
                text += self._take(_TAG_TAIL)
                if data[self.pos : self.pos + 1] == b"!":
                    reason = "illegal character found while scanning tag handle"
                    raise YamlError(reason, odd)
        self._emit(Type.TAG, pos, text)
        return True

    def _block_scalar(self, pos: int, char: int) -> bool:
        if self._flows:
            return False
        data = self.data
        self.pos = pos + 1
        indent, detect, chomp = 1, True, "clip"
        for code in self._take(_CHOMP):
            if code in b"+-":
                chomp = "keep" if code == 43 else "strip"
            elif code == 48:
                reason = "cannot set zero indentation for a block scalar"
                raise YamlError(reason, self.pos)
            else:
                indent, detect = code - 48, False
        self._take(_TO_TOKEN)
        if self.pos < self.size and data[self.pos] not in b"\r\n":
            raise YamlError("unexpected character in block scalar", self.pos)
        top = self._indents[-1].column if self._indents else 0
        if top >= 0:
            indent += top
        done = scalars.scan_scalar(
            data,
            self.pos,
            scalars.BLOCK,
            indent=indent,
            detect=detect,
            fold="block" if char == 62 else "none",
            chomp=chomp,
        )
        self.pos = done.pos
        self._key_allowed = True
        self._json_key = False
        self._emit(Type.QUOTED, pos, done.text).end = done.content_end
        return True

    def _quoted(self, pos: int, char: int) -> bool:
        self._maybe_key()
        style = scalars.SINGLE if char == 39 else scalars.DOUBLE
        done = scalars.scan_scalar(self.data, pos + 1, style, indent=0, chomp="clip")
        self.pos = done.pos
        self._key_allowed = False
        self._json_key = True
        self._emit(Type.QUOTED, pos, done.text)
        return True

    def _plain(self, pos: int, char: int) -> None:
        data = self.data
        if self._flows:
            bad = char in _NO_PLAIN_FLOW or bool(_DASH_FLOW.match(data, pos))
        else:
            marks = char in b"-?:" and _FOLLOWED.match(data, pos)
            bad = char in _NO_PLAIN or bool(marks)
        if bad:
            raise YamlError("unknown token", pos)
        if self._flows:
            style, indent = scalars.PLAIN_FLOW, 0
        else:
            top = self._indents[-1].column if self._indents else 0
            style, indent = scalars.PLAIN_BLOCK, top + 1
        self._maybe_key()
        done = scalars.scan_scalar(data, pos, style, indent=indent)
        self.pos = done.pos
        self._key_allowed = done.by_indent
        self._json_key = False
        token = self._emit(Type.PLAIN, pos, done.text)
        token.end = done.content_end


_ACTIONS = {
    ord("["): "_flow_start",
    ord("{"): "_flow_start",
    ord("]"): "_flow_end",
    ord("}"): "_flow_end",
    ord(","): "_flow_entry",
    ord("-"): "_block_entry",
    ord("?"): "_key_sign",
    ord(":"): "_value_sign",
    ord("*"): "_reference",
    ord("&"): "_reference",
    ord("!"): "_tag",
    ord("|"): "_block_scalar",
    ord(">"): "_block_scalar",
    ord("'"): "_quoted",
    ord('"'): "_quoted",
}
