"""Numbers that plugins see: never the same for two events in the life of a session.

Plugins may keep what they parsed under an event's number (official Go plugins do). So
every capture and every extraction of stored events gets a block of numbers of its own;
events extracted again in the session that captured them get the numbers of then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

__all__ = ["Numbering"]

_BLOCK_BITS = 40


class Numbering:
    """Hands out blocks of event numbers; the first capture counts from 1."""

    def __init__(self) -> None:
        """Start with nothing handed out."""
        self._blocks = 0
        self._texts = False

    def fresh(self) -> int:
        """Return what to add to the numbers of a new capture or extraction."""
        base = (self._blocks << _BLOCK_BITS) % 2**64
        self._blocks += 1
        return base

    def options(self, number_base: int | None) -> dict[str, Any]:
        """Return the options of an extraction.

        ``number_base``: of the capture that the events come from, when this session
        made it; their own numbers are then added to it. None for a block of its own.
        """
        if number_base is None or self._texts:
            return {"number_base": self.fresh(), "own_numbers": False}
        return {"number_base": number_base, "own_numbers": True}

    def text_options(self) -> dict[str, Any]:
        """Return the options of asking for texts of stored events.

        Some plugins parse an event for its text and leave the number of the event
        before on it: from then on no number is safe to be seen again.
        """
        self._texts = True
        return self.options(None)
