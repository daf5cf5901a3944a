"""The sample plugins, built on demand."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from workbench.errors import WorkbenchError
from workbench.paths import include_dir, sample_plugins_dir

__all__ = ["sample_plugin"]

_TIMEOUT_SEC = 300


def _writable_copy(folder: Path) -> Path:
    """Return the folder itself, or a copy in the user's cache if it is read-only."""
    if os.access(folder, os.W_OK):
        return folder
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    copy = cache / "falco-plugin-workbench" / "sample_plugins" / folder.name
    shutil.copytree(folder, copy, dirs_exist_ok=True)
    return copy


def sample_plugin(name: str) -> Path:
    """Return the library of a sample plugin such as ``weblog``, built if needed.

    Its data lies beside it. A ``sample_plugins`` folder beside the working folder comes
    first, because people change the sources there. Raises WorkbenchError when there is
    no such sample, or no compiler.
    """
    beside = Path.cwd().parent / "sample_plugins"
    home = beside if (beside / name).is_dir() else sample_plugins_dir()
    folder = home / name
    if not (folder / "Makefile").is_file():
        there = sorted(p.parent.name for p in home.glob("*/Makefile"))
        raise WorkbenchError(f"unknown sample {name!r}; choose from {', '.join(there)}")
    folder = _writable_copy(folder)
    make = shutil.which("make")
    library = folder / f"lib{name}.so"
    if make is None:
        if library.exists():
            return library
        raise WorkbenchError("make is not installed (apt-get install make gcc)")
    done = subprocess.run(  # noqa: S603 - no shell
        [make, "-C", str(folder), f"INCLUDE={include_dir()}"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=_TIMEOUT_SEC,
    )
    if done.returncode or not library.exists():
        said = (done.stderr or done.stdout).strip()[-2000:]
        raise WorkbenchError(f"the sample {name} does not build:\n{said}")
    return library.resolve()
