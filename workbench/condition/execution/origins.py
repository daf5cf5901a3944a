"""Where the parts of a condition come from that a rule set put together.

Lists are replaced in the text before it is parsed, exceptions are added to it. An
:class:`Origins` leads back from a byte of the finished text to what was written there:
the name of a list, an exception. Macros need none of this: the tree keeps their names.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from workbench.diagnostics import Span

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["ListChange", "Origins", "WrittenText"]


class ListChange(NamedTuple):
    """One list put in place of its name.

    ``start``, ``end``: bytes replaced, in the text as earlier changes left it;
    ``length``: of what was put there; ``name_at``: where the name itself stood.
    """

    start: int
    end: int
    length: int
    name_at: int
    name: str


@dataclass(frozen=True, slots=True)
class WrittenText:
    """A text before lists were put in. ``changes``: the replacements, in order made.

    ``exceptions``: bytes of this text that an exception added, and its name.
    """

    written: bytes
    changes: tuple[ListChange, ...] = ()
    exceptions: tuple[tuple[Span, str], ...] = ()

    def span(self, made: Span) -> Span:
        """Return where bytes of the finished text were written."""
        last = len(self.changes)
        start = self._back(made.start, last)
        end = self._back(max(made.start, made.end - 1), last, end=True) + 1
        return Span(start, max(start, end))

    def _back(self, offset: int, upto: int, *, end: bool = False) -> int:
        """Undo the first ``upto`` changes; ``end``: aim at the end of a list's name."""
        for change in reversed(self.changes[:upto]):
            if offset >= change.start + change.length:
                offset += change.end - change.start - change.length
            elif offset >= change.start:
                offset = change.name_at
                offset += len(change.name.encode()) - 1 if end else 0
        return offset

    def lists_in(self, made: Span) -> tuple[str, ...]:
        """Return the lists that are named where some finished text was written."""
        if not self.changes:
            return ()
        span = self.span(made)
        found = {
            change.name: None
            for number, change in enumerate(self.changes)
            if span.start <= self._back(change.name_at, number) < span.end
        }
        return tuple(found)

    def text(self, made: Span) -> str:
        """Return what was written for some finished text, on one line."""
        span = self.span(made)
        raw = self.written[span.start : span.end]
        return " ".join(raw.decode("utf-8", "surrogateescape").split())

    def exception_at(self, made: int) -> str:
        """Return the exception that a byte of the finished text belongs to, or ""."""
        if not self.exceptions:
            return ""
        at = self._back(made, len(self.changes))
        for span, name in self.exceptions:
            if span.start <= at < span.end:
                return name
        return ""


@dataclass(frozen=True, slots=True)
class Origins:
    """The written texts of a condition and of the macros in it.

    ``own``: of the condition; ``macros``: by name, those that lists were put into.
    """

    own: WrittenText
    macros: Mapping[str, WrittenText] = field(default_factory=dict)

    def of(self, macros: tuple[str, ...]) -> WrittenText | None:
        """Return the text that spans below ``macros`` count in; None: as it stands."""
        return self.macros.get(macros[-1]) if macros else self.own
