"""Which sources the library beside a sample was built from.

Wheels bring the ``weblog`` sample ready built, so that neither a compiler nor make is
needed for a first look. A digest of its sources lies beside it; once somebody changes
a source, the digest no longer fits, and the sample is built again. The build of a wheel
loads this file by its path: it imports nothing but the standard library.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["PREBUILT", "is_prebuilt", "sample_digest", "sample_sources"]

# The file beside a library that came with the package, with the digest of its sources.
PREBUILT = "prebuilt.sha256"
# What a build leaves in a folder of sources.
_BUILT = {"_build", "target", "__pycache__", ".ipynb_checkpoints"}
_BUILT_SUFFIXES = {".so", ".o", ".a"}


def sample_sources(folder: Path) -> list[Path]:
    """Return the files of a sample, sorted, without what a build left there."""
    return sorted(
        path
        for path in folder.rglob("*")
        if path.is_file()
        and path.name != PREBUILT
        and path.suffix not in _BUILT_SUFFIXES
        and not _BUILT & set(path.relative_to(folder).parts)
    )


def sample_digest(folder: Path, headers: Path) -> str:
    """Return a digest of a sample's sources and of the headers in ``headers``."""
    digest = hashlib.sha256()
    for path in [*sample_sources(folder), *sorted(headers.iterdir())]:
        if path.is_file():
            content = hashlib.sha256(path.read_bytes()).hexdigest()
            digest.update(f"{path.name}\0{content}\0".encode())
    return digest.hexdigest()


def is_prebuilt(folder: Path, headers: Path) -> bool:
    """Whether the library in ``folder`` came with the package and still fits."""
    if not (folder / f"lib{folder.name}.so").is_file():
        return False
    try:
        written = (folder / PREBUILT).read_text("ascii").strip()
    except (OSError, ValueError):
        return False
    return written == sample_digest(folder, headers)
