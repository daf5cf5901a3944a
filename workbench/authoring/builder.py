"""Build plugin projects and notebook cells; compiler output becomes diagnostics."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.authoring.languages import language_of, require_tool
from workbench.diagnostics import Diagnostic, render_diagnostics
from workbench.errors import WorkbenchError

if TYPE_CHECKING:
    from workbench.diagnostics import Severity

__all__ = ["BuildError", "BuildResult", "build_project", "compiler_diagnostics"]

_BUILD_TIMEOUT_SEC = 900
# gcc, clang and Go: file:line:column: severity: text (Go leaves the severity out).
_UNIX = re.compile(
    r"^(?P<file>[^\s:][^:\n]*):(?P<line>\d+):(?:(?P<column>\d+):)? "
    r"(?:(?P<kind>fatal error|error|warning|note): )?(?P<text>.+)$"
)
# rustc: the text first, the location on the next line.
_RUST = re.compile(r"^(?P<kind>error|warning)(?:\[(?P<code>\w+)\])?: (?P<text>.+)$")
_RUST_LOCATION = re.compile(r"^\s*--> (?P<file>[^:]+):(?P<line>\d+):(?P<column>\d+)$")
# Python: the innermost frame in the author's file comes last.
_PYTHON = re.compile(r'^\s*File "(?P<file>[^"]+)", line (?P<line>\d+)')


class BuildError(WorkbenchError):
    """Raised for a plugin that does not build.

    ``diagnostics``: list of Diagnostic at the lines that the compiler names.
    ``output``: all that the build printed.
    """

    diagnostics: list[Diagnostic]
    output: str
    _facts = ("diagnostics", "output")


@dataclass(frozen=True, slots=True)
class BuildResult:
    """``library``: the plugin; ``diagnostics``: warnings; ``output``: all printed."""

    library: Path
    diagnostics: list[Diagnostic] = field(default_factory=list)
    output: str = ""


def build_project(directory: str | Path) -> BuildResult:
    """Run the Makefile of a plugin project and return the library it made.

    Raises BuildError with the compiler's messages at their lines, WorkbenchError when
    there is nothing to build or a tool is missing.
    """
    folder = Path(directory)
    if not (folder / "Makefile").is_file():
        raise WorkbenchError(
            f"{folder} has no Makefile; make a project with: workbench new {folder} "
            "--language c"
        )
    language = language_of(
        {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}
    )
    if language is not None:
        require_tool(language)
    make = shutil.which("make")
    if make is None:
        raise WorkbenchError("make is not installed (apt-get install make)")
    output = _run([make, "-C", str(folder), f"PYTHON={sys.executable}"], folder)
    libraries = sorted(folder.glob("*.so"), key=lambda p: p.stat().st_mtime)
    if not libraries:
        raise WorkbenchError(
            f"make did not build a .so file in {folder}:\n{output[-2000:]}"
        )
    return BuildResult(libraries[-1], compiler_diagnostics(output, folder), output)


def _environment() -> dict[str, str]:
    """Return an environment that has this package and compilers that speak English."""
    root = str(Path(__file__).resolve().parents[2])
    paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "LC_ALL": "C.UTF-8", "PYTHONPATH": os.pathsep.join(paths)}


def _run(command: list[str], folder: Path) -> str:
    try:
        done = subprocess.run(  # noqa: S603 - no shell
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
            timeout=_BUILD_TIMEOUT_SEC,
            env=_environment(),
        )
    except subprocess.TimeoutExpired as error:
        raise WorkbenchError(
            f"building {folder} took more than {_BUILD_TIMEOUT_SEC} s and was stopped"
        ) from error
    output = done.stdout.decode("utf-8", "replace")
    if done.returncode:
        found = compiler_diagnostics(output, folder)
        errors = [d for d in found if d.severity == "error"]
        detail = render_diagnostics(errors[:10]) or output[-2000:].strip()
        raise BuildError(
            f"{folder} does not build:\n{detail}", diagnostics=found, output=output
        )
    return output


def compiler_diagnostics(output: str, folder: Path | None = None) -> list[Diagnostic]:
    """Read the messages of C, C++, Go, Rust and Python out of a build's output.

    ``folder``: file names are given relative to it.
    """
    found: list[Diagnostic] = []
    pending: re.Match[str] | None = None
    frame: re.Match[str] | None = None
    for line in output.splitlines():
        if match := _RUST_LOCATION.match(line):
            if pending is not None:
                found.append(_diagnostic(pending, match, folder))
                pending = None
        elif match := _RUST.match(line):
            pending = match
        elif match := _PYTHON.match(line):
            frame = match
        elif match := _UNIX.match(line):
            if match["kind"] != "note" and not match["file"].startswith("make"):
                found.append(_diagnostic(match, match, folder))
        elif frame is not None and re.match(r"^\w*(Error|Exception)\b", line):
            found.append(
                Diagnostic(
                    "error",
                    "COMPILER",
                    line.strip(),
                    file=_relative(frame["file"], folder),
                    line=int(frame["line"]),
                )
            )
            frame = None
    return found


def _diagnostic(
    message: re.Match[str], location: re.Match[str], folder: Path | None
) -> Diagnostic:
    kind: Severity = "warning" if message["kind"] == "warning" else "error"
    return Diagnostic(
        kind,
        "COMPILER",
        message["text"].strip(),
        file=_relative(location["file"], folder),
        line=int(location["line"]),
        column=int(location["column"]) if location["column"] else None,
    )


def _relative(name: str, folder: Path | None) -> str:
    if folder is not None:
        root = str(folder.resolve()) + os.sep
        name = name.removeprefix(root)
    return name.removeprefix("./")
