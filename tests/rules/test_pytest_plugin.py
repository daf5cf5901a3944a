"""Rule tests are collected by pytest where the project asks for them."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest


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


SPY = """
#include <fcntl.h>
#include <unistd.h>
__attribute__((constructor)) static void spy(void)
{
    int fd = open(TRACE, O_WRONLY | O_CREAT, 0600);
    if (fd >= 0) close(fd);
}
"""


@pytest.fixture
def trap(tmp_path):
    """Return a folder whose rule tests name a library that leaves a trace, and that."""
    folder, trace = tmp_path / "strangers", tmp_path / "trace"
    folder.mkdir()
    (folder / "spy.c").write_text(SPY)
    library = folder / "libspy.so"
    flags = ["-shared", "-fPIC", f'-DTRACE="{trace}"', "-o", str(library)]
    subprocess.run(["cc", *flags, str(folder / "spy.c")], check=True)
    (folder / "rules.yaml").write_text("- macro: m\n  condition: evt.num = 1\n")
    (folder / "x_rule_tests.yaml").write_text(
        "source: t\nrules: [rules.yaml]\nplugins: [libspy.so]\ncases:\n"
        "  - name: one\n    event: {t.num: 1}\n    fires: [m]\n"
    )
    (folder / "test_usual.py").write_text("def test_usual():\n    pass\n")
    return folder, trace


@pytest.mark.parametrize("words", [[], ["--collect-only"], ["-k", "one"]])
def test_a_strangers_folder_runs_no_library(trap, words):
    folder, trace = trap
    done = run_pytest(folder, "-c", "/dev/null", str(folder), *words)
    assert done.returncode in {0, 5}, done.stdout + done.stderr
    assert not trace.exists()


@pytest.mark.parametrize("how", ["file", "case", "option"])
def test_the_library_is_run_where_the_project_or_the_user_asks(trap, how):
    folder, trace = trap
    file = folder / "x_rule_tests.yaml"
    ini = folder / "pytest.ini"
    ini.write_text(f"[pytest]\nworkbench_rule_tests = {how == 'option'}\n")
    named = {"file": str(file), "case": f"{file}::one", "option": str(folder)}[how]
    done = run_pytest(folder, "-c", str(ini), named)
    assert "one" in done.stdout, done.stdout + done.stderr
    assert trace.exists()
