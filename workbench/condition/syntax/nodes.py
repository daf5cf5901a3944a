"""The tree of a condition as parsed: plain frozen data.

Road of a condition::

    text ─▶ parser ─▶ Expr ─▶ expand (macros) ─▶ Expr ─▶ bind ─▶ Bound ─▶ evaluators

The nodes (``…Expr``) carry the names of the real engine. ``span`` counts bytes of the
text the node was written in. A macro that was expanded stays visible: a
:class:`MacroExpr` has the span of its name in the outer text, and below it all spans
count in the text of the macro. Values and arguments are bytes, unquoted and unescaped.

Nothing here may be walked by recursion: ``not(not(…))`` nests thousands of levels. Use
:func:`postorder`. For the same reason ``and``, ``or`` and ``not`` nodes compare by
identity.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from workbench.diagnostics import Span

__all__ = [
    "AndExpr",
    "Argument",
    "BinaryCheckExpr",
    "Expr",
    "FieldExpr",
    "FieldTransformerExpr",
    "IdentifierExpr",
    "ListExpr",
    "MacroExpr",
    "NotExpr",
    "OrExpr",
    "TransformerListExpr",
    "UnaryCheckExpr",
    "UnknownExpr",
    "ValueExpr",
    "children_first",
    "postorder",
]


@dataclass(frozen=True, slots=True)
class FieldExpr:
    """A field: ``name`` or ``name[arg]``; ``arg`` is None or the unquoted bytes."""

    name: str
    arg: bytes | None
    span: Span


@dataclass(frozen=True, slots=True)
class ValueExpr:
    """A constant. ``form``: "quoted", "bare", "number", or "word" (a bare set)."""

    value: bytes
    form: str
    span: Span


@dataclass(frozen=True, slots=True)
class ListExpr:
    """A list of constants behind ``in``, ``intersects``, ``pmatch`` or a modifier.

    ``dropped``: a first value with a bad escape, which the engine takes for nothing.
    """

    items: tuple[ValueExpr, ...]
    span: Span
    dropped: Span | None = None


@dataclass(frozen=True, slots=True, eq=False)
class TransformerListExpr:
    """A list as argument of a call: ``(field, "text", 5)``."""

    items: tuple[Argument, ...]
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class FieldTransformerExpr:
    """A call: ``name(args)`` or ``name(args)[arg]``; ``val`` is one of the names."""

    name: str
    args: tuple[Argument, ...]
    arg: bytes | None
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class UnaryCheckExpr:
    """``left exists``. ``op_span``: of the operator."""

    left: FieldExpr | FieldTransformerExpr
    op: str
    op_span: Span
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class BinaryCheckExpr:
    """``left op right`` or ``left op modifier right``; ``modifier``: None or a word."""

    left: FieldExpr | FieldTransformerExpr
    op: str
    modifier: str | None
    right: ValueExpr | ListExpr | FieldTransformerExpr
    op_span: Span
    span: Span


@dataclass(frozen=True, slots=True)
class IdentifierExpr:
    """A bare name where a check may stand: a macro, until expanded."""

    name: str
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class MacroExpr:
    """A macro in place: spans below ``child`` count in the text of macro ``name``."""

    name: str
    child: Expr
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class AndExpr:
    """All of two or more children."""

    children: tuple[Expr, ...]
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class OrExpr:
    """Any of two or more children."""

    children: tuple[Expr, ...]
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class NotExpr:
    """The opposite of ``child``."""

    child: Expr
    span: Span


@dataclass(frozen=True, slots=True)
class UnknownExpr:
    """A stretch that could not be understood; only the recovering parser makes it."""

    span: Span


Argument: TypeAlias = (
    "FieldExpr | ValueExpr | TransformerListExpr | FieldTransformerExpr"
)
Expr: TypeAlias = (
    "AndExpr | OrExpr | NotExpr | UnaryCheckExpr | BinaryCheckExpr"
    " | IdentifierExpr | MacroExpr | UnknownExpr"
)


def _children(node: Expr) -> tuple[Expr, ...]:
    if isinstance(node, AndExpr | OrExpr):
        return node.children
    if isinstance(node, NotExpr | MacroExpr):
        return (node.child,)
    return ()


def children_first(
    root: Any, children: Callable[[Any], tuple[Any, ...]]
) -> Iterator[Any]:
    """Yield every node below ``root`` and itself last; ``children``: those of a node.

    A consumer keeps a stack: push a result for a leaf, pop as many results as the node
    has children and push one for an inner node.
    """
    stack: list[tuple[Any, bool]] = [(root, False)]
    while stack:
        node, seen = stack.pop()
        below = () if seen else children(node)
        if below:
            stack.append((node, True))
            stack.extend((child, False) for child in reversed(below))
        else:
            yield node


def postorder(root: Expr) -> Iterator[Expr]:
    """Yield every ``and``, ``or``, ``not``, macro and check node, children first."""
    return children_first(root, _children)
