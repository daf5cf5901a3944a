"""What can be measured of rules: their tests, their coverage, their noise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.arguments import PATH, takes

if TYPE_CHECKING:
    import os

    from workbench.rules.coverage.report import RuleCoverage
    from workbench.rules.mutating.report import MutationReport

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


@takes(path=PATH)
def _path(path: Any) -> Any:
    return path
