"""Plugins written in Python: a class becomes events in a notebook, or a real ``.so``.

From class to library: authors subclass ``model.PythonPlugin``; ``preview`` drives it in
the kernel; ``build`` compiles ``glue.c`` around the author's source text through cffi
embedding; inside the library, ``runtime`` answers the calls. ``values`` holds what
passes between them.
"""

from __future__ import annotations

from workbench.authoring.python.model import PythonPlugin
from workbench.authoring.python.values import EndOfEvents, PluginEvent, PluginInfo

__all__ = ["EndOfEvents", "PluginEvent", "PluginInfo", "PythonPlugin"]
