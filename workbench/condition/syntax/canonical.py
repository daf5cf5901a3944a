"""The canonical text of a condition: as the real engine prints a compiled one.

It is meant for reading and comparing. It does not always parse back: empty values,
commas and parentheses are not quoted.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from workbench.condition.syntax.nodes import (
    AndExpr,
    BinaryCheckExpr,
    FieldExpr,
    IdentifierExpr,
    ListExpr,
    MacroExpr,
    NotExpr,
    OrExpr,
    TransformerListExpr,
    UnaryCheckExpr,
    ValueExpr,
)
from workbench.fields.quoting import quote

if TYPE_CHECKING:
    from workbench.condition.syntax.nodes import Argument, Expr

__all__ = ["canonical", "canonical_bytes", "operand_text"]

# A value that holds one of these is printed in quotes.
_NEEDS_QUOTES = re.compile(rb"[ \b\f\n\r\t=\\\"']")


def _value(value: bytes) -> bytes:
    return quote(value) if _NEEDS_QUOTES.search(value) else value


def _argument(value: bytes | None) -> bytes:
    if value is None:
        return b""
    return b"[" + (_value(value) if value else b'""') + b"]"


def operand_text(root: Argument | ListExpr) -> bytes:
    """Return the canonical text of a field, call, value or list."""
    parts: list[bytes] = []
    todo: list[Argument | ListExpr | bytes] = [root]
    while todo:
        node = todo.pop()
        if isinstance(node, bytes):
            parts.append(node)
        elif isinstance(node, FieldExpr):
            parts.append(node.name.encode() + _argument(node.arg))
        elif isinstance(node, ValueExpr):
            parts.append(_value(node.value))
        elif isinstance(node, ListExpr):
            items = [_value(item.value) for item in node.items]
            parts.append(b"(" + b", ".join(items) + b")")
        else:
            inner: tuple[Argument, ...]
            if isinstance(node, TransformerListExpr):
                inner, head, tail = node.items, b"(", b")"
            else:
                inner, head = node.args, node.name.encode() + b"("
                tail = b")" + _argument(node.arg)
            parts.append(head)
            todo.append(tail)
            for index in range(len(inner) - 1, -1, -1):
                todo.append(inner[index])
                if index:
                    todo.append(b",")
    return b"".join(parts)


def _check(node: UnaryCheckExpr | BinaryCheckExpr) -> bytes:
    left = operand_text(node.left)
    if isinstance(node, UnaryCheckExpr):
        return left + b" " + node.op.encode()
    modifier = f" {node.modifier}" if node.modifier else ""
    return left + f" {node.op}{modifier} ".encode() + operand_text(node.right)


def canonical_bytes(root: Expr) -> bytes:
    """Return the canonical text of a condition or a part of one, as bytes."""
    parts: list[bytes] = []
    todo: list[Expr | bytes] = [root]
    while todo:
        node = todo.pop()
        if isinstance(node, bytes):
            parts.append(node)
        elif isinstance(node, UnaryCheckExpr | BinaryCheckExpr):
            parts.append(_check(node))
        elif isinstance(node, IdentifierExpr):
            parts.append(node.name.encode())
        elif isinstance(node, MacroExpr):
            todo.append(node.child)
        elif isinstance(node, NotExpr):
            todo += [node.child, b"not "]
        elif isinstance(node, AndExpr | OrExpr):
            word = b" and " if isinstance(node, AndExpr) else b" or "
            todo.append(b")")
            for index in range(len(node.children) - 1, -1, -1):
                todo.append(node.children[index])
                todo.append(word if index else b"(")
        else:
            parts.append(b"?")
    return b"".join(parts)


def canonical(root: Expr) -> str:
    """Return the canonical text; bytes that are not UTF-8 become surrogate escapes."""
    return canonical_bytes(root).decode("utf-8", "surrogateescape")
