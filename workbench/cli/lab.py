"""``workbench lab``: JupyterLab on the notebooks."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.cli.options import FINE, note
from workbench.errors import WorkbenchError
from workbench.paths import notebooks_dir, sample_plugins_dir, user_data_dir
from workbench.saving import file_errors, replacing

if TYPE_CHECKING:
    import argparse

__all__ = ["add_arguments", "run", "working_folder"]

_LEFT_THERE = {"_build", "target", "__pycache__", ".ipynb_checkpoints"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument(
        "--no-browser", action="store_true", help="only print the address"
    )
    parser.add_argument(
        "--folder",
        metavar="DIR",
        help="folder for your copies of notebooks and samples (default: "
        "falco-workbench; in a clone: one in your own data folder)",
    )


def working_folder(folder: str | None) -> Path:
    """Return the folder to open: the user's own copy of the notebooks.

    The originals stay as they are, in a clone too. A copy is made once; files that are
    there are never overwritten. Raises WorkbenchError when it cannot be written.
    """
    source = notebooks_dir()
    if not source.is_dir():
        raise WorkbenchError(
            "this installation has no notebooks; install the package again"
        )
    target = (Path(folder) if folder else _own_folder(source)).resolve()
    for origin in (source, sample_plugins_dir()):
        for path in _originals(origin):
            copy = target / origin.name / path.relative_to(origin)
            if not copy.exists():
                with file_errors(copy, "write"):
                    copy.parent.mkdir(parents=True, exist_ok=True)
                    with replacing(copy) as draft:
                        shutil.copyfile(path, draft)
                    # make compares times; a library is not older than its sources
                    facts = path.stat()
                    os.utime(copy, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    return target / source.name


def _own_folder(source: Path) -> Path:
    """Return where copies go by default: never into a clone."""
    if "_share" in source.parts:
        return Path("falco-workbench")
    own = user_data_dir()
    return own / "lab" if own else Path(tempfile.mkdtemp(prefix="falco-workbench-"))


def _originals(folder: Path) -> list[Path]:
    """Return the files of a folder, without what builds and editors left there."""
    return [
        path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not _LEFT_THERE & set(path.relative_to(folder).parts)
    ]


def run(args: argparse.Namespace) -> int:
    """Start JupyterLab and wait for it."""
    if importlib.util.find_spec("jupyterlab") is None:
        raise WorkbenchError(
            "JupyterLab is not installed: pip install 'falco-plugin-workbench[lab]'"
        )
    folder = working_folder(args.folder)
    note(f"notebooks: {folder}")
    command = [sys.executable, "-m", "jupyter", "lab", f"--notebook-dir={folder}"]
    if args.no_browser:
        command.append("--no-browser")
    if os.geteuid() == 0:
        command.append("--allow-root")
    try:
        return subprocess.run(command, check=False).returncode  # noqa: S603 - no shell
    except KeyboardInterrupt:
        return FINE
