"""The targets by name, and one run of one of them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.fuzz.cases import MODULES
from tests.support.compiled import ROOT, compiled

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

FOUND = ROOT / "build" / "fuzz"
_SRC = ROOT / "workbench" / "native" / "src"
_SANITIZERS = (
    *("-g", "-O1", "-std=gnu11", "-Wall", "-Wextra", "-Werror", f"-I{_SRC}"),
    *("-fsanitize=address,undefined", "-fno-sanitize-recover=all"),
)
# Arrow promises aligned buffers of numbers, not of offsets into them.
_UNALIGNED = "-fno-sanitize=alignment"
# Target in C → source, folder of what it tests, further flags.
PROGRAMS: dict[str, tuple[str, str, Sequence[str]]] = {
    "kernel": ("fuzz_kernel", "kernel", (_UNALIGNED,)),
    "globs": ("fuzz_glob", "kernel", (_UNALIGNED,)),
    "globs-scanned": ("fuzz_glob", "kernel", (_UNALIGNED, "-DSCAN_ALWAYS=1")),
    "scap": ("fuzz_scap", "scap", ()),
    "addresses": ("fuzz_text", "text", ()),
}
TARGETS = (*PROGRAMS, *MODULES)
# Beyond the time that a run was given: to compile, to start, to end.
_GRACE_SEC = 300


@dataclass(frozen=True)
class Run:
    """What one run of a target did; ``failed``: the case, None for none."""

    cases: int
    inputs: int
    failed: int | None
    output: str


def command(target: str) -> list[str]:
    """Return what runs a target, without rounds, first case and seconds."""
    if target in MODULES:
        return [sys.executable, "-m", "tests.fuzz.cases", target]
    name, folder, flags = PROGRAMS[target]
    program = compiled(
        name,
        *(*_SANITIZERS, *flags),
        ROOT / "tests" / "native" / f"{name}.c",
        *sorted((_SRC / folder).glob("*.c")),
    )
    return [str(program)]


def run(target: str, *, rounds: int = 0, first: int = 0, seconds: int = 0) -> Run:
    """Run cases of a target in processes of its own, from number ``first`` on.

    It ends after ``rounds`` cases or ``seconds`` (0: no limit), or when a case fails.
    """
    words = [*command(target), str(rounds), str(first), str(seconds)]
    done = subprocess.run(
        words,
        capture_output=True,
        text=True,
        errors="replace",
        cwd=ROOT,
        env={**os.environ, "LC_ALL": "C"},
        timeout=seconds + _GRACE_SEC if seconds else None,
    )
    told = re.search(r"(\d+) cases, (\d+) inputs", done.stdout)
    cases, inputs = (int(told[1]), int(told[2])) if told else (0, 0)
    output = done.stdout + done.stderr
    if not done.returncode:
        return Run(cases, inputs, None, output)
    named = re.search(r"failed: case (\d+)", done.stderr)
    failed = int(named[1]) if named else first
    # A program in C counts only what it has come to the end of.
    return Run(cases or failed - first, inputs or failed - first, failed, output)


def keep(target: str, done: Run) -> Path:
    """Save what is known of a failed case; return its folder."""
    folder = FOUND / f"{target}-{done.failed}"
    folder.mkdir(parents=True, exist_ok=True)
    again = f"python -m tests.fuzz {target} --rounds 1 --first {done.failed}\n"
    (folder / "report.txt").write_text(again + done.output, "utf-8")
    if target in MODULES:
        words = [sys.executable, "-m", "tests.fuzz.cases", "--input", target]
        words += [str(done.failed), str(folder / "input")]
        subprocess.run(words, cwd=ROOT, check=False, capture_output=True)
    return folder


def for_a_moment(target: str) -> None:
    """Run a target as the environment says; raise AssertionError for what it finds."""
    seconds = int(os.environ.get("FUZZ_SECONDS", "3"))
    done = run(target, first=int(os.environ.get("FUZZ_FIRST", "0")), seconds=seconds)
    if done.failed is not None:
        raise AssertionError(f"kept in {keep(target, done)}\n{done.output[-8000:]}")
    assert done.inputs > 0, done.output
