"""A text and fields in; a bound condition, or one clear error, out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.condition.binding.bind import bind
from workbench.condition.binding.faults import (
    BindFault,
    condition_error,
    fault_diagnostic,
    parse_diagnostic,
)
from workbench.condition.binding.field_names import field_name_hint
from workbench.condition.binding.recover import check_condition
from workbench.condition.syntax.lexer import as_bytes
from workbench.condition.syntax.parser import ParseFault, parse

if TYPE_CHECKING:
    from collections.abc import Mapping

    from workbench.condition.binding.bind import BoundCondition
    from workbench.condition.syntax.nodes import Expr
    from workbench.errors import ConditionError
    from workbench.fields.declarations import FieldInfo

__all__ = ["parse_and_bind"]


def parse_and_bind(
    text: str | bytes, fields: Mapping[str, FieldInfo]
) -> tuple[Expr, BoundCondition]:
    """Parse a condition and bind it to ``fields``. Raises ConditionError."""
    raw = as_bytes(text)
    try:
        expr = parse(raw)
    except ParseFault as fault:
        fault.hint = field_name_hint(fault, raw, fields) or fault.hint
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
    known = error.diagnostics or []
    others = [d for d in check_condition(raw, fields) if d not in known]
    error.diagnostics = [*known, *others]
    return error
