from __future__ import annotations

import json
import os
import random
import subprocess
import sys

import pytest

from workbench.condition.semantics.globs import fnmatch

# Asks the C library itself, in the C locale, as the engine does.
ORACLE = """
import ctypes, json, sys
libc = ctypes.CDLL(None)
CASEFOLD = 1 << 4
answers = []
for pattern, text, fold in json.load(sys.stdin):
    flags = CASEFOLD if fold else 0
    answers.append(libc.fnmatch(bytes.fromhex(pattern), bytes.fromhex(text), flags) == 0)
json.dump(answers, sys.stdout)
"""
PIECES = [
    *(bytes([char]) for char in b"ab[]!^-\\*?:=.Zz/\xe9"),
    b"[:alpha:]", b"[:upper:]", b"[:digit:]", b"[:foo:]", b"[=a=]", b"[.a.]", b"[.-.]", b"[[", b"a-c", b"[!", b"]",
]  # fmt: skip


def cases():
    pick = random.Random(20240229)
    for _ in range(6000):
        pattern = b"".join(pick.choices(PIECES, k=pick.randint(0, 8)))
        if pick.random() < 0.5:
            pattern = b"[" + pattern
        text = bytes(pick.choices(b"ab[]!^-\\:=.Zz/\xe9", k=pick.randint(0, 4)))
        if pick.random() < 0.5:
            text = pattern.replace(b"\\", b"")[: pick.randint(0, 6)]
        yield pattern, text, pick.random() < 0.4


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="asks glibc")
def test_patterns_match_what_the_c_library_matches():
    asked = list(cases())
    if "glibc" not in " ".join(os.confstr("CS_GNU_LIBC_VERSION").split()):
        pytest.skip("asks glibc")
    done = subprocess.run(
        [sys.executable, "-I", "-c", ORACLE],
        input=json.dumps([[p.hex(), t.hex(), fold] for p, t, fold in asked]),
        env={"LC_ALL": "C"},
        capture_output=True,
        text=True,
        check=True,
    )
    answers = json.loads(done.stdout)
    assert sum(answers) > 500
    wrong = [
        (case, answer)
        for case, answer in zip(asked, answers, strict=True)
        if fnmatch(case[0], case[1], fold=case[2]) != answer
    ]
    assert not wrong


def test_many_stars_take_no_time():
    assert not fnmatch(b"*a" * 100, b"a" * 99 + b"b" * 2000)
