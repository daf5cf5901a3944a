"""Completion: what may come next at a place in a condition. Pure, and fast.

The text before the word at the cursor is read by the recovering parser; the fault it
meets at its end says what the grammar wants there. Fields, types and values seen in the
data turn that into candidates.
"""

from __future__ import annotations

import contextlib
import ipaddress
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from workbench.arguments import TEXT, TEXTS, Kind, either, takes
from workbench.condition.binding.faults import BindFault
from workbench.condition.binding.operands import bind_operand
from workbench.condition.binding.recover import RecoveringParser
from workbench.condition.semantics.transformers import TRANSFORMER_INFO
from workbench.condition.syntax.lexer import MODIFIERS, as_bytes
from workbench.condition.syntax.nodes import FieldExpr
from workbench.condition.syntax.operators import OPERATORS, legal_operators
from workbench.condition.syntax.parser import ParseFault
from workbench.fields.builtin import BUILTIN_FIELDS
from workbench.fields.declarations import as_field_table, describe_argument
from workbench.fields.quoting import quote
from workbench.fields.reference import usable_name

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from workbench.condition.syntax.grammar import Rule
    from workbench.condition.syntax.nodes import FieldTransformerExpr
    from workbench.fields.declarations import FieldInfo

__all__ = ["Candidate", "complete"]

# Values offered for one field.
_MAX_VALUES = 100

_BARE_TAIL = re.compile(rb"[^()\"'\s=,]*\Z")
_NAME_TAIL = re.compile(rb"[A-Za-z0-9_.]*\Z")
_ARGUMENT_TAIL = re.compile(rb"([A-Za-z][A-Za-z0-9_.]*)\[([^\[\]\"'\s]*)\Z")
_OPEN_QUOTE = re.compile(rb"\"|'")
_CLOSED = {0x22: re.compile(rb'(?<!\\)"'), 0x27: re.compile(rb"(?<!\\)'")}
_PLAIN_VALUE = re.compile(rb"[^()\"'\s=,\\\x80-\xff]+\Z")
_FIRST_WORD = re.compile(rb"\s*([a-z]+|[=!<>]+)(?:\s+(oneof|anyof|allof)\b)?")


@dataclass(frozen=True, slots=True)
class Candidate:
    """Something that may stand at the cursor.

    ``kind``: "field", "operator", "modifier", "keyword", "transformer", "macro",
    "list", "value" or "argument". ``text``: what to write. ``description``: for people.
    ``start``, ``end``: the characters of the text that it replaces.
    """

    kind: str
    text: str
    description: str
    start: int
    end: int


class _TailParser(RecoveringParser):
    """Remembers the check it reads last, so that its end can be understood."""

    left: FieldExpr | FieldTransformerExpr | None = None
    in_call = False

    def test(self, left: FieldExpr | FieldTransformerExpr, start: int) -> Rule:
        self.left = left
        return (yield super().test(left, start))


@dataclass(slots=True)
class _Context:
    """Where the cursor is: what the grammar wants, and the check so far.

    ``wants``: code of the fault at the end of the text, "more" behind a complete
    condition. ``left``: the left side of the check being written, or None.
    ``behind``: the text behind that left side.
    """

    wants: str
    left: FieldExpr | FieldTransformerExpr | None
    behind: bytes


def _read(head: bytes) -> _Context:
    reader = _TailParser(head)
    try:
        if head.strip():
            reader.run(reader.read_all())
        else:
            return _Context("expected-check", None, b"")
    except ParseFault as fault:
        reader.faults.append(fault)
    last = next((f for f in reader.faults if f.at >= len(head)), None)
    left = reader.left
    behind = head[left.span.end :] if left is not None else b""
    return _Context("more" if last is None else last.code, left, behind)


_CURSOR = Kind(
    "a whole number",
    lambda v: isinstance(v, int) and not isinstance(v, bool),
)
_SEEN = either(
    Kind("a dict of column names and values", lambda v: isinstance(v, dict)), None
)


@takes(text=TEXT, cursor=_CURSOR, values=_SEEN, macros=TEXTS, lists=TEXTS)
def complete(
    text: str,
    cursor: int,
    fields: Mapping[str, FieldInfo] | Iterable[FieldInfo | Mapping[str, Any]],
    values: Mapping[str, Sequence[str | bytes | int]] | None = None,
    *,
    macros: Collection[str] = (),
    lists: Collection[str] = (),
) -> list[Candidate]:
    """Return what may stand at ``cursor`` (in characters of ``text``), best first.

    ``values``: column name → values seen in the data (numbers, texts, addresses as
    bytes), the most frequent first; names
    such as ``a.b[key]`` also tell which arguments were seen. ``macros``, ``lists``:
    names known from rules files.
    """
    cursor = max(0, min(cursor, len(text)))
    head = as_bytes(text[:cursor])
    table = as_field_table(fields)
    known = {**table, **BUILTIN_FIELDS}
    seen = values or {}
    finder = _Finder(known, seen, macros, lists)
    word, found = finder.find(head)
    width = len(word.decode("utf-8", "replace"))
    return [
        Candidate(kind, item, note, cursor - width, cursor)
        for kind, item, note in dict.fromkeys(found)
    ]


def _open_quote(head: bytes) -> int | None:
    """Return the offset of a quote that is not closed, None when there is none."""
    at = 0
    while (found := _OPEN_QUOTE.search(head, at)) is not None:
        end = _CLOSED[head[found.start()]].search(head, found.end())
        if end is None:
            return found.start()
        at = end.end()
    return None


def _written(value: str | bytes | int, kind: str = "string") -> str:
    """Write a value as a condition needs it: bare where that is possible."""
    if isinstance(value, int):
        return str(value).lower()
    if kind in {"ipaddr", "ipnet"} and isinstance(value, bytes):
        with contextlib.suppress(ValueError):
            address = ipaddress.ip_address(value)
            size = f"/{address.max_prefixlen}" if kind == "ipnet" else ""
            return f"{address}{size}"
    raw = as_bytes(value)
    if _PLAIN_VALUE.match(raw):
        return raw.decode()
    return quote(raw).decode("utf-8", "replace")


Found = tuple[str, str, str]


class _Finder:
    def __init__(
        self,
        fields: Mapping[str, FieldInfo],
        values: Mapping[str, Sequence[str | bytes | int]],
        macros: Collection[str],
        lists: Collection[str],
    ) -> None:
        self.fields = fields
        self.values = values
        self.macros = macros
        self.lists = lists

    def find(self, head: bytes) -> tuple[bytes, list[Found]]:
        """Return the word at the end of ``head`` and what could stand for it."""
        quoted = _open_quote(head)
        if quoted is not None:
            word = head[quoted:]
            return word, self.ranked(word[1:], self.at(_read(head[:quoted])), "value")
        argument = _ARGUMENT_TAIL.search(head)
        if argument is not None and argument[1].decode() in self.fields:
            word = argument[2]
            return word, self.ranked(word, self.arguments(argument[1].decode()))
        word = _BARE_TAIL.search(head)[0]  # type: ignore[index]
        context = _read(head[: len(head) - len(word)])
        name = _NAME_TAIL.search(head)[0]  # type: ignore[index]
        if name != word and context.wants in ("expected-check", "more"):
            word = name
            context = _read(head[: len(head) - len(word)])
        return word, self.ranked(word, self.at(context))

    @staticmethod
    def ranked(
        word: bytes, found: Iterable[Found], kind: str | None = None
    ) -> list[Found]:
        """Keep what fits ``word``: beginnings first, then parts of names, then inside.

        Without a word everything fits, in the order found.
        """
        typed = word.decode("utf-8", "replace").lower()
        ranks: tuple[list[Found], ...] = ([], [], [])
        for item in found:
            if kind is not None and item[0] != kind:
                continue
            text = item[1].strip("\"'").lower()
            if text.startswith(typed):
                ranks[0].append(item)
            elif f".{typed}" in text or f"_{typed}" in text:
                ranks[1].append(item)
            elif typed in text:
                ranks[2].append(item)
        return [*ranks[0], *ranks[1], *ranks[2]]

    def at(self, context: _Context) -> Iterator[Found]:
        """Yield all that may stand at a context."""
        wants = context.wants
        in_list = context.behind.count(b"(") > context.behind.count(b")")
        next_item = in_list and context.behind.rstrip().endswith((b"(", b","))
        if next_item and wants in ("expected-string", "expected-close"):
            yield from self.seen_values(context)
            yield from (("list", name, "a list") for name in self.lists)
        elif in_list and wants == "expected-close":
            yield ("keyword", ",", "one more value")
            yield ("keyword", ")", "closes the list")
        elif wants == "expected-check":
            yield from self.checks()
        elif wants == "expected-operator":
            yield from self.operators(context)
        elif wants == "val-field":
            yield from self.same_type(context)
        elif wants == "call-argument":
            yield from self.named_fields()
            yield from self.transformers()
        elif wants in ("expected-string", "expected-number", "expected-list"):
            yield from self.right_sides(context)
        elif wants in ("more", "expected-close"):
            yield ("keyword", "and", "both must match")
            yield ("keyword", "or", "one must match")
            if wants == "expected-close":
                yield ("keyword", ")", "closes the group")

    def named_fields(self) -> Iterator[Found]:
        for info in self.fields.values():
            if not usable_name(info.name):
                continue
            kind = f"list of {info.type}" if info.is_list else info.type
            argument = describe_argument(info.arg)
            note = f"{kind}, {argument}" if argument else kind
            text = f"{info.name}[" if info.arg and info.arg.required else info.name
            yield ("field", text, f"{note}: {info.desc}" if info.desc else note)

    @staticmethod
    def transformers() -> Iterator[Found]:
        for info in TRANSFORMER_INFO.values():
            if info.name != "val":
                yield ("transformer", f"{info.name}(", f"{info.usage}: {info.desc}")

    def checks(self) -> Iterator[Found]:
        yield from self.named_fields()
        yield from (("macro", name, "a macro") for name in self.macros)
        yield ("keyword", "not", "the opposite of what follows")
        yield from self.transformers()

    def operand(self, context: _Context) -> tuple[str, bool] | None:
        """Return type and list-ness of the left side, None when it cannot be bound."""
        if context.left is None:
            return None
        try:
            bound = bind_operand(context.left, self.fields)
        except BindFault:
            return None
        return bound.type, bound.is_list

    def operators(self, context: _Context) -> Iterator[Found]:
        kind = self.operand(context)
        names = (
            list(OPERATORS)
            if kind is None
            else legal_operators(kind[0], is_list=kind[1])
        )
        for name in names:
            yield ("operator", name, OPERATORS[name].desc)

    def right_sides(self, context: _Context) -> Iterator[Found]:
        found = _FIRST_WORD.match(context.behind)
        operator = OPERATORS.get(found[1].decode()) if found else None
        modifier = found is not None and found[2] is not None
        if operator is not None and (operator.right == "list" or modifier):
            yield ("keyword", "(", "opens the list of values")
            yield from (("list", f"({name})", "a list") for name in self.lists)
        elif context.wants == "expected-string":
            yield from self.seen_values(context)
            kind = self.operand(context)
            if operator and kind and not kind[1] and kind[0] in operator.modifiers:
                for name in MODIFIERS:
                    yield ("modifier", f"{name} (", _MODIFIER_NOTES[name])
        else:
            yield from self.seen_values(context)
        if operator is not None and operator.field_right and not modifier:
            yield ("transformer", "val(", TRANSFORMER_INFO["val"].desc)
            yield from self.transformers()

    def seen_values(self, context: _Context) -> Iterator[Found]:
        """Yield values of the field on the left, as seen in the data."""
        kind = self.operand(context)
        if kind is not None and kind[0] == "bool":
            yield ("value", "true", "bool")
            yield ("value", "false", "bool")
            return
        if not isinstance(context.left, FieldExpr):
            return
        column = context.left.name
        if context.left.arg is not None:
            column += f"[{context.left.arg.decode('utf-8', 'replace')}]"
        for value in self.values.get(column, ())[:_MAX_VALUES]:
            written = _written(value, kind[0] if kind else "string")
            yield ("value", written, f"seen in {column}")

    def same_type(self, context: _Context) -> Iterator[Found]:
        """Yield the fields that may stand in ``val(…)`` here."""
        kind = self.operand(context)
        for item in self.named_fields():
            info = self.fields[item[1].rstrip("[")]
            if kind is None or (info.type, info.is_list) == kind:
                yield item

    def arguments(self, name: str) -> Iterator[Found]:
        """Yield the arguments with which a field was seen."""
        for column in self.values:
            if column.startswith(f"{name}[") and column.endswith("]"):
                yield ("argument", column[len(name) + 1 : -1], f"seen with {name}")


_MODIFIER_NOTES = {
    "oneof": "exactly one of the values",
    "anyof": "at least one of the values",
    "allof": "every one of the values",
}
