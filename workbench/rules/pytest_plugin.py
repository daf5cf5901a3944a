"""Rule tests under pytest: files named ``*rule_tests.yaml``, every case is a test.

Rules and plugins are those that the file names, so such a file runs the libraries that
it names. It is collected when the command line names it, or when the project's pytest
configuration asks for all of them with ``workbench_rule_tests = true``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from workbench.rules.testing.report import CaseResult

__all__ = ["RuleTestFile", "RuleTestItem", "pytest_addoption", "pytest_collect_file"]

_OPTION = "workbench_rule_tests"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the option of the configuration file."""
    parser.addini(
        _OPTION,
        "collect *rule_tests.yaml files and load the plugins that they name",
        type="bool",
        default=False,
    )


def pytest_collect_file(
    file_path: Path, parent: pytest.Collector
) -> RuleTestFile | None:
    """Take files of rule tests that somebody asked for."""
    from workbench.rules.testing.case_files import is_test_file

    if not is_test_file(file_path.name):
        return None
    if not parent.config.getini(_OPTION) and not _named(parent.config, file_path):
        return None
    return RuleTestFile.from_parent(parent, path=file_path)


def _named(config: pytest.Config, path: Path) -> bool:
    """Return whether the command line names the file itself."""
    folder = config.invocation_params.dir
    words = (str(word).partition("::")[0] for word in config.invocation_params.args)
    return any((folder / word).resolve() == path.resolve() for word in words if word)


class RuleTestFile(pytest.File):
    """One file of rule tests; it is run once, when its first case is."""

    _results: dict[int, CaseResult] | None = None

    def collect(self) -> Iterator[RuleTestItem]:
        """Yield one item per case."""
        from workbench.errors import WorkbenchError
        from workbench.rules.testing.case_files import read_tests

        try:
            cases = read_tests(self.path).cases
        except WorkbenchError as error:
            raise self.CollectError(str(error)) from None
        for index, case in enumerate(cases):
            item: RuleTestItem = RuleTestItem.from_parent(self, name=case.name)
            item.index, item.line = index, case.line
            yield item

    def result(self, index: int) -> CaseResult:
        """Return the result of a case."""
        if self._results is None:
            from workbench.rules.test_runs import run_file

            self._results = dict(enumerate(run_file(self.path).results))
        return self._results[index]


class RuleTestItem(pytest.Item):
    """One case."""

    index = 0
    line = 0

    def runtest(self) -> None:
        """Run the case."""
        parent = self.parent
        if not isinstance(parent, RuleTestFile):  # pragma: no cover
            raise TypeError
        result = parent.result(self.index)
        if not result.passed:
            raise RuleTestFailure(result.message)

    def repr_failure(self, excinfo: Any, style: Any = None) -> Any:
        """Show why a case failed, without a traceback."""
        from workbench.errors import WorkbenchError

        if isinstance(excinfo.value, RuleTestFailure | WorkbenchError):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Any, int, str]:
        """Return file, line and name of the case."""
        return self.path, max(0, self.line - 1), f"rule test: {self.name}"


class RuleTestFailure(Exception):
    """A case that did not hold."""
