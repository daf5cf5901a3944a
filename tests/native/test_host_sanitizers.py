"""The host and the pump under AddressSanitizer and UBSan, with plugins that misbehave."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.support.compiled import CompileError, compiled

ROOT = Path(__file__).resolve().parents[2]
NATIVE = ROOT / "workbench" / "native" / "src"
ROOMS = ("common", "tables", "host", "live", "pump")
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
    library = plugin("probe")
    done = subprocess.run(
        [str(runner), str(library), config, params, str(flags), str(limit)],
        capture_output=True,
        text=True,
        env={
            **os.environ,
            "ASAN_OPTIONS": "detect_leaks=1:detect_stack_use_after_return=1",
        },
    )
    assert done.returncode == 0, done.stderr
    assert expected in done.stdout
    assert done.stdout.endswith("live 0\n")
    assert done.stderr == ""
