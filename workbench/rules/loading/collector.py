"""One growing collection of items, updated in file order as the engine does."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from workbench.rules.model.locations import Location
from workbench.rules.model.model import ENGINE_VERSION, PluginRequirement
from workbench.rules.model.versions import compatible, parse_version, version_text

if TYPE_CHECKING:
    from workbench.rules.loading.updates import RuleUpdate
    from workbench.rules.model.diagnostics_sink import DiagnosticSink
    from workbench.rules.model.entries import (
        ExceptionEntry,
        ListEntry,
        MacroEntry,
        RuleEntry,
    )
    from workbench.rules.model.versions import Version
    from workbench.rules.target.target import Target

__all__ = ["LIST_OPERATORS", "Collector"]

_WRONG = "LOAD_ERR_VALIDATE"

# Operators whose right side is a list.
LIST_OPERATORS = frozenset(("in", "intersects", "pmatch"))
_MODIFIERS = frozenset(("oneof", "anyof", "allof"))
_STRING_OPERATORS = frozenset(
    (
        "=",
        "==",
        "!=",
        "glob",
        "iglob",
        "contains",
        "icontains",
        "bcontains",
        "startswith",
        "bstartswith",
        "endswith",
        "regex",
    )
)
_OPERATORS = _STRING_OPERATORS | LIST_OPERATORS | {"exists", "<", "<=", ">", ">="}
_WORDS = re.compile(r"(\S+)(?: +(\S+))?")


def _known_operator(text: str) -> bool:
    match = _WORDS.fullmatch(text)
    if match is None:
        return False
    operator, modifier = match.groups()
    if modifier is None:
        return operator in _OPERATORS
    return operator in _STRING_OPERATORS and modifier in _MODIFIERS


def has_modifier(text: str) -> bool:
    """Say whether an operator text ends in ``oneof``, ``anyof`` or ``allof``."""
    return text.rpartition(" ")[2] in _MODIFIERS


class Collector:
    """All items so far. ``target``: what sources and fields are known, or None."""

    def __init__(self, report: DiagnosticSink, target: Target | None) -> None:
        """Start empty; complain to ``report``, which may be exchanged per file."""
        self.report = report
        self.target = target
        self.lists: dict[str, ListEntry] = {}
        self.macros: dict[str, MacroEntry] = {}
        self.rules: dict[str, RuleEntry] = {}
        self.engine_version: Version = (0, 0, 0)
        self.plugins: list[tuple[PluginRequirement, Location]] = []
        # kind → name → places of plain definitions, in order
        self.definitions: dict[str, dict[str, list[Location]]] = {
            "rule": {},
            "macro": {},
            "list": {},
        }
        self._clock = 0

    def _defined(self, kind: str, name: str, place: Location) -> None:
        self.definitions[kind].setdefault(name, []).append(place)

    def _tick(self) -> int:
        self._clock += 1
        return self._clock

    # requirements

    def require_engine(self, version: Version, place: Location) -> None:
        """Check the version of the engine that rules ask for."""
        if not compatible(ENGINE_VERSION, version):
            present = version_text(ENGINE_VERSION)
            self.report.error(
                _WRONG,
                f"Rules require engine version {version_text(version)}, but engine "
                f"version is {present}",
                place,
                f"this checks as engine {present} does; lower the version if the rules "
                "do not need it",
            )
            return
        self.engine_version = max(self.engine_version, version)

    def require_plugin(self, pairs: list[tuple[str, str]], place: Location) -> None:
        """Note one requirement; it is checked after all files are read."""
        names: set[str] = set()
        good = True
        for name, version in pairs:
            if parse_version(version) is None:
                self.report.error(
                    _WRONG,
                    f"Invalid required version '{version}' for plugin '{name}'",
                    place,
                    "write a version such as 0.7.0",
                )
                good = False
            if name in names:
                self.report.error(
                    _WRONG,
                    f"Defined multiple alternative version requirements for plugin "
                    f"'{name}'",
                    place,
                    "name each plugin once",
                )
                good = False
            names.add(name)
        if good:
            self.plugins.append((PluginRequirement(tuple(pairs)), place))

    # lists and macros

    def define_list(self, entry: ListEntry) -> None:
        """Define a list, or redefine one in its old position."""
        self._defined("list", entry.name, entry.place)
        now = self._tick()
        previous = self.lists.get(entry.name)
        entry.index = previous.index if previous else now
        entry.visibility = now
        self.lists[entry.name] = entry

    def append_list(self, entry: ListEntry) -> None:
        """Add items to an earlier list."""
        previous = self.lists.get(entry.name)
        if previous is None:
            self.report.error(
                _WRONG,
                "List uses 'append' or 'override.items: append' but no list by that "
                "name already exists",
                entry.place,
                f"define the list {entry.name} before, or remove the append",
            )
            self.define_list(entry)
            return
        previous.items.extend(entry.items)
        previous.broken |= entry.broken
        previous.visibility = self._tick()

    def define_macro(self, entry: MacroEntry) -> None:
        """Define a macro, or redefine one in its old position."""
        self._defined("macro", entry.name, entry.place)
        now = self._tick()
        previous = self.macros.get(entry.name)
        entry.index = previous.index if previous else now
        entry.visibility = now
        self.macros[entry.name] = entry

    def append_macro(self, entry: MacroEntry) -> None:
        """Add text to an earlier macro's condition."""
        previous = self.macros.get(entry.name)
        if previous is None:
            self.report.error(
                _WRONG,
                "Macro uses 'append' or 'override.condition: append' but no macro by "
                "that name already exists",
                entry.place,
                f"define the macro {entry.name} before, or remove the append",
            )
            entry.broken = True
            self.define_macro(entry)
            return
        previous.condition.extend(entry.condition)
        previous.broken |= entry.broken
        previous.visibility = self._tick()

    # rules

    def define_rule(self, entry: RuleEntry) -> None:
        """Define a rule, or redefine one in its old position."""
        self._defined("rule", entry.name, entry.place)
        previous = self.rules.get(entry.name)
        if previous and previous.source != entry.source:
            self._other_source(previous, entry.place, entry.source)
            return
        entry.unknown_source = not self._source_known(entry.source)
        if entry.unknown_source and self.target is not None:
            self.report.warn(
                "LOAD_UNKNOWN_SOURCE",
                f"Unknown source {entry.source}, skipping",
                entry.place,
                self.target.source_hint(entry.source),
            )
        for exception in entry.exceptions:
            self._check_exception(exception, entry)
        entry.index = previous.index if previous else self._tick()
        self.rules[entry.name] = entry

    def _source_known(self, source: str) -> bool:
        return self.target is None or self.target.knows_source(source)

    def _other_source(self, previous: RuleEntry, place: Location, source: str) -> None:
        self.report.error(
            _WRONG,
            "Rule has been re-defined with a different source",
            place,
            f"the earlier definition has source {previous.source}, this one {source}"
            + (" (the default)" if source == "syscall" else ""),
        )

    def _previous(self, update: RuleUpdate) -> RuleEntry | None:
        previous = self.rules.get(update.name)
        # the engine looks at the source only together with a condition
        other = bool(update.source) and update.condition is not None
        if previous and other and update.source != previous.source:
            self._other_source(previous, update.place, update.source or "")
        return previous

    def append_rule(self, update: RuleUpdate) -> None:
        """Add to an earlier rule."""
        rule = self._previous(update)
        if rule is None:
            self.report.error(
                _WRONG,
                "Rule uses 'append' or 'override.<key>: append' but no rule by that "
                "name already exists",
                update.place,
                self._rule_hint(update.name),
            )
            return
        given = (
            update.condition,
            update.output,
            update.desc,
            update.tags,
            update.exceptions,
        )
        if all(part is None for part in given) and not update.broken:
            self.report.error(
                _WRONG,
                "Appended rule must have exceptions or condition property",
                update.place,
                "append a condition or exceptions; other keys need an override mapping",
            )
            return
        if update.condition is not None:
            rule.condition.append(update.condition)
        if update.output is not None:
            rule.output.append(update.output)
        if update.desc is not None:
            rule.desc = f"{rule.desc} {update.desc}"
        rule.tags |= update.tags or set()
        rule.broken |= update.broken
        for exception in update.exceptions or ():
            self._append_exception(rule, exception)

    def _append_exception(self, rule: RuleEntry, added: ExceptionEntry) -> None:
        known = next((e for e in rule.exceptions if e.name == added.name), None)
        if not added.values:
            self._no_values(added)
        if known is None:
            if not _given(added.fields):
                self.report.error(
                    _WRONG,
                    "Rule exception must have fields property with a list of fields",
                    added.place,
                    f"rule {rule.name} has no exception {added.name}; give its fields",
                )
            elif not added.values:
                self.report.error(
                    _WRONG,
                    "Rule exception must have values property with a list of values",
                    added.place,
                    "give values",
                )
            else:
                self._check_exception(added, rule)
                rule.exceptions.append(added)
            return
        for part, word in ((added.fields, "fields"), (added.comps, "comps")):
            if _given(part):
                self.report.error(
                    _WRONG,
                    f"Can not append exception {word} to existing exception, only "
                    "values",
                    added.place,
                    f"remove the key {word}",
                )
        known.values.extend(added.values)

    def _no_values(self, added: ExceptionEntry) -> None:
        self.report.warn(
            "LOAD_APPEND_NO_VALUES",
            "Overriding/appending exception with no values",
            added.place,
            "give values, or remove the entry",
        )

    def replace_rule(self, update: RuleUpdate) -> None:
        """Replace parts of an earlier rule."""
        rule = self._previous(update)
        if rule is None:
            self.report.error(
                _WRONG,
                "An 'override.<key>: replace' to a rule was requested but no rule by "
                "that name already exists",
                update.place,
                self._rule_hint(update.name),
            )
            return
        if update.condition is not None:
            rule.condition = [update.condition]
            rule.condition_place = update.condition_place or rule.condition_place
        if update.output is not None:
            rule.output = [update.output]
            rule.output_place = update.output_place or rule.output_place
        rule.desc = update.desc if update.desc is not None else rule.desc
        rule.priority = update.priority or rule.priority
        if update.tags is not None:
            rule.tags = update.tags
        for name, value in update.flags.items():
            setattr(rule, name, value)
        if update.capture_duration is not None:
            rule.capture_duration = update.capture_duration
        if update.exceptions is not None:
            # not checked, and default operators not filled in: so does the engine
            rule.exceptions = update.exceptions
        rule.broken |= update.broken

    def enable(self, name: str, place: Location, *, enabled: bool) -> None:
        """Switch an earlier rule."""
        rule = self.rules.get(name)
        if rule is None:
            self.report.error(
                _WRONG,
                "Rule has 'enabled' key but no rule by that name already exists",
                place,
                self._rule_hint(name),
            )
            return
        rule.enabled = enabled

    def _rule_hint(self, name: str) -> str:
        import difflib

        near = difflib.get_close_matches(name, self.rules, 1, 0.6)
        if near:
            return f"did you mean the rule '{near[0]}'?"
        return "load the file that defines the rule first"

    # exceptions

    def _check_exception(self, entry: ExceptionEntry, rule: RuleEntry) -> None:
        fields = entry.fields
        if fields is None or not _given(fields):
            self.report.error(
                _WRONG,
                "Rule exception item must have fields property with a list of fields",
                entry.place,
                "name at least one field",
            )
            return
        names = fields[0]
        if isinstance(names, list):
            self._default(entry, [("=", node) for _, node in names])
            self._check_operators(entry, names)
            checked = [name if isinstance(name, str) else "" for name, _ in names]
        else:
            self._default(entry, "in")
            comps = entry.comps[0] if entry.comps else ""
            if isinstance(comps, list) or not (
                comps in LIST_OPERATORS
                or (has_modifier(comps) and _known_operator(comps))
            ):
                self.report.error(
                    _WRONG,
                    "When fields is a single value, comps must be one of (in, pmatch, "
                    "intersects) or a modifier operator (e.g. startswith oneof)",
                    entry.place,
                    "write fields as a list to compare with other operators",
                )
            checked = [names]
        if rule.unknown_source or self.target is None:
            return
        for name in checked:
            self._check_field(name, entry, rule.source)

    def _default(self, entry: ExceptionEntry, comps: object) -> None:
        if not _given(entry.comps) and entry.fields is not None:
            entry.comps = (comps, entry.fields[1])  # type: ignore[assignment]
            entry.defaulted = True

    def _check_operators(self, entry: ExceptionEntry, names: list[object]) -> None:
        comps = entry.comps[0] if entry.comps else ""
        if not isinstance(comps, list) or len(comps) != len(names):
            self.report.error(
                _WRONG,
                "Fields and comps lists must have equal length",
                entry.place,
                f"give {len(names)} operators, one for each field",
            )
            return
        for comp, _ in comps:
            if not isinstance(comp, str) or not _known_operator(comp):
                self.report.error(
                    _WRONG,
                    f"'{comp}' is not a supported comparison operator",
                    entry.place,
                    "one of the operators of conditions, such as = in startswith",
                )

    def _check_field(self, name: str, entry: ExceptionEntry, source: str) -> None:
        if self.target is None:  # pragma: no cover - asked before
            return
        fault = self.target.field_fault(name, source)
        if fault is None:
            return
        message, hint = fault
        place = entry.place
        if message is None:
            message = f"'{name}' is not a supported filter field"
        else:
            # the engine names no place for these
            place = Location(place.source, 0).pointing(place.source, place.pos)
        self.report.error(_WRONG, message, place, hint)


def _given(operand: object) -> bool:
    return operand is not None and bool(operand[0])  # type: ignore[index]
