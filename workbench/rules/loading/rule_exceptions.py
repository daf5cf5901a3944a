"""Exceptions of rules: whether they are sound, and values added to earlier ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.rules.model.comps import is_comp, takes_list
from workbench.rules.model.locations import Location

if TYPE_CHECKING:
    from workbench.rules.model.diagnostics_sink import DiagnosticSink
    from workbench.rules.model.entries import ExceptionEntry, Operand, RuleEntry
    from workbench.rules.target.target import Target

__all__ = ["append_exception", "check_exception"]

_WRONG = "LOAD_ERR_VALIDATE"


def append_exception(
    sink: DiagnosticSink, target: Target | None, rule: RuleEntry, added: ExceptionEntry
) -> None:
    """Add values to the rule's exception of the same name, or a new exception."""
    if not added.values:
        sink.warn(
            "LOAD_APPEND_NO_VALUES",
            "Overriding/appending exception with no values",
            added.location,
            "give values, or remove the entry",
        )
    known = next((e for e in rule.exceptions if e.name == added.name), None)
    if known is not None:
        for operand, key in ((added.fields, "fields"), (added.comps, "comps")):
            if _given(operand):
                sink.error(
                    _WRONG,
                    f"Can not append exception {key} to existing exception, only "
                    "values",
                    added.location,
                    f"remove the key {key}",
                )
        known.values.extend(added.values)
    elif not _given(added.fields):
        sink.error(
            _WRONG,
            "Rule exception must have fields property with a list of fields",
            added.location,
            f"rule {rule.name} has no exception {added.name}; give its fields",
        )
    elif not added.values:
        sink.error(
            _WRONG,
            "Rule exception must have values property with a list of values",
            added.location,
            "give values",
        )
    else:
        check_exception(sink, target, rule, added)
        rule.exceptions.append(added)


def check_exception(
    sink: DiagnosticSink, target: Target | None, rule: RuleEntry, entry: ExceptionEntry
) -> None:
    """Check fields and comps of an exception, and fill in the comps left out."""
    fields = entry.fields
    if fields is None or not _given(fields):
        sink.error(
            _WRONG,
            "Rule exception item must have fields property with a list of fields",
            entry.location,
            "name at least one field",
        )
        return
    names, node = fields
    if isinstance(names, list):
        _default(entry, ([("=", inner) for _, inner in names], node))
        _check_comps(sink, entry, len(names))
        checked = [name if isinstance(name, str) else "" for name, _ in names]
    else:
        _default(entry, ("in", node))
        comp = entry.comps[0] if entry.comps else ""
        if isinstance(comp, list) or not (takes_list(comp) and is_comp(comp)):
            sink.error(
                _WRONG,
                "When fields is a single value, comps must be one of (in, pmatch, "
                "intersects) or a modifier operator (e.g. startswith oneof)",
                entry.location,
                _blanks_hint(comp)
                or "write fields as a list to compare with other operators",
            )
        checked = [names]
    if target is not None and not rule.unknown_source:
        for name in checked:
            _check_field(sink, target, name, entry.location, rule.source)


def _default(entry: ExceptionEntry, comps: Operand) -> None:
    if not _given(entry.comps):
        entry.comps = comps
        entry.defaulted = True


def _check_comps(sink: DiagnosticSink, entry: ExceptionEntry, count: int) -> None:
    comps = entry.comps[0] if entry.comps else ""
    if not isinstance(comps, list) or len(comps) != count:
        sink.error(
            _WRONG,
            "Fields and comps lists must have equal length",
            entry.location,
            f"give {count} operators, one for each field",
        )
        return
    for comp, _ in comps:
        if not isinstance(comp, str) or not is_comp(comp):
            sink.error(
                _WRONG,
                f"'{comp}' is not a supported comparison operator",
                entry.location,
                _blanks_hint(comp)
                or "one of the operators of conditions, such as = in startswith",
            )


def _blanks_hint(comp: object) -> str:
    """Return how to mend an operator that only its blanks make unknown."""
    tidy = " ".join(comp.split()) if isinstance(comp, str) else ""
    return f"write {tidy} without further blanks" if is_comp(tidy) else ""


def _check_field(
    sink: DiagnosticSink, target: Target, name: str, location: Location, source: str
) -> None:
    fault = target.field_fault(name, source)
    if fault is None:
        return
    message, hint = fault
    if message is None:
        message = f"'{name}' is not a supported filter field"
    else:
        # the engine names no location for these
        content = Location(location.source, 0)
        location = content.pointing_at(location.source, location.pos)
    sink.error(_WRONG, message, location, hint)


def _given(operand: Operand | None) -> bool:
    return operand is not None and bool(operand[0])
