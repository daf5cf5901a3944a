"""Where notebooks and sample plugins are: in the clone, or inside the package."""

from __future__ import annotations

from pathlib import Path

__all__ = ["include_dir", "notebooks_dir", "sample_plugins_dir"]

_PACKAGE = Path(__file__).resolve().parent


def _shared(name: str) -> Path:
    clone = _PACKAGE.parent / name
    if (_PACKAGE.parent / "pyproject.toml").exists() and clone.is_dir():
        return clone
    return _PACKAGE / "_share" / name


def notebooks_dir() -> Path:
    """Return the folder of the notebooks."""
    return _shared("notebooks")


def sample_plugins_dir() -> Path:
    """Return the folder of the sample plugins' sources."""
    return _shared("sample_plugins")


def include_dir() -> Path:
    """Return the folder of the C header and the C++ SDK header, for ``-I``."""
    return _PACKAGE / "authoring" / "include"
