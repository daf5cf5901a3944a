"""Rule tests are collected by pytest where the project asks for them."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path


def run_pytest(folder, *words):
    """Run pytest on ``folder`` with our plugin, as a project of its own."""
    # An installed package announces its pytest plugin by itself.
    name = "workbench.rules.pytest_plugin"
    known = any(point.value == name for point in entry_points(group="pytest11"))
    command = [sys.executable, "-m", "pytest", *([] if known else ["-p", name])]
    command += ["-p", "no:cacheprovider", "--rootdir", str(folder), "-q", *words]
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        cwd=Path(__file__).resolve().parents[2],
    )


def test_pytest_collects_rule_tests_that_the_command_line_names(folder):
    file = str(folder / "web_rule_tests.yaml")
    done = run_pytest(folder, "-c", "/dev/null", file)
    assert "2 passed" in done.stdout, done.stdout + done.stderr
    assert "1 failed" in done.stdout
    assert "Traceback" not in done.stdout


def test_pytest_leaves_rule_tests_of_a_folder_alone(folder):
    done = run_pytest(folder, "-c", "/dev/null", str(folder))
    assert done.stdout.splitlines()[-1].startswith("no tests ran"), done.stdout


def test_a_project_asks_for_its_rule_tests(folder):
    ini = folder / "pytest.ini"
    ini.write_text("[pytest]\nworkbench_rule_tests = true\n")
    done = run_pytest(folder, "-c", str(ini), str(folder))
    assert "1 failed, 2 passed" in done.stdout, done.stdout + done.stderr
