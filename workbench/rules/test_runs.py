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

    from workbench.rules.testing.report import TestReport

__all__ = ["run_file"]


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
    import importlib

    file = read_tests(Path(path))
    chosen = list(rules) or list(file.rules)
    if not chosen:
        raise WorkbenchError(
            f"{path}: name the rules files under 'rules', or give them by -r"
        )
    rule_set = load_rules(*chosen)
    libraries: list[tuple[str | os.PathLike[str], str | None]] = [
        *((library, None) for library in plugins)
    ]
    libraries = libraries or list(file.plugins)
    if not libraries:
        return rule_set.test(path)
    # rules know no plugins: the class that loads them is looked up by name
    package = importlib.import_module("workbench")
    with package.Workbench(**(options or {})) as workbench:
        for library, config in libraries:
            workbench.load(library, config=config)
        return rule_set.test(path, plugins=(workbench,))
