"""Packed programs with changed bytes, under the sanitizers."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.support.compiled import compiled
from workbench.condition import compile_conditions
from workbench.condition.execution.packing import PackedColumn, pack

HERE = Path(__file__).resolve().parent
SRC = HERE.parents[1] / "workbench" / "native" / "src"
FLAGS = (
    *("-O1", "-g", "-std=gnu11", "-Wall", "-Wextra", "-Werror", f"-I{SRC}"),
    *("-fsanitize=address,undefined", "-fno-sanitize-recover=all"),
    # Arrow promises aligned buffers of numbers, not of offsets into them.
    "-fno-sanitize=alignment",
)

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
    sources = (HERE / "fuzz_packed.c", *sorted((SRC / "kernel").glob("*.c")))
    done = subprocess.run(
        [str(compiled("fuzz_packed", *FLAGS, *sources)), str(program), "3000"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert 50 < int(done.stdout) < 3000
