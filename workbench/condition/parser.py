"""From the text of a condition to its tree: one method per rule of the grammar.

Rules that nest (groups and calls) are generators that yield the rule they need and get
its result back; :meth:`Parser.run` keeps them on a list. So nesting costs no recursion,
and an expression of any size is read in one pass.

The first fault ends :func:`parse`. :mod:`workbench.condition.recover` goes on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from workbench.condition.lexer import MODIFIERS, TRANSFORMERS, Cursor, as_bytes
from workbench.condition.nodes import (
    AndExpr,
    BinaryCheckExpr,
    FieldExpr,
    FieldTransformerExpr,
    IdentifierExpr,
    ListExpr,
    NotExpr,
    OrExpr,
    TransformerListExpr,
    UnaryCheckExpr,
    ValueExpr,
)
from workbench.diagnostics import Span
from workbench.field_refs import NO_ARGUMENT
from workbench.quoting import EscapeFault

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from workbench.condition.nodes import Argument, Expr

__all__ = ["MAX_DEPTH", "ParseFault", "Parser", "parse"]

# Groups and calls inside each other. The real engine overflows its stack near 10,000.
MAX_DEPTH = 5000

Rule: TypeAlias = "Generator[Any, Any, Any]"
Left: TypeAlias = FieldExpr | FieldTransformerExpr

_CALLS = ", ".join(f"{name}(…)" for name in ("val", *TRANSFORMERS))


class ParseFault(ValueError):
    """What is wrong with a text, and where.

    ``at``: byte offset where the engine stops. ``span``: bytes to point at. ``hint``: a
    correction or None.
    """

    def __init__(
        self,
        code: str,
        message: str,
        at: int,
        *,
        hint: str | None = None,
        span: Span | None = None,
    ) -> None:
        super().__init__(code, message, at)
        self.code = code
        self.message = message
        self.at = at
        self.hint = hint
        self.span = span or Span(at, at)


def parse(text: str | bytes) -> Expr:
    """Read a condition. Raises ParseFault at the first thing that is wrong.

    Macros stay :class:`IdentifierExpr`; lists must have been substituted before.
    """
    return Parser(as_bytes(text)).parse()


class Parser:
    """Reads one text. Subclasses may go on after a fault (see the two hooks below)."""

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self.cursor = Cursor(raw)
        self.depth = 0

    # --- hooks ------------------------------------------------------------------------

    def at_check(self, start: int, rule: Callable[[int], Rule]) -> Rule:
        """Run the rule for one check; a recovering parser catches its faults here."""
        return (yield rule(start))

    def missing(self, fault: ParseFault) -> None:
        """Take note that something that must stand here does not."""
        raise fault

    # --- machinery --------------------------------------------------------------------

    def run(self, rule: Rule) -> Any:
        """Run a rule to its end, with all rules it yields; faults travel outwards."""
        stack = [rule]
        value: Any = None
        fault: Exception | None = None
        while stack:
            try:
                if fault is None:
                    step = stack[-1].send(value)
                else:
                    pending, fault = fault, None
                    step = stack[-1].throw(pending)
            except StopIteration as done:
                stack.pop()
                value = done.value
            except ParseFault as raised:
                stack.pop()
                fault = raised
            else:
                stack.append(step)
                value = None
        if fault is not None:
            raise fault
        return value

    def fault(
        self,
        code: str,
        expected: str,
        *,
        hint: str | None = None,
    ) -> ParseFault:
        """Make a fault at the cursor: what was expected here, and what was found."""
        message = f"expected {expected}, found {self.cursor.ahead()}"
        return ParseFault(code, message, self.cursor.at, hint=hint)

    def deeper(self) -> None:
        """Count one more group or call inside another."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            message = f"more than {MAX_DEPTH} groups and calls inside each other"
            hint = "the real engine crashes on nesting of this kind"
            raise ParseFault("too-deep", message, self.cursor.at, hint=hint)

    def quoted(self) -> bytes | None:
        """Read a quoted string; a bad escape is a fault behind the string."""
        try:
            return self.cursor.quoted()
        except EscapeFault as fault:
            self.cursor.at = fault.end
            raise ParseFault(
                "escape",
                fault.message,
                fault.end,
                hint=_escape_hint(fault.escape),
                span=Span(fault.at, fault.at + 1 + len(fault.escape.encode())),
            ) from None

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
            message = (
                f"unexpected {cursor.ahead()} after '{last}',"
                " expected 'and', 'or' or the end"
            )
            hint = _trailing_hint(cursor)
            raise ParseFault("unexpected-token", message, cursor.at, hint=hint)

    def or_expr(self) -> Rule:
        """or_expr = and_expr { "or" ( B and_expr | "(" group ) }."""
        cursor = self.cursor
        cursor.blank()
        start = cursor.at
        children = [(yield self.and_expr())]
        cursor.blank()
        while cursor.literal(b"or"):
            children.append((yield self.operand("or", self.and_expr)))
            cursor.blank()
        if len(children) == 1:
            return children[0]
        return OrExpr(tuple(children), Span(start, self.back()))

    def and_expr(self) -> Rule:
        """and_expr = not_expr { "and" ( B not_expr | "(" group ) }."""
        cursor = self.cursor
        cursor.blank()
        start = cursor.at
        children = [(yield self.not_expr())]
        cursor.blank()
        while cursor.literal(b"and"):
            children.append((yield self.operand("and", self.not_expr)))
            cursor.blank()
        if len(children) == 1:
            return children[0]
        return AndExpr(tuple(children), Span(start, self.back()))

    def operand(self, word: str, rule: Callable[[], Rule]) -> Rule:
        """Read what follows ``and`` or ``or``: a blank and a rule, or a group at once."""
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
        """Give the end of what was read, without the blanks behind it."""
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
        """Check = "(" group | ( field | call ) test | identifier."""
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
            hint=_check_hint(cursor),
        )

    def field(self, name: str, start: int) -> FieldExpr:
        """Field = name [ "[" argument "]" ]; the name has been read."""
        argument = self.argument()
        return FieldExpr(name, argument, Span(start, self.cursor.at))

    def argument(self) -> bytes | None:
        """Read ``[argument]`` if it stands here."""
        cursor = self.cursor
        if not cursor.literal(b"["):
            return None
        value = self.quoted()
        if value is None:
            value = cursor.bare_argument()
        if value is None:
            raise ParseFault(
                "field-argument",
                NO_ARGUMENT,
                cursor.at,
                hint="an empty argument is written ['']",
            )
        if not cursor.literal(b"]"):
            raise self.fault(
                "field-argument",
                "']' behind the argument",
                hint="an argument takes no blanks, quotes or brackets unless quoted",
            )
        return value

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
            raise self.fault("expected-operator", "an operator", hint=_op_hint(cursor))
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
                f"a number or a call ({_CALLS})",
                hint="'<', '<=', '>' and '>=' take a number without quotes, or val(field)",
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
                f"a value or a call ({_CALLS})",
                hint="quote a value that is empty or holds blanks, quotes, = , ( or )",
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
            f"a list in parentheses, a name or a call ({_CALLS})",
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
            raise self.fault("expected-close", "',' or ')'", hint=_list_hint(cursor))
        return ListExpr(tuple(items), Span(start, cursor.at), dropped)

    # --- calls ------------------------------------------------------------------------

    def call_or_val(self) -> Rule | None:
        """Give the rule for ``val(…)`` or a call if one begins here."""
        start = self.cursor.at
        if self.cursor.literal(b"val("):
            return self.val(start)
        name = self.cursor.call()
        return None if name is None else self.call(name, start)

    def val(self, start: int) -> Rule:
        """Val = "val(" field ")" [ argument ]."""
        yield from ()
        cursor = self.cursor
        cursor.blank()
        at = cursor.at
        name = cursor.field_name()
        if name is None:
            raise self.fault(
                "val-field", "a field in val(…)", hint="val() takes one plain field"
            )
        field = self.field(name, at)
        cursor.blank()
        if not cursor.literal(b")"):
            raise self.fault("expected-close", "')' closing val(…)")
        argument = self.argument()
        return FieldTransformerExpr("val", (field,), argument, Span(start, cursor.at))

    def call(self, name: str, start: int) -> Rule:
        """Call = name "(" carg { "," carg } ")" [ argument ]; the name has been read."""
        cursor = self.cursor
        self.deeper()
        cursor.blank()
        args = [(yield self.call_argument())]
        cursor.blank()
        while cursor.literal(b","):
            args.append((yield self.call_argument()))
            cursor.blank()
        if not cursor.literal(b")"):
            raise self.fault("expected-close", f"',' or ')' closing {name}(…)")
        self.depth -= 1
        argument = self.argument()
        return FieldTransformerExpr(name, tuple(args), argument, Span(start, cursor.at))

    def call_argument(self) -> Rule:
        """Carg = number | quoted | list | call | field."""
        cursor = self.cursor
        cursor.blank()
        start = cursor.at
        number = cursor.number()
        if number is not None:
            return ValueExpr(number, "number", Span(start, cursor.at))
        value = self.quoted()
        if value is not None:
            return ValueExpr(value, "quoted", Span(start, cursor.at))
        if cursor.literal(b"("):
            return (yield self.call_list(start))
        name = cursor.call()
        if name is not None:
            return (yield self.call(name, start))
        name = cursor.field_name()
        if name is not None:
            return self.field(name, start)
        raise self.fault(
            "call-argument",
            "a field, a call, a quoted text, a number or a list",
            hint="texts inside a call must be quoted; val() cannot stand in a call",
        )

    def call_list(self, start: int) -> Rule:
        """Clist = "(" [ citem { "," citem } ] ")"; the parenthesis has been read."""
        cursor = self.cursor
        items: list[Argument] = []
        cursor.blank()
        if not cursor.literal(b")"):
            items.append((yield self.call_item()))
            cursor.blank()
            while cursor.literal(b","):
                cursor.blank()
                items.append((yield self.call_item()))
                cursor.blank()
            if not cursor.literal(b")"):
                raise self.fault("expected-close", "',' or ')' closing the list")
        return TransformerListExpr(tuple(items), Span(start, cursor.at))

    def call_item(self) -> Rule:
        """Citem = field | call | quoted | number."""
        cursor = self.cursor
        start = cursor.at
        name = cursor.field_name()
        if name is not None:
            return self.field(name, start)
        name = cursor.call()
        if name is not None:
            return (yield self.call(name, start))
        value = self.quoted()
        if value is not None:
            return ValueExpr(value, "quoted", Span(start, cursor.at))
        number = cursor.number()
        if number is not None:
            return ValueExpr(number, "number", Span(start, cursor.at))
        raise self.fault(
            "call-argument",
            "a field, a call, a quoted text or a number",
            hint="texts inside a call must be quoted; lists in calls do not nest",
        )


# --- corrections ----------------------------------------------------------------------

_WRONG_WORDS = {
    "AND": "and",
    "OR": "or",
    "NOT": "not",
    "IN": "in",
    "EXISTS": "exists",
    "&&": "and",
    "&": "and",
    "||": "or",
    "|": "or",
    "!": "not",
    "~": "regex",
    "=~": "regex",
    "like": "glob",
    "LIKE": "glob",
    "matches": "regex",
    "is": "=",
    "≠": "!=",
}
_ALL_OPS = ["exists", "=", "==", "!=", "<", "<=", ">", ">=", "contains", "icontains", "startswith", "endswith", "glob", "iglob", "regex", "in", "intersects", "pmatch", "bcontains", "bstartswith"]


def _found_word(cursor: Cursor) -> str:
    return cursor.ahead().strip("'")


def _trailing_hint(cursor: Cursor) -> str | None:
    found = _found_word(cursor)
    last = cursor.last.decode("utf-8", "replace")
    if found in _WRONG_WORDS and _WRONG_WORDS[found] in ("and", "or", "not"):
        return f"write '{_WRONG_WORDS[found]}'"
    if last in TRANSFORMERS or last == "val":
        return f"a call needs its parenthesis at once: {last}(…)"
    if last in MODIFIERS:
        return f"'{last}' needs a blank on both sides and a list: {last} (a, b)"
    if found == "(":
        return "to group, write 'and (…)' or 'or (…)'; to list values, use in (…)"
    if found == "#":
        return "conditions have no comments"
    if found in ("=", ",", "("):
        return "quote a value that holds blanks, quotes, = , ( or )"
    return None


def _check_hint(cursor: Cursor) -> str | None:
    found = _found_word(cursor)
    if found == "!":
        return "write 'not' for '!'"
    if found == "#":
        return "conditions have no comments"
    if found == ")":
        return "a group must hold a check"
    if found == "the end of the text":
        return "a check must follow here, such as: evt.num exists"
    return "a check begins with a field, such as: evt.source = …"


def _op_hint(cursor: Cursor) -> str:
    found = _found_word(cursor)
    if found in _WRONG_WORDS:
        return f"write '{_WRONG_WORDS[found]}'"
    if found.lower() in _ALL_OPS:
        if found.lower() != found:
            return f"operators are lower case: {found.lower()}"
        return f"'{found}' needs a blank behind it"
    if found in MODIFIERS:
        return f"a modifier stands behind an operator: = {found} (a, b)"
    return "one of " + " ".join(_ALL_OPS)


def _list_hint(cursor: Cursor) -> str | None:
    found = _found_word(cursor)
    if found == "(":
        return "lists do not nest and hold no calls"
    if found == "the end of the text":
        return "the list is not closed"
    return "separate values by commas; quote values with blanks, quotes, = , ( or )"


def _escape_hint(escape: str) -> str:
    if escape in ("'", '"'):
        return "the other kind of quote needs no backslash"
    if escape == "x":
        return r"\xHH is known to newer engines only"
    return f"for a backslash write \\\\, here \\\\{escape}"
