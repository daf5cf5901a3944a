from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def test_pytest_collects_rule_tests(folder):
    from importlib.metadata import entry_points

    # An installed package announces its pytest plugin by itself.
    name = "workbench.rules.pytest_plugin"
    known = any(point.value == name for point in entry_points(group="pytest11"))
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            *([] if known else ["-p", name]),
            "-p",
            "no:cacheprovider",
            "--rootdir",
            str(folder),
            "-c",
            "/dev/null",
            "-q",
            str(folder / "web_rule_tests.yaml"),
        ],
        capture_output=True,
        text=True,
        cwd=Path(__file__).resolve().parents[2],
    )
    assert "2 passed" in done.stdout, done.stdout + done.stderr
    assert "1 failed" in done.stdout
    assert "Traceback" not in done.stdout
