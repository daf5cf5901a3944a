"""Running whole files of rule tests with the rules and plugins that they name."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.errors import WorkbenchError
from workbench.rules.case_files import read_tests
from workbench.rules.rule_tests import TestReport, run_tests
from workbench.rules.ruleset import load_rules

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence

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
    libraries = list(plugins) or list(file.plugins)
    if not libraries:
        return run_tests(rule_set, Path(path))
    # rules know no plugins: the object that loads them is looked up by name
    workbench = importlib.import_module("workbench")
    with workbench.Workbench(**(options or {})) as bench:
        for library in libraries:
            bench.load(library)
        return run_tests(rule_set, Path(path), plugins=(bench,))
