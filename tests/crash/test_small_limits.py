"""Few descriptors, no file sizes, closed standard streams: a message, or it works."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

RULES = """
- rule: some
  desc: some events
  condition: probe.num >= 0
  output: number %probe.num
  priority: INFO
  source: probe
"""
SCRIPT = """
import sys
import workbench as wb
try:
    with wb.load(sys.argv[1]) as plugin:
        sys.stdout and print(len(plugin.capture("n=5").frame))
except wb.WorkbenchError as error:
    sys.exit(f"workbench: {error}")
"""


@pytest.fixture(scope="module")
def commands(plugin, tmp_path_factory):
    """Give the words of every command that starts a worker, by name."""
    folder = tmp_path_factory.mktemp("limits")
    rules, tests, script = (folder / n for n in ("rules.yaml", "t.yaml", "script.py"))
    probe = plugin("probe")
    rules.write_text(RULES)
    script.write_text(SCRIPT)
    tests.write_text(
        f"source: probe\nrules: {rules}\nplugins: ['{probe}']\ncases:\n"
        f"  - payload: x\n    fires: some\n"
    )
    workbench = ["-m", "workbench"]
    return {
        "inspect": [*workbench, "inspect", probe],
        "stream": [*workbench, "stream", probe, "--open", "n=5"],
        "run": [*workbench, "run", "--plugin", probe, "--open", "n=5", "-r", rules],
        "validate": [*workbench, "validate", "--plugin", probe, rules],
        "test": [*workbench, "test", "--plugin", probe, tests],
        "load": [script, probe],
    }


NAMES = ["inspect", "stream", "run", "validate", "test", "load"]


def limited(words, before="", redirected=""):
    """Run Python with ``words`` in a shell that first does ``before``."""
    shell = f'{before}; exec "$@" {redirected}' if before else f'exec "$@" {redirected}'
    return subprocess.run(
        ["sh", "-c", shell, "sh", sys.executable, *map(str, words)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
        check=False,
    )


@pytest.mark.parametrize("name", NAMES)
def test_sixty_four_descriptors_are_enough(commands, name):
    done = limited(commands[name], "ulimit -n 64")
    assert done.returncode == 0, done.stderr
    assert done.stdout


@pytest.mark.parametrize("files", [16, 12])
@pytest.mark.parametrize("name", NAMES)
def test_fewer_descriptors_are_told(commands, name, files):
    done = limited(commands[name], f"ulimit -n {files}")
    assert done.returncode in (0, 1), done.stderr
    told_or_done(done)
    if done.returncode:
        assert "oo many open files" in done.stderr
        assert "ulimit -n" in done.stderr


@pytest.mark.parametrize("name", NAMES)
def test_files_of_no_size_are_told(commands, name):
    done = limited(commands[name], "ulimit -f 0")
    assert done.returncode == 1, done.stderr
    told_or_done(done)
    assert "File too large (raise the limit of file sizes" in done.stderr


@pytest.mark.parametrize("closed", ["0<&- 2>&-", "1>&-"])
@pytest.mark.parametrize("name", NAMES)
def test_closed_standard_streams(commands, name, closed):
    done = limited(commands[name], redirected=closed)
    told_or_done(done)
    if "1>&-" in closed and name != "load":
        assert done.returncode == 1
        assert "standard output is closed" in done.stderr
    else:
        assert done.returncode == 0, done.stderr
        assert done.stdout or "1>" in closed


def test_a_script_with_no_standard_stream_at_all(commands):
    done = limited(commands["load"], redirected="0<&- 1>&- 2>&-")
    assert done.returncode == 0


def told_or_done(done):
    assert "Traceback" not in done.stderr
    assert "bug" not in done.stderr
    if done.returncode:
        *before, message = done.stderr.splitlines()
        assert message.startswith("workbench: ")
        # At most the line that run begins with.
        assert len(before) <= 1
