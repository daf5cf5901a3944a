"""Where something is, from the outside in, and what is wrong there.

A :class:`Location` is a chain: rules content → rule 'x' → rule condition → expression.
It gives both the engine's position numbers (from 0, bytes, with its own arithmetic
inside conditions) and ours (from 1, characters, the true place in the file).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from workbench.diagnostics import Diagnostic

if TYPE_CHECKING:
    from collections.abc import Callable

    from workbench.diagnostics import Severity
    from workbench.yamlcpp import Node, SourceText

__all__ = [
    "CODE_WORDS",
    "ConditionLocation",
    "Location",
    "RuleDiagnostic",
    "SourcePoint",
]

# Bytes that the engine's snippets show on either side of the caret.
_SNIPPET_HALF = 80

# Engine code → its short words.
CODE_WORDS: dict[str, str] = {
    "LOAD_ERR_FILE_READ": "File read error",
    "LOAD_ERR_YAML_PARSE": "YAML parse error",
    "LOAD_ERR_YAML_VALIDATE": "Error validating internal structure of YAML file",
    "LOAD_ERR_COMPILE_CONDITION": "Error compiling condition",
    "LOAD_ERR_COMPILE_OUTPUT": "Error compiling output",
    "LOAD_ERR_VALIDATE": "Error validating rule/macro/list/exception objects",
    "LOAD_ERR_EXTENSION": "Error in extension item",
    "LOAD_UNKNOWN_SOURCE": (
        "A rule has a unknown event source. This can occur when reading rules content "
        "without having a corresponding plugin loaded, etc. The rule will be silently "
        "ignored."
    ),
    "LOAD_UNSAFE_NA_CHECK": (
        "Comparing a field value with <NA> is unsafe and can lead to unpredictable "
        "behavior of the rule condition. If you need to check for the existence of a "
        "field, consider using the 'exists' operator instead."
    ),
    "LOAD_NO_EVTTYPE": (
        "A rule condition matches too many evt.type values. This has a significant "
        "performance penalty. Make the condition more specific by adding an evt.type "
        "field or further restricting the number of evt.type values in the condition."
    ),
    "LOAD_UNKNOWN_FILTER": (
        "A rule condition or output refers to a field or evt.type that does not exist. "
        "This is normally an error, but if a rule has a skip-if-unknown-filter "
        "property, the error is downgraded to a warning."
    ),
    "LOAD_UNUSED_MACRO": (
        "A macro is defined in the rules content but is not used by any other macro or "
        "rule."
    ),
    "LOAD_UNUSED_LIST": (
        "A list is defined in the rules content but is not used by any other list, "
        "macro, or rule."
    ),
    "LOAD_UNKNOWN_ITEM": (
        "An unknown top-level object is in the rules content. It will be ignored."
    ),
    "LOAD_DEPRECATED_ITEM": (
        "A deprecated item is employed by lists, macros, or rules."
    ),
    "LOAD_WARNING_EXTENSION": "A warning from an extension item",
    "LOAD_APPEND_NO_VALUES": (
        "A rule exception is overriding/appending with no values"
    ),
    "LOAD_EXCEPTION_NAME_NOT_UNIQUE": (
        "A rule is defining multiple exceptions with the same name"
    ),
    "LOAD_INVALID_MACRO_NAME": "A macro is defined with an invalid name",
    "LOAD_INVALID_LIST_NAME": "A list is defined with an invalid name",
    "LOAD_COMPILE_CONDITION": (
        "A rule condition or output have been parsed with a warning"
    ),
    "LOAD_UNKNOWN_KEY": (
        "An item in the rules content contains an unrecognized key. The key will be "
        "ignored. This may indicate a typo or a property placed on the wrong item type."
    ),
}


@dataclass(frozen=True, slots=True)
class SourcePoint:
    """A true place: byte ``pos`` in ``source``."""

    source: SourceText
    pos: int


@dataclass(frozen=True, slots=True)
class Location:
    """One link of the chain. ``kind``: the engine's item type; ``name``: of the item.

    ``exact``: the true place where that is more exact than the engine's.
    """

    source: SourceText
    pos: int
    kind: str = "rules content"
    name: str = ""
    parent: Location | None = None
    at_end: bool = False
    exact: SourcePoint | None = None

    def pointing(self, source: SourceText, pos: int) -> Location:
        """Give the same place with a more exact true place."""
        return replace(self, exact=SourcePoint(source, pos))

    def inside(self, kind: str, node: Node, name: str = "") -> Location:
        """Go one step in: to ``node``."""
        return Location(self.source, node.start, kind, name, self)

    def row_column(self) -> tuple[int, int]:
        """Give the engine's line and column, from 0."""
        row, column = self.source.row_column(self.pos)
        return row, 0 if self.at_end else column

    def spot(self) -> SourcePoint:
        """Give the true place."""
        return self.exact or SourcePoint(self.source, self.pos)

    def location(self) -> dict[str, Any]:
        """Give one entry of the engine's ``locations``."""
        row, column = self.row_column()
        return {
            "item_type": self.kind,
            "item_name": self.name,
            "position": {
                "name": self.source.name,
                "line": row,
                "column": column,
                "offset": self.pos,
            },
        }

    def chain(self) -> list[Location | ConditionLocation]:
        """Give the links from the outside in."""
        links: list[Location | ConditionLocation] = []
        link: Location | None = self
        while link is not None:
            links.append(link)
            link = link.parent
        return links[::-1]

    def snippet(self) -> str:
        """Give the engine's two lines: text and caret."""
        return _snippet(self.source.data, self.pos)


@dataclass(frozen=True, slots=True)
class ConditionLocation:
    """A place inside a condition, by the engine's arithmetic.

    ``text``: the condition after exceptions and lists; ``index``: byte offset in it (or
    in a macro's text: the engine does not tell them apart). ``base``: the item.
    ``find``: finds where the text really stands.
    """

    base: Location
    text: bytes
    index: int
    row: int
    column: int
    find: Callable[[], SourcePoint | None] | None = None

    def spot(self) -> SourcePoint:
        """Give the true place."""
        found = self.find() if self.find is not None else None
        return found or self.base.spot()

    def location(self) -> dict[str, Any]:
        """Give one entry of the engine's ``locations``."""
        shown = self.text
        if len(shown) > 20:
            shown = shown[:17] + b"..."
        row, column = self.base.row_column()
        return {
            "item_type": "condition expression",
            "item_name": "",
            "position": {
                "name": f'"{shown.decode("utf-8", "replace")}"',
                "line": row + self.row,
                "column": column + self.column,
                "offset": self.base.pos + self.index,
            },
        }

    def chain(self) -> list[Location | ConditionLocation]:
        """Give the links from the outside in."""
        return [*self.base.chain(), self]

    def snippet(self) -> str:
        """Give the engine's two lines; its caret counts from the file's offset."""
        return _snippet(self.text, self.base.pos + self.index)


def _snippet(content: bytes, pos: int) -> str:
    if not content:
        return "<No context available>\n"
    pos = min(pos, len(content) - 1)
    if pos and content[pos] == 10:
        pos -= 1
    start = content.rfind(b"\n", 0, pos + 1) + 1
    end = content.find(b"\n", pos)
    line = content[start : end if end >= 0 else len(content)]
    caret = pos - start
    first = max(0, caret - _SNIPPET_HALF)
    shown = line[first : caret + _SNIPPET_HALF]
    if first:
        shown = b"..." + shown[3:]
    if caret + _SNIPPET_HALF < len(line):
        shown = shown[:-3] + b"..."
    line, caret = shown, caret - first
    return line.decode("utf-8", "replace") + "\n" + " " * max(0, caret) + "^\n"


@dataclass(frozen=True, slots=True)
class RuleDiagnostic:
    """One complaint: an error, a warning or a hint, with its place.

    ``about``: what the place is inside of, outermost first, for people.
    """

    severity: Severity
    code: str
    message: str
    place: Location | ConditionLocation
    hint: str | None = None
    about: tuple[str, ...] = field(default=())

    def diagnostic(self) -> Diagnostic:
        """Give the public form, positions from 1 in characters."""
        spot = self.place.spot()
        line, column = spot.source.line_column(spot.pos)
        return Diagnostic(
            self.severity,
            self.code,
            self.message,
            spot.source.name or None,
            line,
            column,
            self.hint,
            None,
            self.about or self._about(),
        )

    def _about(self) -> tuple[str, ...]:
        words = [
            f"{link.kind} {link.name}"
            for link in self.place.chain()
            if isinstance(link, Location)
            and link.name
            and link.kind in ("rule", "macro", "list", "exception")
        ]
        return tuple(words)

    def engine_json(self) -> dict[str, Any]:
        """Give the engine's object for its load results."""
        return {
            "code": self.code,
            "codedesc": CODE_WORDS.get(self.code, self.code),
            "message": self.message,
            "context": {
                "locations": [link.location() for link in self.place.chain()],
                "snippet": self.place.snippet(),
            },
        }

    @property
    def key(self) -> tuple[str, str, str, int]:
        """Tell two reports of the same complaint from different ones."""
        spot = self.place.spot()
        return self.code, self.message, spot.source.name, spot.pos
