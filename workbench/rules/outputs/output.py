"""Outputs: message templates with ``%field`` items, compiled and rendered by column."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

from workbench.arguments import Kind, takes
from workbench.diagnostics import Diagnostic, Span, line_and_column
from workbench.errors import ConditionError, RulesError
from workbench.fields.builtin import BUILTIN_FIELDS
from workbench.fields.declarations import as_field_table
from workbench.fields.quoting import EscapeFault, scan_quoted
from workbench.fields.reference import (
    BARE_ARGUMENT,
    FIELD_NAME,
    FieldFault,
    FieldRef,
    find_field,
)
from workbench.fields.spelling import nearest_names
from workbench.rules.outputs.row_texts import RowTexts
from workbench.rules.target.operands import CallValue, ManyArguments, compile_call
from workbench.rules.target.value_text import (
    fitted,
    json_values,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import pyarrow as pa

    from workbench.fields.declarations import FieldInfo
    from workbench.fields.reference import ResolvedField

__all__ = ["Output", "OutputFault", "compile_output"]

_CODE = "LOAD_ERR_COMPILE_OUTPUT"
_UNKNOWN = "unknown filter: unexpected token after '"
_DIGITS = re.compile(rb"[0-9]+")
_CALL = re.compile(rb"[a-z0-9]+\(")
# Fields whose JSON value is the event time in nanoseconds, whatever their text.
_TIME_FIELDS = ("evt.time", "evt.datetime")
# Most bytes that a single item may take.
_MAX_ITEM = 4096
_MAX_WIDTH = 1 << 20


class OutputFault(ValueError):
    """What is wrong with a format. ``at``: byte offset; ``end``: behind the fault."""

    def __init__(
        self, message: str, at: int, end: int, hint: str | None = None
    ) -> None:
        """Keep the facts."""
        super().__init__(message, at)
        self.message = message
        self.at = at
        self.end = end
        self.hint = hint


@dataclass(frozen=True, slots=True)
class FieldItem:
    """A field in a format. ``at``, ``end``: bytes it takes; ``wanted``: as written."""

    field: ResolvedField
    ref: FieldRef
    width: int
    at: int
    end: int
    wanted: str

    @property
    def names(self) -> list[str]:
        """The names of the values that the item needs."""
        return [_shown(self.ref)]

    @property
    def columns(self) -> list[str]:
        """The columns that the item reads."""
        return [self.field.column]


@dataclass(frozen=True, slots=True)
class CallItem:
    """A transformer call in a format."""

    call: CallValue
    width: int
    at: int
    end: int

    @property
    def names(self) -> list[str]:
        """The names of the fields inside, and the call itself."""
        return [*(_shown(ref) for ref, _ in self.call.fields), self.call.text]

    @property
    def columns(self) -> list[str]:
        """The columns that the item reads."""
        return [resolved.column for _, resolved in self.call.fields]


Item: TypeAlias = "str | FieldItem | CallItem"


def _shown(ref: FieldRef) -> str:
    """Write a reference as the engine does: an odd argument in quotes."""
    from workbench.condition.syntax.canonical import operand_text
    from workbench.condition.syntax.nodes import FieldExpr

    if ref.arg is None:
        return ref.name
    raw = ref.arg.encode("utf-8", "surrogateescape")
    expr = FieldExpr(ref.name, raw, Span(0, 0))
    return operand_text(expr).decode("utf-8", "surrogateescape")


def _parse_field(
    raw: bytes, at: int, fields: Mapping[str, FieldInfo]
) -> tuple[FieldRef, ResolvedField, int] | None:
    """Read the longest usable field at ``at``: reference, field and where it ends."""
    match = FIELD_NAME.match(raw, at, at + _MAX_ITEM)
    if match is None:
        return None
    name, end = match.group().decode(), match.end()
    if raw[end : end + 1] == b"[":
        argument = _parse_argument(raw, end + 1)
        if argument is not None:
            ref = FieldRef(name, argument[0].decode("utf-8", "surrogateescape"))
            resolved = _usable(ref, fields)
            if resolved is not None:
                return ref, resolved, argument[1]
    parts_needed = name.find(".") + 1
    for length in range(len(name), parts_needed, -1):
        shorter = name[:length]
        if shorter.endswith("."):
            continue
        if (
            length < len(name)
            and shorter not in fields
            and shorter not in BUILTIN_FIELDS
        ):
            continue
        ref = FieldRef(shorter)
        resolved = _usable(ref, fields)
        if resolved is not None:
            return ref, resolved, at + length
    return None


def _parse_argument(raw: bytes, at: int) -> tuple[bytes, int] | None:
    try:
        scanned = scan_quoted(raw, at)
    except EscapeFault:
        return None
    if scanned is None:
        bare = BARE_ARGUMENT.match(raw, at)
        if bare is None:
            return None
        scanned = bare.group(), bare.end()
    value, end = scanned
    return (value, end + 1) if raw[end : end + 1] == b"]" else None


def _usable(ref: FieldRef, fields: Mapping[str, FieldInfo]) -> ResolvedField | None:
    try:
        return find_field(ref, fields)
    except FieldFault:
        return None


def _items(raw: bytes, fields: Mapping[str, FieldInfo]) -> Iterable[Item]:
    """Yield the literal texts and items of a format. Raises OutputFault."""
    size = len(raw)
    literal = 0
    at = raw.find(b"%")
    while at >= 0:
        if at > literal:
            yield raw[literal:at].decode("utf-8", "surrogateescape")
        if at == size - 1:
            raise OutputFault(
                "invalid formatting syntax: formatting cannot end with a %",
                at,
                size,
                "remove the percent sign: outputs cannot print one",
            )
        start = at + 1
        width = 0
        digits = _DIGITS.match(raw, start)
        if digits is not None:
            width = min(int(digits.group()[:12]), _MAX_WIDTH)
            start = digits.end()
            if start == size:
                raise OutputFault(
                    "invalid formatting syntax: formatting cannot end with a number",
                    at,
                    size,
                    "put a field name after the width",
                )
        item = _item(raw, at, start, width, fields)
        yield item
        literal = item.end
        at = raw.find(b"%", literal)
    if literal < size:
        yield raw[literal:].decode("utf-8", "surrogateescape")


def _item(
    raw: bytes, at: int, start: int, width: int, fields: Mapping[str, FieldInfo]
) -> FieldItem | CallItem:
    if _CALL.match(raw, start):
        try:
            compiled = compile_call(raw, start, fields)
        except ManyArguments as many:
            name = many.args[0]
            raise OutputFault(
                "unknown multivalue transformer",
                at,
                start + len(name),
                f"{name}() takes one argument",
            ) from None
        if compiled is not None:
            return CallItem(compiled[0], width, at, compiled[1])
    found = _parse_field(raw, start, fields)
    if found is not None:
        ref, resolved, end = found
        wanted = FIELD_NAME.match(raw, start)
        written = wanted.group().decode() if wanted else ref.name
        return FieldItem(resolved, ref, width, at, end, written)
    raise OutputFault(_UNKNOWN, at, *_explain(raw, start, fields))


def _explain(
    raw: bytes, start: int, fields: Mapping[str, FieldInfo]
) -> tuple[int, str]:
    """Return where an unusable item ends and how to mend it."""
    match = FIELD_NAME.match(raw, start)
    if match is None:
        if raw[start : start + 1] == b"%":
            return start + 1, "outputs cannot print a percent sign: remove it"
        end = min(len(raw), start + 1)
        return end, "a percent sign must be followed by a field, such as %evt.num"
    name = match.group().decode()
    try:
        find_field(FieldRef(name), fields)
    except FieldFault as fault:
        if fault.code != "unknown-field":
            return match.end(), f"{fault.message}; {fault.hint}"
    near = nearest_names(name, {**fields, **BUILTIN_FIELDS})
    if near:
        return match.end(), f"did you mean %{' or %'.join(near)}?"
    return match.end(), f"{name} is not a field of this source"


class Output:
    """A compiled output.

    ``columns``: names of the columns it needs. ``names``: what the engine resolves, in
    order. ``tolerant``: absent values print as ``<NA>`` (the format began with ``*``).
    """

    def __init__(
        self,
        text: str,
        items: Sequence[Item],
        *,
        tolerant: bool,
        known_names: Iterable[str] = (),
    ) -> None:
        """Keep the items; made by :func:`compile_output`."""
        self.text = text
        self.items = tuple(items)
        self.tolerant = tolerant
        self.known_names = known_names
        self.names: list[str] = []
        columns: dict[str, None] = {}
        for item in self.field_items():
            self.names.extend(item.names)
            columns.update(dict.fromkeys(item.columns))
        if any(name.startswith(_TIME_FIELDS) for name in columns):
            columns["evt.rawtime"] = None
        self.columns = list(columns)

    def __repr__(self) -> str:
        """Show the format."""
        return f"Output({self.text!r})"

    @property
    def calls(self) -> set[str]:
        """The names of the transformers that the format uses."""
        calls = [item.call for item in self.items if isinstance(item, CallItem)]
        return {name for call in calls for name in call.names}

    def field_items(self) -> list[FieldItem | CallItem]:
        """Return the items that are not literal text."""
        return [item for item in self.items if not isinstance(item, str)]

    def json_fields(self) -> dict[str, ResolvedField]:
        """Return the plain fields of ``output_fields``: name as written → field."""
        result: dict[str, ResolvedField] = {}
        for item in self.field_items():
            if isinstance(item, FieldItem):
                result.setdefault(_shown(item.ref), item.field)
            else:
                for ref, resolved in item.call.fields:
                    result.setdefault(_shown(ref), resolved)
        return result

    def shortened(self) -> list[tuple[Span, str, str]]:
        """Return the items that fell back to a shorter name: span, written, used."""
        return [
            (Span(item.at, item.end), item.wanted, item.ref.name)
            for item in self.field_items()
            if isinstance(item, FieldItem)
            and item.ref.arg is None
            and item.wanted != item.ref.name
        ]

    @cached_property
    def _template(self) -> str:
        return "".join(
            item.replace("%", "%%") if isinstance(item, str) else "%s"
            for item in self.items
        )

    def render(self, table: pa.Table | RowTexts) -> list[str | None]:
        """Return one text per row, None where Falco renders nothing.

        Bytes that are not UTF-8 come as surrogate escapes. Raises KeyError naming a
        column that ``table`` lacks.
        """
        rows = table if isinstance(table, RowTexts) else RowTexts(table)
        columns = [self._texts(item, rows) for item in self.field_items()]
        if not columns:
            return [self._template % ()] * rows.num_rows
        write = self._template.__mod__
        if self.tolerant:
            return [write(row) for row in zip(*columns, strict=True)]
        return [
            None if None in row else write(row) for row in zip(*columns, strict=True)
        ]

    def _texts(self, item: FieldItem | CallItem, rows: RowTexts) -> list[str | None]:
        if isinstance(item, CallItem):
            texts = item.call.texts(rows.table(item.columns), tolerant=self.tolerant)
        else:
            texts = rows.texts(item.field.column, item.field.info)
        if self.tolerant:
            texts = ["<NA>" if text is None else text for text in texts]
        if item.width:
            fit = fitted(item.width)
            return [None if text is None else fit(text) for text in texts]
        return texts

    def json(self, table: pa.Table) -> list[dict[str, Any] | None]:
        """Return the raw values of ``output_fields``, one dict per row.

        None where Falco renders nothing, and everywhere when the format names no
        field. Times are integers of ns. Raises KeyError as :meth:`render`.
        """
        columns = self.json_columns(table)
        if not columns:
            return [None] * table.num_rows
        names = list(columns)
        rows = [
            dict(zip(names, row, strict=True))
            for row in zip(*columns.values(), strict=True)
        ]
        if self.tolerant:
            return list(rows)
        return [None if None in row.values() else row for row in rows]

    def json_columns(self, table: pa.Table) -> dict[str, list[Any]]:
        """Return the raw values of ``output_fields``: name → one value per row."""
        return {
            name: self._json_column(field, table)
            for name, field in self.json_fields().items()
        }

    @cached_property
    def json_names(self) -> list[str]:
        """The names of ``output_fields``, in the order of :meth:`json_texts`."""
        return list(self.json_fields())

    def json_texts(self, table: pa.Table | RowTexts) -> dict[str, list[str]]:
        """Return ``output_fields`` written as JSON: name → one text per row."""
        rows = table if isinstance(table, RowTexts) else RowTexts(table)
        return {
            name: rows.json_texts(column, kind, is_list=is_list)
            for name, (column, kind, is_list) in self._json_columns.items()
        }

    @cached_property
    def _json_columns(self) -> dict[str, tuple[str, str, bool]]:
        """Name in ``output_fields`` → column, kind of its values, list or not."""
        found = {}
        for name, field in self.json_fields().items():
            info = field.info
            column, kind = field.column, info.type
            if info.name.startswith(_TIME_FIELDS) and info.name in BUILTIN_FIELDS:
                column, kind = "evt.rawtime", "abstime"
            found[name] = column, kind, info.is_list
        return found

    def _json_column(self, field: ResolvedField, table: pa.Table) -> list[Any]:
        info = field.info
        if info.name.startswith(_TIME_FIELDS) and info.name in BUILTIN_FIELDS:
            return json_values(_column(table, "evt.rawtime"), "abstime", is_list=False)
        column = _column(table, field.column)
        return json_values(column, info.type, is_list=info.is_list)


def _column(table: pa.Table, name: str) -> Any:
    if name not in table.column_names:
        known = ", ".join(table.column_names[:20])
        raise KeyError(f"the table has no column {name!r}; it has {known}")
    return table.column(name)


def parse_output(text: str, fields: Mapping[str, FieldInfo]) -> Output:
    """Compile a format. Raises OutputFault."""
    raw = text.encode("utf-8", "surrogateescape")
    if not raw:
        raise OutputFault("empty formatting token", 0, 0, "write a message")
    tolerant = raw.startswith(b"*")
    shift = 1 if tolerant else 0
    items: list[Item] = []
    try:
        for item in _items(raw[shift:], fields):
            if isinstance(item, str):
                items.append(item)
            else:
                moved = replace(item, at=item.at + shift, end=item.end + shift)
                items.append(moved)
    except OutputFault as fault:
        raise OutputFault(
            fault.message, fault.at + shift, fault.end + shift, fault.hint
        ) from None
    return Output(text, items, tolerant=tolerant, known_names=fields)


@takes(text=Kind("a text", lambda v: isinstance(v, str)))
def compile_output(
    text: str,
    fields: Mapping[str, FieldInfo] | Iterable[FieldInfo | Mapping[str, Any]],
) -> Output:
    """Compile an output format for events with these fields.

    ``fields``: mapping of FieldInfo or decoded get_fields JSON; ``evt.*`` is always
    known. A leading ``*`` makes absent values print as ``<NA>``; Falco puts one before
    every rule's output. Raises RulesError (LOAD_ERR_COMPILE_OUTPUT) for a bad format.
    """
    try:
        return parse_output(text, as_field_table(fields))
    except OutputFault as fault:
        line, column = line_and_column(text, fault.at)
        diagnostic = Diagnostic(
            "error",
            _CODE,
            fault.message,
            None,
            line,
            column,
            fault.hint,
            Span(fault.at, fault.end),
        )
        message = f"{_CODE} at column {column}: {fault.message}"
        if fault.hint:
            message += f"; {fault.hint}"
        raise RulesError(message, diagnostics=[diagnostic]) from None
    except ConditionError as error:
        diagnostic = Diagnostic("error", _CODE, error.message, hint=error.hint)
        raise RulesError(error.message, diagnostics=[diagnostic]) from None
