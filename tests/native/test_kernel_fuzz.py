from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.support.compiled import compiled
from workbench.condition import compile_conditions
from workbench.condition.execution.packing import PackedColumn, pack

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


def run(program: Path, *arguments: object) -> str:
    done = subprocess.run(
        [str(program), *map(str, arguments)],
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


FIELDS = [
    {"name": "p.num", "type": "uint64", "desc": ""},
    {"name": "p.on", "type": "bool", "desc": ""},
    {"name": "p.text", "type": "string", "desc": ""},
    {"name": "p.other", "type": "string", "desc": ""},
    {"name": "p.ip", "type": "ipaddr", "desc": ""},
    {"name": "p.net", "type": "ipnet", "desc": ""},
    {"name": "p.list", "type": "string", "isList": True, "desc": ""},
    {"name": "p.nums", "type": "uint64", "isList": True, "desc": ""},
]
CONDITIONS = [
    "p.num in (1, 2, 3) and not p.on = true or p.num > 30 and p.nums intersects (4, 5)",
    "p.text contains ab or p.text startswith a and p.text endswith 0 or p.text = abc",
    "p.text in (a, b, cd) or p.other glob '*a?b*' or p.text pmatch (/a, /b/c)",
    "tolower(p.text) = val(p.other) or len(p.list) > 1 and len(p.text) = len(p.other)",
    "p.list in (a, b, c) or p.list intersects (d, e) or basename(p.text) icontains AB",
    "p.ip = 10.0.0.1 or p.net in (10.0.0.0/8, '::1/64') or p.text iglob 'A*'",
    " or ".join(f"p.text = {c}" for c in "abcdefghi") + " or toupper(p.text) = AB",
]


@pytest.mark.sanitizer
@pytest.mark.parametrize("number", range(len(CONDITIONS)))
def test_programs_with_changed_bytes_are_refused_or_run(tmp_path, number):
    conditions = compile_conditions([CONDITIONS[number]], FIELDS)
    columns = {
        field["name"]: PackedColumn(i, field["type"], bool(field.get("isList")))
        for i, field in enumerate(FIELDS)
    }
    program = tmp_path / "program"
    program.write_bytes(pack(conditions.plan, columns))
    assert 50 < int(run(build("fuzz_packed", *SANITIZERS), program, "3000")) < 3000


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
