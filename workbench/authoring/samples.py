"""The sample plugins, built on demand."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from workbench.authoring.prebuilt import is_prebuilt, sample_digest, sample_sources
from workbench.errors import WorkbenchError
from workbench.paths import include_dir, sample_plugins_dir

__all__ = ["cached_samples_dir", "sample_plugin"]

_TIMEOUT_SEC = 300


def cached_samples_dir() -> Path:
    """Return the folder in the user's cache for samples built from read-only sources.

    Below it lie folders named by sample and content.
    """
    given = os.environ.get("XDG_CACHE_HOME") or ""
    home = Path(given) if os.path.isabs(given) else Path("~/.cache").expanduser()  # noqa: PTH117
    return home / "falco-plugin-workbench" / "sample_plugins"


def _writable_copy(folder: Path) -> Path:
    """Return the folder itself, or a copy in the user's cache if it is read-only.

    Copies are named by their content: a newer package never meets an older library.
    Raises WorkbenchError when the cache cannot be written either.
    """
    if os.access(folder, os.W_OK):
        return folder
    sources = sample_sources(folder)
    cache = cached_samples_dir()
    copy = cache / f"{folder.name}-{sample_digest(folder, include_dir())[:16]}"
    if copy.is_dir():
        return copy
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as scratch:
            for path in sources:
                target = Path(scratch) / "new" / path.relative_to(folder)
                target.parent.mkdir(parents=True, exist_ok=True)
                # The content alone: a read-only mode would stop the build.
                shutil.copyfile(path, target)
            _move(Path(scratch) / "new", copy)
    except OSError as error:
        raise WorkbenchError(
            f"the samples in {folder.parent} are read-only, and the cache for building "
            f"them, {cache}, cannot be written: {error.strerror}; set XDG_CACHE_HOME "
            "to a folder of yours"
        ) from None
    return copy


def _move(new: Path, copy: Path) -> None:
    """Put a finished copy in place, unless another process was faster."""
    try:
        new.rename(copy)
    except OSError:
        if not copy.is_dir():
            raise


def _newest(folder: Path, name: str) -> Path | None:
    """Return the library with the highest version in its name, if there are several."""
    versions = {}
    for path in folder.glob(f"lib{name}_*.so"):
        numbers = path.stem.removeprefix(f"lib{name}_").split("_")
        if all(n.isdecimal() for n in numbers):
            versions[tuple(map(int, numbers))] = path
    return versions[max(versions)] if versions else None


def sample_plugin(name: str) -> Path:
    """Return the library of a sample plugin such as ``weblog``, built if needed.

    Its data lies beside it. A ``sample_plugins`` folder beside the working folder comes
    first, because people change the sources there. A library that came with the
    package is taken as long as its sources are unchanged. Where the sources are
    read-only, it is built in the user's cache. Of a sample with a library per version,
    such as ``legacy``, the newest; the others lie beside it. Raises WorkbenchError when
    there is no such sample, or no compiler.
    """
    beside = Path.cwd().parent / "sample_plugins"
    home = beside if (beside / name).is_dir() else sample_plugins_dir()
    folder = home / name
    if not (folder / "Makefile").is_file():
        there = sorted(p.parent.name for p in home.glob("*/Makefile"))
        raise WorkbenchError(f"unknown sample {name!r}; choose from {', '.join(there)}")
    if is_prebuilt(folder, include_dir()):
        return (folder / f"lib{name}.so").resolve()
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
    if not library.exists():
        library = _newest(folder, name) or library
    if done.returncode or not library.exists():
        said = (done.stderr or done.stdout).strip()[-2000:]
        raise WorkbenchError(f"the sample {name} does not build:\n{said}")
    return library.resolve()
