from __future__ import annotations

import os
import subprocess
from pathlib import Path

from tests.support.compiled import compiled

HERE = Path(__file__).resolve().parent
SRC = HERE.parents[1] / "workbench" / "native" / "src"


def build(name: str, *flags: str) -> Path:
    return compiled(
        name,
        *("-g", "-std=gnu11", "-Wall", "-Wextra", "-Werror", f"-I{SRC}", *flags),
        HERE / f"{name}.c",
        *sorted((SRC / "kernel").glob("*.c")),
    )


def run(program: Path, *arguments: str) -> str:
    done = subprocess.run(
        [str(program), *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "LC_ALL": "C"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_wildcards_made_to_cost_do_not():
    took = {}
    for line in run(build("glob_worst", "-O2"), "16384").splitlines():
        name, milliseconds, _ = line.split("\t")
        took[name] = float(milliseconds)
    assert len(took) > 30
    # A few each; it was minutes.
    assert {name: ms for name, ms in took.items() if ms > 1000} == {}
