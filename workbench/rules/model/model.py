"""Rules, macros, lists and exceptions as plain values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "ENGINE_VERSION",
    "PRIORITIES",
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

# The rules engine whose verdicts are given here.
ENGINE_VERSION = (0, 62, 0)

ExceptionValue: TypeAlias = "str | tuple[ExceptionValue, ...]"


@dataclass(frozen=True, slots=True)
class Priority:
    """``level``: 0 is the most severe. ``word``: in alerts; ``key``: in rules files."""

    level: int
    word: str
    key: str


# From the most to the least severe.
PRIORITIES: tuple[Priority, ...] = tuple(
    Priority(level, word, word.upper() if word != "Informational" else "INFO")
    for level, word in enumerate(
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
_BY_NAME = {p.word.lower(): p for p in PRIORITIES} | {"info": PRIORITIES[6]}


def priority_named(word: str) -> Priority | None:
    """Give the priority a rules file names, in any case, or None."""
    return _BY_NAME.get(word.lower()) if word.isascii() else None


def level_named(priority: str | None) -> int:
    """Give the level of a priority; None means the least severe one.

    Raises ValueError for a word that is no priority.
    """
    if priority is None:
        return PRIORITIES[-1].level
    known = priority_named(priority)
    if known is None:
        names = ", ".join(p.key.lower() for p in PRIORITIES)
        raise ValueError(f"unknown priority {priority!r}; one of {names}")
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


def _frozen(value: object) -> object:
    if isinstance(value, list | tuple):
        return tuple(_frozen(item) for item in value)
    return value


def _texts(values: Iterable[str] | str) -> tuple[str, ...]:
    return (values,) if isinstance(values, str) else tuple(values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule. ``tags`` are kept sorted; ``capture_duration`` is in milliseconds.

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
            source: str = "syscall",
            tags: Iterable[str] | str = (),
            exceptions: Iterable[RuleException] = (),
            enabled: bool = True,
            warn_evttypes: bool = True,
            skip_if_unknown_filter: bool = False,
            capture: bool = False,
            capture_duration: int = 0,
        ) -> None: ...

    def __post_init__(self) -> None:
        """Bring tags and exceptions into their kept form."""
        object.__setattr__(self, "tags", tuple(sorted(set(_texts(self.tags)))))
        object.__setattr__(self, "exceptions", tuple(self.exceptions))
        known = priority_named(self.priority)
        if known is not None:
            object.__setattr__(self, "priority", known.key)

    def to_yaml(self) -> str:
        """Give the rules-file item: a YAML sequence with this one rule.

        What is written reads back to an equal rule. Raises RulesError when it cannot
        be loaded by Falco at all, such as without an output.
        """
        from workbench.rules.editing.export import rule_yaml

        return rule_yaml(self)


@dataclass(frozen=True, slots=True)
class Macro:
    """A named condition, as written."""

    name: str
    condition: str


@dataclass(frozen=True, slots=True)
class RuleList:
    """Named values. ``items``: as written, names of other lists included."""

    name: str
    items: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        """Turn a list into a tuple."""
        object.__setattr__(self, "items", tuple(self.items))


@dataclass(frozen=True, slots=True)
class PluginRequirement:
    """One required plugin: the first of ``alternatives`` that is loaded decides.

    ``alternatives``: pairs of plugin name and least version, the main one first.
    """

    alternatives: tuple[tuple[str, str], ...]
