"""Binding fields and calls: which column, which type, is every argument acceptable.

The checks follow the engine's order: arguments from left to right, innermost first.
Where a call takes several arguments the engine looks at what stands at the bottom of
each (``join(",", len(list))`` passes as a list); so does this module, and says so in
its warnings instead.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from workbench.condition.binding.bound import (
    CallStep,
    ColumnStep,
    ConstStep,
    ListStep,
    Operand,
)
from workbench.condition.binding.faults import BindFault, UncheckedField
from workbench.condition.semantics.transformers import TRANSFORMER_INFO
from workbench.condition.syntax.nodes import (
    FieldExpr,
    FieldTransformerExpr,
    TransformerListExpr,
    ValueExpr,
)
from workbench.fields.reference import FieldFault, FieldRef, find_field
from workbench.fields.spelling import nearest_names
from workbench.fields.types import FIELD_TYPES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from workbench.condition.binding.bound import Step
    from workbench.condition.syntax.nodes import Argument
    from workbench.fields.declarations import FieldInfo

__all__ = ["bind_operand", "rests_on", "type_name"]


def type_name(type_: str, is_list: bool) -> str:  # noqa: FBT001 - two halves of a type
    """Name a type for people."""
    return f"list of {type_}" if is_list else type_


def rests_on(operand: Operand) -> Step:
    """Return the step below the functions of one argument: a column, constant or list,
    ``join``, ``concat`` or ``getopt``.
    """  # noqa: D205 - the first line is the whole summary
    step = operand.steps[-1]
    while isinstance(step, CallStep) and len(step.args) == 1:
        step = operand.steps[step.args[0]]
    return step


@dataclass(slots=True)
class _Bound:
    """A step made, with its type, and the type of what stands at its bottom."""

    index: int
    type: str
    is_list: bool
    origin: str
    origin_list: bool
    text: str


def bind_operand(
    root: Argument,
    fields: Mapping[str, FieldInfo],
    unchecked: Callable[[str], bool] | None = None,
) -> Operand:
    """Bind a field or a call. Raises BindFault, or UncheckedField if ``unchecked``
    says of the name of an unknown field that it may exist.
    """  # noqa: D205 - the first line is the whole summary
    if isinstance(root, FieldExpr):
        column = _column(root, fields, unchecked)
        return Operand((column,), column.type, column.is_list, root.span)
    steps: list[Step] = []
    done: list[_Bound] = []
    todo: list[tuple[Argument, bool]] = [(root, False)]
    while todo:
        node, ready = todo.pop()
        if isinstance(node, FieldExpr):
            column = _column(node, fields, unchecked)
            kind = (column.type, column.is_list)
            done.append(_Bound(len(steps), *kind, *kind, column.column))
            steps.append(column)
        elif isinstance(node, ValueExpr):
            shown = ascii(node.value.decode("utf-8", "backslashreplace"))
            done.append(_Bound(len(steps), "string", False, "string", False, shown))
            steps.append(ConstStep(node.value))
        elif not ready:
            inner = node.items if isinstance(node, TransformerListExpr) else node.args
            todo.append((node, True))
            todo.extend((argument, False) for argument in reversed(inner))
        elif isinstance(node, TransformerListExpr):
            items = _pop(done, len(node.items))
            step = ListStep(
                tuple(item.index for item in items),
                tuple(item.origin == item.type == "uint64" for item in items),
            )
            done.append(_Bound(len(steps), "string", True, "string", True, "the list"))
            steps.append(step)
        else:
            arguments = _pop(done, len(node.args))
            bound = _call(node, arguments, steps)
            done.append(bound)
    last = done.pop()
    return Operand(tuple(steps), last.type, last.is_list, root.span)


def _pop(done: list[_Bound], count: int) -> list[_Bound]:
    items = done[len(done) - count :]
    del done[len(done) - count :]
    return items


def _column(
    node: FieldExpr,
    fields: Mapping[str, FieldInfo],
    unchecked: Callable[[str], bool] | None,
) -> ColumnStep:
    argument = None if node.arg is None else node.arg.decode("utf-8", "surrogateescape")
    try:
        found = find_field(FieldRef(node.name, argument), fields)
    except FieldFault as fault:
        if unchecked is not None and unchecked(node.name):
            raise UncheckedField(node.name) from None
        hint = fault.hint
        if fault.code == "unknown-field" and node.name.partition(".")[0] == "val":
            hint = f"nearest: {', '.join(nearest_names(node.name, fields))}"
        raise BindFault(fault.code, fault.message, node.span, hint) from None
    if found.info.type not in FIELD_TYPES:
        raise BindFault(
            "unknown-type",
            f"{node.name} is declared with the unknown type '{found.info.type}'",
            node.span,
            f"fields have the types {' '.join(FIELD_TYPES)}",
        )
    return ColumnStep(found.column, found.info.type, found.info.is_list)


def _call(
    node: FieldTransformerExpr, arguments: list[_Bound], steps: list[Step]
) -> _Bound:
    name = node.name
    info = TRANSFORMER_INFO[name]
    if name == "val":
        if node.arg is not None:
            raise _no_option(node)
        return arguments[0]
    if info.many != (len(arguments) > 1):
        wanted = "two or more arguments" if info.many else "one argument"
        raise BindFault(
            "call-arguments",
            f"{name}() takes {wanted}, {len(arguments)} given",
            node.span,
            f"usage: {info.usage}",
        )
    first = arguments[0]
    origin: tuple[str, bool] = ("string", False)
    if info.many:
        _check_many(node, arguments)
        result = ("string", name == "getopt" and node.arg is None)
    elif name == "len":
        if not first.is_list and first.type != "string":
            raise _wrong_type(node, first, "a text or a list")
        result = ("uint64", False)
        origin = (first.origin, first.origin_list)
    else:
        if first.type != "string":
            raise _wrong_type(node, first, "text")
        result = ("string", first.is_list)
        origin = (first.origin, first.origin_list)
    if node.arg is not None and name != "getopt":
        raise _no_option(node)
    index = len(steps)
    steps.append(CallStep(name, tuple(a.index for a in arguments), node.arg, *result))
    return _Bound(index, *result, *origin, f"{name}(…)")


def _no_option(node: FieldTransformerExpr) -> BindFault:
    return BindFault(
        "call-option",
        f"{node.name}(…) takes no argument in brackets",
        node.span,
        "only getopt(…)[x] does; the argument of a field stands inside: name(field[x])",
    )


def _wrong_type(node: FieldTransformerExpr, found: _Bound, wanted: str) -> BindFault:
    return BindFault(
        "call-type",
        f"{node.name}() takes {wanted}, {found.text} is"
        f" {type_name(found.type, found.is_list)}",
        node.span,
        f"usage: {TRANSFORMER_INFO[node.name].usage}",
    )


def _check_many(node: FieldTransformerExpr, arguments: list[_Bound]) -> None:
    name = node.name
    usage = f"usage: {TRANSFORMER_INFO[name].usage}"

    def refuse(message: str, hint: str = usage) -> BindFault:
        return BindFault("call-arguments", message, node.span, hint)

    if name == "concat":
        for item in arguments:
            if item.origin != "string" or item.origin_list:
                found = type_name(item.origin, item.origin_list)
                raise refuse(
                    f"concat() takes texts, {item.text} is {found}",
                    "to join numbers and lists with texts, use join('', (a, b))",
                )
        return
    if len(arguments) != 2:
        raise refuse(f"{name}() takes two arguments, {len(arguments)} given")
    first, second = arguments
    if name == "join":
        if first.origin_list:
            raise refuse(f"the separator of join() is one text, {first.text} is a list")
        if not second.origin_list:
            raise refuse(
                f"join() takes a list, {second.text} is not one",
                "put the values in parentheses: join(',', (a, b))",
            )
        return
    if not first.origin_list:
        raise refuse(f"getopt() reads a list of words, {first.text} is not a list")
    if second.origin_list:
        raise refuse(f"the options of getopt() are one text, {second.text} is a list")
    if first.origin != "string" or second.origin != "string":
        raise refuse("getopt() takes texts only")
    if node.arg is not None and len(node.arg) != 1:
        raise refuse("getopt(…)[x] takes one letter in brackets")
