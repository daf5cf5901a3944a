"""The host and the pump under AddressSanitizer and UBSan, with plugins that misbehave."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

import workbench as wb
from tests.support.compiled import CompileError, compiled
from workbench.condition import compile_condition
from workbench.condition.execution.packing import PackedColumn, pack

ROOT = Path(__file__).resolve().parents[2]
NATIVE = ROOT / "workbench" / "native" / "src"
ROOMS = ("common", "kernel", "tables", "host", "live", "pump")
# Bits of cdef/pump.h; 32 asks for value offsets too (run_host.c).
PAYLOAD, RAW, INFO, ONE, DICTS, OFFSETS = 1, 2, 4, 8, 16, 32

pytestmark = pytest.mark.sanitizer


@pytest.fixture(scope="module")
def runner():
    try:
        return compiled(
            "run_host",
            *("-O1", "-g", "-std=gnu11", "-fsanitize=address,undefined"),
            *("-fno-sanitize-recover=undefined", "-fno-omit-frame-pointer"),
            f"-I{NATIVE}",
            f"-I{ROOT / 'workbench' / 'authoring' / 'include'}",
            ROOT / "tests" / "native" / "run_host.c",
            *(p for room in ROOMS for p in sorted((NATIVE / room).glob("*.c"))),
            libraries=("-ldl", "-lpthread"),
        )
    except CompileError as error:
        if "cannot find -lasan" in str(error) or "cannot find -lubsan" in str(error):
            pytest.skip("the sanitizers are not installed here")
        raise


@pytest.mark.parametrize(
    ("config", "params", "flags", "limit", "expected"),
    [
        ("", "n=3000", 0, 0, "end 1, events 3000, rows 3000"),
        (
            "",
            "n=3000",
            PAYLOAD | RAW | INFO | DICTS,
            0,
            "end 1, events 3000, rows 3000",
        ),
        ("", "n=3000", ONE | DICTS | OFFSETS, 0, "end 1, events 3000, rows 3000"),
        ("", "n=3000;rc=1", DICTS, 0, "end 4, events 3000, rows 3000"),
        ("", "n=3000;rc=0", 0, 0, "end 5, events 3000, rows 3000"),
        ("", "n=3000;id=5", 0, 0, "end 5, events 0, rows 0"),
        ("", "n=3000;timeouts=3;batch=7", RAW, 0, "end 1, events 3000, rows 3000"),
        ("", "n=3000", RAW, 200, "end 2, events 200, rows 200"),
        ("", "refuse", 0, 0, "end 0, events 0, rows 0"),
        ("refuse", "", 0, 0, "init refused: refused by request"),
    ],
)
def test_no_complaint_and_nothing_left(
    runner, plugin, config, params, flags, limit, expected
):
    said = run(runner, plugin("probe"), config, params, flags, limit)
    assert expected in said


# As run_host.c asks for them: number, time, then the fields without argument.
FIELDS = ["num", "user", "path", "ip", "tags", "even", "when", "age", "net", "nums"]
CONDITIONS = [
    "probe.num < 7",
    "probe.user = alice and probe.num < 21",
    "probe.path contains /2999/ or probe.tags intersects (tag8) and probe.num < 9",
    "probe.nums intersects (11, 12) and probe.even = true",
    "probe.ip = 10.0.0.2 or probe.net in (32.0.0.0/8) and probe.num < 4",
    "len(probe.tags) >= 2 and tolower(probe.user) startswith a and probe.num < 30",
    "not probe.user exists and evt.num < 100",
    "probe.num exists",
    "probe.num > 5000",
]


@pytest.mark.parametrize("order", [0, 1, 2, 3])
@pytest.mark.parametrize("condition", CONDITIONS)
def test_events_left_out_leave_nothing_behind(
    runner, plugin, tmp_path, condition, order
):
    with wb.load(plugin("probe")) as loaded:
        fields = loaded.fields
        wanted = len(loaded.capture("n=3000", progress=False).where(condition))
    columns = {"evt.num": PackedColumn(0, "uint64")}
    for number, name in enumerate(FIELDS, 2):
        field = fields[f"probe.{name}"]
        columns[field.name] = PackedColumn(number, field.type, field.is_list)
    program = tmp_path / "program"
    program.write_bytes(pack(compile_condition(condition, fields).plan, columns))
    for flags in (0, DICTS, PAYLOAD | RAW | INFO | DICTS):
        said = run(
            *(runner, plugin("probe"), "", "n=3000;timeouts=1;batch=100", flags, 0),
            *(program, order),
        )
        assert f"end 1, events 3000, rows {wanted}," in said


def run(runner, library, config, params, flags, limit, *more):
    done = subprocess.run(
        [str(runner), str(library), config, params, *map(str, (flags, limit, *more))],
        capture_output=True,
        text=True,
        env={
            **os.environ,
            "ASAN_OPTIONS": "detect_leaks=1:detect_stack_use_after_return=1",
        },
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("live 0\n")
    assert done.stderr == ""
    return done.stdout
