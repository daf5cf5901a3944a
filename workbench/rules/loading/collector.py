"""One growing collection of items, updated in file order as the engine does."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from workbench.rules.loading.rule_exceptions import append_exception, check_exception
from workbench.rules.model.entries import ListEntry, MacroEntry
from workbench.rules.model.model import ENGINE_VERSION, PluginRequirement
from workbench.rules.model.versions import compatible, parse_version, version_text

if TYPE_CHECKING:
    from workbench.rules.model.diagnostics_sink import DiagnosticSink
    from workbench.rules.model.entries import RuleEntry, RuleUpdate
    from workbench.rules.model.locations import Location
    from workbench.rules.model.versions import Version
    from workbench.rules.target.target import Target

__all__ = ["Collector"]

_WRONG = "LOAD_ERR_VALIDATE"

_Entry = TypeVar("_Entry", ListEntry, MacroEntry)


class Collector:
    """All items so far. ``target``: what sources and fields are known, or None."""

    def __init__(self, sink: DiagnosticSink, target: Target | None) -> None:
        """Start empty; complain to ``sink``, which may be exchanged per file."""
        self.sink = sink
        self.target = target
        self.lists: dict[str, ListEntry] = {}
        self.macros: dict[str, MacroEntry] = {}
        self.rules: dict[str, RuleEntry] = {}
        self.engine_version: Version = (0, 0, 0)
        self.plugins: list[tuple[PluginRequirement, Location]] = []
        # kind → name → locations of plain definitions, in order
        self.definitions: dict[str, dict[str, list[Location]]] = {
            "rule": {},
            "macro": {},
            "list": {},
        }
        self._clock = 0

    def _defined(self, kind: str, name: str, location: Location) -> None:
        self.definitions[kind].setdefault(name, []).append(location)

    def _tick(self) -> int:
        self._clock += 1
        return self._clock

    # requirements

    def require_engine(self, version: Version, location: Location) -> None:
        """Check the version of the engine that rules ask for."""
        if not compatible(ENGINE_VERSION, version):
            present = version_text(ENGINE_VERSION)
            self.sink.error(
                _WRONG,
                f"Rules require engine version {version_text(version)}, but engine "
                f"version is {present}",
                location,
                f"this checks as engine {present} does; lower the version if the rules "
                "do not need it",
            )
            return
        self.engine_version = max(self.engine_version, version)

    def require_plugin(self, pairs: list[tuple[str, str]], location: Location) -> None:
        """Note one requirement; it is checked after all files are read."""
        names: set[str] = set()
        good = True
        for name, version in pairs:
            if parse_version(version) is None:
                self.sink.error(
                    _WRONG,
                    f"Invalid required version '{version}' for plugin '{name}'",
                    location,
                    "write a version such as 0.7.0",
                )
                good = False
            if name in names:
                self.sink.error(
                    _WRONG,
                    f"Defined multiple alternative version requirements for plugin "
                    f"'{name}'",
                    location,
                    "name each plugin once",
                )
                good = False
            names.add(name)
        if good:
            self.plugins.append((PluginRequirement(tuple(pairs)), location))

    # lists and macros

    def define_list(self, entry: ListEntry, *, override: bool = False) -> None:
        """Define a list, or redefine one in its old position.

        ``override``: an override mapping asks for it.
        """
        self._define("list", self.lists, entry, override=override)

    def append_list(self, entry: ListEntry) -> None:
        """Add items to an earlier list."""
        previous = self._previous_of("list", "items", self.lists, entry)
        if previous is None:
            self.define_list(entry)
        else:
            previous.items.extend(entry.items)

    def define_macro(self, entry: MacroEntry, *, override: bool = False) -> None:
        """Define a macro, or redefine one in its old position; as a list."""
        self._define("macro", self.macros, entry, override=override)

    def append_macro(self, entry: MacroEntry) -> None:
        """Add text to an earlier macro's condition."""
        previous = self._previous_of("macro", "condition", self.macros, entry)
        if previous is None:
            entry.broken = True
            self.define_macro(entry)
        else:
            previous.condition.extend(entry.condition)

    def _define(
        self, kind: str, known: dict[str, _Entry], entry: _Entry, *, override: bool
    ) -> None:
        previous = known.get(entry.name)
        if previous is None or not override:
            self._defined(kind, entry.name, entry.location)
        entry.visibility = self._tick()
        entry.index = previous.index if previous else entry.visibility
        known[entry.name] = entry

    def _previous_of(
        self, kind: str, key: str, known: dict[str, _Entry], entry: _Entry
    ) -> _Entry | None:
        """Return the list or macro that ``entry`` adds to; complain if none is."""
        previous = known.get(entry.name)
        if previous is None:
            self.sink.error(
                _WRONG,
                f"{kind.capitalize()} uses 'append' or 'override.{key}: append' but no "
                f"{kind} by that name already exists",
                entry.location,
                f"define the {kind} {entry.name} before, or remove the append",
            )
            return None
        previous.broken |= entry.broken
        previous.visibility = self._tick()
        return previous

    # rules

    def define_rule(self, entry: RuleEntry) -> None:
        """Define a rule, or redefine one in its old position."""
        self._defined("rule", entry.name, entry.location)
        previous = self.rules.get(entry.name)
        if previous and previous.source != entry.source:
            self._other_source(previous, entry.location, entry.source)
            return
        entry.unknown_source = not self._source_known(entry.source)
        if entry.unknown_source and self.target is not None:
            self.sink.warn(
                "LOAD_UNKNOWN_SOURCE",
                f"Unknown source {entry.source}, skipping",
                entry.location,
                self.target.source_hint(entry.source),
            )
        for exception in entry.exceptions:
            check_exception(self.sink, self.target, entry, exception)
        entry.index = previous.index if previous else self._tick()
        self.rules[entry.name] = entry

    def _source_known(self, source: str) -> bool:
        return self.target is None or self.target.knows_source(source)

    def _other_source(
        self, previous: RuleEntry, location: Location, source: str
    ) -> None:
        self.sink.error(
            _WRONG,
            "Rule has been re-defined with a different source",
            location,
            f"the earlier definition has source {previous.source}, this one {source}"
            + (" (the default)" if source == "syscall" else ""),
        )

    def _previous(self, update: RuleUpdate) -> RuleEntry | None:
        previous = self.rules.get(update.name)
        # the engine looks at the source only together with a condition
        other = bool(update.source) and update.condition is not None
        if previous and other and update.source != previous.source:
            self._other_source(previous, update.location, update.source or "")
        return previous

    def append_rule(self, update: RuleUpdate) -> None:
        """Add to an earlier rule."""
        rule = self._previous(update)
        if rule is None:
            self.sink.error(
                _WRONG,
                "Rule uses 'append' or 'override.<key>: append' but no rule by that "
                "name already exists",
                update.location,
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
        if all(value is None for value in given) and not update.broken:
            self.sink.error(
                _WRONG,
                "Appended rule must have exceptions or condition property",
                update.location,
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
            append_exception(self.sink, self.target, rule, exception)

    def replace_rule(self, update: RuleUpdate) -> None:
        """Replace parts of an earlier rule."""
        rule = self._previous(update)
        if rule is None:
            self.sink.error(
                _WRONG,
                "An 'override.<key>: replace' to a rule was requested but no rule by "
                "that name already exists",
                update.location,
                self._rule_hint(update.name),
            )
            return
        if update.condition is not None:
            rule.condition = [update.condition]
            rule.condition_location = (
                update.condition_location or rule.condition_location
            )
        if update.output is not None:
            rule.output = [update.output]
            rule.output_location = update.output_location or rule.output_location
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

    def enable(self, name: str, location: Location, *, enabled: bool) -> None:
        """Switch an earlier rule."""
        rule = self.rules.get(name)
        if rule is None:
            self.sink.error(
                _WRONG,
                "Rule has 'enabled' key but no rule by that name already exists",
                location,
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
