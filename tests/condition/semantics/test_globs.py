from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time

import pyarrow as pa
import pytest

from workbench.condition import compile_condition
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
    b"[:alpha:]", b"[:upper:]", b"[:digit:]", b"[:foo:]", b"[=a=]", b"[=]=]", b"[.a.]", b"[.-.]", b"[.].]", b"[[",
    b"a-c", b"[!", b"]", b"x-[:b:]", b"-[.c.]", b"a-[.Z.]", b"[.a.]-]", b"[xa-[:alpha:]*]", b"[ab]", b"[!a-z]", b"\\]",
]  # fmt: skip


def cases():
    pick = random.Random(20240229)
    for i in range(9000):
        # Long ones go beyond a machine word; few stars, or the C library takes ages.
        pattern = b"".join(pick.choices(PIECES, k=pick.randint(0, 8 if i % 9 else 80)))
        if i % 9 == 0:
            head, star, tail = pattern.partition(b"*")
            pattern = head + star + tail.replace(b"*", b"a")
        if pick.random() < 0.5:
            pattern = b"[" + pattern
        text = bytes(pick.choices(b"ab[]!^-\\:=.Zzx/\xe9", k=pick.randint(0, 4)))
        if pick.random() < 0.5:
            length = len(pattern) if i % 9 == 0 else pick.randint(0, 6)
            text = pattern.replace(b"\\", b"")[:length]
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


# What an event may bring: a pattern of 16 kB, made of one piece again and again.
WORST = {
    "stars": (b"", b"a*", b"b", b"a"),
    "any": (b"*", b"?", b"b*", b"a"),
    "literal": (b"*", b"a", b"b*", b"A"),
    "sets": (b"*", b"[ab]", b"c*", b"a"),
    "sets between stars": (b"", b"*[ab]", b"c", b"a"),
    "negated sets": (b"*", b"[!b]", b"b*", b"a"),
    "classes": (b"*", b"[[:alpha:]]", b"1*", b"a"),
    "one long set": (b"*[", b"a-b", b"]*", b"x"),
    "open brackets": (b"", b"[", b"\\]", b"["),
    "open sets": (b"", b"[a", b"\\]", b"[a"),
    "open negated sets": (b"", b"[!a", b"\\]", b"[!a"),
    "open classes": (b"", b"[:", b"\\]", b"[:"),
    "open collating elements": (b"", b"[a[.", b".]", b"a"),
    "ends that are none": (b"-", b"[:=", b"-[=a=]", b"z"),
    "ranges of collating elements": (b"![:", b"[-[.c.][:digit:]", b"", b"-"),
    "two ends": (b"", b"[xa-[:alpha:]*]", b"[^", b":\xe9"),
    "two ends and stars": (b"[xa-[:b:]*]", b"*?", b"b", b"b]"),
}


@pytest.mark.parametrize("fold", [False, True])
@pytest.mark.parametrize("name", WORST)
def test_long_patterns_of_events_cost_next_to_nothing(name, fold):
    head, piece, tail, unit = WORST[name]
    pattern = head + piece * ((16384 - len(head + tail)) // len(piece)) + tail
    text = unit * (16384 // len(unit))
    start = time.process_time()
    ours = fnmatch(pattern, text, fold=fold)
    assert time.process_time() - start < 2.0
    # In turn, as the kernel remembers the last pattern.
    table = pa.table(
        {"g.s": pa.array([text] * 16), "g.p": pa.array([pattern, b"x"] * 8)}
    )
    field = {"type": "string", "desc": ""}
    compiled = compile_condition(
        f"g.s {'iglob' if fold else 'glob'} val(g.p)",
        [{"name": "g.s", **field}, {"name": "g.p", **field}],
    )
    start = time.process_time()
    rows = compiled.mask(table).to_pylist()
    assert time.process_time() - start < 2.0
    assert rows == [ours, False] * 8
