"""Tokens, and what is not decided about them yet."""

from __future__ import annotations

from enum import IntEnum

__all__ = ["DROPPED", "SURE", "UNSURE", "Indent", "Key", "Token", "Type"]


class Type(IntEnum):
    """Kinds of token."""

    DIRECTIVE = 0
    DOC_START = 1
    DOC_END = 2
    BLOCK_SEQ_START = 3
    BLOCK_MAP_START = 4
    BLOCK_SEQ_END = 5
    BLOCK_MAP_END = 6
    BLOCK_ENTRY = 7
    FLOW_SEQ_START = 8
    FLOW_MAP_START = 9
    FLOW_SEQ_END = 10
    FLOW_MAP_END = 11
    FLOW_ENTRY = 12
    KEY = 13
    VALUE = 14
    ANCHOR = 15
    ALIAS = 16
    TAG = 17
    PLAIN = 18
    QUOTED = 19


# Whether a token counts: yes, not known yet, no.
SURE, UNSURE, DROPPED = 0, 1, 2


class Token:
    """One token: ``start`` and ``end`` are byte offsets, ``text`` the content."""

    __slots__ = ("at_end", "end", "params", "start", "state", "text", "type")

    def __init__(
        self, kind: Type, start: int, end: int, text: bytes = b"", state: int = SURE
    ) -> None:
        """Make a token."""
        self.type = kind
        self.start = start
        self.end = end
        self.text = text
        self.state = state
        self.at_end = False
        self.params: list[bytes] = []


class Indent:
    """One open block: its column, its start token, and whether it is sure."""

    __slots__ = ("column", "kind", "start", "state")

    def __init__(self, column: int, kind: str) -> None:
        """Open a block of ``kind`` "seq", "map" or "" (the outermost)."""
        self.column = column
        self.kind = kind
        self.state = SURE
        self.start: Token | None = None


class Key:
    """A word that may be a key, with what becomes sure together with it."""

    __slots__ = ("depth", "indent", "key", "map_start", "pos")

    def __init__(self, pos: int, depth: int) -> None:
        """Start at a word, at byte ``pos`` inside ``depth`` brackets."""
        self.pos = pos
        self.depth = depth
        self.indent: Indent | None = None
        self.map_start: Token | None = None
        self.key: Token | None = None

    def settle(self, state: int) -> None:
        """Decide for the key and all that depends on it."""
        for unsure in (self.indent, self.map_start, self.key):
            if unsure is not None:
                unsure.state = state
