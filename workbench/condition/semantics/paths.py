"""Sets of paths for ``pmatch``: values that lie at or under one of them.

Paths are compared component by component; empty components do not count, so slashes at
the ends or in a row do not matter. A component with ``?``, ``*`` or ``[`` is a pattern
for that one component. The engine's defect is kept: where patterns are siblings, the
one listed last is tried first, and every pattern that fits the component but fails
further down moves the others one component on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.condition.semantics.globs import fnmatch

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["PathSet", "has_sibling_patterns", "split_path"]

_PATTERN_BYTES = frozenset(b"?*[")


def split_path(path: bytes) -> list[bytes]:
    """Return the components of a path, empty ones left out."""
    return [part for part in path.split(b"/") if part]


def _is_pattern(component: bytes) -> bool:
    return not _PATTERN_BYTES.isdisjoint(component)


class _Node:
    """One level: component → next level, or None where a path ends."""

    __slots__ = ("names", "patterns")

    def __init__(self) -> None:
        self.names: dict[bytes, _Node | None] = {}
        self.patterns: dict[bytes, _Node | None] = {}


class PathSet:
    """Paths to match against, in the order written."""

    def __init__(self, paths: Sequence[bytes]) -> None:
        """Build the levels; a path that lies under another one adds nothing."""
        self._root = _Node()
        # A path without components matches everything.
        self._everything = False
        for path in paths:
            components = split_path(path)
            if components:
                self._add(components)
            else:
                self._everything = True

    def _add(self, components: list[bytes]) -> None:
        node = self._root
        for component in components[:-1]:
            table = node.patterns if _is_pattern(component) else node.names
            if component not in table:
                table[component] = _Node()
            below = table[component]
            if below is None:
                return
            node = below
        last = components[-1]
        table = node.patterns if _is_pattern(last) else node.names
        table.pop(last, None)
        table[last] = None

    def matches(self, value: bytes) -> bool:
        """Whether ``value`` lies at or under one of the paths."""
        if self._everything:
            return True
        return _matches(self._root, split_path(value), 0)


def _matches(root: _Node, components: list[bytes], start: int) -> bool:
    """Walk the levels depth first, in the engine's order, on a list instead of calls.

    Each entry of ``todo`` is a level with the component to look at; the entries behind
    it are what the engine tries when that one fails.
    """
    todo: list[tuple[_Node, int]] = [(root, start)]
    while todo:
        node, at = todo.pop()
        if at >= len(components):
            continue
        later: list[tuple[_Node, int]] = []
        if components[at] in node.names:
            below = node.names[components[at]]
            if below is None:
                return True
            later.append((below, at + 1))
        cursor = at
        ends = False
        for pattern in reversed(node.patterns):
            if cursor >= len(components):
                break
            if fnmatch(pattern, components[cursor]):
                below = node.patterns[pattern]
                cursor += 1
                if below is None:
                    ends = True
                    break
                later.append((below, cursor))
        if ends:
            return True
        todo.extend(reversed(later))
    return False


def has_sibling_patterns(paths: Sequence[bytes]) -> bool:
    """Whether the engine's defect can show: two patterns side by side."""
    seen: dict[tuple[bytes, ...], set[bytes]] = {}
    for path in paths:
        components = split_path(path)
        for depth, component in enumerate(components[:-1]):
            if _is_pattern(component):
                siblings = seen.setdefault(tuple(components[:depth]), set())
                siblings.add(component)
                if len(siblings) > 1:
                    return True
    return False
