"""Rules, macros, lists and exceptions as plain values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from workbench.arguments import TEXTS, wrong
from workbench.errors import RulesError
from workbench.yamlcpp.emit import INDENT, block, flow_value, pair, scalar, sequence

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "ENGINE_VERSION",
    "PRIORITIES",
    "RULE_FLAGS",
    "ExceptionValue",
    "Macro",
    "PluginRequirement",
    "Priority",
    "Rule",
    "RuleException",
    "RuleList",
    "level_named",
    "priority_named",
]

# The rules engine whose verdicts are reproduced here.
ENGINE_VERSION = (0, 62, 0)

ExceptionValue: TypeAlias = "str | tuple[ExceptionValue, ...]"


@dataclass(frozen=True, slots=True)
class Priority:
    """``level``: 0 is the most severe. ``name``: in alerts; ``key``: in rules files."""

    level: int
    name: str
    key: str


# From the most to the least severe.
PRIORITIES: tuple[Priority, ...] = tuple(
    Priority(level, name, name.upper() if name != "Informational" else "INFO")
    for level, name in enumerate(
        (
            "Emergency",
            "Alert",
            "Critical",
            "Error",
            "Warning",
            "Notice",
            "Informational",
            "Debug",
        )
    )
)
_BY_NAME = {p.name.lower(): p for p in PRIORITIES} | {"info": PRIORITIES[6]}


def priority_named(name: str) -> Priority | None:
    """Return the priority that a rules file names, in any case, or None."""
    return _BY_NAME.get(name.lower()) if name.isascii() else None


def level_named(priority: str | None) -> int:
    """Return the level of a priority; None means the least severe one.

    Raises ArgumentError for any other value.
    """
    if priority is None:
        return PRIORITIES[-1].level
    known = priority_named(priority) if isinstance(priority, str) else None
    if known is None:
        names = ", ".join(p.key.lower() for p in PRIORITIES)
        raise wrong("rules", "the priority", f"one of {names}", priority)
    return known.level


@dataclass(frozen=True, slots=True)
class RuleException:
    """A rule's exclusion.

    ``fields``: one name, or a tuple of names. ``comps``: an operator, a tuple of as
    many operators as fields, or None for the default. ``values``: for one name, a tuple
    of texts; for a tuple of names, tuples as long as fields, whose elements are texts
    or tuples of texts.
    """

    name: str
    fields: str | tuple[str, ...] | None = None
    comps: str | tuple[str, ...] | None = None
    values: tuple[ExceptionValue, ...] = ()

    def __post_init__(self) -> None:
        """Turn lists into tuples."""
        for name in ("fields", "comps", "values"):
            object.__setattr__(self, name, _frozen(getattr(self, name)))

    def to_yaml(self, indent: str) -> str:
        """Write the entry for a rule's ``exceptions``, without a line end."""
        lines = [f"{indent}- name: {scalar(self.name)}"]
        for key, value in (("fields", self.fields), ("comps", self.comps)):
            if value is not None:
                lines.append(f"{indent}{INDENT}{key}: {flow_value(value)}")
        if self.values:
            lines.append(f"{indent}{INDENT}values:")
            lines += [f"{indent}{INDENT * 2}- {flow_value(v)}" for v in self.values]
        return "\n".join(lines)


def _frozen(value: object) -> object:
    if isinstance(value, list | tuple):
        return tuple(_frozen(item) for item in value)
    return value


# Key in a rules file → attribute, and what a rule without the key has.
RULE_FLAGS = {
    "enabled": ("enabled", True),
    "warn_evttypes": ("warn_evttypes", True),
    "skip-if-unknown-filter": ("skip_if_unknown_filter", False),
    "capture": ("capture", False),
}


def _texts(values: Iterable[str] | str) -> tuple[str, ...]:
    return (values,) if isinstance(values, str) else tuple(values)


def _source_name(given: Any, rule: str) -> str:
    """Return the event source that a text, or the one source of events, names."""
    if isinstance(given, str):
        return given
    named = getattr(given, "sources", ())
    if callable(named):
        raise wrong("Rule", "source", "a text, Events or a Plugin", given)
    sources = list(named)
    if not sources:
        own: Any = getattr(given, "info", None)  # a Plugin: not those loaded beside it
        manifests = (
            [own] if hasattr(own, "event_source") else getattr(given, "manifests", ())
        )
        sources = [m.event_source for m in manifests if m.event_source]
    if len(set(sources)) != 1:
        kind = type(given).__name__
        found = ", ".join(dict.fromkeys(sources)) or "none"
        raise RulesError(
            f"rule {rule}: the event source is not clear from this {kind} (it has "
            f"{found}); name one, such as source='weblog'"
        )
    return str(sources[0])


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule. ``tags`` are kept sorted; ``capture_duration`` is in milliseconds.

    ``source``: an event source, or Events or a Plugin whose only source is taken.

    ``condition`` and ``output`` are as written, before lists, macros and exceptions.
    """

    name: str
    condition: str
    output: str
    priority: str
    desc: str = ""
    source: str = "syscall"
    tags: tuple[str, ...] = ()
    exceptions: tuple[RuleException, ...] = ()
    enabled: bool = True
    warn_evttypes: bool = True
    skip_if_unknown_filter: bool = False
    capture: bool = False
    capture_duration: int = 0

    if TYPE_CHECKING:
        # As the dataclass makes it, but lists and single texts are welcome.
        def __init__(
            self,
            *,
            name: str,
            condition: str,
            output: str,
            priority: str,
            desc: str = "",
            source: Any = "syscall",
            tags: Iterable[str] | str = (),
            exceptions: Iterable[RuleException] = (),
            enabled: bool = True,
            warn_evttypes: bool = True,
            skip_if_unknown_filter: bool = False,
            capture: bool = False,
            capture_duration: int = 0,
        ) -> None: ...

    def __post_init__(self) -> None:
        """Sort the tags, freeze the exceptions, use the priority's key.

        Raises RulesError for an unknown priority: Falco would refuse it.
        """
        self._check()
        object.__setattr__(self, "tags", tuple(sorted(set(_texts(self.tags)))))
        object.__setattr__(self, "exceptions", tuple(self.exceptions))
        object.__setattr__(self, "source", _source_name(self.source, self.name))
        given: Any = self.priority
        known = priority_named(given) if isinstance(given, str) else None
        if known is None:
            names = ", ".join(p.key for p in PRIORITIES)
            raise RulesError(
                f"rule {self.name}: {given!r} is not a priority; use one of {names}"
            )
        object.__setattr__(self, "priority", known.key)

    def _check(self) -> None:
        """Raise ArgumentError for what no rule has, whatever Falco says of it."""
        for name in ("name", "condition", "output", "desc"):
            value = getattr(self, name)
            if not isinstance(value, str):
                raise wrong("Rule", name, "a text", value)
        tags: Any = self.tags
        if not isinstance(tags, str) and not TEXTS.fits(tags):
            raise wrong("Rule", "tags", TEXTS.words, tags)
        exceptions: Any = self.exceptions
        several = isinstance(exceptions, list | tuple)
        if not several or not all(isinstance(e, RuleException) for e in exceptions):
            words = "a list of RuleException"
            raise wrong("Rule", "exceptions", words, exceptions)

    def to_yaml(self) -> str:
        """Return the rules-file item: a YAML sequence with this one rule.

        What is written reads back to an equal rule, but for an empty description:
        Falco requires one, so the rule's name stands in. Raises RulesError for what
        Falco cannot load at all: an empty name, condition, output or source, or an
        output with white space around it, which Falco trims.
        """
        faults = self._faults()
        if faults:
            name = self.name or "without a name"
            raise RulesError(f"rule {name} cannot be written: {'; '.join(faults)}")
        lines = [
            f"- rule: {block(self.name, 8, INDENT * 2)}",
            pair("desc", self.desc or self.name),
            pair("condition", self.condition),
            pair("output", self.output),
            f"{INDENT}priority: {self.priority}",
            pair("source", self.source),
        ]
        if self.tags:
            lines.append(sequence("tags", self.tags))
        for key, (attribute, default) in RULE_FLAGS.items():
            value = getattr(self, attribute)
            if value != default:
                lines.append(f"{INDENT}{key}: {'true' if value else 'false'}")
        if self.capture_duration:
            lines.append(f"{INDENT}capture_duration: {self.capture_duration}")
        if self.exceptions:
            lines.append(f"{INDENT}exceptions:")
            lines += [item.to_yaml(INDENT * 2) for item in self.exceptions]
        return "\n".join(lines) + "\n"

    def _faults(self) -> list[str]:
        faults = [
            f"the {name} is empty"
            for name in ("name", "condition", "output", "source")
            if not getattr(self, name)
        ]
        if self.output != self.output.strip(" \t\n\r\f\v"):
            faults.append(
                "the output begins or ends with white space, which Falco trims"
            )
        return faults


@dataclass(frozen=True, slots=True)
class Macro:
    """A named condition, as written."""

    name: str
    condition: str

    def to_yaml(self) -> str:
        """Return the rules-file item. Raises RulesError when something is empty."""
        if not self.name or not self.condition:
            raise RulesError(f"macro {self.name or 'without a name'} is empty")
        head = f"- macro: {block(self.name, 9, INDENT * 2)}"
        return f"{head}\n{pair('condition', self.condition)}\n"


@dataclass(frozen=True, slots=True)
class RuleList:
    """Named values. ``items``: as written, names of other lists included."""

    name: str
    items: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        """Turn a list into a tuple."""
        object.__setattr__(self, "items", tuple(self.items))

    def to_yaml(self) -> str:
        """Return the rules-file item. Raises RulesError without a name."""
        if not self.name:
            raise RulesError("a list without a name cannot be written")
        head = f"- list: {block(self.name, 8, INDENT * 2)}"
        return f"{head}\n{sequence('items', self.items)}\n"


@dataclass(frozen=True, slots=True)
class PluginRequirement:
    """One required plugin: the first of ``alternatives`` that is loaded decides.

    ``alternatives``: pairs of plugin name and least version, the main one first.
    """

    alternatives: tuple[tuple[str, str], ...]
