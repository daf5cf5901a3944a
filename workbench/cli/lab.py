"""``workbench lab``: JupyterLab on the notebooks."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.cli.options import FINE, note
from workbench.errors import WorkbenchError
from workbench.paths import notebooks_dir, sample_plugins_dir

if TYPE_CHECKING:
    import argparse

__all__ = ["add_arguments", "run", "working_folder"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument(
        "--no-browser", action="store_true", help="only print the address"
    )
    parser.add_argument(
        "--folder",
        metavar="DIR",
        help="folder for the copies of the notebooks that an installed package makes "
        "(default: falco-workbench)",
    )


def working_folder(folder: str | None) -> Path:
    """Return the folder to open: the clone's notebooks, or the user's own copy.

    A copy is made once; files that are there are never overwritten.
    """
    source = notebooks_dir()
    if not source.is_dir():
        raise WorkbenchError(
            "this installation has no notebooks; install the package again"
        )
    if "_share" not in source.parts and folder is None:
        return source
    target = Path(folder or "falco-workbench").resolve()
    for origin in (source, sample_plugins_dir()):
        for path in sorted(origin.rglob("*")):
            copy = target / origin.name / path.relative_to(origin)
            if path.is_file() and not copy.exists():
                copy.parent.mkdir(parents=True, exist_ok=True)
                # The content alone: people change the copies of read-only files.
                shutil.copyfile(path, copy)
    return target / source.name


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
