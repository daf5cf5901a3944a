"""Where plugins lie: what is searched for a name, and what ``workbench get`` fills.

1. the folders of ``WORKBENCH_PLUGIN_PATH``, separated by colons;
2. the user's own, which ``workbench get`` fills;
3. Falco's, which Falco's packages and falcoctl fill.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from workbench.paths import FALCO_PLUGIN_DIR, user_data_dir

__all__ = [
    "SEARCH_PATH",
    "find_plugin",
    "libraries",
    "plugin_folders",
    "plugin_name",
    "user_plugins",
]

SEARCH_PATH: Final = "WORKBENCH_PLUGIN_PATH"
# Libraries of one folder that are looked at.
_MAX_LIBRARIES: Final = 1000


def user_plugins() -> Path | None:
    """Return the user's plugin folder; None for a user without a home."""
    root = user_data_dir()
    return None if root is None else root / "plugins"


def plugin_folders() -> list[Path]:
    """Return the folders to search, in order, each once; they may not exist."""
    named = os.environ.get(SEARCH_PATH, "").split(":")
    folders = [Path(text).expanduser().absolute() for text in named if text]
    own = user_plugins()
    if own is not None:
        folders.append(own)
    folders.append(Path(FALCO_PLUGIN_DIR))
    return list(dict.fromkeys(folders))


def _candidates(name: str) -> tuple[str, str]:
    return f"lib{name}.so", f"{name}.so"


def find_plugin(name: str) -> Path | None:
    """Return the library called ``name``: the first on the search path, or None.

    What ``workbench get`` installed under that name counts when its library is called
    otherwise.
    """
    for folder in plugin_folders():
        for candidate in _candidates(name):
            path = folder / candidate
            if path.is_file():
                return path
    from workbench.artifacts.records import read_record

    record = read_record(name)
    if record is not None and record.kind == "plugin" and record.main.is_file():
        return record.main
    return None


def plugin_name(library: Path) -> str:
    """Return the name that finds a library on the search path."""
    return library.name.removesuffix(".so").removeprefix("lib")


def libraries(folder: Path) -> list[Path]:
    """Return the libraries of a folder, by name; [] when it cannot be read."""
    try:
        found = [
            path
            for path in folder.iterdir()
            if path.suffix == ".so" and not path.name.startswith(".")
        ]
    except OSError:
        return []
    return sorted(p for p in found if p.is_file())[:_MAX_LIBRARIES]
