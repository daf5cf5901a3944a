"""A bound tree laid out flat, and the words for what stands in it.

Explanations walk conditions top down, without recursion: :func:`outline` lists every
node before its children, :func:`value_text` and :func:`operand_name` say in text what
people read.
"""

from __future__ import annotations

import datetime as dt
import socket
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from workbench.condition.binding.bound import (
    BoundAnd,
    BoundCheck,
    BoundNot,
    BoundOr,
    CallStep,
    ColumnStep,
    ConstStep,
    postorder,
)
from workbench.condition.semantics.values import Network
from workbench.formatting.printable import printable

if TYPE_CHECKING:
    from workbench.condition.binding.bound import Bound, Operand
    from workbench.condition.execution.origins import Origins
    from workbench.diagnostics import Span

__all__ = [
    "Line",
    "flatten",
    "operand_name",
    "outline",
    "own_spans",
    "unflatten",
    "value_text",
]

# Longest value shown, in characters, and most items of a list.
_MAX_TEXT = 160
_MAX_ITEMS = 12
_NS = 1_000_000_000


@dataclass(slots=True)
class Line:
    """One node: ``kind`` is "and", "or", "not", "macro" or "check".

    ``children``: numbers of lines. ``number``: which check of the condition this is,
    in the order of the text, or -1. ``span``: bytes of the text it was written in.
    ``macros``: those it stands in, outermost first, a macro's own line included.
    ``name``: of a macro, or of the exception that a "not" is. ``lists``: names of the
    lists that a check compares with; ``written``: such a check with these names.
    """

    kind: str
    depth: int
    span: Span
    check: BoundCheck | None = None
    children: list[int] = field(default_factory=list)
    number: int = -1
    macros: tuple[str, ...] = ()
    name: str = ""
    lists: tuple[str, ...] = ()
    written: str = ""

    @property
    def text(self) -> str:
        """What is asked here, for people."""
        if self.check is not None:
            return self.written or self.check.text
        if self.kind == "macro":
            return f"macro {self.name}"
        if self.name:
            return f"not exception {self.name}"
        return {"and": "all of", "or": "any of", "not": "not"}[self.kind]

    @property
    def text_alone(self) -> str:
        """The text, with the macros around it, for where no tree shows them."""
        if not self.macros:
            return self.text
        return f"{self.text}   (macro {', '.join(self.macros)})"


def outline(root: Bound, origins: Origins | None = None) -> list[Line]:
    """List every node of a tree, parents before children, in the order of the text.

    A macro has a line of its own above what it stands for. ``origins``: names the
    lists and exceptions that a rule set put in.
    """
    lines: list[Line] = []
    # Node, depth, number of the line above, and the macros that have lines already.
    todo: list[tuple[Bound, int, int, tuple[str, ...]]] = [(root, 0, -1, ())]
    checks = 0
    while todo:
        node, depth, parent, open_macros = todo.pop()
        macros = node.macros
        for upto in range(_shared(open_macros, macros), len(macros)):
            chain = macros[: upto + 1]
            line = Line("macro", depth, node.span, macros=chain, name=macros[upto])
            parent = _add(lines, line, parent)
            depth += 1
        if isinstance(node, BoundCheck):
            line = Line("check", depth, node.span, node, number=checks)
            checks += 1
            children: tuple[Bound, ...] = ()
        elif isinstance(node, BoundNot):
            line = Line("not", depth, node.span)
            children = (node.child,)
        else:
            kind = "and" if isinstance(node, BoundAnd) else "or"
            line = Line(kind, depth, node.span)
            children = node.children
        line.macros = macros
        if origins is not None:
            _name_origins(line, macros, origins)
        at = _add(lines, line, parent)
        todo += [(c, depth + 1, at, macros) for c in reversed(children)]
    return lines


def _add(lines: list[Line], line: Line, parent: int) -> int:
    """Append a line below line ``parent`` (-1: none); return its number."""
    if parent >= 0:
        lines[parent].children.append(len(lines))
    lines.append(line)
    return len(lines) - 1


def _name_origins(line: Line, macros: tuple[str, ...], origins: Origins) -> None:
    """Name the lists of a check, and the exception that a "not" stands for."""
    text = origins.of(macros)
    if text is None:
        return
    if line.check is not None:
        line.lists = text.lists_in(line.span)
        if line.lists:
            line.written = text.text(line.span)
    elif line.kind == "not":
        line.name = text.exception_at(line.span.start)


def own_spans(lines: list[Line], origins: Origins | None = None) -> list[Span | None]:
    """Return where each line stands in the condition as written; None inside a macro.

    ``origins``: of a condition that lists were put into.
    """
    own = None if origins is None else origins.own
    return [
        None if line.macros else line.span if own is None else own.span(line.span)
        for line in lines
    ]


def _shared(first: tuple[str, ...], second: tuple[str, ...]) -> int:
    """Return how many macros two chains begin with alike."""
    pairs = zip(first, second, strict=False)
    return next(
        (i for i, (a, b) in enumerate(pairs) if a != b), min(len(first), len(second))
    )


def flatten(root: Bound) -> list[Any]:
    """Return a tree as a flat list, children first: checks, (kind, n, span, macros)."""
    kinds = {BoundAnd: "and", BoundOr: "or", BoundNot: "not"}
    return [
        node
        if isinstance(node, BoundCheck)
        else (
            kinds[type(node)],
            len(getattr(node, "children", "1")),
            node.span,
            node.macros,
        )
        for node in postorder(root)
    ]


def unflatten(flat: list[Any]) -> Bound:
    """Undo :func:`flatten`."""
    stack: list[Bound] = []
    for item in flat:
        if isinstance(item, BoundCheck):
            stack.append(item)
            continue
        kind, size, span, macros = item
        children = tuple(stack[-size:])
        del stack[-size:]
        if kind == "not":
            stack.append(BoundNot(children[0], span, macros))
        else:
            made = BoundAnd if kind == "and" else BoundOr
            stack.append(made(children, span, macros))
    return stack.pop()


def text_of(value: bytes) -> str:
    """Return bytes as quoted text; what is not UTF-8 or printable is spelled out."""
    shown = printable(value.decode("utf-8", "backslashreplace"), limit=_MAX_TEXT)
    return f'"{shown}"'


def _address(value: bytes) -> str:
    families = {4: socket.AF_INET, 16: socket.AF_INET6}
    family = families.get(len(value))
    return value.hex(" ") if family is None else socket.inet_ntop(family, value)


def _duration(value: int) -> str:
    return f"{value} ns" if value < 1000 else f"{value} ns ({value / _NS:.9g} s)"


def _time(value: int) -> str:
    try:
        moment = dt.datetime.fromtimestamp(value // _NS, dt.UTC)
    except (ValueError, OverflowError, OSError):
        return f"{value} ns"
    return f"{value} ns ({moment:%Y-%m-%d %H:%M:%S}.{value % _NS:09d} UTC)"


def value_text(value: Any, type_: str) -> str:
    """Return a value or a list of values of a field type as people read it."""
    if value is None:
        return "absent"
    if isinstance(value, list):
        shown = [value_text(item, type_) for item in value[:_MAX_ITEMS]]
        if len(value) > _MAX_ITEMS:
            shown.append(f"… {len(value) - _MAX_ITEMS} more")
        return f"({', '.join(shown)})"
    if isinstance(value, Network):
        return f"{_address(value.address)}/{value.prefix}"
    if isinstance(value, bytes):
        return _address(value) if type_ in ("ipaddr", "ipnet") else text_of(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if type_ == "reltime":
        return _duration(value)
    return _time(value) if type_ == "abstime" else str(value)


def operand_name(operand: Operand, upto: int | None = None) -> str:
    """Write an operand, or its value after step ``upto``, as in a condition."""
    names: list[str] = []
    for step in operand.steps:
        if isinstance(step, ColumnStep):
            names.append(step.column)
        elif isinstance(step, ConstStep):
            names.append(text_of(step.value))
        elif isinstance(step, CallStep):
            option = "" if step.option is None else f"[{text_of(step.option)[1:-1]}]"
            args = ", ".join(names[i] for i in step.args)
            names.append(f"{step.name}({args}){option}")
        else:
            names.append(f"({', '.join(names[i] for i in step.items)})")
    return printable(names[-1 if upto is None else upto], limit=_MAX_TEXT)
