"""A text and fields in; a bound condition, or one clear error, out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.condition.binding.bind import bind, fault_diagnostic
from workbench.condition.binding.operands import BindFault
from workbench.condition.syntax.lexer import as_bytes
from workbench.condition.syntax.parser import ParseFault, parse
from workbench.diagnostics import Diagnostic, caret_lines, line_and_column
from workbench.errors import ConditionError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from workbench.condition.binding.bind import BoundCondition
    from workbench.condition.syntax.nodes import Expr
    from workbench.fields.declarations import FieldInfo

__all__ = ["condition_error", "parse_and_bind", "parse_diagnostic"]


def parse_diagnostic(fault: ParseFault, text: bytes) -> Diagnostic:
    """Turn a fault of the parser into an error with a place."""
    line, column = line_and_column(text, fault.at)
    return Diagnostic(
        "error",
        fault.code,
        fault.message,
        line=line,
        column=column,
        hint=fault.hint,
        span=fault.span,
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


def parse_and_bind(
    text: str | bytes, fields: Mapping[str, FieldInfo]
) -> tuple[Expr, BoundCondition]:
    """Parse a condition and bind it to ``fields``. Raises ConditionError."""
    raw = as_bytes(text)
    try:
        expr = parse(raw)
    except ParseFault as fault:
        error = condition_error(parse_diagnostic(fault, raw), raw, "parse")
        error.position = fault.at
        raise _with_others(error, raw, fields) from None
    try:
        return expr, bind(expr, fields, text=raw)
    except BindFault as fault:
        error = condition_error(fault_diagnostic(fault, raw), raw, "compile")
        raise _with_others(error, raw, fields) from None


def _with_others(
    error: ConditionError, raw: bytes, fields: Mapping[str, FieldInfo]
) -> ConditionError:
    """Add to the diagnostics of ``error`` what else is wrong with the text."""
    from workbench.condition.binding.recover import check_condition

    known = error.diagnostics or []
    others = [d for d in check_condition(raw, fields) if d not in known]
    error.diagnostics = [*known, *others]
    return error
