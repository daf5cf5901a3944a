"""Parts of a condition's text, found by the parser: what can be named, replaced, added.

A fragment knows the bytes it stands in, so that replacing it never touches a text in
quotes that happens to look like it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from workbench.condition.binding.recover import understand
from workbench.condition.syntax.canonical import canonical, operand_text
from workbench.condition.syntax.lexer import as_bytes
from workbench.condition.syntax.nodes import (
    AndExpr,
    BinaryCheckExpr,
    FieldExpr,
    FieldTransformerExpr,
    ListExpr,
    OrExpr,
    UnaryCheckExpr,
    postorder,
)
from workbench.condition.syntax.parser import ParseFault, parse
from workbench.diagnostics import Span

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.condition.syntax.nodes import Expr, ValueExpr

__all__ = ["Fragment", "add_check", "find_fragments", "replace_spans", "text_at"]

# Most fragments found in one condition: each keeps its text.
MAX_FRAGMENTS = 200
_BLANKS = b" \t\r\n\x08"
# A value that may stand without quotes wherever a list's items are put.
_PLAIN = re.compile(rb"[^()\"'\s=,\\\x80-\xff]+")


@dataclass(frozen=True, slots=True)
class Fragment:
    """A part of a condition that a name could stand for.

    ``kind``: "list" (a value list in its brackets), "check" (one comparison) or "group"
    (an ``and`` or ``or``). ``span``: its bytes, brackets included. ``text``: these
    bytes; ``inner``: without the brackets. ``key``: equal for fragments that mean the
    same. ``items``: the values of a list as written, quotes left out where they are not
    needed. ``field``: name of what a check or list looks at, "" for groups and calls.
    """

    kind: str
    span: Span
    text: str
    inner: str
    key: str
    items: tuple[str, ...] = ()
    field: str = ""


def text_at(raw: bytes, span: Span) -> str:
    """Return the text that a span stands for; stray bytes as surrogate escapes."""
    return raw[span.start : span.end].decode("utf-8", "surrogateescape")


def find_fragments(text: str | bytes) -> list[Fragment]:
    """Return lists, checks and groups, in the order of their beginnings, outer first.

    At most 200; none for what is not a condition.
    """
    raw = as_bytes(text)
    try:
        root = parse(raw)
    except ParseFault:
        return []
    found: list[tuple[Span, Expr | ListExpr, str]] = []
    for node in postorder(root):
        if isinstance(node, AndExpr | OrExpr):
            span = _bracketed(raw, node.span)
            if span != node.span or node is root:
                found.append((span, node, ""))
        elif isinstance(node, BinaryCheckExpr | UnaryCheckExpr):
            field = node.left.name if isinstance(node.left, FieldExpr) else ""
            found.append((node.span, node, field))
            if isinstance(node, BinaryCheckExpr) and isinstance(node.right, ListExpr):
                found.append((node.right.span, node.right, field))
    found.sort(key=lambda item: (item[0].start, -item[0].end))
    return [_fragment(raw, *item) for item in found[:MAX_FRAGMENTS]]


def _fragment(raw: bytes, span: Span, node: Expr | ListExpr, field: str) -> Fragment:
    text = text_at(raw, span)
    if isinstance(node, ListExpr):
        inner = text[1:-1].strip()
        items = tuple(_written(raw, item) for item in node.items)
        key = operand_text(node).decode("utf-8", "surrogateescape")
        return Fragment("list", span, text, inner, key, items, field)
    kind = "group" if isinstance(node, AndExpr | OrExpr) else "check"
    # Arguments of calls print alike, quoted or not, and mean different things.
    key = text if _has_call(node) else canonical(node)
    return Fragment(kind, span, text, text_at(raw, node.span), key, (), field)


def _has_call(root: Expr) -> bool:
    return any(
        isinstance(node, BinaryCheckExpr | UnaryCheckExpr)
        and (
            isinstance(node.left, FieldTransformerExpr)
            or isinstance(getattr(node, "right", None), FieldTransformerExpr)
        )
        for node in postorder(root)
    )


def _bracketed(raw: bytes, span: Span) -> Span:
    """Return ``span`` with the brackets right around it, itself if there are none."""
    start, end = span.start, span.end
    while start and raw[start - 1] in _BLANKS:
        start -= 1
    while end < len(raw) and raw[end] in _BLANKS:
        end += 1
    closed = raw[start - 1 : start] == b"(" and raw[end : end + 1] == b")"
    return Span(start - 1, end + 1) if closed else span


def _written(raw: bytes, item: ValueExpr) -> str:
    if _PLAIN.fullmatch(item.value):
        return item.value.decode()
    return text_at(raw, item.span)


def replace_spans(text: str | bytes, changes: Sequence[tuple[Span, str]]) -> str:
    """Return ``text`` with the bytes of each span replaced; spans must not overlap."""
    raw = as_bytes(text)
    for span, new in sorted(changes, key=lambda change: change[0].start, reverse=True):
        raw = raw[: span.start] + as_bytes(new) + raw[span.end :]
    return raw.decode("utf-8", "surrogateescape")


def add_check(text: str, check: str) -> str:
    """Return a condition with ``check`` added by ``and``.

    An ``or`` at the top gets its brackets first, also in a text that is not finished.
    """
    text = text.rstrip()
    if not text:
        return check
    raw = as_bytes(text)
    root, _ = understand(raw)
    top_or = isinstance(root, OrExpr) and _bracketed(raw, root.span) == root.span
    return f"({text}) and {check}" if top_or else f"{text} and {check}"
