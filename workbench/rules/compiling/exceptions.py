"""Exceptions of rules as condition text."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from workbench.rules.compiling.list_substitution import quoted
from workbench.rules.model.comps import takes_list

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from workbench.rules.model.entries import ExceptionEntry, Operand

__all__ = ["ExceptionFault", "ExceptionText", "exception_text"]


class ExceptionFault(ValueError):
    """An exception whose shape is wrong, which only shows here."""

    def __init__(self, exception: ExceptionEntry, message: str) -> None:
        """Keep the exception and the engine's words."""
        super().__init__(exception, message)
        self.exception = exception
        self.message = message


class ExceptionText(NamedTuple):
    """Some text that an exception adds; ``operand``: the value that it came from."""

    text: bytes
    exception: ExceptionEntry
    operand: Operand | None


def exception_text(exceptions: Sequence[ExceptionEntry]) -> list[ExceptionText]:
    """Return the text that exceptions add, apart by origin. Raises ExceptionFault."""
    found: list[ExceptionText] = []
    for exception in exceptions:
        if exception.fields is None or not exception.values:
            continue
        names = exception.fields[0]
        comps = exception.comps[0] if exception.comps else ""
        if isinstance(names, list):
            found += _tuple_text(exception, names, comps)
        else:
            found += _set_text(exception, names, comps)
        found.append(ExceptionText(b"))", exception, None))
    return found


def _raw(value: object) -> bytes:
    return str(value).encode("utf-8", "surrogateescape")


def _set_text(
    exception: ExceptionEntry, name: str, comps: str | list[Operand]
) -> Iterator[ExceptionText]:
    opening = b" and not (" + _raw(name) + b" " + _raw(comps) + b" ("
    for operand in exception.values:
        value = operand[0]
        if isinstance(value, list):
            message = "Expected values array to contain a list of strings"
            raise ExceptionFault(exception, message)
        yield ExceptionText(opening + quoted(value), exception, operand)
        opening = b", "


def _tuple_text(
    exception: ExceptionEntry, names: list[Operand], comps: str | list[Operand]
) -> Iterator[ExceptionText]:
    opening = b" and not (("
    for operand in exception.values:
        row = operand[0]
        if not isinstance(row, list) or len(row) != len(names):
            message = "Fields and values lists must have equal length"
            raise ExceptionFault(exception, message)
        for position, (name, _) in enumerate(names):
            comp = comps[position][0] if position < len(comps) else ""
            lead = opening + b" " + _raw(name) + b" " + _raw(comp) + b" "
            text = lead + _element(row[position], str(comp))
            yield ExceptionText(text, exception, row[position])
            opening = b" and"
        opening = b") or ("


def _element(operand: Operand, comp: str) -> bytes:
    value = operand[0]
    if isinstance(value, list):
        items = [quoted(v if isinstance(v, str) else "") for v, _ in value]
        return b"(" + b", ".join(items) + b")"
    if takes_list(comp):
        raw = _raw(value)
        return raw if raw.startswith(b"(") else b"(" + raw + b")"
    return quoted(value)
