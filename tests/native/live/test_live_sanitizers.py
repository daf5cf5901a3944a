from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.support.compiled import compiled

ROOT = Path(__file__).resolve().parents[3]
SRC = ROOT / "workbench" / "native" / "src"
HERE = Path(__file__).resolve().parent
# What the plugin does beside its events → how many of these.
MODES = {
    "kinds": 5,
    "threads": 40,
    "flood": 3,
    "stubborn": 40,
    "late": 5,
    "routine": 40,
    "tables": 5,
}


@pytest.mark.sanitizer
@pytest.mark.parametrize("sanitizers", ["address,undefined", "thread"])
def test_threads_of_plugins_and_the_pump_share_nothing_unguarded(
    compile_busy, sanitizers
):
    flags = (f"-fsanitize={sanitizers}", "-fno-sanitize-recover=all")
    library = compile_busy(*flags)
    rooms = ("common", "tables", "host", "live", "kernel", "pump")
    program = compiled(
        "live_test",
        *("-g", "-O1", "-std=gnu11", *flags, f"-I{SRC}", HERE / "live_test.c"),
        *(p for room in rooms for p in sorted((SRC / room).glob("*.c"))),
        libraries=("-lpthread", "-ldl"),
    )
    for mode, events in MODES.items():
        done = subprocess.run(
            [str(program), str(library), mode, str(events)],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            env={**os.environ, "TSAN_OPTIONS": "halt_on_error=1"},
        )
        assert done.returncode == 0, mode + done.stdout + done.stderr
        assert done.stdout.endswith("ok\n")
