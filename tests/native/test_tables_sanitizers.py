from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.support.compiled import compiled

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
SRC = ROOT / "workbench" / "native" / "src"
TABLES = [p for room in ("common", "tables") for p in sorted((SRC / room).glob("*.c"))]


@pytest.mark.sanitizer
@pytest.mark.parametrize("sanitizers", ["address,undefined", "thread"])
def test_state_tables_survive_use_misuse_and_many_threads(sanitizers):
    program = compiled(
        "tables_test",
        *("-g", "-O1", "-std=gnu11", "-Wall", "-Wextra", "-Werror"),
        *("-Wno-unused-parameter", f"-fsanitize={sanitizers}"),
        *("-fno-sanitize-recover=all", f"-I{SRC}"),
        *sorted(HERE.glob("tables_*test.c")),
        *TABLES,
        libraries=("-lpthread",),
    )
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
def test_tables_of_the_cpp_sdk_hold_what_they_promise(require):
    flags = ("-g", "-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
    as_c = (*flags, "-std=gnu11", f"-I{SRC}", "-c")
    objects = [compiled(f"{source.stem}.o", *as_c, source) for source in TABLES]
    program = compiled(
        "own_table_test",
        *(*flags, "-std=c++11", "-Wall", "-Wextra"),
        f"-I{ROOT / 'workbench' / 'authoring' / 'include'}",
        Path(__file__).with_name("own_table_test.cpp"),
        libraries=(*map(str, objects), "-lpthread"),
        compiler=require("cpp"),
    )
    done = subprocess.run([str(program)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "ok\n"), done.stdout + done.stderr
