"""Plugins written in Python: a class becomes events in a notebook, or a real ``.so``.

The road from class to library: ``model.PythonPlugin`` is what authors subclass;
``preview`` drives it in the kernel; ``build`` compiles ``glue.c`` around the author's
source text through cffi embedding; inside the library, ``runtime`` answers the calls.
"""

from __future__ import annotations

from workbench.authoring.python.model import (
    EndOfEvents,
    PluginEvent,
    PluginInfo,
    PythonPlugin,
)

__all__ = ["EndOfEvents", "PluginEvent", "PluginInfo", "PythonPlugin"]
