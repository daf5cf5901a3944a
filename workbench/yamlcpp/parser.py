"""Tokens → nodes, document by document, without recursion and with bounds."""

from __future__ import annotations

import re

from workbench.yamlcpp.nodes import Kind, Node, SourceText, YamlError
from workbench.yamlcpp.scanner import Scanner
from workbench.yamlcpp.tokens import Token, Type

__all__ = ["MAX_DEPTH", "MAX_NODES", "load_documents"]

# Nesting that the engine's reader follows.
MAX_DEPTH = 500
# Values of one document with aliases counted as often as they are used: far above
# any real file, far below what would exhaust memory when written out.
MAX_NODES = 5_000_000

_NULLS = frozenset((b"", b"~", b"null", b"Null", b"NULL"))
_VERSION = re.compile(rb"\s*([+-]?\d+).[ ]*([+-]?\d+)\Z", re.DOTALL)

_NEED = object()


class _Frame:
    """One collection under construction."""

    __slots__ = ("anchor", "key", "kind", "node", "step")

    def __init__(self, kind: str, node: Node, anchor: bytes) -> None:
        self.kind = kind
        self.node = node
        self.anchor = anchor
        self.key: Node | None = None
        self.step = 0


def load_documents(source: SourceText) -> list[Node]:
    """Read every document of ``source`` up to the first empty one.

    Stopping there is what the engine does. Raises YamlError with the engine's words.
    """
    scanner = Scanner(source.data)
    documents: list[Node] = []
    version_given = False
    while True:
        fresh = True
        handles: set[bytes] = set()
        while (token := scanner.peek()) and token.type == Type.DIRECTIVE:
            if fresh:
                version_given = False
                fresh = False
            version_given = _directive(token, handles, version_given=version_given)
            scanner.pop()
        if scanner.peek() is None:
            return documents
        root = _Builder(scanner).document()
        if root.kind == "null":
            return documents
        documents.append(root)


def _directive(token: Token, handles: set[bytes], *, version_given: bool) -> bool:
    """Check a directive line; return whether the version is given now."""
    if token.text == b"YAML":
        if len(token.params) != 1:
            reason = "YAML directives must have exactly one argument"
            raise YamlError(reason, token.start)
        if version_given:
            raise YamlError("repeated YAML directive", token.start)
        version = _VERSION.match(token.params[0])
        if version is None:
            shown = token.params[0].decode("utf-8", "replace")
            raise YamlError(f"bad YAML version: {shown}", token.start)
        if int(version.group(1)) > 1:
            raise YamlError("YAML major version too large", token.start)
        return True
    if token.text == b"TAG":
        if len(token.params) != 2:
            reason = "TAG directives must have exactly two arguments"
            raise YamlError(reason, token.start)
        if token.params[0] in handles:
            raise YamlError("repeated TAG directive", token.start)
        handles.add(token.params[0])
    return version_given


class _Builder:
    """Builds the nodes of one document."""

    def __init__(self, scanner: Scanner) -> None:
        self._scanner = scanner
        self._stack: list[_Frame] = []
        self._anchors: dict[bytes, Node | None] = {}

    def document(self) -> Node:
        """Read one document and the markers after it."""
        scanner = self._scanner
        token = scanner.peek()
        if token is not None and token.type == Type.DOC_START:
            scanner.pop()
        stack = self._stack
        result = self._begin()
        while stack:
            frame = stack[-1]
            child = result if isinstance(result, Node) else None
            if getattr(self, f"_{frame.kind}")(frame, child):
                stack.pop()
                result = self._close(frame)
            else:
                result = self._begin()
        while (token := scanner.peek()) and token.type == Type.DOC_END:
            scanner.pop()
        if not isinstance(result, Node):  # pragma: no cover - the stack ran empty
            raise TypeError
        return result

    def _close(self, frame: _Frame) -> Node:
        if frame.anchor:
            self._anchors[frame.anchor] = frame.node
        if frame.node.size > MAX_NODES:
            reason = f"aliases blow the document up beyond {MAX_NODES:,} values"
            raise YamlError(reason, frame.node.start)
        return frame.node

    def _begin(self) -> object:
        """Start a node: return it when complete, else push a frame and return _NEED."""
        scanner = self._scanner
        if len(self._stack) >= MAX_DEPTH:
            raise scanner.error_here("bad file")
        token = scanner.peek()
        if token is None:
            return Node("null", scanner.pos, scanner.pos)
        start = token.start
        if token.type == Type.VALUE:
            return self._push("map_no_key", Node("mapping", start, start), b"")
        if token.type == Type.ALIAS:
            scanner.pop()
            return self._alias(token)
        if token.type not in (Type.TAG, Type.ANCHOR):
            return self._content(start, start, b"", tagged=False)
        anchor, tagged, end = self._properties()
        return self._content(start, end, anchor, tagged=tagged)

    def _properties(self) -> tuple[bytes, bool, int]:
        """Take tag and anchor before a node: the anchor, whether tagged, the end."""
        scanner = self._scanner
        anchor, tagged, end = b"", False, scanner.pos
        while (token := scanner.peek()) and token.type in (Type.TAG, Type.ANCHOR):
            if token.type == Type.TAG:
                if tagged:
                    reason = "cannot assign multiple tags to the same node"
                    raise YamlError(reason, token.start)
                tagged = True
            else:
                if anchor:
                    reason = "cannot assign multiple anchors to the same node"
                    raise YamlError(reason, token.start)
                anchor = token.text
                self._anchors[anchor] = None
            end = token.end
            scanner.pop()
        return anchor, tagged, end

    def _content(self, start: int, end: int, anchor: bytes, *, tagged: bool) -> object:
        """Start the node behind its properties, which begin at ``start``."""
        scanner = self._scanner
        token = scanner.peek()
        if token is None:
            return self._named(Node("null", start, end), anchor)
        kind = token.type
        if kind in (Type.PLAIN, Type.QUOTED):
            scanner.pop()
            plain = kind == Type.PLAIN
            if plain and not tagged and token.text in _NULLS:
                return self._named(Node("null", start, token.end), anchor)
            node = Node("scalar", start, token.end)
            node.text = token.text.decode("utf-8", "surrogateescape")
            node.plain = plain
            return self._named(node, anchor)
        frame = _FRAMES.get(kind)
        if frame is not None:
            scanner.pop()
            shape, name = frame
            return self._push(name, Node(shape, start, start), anchor)
        if kind == Type.KEY and self._stack and self._stack[-1].kind == "flow_seq":
            return self._push("map_compact", Node("mapping", start, start), anchor)
        return self._named(Node("scalar" if tagged else "null", start, end), anchor)

    def _push(self, kind: str, node: Node, anchor: bytes) -> object:
        self._stack.append(_Frame(kind, node, anchor))
        return _NEED

    def _named(self, node: Node, anchor: bytes) -> Node:
        if anchor:
            self._anchors[anchor] = node
        return node

    def _alias(self, token: Token) -> Node:
        shown = token.text.decode("utf-8", "replace")
        if token.text not in self._anchors:
            reason = f"the referenced anchor is not defined: {shown}"
            raise YamlError(reason, token.start)
        node = self._anchors[token.text]
        if node is None:
            raise YamlError(f"the alias {shown} contains itself", token.start)
        return node

    # one step of a collection: True when it is complete

    def _end(self, frame: _Frame, token: Token) -> bool:
        self._scanner.pop()
        node = frame.node
        flow = token.type in (Type.FLOW_SEQ_END, Type.FLOW_MAP_END)
        node.end = token.end if flow else max(node.end, node.start)
        return True

    def _add(self, frame: _Frame, child: Node) -> None:
        node = frame.node
        node.items.append(child)
        node.size += child.size
        node.end = max(node.end, child.end)

    def _pair(self, frame: _Frame, value: Node) -> None:
        node = frame.node
        key = frame.key or Node("null", value.start, value.start)
        node.pairs.append((key, value))
        node.size += key.size + value.size
        node.end = max(node.end, value.end, key.end)
        frame.key = None
        frame.step = 0

    def _block_seq(self, frame: _Frame, child: Node | None) -> bool:
        scanner = self._scanner
        if child is not None:
            self._add(frame, child)
        while True:
            token = scanner.peek()
            if token is None:
                raise scanner.error_here("end of sequence not found")
            if token.type == Type.BLOCK_SEQ_END:
                return self._end(frame, token)
            if token.type != Type.BLOCK_ENTRY:
                raise _at(token, "end of sequence not found")
            scanner.pop()
            after = scanner.peek()
            if after is None or after.type not in (
                Type.BLOCK_ENTRY,
                Type.BLOCK_SEQ_END,
            ):
                return False
            self._add(frame, Node("null", after.start, token.end))

    def _flow_seq(self, frame: _Frame, child: Node | None) -> bool:
        scanner = self._scanner
        reason = "end of sequence flow not found"
        token = scanner.peek()
        if child is not None:
            self._add(frame, child)
            if token is None:
                raise scanner.error_here(reason)
            if token.type == Type.FLOW_ENTRY:
                scanner.pop()
                token = scanner.peek()
            elif token.type != Type.FLOW_SEQ_END:
                raise _at(token, reason)
        if token is None:
            raise scanner.error_here(reason)
        if token.type == Type.FLOW_SEQ_END:
            return self._end(frame, token)
        return False

    def _block_map(self, frame: _Frame, child: Node | None) -> bool:
        scanner = self._scanner
        reason = "end of map not found"
        if child is not None and not self._complete(frame, child):
            return False
        token = scanner.peek()
        if token is None:
            raise scanner.error_here(reason)
        if token.type == Type.BLOCK_MAP_END:
            return self._end(frame, token)
        if token.type == Type.KEY:
            scanner.pop()
            frame.step = 1
            return False
        if token.type != Type.VALUE:
            raise _at(token, reason)
        scanner.pop()
        frame.key = Node("null", token.start, token.start)
        frame.step = 2
        return False

    def _flow_map(self, frame: _Frame, child: Node | None) -> bool:
        scanner = self._scanner
        reason = "end of map flow not found"
        if child is not None:
            if not self._complete(frame, child):
                return False
            self._separator(reason)
        while True:
            token = scanner.peek()
            if token is None:
                raise scanner.error_here(reason)
            if token.type == Type.FLOW_MAP_END:
                return self._end(frame, token)
            if token.type == Type.KEY:
                scanner.pop()
                frame.step = 1
                return False
            frame.key = Node("null", token.start, token.start)
            if token.type == Type.VALUE:
                scanner.pop()
                frame.step = 2
                return False
            self._pair(frame, Node("null", token.start, token.start))
            self._separator(reason)

    def _separator(self, reason: str) -> None:
        token = self._scanner.peek()
        if token is None:
            raise self._scanner.error_here(reason)
        if token.type == Type.FLOW_ENTRY:
            self._scanner.pop()
        elif token.type != Type.FLOW_MAP_END:
            raise _at(token, reason)

    def _complete(self, frame: _Frame, child: Node) -> bool:
        """Take a key or a value of a mapping; True when the pair is complete."""
        if frame.step == 1:
            frame.key = child
            token = self._scanner.peek()
            if token is not None and token.type == Type.VALUE:
                self._scanner.pop()
                frame.step = 2
                return False
            # no value: the engine marks it at the key
            child = Node("null", child.start, child.end)
        self._pair(frame, child)
        return True

    def _map_compact(self, frame: _Frame, child: Node | None) -> bool:
        if child is None:
            self._scanner.pop()
            frame.step = 1
            return False
        return self._complete(frame, child)

    def _map_no_key(self, frame: _Frame, child: Node | None) -> bool:
        if child is None:
            self._scanner.pop()
            return False
        frame.key = Node("null", frame.node.start, frame.node.start)
        self._pair(frame, child)
        return True


def _at(token: Token, reason: str) -> YamlError:
    return YamlError(reason, token.start, at_end=token.at_end)


_FRAMES: dict[Type, tuple[Kind, str]] = {
    Type.BLOCK_SEQ_START: ("sequence", "block_seq"),
    Type.FLOW_SEQ_START: ("sequence", "flow_seq"),
    Type.BLOCK_MAP_START: ("mapping", "block_map"),
    Type.FLOW_MAP_START: ("mapping", "flow_map"),
}
