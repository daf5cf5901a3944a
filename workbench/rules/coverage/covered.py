"""Counts of one rule and of its checks."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["CheckCoverage", "CoveredRule"]


@dataclass(frozen=True, slots=True)
class CheckCoverage:
    """One node of a condition.

    ``kind``: "check", "not", "and" or "or"; ``depth``: in the tree. ``text``: what is
    asked. ``evaluated``: events on which the engine, going left to right, looks at it;
    ``true``: of these. ``decisive``: events on which its other answer would change
    whether the rule matches. ``file``, ``start``, ``end``: its bytes in the rules file;
    no file: they are unknown. ``macro``: the innermost that it comes through, or "".
    ``exception``: the rule's exception that it belongs to, or "".
    """

    kind: str
    depth: int
    text: str
    evaluated: int
    true: int
    decisive: int
    file: str = ""
    start: int = 0
    end: int = 0
    macro: str = ""
    exception: str = ""

    @property
    def state(self) -> str:
        """Whether it "decides", "never decides", or is "never evaluated"."""
        if not self.evaluated:
            return "never evaluated"
        return "decides" if self.decisive else "never decides"


@dataclass(frozen=True, slots=True)
class CoveredRule:
    """One rule. ``events``: of its source; ``matched``: of these.

    ``alerted``: under first match. ``hidden``: earlier rule → events that it takes
    first. ``exceptions``: name → events that it keeps from alerting. ``absent``:
    columns without a value in any event. ``line``: in ``file``, from 1.
    """

    name: str
    source: str
    file: str
    line: int
    events: int
    matched: int
    alerted: int
    hidden: dict[str, int]
    exceptions: dict[str, int]
    absent: tuple[str, ...]
    checks: tuple[CheckCoverage, ...]

    @property
    def state(self) -> str:
        """Whether it "fires", "never fires", or is "always hidden"."""
        if not self.matched:
            return "never fires"
        return "fires" if self.alerted else "always hidden"

    @property
    def idle(self) -> list[CheckCoverage]:
        """Checks that never decide anything."""
        return [c for c in self.checks if c.kind == "check" and not c.decisive]
