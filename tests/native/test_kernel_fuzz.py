from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.support.compiled import compiled

ROOT = Path(__file__).resolve().parents[2]
SRC = ROOT / "workbench" / "native" / "src"


@pytest.mark.sanitizer
def test_the_kernel_stays_in_its_buffers_and_agrees_with_itself():
    program = compiled(
        "fuzz_kernel",
        *("-g", "-O1", "-std=gnu11", "-Wall", "-Wextra", "-Werror"),
        *("-fsanitize=address,undefined", "-fno-sanitize-recover=all"),
        # Arrow promises aligned buffers of numbers, not of offsets into them.
        *("-fno-sanitize=alignment", f"-I{SRC}"),
        Path(__file__).with_name("fuzz_kernel.c"),
        *sorted((SRC / "kernel").glob("*.c")),
    )
    done = subprocess.run(
        [str(program), "2500"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "LC_ALL": "C"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
