"""Checking a text for an editor: all that is wrong, a tree of what is understood."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from workbench.condition.binding.bind import bind
from workbench.condition.binding.faults import parse_diagnostic
from workbench.condition.binding.field_names import field_name_hint
from workbench.condition.syntax.lexer import as_bytes
from workbench.condition.syntax.nodes import AndExpr, UnknownExpr
from workbench.condition.syntax.parser import ParseFault, Parser
from workbench.diagnostics import Span
from workbench.fields.declarations import as_field_table

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from workbench.condition.binding.bind import BoundCondition
    from workbench.condition.syntax.grammar import Rule
    from workbench.condition.syntax.nodes import Expr
    from workbench.diagnostics import Diagnostic
    from workbench.fields.declarations import FieldInfo, FieldTable

__all__ = ["RecoveringParser", "check_condition", "examine", "understand"]

# More diagnostics than this are of no help.
_MAX_FAULTS = 100

# Where reading can go on: a conjunction, a parenthesis, a quoted string to step over.
_LANDMARK = re.compile(rb"[()\"']|(?<![A-Za-z0-9_.\[])(?:and|or)(?=[ \t\r\n\x08(]|\Z)")
_QUOTE_END = {b"'": re.compile(rb"(?<!\\)'"), b'"': re.compile(rb'(?<!\\)"')}


class RecoveringParser(Parser):
    """Goes on behind a fault at the next ``and``, ``or`` or closing parenthesis."""

    def __init__(self, raw: bytes) -> None:
        super().__init__(raw)
        self.faults: list[ParseFault] = []
        self.unclosed: set[bytes] = set()

    def note(self, fault: ParseFault) -> None:
        """Keep a fault; pass on what cannot be recovered from."""
        if len(self.faults) >= _MAX_FAULTS or fault.code == "too-deep":
            raise fault
        self.faults.append(fault)

    def missing(self, fault: ParseFault) -> None:
        """Go on as if the missing thing were there."""
        self.note(fault)

    def at_check(self, start: int, rule: Callable[[int], Rule]) -> Rule:
        """Stand in for a check that cannot be read, and go on behind it."""
        depth = self.depth
        try:
            return (yield rule(start))
        except ParseFault as fault:
            self.note(fault)
            self.depth = depth
            self.skip(start)
            return UnknownExpr(Span(start, self.back()))

    def skip(self, start: int) -> None:
        """Move to the next landmark on the level of ``start``, or to the end.

        The level is left when a conjunction follows the cursor, so that a list or call
        that is not closed swallows one check only.
        """
        opened = 0
        at = start
        while (found := _LANDMARK.search(self.raw, at)) is not None:
            token = found.group()
            at = found.end()
            if token in _QUOTE_END:
                at = self.behind_quote(token, at)
            elif token == b"(":
                opened += 1
            elif token == b")" and opened:
                opened -= 1
            elif found.start() >= self.cursor.at:
                self.cursor.at = found.start()
                return
        self.cursor.at = len(self.raw)

    def behind_quote(self, quote: bytes, at: int) -> int:
        """Return the offset behind a quoted string, ``at`` if it is not closed."""
        if quote in self.unclosed:
            return at
        end = _QUOTE_END[quote].search(self.raw, at)
        if end is None:
            self.unclosed.add(quote)
            return at
        return end.end()

    def more(self, child: Expr, fault: ParseFault) -> Rule:
        """Note a fault between checks and read what follows the next conjunction."""
        self.note(fault)
        start = self.cursor.at
        self.skip(start)
        unknown = UnknownExpr(Span(start, max(start, self.back())))
        if self.cursor.literal(b"and") or self.cursor.literal(b"or"):
            rest = yield self.or_expr()
            return AndExpr((child, unknown, rest), Span(start, self.back()))
        return AndExpr((child, unknown), Span(start, self.back()))

    def group(self) -> Rule:
        """Read a group; what stands between its checks is noted and skipped."""
        self.deeper()
        child = yield self.or_expr()
        while not self.cursor.literal(b")"):
            child = yield self.more(child, self.fault("expected-close", "')'"))
            if self.cursor.at >= len(self.raw):
                break
        self.depth -= 1
        return child

    def read_all(self) -> Rule:
        """Read all of the text as one condition."""
        child = yield self.or_expr()
        while self.cursor.at < len(self.raw):
            try:
                self.end()
            except ParseFault as fault:
                if self.cursor.literal(b")"):
                    self.note(fault)
                    self.cursor.blank()
                    if not (self.cursor.literal(b"and") or self.cursor.literal(b"or")):
                        continue
                    rest = yield self.or_expr()
                    child = AndExpr((child, rest), Span(0, self.back()))
                else:
                    child = yield self.more(child, fault)
        return child


def understand(
    text: str | bytes, fields: Mapping[str, FieldInfo] | None = None
) -> tuple[Expr, list[Diagnostic]]:
    """Read what can be read of a condition; give its tree and all syntax errors.

    What could not be read is an :class:`UnknownExpr` in the tree. ``fields``: what
    names may be meant in the hints.
    """
    raw = as_bytes(text)
    parser = RecoveringParser(raw)
    tree: Any
    try:
        tree = parser.run(parser.read_all()) if raw else parser.parse()
    except ParseFault as fault:
        parser.faults.append(fault)
        tree = UnknownExpr(Span(0, len(raw)))
    for found in parser.faults:
        found.hint = field_name_hint(found, raw, fields or ()) or found.hint
    return tree, [parse_diagnostic(fault, raw) for fault in parser.faults]


def check_condition(
    text: str | bytes,
    fields: Mapping[str, FieldInfo] | Iterable[FieldInfo | Mapping[str, Any]],
    *,
    macros: Collection[str] = (),
    unchecked: Callable[[str], bool] | None = None,
) -> list[Diagnostic]:
    """Return everything that is wrong or odd in a condition, in the order of the text.

    ``macros``: names that count as known macros. ``unchecked``: as in
    :func:`workbench.condition.binding.bind.bind`. No errors in the result: the
    condition compiles.
    """
    return examine(text, as_field_table(fields), macros, unchecked)[2]


def examine(
    text: str | bytes,
    fields: FieldTable,
    macros: Collection[str] = (),
    unchecked: Callable[[str], bool] | None = None,
) -> tuple[Expr, BoundCondition, list[Diagnostic]]:
    """Return tree, bound condition and all diagnostics of a text that is read once.

    Without an error among them the first two are what the strict parser gives.
    """
    raw = as_bytes(text)
    tree, found = understand(raw, fields)
    bound = bind(
        tree, fields, text=raw, unchecked=unchecked, macros=macros, collect=True
    )
    found += [*bound.errors, *bound.warnings]
    return tree, bound, sorted(found, key=_place)


def _place(item: Diagnostic) -> tuple[int, bool]:
    start = item.span.start if item.span is not None else 0
    return start, item.severity != "error"
