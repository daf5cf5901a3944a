"""Items as they are gathered from files: values plus where every piece came from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from workbench.rules.model.model import Macro, Rule, RuleException, RuleList

if TYPE_CHECKING:
    from workbench.rules.model.locations import Location
    from workbench.yamlcpp import Node, SourceText

__all__ = [
    "ExceptionEntry",
    "ListEntry",
    "MacroEntry",
    "Operand",
    "Piece",
    "RuleEntry",
    "RuleUpdate",
    "as_text",
    "joined",
]

# An element of an exception: a text or a list of elements, with its node.
Operand: TypeAlias = "tuple[str | list[Operand], Node]"


@dataclass(slots=True)
class Piece:
    """One text of a condition or output as it stands in a file."""

    text: bytes
    node: Node
    source: SourceText

    @classmethod
    def of(cls, text: str, node: Node, source: SourceText) -> Piece:
        """Keep a text as bytes."""
        return cls(text.encode("utf-8", "surrogateescape"), node, source)


def joined(pieces: list[Piece]) -> bytes:
    """Join appended texts as the engine does: with one blank."""
    if len(pieces) == 1:
        return pieces[0].text
    return b" ".join(piece.text for piece in pieces)


def as_text(raw: bytes) -> str:
    """Return bytes as text; what is not UTF-8 becomes surrogates."""
    return raw.decode("utf-8", "surrogateescape")


@dataclass(slots=True)
class ExceptionEntry:
    """An exception with its locations. ``fields``, ``comps``: None when left out."""

    name: str
    location: Location
    fields: Operand | None = None
    comps: Operand | None = None
    values: list[Operand] = field(default_factory=list)
    defaulted: bool = False

    def value(self) -> RuleException:
        """Return the plain value; comps only if they were written."""
        return RuleException(
            self.name,
            _plain(self.fields),  # type: ignore[arg-type]
            None if self.defaulted else _plain(self.comps),  # type: ignore[arg-type]
            tuple(_plain(v) for v in self.values),  # type: ignore[misc]
        )


def _plain(operand: Operand | None) -> object:
    if operand is None:
        return None
    value = operand[0]
    if isinstance(value, list):
        return tuple(_plain(item) for item in value)
    return value


@dataclass(slots=True)
class ListEntry:
    """A list. ``index``: first definition; ``visibility``: latest definition."""

    name: str
    location: Location
    items: list[tuple[str, Node, SourceText]]
    index: int = 0
    visibility: int = 0
    broken: bool = False

    def value(self) -> RuleList:
        """Return the plain value."""
        return RuleList(self.name, tuple(item[0] for item in self.items))


@dataclass(slots=True)
class MacroEntry:
    """A macro. ``condition_location``: of the first piece of its condition."""

    name: str
    location: Location
    condition: list[Piece]
    condition_location: Location
    index: int = 0
    visibility: int = 0
    broken: bool = False

    def value(self) -> Macro:
        """Return the plain value."""
        return Macro(self.name, as_text(joined(self.condition)))


@dataclass(slots=True)
class RuleEntry:
    """A rule in its latest state. ``broken``: some key could not be read."""

    name: str
    location: Location
    condition: list[Piece]
    condition_location: Location
    output: list[Piece]
    output_location: Location
    desc: str = ""
    priority: str = "DEBUG"
    source: str = "syscall"
    tags: set[str] = field(default_factory=set)
    exceptions: list[ExceptionEntry] = field(default_factory=list)
    enabled: bool = True
    warn_evttypes: bool = True
    skip_if_unknown_filter: bool = False
    capture: bool = False
    capture_duration: int = 0
    unknown_source: bool = False
    index: int = 0
    broken: bool = False

    def value(self) -> Rule:
        """Return the plain value."""
        return Rule(
            name=self.name,
            condition=as_text(joined(self.condition)),
            output=as_text(joined(self.output)),
            priority=self.priority,
            desc=self.desc,
            source=self.source,
            tags=tuple(self.tags),
            exceptions=tuple(ex.value() for ex in self.exceptions),
            enabled=self.enabled,
            warn_evttypes=self.warn_evttypes,
            skip_if_unknown_filter=self.skip_if_unknown_filter,
            capture=self.capture,
            capture_duration=self.capture_duration,
        )


@dataclass(slots=True)
class RuleUpdate:
    """What an item brings to an earlier rule; None: nothing for that key."""

    name: str
    location: Location
    condition: Piece | None = None
    condition_location: Location | None = None
    output: Piece | None = None
    output_location: Location | None = None
    desc: str | None = None
    tags: set[str] | None = None
    exceptions: list[ExceptionEntry] | None = None
    priority: str | None = None
    source: str | None = None
    flags: dict[str, bool] = field(default_factory=dict)
    capture_duration: int | None = None
    broken: bool = False
