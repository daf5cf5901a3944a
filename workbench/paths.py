"""Where things lie: notebooks and samples, the user's own files, Falco's plugins."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = [
    "FALCO_PLUGIN_DIR",
    "include_dir",
    "notebooks_dir",
    "sample_plugins_dir",
    "user_cache_dir",
    "user_data_dir",
]

# Where Falco's packages and falcoctl put plugins.
FALCO_PLUGIN_DIR = "/usr/share/falco/plugins"

_PACKAGE = Path(__file__).resolve().parent
_OURS = "falco-plugin-workbench"


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


def _user_dir(variable: str, default: str) -> Path | None:
    named = os.environ.get(variable, "")
    if os.path.isabs(named):  # noqa: PTH117 - "" is no path; relative ones do not count
        return Path(named) / _OURS
    # not Path.home(): a user without a home folder is no error here
    home = os.path.expanduser("~")  # noqa: PTH111
    return Path(home) / default / _OURS if os.path.isabs(home) else None  # noqa: PTH117


def user_data_dir() -> Path | None:
    """Return the folder for what the user installed; None for a user without a home.

    It may not exist yet. ``XDG_DATA_HOME`` moves it.
    """
    return _user_dir("XDG_DATA_HOME", ".local/share")


def user_cache_dir() -> Path | None:
    """Return the folder for what can be fetched again; None as user_data_dir does.

    It may not exist yet. ``XDG_CACHE_HOME`` moves it.
    """
    return _user_dir("XDG_CACHE_HOME", ".cache")
