from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SRC = ROOT / "workbench" / "native" / "src"


@pytest.mark.sanitizer
def test_the_capture_scanner_stays_in_its_buffers_on_hostile_files(tmp_path):
    compiler = os.environ.get("CC") or shutil.which("cc") or "gcc"
    program = tmp_path / "fuzz_scap"
    sources = [str(p) for p in sorted((SRC / "scap").glob("*.c"))]
    command = [
        compiler, "-g", "-O1", "-std=gnu11", "-Wall", "-Wextra", "-Werror",
        "-fsanitize=address,undefined", "-fno-sanitize-recover=all", f"-I{SRC}",
        str(Path(__file__).with_name("fuzz_scap.c")), *sources, "-o", str(program),
    ]  # fmt: skip
    built = subprocess.run(command, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    done = subprocess.run(
        [str(program), "60000"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
