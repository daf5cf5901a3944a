"""Collecting complaints: all of them, or up to the first error as the engine does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.rules.model.locations import RuleDiagnostic

if TYPE_CHECKING:
    from workbench.rules.model.locations import ConditionLocation, Location

__all__ = ["DiagnosticSink", "FirstError"]

# Complaints beyond this are of no use to anybody.
_MAX_PROBLEMS = 10_000


class FirstError(Exception):
    """Ends the reading of one file in the engine's way."""


class DiagnosticSink:
    """Where complaints go.

    ``stop_at_first``: raise :class:`FirstError` after an error, as the engine stops.
    """

    def __init__(self, *, stop_at_first: bool) -> None:
        """Start empty."""
        self.stop_at_first = stop_at_first
        self.problems: list[RuleDiagnostic] = []
        self.error_count = 0

    def error(
        self,
        code: str,
        message: str,
        place: Location | ConditionLocation,
        hint: str | None = None,
        about: tuple[str, ...] = (),
    ) -> None:
        """Record an error. Raises FirstError when only the first counts."""
        self.error_count += 1
        if len(self.problems) < _MAX_PROBLEMS:
            self.problems.append(
                RuleDiagnostic("error", code, message, place, hint, about)
            )
        if self.stop_at_first:
            raise FirstError

    def warn(
        self,
        code: str,
        message: str,
        place: Location | ConditionLocation,
        hint: str | None = None,
        about: tuple[str, ...] = (),
    ) -> None:
        """Record a warning."""
        if len(self.problems) < _MAX_PROBLEMS:
            self.problems.append(
                RuleDiagnostic("warning", code, message, place, hint, about)
            )

    def errors(self) -> list[RuleDiagnostic]:
        """Give the errors."""
        return [p for p in self.problems if p.severity == "error"]

    def warnings(self) -> list[RuleDiagnostic]:
        """Give the warnings."""
        return [p for p in self.problems if p.severity == "warning"]
