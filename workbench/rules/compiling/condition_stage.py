"""The condition of an item: its text put together and parsed, and where it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.condition.binding.field_names import field_name_hint
from workbench.condition.syntax.grammar import ParseFault
from workbench.condition.syntax.parser import parse
from workbench.diagnostics import Span
from workbench.rules.compiling.compiled import Parsed
from workbench.rules.compiling.exceptions import ExceptionFault, exception_text
from workbench.rules.compiling.list_substitution import MAX_CONDITION_BYTES
from workbench.rules.compiling.origins import list_hint, written_text
from workbench.rules.model.entries import joined
from workbench.rules.model.locations import ConditionLocation

if TYPE_CHECKING:
    from collections.abc import Iterable

    from workbench.condition.syntax.nodes import Expr
    from workbench.rules.compiling.compiled import Compilation
    from workbench.rules.compiling.exceptions import ExceptionText
    from workbench.rules.model.diagnostics_sink import DiagnosticSink
    from workbench.rules.model.entries import ExceptionEntry, MacroEntry, RuleEntry
    from workbench.rules.model.locations import Location

__all__ = ["ConditionStage", "locate"]

# Conditions whose trees are kept between compilations.
_MAX_CACHED = 200_000


class ConditionStage:
    """Parses the conditions of one compilation, complaining to ``sink``."""

    def __init__(
        self,
        sink: DiagnosticSink,
        compilation: Compilation,
        cache: dict[bytes, Expr | ParseFault] | None,
    ) -> None:
        """Use the lists of ``compilation``. ``cache``: keeps trees between runs."""
        self._sink = sink
        self._compilation = compilation
        self._cache = {} if cache is None else cache

    def parse(
        self,
        entry: RuleEntry | MacroEntry,
        exceptions: list[ExceptionEntry],
        fields: Iterable[str] = (),
    ) -> Parsed:
        """Put a condition's text together and parse it; complain if it cannot be.

        ``fields``: names for the hints.
        """
        written = joined(entry.condition)
        added = None
        if exceptions:
            added = self._exception_text(exceptions)
            written = (
                b"("
                + written
                + b")"
                + b"".join(added_text.text for added_text in added)
            )
        lists = self._compilation.lists
        try:
            text = lists.substitute(written, self._compilation.used_lists)
        except ValueError as fault:
            self._too_large(fault.args[0], entry.location)
            text = b""
        parsed = Parsed(entry.condition, added, lists, written, text)
        if not entry.condition or (written and not text):
            return parsed
        outcome = self._tree(text)
        if isinstance(outcome, ParseFault):
            location = locate(
                parsed,
                outcome.at,
                entry.condition_location,
                exact=outcome.span.start,
            )
            hint = _parse_hint(parsed, outcome, fields)
            code = "LOAD_ERR_COMPILE_CONDITION"
            self._sink.error(code, outcome.message, location, hint)
        else:
            parsed.tree = outcome
        return parsed

    def _exception_text(self, exceptions: list[ExceptionEntry]) -> list[ExceptionText]:
        try:
            return exception_text(exceptions)
        except ExceptionFault as fault:
            hint = "give each tuple one value per field"
            location = fault.exception.location
            self._sink.error("LOAD_ERR_VALIDATE", fault.message, location, hint)
            return []

    def _tree(self, text: bytes) -> Expr | ParseFault:
        known = self._cache.get(text)
        if known is None:
            try:
                known = parse(text)
            except ParseFault as fault:
                known = fault
            if len(self._cache) > _MAX_CACHED:
                self._cache.clear()
            self._cache[text] = known
        return known

    def _too_large(self, name: str, location: Location) -> None:
        self._sink.error(
            "condition-too-large",
            f"list {name} makes a condition longer than {MAX_CONDITION_BYTES:,} bytes",
            location,
            "lists inside lists multiply; write a shorter condition",
        )


def _parse_hint(parsed: Parsed, fault: ParseFault, fields: Iterable[str]) -> str | None:
    last = max(0, len(parsed.text) - 1)
    name = parsed.source_map().list_at(min(fault.at, last))
    if name is None:
        return field_name_hint(fault, parsed.text, fields) or fault.hint
    better = list_hint(written_text(parsed), Span(fault.at, fault.at + 1))
    if better is not None:
        return better
    hint = fault.hint or "quote its items or write 'in (…)'"
    return f"this is what list {name} puts here; {hint}"


def locate(
    parsed: Parsed,
    offset: int,
    base: Location,
    *,
    macro: Parsed | None = None,
    shown: bytes | None = None,
    exact: int | None = None,
) -> ConditionLocation:
    """Return the location of a byte of a condition.

    ``macro``: the text that ``offset`` really counts in, when it is a macro's.
    ``shown``: the text that the engine shows, if not the parsed one. ``exact``: what to
    point at in the file, if more exact than ``offset``.
    """
    origin = macro or parsed
    # the engine counts lines in the text that it parsed
    breaks = origin.text[:offset].replace(b"\r", b"\n")
    row = breaks.count(b"\n") + 1
    column = offset - breaks.rfind(b"\n")
    true_offset = offset if exact is None else exact
    return ConditionLocation(
        base,
        parsed.text if shown is None else shown,
        offset,
        row,
        column,
        lambda: origin.source_map().source_point(true_offset),
    )
