"""C and C++ programs of the tests, compiled once for all test processes and runs.

A result is kept under ``build/`` of the clone, in a folder named by the hash of all that
it is made of: compiler, flags, sources with the headers they include. It is shared:
copy it before changing it.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
import time
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / "build" / "tests"
_KEPT_SEC = 7 * 24 * 3600


class CompileError(AssertionError):
    """The compiler refused, or had something to say."""


@cache
def compiled(
    name: str,
    *words: str | Path,
    libraries: tuple[str, ...] = (),
    compiler: str | None = None,
    folder: Path = CACHE,
) -> Path:
    """Return the path of what a compiler makes of sources and flags, called ``name``.

    ``words``: sources as paths, flags as texts, in the order of the command line; what
    is linked goes into ``libraries``. The compiler is CC unless one is named. Raise
    CompileError with its words if it has any, warnings too.
    """
    command = [compiler or c_compiler(), *map(str, words)]
    key = _key(name, command, libraries)
    made = folder / key / name
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{key}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            _compile(command, libraries, made)
            _forget_the_unused(folder)
        os.utime(made.parent)
    return made


def c_compiler() -> str:
    """Return the C compiler of the tests: CC, else cc or gcc."""
    return os.environ.get("CC") or shutil.which("cc") or "gcc"


def make_sample(folder: Path, *words: str) -> str:
    """Run make in the folder of a sample plugin, one test process at a time.

    Return what it complains of. Raise CompileError with what it says if it fails.
    """
    with (folder / "Makefile").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = subprocess.run(
            ["make", "-C", str(folder), *words], capture_output=True, text=True
        )
    if done.returncode:
        raise CompileError(done.stdout + done.stderr)
    return done.stderr


@cache
def _version(compiler: str) -> bytes:
    found = shutil.which(compiler) or compiler
    told = subprocess.run([found, "--version"], capture_output=True, check=True)
    return os.fsencode(os.path.realpath(found)) + b"\0" + told.stdout


def _key(name: str, command: list[str], libraries: tuple[str, ...]) -> str:
    """Return the hash of all that a result depends on.

    The preprocessed text holds the sources and every header, as the flags choose them.
    """
    asked = subprocess.run([*command, "-E"], capture_output=True)
    if asked.returncode:
        raise CompileError(asked.stderr.decode(errors="replace"))
    whole = hashlib.sha256(_version(command[0]))
    for part in (name, *command, *libraries):
        whole.update(os.fsencode(part) + b"\0")
    whole.update(asked.stdout)
    return whole.hexdigest()[:32]


def _compile(command: list[str], libraries: tuple[str, ...], made: Path) -> None:
    """Compile beside the cache's folder, then move it in at once."""
    with tempfile.TemporaryDirectory(dir=made.parent.parent) as scratch:
        fresh = Path(scratch) / "made"
        fresh.mkdir()
        done = subprocess.run(
            [*command, "-o", str(fresh / made.name), *libraries],
            capture_output=True,
            text=True,
        )
        if done.returncode or done.stderr:
            raise CompileError(done.stderr)
        fresh.rename(made.parent)


def _forget_the_unused(folder: Path) -> None:
    """Remove what no test asked for in the last week: the sources have changed."""
    for made in folder.iterdir():
        if made.is_dir() and time.time() - made.stat().st_mtime > _KEPT_SEC:
            shutil.rmtree(made, ignore_errors=True)
