"""Calls that failed without ending a capture: told once, and counted for the reprs.

A failed extraction leaves values absent, a failed parse state as it was; the engine
goes on without a word. Texts are the plugin's own and may hold what events hold.
"""

from __future__ import annotations

import contextlib
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from workbench.formatting.printable import printable
from workbench.formatting.units import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from workbench.session.types import CallErrors

__all__ = ["ErrorCounts"]

_MAX_TEXT = 160
# Different errors told on stderr, for all captures of one load.
_MAX_TOLD = 100


class ErrorCounts:
    """What failed so far, by plugin and call; each first error is told on stderr.

    ``told``: shared by those who should not tell the same error twice.
    """

    def __init__(self, told: set[tuple[str, str, str]] | None = None) -> None:
        """Begin without errors."""
        self._told = set() if told is None else told
        self._met: set[tuple[str, str]] = set()
        self._finished: dict[tuple[str, str], CallErrors] = {}
        self._running: dict[tuple[str, str], CallErrors] = {}

    def update(self, errors: Iterable[CallErrors], names: Mapping[int, str]) -> None:
        """Take the counts of the capture that runs, in place of its earlier ones.

        ``names``: number in the session → name of the plugin.
        """
        self._running = {(names.get(e.plugin, ""), e.call): e for e in errors}
        for (plugin, call), error in self._running.items():
            if (plugin, call) in self._met:
                continue
            self._met.add((plugin, call))
            key = (plugin, call, error.text)
            if key not in self._told and len(self._told) < _MAX_TOLD:
                self._told.add(key)
                _tell(plugin, error)

    def finish(self) -> None:
        """Add what runs to what is done: the next counts begin at nothing."""
        self._finished = self._all()
        self._running = {}

    def _all(self) -> dict[tuple[str, str], CallErrors]:
        found = dict(self._finished)
        for key, error in self._running.items():
            first = found.get(key, error)
            before = found[key].events if key in found else 0
            found[key] = replace(first, events=before + error.events)
        return found

    def notes(self, owner: str = "") -> tuple[str, ...]:
        """Return one line per plugin and call; ``owner``: a plugin not to name."""
        return tuple(
            _note("" if plugin == owner else plugin, error)
            for (plugin, _), error in self._all().items()
        )


def _note(plugin: str, error: CallErrors) -> str:
    where = f" of {printable(plugin, limit=80)}" if plugin else ""
    text = printable(error.text, limit=_MAX_TEXT) or "the plugin gave no reason"
    return f"{counted(error.events, 'error')} in {error.call}{where}, first: {text}"


def _tell(plugin: str, error: CallErrors) -> None:
    text = printable(error.text, limit=_MAX_TEXT) or "the plugin gave no reason"
    line = (
        f"plugin {printable(plugin, limit=80)}: error in {error.call} at event "
        f"{error.first}: {text}; further ones are counted, plugin.log has what it said"
    )
    # whoever runs this may have closed its stderr
    with contextlib.suppress(OSError, ValueError, AttributeError):
        sys.stderr.write(line + "\n")
        sys.stderr.flush()
