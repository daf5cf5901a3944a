"""A plugin by its name: the library that is meant, or how to get it."""

from __future__ import annotations

import difflib
from pathlib import Path

from workbench.artifacts.folders import (
    find_plugin,
    libraries,
    plugin_folders,
    plugin_name,
)
from workbench.artifacts.layout import is_name
from workbench.errors import PluginLoadError
from workbench.formatting.printable import printable

__all__ = ["is_plugin_name", "library_named"]

_NEAR = 0.6
_SHOWN = 3


def is_plugin_name(text: str) -> bool:
    """Whether ``text`` is a name to look up: no path, and no suffix."""
    return is_name(text) and "." not in text


def library_named(name: str) -> Path:
    """Return the library called ``name``: the first on the search path.

    A file of that name in the working folder counts when there is none. Raises
    PluginLoadError that says how to get it.
    """
    found = find_plugin(name)
    if found is not None:
        return found
    here = Path(name)
    if here.is_file():
        return here
    shown = printable(name, limit=100)
    searched = ", ".join(str(folder) for folder in plugin_folders())
    raise PluginLoadError(
        f"cannot load plugin {shown}: no lib{shown}.so in {searched} (a file of yours "
        f"is named by a path, such as ./lib{shown}.so); {_advice(name, shown)}",
        path=name,
        complaints=["no plugin of this name"],
    )


def _advice(name: str, shown: str) -> str:
    """Return what to do: load what is there, or fetch what an index knows."""
    from workbench.artifacts.index import known_plugins

    there = {plugin_name(p) for f in plugin_folders() for p in libraries(f)}
    near = difflib.get_close_matches(name, sorted(there), _SHOWN, _NEAR)
    if near:
        return f"did you mean {' or '.join(near)}?"
    known = set(known_plugins())
    if known and name not in known:
        near = difflib.get_close_matches(name, sorted(known), _SHOWN, _NEAR)
        if near:
            return (
                f"did you mean {' or '.join(near)}? "
                f"To get it: workbench get {near[0]}, or wb.get({near[0]!r})"
            )
    return f"to get it: workbench get {shown}, or wb.get({name!r})"
