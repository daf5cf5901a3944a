"""Builds official Falco plugins from their public Go modules, once per machine.

``python tests/official/build.py [NAME…]`` prints the libraries' paths; without names it
builds all that go.mod lists. Needs Go and a C compiler, nothing of this project.

go.mod pins the versions and go.sum the contents, also of the one module that is
replaced by a fork: its sum stands in the plugins' own go.sum, and the public checksum
database need not know it. What was built lies in the user's cache under a name that
changes with both files and with the Go version, so that other clones and later runs
find it. No source of the plugins is kept here.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
COMMAND = re.compile(r"^\s+(github\.com/falcosecurity/plugins/plugins/(\w+)/plugin)$")
VERSION = re.compile(r"/plugins/plugins/(\w+) v(\S+)")
# -s -w: no debugging symbols; Go's own tracebacks do without them.
FLAGS = ("-mod=readonly", "-trimpath", "-buildvcs=false", "-ldflags=-s -w")
TIMEOUT_SEC = 1200
UNUSED_DAYS = 30


def commands() -> dict[str, str]:
    """Give plugin name → package to build, as go.mod lists them under ``tool``."""
    lines = (HERE / "go.mod").read_text().splitlines()
    return {m[2]: m[1] for line in lines if (m := COMMAND.match(line))}


def versions() -> dict[str, str]:
    """Give plugin name → version that go.mod requires."""
    return dict(VERSION.findall((HERE / "go.mod").read_text()))


def _run(*command: str) -> str:
    done = subprocess.run(
        command,
        cwd=HERE,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SEC,
    )
    if done.returncode:
        said = (done.stderr or done.stdout).strip()[-4000:]
        raise RuntimeError(f"{' '.join(command)} failed:\n{said}")
    return done.stdout


def cache_dir() -> Path:
    """Give the folder for what these go.mod and go.sum and this Go build."""
    go_facts = _run("go", "env", "GOVERSION", "GOOS", "GOARCH", "GOAMD64", "CC")
    digest = hashlib.sha256(" ".join((*FLAGS, go_facts)).encode())
    for name in ("go.mod", "go.sum"):
        digest.update((HERE / name).read_bytes())
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    builds = Path(home) / "falco-plugin-workbench" / "official_plugins"
    return builds / digest.hexdigest()[:16]


def _drop_unused(builds: Path) -> None:
    """Remove what nobody asked for in a month: each build is 60 MB."""
    for folder in builds.iterdir():
        if time.time() - folder.stat().st_mtime > UNUSED_DAYS * 86_400:
            shutil.rmtree(folder, ignore_errors=True)


def build(name: str, folder: Path | None = None) -> Path:
    """Give the library of a plugin of go.mod, building it if it is not in ``folder``.

    ``folder``: None means that of :func:`cache_dir`. Several processes may ask at once: one builds, the others wait for it. Raises
    RuntimeError with Go's words when it does not build, KeyError for another name.
    """
    package = commands()[name]
    folder = folder or cache_dir()
    folder.mkdir(parents=True, exist_ok=True)
    os.utime(folder)
    library = folder / f"lib{name}.so"
    if library.exists():
        return library
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not library.exists():
            draft = folder / f"lib{name}.part"
            go = ("nice", "-n", "10", "go", "build", *FLAGS, "-buildmode=c-shared")
            _run(*go, "-o", str(draft), package)
            draft.replace(library)
            # Go writes a header beside the library; nobody includes it.
            draft.with_suffix(".h").unlink(missing_ok=True)
            with contextlib.suppress(OSError):
                _drop_unused(folder.parent)
    return library


def main() -> int:
    """Build what the command line names and print the paths."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(commands()))
    names = parser.parse_args().names or sorted(commands())
    unknown = sorted(set(names) - set(commands()))
    if unknown:
        parser.error(f"go.mod lists no {', '.join(unknown)}, only {sorted(commands())}")
    if shutil.which("go") is None:
        print("Go is not installed: no official plugins are built", file=sys.stderr)
        return 1
    for name in names:
        began = time.monotonic()
        try:
            path = build(name)
        except RuntimeError as error:
            print(error, file=sys.stderr)
            return 1
        print(path)
        print(f"{name}: {time.monotonic() - began:.1f} s", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
