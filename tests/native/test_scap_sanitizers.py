from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.support.compiled import compiled

ROOT = Path(__file__).resolve().parents[2]
SRC = ROOT / "workbench" / "native" / "src"


@pytest.mark.sanitizer
def test_the_capture_scanner_stays_in_its_buffers_on_hostile_files():
    program = compiled(
        "fuzz_scap",
        *("-g", "-O1", "-std=gnu11", "-Wall", "-Wextra", "-Werror"),
        *("-fsanitize=address,undefined", "-fno-sanitize-recover=all", f"-I{SRC}"),
        Path(__file__).with_name("fuzz_scap.c"),
        *sorted((SRC / "scap").glob("*.c")),
    )
    done = subprocess.run(
        [str(program), "60000"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
