"""The part of the grammar that nests inside checks: fields and calls.

Rules that nest are generators that yield the rule they need and get its result back;
:meth:`Rules.run` keeps them on a list, so that nesting costs no recursion.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from workbench.condition.syntax.hints import escape_hint
from workbench.condition.syntax.lexer import Cursor
from workbench.condition.syntax.nodes import (
    FieldExpr,
    FieldTransformerExpr,
    TransformerListExpr,
    ValueExpr,
)
from workbench.diagnostics import Span
from workbench.fields.quoting import EscapeFault
from workbench.fields.reference import NO_ARGUMENT

if TYPE_CHECKING:
    from collections.abc import Generator

    from workbench.condition.syntax.nodes import Argument

__all__ = ["MAX_DEPTH", "ParseFault", "Rule", "Rules"]

# Groups and calls inside each other. The real engine overflows its stack near 10,000.
MAX_DEPTH = 9000

Rule: TypeAlias = "Generator[Any, Any, Any]"


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


class Rules:
    """A place in a text, the machinery that runs rules, and the rules for calls."""

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self.cursor = Cursor(raw)
        self.depth = 0

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
                hint=escape_hint(fault.escape),
                span=Span(fault.at, fault.at + 1 + len(fault.escape.encode())),
            ) from None

    # --- fields and calls -------------------------------------------------------------

    def field(self, name: str, start: int) -> FieldExpr:
        """Read field = name [ "[" argument "]" ]; the name has been read."""
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

    def call_or_val(self) -> Rule | None:
        """Return the rule for ``val(…)`` or a call if one begins here."""
        start = self.cursor.at
        if self.cursor.literal(b"val("):
            return self.val(start)
        name = self.cursor.call()
        return None if name is None else self.call(name, start)

    def val(self, start: int) -> Rule:
        """Read val = "val(" field ")" [ argument ]."""
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
        """Read call = name "(" carg { "," carg } ")" [ argument ], name "(" is read."""
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
        """Read carg = number | quoted | list | call | field."""
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
        """Read clist = "(" [ citem { "," citem } ] ")"; "(" is read."""
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
        """Read citem = field | call | quoted | number."""
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
