from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.support.compiled import compiled

HERE = Path(__file__).resolve().parent
SRC = HERE.parents[1] / "workbench" / "native" / "src"
SANITIZERS = (
    *("-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"),
    # Arrow promises aligned buffers of numbers, not of offsets into them.
    "-fno-sanitize=alignment",
)


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


@pytest.mark.sanitizer
def test_the_kernel_stays_in_its_buffers_and_agrees_with_itself():
    run(build("fuzz_kernel", *SANITIZERS), "2500")


@pytest.mark.sanitizer
@pytest.mark.parametrize("flags", [(), ("-DSCAN_ALWAYS=1",)], ids=["short", "long"])
def test_wildcards_match_what_the_c_library_matches(flags):
    run(build("fuzz_glob", *SANITIZERS, *flags), "60000")


def test_wildcards_made_to_cost_do_not():
    took = {}
    for line in run(build("glob_worst", "-O2"), "16384").splitlines():
        name, milliseconds, _ = line.split("\t")
        took[name] = float(milliseconds)
    assert len(took) > 30
    # A few each; it was minutes.
    assert {name: ms for name, ms in took.items() if ms > 1000} == {}
