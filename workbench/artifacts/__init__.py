"""Plugins and rules files that others publish: found by name, fetched from registries.

``pull`` brings artifacts, as falcoctl does, from an OCI registry into the user's folder
(``wb.get``, ``workbench get``); ``lookup`` finds plugins by name there and where else
they lie; ``listing`` says what is where. Everything that comes from an index or a
registry is a stranger's: its size is bounded, its types are checked, and no name in it
decides where a file goes.
"""

from __future__ import annotations

__all__: list[str] = []
