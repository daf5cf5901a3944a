"""Tokens of the condition language: a cursor over bytes, one method per token.

There is no token stream: what may stand at a place depends on the place (``in`` needs
no blank behind it, ``contains`` does; ``10.0`` is a number here and a word there), so
the parser asks for what it wants. Every method either reads its token and moves, or
leaves the cursor alone and gives None or False.
"""

from __future__ import annotations

import re

from workbench.arguments import wrong
from workbench.fields.quoting import scan_quoted
from workbench.fields.reference import BARE_ARGUMENT, FIELD_NAME, MULTIBYTE

__all__ = ["MODIFIERS", "TRANSFORMERS", "Cursor", "as_bytes"]

TRANSFORMERS = (
    "tolower",
    "toupper",
    "b64",
    "basename",
    "len",
    "join",
    "concat",
    "getopt",
)
MODIFIERS = ("oneof", "anyof", "allof")

_BLANK = re.compile(rb"[ \t\r\n\x08]*")
_NOT = re.compile(rb"not[ \t\r\n\f\v]+")
_WORD = re.compile(rb"[A-Za-z][A-Za-z0-9_]*")
_NUMBER = re.compile(rb"0[xX][0-9a-fA-F]+|[+-]?[0-9]+\.?[0-9]*(?:[eE][+-][0-9]+)?")
_BARE = re.compile(rb"(?:[^()\"'\s=,\x80-\xff]|" + MULTIBYTE + rb")+")
_CALL = re.compile(rb"(" + "|".join(TRANSFORMERS).encode() + rb")\(")
_NUMBER_OP = re.compile(rb"<=|<|>=|>")
_SYMBOL_OP = re.compile(rb"==|=|!=")
_WORD_OP = re.compile(
    rb"(glob|iglob|contains|icontains|bcontains|startswith|bstartswith|endswith|regex)"
    rb"[ \t\r\n\x08]+"
)
_LIST_OP = re.compile(rb"intersects|in|pmatch")
# A modifier counts only before "(" or a word that is no keyword; a keyword ends at
# anything but a letter or digit, so "or_x" begins with one.
_MODIFIER = re.compile(
    rb"(oneof|anyof|allof)[ \t\r\n\x08]+"
    rb"(?=\(|(?!(?:and|or|not)(?![A-Za-z0-9]))[A-Za-z])"
)
# What people see as one thing when something unexpected stands there.
_SHOWN = re.compile(rb"[\w.\x80-\xff\[\]-]+|[=<>!&|]+|.", re.DOTALL)


def as_bytes(text: str | bytes) -> bytes:
    """Return the bytes of a condition; lone surrogates stand for single bytes."""
    if isinstance(text, bytes):
        return text
    if not isinstance(text, str):
        raise wrong("conditions", "a condition", "a text or bytes", text)
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")


class Cursor:
    """A place in a text. ``at``: byte offset. ``last``: the token read last."""

    __slots__ = ("at", "last", "raw")

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self.at = 0
        self.last = b""

    def blank(self) -> bool:
        """Skip blanks between tokens; tell whether there were any."""
        end = _BLANK.match(self.raw, self.at).end()  # type: ignore[union-attr]
        found = end > self.at
        self.at = end
        return found

    def literal(self, token: bytes) -> bool:
        """Read exactly ``token``."""
        if self.raw.startswith(token, self.at):
            self.at += len(token)
            self.last = token
            return True
        return False

    def _match(self, pattern: re.Pattern[bytes]) -> bytes | None:
        found = pattern.match(self.raw, self.at)
        if found is None:
            return None
        self.at = found.end()
        self.last = found.group()
        return self.last

    def _word(self, pattern: re.Pattern[bytes]) -> str | None:
        found = pattern.match(self.raw, self.at)
        if found is None:
            return None
        self.at = found.end()
        self.last = found.group(found.lastindex or 0)
        return self.last.decode()

    def not_word(self) -> bool:
        """Read ``not`` and the white space that must follow."""
        return self._match(_NOT) is not None

    def identifier(self) -> str | None:
        """Read a bare name."""
        return self._word(_WORD)

    def field_name(self) -> str | None:
        """Read a dotted name."""
        return self._word(FIELD_NAME)

    def call(self) -> str | None:
        """Read a transformer's name and the parenthesis that must follow at once."""
        return self._word(_CALL)

    def number(self) -> bytes | None:
        """Read a decimal or hexadecimal number, as text."""
        return self._match(_NUMBER)

    def bare(self) -> bytes | None:
        """Read an unquoted value."""
        return self._match(_BARE)

    def bare_argument(self) -> bytes | None:
        """Read an unquoted field argument."""
        return self._match(BARE_ARGUMENT)

    def quoted(self) -> bytes | None:
        """Read a quoted string, decoded. Raises EscapeFault for a bad escape."""
        scanned = scan_quoted(self.raw, self.at)
        if scanned is None:
            return None
        self.last, self.at = scanned
        return self.last

    def number_op(self) -> str | None:
        """Read an operator that wants a number."""
        return self._word(_NUMBER_OP)

    def symbol_op(self) -> str | None:
        """Read an operator of the string family that is a symbol."""
        return self._word(_SYMBOL_OP)

    def word_op(self) -> str | None:
        """Read an operator of the string family that is a word, and its blanks."""
        return self._word(_WORD_OP)

    def list_op(self) -> str | None:
        """Read an operator that wants a list."""
        return self._word(_LIST_OP)

    def modifier(self) -> str | None:
        """Read a modifier and its blanks; the caller knows that a blank came before."""
        return self._word(_MODIFIER)

    def ahead(self) -> str:
        """Return what stands here for a message: ``'token'`` or ``the end``."""
        found = _SHOWN.match(self.raw, self.at)
        if found is None:
            return "the end of the text"
        shown = found.group()[:40].decode("utf-8", "backslashreplace")
        if shown.isspace() or not shown.isprintable():
            return ascii(shown)
        return f"'{shown}'"
