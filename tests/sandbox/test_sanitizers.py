from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent
CORE = HERE.parents[1] / "workbench" / "native" / "src"


@pytest.mark.any_kernel
@pytest.mark.sanitizer
def test_the_guard_reads_anything_without_harm(tmp_path):
    # The guard is all that looks at what a plugin hands to the kernel.
    program = tmp_path / "describe_test"
    sanitizers = "-fsanitize=address,undefined,float-divide-by-zero"
    flags = ["-O1", "-g", sanitizers, "-fno-sanitize-recover=all", f"-I{CORE}"]
    sources = [
        HERE / "describe_test.c",
        *(CORE / "sandbox" / f"{name}.c" for name in ("describe", "rules", "words")),
    ]
    done = subprocess.run(
        ["cc", *flags, "-o", program, *sources], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    done = subprocess.run(
        [program, "50000"], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
