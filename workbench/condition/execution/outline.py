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
    """One node: ``kind`` is "and", "or", "not" or "check".

    ``children``: numbers of lines. ``number``: which check of the condition this is,
    in the order of the text, or -1. ``span``: bytes of the text it was written in.
    """

    kind: str
    depth: int
    span: Span
    check: BoundCheck | None = None
    children: list[int] = field(default_factory=list)
    number: int = -1

    @property
    def text(self) -> str:
        """What is asked here, for people."""
        if self.check is None:
            return {"and": "all of", "or": "any of", "not": "not"}[self.kind]
        if self.check.macros:
            return f"{self.check.text}   (macro {', '.join(self.check.macros)})"
        return self.check.text


def outline(root: Bound) -> list[Line]:
    """List every node of a tree, parents before children, in the order of the text."""
    lines: list[Line] = []
    todo: list[tuple[Bound, int, int]] = [(root, 0, -1)]
    checks = 0
    while todo:
        node, depth, parent = todo.pop()
        at = len(lines)
        if parent >= 0:
            lines[parent].children.append(at)
        if isinstance(node, BoundCheck):
            lines.append(Line("check", depth, node.span, node, number=checks))
            checks += 1
        elif isinstance(node, BoundNot):
            lines.append(Line("not", depth, node.span))
            todo.append((node.child, depth + 1, at))
        else:
            kind = "and" if isinstance(node, BoundAnd) else "or"
            lines.append(Line(kind, depth, node.span))
            todo += [(c, depth + 1, at) for c in reversed(node.children)]
    return lines


def own_spans(lines: list[Line]) -> list[Span | None]:
    """Return where each line stands in the condition itself; None inside a macro.

    An inner node does not know its macros: it counts as inside one that all its checks
    came through.
    """
    through: list[tuple[str, ...]] = [()] * len(lines)
    for at in range(len(lines) - 1, -1, -1):
        line = lines[at]
        below = [through[child] for child in line.children]
        through[at] = line.check.macros if line.check else _shared_head(below)
    return [
        None if macros else line.span
        for line, macros in zip(lines, through, strict=True)
    ]


def _shared_head(chains: list[tuple[str, ...]]) -> tuple[str, ...]:
    low, high = min(chains), max(chains)
    size = next((i for i, n in enumerate(low) if high[i : i + 1] != (n,)), len(low))
    return low[:size]


def flatten(root: Bound) -> list[Any]:
    """Return a tree as a flat list, children first: checks, (kind, n, span)."""
    kinds = {BoundAnd: "and", BoundOr: "or", BoundNot: "not"}
    return [
        node
        if isinstance(node, BoundCheck)
        else (kinds[type(node)], len(getattr(node, "children", "1")), node.span)
        for node in postorder(root)
    ]


def unflatten(flat: list[Any]) -> Bound:
    """Undo :func:`flatten`."""
    stack: list[Bound] = []
    for item in flat:
        if isinstance(item, BoundCheck):
            stack.append(item)
            continue
        kind, size, span = item
        children = tuple(stack[-size:])
        del stack[-size:]
        if kind == "not":
            stack.append(BoundNot(children[0], span))
        else:
            stack.append((BoundAnd if kind == "and" else BoundOr)(children, span))
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
