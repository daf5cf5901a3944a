"""Running files of rule tests with the rules and plugins that they name."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.errors import WorkbenchError
from workbench.rules.ruleset import load_rules
from workbench.rules.testing.case_files import read_tests

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence

    from workbench.rules.mutating.report import MutationReport
    from workbench.rules.testing.case_files import TestFile
    from workbench.rules.testing.report import TestReport

__all__ = ["mutate_files", "run_file"]


def run_file(
    path: str | os.PathLike[str],
    *,
    rules: Sequence[str | os.PathLike[str]] = (),
    plugins: Sequence[str | os.PathLike[str]] = (),
    options: Mapping[str, Any] | None = None,
) -> TestReport:
    """Run one file of rule tests.

    ``rules``, ``plugins``: paths in place of those that the file names. ``options``:
    keywords of ``Workbench``, such as ``sandbox``. Raises WorkbenchError when a file is
    wrong or names no rules.
    """
    file = read_tests(Path(path))
    chosen = list(rules) or list(file.rules)
    if not chosen:
        raise WorkbenchError(
            f"{path}: name the rules files under 'rules', or give them by -r"
        )
    rule_set = load_rules(*chosen)
    libraries = _libraries(plugins, [file])
    if not libraries:
        return rule_set.test(path)
    with _workbench(options) as workbench:
        for library, config in libraries:
            workbench.load(library, config=config)
        return rule_set.test(path, plugins=(workbench,))


def mutate_files(
    paths: Sequence[str | os.PathLike[str]],
    *,
    rules: Sequence[str | os.PathLike[str]] = (),
    plugins: Sequence[str | os.PathLike[str]] = (),
    events: str | os.PathLike[str] | None = None,
    options: Mapping[str, Any] | None = None,
) -> MutationReport:
    """Test files of rule tests that are for the same rules by mutating these.

    ``events``: a saved capture to look for telling events in. The others: as
    :func:`run_file`. Raises WorkbenchError when the files name different rules.
    """
    files = [read_tests(Path(path)) for path in paths]
    chosen = {tuple(map(str, rules or file.rules)) for file in files}
    if len(chosen) != 1 or not all(chosen):
        raise WorkbenchError(
            "mutation testing needs the same rules files for all tests: name them "
            "under 'rules', or give them by -r"
        )
    rule_set = load_rules(*chosen.pop())
    libraries = _libraries(plugins, files)
    with _workbench(options) as workbench:
        for library, config in libraries:
            workbench.load(library, config=config)
        given = (workbench,) if libraries else ()
        known = None
        if events is not None:
            from workbench.events.opening import open_events

            known = open_events(events, plugins=given)
        return rule_set.mutate(*paths, events=known, plugins=given)


def _libraries(
    plugins: Sequence[str | os.PathLike[str]], files: Sequence[TestFile]
) -> list[tuple[str | os.PathLike[str], str | None]]:
    """Return ``plugins``, else those that the files name, with their init configs."""
    if plugins:
        return [(library, None) for library in plugins]
    return list(dict.fromkeys(pair for file in files for pair in file.plugins))


def _workbench(options: Mapping[str, Any] | None) -> Any:
    """Return a new Workbench. Rules know no plugins: its class is looked up by name."""
    import importlib

    return importlib.import_module("workbench").Workbench(**(options or {}))
