"""Warnings: legal conditions that hardly mean what they say.

Three kinds come from the engine itself: a value that looks like a field, one that looks
like a call, and a pattern that needs no regular expression. The others are ours: each
names a quirk of the engine that this condition runs into, and how to write it instead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.condition.binding.bound import CallStep, Constants, ListStep, Operand
from workbench.condition.binding.faults import BindWarning
from workbench.condition.semantics.paths import has_sibling_patterns
from workbench.condition.semantics.transformers import STRING_TRANSFORMERS
from workbench.condition.syntax.hints import curly_hint, operator_correction
from workbench.condition.syntax.lexer import TRANSFORMERS
from workbench.condition.syntax.nodes import BinaryCheckExpr, ListExpr, ValueExpr
from workbench.fields.builtin import BUILTIN_FIELDS
from workbench.fields.reference import FieldFault, FieldRef, find_field

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from workbench.condition.binding.bound import BoundCheck
    from workbench.fields.declarations import FieldInfo

__all__ = ["check_warnings", "constant_hint", "value_warnings"]


_SPECIAL = frozenset(b".+*?^$()[]{}|\\\0")
_WHITE = b" \t\n\v\f\r"


def _shown(value: bytes) -> str:
    return f"'{value[:60].decode('utf-8', 'backslashreplace')}'"


def _needs_regex(pattern: bytes) -> bool:
    """Whether the engine finds that a pattern uses what only patterns can do."""
    last = len(pattern) - 1
    at = 0
    while at <= last:
        char = pattern[at : at + 1]
        if (at == 0 and char == b"^") or (at == last and char == b"$"):
            at += 1
        elif (
            ((at == 0 and last > 0) or at == last - 1)
            and char == b"."
            and pattern[at + 1] in b"+*?\0"
        ):
            at += 2
        elif pattern[at] in _SPECIAL:
            return True
        else:
            at += 1
    return False


def _is_field(text: str, fields: Mapping[str, FieldInfo]) -> bool:
    name, bracket, rest = text.partition("[")
    if bracket and not rest.endswith("]"):
        return False
    if name not in fields and name not in BUILTIN_FIELDS:
        return False
    try:
        find_field(FieldRef(name, rest[:-1] if bracket else None), fields)
    except FieldFault:
        return False
    return True


def constant_hint(item: ValueExpr, node: BinaryCheckExpr) -> str | None:
    """Correct a constant that holds what was meant to stand around it."""
    text = item.value.decode("utf-8", "replace")
    if item.form == "quoted":
        whole = len(text) > 1 and curly_hint(text[0]) and curly_hint(text[-1])
        return "remove the curly quotes inside the straight ones" if whole else None
    # "=>a" and "=> a", but not "= >a"
    joined = item.span.start == node.op_span.end and item.value != b"<NA>"
    if joined and text[:1] in ("<", ">", "!"):
        signs = text[: 2 if text[1:2] == "=" else 1]
        correction = operator_correction(node.op + signs)
        if correction is not None:
            return correction
    return curly_hint(text)


def _written_around(node: BinaryCheckExpr) -> Iterator[BindWarning]:
    """Yield constants of texts that hold curly quotes or a part of the operator."""
    right = node.right
    items = right.items if isinstance(right, ListExpr) else (right,)
    for item in items:
        if isinstance(item, ValueExpr) and (hint := constant_hint(item, node)):
            yield BindWarning(
                "odd-constant",
                f"the text compared with is {_shown(item.value)}, signs included",
                item.span,
                hint,
            )


def value_warnings(
    op: str, items: Sequence[ValueExpr], fields: Mapping[str, FieldInfo]
) -> Iterator[BindWarning]:
    """Yield the engine's own warnings about constants, in its order."""
    for item in items:
        value = item.value
        if op == "regex" and not _needs_regex(value):
            yield BindWarning(
                "regex-not-needed",
                f"the pattern {_shown(value)} needs no regular expression",
                item.span,
                "=, contains, startswith or endswith do the same and are faster",
            )
        bare = value.translate(None, _WHITE)
        text = bare.decode("utf-8", "surrogateescape")
        if _is_field(text, fields):
            yield BindWarning(
                "value-looks-like-field",
                f"{_shown(value)} is a field, but here it is just a text",
                item.span,
                f"to compare with the field write val({text})",
            )
        if bare.endswith(b")"):
            head = text.partition("(")[0]
            if head in TRANSFORMERS or head == "val":
                yield BindWarning(
                    "value-looks-like-call",
                    f"{_shown(value)} is a call, but in quotes it is just a text",
                    item.span,
                    "write it without quotes, and not inside a list",
                )


def _ends_in_nul(operand: Operand) -> bool:
    """Whether the value comes out of a string transformer, NUL included."""
    last = operand.steps[-1]
    return isinstance(last, CallStep) and last.name in STRING_TRANSFORMERS


def check_warnings(node: BinaryCheckExpr, check: BoundCheck) -> Iterator[BindWarning]:
    """Yield our warnings about a bound check."""
    left, right = check.left, check.right
    yield from _operand_warnings(left)
    if isinstance(right, Operand):
        yield from _operand_warnings(right)
        yield from _closing_nul_warnings(node, left, right)
        return
    if node.op in ("in", "intersects") and left.is_list and _ends_in_nul(left):
        name = left.steps[-1].name  # type: ignore[union-attr]
        yield BindWarning(
            "never-matches",
            f"{name}() of a list never equals a constant in the real engine, because it"
            " counts a closing NUL",
            node.left.span,
            "compare the plain list, or join it first: join(',', list) contains …",
        )
    yield from _written_around(node)
    if isinstance(right, Constants):
        yield from _constant_warnings(node, check, right)


def _closing_nul_warnings(
    node: BinaryCheckExpr, left: Operand, right: Operand
) -> Iterator[BindWarning]:
    if node.op not in ("in", "intersects") or left.type != "string":
        return
    left_counts = left.is_list and _ends_in_nul(left)
    if _ends_in_nul(right) != left_counts:
        side = node.left if left_counts else node.right
        yield BindWarning(
            "never-matches",
            f"'{node.op}' never matches here in the real engine: one side counts a"
            " closing NUL, the other does not",
            side.span,
            "use = for single values"
            if not left.is_list
            else "apply the same transformer to both sides",
        )


def _operand_warnings(operand: Operand) -> Iterator[BindWarning]:
    for step in operand.steps:
        if isinstance(step, ListStep):
            yield from _list_warnings(step, operand)
        elif isinstance(step, CallStep) and step.name in ("join", "concat"):
            yield from _joining_warnings(step, operand)
        elif isinstance(step, CallStep) and step.name == "len":
            inner = operand.steps[step.args[0]]
            if (
                isinstance(inner, CallStep)
                and inner.name == "getopt"
                and inner.option is None
            ):
                yield BindWarning(
                    "length-of-getopt",
                    "the real engine stops at len(getopt(…)) unless exactly one item"
                    " results",
                    operand.span,
                    "ask for one option: len(getopt(…)[x])",
                )


def _list_warnings(step: ListStep, operand: Operand) -> Iterator[BindWarning]:
    if any(
        not decimal and _kind(operand, index) != "string"
        for index, decimal in zip(step.items, step.decimal, strict=True)
    ):
        yield BindWarning(
            "raw-bytes",
            "only texts and uint64 fields print as text in a list; the other"
            " items stand for their raw bytes",
            operand.span,
            "leave them out",
        )


def _joining_warnings(step: CallStep, operand: Operand) -> Iterator[BindWarning]:
    if any(_kind(operand, index) != "string" for index in step.args):
        yield BindWarning(
            "raw-bytes",
            f"{step.name}() of values that are not text gives their raw bytes",
            operand.span,
            "put uint64 fields in a list in parentheses: join(',', (a, b))",
        )
    first = operand.steps[step.args[0]]
    if (
        step.name == "join"
        and isinstance(first, CallStep)
        and first.name in STRING_TRANSFORMERS
    ):
        yield BindWarning(
            "cut-at-nul",
            "a transformed separator ends in a NUL, which cuts the joined text"
            " behind the first separator",
            operand.span,
            "write the separator as a constant",
        )


def _kind(operand: Operand, index: int) -> str:
    step = operand.steps[index]
    return getattr(step, "type", "string")


def _constant_warnings(
    node: BinaryCheckExpr, check: BoundCheck, right: Constants
) -> Iterator[BindWarning]:
    yield from _set_warnings(node)
    if node.modifier is not None:
        yield from _modifier_warnings(node, check, len(set(right.values)))
    if check.test == "pmatch" and has_sibling_patterns(right.values):  # type: ignore[arg-type]
        yield BindWarning(
            "order-matters",
            "where several patterns stand side by side, the engine may miss paths: it"
            " tries the last one first and then loses its place",
            node.right.span,
            "use separate pmatch checks joined by or",
        )
    if check.left.type == "string":
        yield from _text_warnings(node)
    elif (
        _is_list_length(check.left)
        and 0 in right.values
        and check.test in ("eq", "in", "intersects", "le")
    ):
        yield BindWarning(
            "absent-list",
            "an empty list counts as absent, so the length of a list is never 0",
            node.right.span,
            "write not field exists",
        )


def _set_warnings(node: BinaryCheckExpr) -> Iterator[BindWarning]:
    """Yield what is odd about the set itself: a bare word, or nothing in it."""
    right = node.right
    if isinstance(right, ValueExpr) and right.form == "word":
        word = right.value.decode()
        before = f"{node.op} {node.modifier}" if node.modifier else node.op
        yield BindWarning(
            "set-of-one-word",
            f"'{before} {word}' compares with the one text '{word}'",
            right.span,
            f"for this one text write {before} ({word}); a list of a rules file needs "
            "the parentheses, too",
        )
    if not isinstance(right, ListExpr) or right.items:
        return
    if right.dropped is None:
        yield BindWarning(
            "empty-set", "an empty set never matches", right.span, "list some values"
        )
    else:
        yield BindWarning(
            "dropped-value",
            "the engine drops a first value with a bad escape, so that the list is"
            " empty and never matches",
            right.dropped,
            "for a backslash write \\\\",
        )


def _modifier_warnings(
    node: BinaryCheckExpr, check: BoundCheck, distinct: int
) -> Iterator[BindWarning]:
    """Yield what is odd about a modifier; ``distinct``: how many different values."""
    span = node.right.span
    pair = ("=" if node.op == "==" else node.op, node.modifier)
    networks = check.left.type == "ipnet"
    values = check.right.values if isinstance(check.right, Constants) else ()
    if networks and check.test in ("in", "not_in"):
        op, outcome, write = (
            ("= anyof", "never", "in (…)")
            if check.test == "in"
            else ("!= allof", "always", "not … in (…)")
        )
        yield BindWarning(
            f"{outcome}-matches",
            f"'{op}' compares addresses with networks byte by byte in the real engine"
            f" and {outcome} matches",
            span,
            f"write {write}",
        )
    if pair == ("!=", "anyof") and distinct > 1:
        yield BindWarning(
            "always-matches",
            "a value always differs from at least one of several",
            span,
            "for 'none of these' write != allof (…), or not … in (…)",
        )
    if node.modifier == "oneof" and distinct < len(values):
        yield BindWarning(
            "repeated-value",
            "oneof counts a value that is listed twice as two, so it never matches",
            span,
            "list every value once",
        )
    if pair == ("=", "allof") and distinct > 1 and not networks:
        yield BindWarning(
            "never-matches",
            "a value never equals several values at once",
            span,
            "write in (…)",
        )


def _is_list_length(operand: Operand) -> bool:
    last = operand.steps[-1]
    if not isinstance(last, CallStep) or last.name != "len":
        return False
    return bool(getattr(operand.steps[last.args[0]], "is_list", False))


def _text_warnings(node: BinaryCheckExpr) -> Iterator[BindWarning]:
    items = node.right.items if isinstance(node.right, ListExpr) else (node.right,)
    if node.op in ("<", "<=", ">", ">="):
        yield BindWarning(
            "text-order",
            "the field is text, so the number is compared as text: '9' is not less"
            " than 10",
            node.right.span,
            "compare a field of type uint64, or use len(field)",
        )
    for item in items:
        if not isinstance(item, ValueExpr):
            continue
        if item.value == b"<NA>":
            yield BindWarning(
                "absent-text",
                "<NA> is what outputs print for an absent value; an absent value never"
                " equals it",
                item.span,
                "write not field exists",
            )
        elif b"\0" in item.value:
            yield BindWarning(
                "cut-at-nul",
                "the engine reads the value up to its NUL only",
                item.span,
                "remove the NUL",
            )
