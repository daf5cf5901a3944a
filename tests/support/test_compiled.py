from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support.compiled import ROOT, CompileError, compiled

PROGRAM = '#include "words.h"\n#include <stdio.h>\nint main(void) { puts(WORDS); }\n'


@pytest.fixture
def source(tmp_path):
    (tmp_path / "words.h").write_text('#define WORDS "one"\n')
    path = tmp_path / "says.c"
    path.write_text(PROGRAM)
    return path


@pytest.fixture
def build(source, tmp_path):
    def made(*flags):
        compiled.cache_clear()  # as another test process
        return compiled("says", *flags, source, folder=tmp_path / "cache")

    return made


def says(program):
    return subprocess.run([program], capture_output=True, text=True).stdout.strip()


def test_the_same_is_compiled_once(build):
    first = build("-O1")
    made = first.stat().st_mtime_ns
    assert build("-O1") == first
    assert first.stat().st_mtime_ns == made
    assert says(first) == "one"


def test_other_flags_and_changed_headers_are_other_programs(build, source):
    first = build("-O1")
    assert build("-O2") != first
    source.with_name("words.h").write_text('#define WORDS "two"\n')
    second = build("-O1")
    assert (says(first), says(second)) == ("one", "two")


def test_warnings_and_errors_are_told_every_time_and_nothing_is_kept(build, source):
    source.write_text(PROGRAM.replace("puts", "int unused; puts"))
    for _ in range(2):
        with pytest.raises(CompileError, match="unused"):
            build("-Wall")
    source.write_text("#error not like this\n")
    with pytest.raises(CompileError, match="not like this"):
        build()
    assert not list(source.parent.glob("cache/*/says"))


def test_processes_at_once_compile_once(source, tmp_path):
    code = (
        "import sys, pathlib; from tests.support.compiled import compiled;"
        "made = compiled('says', pathlib.Path(sys.argv[1]), folder=pathlib.Path(sys.argv[2]));"
        "print(made.stat().st_ino, made)"
    )
    command = [sys.executable, "-c", code, str(source), str(tmp_path / "cache")]

    def run(_):
        return subprocess.check_output(command, text=True, cwd=ROOT)

    with ThreadPoolExecutor(4) as pool:
        told = set(pool.map(run, range(4)))
    assert len(told) == 1
    assert says(Path(told.pop().split(maxsplit=1)[1].strip())) == "one"
