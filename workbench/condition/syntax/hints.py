"""Corrections: what the writer of a condition probably meant.

Each function looks at what stands at the cursor, where something else was expected.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from workbench.condition.syntax.lexer import MODIFIERS, TRANSFORMERS
from workbench.condition.syntax.operators import OPERATORS
from workbench.diagnostics import Span

if TYPE_CHECKING:
    from workbench.condition.syntax.lexer import Cursor

__all__ = [
    "check_hint",
    "curly_hint",
    "escape_hint",
    "list_hint",
    "lone_word",
    "lone_word_hint",
    "number_hint",
    "operator_correction",
    "operator_hint",
    "trailing_hint",
    "value_hint",
]

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


# Operators of other languages, and the right ones.
_WRONG_OPERATORS = {
    "=>": ">=",
    "=<": "<=",
    "<>": "!=",
    "===": "=",
    "=!": "!=",
    "!==": "!=",
}
_JOINING = (b"and", b"or", b"not")
_SIGNS = re.compile(rb"[=<>!]*")
_LAST_SIGNS = re.compile(rb"[=<>!]+\Z")
# "is not", or a negation and the operator behind it, if there is one.
_NEGATED = re.compile(
    rb"(is[ \t]+not\b)|(?:not\b|!)[ \t\r\n]*([a-z]+|==?|[<>]=?)?|not?(in)\b",
    re.IGNORECASE,
)
# The first of several values that should stand in parentheses.
_UNLISTED = re.compile(rb"\b(in|intersects|pmatch)[ \t\r\n]+[^\s()]+\Z")
_LAST_OPERAND = re.compile(rb"[^\s()]+\Z")
_CURLY = re.compile("[\u2018-\u201f]")


def curly_hint(text: str) -> str | None:
    """Correct quotes that word processors make; None where there are none."""
    if _CURLY.search(text) is None:
        return None
    return "curly quotes do not quote; write straight ones: ' or \""


def lone_word(cursor: Cursor) -> Span | None:
    """Return where ``and``, ``or`` or ``not`` was read last in place of a check."""
    end = len(cursor.raw[: cursor.at].rstrip(b" \t\r\n\x08"))
    start = end - len(cursor.last)
    if cursor.last not in _JOINING or cursor.raw[start:end] != cursor.last:
        return None
    return Span(start, end)


def lone_word_hint(word: str) -> str | None:
    """Correct ``and``, ``or``, ``not`` where a check should stand."""
    if word.encode() not in _JOINING:
        return None
    return f"remove '{word}', or write a check before it"


def _wrong_operator(cursor: Cursor) -> str | None:
    """Correct the signs that end before the cursor or go on behind it."""
    before = cursor.raw[: cursor.at].rstrip(b" \t\r\n")[-3:]
    behind = cursor.raw[cursor.at : cursor.at + 3]
    signs = _LAST_SIGNS.search(before)
    if signs is None:
        return None
    run = signs.group()
    if cursor.raw[cursor.at - 1 : cursor.at] == before[-1:]:
        run += _SIGNS.match(behind).group()  # type: ignore[union-attr]
    return operator_correction(run.decode())


def operator_correction(signs: str) -> str | None:
    """Correct an operator of another language; None for any other text."""
    right = _WRONG_OPERATORS.get(signs)
    return f"write '{right}' for '{signs}'" if right else None


def _found_word(cursor: Cursor) -> str:
    return cursor.ahead().strip("'")


def trailing_hint(cursor: Cursor) -> str | None:
    """Correct something behind a complete expression."""
    found = _found_word(cursor)
    last = cursor.last.decode("utf-8", "replace")
    if found in _WRONG_WORDS and _WRONG_WORDS[found] in ("and", "or", "not"):
        return f"write '{_WRONG_WORDS[found]}'"
    if lone_word(cursor):
        return lone_word_hint(last)
    better = curly_hint(last) or _wrong_operator(cursor)
    if better is not None:
        return better
    if last in TRANSFORMERS or last == "val":
        return f"a call needs its parenthesis at once: {last}(…)"
    if last in MODIFIERS:
        return f"'{last}' needs a blank on both sides and a list: {last} (a, b)"
    if found == "(":
        return "to group, write 'and (…)' or 'or (…)'; to list values, use in (…)"
    if found == "#":
        return "conditions have no comments"
    listed = _UNLISTED.search(cursor.raw[: cursor.at].rstrip(b" \t\r\n\x08"))
    if found == "," and listed is not None:
        return f"write the values in parentheses: {listed[1].decode()} (a, b)"
    if found in ("=", ",", "("):
        return "quote a value that holds blanks, quotes, = , ( or )"
    return None


def check_hint(cursor: Cursor) -> str | None:
    """Correct what stands where a check should begin."""
    found = _found_word(cursor)
    if found == "!":
        return "write 'not' for '!'"
    if found == "#":
        return "conditions have no comments"
    if found == ")":
        return "a group must hold a check"
    if curly_hint(found):
        return curly_hint(found)
    if found == "the end of the text":
        return "a check must follow here, such as: evt.num exists"
    return "a check begins with a field, such as: evt.source = …"


def operator_hint(cursor: Cursor) -> str:
    """Correct what stands where an operator should."""
    found = _found_word(cursor)
    if better := _misplaced_not(cursor):
        return better
    if found in _WRONG_WORDS:
        return f"write '{_WRONG_WORDS[found]}'"
    if found.lower() in OPERATORS:
        if found.lower() != found:
            return f"operators are lower case: {found.lower()}"
        return f"'{found}' needs a blank behind it"
    if found in MODIFIERS:
        return f"a modifier stands behind an operator: = {found} (a, b)"
    return "one of " + " ".join(OPERATORS)


def _misplaced_not(cursor: Cursor) -> str | None:
    """Correct ``field not in (a)`` and the like: ``not`` stands before the field."""
    found = _NEGATED.match(cursor.raw, cursor.at)
    if found is None:
        return None
    if found[1] is not None:
        return "write '!='"
    word = (found[2] or found[3] or b"").decode().lower()
    left = _LAST_OPERAND.search(cursor.raw[: cursor.at].rstrip(b" \t\r\n\x08"))
    field = left.group().decode("utf-8", "replace") if left else "field"
    if word in ("=", "=="):
        return f"write {field} != …"
    operator = OPERATORS.get(word)
    if operator is None:
        return f"'not' stands before the field: not {field} …"
    behind = {"list": " (…)", "": ""}.get(operator.right, " …")
    return f"'not' stands before the field: not {field} {word}{behind}"


def list_hint(cursor: Cursor) -> str | None:
    """Correct what stands in a list where a comma or its end should."""
    found = _found_word(cursor)
    if found == "(":
        return "lists do not nest and hold no calls"
    if found == "the end of the text":
        return "the list is not closed"
    if curly := curly_hint(cursor.last.decode("utf-8", "replace")):
        return curly
    return "separate values by commas; quote values with blanks, quotes, = , ( or )"


def escape_hint(escape: str) -> str:
    """Correct a backslash and the character behind it."""
    if escape in ("'", '"'):
        return "the other kind of quote needs no backslash"
    if escape == "x":
        return r"\xHH is known to newer engines only"
    return f"for a backslash write \\\\, here \\\\{escape}"


def number_hint(cursor: Cursor) -> str:
    """Correct what stands where a number should."""
    return _wrong_operator(cursor) or (
        "'<' '<=' '>' '>=' take a number without quotes, or val(field)"
    )


def value_hint(cursor: Cursor) -> str:
    """Correct what stands where a value should."""
    if cursor.raw[cursor.at : cursor.at + 1] in (b"'", b'"'):
        return "the quote is not closed; a backslash before a quote keeps it open"
    if better := _wrong_operator(cursor):
        return better
    return "quote a value that is empty or holds blanks, quotes, = , ( or )"
