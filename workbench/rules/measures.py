"""What can be measured of rules: their tests, their coverage, their noise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.arguments import PATH, takes

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from workbench.rules.coverage.report import RuleCoverage
    from workbench.rules.exceptions.propose import ExceptionProposal
    from workbench.rules.mutating.report import MutationReport
    from workbench.rules.noise.report import Noise

__all__ = ["RuleMeasures"]


class RuleMeasures:
    """Methods of RuleSet that measure rules over events and tests."""

    def mutate(
        self,
        *test_files: str | os.PathLike[str],
        events: Any = None,
        plugins: Any = (),
    ) -> MutationReport:
        """Test the tests: change the rules as people err, and see what notices.

        ``test_files``: of rule tests, all of which must pass. ``events``: Events whose
        labels must be noticed too (labelled "must match": some rule matches; "must not
        match": none), and in which an event is looked for that tells a survivor from
        its rule. ``plugins``: loaded ones, for payloads and fields that the files do
        not declare. Raises WorkbenchError when a test fails already, or nothing could
        notice a change; RulesError when Falco would refuse the rules.
        """
        from workbench.rules.mutating.run import mutate

        paths = [_path(path) for path in test_files]
        given = tuple(plugins) if isinstance(plugins, list | tuple) else (plugins,)
        return mutate(self, paths, events, given)

    def coverage(self, events: Any) -> RuleCoverage:
        """Count, per rule and check, what these events evaluate and what decides.

        Shows checks that never decide, rules that never fire or that an earlier one
        always hides, exceptions that never apply and fields that no event has; in a
        notebook as coloured source. Raises RulesError when Falco would refuse the
        rules, WorkbenchError when no rule is for the source of the events.
        """
        from workbench.rules.coverage.measure import measure_coverage

        return measure_coverage(self, events)

    def noise(
        self, events: Any, per: str = "hour", *, all_matches: bool = False
    ) -> Noise:
        """Return the alerts to expect per "minute", "hour" or "day", and of what.

        Per rule: the rate, stretches with far more alerts than usual, the values that
        most alerts have, and alerts that say the same. ``all_matches``: as in
        ``run``. ``noise.compare(edited)`` shows what an edit changes. Raises RulesError
        when Falco would refuse the rules, WorkbenchError without events.
        """
        from workbench.rules.noise.measure import measure_noise

        return measure_noise(self, events, per, all_matches=all_matches)

    def propose_exception(
        self,
        rule: str,
        events: Any,
        rows: Any = None,
        *,
        keep: Any = None,
        max_checks: int = 3,
        exclude_fields: Sequence[str] = (),
        limit: int = 5,
    ) -> list[ExceptionProposal]:
        """Propose exceptions that keep a rule from alerting on chosen events.

        ``rule``: its name. ``rows``: event numbers, or a mask with one boolean per
        event; None takes the events labelled "must not match". ``keep``: likewise those
        that must go on alerting; None takes the labels if ``rows`` is None. Only events
        that the rule matches count. ``max_checks``: most fields of an exception.
        ``exclude_fields``: fields not to use.

        Returns the best first, each with the exception, what it takes away and what it
        leaves. Raises WorkbenchError when the rule matches no chosen event, KeyError
        for an unknown rule.
        """
        from workbench.rules.exceptions.propose import propose_exception

        return propose_exception(
            self,
            rule,
            events,
            (rows, keep),
            limit=limit,
            max_checks=max_checks,
            exclude_fields=exclude_fields,
        )


@takes(path=PATH)
def _path(path: Any) -> Any:
    return path
