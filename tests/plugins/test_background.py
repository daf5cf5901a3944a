"""The tests themselves, started where Ctrl-C is ignored: in the background of a shell."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

TESTS = Path(__file__).with_name("test_capture.py")


def test_the_interrupting_tests_pass_in_a_background_job():
    command = f"{TESTS}::test_ctrl_c_while_iterating"
    words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", command]
    done = subprocess.run(
        ["/bin/sh", "-c", 'trap "" INT; exec "$@"', "sh", *words],
        capture_output=True,
        text=True,
        timeout=120,
        cwd=TESTS.parents[2],
    )
    assert done.returncode == 0, done.stdout
    assert "1 passed" in done.stdout
