"""A condition changed in the ways mistakes happen, one change at a time.

Changes are named by the place of a node: its number in a walk of the tree, parents
before children, that does not go into macros. So one change of a macro fits every rule
that uses it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

from workbench.condition.syntax.canonical import canonical
from workbench.condition.syntax.nodes import (
    AndExpr,
    BinaryCheckExpr,
    FieldExpr,
    ListExpr,
    MacroExpr,
    NotExpr,
    OrExpr,
    ValueExpr,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from workbench.condition.syntax.nodes import Expr
    from workbench.fields.declarations import FieldInfo

__all__ = ["Edits", "Owner", "Variant", "changed", "variants"]

# ("rule", name) or ("macro", name): whose text a node stands in.
Owner: TypeAlias = "tuple[str, str]"
# Owner and number of a node → what stands there instead; None: nothing.
Edits: TypeAlias = "Mapping[tuple[Owner, int], Expr | None]"

# Operator → what people write instead of it. Binding refuses what a type does not take.
_NEIGHBOURS: dict[str, tuple[str, ...]] = {
    "=": ("!=", "startswith"),
    "==": ("!=", "startswith"),
    "!=": ("=",),
    "<": ("<=", ">"),
    "<=": ("<", ">="),
    ">": (">=", "<"),
    ">=": (">", "<="),
    "contains": ("startswith", "icontains"),
    "icontains": ("contains",),
    "startswith": ("contains", "="),
    "endswith": ("contains", "="),
    "glob": ("=", "iglob"),
    "iglob": ("glob",),
    "pmatch": ("in",),
}
_ON_LISTS = {"in": "intersects", "intersects": "in"}
_MODIFIERS = {"anyof": "allof", "allof": "anyof", "oneof": "anyof"}
_ANY_CASE = frozenset(("icontains", "iglob", "regex"))
# Items of one list that are left out, one at a time, evenly spread.
_MAX_ITEMS = 40
_MAX_TEXT = 80


@dataclass(frozen=True, slots=True)
class Variant:
    """One change. ``number``: of the node; ``new``: in its place, None: nothing.

    ``kind``: "operator", "value", "item", "check", "not", "and/or" or "exception".
    ``before``, ``after``: what changed, as text ("" : left out). ``at``: byte of the
    owner's text. ``exception``: number of the exception that it belongs to, or -1.
    """

    kind: str
    before: str
    after: str
    at: int
    number: int
    new: Expr | None
    exception: int = -1


def _below(node: Expr) -> tuple[Expr, ...]:
    if isinstance(node, AndExpr | OrExpr):
        return node.children
    return (node.child,) if isinstance(node, NotExpr) else ()


def variants(
    tree: Expr, fields: Mapping[str, FieldInfo], exceptions: int = 0
) -> Iterator[Variant]:
    """Yield every change of one text. ``exceptions``: of the rule, which end the text.

    Exceptions are dropped as a whole, and lose values and checks; how the engine joins
    them to the condition is nobody's mistake.
    """
    joined = tree if exceptions and isinstance(tree, AndExpr) else None
    first = len(joined.children) - exceptions if joined is not None else 0
    # node, exception it is in, and whether it can be left out
    todo: list[tuple[Expr, int, bool]] = [(tree, -1, False)]
    number = -1
    while todo:
        node, inside, loose = todo.pop()
        number += 1
        here = node.span.start
        if loose:
            yield Variant("check", _text(node), "", here, number, None, inside)
        if node is joined:
            parts = list(enumerate(node.children))
            todo += [(c, i - first if i >= first else -1, False)
                     for i, c in reversed(parts)]  # fmt: skip
            continue
        wrapping = inside >= 0
        if isinstance(node, AndExpr | OrExpr):
            if not wrapping:
                yield _flipped(node, number)
            todo += [(child, inside, True) for child in reversed(node.children)]
        elif isinstance(node, NotExpr):
            if wrapping:
                yield Variant("exception", _text(node), "", here, number, None, inside)
            else:
                yield Variant("not", "not", "", here, number, node.child)
            todo.append((node.child, inside, False))
        elif isinstance(node, BinaryCheckExpr):
            for made in _of_check(node, number, fields):
                yield replace(made, exception=inside)


def _flipped(node: AndExpr | OrExpr, number: int) -> Variant:
    both = isinstance(node, AndExpr)
    new = (OrExpr if both else AndExpr)(node.children, node.span)
    # the word stands behind the first child
    at = node.children[0].span.end
    words = ("and", "or") if both else ("or", "and")
    return Variant("and/or", *words, at, number, new)


def _of_check(
    node: BinaryCheckExpr, number: int, fields: Mapping[str, FieldInfo]
) -> Iterator[Variant]:
    left, right = node.left, node.right
    at = node.op_span.start
    info = fields.get(left.name) if isinstance(left, FieldExpr) else None
    others = _NEIGHBOURS.get(node.op, ())
    if info is not None and info.is_list and node.op in _ON_LISTS:
        others = (_ON_LISTS[node.op],)
    for op in others:
        if op in _ANY_CASE and not _has_letters(right):
            continue
        yield Variant("operator", node.op, op, at, number, replace(node, op=op))
    if node.modifier in _MODIFIERS:
        other = _MODIFIERS[node.modifier]
        new = replace(node, modifier=other)
        yield Variant("operator", node.modifier, other, at, number, new)
    if isinstance(right, ValueExpr):
        for value in _values(right, node.op):
            made = replace(right, value=value)
            shown = _word(right.value), _word(value)
            new = replace(node, right=made)
            yield Variant("value", *shown, right.span.start, number, new)
    elif isinstance(right, ListExpr) and len(right.items) > 1:
        for item in _spread(right.items):
            kept = tuple(other for other in right.items if other.value != item.value)
            if kept:
                new = replace(node, right=replace(right, items=kept))
                lost = _word(item.value)
                yield Variant("item", lost, "", item.span.start, number, new)


def _has_letters(right: object) -> bool:
    return not isinstance(right, ValueExpr) or right.value.swapcase() != right.value


def _values(right: ValueExpr, op: str) -> Iterator[bytes]:
    """Yield a value in the wrong case, and with one character less."""
    value = right.value
    swapped = value.swapcase()
    if swapped != value and op not in _ANY_CASE:
        yield swapped
    if len(value) > 1 and op not in ("<", "<=", ">", ">="):
        text = value.decode("utf-8", "surrogateescape")
        less = text[1:] if op == "endswith" else text[:-1]
        yield less.encode("utf-8", "surrogateescape")


def _spread(items: Sequence[ValueExpr]) -> Sequence[ValueExpr]:
    step = len(items) / min(len(items), _MAX_ITEMS)
    return [items[int(at * step)] for at in range(min(len(items), _MAX_ITEMS))]


def _word(value: bytes) -> str:
    return f'"{_shortened(value.decode("utf-8", "backslashreplace"))}"'


def _text(node: Expr) -> str:
    return _shortened(node.name if isinstance(node, MacroExpr) else canonical(node))


def _shortened(text: str) -> str:
    return text if len(text) <= _MAX_TEXT else text[: _MAX_TEXT - 1] + "…"


def changed(tree: Expr, owner: Owner, edits: Edits) -> Expr | None:
    """Return ``tree`` with ``edits``, in its macros too; None: nothing is left of it.

    Where an ``and`` or ``or`` keeps one part, the part stands for it.
    """
    done: list[Expr | None] = []
    todo: list[tuple[Expr, Owner, list[int], bool]] = [(tree, owner, [0], False)]
    while todo:
        node, where, counter, ready = todo.pop()
        inner = (node.child,) if isinstance(node, MacroExpr) else _below(node)
        if ready:
            parts = done[len(done) - len(inner) :]
            del done[len(done) - len(inner) :]
            done.append(_rebuilt(node, inner, parts))
            continue
        key = where, counter[0]
        counter[0] += 1
        if key in edits:
            done.append(edits[key])
        elif isinstance(node, MacroExpr):
            todo.append((node, where, counter, True))
            todo.append((node.child, ("macro", node.name), [0], False))
        elif inner:
            todo.append((node, where, counter, True))
            todo.extend((child, where, counter, False) for child in reversed(inner))
        else:
            done.append(node)
    return done[0]


def _rebuilt(
    node: Expr, before: Sequence[Expr], parts: Sequence[Expr | None]
) -> Expr | None:
    if all(a is b for a, b in zip(before, parts, strict=True)):
        return node
    kept = tuple(part for part in parts if part is not None)
    if not kept:
        return None
    if isinstance(node, AndExpr | OrExpr):
        return kept[0] if len(kept) == 1 else type(node)(kept, node.span)
    if isinstance(node, NotExpr):
        return NotExpr(kept[0], node.span)
    return replace(node, child=kept[0]) if isinstance(node, MacroExpr) else node
