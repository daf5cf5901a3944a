"""A fuzzer is worth as much as what it would find: failures are told and kept."""

from __future__ import annotations

import subprocess
import sys
from random import Random

import pytest

from tests.fuzz import running
from tests.fuzz.cases import MODULES, module_of
from tests.fuzz.material import recording
from tests.fuzz.mutation import damaged, damaged_document
from tests.support.compiled import ROOT


@pytest.mark.parametrize("target", MODULES)
def test_a_case_is_the_same_each_time(target):
    module = module_of(target)
    getattr(module, "prepare", lambda: None)()
    for case in range(20):
        assert module.make(Random(case)) == module.make(Random(case))


def test_damage_changes_what_it_damages():
    changed = [damaged(Random(case), b"abcdefgh") for case in range(100)]
    assert sum(data != b"abcdefgh" for data in changed) > 90
    documents = [damaged_document(Random(case), {"a": [1, 2]}) for case in range(100)]
    assert sum(document != {"a": [1, 2]} for document in documents) > 90


def test_the_recording_of_a_worker_is_complete():
    made = recording()
    assert len(made.replies) >= 12
    assert made.chunks
    assert made.end
    assert made.arena


DEATHS = {
    "raise": "raise ValueError('bad')",
    "segfault": "import ctypes; ctypes.string_at(0)",
    "exit": "import os; os._exit(3)",
}


@pytest.mark.crash
@pytest.mark.parametrize("death", DEATHS)
def test_the_case_that_fails_is_named(death):
    code = (
        "import sys, types; from tests.fuzz import cases\n"
        "def check(number):\n"
        f"    if number == 107: {DEATHS[death]}\n"
        "module = types.SimpleNamespace(make=lambda dice: dice.number, check=check)\n"
        "class Dice:\n"
        "    def __init__(self, number): self.number = number\n"
        "cases.Random, cases.module_of = Dice, lambda target: module\n"
        "sys.exit(cases.main(['any', '0', '100', '30']))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 1, done.stderr
    assert "failed: case 107" in done.stderr
    assert "8 cases" in done.stdout


@pytest.mark.sanitizer
def test_a_fuzzer_in_c_names_its_case_and_repeats_it(tmp_path, monkeypatch):
    broken = tmp_path / "fuzz_broken.c"
    broken.write_text(
        '#include "chance.h"\n'
        "static int64_t one(void)\n{\n"
        "\tchar *block = malloc(8);\n"
        "\tblock[chance() % 64 == 0 ? 8 : 0] = 1;\n"
        "\tfree(block);\n\treturn 1;\n}\n"
        "int main(int argc, char **argv)\n{\n"
        "\trun_cases(argc, argv, one);\n\treturn 0;\n}\n"
    )
    program = running.compiled(
        "fuzz_broken",
        *("-g", "-fsanitize=address", f"-I{ROOT / 'tests' / 'native'}"),
        broken,
    )
    monkeypatch.setattr(running, "command", lambda _target: [str(program)])
    monkeypatch.setattr(running, "FOUND", tmp_path / "found")
    first = running.run("broken", first=5, rounds=10_000)
    assert first.failed is not None
    assert first.cases == first.failed - 5
    assert "heap-buffer-overflow" in first.output
    again = running.run("broken", first=first.failed, rounds=1)
    assert again.failed == first.failed
    kept = running.keep("broken", first)
    assert f"--first {first.failed}" in (kept / "report.txt").read_text()
