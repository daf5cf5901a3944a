"""Diagnostics as data: where, what, and the correction; one renderer for all faces.

A :class:`Span` counts UTF-8 bytes of one text. :func:`line_and_column` is the only
code where offsets become lines and columns.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from workbench.formatting.printable import marked, printable, shortened

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "ConditionWarning",
    "Diagnostic",
    "Severity",
    "Span",
    "caret_lines",
    "line_and_column",
    "render_diagnostics",
]

Severity = Literal["error", "warning", "hint"]

# Most characters of a source line shown above a caret.
_SNIPPET_WIDTH = 100
# Longest message and longest name in one line of text, in characters.
_MAX_MESSAGE, _MAX_NAME = 2000, 300


def _shown(text: str, limit: int = _MAX_NAME) -> str:
    """Return words of strangers' files printable and cut, later lines indented.

    No line of them then looks like one of ours.
    """
    return "\n    ".join(printable(x) for x in shortened(text, limit).split("\n"))


class ConditionWarning(UserWarning):
    """A condition that Falco takes but that hardly means what it says."""


@dataclass(frozen=True, slots=True)
class Span:
    """A half-open range of UTF-8 bytes, ``start`` included, ``end`` not."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One error, warning or hint about a text.

    ``severity``: "error", "warning" or "hint". ``code``: Falco's where it has one (such
    as ``LOAD_ERR_COMPILE_CONDITION``), ours otherwise; ours never start with ``LOAD_``.
    ``file``: name or None. ``line``, ``column``: 1-based, characters, or None.
    ``hint``: the correction, or None. ``span``: bytes in the text checked, or None.
    ``context``: what it is about, outermost first, such as ("rule X", "macro Y").
    """

    severity: Severity
    code: str
    message: str
    file: str | None = None
    line: int | None = None
    column: int | None = None
    hint: str | None = None
    span: Span | None = None
    context: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return one line as editors understand it: file:line:column: ….

        It is printable; what is long is cut.
        """
        file = _shown(self.file) if self.file else None
        position = ":".join(str(p) for p in (file, self.line, self.column) if p)
        text = f"{self.severity} [{self.code}]: {_shown(self.message, _MAX_MESSAGE)}"
        if self.context:
            text += f" (in {', '.join(map(_shown, self.context))})"
        if self.hint:
            text += f" — {_shown(self.hint, _MAX_MESSAGE)}"
        return f"{position}: {text}" if position else text

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for JSON, None values left out."""
        data: dict[str, Any] = {
            "severity": self.severity,
            "code": self.code,
            "message": self.message,
            "file": self.file,
            "line": self.line,
            "column": self.column,
            "hint": self.hint,
            "context": list(self.context) or None,
        }
        return {key: value for key, value in data.items() if value is not None}


def line_and_column(text: str | bytes, offset: int) -> tuple[int, int]:
    """Turn a byte offset into a line and a column, both 1-based, in characters.

    ``offset`` counts UTF-8 bytes of ``text`` and is limited to its length.
    """
    raw = text.encode("utf-8", "surrogateescape") if isinstance(text, str) else text
    head = raw[: max(0, offset)]
    line_start = head.rfind(b"\n") + 1
    column = len(head[line_start:].decode("utf-8", "replace")) + 1
    return head.count(b"\n") + 1, column


def caret_lines(text: str | bytes, span: Span) -> list[str]:
    """Return the source line of ``span`` and a line with carets under it."""
    raw = text.encode("utf-8", "surrogateescape") if isinstance(text, str) else text
    line_start = raw.rfind(b"\n", 0, max(0, span.start)) + 1
    line_end = raw.find(b"\n", line_start)
    if line_end < 0:
        line_end = len(raw)
    line = raw[line_start:line_end].decode("utf-8", "replace").replace("\t", " ")
    column = len(raw[line_start : span.start].decode("utf-8", "replace"))
    end = max(span.start, min(span.end, line_end))
    width = max(1, len(raw[span.start : end].decode("utf-8", "replace")))
    if len(line) > _SNIPPET_WIDTH:
        first = max(0, min(column - _SNIPPET_WIDTH // 2, len(line) - _SNIPPET_WIDTH))
        prefix = "…" if first else ""
        line = prefix + line[first : first + _SNIPPET_WIDTH]
        column = column - first + len(prefix)
    safe = marked(line)
    return [safe, " " * column + "^" * min(width, max(1, len(safe) - column))]


def render_diagnostics(
    diagnostics: Iterable[Diagnostic], text: str | bytes | None = None
) -> str:
    """Render diagnostics for a terminal: one paragraph each, with a caret if possible.

    ``text`` is the source that the spans count in; None leaves the carets out.
    """
    paragraphs = []
    for item in diagnostics:
        lines = [str(item)]
        if text is not None and item.span is not None:
            lines += ["    " + line for line in caret_lines(text, item.span)]
        paragraphs.append("\n".join(lines))
    return "\n".join(paragraphs)
