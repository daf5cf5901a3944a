from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
SRC = ROOT / "workbench" / "native" / "src"
SOURCES = [p for room in ("common", "tables") for p in sorted((SRC / room).glob("*.c"))]


@pytest.mark.sanitizer
@pytest.mark.parametrize("sanitizers", ["address,undefined", "thread"])
def test_state_tables_survive_use_misuse_and_many_threads(tmp_path, sanitizers):
    compiler = os.environ.get("CC") or shutil.which("cc") or "gcc"
    program = tmp_path / "tables_test"
    command = [
        compiler, "-g", "-O1", "-std=gnu11", "-Wall", "-Wextra", "-Werror",
        "-Wno-unused-parameter", f"-fsanitize={sanitizers}",
        "-fno-sanitize-recover=all", f"-I{SRC}",
        *map(str, sorted(HERE.glob("tables_*test.c"))), *map(str, SOURCES),
        "-o", str(program), "-lpthread",
    ]  # fmt: skip
    built = subprocess.run(command, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    done = subprocess.run(
        [str(program), "10000"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**os.environ, "TSAN_OPTIONS": "halt_on_error=1"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout == "ok\n"


@pytest.mark.cpp
@pytest.mark.sanitizer
def test_tables_of_the_cpp_sdk_hold_what_they_promise(tmp_path, require):
    compiler = os.environ.get("CC") or shutil.which("cc") or "gcc"
    flags = ["-g", "-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
    objects = []
    for source in SOURCES:
        objects.append(str(tmp_path / f"{source.stem}.o"))
        command = [compiler, *flags, "-std=gnu11", f"-I{SRC}", "-c", str(source)]
        subprocess.run([*command, "-o", objects[-1]], check=True)
    program = tmp_path / "own_table_test"
    include = ROOT / "workbench" / "authoring" / "include"
    command = [
        require("cpp"), *flags, "-std=c++11", "-Wall", "-Wextra", f"-I{include}",
        str(Path(__file__).with_name("own_table_test.cpp")), *objects,
        "-o", str(program), "-lpthread",
    ]  # fmt: skip
    built = subprocess.run(command, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    assert "warning" not in built.stderr
    done = subprocess.run([str(program)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "ok\n"), done.stdout + done.stderr
