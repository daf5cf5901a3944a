"""From the text of a condition to its tree: one method per rule of the grammar.

Rules that nest are generators (see :mod:`workbench.condition.syntax.grammar`): an
expression of any size and depth is read in one pass, without recursion.

The first fault ends :func:`parse`. :mod:`workbench.condition.binding.recover` goes on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from workbench.condition.syntax.grammar import MAX_DEPTH, ParseFault, Rules
from workbench.condition.syntax.hints import (
    check_hint,
    list_hint,
    lone_word,
    number_hint,
    operator_hint,
    trailing_hint,
    value_hint,
)
from workbench.condition.syntax.lexer import as_bytes
from workbench.condition.syntax.nodes import (
    AndExpr,
    BinaryCheckExpr,
    FieldExpr,
    FieldTransformerExpr,
    IdentifierExpr,
    ListExpr,
    NotExpr,
    OrExpr,
    UnaryCheckExpr,
    ValueExpr,
)
from workbench.diagnostics import Span

if TYPE_CHECKING:
    from collections.abc import Callable

    from workbench.condition.syntax.grammar import Rule
    from workbench.condition.syntax.nodes import Expr

__all__ = ["MAX_DEPTH", "ParseFault", "Parser", "parse"]

Left: TypeAlias = FieldExpr | FieldTransformerExpr


def parse(text: str | bytes) -> Expr:
    """Read a condition. Raises ParseFault at the first thing that is wrong.

    Macros stay :class:`IdentifierExpr`; lists must have been substituted before.
    """
    return Parser(as_bytes(text)).parse()


class Parser(Rules):
    """Reads one text. A recovering parser goes on after a fault (see ``at_check``)."""

    def at_check(self, start: int, rule: Callable[[int], Rule]) -> Rule:
        """Run the rule for one check; a recovering parser catches its faults here."""
        return (yield rule(start))

    # --- expressions ------------------------------------------------------------------

    def parse(self) -> Expr:
        """Read the whole text as one condition."""
        if not self.raw:
            raise ParseFault(
                "empty-condition",
                "the condition is empty",
                0,
                hint="write a check, such as: evt.num exists",
            )
        root: Expr = self.run(self.or_expr())
        self.end()
        return root

    def end(self) -> None:
        """Make sure that nothing follows."""
        cursor = self.cursor
        if cursor.at != len(self.raw):
            last = cursor.last.decode("utf-8", "backslashreplace")
            # "a and or b": the engine takes the second word for a macro.
            span = lone_word(cursor)
            message = (
                f"unexpected {cursor.ahead()} after '{last}',"
                " expected 'and', 'or' or the end"
            )
            hint = trailing_hint(cursor)
            raise ParseFault(
                "unexpected-token", message, cursor.at, hint=hint, span=span
            )

    def or_expr(self) -> Rule:
        """or_expr = and_expr { "or" ( B and_expr | "(" group ) }."""
        return self.chain("or", self.and_expr, OrExpr)

    def and_expr(self) -> Rule:
        """and_expr = not_expr { "and" ( B not_expr | "(" group ) }."""
        return self.chain("and", self.not_expr, AndExpr)

    def chain(
        self, word: str, rule: Callable[[], Rule], node: type[AndExpr | OrExpr]
    ) -> Rule:
        """Read one or more of ``rule`` with ``word`` between them."""
        cursor, token = self.cursor, word.encode()
        cursor.blank()
        start = cursor.at
        children = [(yield rule())]
        cursor.blank()
        while cursor.literal(token):
            children.append((yield self.operand(word, rule)))
            cursor.blank()
        if len(children) == 1:
            return children[0]
        return node(tuple(children), Span(start, self.back()))

    def operand(self, word: str, rule: Callable[[], Rule]) -> Rule:
        """Read what follows ``and`` or ``or``: a blank and a rule, or a group."""
        if self.cursor.blank():
            return rule()
        if self.cursor.literal(b"("):
            return self.group()
        self.missing(
            self.fault(
                "expected-blank",
                f"a blank or '(' after '{word}'",
                hint=f"put a blank behind '{word}'",
            )
        )
        return rule()

    def back(self) -> int:
        """Return the end of what was read, without the blanks behind it."""
        at = self.cursor.at
        raw = self.raw
        while at and raw[at - 1] in b" \t\r\n\x08":
            at -= 1
        return at

    def not_expr(self) -> Rule:
        """not_expr = { "not" B } ( "not(" group | check )."""
        cursor = self.cursor
        cursor.blank()
        start = cursor.at
        negated = False
        while cursor.not_word():
            negated = not negated
        if cursor.literal(b"not("):
            negated = not negated
            child = yield self.group()
        else:
            child = yield self.at_check(cursor.at, self.check)
        return NotExpr(child, Span(start, cursor.at)) if negated else child

    def group(self) -> Rule:
        """Read what follows an opening parenthesis: or_expr ")"."""
        self.deeper()
        child = yield self.or_expr()
        if not self.cursor.literal(b")"):
            self.missing(self.fault("expected-close", "')'"))
        self.depth -= 1
        return child

    # --- checks -----------------------------------------------------------------------

    def check(self, start: int) -> Rule:
        """Read check = "(" group | ( field | call ) test | identifier."""
        cursor = self.cursor
        if cursor.literal(b"("):
            return (yield self.group())
        name = cursor.field_name()
        if name is not None:
            return (yield self.test(self.field(name, start), start))
        name = cursor.call()
        if name is not None:
            left = yield self.call(name, start)
            return (yield self.test(left, start))
        name = cursor.identifier()
        if name is not None:
            return IdentifierExpr(name, Span(start, cursor.at))
        raise self.fault(
            "expected-check",
            "a check, a group or a macro name",
            hint=check_hint(cursor),
        )

    def test(self, left: Left, start: int) -> Rule:
        """Read the operator and its right side.

        test = "exists" | number_op number | string_op string | list_op list.
        """
        cursor = self.cursor
        cursor.blank()
        at = cursor.at
        if cursor.literal(b"exists"):
            return UnaryCheckExpr(
                left, "exists", Span(at, cursor.at), Span(start, cursor.at)
            )
        modifier: str | None = None
        right: Any
        if (op := cursor.number_op()) is not None:
            op_end = cursor.at
            right = yield self.number_value()
        elif (op := cursor.symbol_op()) is not None:
            op_end = cursor.at
            if cursor.blank():
                modifier = cursor.modifier()
            right = yield self.string_value(modifier)
        elif (op := cursor.word_op()) is not None:
            op_end = at + len(op)
            modifier = cursor.modifier()
            right = yield self.string_value(modifier)
        elif (op := cursor.list_op()) is not None:
            op_end = cursor.at
            right = yield self.list_value()
        else:
            raise self.fault(
                "expected-operator", "an operator", hint=operator_hint(cursor)
            )
        return BinaryCheckExpr(
            left, op, modifier, right, Span(at, op_end), Span(start, cursor.at)
        )

    # --- right sides ------------------------------------------------------------------

    def number_value(self) -> Rule:
        """number_value = val | call | number."""
        cursor = self.cursor
        cursor.blank()
        start = cursor.at
        called = self.call_or_val()
        if called is not None:
            return (yield called)
        value = cursor.number()
        if value is None:
            raise self.fault(
                "expected-number",
                "a number, val(field) or a call",
                hint=number_hint(cursor),
            )
        return ValueExpr(value, "number", Span(start, cursor.at))

    def string_value(self, modifier: str | None) -> Rule:
        """string_value = set (behind a modifier) | val | call | quoted | bare."""
        cursor = self.cursor
        cursor.blank()
        start = cursor.at
        if modifier is not None:
            if cursor.literal(b"("):
                return self.list_rest(start)
            return self.word(start)
        called = self.call_or_val()
        if called is not None:
            return (yield called)
        value = self.item()
        if value is None:
            raise self.fault(
                "expected-string",
                "a value, val(field) or a call",
                hint=value_hint(cursor),
            )
        return value

    def list_value(self) -> Rule:
        """list_value = list | val | call | identifier."""
        cursor = self.cursor
        cursor.blank()
        start = cursor.at
        if cursor.literal(b"("):
            return self.list_rest(start)
        called = self.call_or_val()
        if called is not None:
            return (yield called)
        if cursor.at < len(self.raw) and self.raw[start : start + 1].isalpha():
            return self.word(start)
        raise self.fault(
            "expected-list",
            "a list in parentheses, val(field) or a call",
            hint="write the values in parentheses: in (a, b)",
        )

    def word(self, start: int) -> ValueExpr:
        """Read a bare name that stands for a set of one."""
        name = self.cursor.identifier() or ""
        return ValueExpr(name.encode(), "word", Span(start, self.cursor.at))

    def item(self) -> ValueExpr | None:
        """Read a quoted or bare value."""
        cursor = self.cursor
        start = cursor.at
        value = self.quoted()
        form = "quoted"
        if value is None:
            value = cursor.bare()
            form = "bare"
        return None if value is None else ValueExpr(value, form, Span(start, cursor.at))

    def list_rest(self, start: int) -> ListExpr:
        """Read the values of a list and its closing parenthesis.

        The engine takes any fault in the first value for an empty list, a bad escape
        included; the binder warns about that.
        """
        cursor = self.cursor
        items: list[ValueExpr] = []
        cursor.blank()
        dropped: Span | None = None
        first_at = cursor.at
        try:
            first = self.item()
        except ParseFault:
            first = None
            dropped = Span(first_at, cursor.at)
        if first is not None:
            items.append(first)
            cursor.blank()
            while cursor.literal(b","):
                cursor.blank()
                value = self.item()
                if value is None:
                    raise self.fault(
                        "expected-string",
                        "a value",
                        hint="no empty place in a list; quote an empty value: ''",
                    )
                items.append(value)
                cursor.blank()
        if not cursor.literal(b")"):
            raise self.fault("expected-close", "',' or ')'", hint=list_hint(cursor))
        return ListExpr(tuple(items), Span(start, cursor.at), dropped)
