"""Field references: ``name`` or ``name[arg]``, from text to what a plugin is asked.

Text → :class:`FieldRef` (name and unquoted argument) → :class:`ResolvedField` (the
declaration, the table column, the argument as key and index). Rules, outputs, captures
and conditions all come through here; complaints are the engine's own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from workbench.diagnostics import Diagnostic, Span, line_and_column
from workbench.errors import ConditionError
from workbench.fields.builtin import BUILTIN_FIELDS, generic_owner
from workbench.fields.quoting import EscapeFault, scan_quoted
from workbench.fields.spelling import names_ending_in, nearest_names

if TYPE_CHECKING:
    from collections.abc import Mapping

    from workbench.fields.declarations import FieldInfo

__all__ = [
    "BARE_ARGUMENT",
    "FIELD_NAME",
    "MULTIBYTE",
    "NO_ARGUMENT",
    "NO_INDEX",
    "FieldFault",
    "FieldRef",
    "ResolvedField",
    "find_field",
    "parse_field_ref",
    "resolve",
    "resolve_column",
    "usable_name",
]

NO_INDEX = 2**64 - 1

# One character of two to four bytes, as the engine's regular expressions read them
# (RE2 lets overlong forms and surrogates pass inside negated classes).
MULTIBYTE = (
    rb"(?:[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3})"
)
FIELD_NAME = re.compile(rb"[A-Za-z][A-Za-z0-9_]*(?:\.[A-Za-z][A-Za-z0-9_]*)+")
# Anything but brackets, quotes and white space; bytes that are not UTF-8 end it.
BARE_ARGUMENT = re.compile(rb"(?:[^\[\]\"'\s\x80-\xff]|" + MULTIBYTE + rb")+")

NO_ARGUMENT = "expected a valid field argument: a quoted string or a bare string"


@dataclass(frozen=True, slots=True)
class FieldRef:
    """A field as written: its name, and the argument without quotes or None."""

    name: str
    arg: str | None = None

    @property
    def text(self) -> str:
        """Return the column name: ``name`` or ``name[arg]``."""
        return self.name if self.arg is None else f"{self.name}[{self.arg}]"


@dataclass(frozen=True, slots=True)
class ResolvedField:
    """A field reference that the declared fields can answer.

    ``column``: name of its column in a table. ``arg_present``: an argument was given
    (perhaps an empty one). ``arg_key``: the argument as bytes when the field takes
    keys, else None. ``arg_index``: the argument as a number, else ``NO_INDEX``.
    """

    info: FieldInfo
    column: str
    arg_present: bool = False
    arg_key: bytes | None = None
    arg_index: int = NO_INDEX


class FieldFault(ValueError):
    """A field reference that the engine refuses; ``hint``: a correction or None."""

    def __init__(self, code: str, message: str, hint: str | None = None) -> None:
        super().__init__(code, message, hint)
        self.code = code
        self.message = message
        self.hint = hint


def usable_name(name: str) -> bool:
    """Whether the engine can ever reach a declared field of this name."""
    if FIELD_NAME.fullmatch(name.encode("utf-8", "surrogateescape")) is None:
        return False
    return name in BUILTIN_FIELDS or generic_owner(name) is None


def _unknown(text: str, name: str, fields: Mapping[str, FieldInfo]) -> FieldFault:
    known = {**fields, **BUILTIN_FIELDS}
    near = nearest_names(name, known) or names_ending_in(name, known)
    if near:
        hint = "did you mean " + " or ".join(near) + "?"
    else:
        hint = "no declared field has a similar name"
    claimed = generic_owner(text)
    if claimed and claimed != name:
        hint = f"names that begin with {claimed} belong to the engine itself"
    elif claimed:
        hint = f"{claimed} takes no argument"
    message = f"filter_check called with nonexistent field {text}"
    return FieldFault("unknown-field", message, hint)


def _find_info(text: str, fields: Mapping[str, FieldInfo]) -> FieldInfo | None:
    """Return the longest declared name that ``text`` begins with."""
    best: FieldInfo | None = None
    for name, info in fields.items():
        if text.startswith(name) and (best is None or len(name) > len(best.name)):
            best = info
    return best


def find_field(ref: FieldRef, fields: Mapping[str, FieldInfo]) -> ResolvedField:
    """Look a reference up as the engine does. Raises FieldFault.

    The engine's own ``evt.*`` fields come first and take no argument. Everything else
    goes to the plugin's fields, which read the argument again from the unquoted text:
    a blank ends it there, and so does the first ``]``.
    """
    text = ref.text
    generic = BUILTIN_FIELDS.get(ref.name)
    if generic is not None and ref.arg is None:
        return ResolvedField(generic, text)
    if generic_owner(text) is not None:
        raise _unknown(text, ref.name, fields)
    info = fields.get(ref.name)
    if info is not None and ref.arg is None and info.arg is None:
        return ResolvedField(info, text)
    info = info or _find_info(text, fields)
    if info is None:
        raise _unknown(text, ref.name, fields)

    seen = text.split(" ", 1)[0]
    name = info.name
    argument: str | None = None
    used = len(name)
    opened = seen.find("[")
    closed = seen.find("]", opened + 1)
    if (opened < 0) != (closed < 0):
        raise FieldFault(
            "argument-brackets",
            f"filter '{seen}': {name} has unbalanced argument brackets",
            "plugin fields cannot take an argument with a blank, even in quotes",
        )
    if opened >= 0:
        argument = seen[opened + 1 : closed]
        used += len(argument) + 2
    key, index = _read_argument(text, seen, info, argument)
    if used != len(text) or (opened >= 0 and opened != len(name)):
        raise _unknown(text, ref.name, fields)
    return ResolvedField(info, text, argument is not None, key, index)


def _read_argument(
    text: str, seen: str, info: FieldInfo, argument: str | None
) -> tuple[bytes | None, int]:
    """Check the argument against the declaration; give it as key and index."""
    name, arg = info.name, info.arg
    if argument is None:
        if arg is not None and arg.required:
            kind = "key" if arg.key else "index"
            raise FieldFault(
                "argument-required",
                f"filter '{seen}': {name} requires an argument but none provided",
                f"write {name}[{kind}]",
            )
        return None, NO_INDEX
    if arg is None or not (arg.key or arg.index):
        raise FieldFault(
            "argument-not-allowed",
            f"filter '{seen}': {name} does not allow nor require an argument "
            f"but one is provided: {argument}",
            f"write {name} alone",
        )
    fault = _index_fault(argument)
    if arg.index and not arg.key and fault is not None:
        raise FieldFault(
            "argument-index",
            f"filter {text} {name} has an invalid index argument {fault}: {argument}",
            f"{name} takes a plain decimal index, such as {name}[0]",
        )
    index = int(argument) if arg.index and fault is None else NO_INDEX
    key = argument.encode("utf-8", "surrogateescape") if arg.key else None
    return key, index


def _index_fault(argument: str) -> str | None:
    """Return what the engine holds against an index, None for a good one."""
    if argument == "" or (argument[0] == "0" and len(argument) > 1):
        return "starting with 0"
    if not (argument.isascii() and argument.isdigit()):
        return "not composed only by digits"
    if len(argument) > 20 or int(argument) > NO_INDEX:
        return "not representable on 64 bit"
    return None


def parse_field_ref(text: str) -> FieldRef:
    """Read ``name`` or ``name[arg]``, the argument bare or in quotes.

    Raises ConditionError (stage "parse") when ``text`` is anything else.
    """
    raw = text.encode("utf-8", "surrogateescape")
    match = FIELD_NAME.match(raw)
    if match is None:
        raise _error(text, "field-syntax", "expected a field name", 0)
    name, at = match.group().decode(), match.end()
    if at == len(raw):
        return FieldRef(name)
    if raw[at : at + 1] != b"[":
        raise _error(text, "field-syntax", "expected '[' or the end of the field", at)
    at += 1
    try:
        scanned = scan_quoted(raw, at)
    except EscapeFault as fault:
        raise _error(text, "escape", fault.message, fault.end) from None
    if scanned is None:
        bare = BARE_ARGUMENT.match(raw, at)
        if bare is None:
            message = (
                "expected a valid field argument: a quoted string or a bare string"
            )
            raise _error(text, "field-argument", message, at)
        scanned = bare.group(), bare.end()
    value, at = scanned
    if raw[at : at + 1] != b"]":
        raise _error(text, "field-argument", "expected a ']' token", at)
    if at + 1 != len(raw):
        raise _error(text, "field-syntax", "expected the end of the field", at + 1)
    return FieldRef(name, value.decode("utf-8", "surrogateescape"))


def resolve(text: str | FieldRef, fields: Mapping[str, FieldInfo]) -> ResolvedField:
    """Read and look up a field reference as conditions and outputs write it.

    ``evt.*`` fields are always known. Raises ConditionError: stage "parse" for a
    malformed text, stage "compile" for an unknown field or a wrong argument.
    """
    ref = parse_field_ref(text) if isinstance(text, str) else text
    try:
        return find_field(ref, fields)
    except FieldFault as fault:
        shown = text if isinstance(text, str) else text.text
        raise _error(
            shown, fault.code, fault.message, 0, hint=fault.hint, stage="compile"
        ) from None


def resolve_column(column: str, fields: Mapping[str, FieldInfo]) -> ResolvedField:
    """Look up the name of a table column: as :func:`resolve`, but never in quotes."""
    name, bracket, rest = column.partition("[")
    if bracket and rest.endswith("]"):
        return resolve(FieldRef(name, rest[:-1]), fields)
    return resolve(FieldRef(column), fields)


def _error(
    text: str,
    code: str,
    message: str,
    at: int,
    *,
    hint: str | None = None,
    stage: str = "parse",
) -> ConditionError:
    line, column = line_and_column(text, at)
    end = len(text.encode("utf-8", "surrogateescape")) if stage == "compile" else at
    diagnostic = Diagnostic(
        "error", code, message, None, line, column, hint, Span(at, end)
    )
    full = f"{message} in field {text!r}" + (f"; {hint}" if hint else "")
    return ConditionError(
        full,
        position=at,
        line=line,
        column=column,
        stage=stage,
        diagnostics=[diagnostic],
        hint=hint,
    )
