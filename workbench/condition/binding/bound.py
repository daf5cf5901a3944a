"""The tree of a condition as bound to fields: what to compute, in plain frozen data.

Every name is resolved, every constant typed and every quirk of the engine decided.
Nodes compare equal, hash alike and may be shared when they mean the same (spans and
texts do not take part); only ``and``, ``or`` and ``not`` nodes compare by identity,
since they nest thousands of levels. For the same reason nothing here may be walked by
recursion: use :func:`postorder`.

What a bound check means, for one row
-------------------------------------
1. *Evaluate the left operand.* It gives nothing (absent), one value, or (list operands)
   one or more values. Absent, at any step: the check is False, whatever the operator.
   An empty list column is absent. One operand may give a present empty list: ``getopt``
   without option, and what is computed from it.
2. *Evaluate the right side*: :class:`Constants`, another operand (absent: False), or
   None for ``exists``. Without constants every test is False, but for ``in`` on a
   present empty list.
3. *Apply the test* (``BoundCheck.test``, see ``TESTS``).

String values are bytes and may hold NUL; constants never do. Column values are taken
whole. Tests that look at text (all but ``in``, ``intersects``, ``not_in``, ``pmatch``,
``regex``) see a value up to its first NUL. The others see the whole value without its
trailing NULs, if it is a scalar on the left; list items and right-side values count
byte for byte, trailing NULs included. This matters because the string transformers end
each value with a NUL that counts (see :class:`CallStep`): ``tolower(list) in (…)``
never matches in the real engine.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from workbench.condition.syntax.nodes import children_first

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workbench.condition.semantics.values import Network
    from workbench.diagnostics import Span

__all__ = [
    "TESTS",
    "Bound",
    "BoundAnd",
    "BoundCheck",
    "BoundNot",
    "BoundOr",
    "CallStep",
    "ColumnStep",
    "ConstStep",
    "Constants",
    "ListStep",
    "Operand",
    "Step",
    "postorder",
]


@dataclass(frozen=True, slots=True)
class ColumnStep:
    """Take the value(s) of a column; ``type`` is a key of ``fields.FIELD_TYPES``."""

    column: str
    type: str
    is_list: bool


@dataclass(frozen=True, slots=True)
class ConstStep:
    """A string constant as argument of a call; always present, the same in all rows."""

    value: bytes


@dataclass(frozen=True, slots=True)
class ListStep:
    """The list ``( … )`` as argument of a call: the values of earlier steps in a row.

    ``items``: indices of steps; a list step is spliced in. ``decimal``: for each item,
    write its uint64 value as decimal text (of a list, the first value only); other
    non-strings stand for the bytes of :class:`CallStep` ("memory"). Any absent item
    makes the list absent; no items make a present empty list.
    """

    items: tuple[int, ...]
    decimal: tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class CallStep:
    """Apply a transformer to earlier steps. Absent in, absent out.

    ``name`` and ``args`` (indices of steps):

    * ``tolower toupper basename b64``: one string operand, scalar or list, item by
      item: trailing NULs are removed, the function applied, and one NUL appended unless
      the result ends in one. ASCII letters only; ``basename`` gives what follows the
      last ``/``; ``b64`` decodes (absent as a whole when one item is not base64).
    * ``len``: of a list, the number of its values (present empty list: 0); of a string,
      the bytes before the first NUL. ``len`` of ``getopt`` without option: absent for
      no item, the length of the item for one, else the number of items.
    * ``join``: ``args`` are separator and list. The items up to their first NUL, with
      the separator, whole, between them. Separator a list: its first value.
    * ``concat``: the operands up to their first NUL (a list: its first value).
    * ``getopt``: list and option text, both whole; ``option`` is the letter in brackets
      or None. See :mod:`workbench.condition.semantics.transformers`.

    A value that is not a string stands in ``join`` and ``concat`` for its memory:
    uint64 and times 8 bytes and bool 4 bytes little-endian, addresses their bytes.
    ``type``, ``is_list``: of the result.
    """

    name: str
    args: tuple[int, ...]
    option: bytes | None
    type: str
    is_list: bool


Step: TypeAlias = ColumnStep | ConstStep | ListStep | CallStep


@dataclass(frozen=True, slots=True)
class Operand:
    """A side of a check: ``steps`` in order of evaluation, the last one is the value.

    A plain field is a single :class:`ColumnStep`. ``type``, ``is_list``: of the value.
    """

    steps: tuple[Step, ...]
    type: str
    is_list: bool
    span: Span = field(compare=False)

    @property
    def column(self) -> str | None:
        """Return the column when this is a plain field, else None."""
        first = self.steps[0]
        plain = len(self.steps) == 1 and isinstance(first, ColumnStep)
        return first.column if plain else None  # type: ignore[union-attr]

    @property
    def columns(self) -> tuple[str, ...]:
        """Return the columns read, in order of first use."""
        names = (s.column for s in self.steps if isinstance(s, ColumnStep))
        return tuple(dict.fromkeys(names))


@dataclass(frozen=True, slots=True)
class Constants:
    """The typed constants on the right, in the order written, duplicates kept.

    By type of the left operand: string → bytes; uint64, reltime, abstime → int in
    0..2^64-1; bool → bool; ipaddr → bytes (4 or 16); ipnet → Network. ``regex``: the
    pattern as bytes, known to compile.
    """

    values: tuple[bytes | int | bool | Network, ...]


# Test → what it asks of the left value (v) and a constant or right-side value (c).
TESTS: dict[str, str] = {
    "exists": "v is present",
    "eq": "v equals c (text; number; ipaddr: same bytes; ipnet: v lies in network c)",
    "ne": "not eq (True for an address of the other family)",
    "lt": "v < c, unsigned numbers or bytes of text",
    "le": "v <= c",
    "gt": "v > c",
    "ge": "v >= c",
    "contains": "c occurs in v",
    "icontains": "c occurs in v, ASCII letters folded",
    "startswith": "v begins with c",
    "endswith": "v ends with c",
    "glob": "c as fnmatch pattern without flags matches all of v, bytewise, C locale",
    "iglob": "glob with ASCII letters folded",
    "regex": "c as RE2 pattern in POSIX syntax matches all of v",
    "in": "scalar: v is one of c…; list: every v is (none: True)",
    "intersects": "scalar: v is one of c…; list: some v is",
    "not_in": "scalar, present: v is none of c…",
    "pmatch": "v lies at or under one of the paths c…",
}


@dataclass(frozen=True, slots=True)
class BoundCheck:
    """One check, ready to evaluate; see the module's text for its meaning.

    ``test``: a key of ``TESTS``, what to compute. ``combine``: None, or how to combine
    the single test over each of the constants: "any", "all", "one" (exactly one,
    duplicates counted); no constants: False. Without ``combine`` there is one constant,
    but any number for ``in``, ``intersects``, ``not_in`` and ``pmatch``.
    ``right``: None only for ``exists``; an Operand has the type and list-ness of
    ``left``; with ``in`` and ``intersects`` its value(s) are the set.
    ``op``, ``modifier``: as written. ``text``: canonical text of the check. ``span``:
    in the text it was written in; ``macros``: names of the macros it came through,
    outermost first (then ``span`` counts in the text of the innermost).
    """

    left: Operand
    test: str
    combine: str | None
    right: Constants | Operand | None
    op: str = field(compare=False)
    modifier: str | None = field(compare=False)
    text: str = field(compare=False)
    span: Span = field(compare=False)
    macros: tuple[str, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True, eq=False)
class BoundAnd:
    """True when all children are; evaluated left to right, stopping early."""

    children: tuple[Bound, ...]
    span: Span
    macros: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class BoundOr:
    """True when any child is; evaluated left to right, stopping early."""

    children: tuple[Bound, ...]
    span: Span
    macros: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class BoundNot:
    """The opposite of ``child``; every check is two-valued, so nothing is unknown."""

    child: Bound
    span: Span
    macros: tuple[str, ...] = ()


Bound: TypeAlias = BoundAnd | BoundOr | BoundNot | BoundCheck


def _children(node: Bound) -> tuple[Bound, ...]:
    if isinstance(node, BoundAnd | BoundOr):
        return node.children
    return (node.child,) if isinstance(node, BoundNot) else ()


def postorder(root: Bound) -> Iterator[Bound]:
    """Yield every ``and``, ``or``, ``not`` and check node, children first."""
    return children_first(root, _children)
