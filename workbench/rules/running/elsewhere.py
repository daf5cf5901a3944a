"""What runs rules by itself: an archive, over more events than one machine holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    from workbench.rules.running.options import RunOptions

__all__ = ["ComparesRules", "RunsRules"]

_Found_co = TypeVar("_Found_co", covariant=True)


class RunsRules(Protocol[_Found_co]):
    """Events that rules are brought to."""

    def run_rules(
        self,
        rules: Any,
        *,
        all_matches: bool,
        options: RunOptions,
        alerts_per_rule: int | None,
    ) -> _Found_co:
        """Run a RuleSet; as ``RuleSet.run``."""


class ComparesRules(Protocol[_Found_co]):
    """Events that two versions of rules are brought to."""

    def compare_rules(
        self, old: Any, new: Any, *, all_matches: bool, alerts_per_rule: int | None
    ) -> _Found_co:
        """Compare two RuleSets; as ``RuleSet.compare``."""
