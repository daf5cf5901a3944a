"""Where diagnostics go: all of them, or up to the first error as the engine does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.rules.model.rule_diagnostic import RuleDiagnostic

if TYPE_CHECKING:
    from workbench.diagnostics import Severity
    from workbench.rules.model.locations import ConditionLocation, Location

__all__ = ["DiagnosticSink", "FirstError"]

# More diagnostics than this help nobody.
_MAX_DIAGNOSTICS = 10_000


class FirstError(Exception):
    """Ends the reading of one file in the engine's way."""


class DiagnosticSink:
    """Collects the diagnostics of one run over rules files.

    ``stop_at_first``: raise :class:`FirstError` after an error, as the engine stops.
    """

    def __init__(self, *, stop_at_first: bool) -> None:
        """Start empty."""
        self.stop_at_first = stop_at_first
        self.diagnostics: list[RuleDiagnostic] = []
        self.error_count = 0

    def error(
        self,
        code: str,
        message: str,
        location: Location | ConditionLocation,
        hint: str | None = None,
        about: tuple[str, ...] = (),
    ) -> None:
        """Record an error. Raises FirstError when only the first counts."""
        self.error_count += 1
        self._record(RuleDiagnostic("error", code, message, location, hint, about))
        if self.stop_at_first:
            raise FirstError

    def warn(
        self,
        code: str,
        message: str,
        location: Location | ConditionLocation,
        hint: str | None = None,
        about: tuple[str, ...] = (),
    ) -> None:
        """Record a warning."""
        self._record(RuleDiagnostic("warning", code, message, location, hint, about))

    def _record(self, diagnostic: RuleDiagnostic) -> None:
        if len(self.diagnostics) < _MAX_DIAGNOSTICS:
            self.diagnostics.append(diagnostic)

    def of(self, severity: Severity) -> list[RuleDiagnostic]:
        """Return the errors, or the warnings, in the order recorded."""
        return [found for found in self.diagnostics if found.severity == severity]
