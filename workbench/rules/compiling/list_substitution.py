"""List names in condition text, replaced by the lists' items.

Everything here works on bytes, as the engine does; :class:`SourceMap` follows each byte
back to where it came from, and is only made when a diagnostic needs its position.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.rules.model.entries import ListEntry

__all__ = [
    "MAX_CONDITION_BYTES",
    "CompiledList",
    "ListTable",
    "Substitution",
    "compile_lists",
    "quoted",
]

# Longest condition after substitution: no rule needs it, and lists inside lists inside
# lists could make more than memory holds.
MAX_CONDITION_BYTES = 8 << 20

_BLANKS = b" \t\n\r"
_COMMA = ord(",")
_EDGE_BYTES = b" \t\n\r(),="
_EDGES = frozenset(_EDGE_BYTES)
# Every edge becomes a blank, so that splitting gives the words that stand alone.
_APART = bytes(32 if byte in _EDGES else byte for byte in range(256))


class CompiledList:
    """A list ready for substitution.

    ``entry``: its origin. ``items``, ``text``: its items, apart and joined.
    ``nested``: names of the lists whose items are among them.
    """

    __slots__ = ("entry", "items", "name", "nested", "text")

    def __init__(self, entry: ListEntry, items: list[bytes], nested: list[str]) -> None:
        """Join the items."""
        self.entry = entry
        self.name = entry.name.encode("utf-8", "surrogateescape")
        self.items = items
        self.text = b", ".join(items)
        self.nested = nested


def quoted(text: str) -> bytes:
    """Return a value as condition text: quoted if it holds a blank."""
    raw = text.encode("utf-8", "surrogateescape")
    if b" " in raw and raw[:1] not in (b'"', b"'"):
        return b'"' + raw + b'"'
    return raw


def compile_lists(lists: Sequence[ListEntry]) -> list[CompiledList]:
    """Resolve lists in lists: one level, and only lists defined earlier."""
    ordered = sorted(lists, key=lambda entry: entry.index)
    by_name = {entry.name: entry for entry in ordered}
    result = []
    for entry in ordered:
        items: list[bytes] = []
        nested: list[str] = []
        for text, _, _ in entry.items:
            inner = by_name.get(text)
            if inner is not None and inner.index < entry.visibility:
                nested.append(text)
                items.extend(quoted(item[0]) for item in inner.items)
            else:
                items.append(quoted(text))
        result.append(CompiledList(entry, items, nested))
    return result


class Substitution:
    """One replacement: ``start``, ``end`` in the text before, ``length`` after."""

    __slots__ = ("compiled", "end", "length", "name_at", "start")

    def __init__(
        self, start: int, end: int, length: int, name_at: int, compiled: CompiledList
    ) -> None:
        """Keep the numbers. ``name_at``: where the name itself stood."""
        self.start = start
        self.end = end
        self.length = length
        self.name_at = name_at
        self.compiled = compiled


class ListTable:
    """All compiled lists, in the order in which they are substituted."""

    def __init__(self, lists: Sequence[CompiledList]) -> None:
        """Index the lists by name."""
        self.lists = list(lists)
        self._position = {c.name: i for i, c in enumerate(self.lists)}
        # a name with an edge inside can stand alone too, but never as one word
        self._odd = [i for i, c in enumerate(self.lists) if _EDGES.intersection(c.name)]

    def substitute(
        self,
        text: bytes,
        used: set[str],
        log: list[Substitution] | None = None,
    ) -> bytes:
        """Replace every list name that stands alone by the list's items.

        ``used``: receives the names replaced. ``log``: receives each replacement, in
        the order made, each counting in the text as it then was. Raises ValueError
        when the text grows beyond all measure.
        """
        done = -1
        while True:
            position = self._position
            words = set(text.translate(_APART).split(b" "))
            found = {
                position[word]
                for word in words.intersection(position)
                if position[word] > done
            }
            found.update(
                i for i in self._odd if i > done and self.lists[i].name in text
            )
            if not found:
                return text
            done = min(found)
            compiled = self.lists[done]
            growth = text.count(compiled.name) * len(compiled.text)
            if len(text) + growth > MAX_CONDITION_BYTES:
                raise ValueError(compiled.entry.name)
            changed = _substitute_one(text, compiled, log)
            if changed is not None:
                text = changed
                used.add(compiled.entry.name)


def _substitute_one(
    text: bytes, compiled: CompiledList, log: list[Substitution] | None
) -> bytes | None:
    """Replace one list's name wherever it stands alone; None where it nowhere does."""
    name = compiled.name
    out = bytearray()
    done = last = 0
    at = text.find(name)
    while at >= 0:
        end = at + len(name)
        # what stands before is the text already replaced, so look there
        before = text[at - 1 : at] if at > done else bytes(out[-1:])
        if not (before + text[end : end + 1]).translate(None, _EDGE_BYTES):
            start, end = _with_blanks(text, done, at, end)
            if start == done:
                # blanks behind the previous replacement go
                del out[max(last, len(out.rstrip(_BLANKS))) :]
            if not compiled.items:
                start, end = _with_comma(text, done, start, end)
            out += text[done:start]
            last = len(out)
            made = compiled.text + b" "
            if last:
                made = b" " + made
            if log is not None:
                log.append(
                    Substitution(
                        last, last + end - start, len(made), last + at - start, compiled
                    )
                )
            out += made
            done = end
            at = text.find(name, done)
        else:
            at = text.find(name, at + 1)
    return bytes(out + text[done:]) if done else None


def _with_blanks(text: bytes, done: int, start: int, end: int) -> tuple[int, int]:
    while start > done and text[start - 1] in _BLANKS:
        start -= 1
    while end < len(text) and text[end] in _BLANKS:
        end += 1
    return start, end


def _with_comma(text: bytes, done: int, start: int, end: int) -> tuple[int, int]:
    if start > done and text[start - 1] == _COMMA:
        return start - 1, end
    return start, end + (text[end : end + 1] == b",")
