"""List names in condition text, and exceptions as condition text.

Everything here works on bytes, as the engine does; :class:`SourceMap` follows each byte
back to where it came from, and is only made when a complaint needs its place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.rules.loading.collector import LIST_OPERATORS, has_modifier

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.rules.model.entries import ExceptionEntry, ListEntry, Operand

__all__ = [
    "MAX_CONDITION_BYTES",
    "CompiledList",
    "ListTable",
    "Substitution",
    "compile_lists",
    "exception_text",
]

# Longest condition after substitution: no rule needs it, and lists inside lists inside
# lists could make more than memory holds.
MAX_CONDITION_BYTES = 8 << 20

_BLANKS = b" \t\n\r"
_EDGES = frozenset(b" \t\n\r(),=")
# Every edge becomes a blank, so that splitting gives the words that stand alone.
_APART = bytes(32 if byte in _EDGES else byte for byte in range(256))


class CompiledList:
    """A list ready for substitution. ``text``: its items joined; ``entry``: its origin.

    ``lost``: items that name a list which stays a mere word, by the one-level rule.
    """

    __slots__ = ("entry", "items", "lost", "name", "nested", "text")

    def __init__(self, entry: ListEntry, items: list[bytes]) -> None:
        """Join the items."""
        self.entry = entry
        self.name = entry.name.encode("utf-8", "surrogateescape")
        self.items = items
        self.text = b", ".join(items)
        self.nested: list[str] = []
        self.lost: list[str] = []


def _quoted(text: str) -> bytes:
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
                items.extend(_quoted(item[0]) for item in inner.items)
            else:
                items.append(_quoted(text))
        compiled = CompiledList(entry, items)
        compiled.nested = nested
        result.append(compiled)
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

    def __getitem__(self, name: str) -> CompiledList | None:
        """Give a list by name."""
        at = self._position.get(name.encode("utf-8", "surrogateescape"))
        return None if at is None else self.lists[at]

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
    name = compiled.name
    out: list[bytes] = []
    done = 0
    length_so_far = 0
    at = text.find(name)
    while at >= 0:
        end = at + len(name)
        # what stands before is the text already replaced, so look there
        before = text[at - 1] if at > done else _last(out)
        if (before is None or before in _EDGES) and (
            end >= len(text) or text[end] in _EDGES
        ):
            start = at
            while start > done and text[start - 1] in _BLANKS:
                start -= 1
            if start == done and out:
                length_so_far -= _strip_last(out)
            while end < len(text) and text[end] in _BLANKS:
                end += 1
            if not compiled.items:
                if start > done and text[start - 1] == 44:
                    start -= 1
                elif end < len(text) and text[end] == 44:
                    end += 1
            out.append(text[done:start])
            length_so_far += start - done
            piece = compiled.text + b" "
            if length_so_far:
                piece = b" " + piece
            if log is not None:
                log.append(
                    Substitution(
                        length_so_far,
                        length_so_far + end - start,
                        len(piece),
                        length_so_far + at - start,
                        compiled,
                    )
                )
            out.append(piece)
            length_so_far += len(piece)
            done = end
            at = text.find(name, done)
        else:
            at = text.find(name, at + 1)
    if not out:
        return None
    out.append(text[done:])
    return b"".join(out)


def _strip_last(out: list[bytes]) -> int:
    """Cut the blanks behind the previous replacement; say how many."""
    kept = out[-1].rstrip(_BLANKS)
    cut = len(out[-1]) - len(kept)
    out[-1] = kept
    return cut


def _last(out: list[bytes]) -> int | None:
    for piece in reversed(out):
        if piece:
            return piece[-1]
    return None


# exceptions


def exception_text(
    exceptions: Sequence[ExceptionEntry],
) -> list[tuple[bytes, ExceptionEntry, Operand | None]]:
    """Give the text that exceptions add, in parts with the value each came from.

    Raises ValueError with the exception and the engine's words for a shape that only
    shows here.
    """
    parts: list[tuple[bytes, ExceptionEntry, Operand | None]] = []
    for exception in exceptions:
        if exception.fields is None or not exception.values:
            continue
        if isinstance(exception.fields[0], list):
            _tuple_text(exception, parts)
        else:
            _set_text(exception, parts)
    return parts


def _raw(value: object) -> bytes:
    return str(value).encode("utf-8", "surrogateescape")


def _set_text(
    exception: ExceptionEntry,
    parts: list[tuple[bytes, ExceptionEntry, Operand | None]],
) -> None:
    field = exception.fields[0] if exception.fields else ""
    comps = exception.comps[0] if exception.comps else ""
    opening = b" and not (" + _raw(field) + b" " + _raw(comps) + b" ("
    for value in exception.values:
        if isinstance(value[0], list):
            raise ValueError(  # noqa: TRY004 - the value of a file, not of a caller
                exception, "Expected values array to contain a list of strings"
            )
        parts.append((opening + _quoted(value[0]), exception, value))
        opening = b", "
    parts.append((b"))", exception, None))


def _tuple_text(
    exception: ExceptionEntry,
    parts: list[tuple[bytes, ExceptionEntry, Operand | None]],
) -> None:
    fields = exception.fields[0] if exception.fields else []
    comps = exception.comps[0] if exception.comps else []
    opening = b" and not (("
    for value in exception.values:
        row = value[0]
        if not isinstance(row, list) or len(row) != len(fields):
            raise ValueError(
                exception, "Fields and values lists must have equal length"
            )
        for position, (field, _) in enumerate(fields):
            comp = comps[position][0] if position < len(comps) else ""
            element = row[position]
            text = _element(element, str(comp))
            lead = opening + b" " + _raw(field) + b" " + _raw(comp) + b" "
            parts.append((lead + text, exception, element))
            opening = b" and"
        opening = b") or ("
    parts.append((b"))", exception, None))


def _element(element: Operand, comp: str) -> bytes:
    value = element[0]
    if isinstance(value, list):
        return (
            b"("
            + b", ".join(_quoted(v if isinstance(v, str) else "") for v, _ in value)
            + b")"
        )
    if comp in LIST_OPERATORS or has_modifier(comp):
        raw = _raw(value)
        return raw if raw.startswith(b"(") else b"(" + raw + b")"
    return _quoted(value)
