"""Fields and calls outside conditions: in outputs and as fields of exceptions."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from workbench.condition.binding.faults import BindFault
from workbench.condition.binding.operands import bind_operand
from workbench.condition.syntax.canonical import operand_text
from workbench.condition.syntax.grammar import ParseFault, Rules
from workbench.condition.syntax.nodes import (
    FieldExpr,
    FieldTransformerExpr,
    TransformerListExpr,
)
from workbench.fields.reference import FieldFault, FieldRef, find_field
from workbench.rules.target.value_text import list_text, raw_values

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa

    from workbench.condition.binding.bound import Operand
    from workbench.condition.syntax.nodes import Argument
    from workbench.fields.declarations import FieldInfo
    from workbench.fields.reference import ResolvedField

__all__ = ["CallValue", "ManyArguments", "check_operand", "compile_call"]

# Transformers that take one argument.
_SINGLE = frozenset(("tolower", "toupper", "b64", "basename", "len"))


class ManyArguments(ValueError):
    """A one-argument transformer called with several; the engine gives up on it."""


class _CallParser(Rules):
    """Reads a call at the beginning of a text; notes where its parenthesis closed."""

    call_end = 0

    def argument(self) -> bytes | None:
        """Read the bracket behind a call or field."""
        if self.depth == 0:
            self.call_end = self.cursor.at
        return super().argument()


class CallValue:
    """A transformer call that can be evaluated over a table.

    ``fields``: the plain fields inside, in order. ``text``: canonical text. ``names``:
    of the transformers.
    """

    def __init__(
        self,
        node: FieldTransformerExpr,
        operand: Operand,
        fields: list[tuple[FieldRef, ResolvedField]],
    ) -> None:
        """Keep what was bound; made by :func:`compile_call`."""
        self.fields = fields
        self.text = operand_text(node).decode("utf-8", "surrogateescape")
        self.names = {
            inner.name
            for inner in _walk(node)
            if isinstance(inner, FieldTransformerExpr)
        }
        self._operand = operand
        self._never = _over_nothing(node)

    def texts(self, table: pa.Table, *, tolerant: bool) -> list[str | None]:
        """Return one text per row, None where the call yields nothing.

        ``tolerant``: of a format that begins with ``*``.
        """
        from workbench.condition.execution.reference import operand_values

        if self._never and not tolerant:
            return [None] * table.num_rows
        operand = self._operand
        names = list(operand.columns)
        kinds = {field.column: field.info for _, field in self.fields}
        columns = []
        for name in names:
            if name not in table.column_names:
                raise KeyError(f"the table has no column {name!r}")
            info = kinds[name]
            columns.append(
                raw_values(table.column(name), info.type, is_list=info.is_list)
            )
        if not columns:
            return [self._text(operand_values(operand, {}))] * table.num_rows
        cache: dict[Any, str | None] = {}
        out = []
        for row in zip(*columns, strict=True):
            if row not in cache:
                if len(cache) > 100_000:
                    cache.clear()
                values = dict(zip(names, row, strict=True))
                cache[row] = self._text(operand_values(operand, values))
            out.append(cache[row])
        return out

    def _text(self, values: list[Any] | None) -> str | None:
        if values is None:
            return None
        texts = [_value_text(value) for value in values]
        if self._operand.is_list:
            return list_text(texts)
        return texts[0] if texts else None


def _value_text(value: Any) -> str:
    if isinstance(value, bytes):
        return value.split(b"\0", 1)[0].decode("utf-8", "surrogateescape")
    return str(value)


def _over_nothing(node: FieldTransformerExpr) -> bool:
    """Whether this is a one-argument call with no field at its bottom.

    A format that wants every value evaluates such a call on a field, and there is
    none: nothing results. Behind ``*``, as in all alerts, its value prints.
    """
    inner: Argument = node
    while isinstance(inner, FieldTransformerExpr) and inner.name in _SINGLE:
        inner = inner.args[0]
    return inner is not node and not isinstance(inner, FieldExpr)


def _walk(node: Argument) -> list[Argument]:
    """Return every node of a call, outermost first, in reading order."""
    found: list[Argument] = []
    todo = [node]
    while todo:
        inner = todo.pop()
        found.append(inner)
        if isinstance(inner, FieldTransformerExpr):
            todo.extend(reversed(inner.args))
        elif isinstance(inner, TransformerListExpr):
            todo.extend(reversed(inner.items))
    return found


def _bound(node: FieldTransformerExpr, fields: Mapping[str, FieldInfo]) -> CallValue:
    references = []
    for inner in _walk(node):
        if (
            isinstance(inner, FieldTransformerExpr)
            and inner.name in _SINGLE
            and len(inner.args) > 1
        ):
            raise ManyArguments(inner.name)
        if isinstance(inner, FieldExpr):
            raw = inner.arg
            argument = None if raw is None else raw.decode("utf-8", "surrogateescape")
            ref = FieldRef(inner.name, argument)
            references.append((ref, find_field(ref, fields)))
    return CallValue(node, bind_operand(node, fields), references)


def compile_call(
    raw: bytes, start: int, fields: Mapping[str, FieldInfo]
) -> tuple[CallValue, int] | None:
    """Read the call at ``raw[start]``: its value and where it ends.

    None when there is no usable call; a bracket behind it that does not belong to it
    is left out. Raises ManyArguments.
    """
    parser = _CallParser(raw[start:])
    name = parser.cursor.call()
    if name is None:
        return None
    try:
        node = parser.run(parser.call(name, 0))
        end = parser.cursor.at
    except ParseFault:
        if not parser.call_end:
            return None
        shorter = _CallParser(raw[start : start + parser.call_end])
        rule = shorter.call(shorter.cursor.call() or name, 0)
        node, end = shorter.run(rule), parser.call_end
    attempts = [(node, end)]
    if node.arg is not None:
        attempts.append((replace(node, arg=None), parser.call_end))
    for attempt, length in attempts:
        try:
            return _bound(attempt, fields), start + length
        except (BindFault, FieldFault):
            continue
    return None


def check_operand(
    text: str, fields: Mapping[str, FieldInfo]
) -> tuple[str | None, str] | None:
    """Check a field or call that stands alone, as exceptions name it.

    None when it is usable; else the engine's message, None for "unknown", and a hint.
    """
    from workbench.errors import ConditionError
    from workbench.fields.builtin import BUILTIN_FIELDS
    from workbench.fields.reference import parse_field_ref
    from workbench.fields.spelling import nearest_names

    raw = text.encode("utf-8", "surrogateescape")
    parser = _CallParser(raw)
    name = parser.cursor.call()
    try:
        if name is not None:
            node = parser.run(parser.call(name, 0))
            if parser.cursor.at == len(raw):
                _bound(node, fields)
                return None
            return None, "one field or one call, nothing behind it"
        find_field(parse_field_ref(text), fields)
    except ManyArguments as many:
        return None, f"{many.args[0]}() takes one argument"
    except (BindFault, FieldFault) as fault:
        if fault.code == "unknown-field":
            return None, fault.hint or "name a field of the rule's source"
        return fault.message, fault.hint or "correct the field"
    except (ParseFault, ConditionError):
        near = nearest_names(text, {**fields, **BUILTIN_FIELDS})
        hint = f"did you mean {near[0]}?" if near else "name a field of the source"
        return None, hint
    return None
