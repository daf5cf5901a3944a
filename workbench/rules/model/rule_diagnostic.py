"""Diagnostics of rules files, for people and as the engine writes them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from workbench.diagnostics import Diagnostic
from workbench.rules.model.locations import Location

if TYPE_CHECKING:
    from workbench.diagnostics import Severity
    from workbench.rules.model.locations import ConditionLocation

__all__ = ["CODE_DESCRIPTIONS", "RuleDiagnostic"]

# Engine code → its description in the engine's load results.
CODE_DESCRIPTIONS: dict[str, str] = {
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
class RuleDiagnostic:
    """An error, a warning or a hint about rules files, with its location.

    ``about``: what the location is inside of, outermost first, for people.
    """

    severity: Severity
    code: str
    message: str
    location: Location | ConditionLocation
    hint: str | None = None
    about: tuple[str, ...] = field(default=())

    def public(self) -> Diagnostic:
        """Return the Diagnostic that users see: positions from 1, in characters."""
        point = self.location.source_point()
        line, column = point.source.line_column(point.pos)
        return Diagnostic(
            self.severity,
            self.code,
            self.message,
            point.source.name or None,
            line,
            column,
            self.hint,
            None,
            self.about or self._about(),
        )

    def _about(self) -> tuple[str, ...]:
        return tuple(
            f"{link.kind} {link.name}"
            for link in self.location.chain()
            if isinstance(link, Location)
            and link.name
            and link.kind in ("rule", "macro", "list", "exception")
        )

    def engine_json(self) -> dict[str, Any]:
        """Return the engine's object for its load results."""
        return {
            "code": self.code,
            "codedesc": CODE_DESCRIPTIONS.get(self.code, self.code),
            "message": self.message,
            "context": {
                "locations": [link.engine_json() for link in self.location.chain()],
                "snippet": self.location.snippet(),
            },
        }
