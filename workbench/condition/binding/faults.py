"""What is wrong or odd in a condition: from faults to diagnostics and errors.

Parser and binder raise faults, which know a span; diagnostics add line and column, and
:func:`condition_error` builds the one error that people see.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from workbench.diagnostics import Diagnostic, caret_lines, line_and_column
from workbench.errors import ConditionError

if TYPE_CHECKING:
    from workbench.condition.syntax.grammar import ParseFault
    from workbench.diagnostics import Span

__all__ = [
    "BindFault",
    "BindWarning",
    "UncheckedField",
    "condition_error",
    "fault_diagnostic",
    "parse_diagnostic",
    "warning_diagnostic",
]


class BindFault(ValueError):
    """What is wrong with one check or operand; ``hint``: a correction or None.

    ``macros``: those it came through, outermost first.
    """

    def __init__(
        self, code: str, message: str, span: Span, hint: str | None = None
    ) -> None:
        super().__init__(code, message, span, hint)
        self.code = code
        self.message = message
        self.span = span
        self.hint = hint
        self.macros: tuple[str, ...] = ()


class UncheckedField(Exception):
    """A field that cannot be looked up but may exist; the check stays unbound."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


class BindWarning(NamedTuple):
    """What is legal but odd, before it has a line and a column."""

    code: str
    message: str
    span: Span
    hint: str


def parse_diagnostic(fault: ParseFault, text: bytes) -> Diagnostic:
    """Return a fault of the parser as an error with line and column."""
    line, column = line_and_column(text, fault.span.start)
    return Diagnostic(
        "error",
        fault.code,
        fault.message,
        line=line,
        column=column,
        hint=fault.hint,
        span=fault.span,
    )


def fault_diagnostic(
    fault: BindFault, text: bytes | None, macros: tuple[str, ...] = ()
) -> Diagnostic:
    """Return a fault of the binder as an error; ``macros``: those it came through."""
    return _bind_diagnostic("error", fault, text, macros)


def warning_diagnostic(
    warning: BindWarning, text: bytes | None, macros: tuple[str, ...] = ()
) -> Diagnostic:
    """Return a warning of the binder; ``macros``: those it came through."""
    return _bind_diagnostic("warning", warning, text, macros)


def _bind_diagnostic(
    severity: str,
    found: BindFault | BindWarning,
    text: bytes | None,
    macros: tuple[str, ...],
) -> Diagnostic:
    line = column = None
    if text is not None and not macros:
        line, column = line_and_column(text, found.span.start)
    return Diagnostic(
        severity,  # type: ignore[arg-type]
        found.code,
        found.message,
        line=line,
        column=column,
        hint=found.hint or None,
        span=found.span,
        context=tuple(f"macro {name}" for name in macros),
    )


def condition_error(diagnostic: Diagnostic, text: bytes, stage: str) -> ConditionError:
    """Build the error that people see: what and where, the line with a caret, a hint.

    ``position`` of a parse error is the byte where the engine stops reading.
    """
    at = diagnostic.span.start if diagnostic.span is not None else 0
    lines = [
        f"{diagnostic.message} (line {diagnostic.line}, column {diagnostic.column})"
    ]
    if diagnostic.span is not None:
        lines += ["    " + line for line in caret_lines(text, diagnostic.span)]
    if diagnostic.hint:
        lines.append(f"hint: {diagnostic.hint}")
    facts: dict[str, Any] = {
        "position": at,
        "line": diagnostic.line,
        "column": diagnostic.column,
        "stage": stage,
        "diagnostics": [diagnostic],
        "hint": diagnostic.hint,
    }
    return ConditionError("\n".join(lines), **facts)
