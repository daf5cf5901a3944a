"""What passes between a plugin written in Python and the code that drives it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["EndOfEvents", "PluginEvent", "PluginInfo"]


class EndOfEvents(Exception):
    """Raised by ``next_batch`` at the end of the stream (``events``: the last ones)."""

    def __init__(self, events: Sequence[bytes | tuple[int, bytes]] = ()) -> None:
        super().__init__("end of events")
        self.events = list(events)


@dataclass(frozen=True, slots=True)
class PluginInfo:
    """What the plugin says about itself.

    ``version``: ``x.y.z``. ``id``: registered plugin ID, 999 for tests, 0 together with
    an empty ``event_source`` for a plugin that only extracts.
    ``extract_event_sources``: further sources to extract from; empty with an empty
    ``event_source`` means any source.
    """

    name: str
    version: str = "0.1.0"
    description: str = ""
    contact: str = ""
    id: int = 0
    event_source: str = ""
    extract_event_sources: tuple[str, ...] = field(default=())


class PluginEvent:
    """One event, as extraction and parsing see it.

    ``number``: event number. ``timestamp``: ns since the epoch. ``data``: payload.
    ``source``: event source.
    """

    __slots__ = ("data", "number", "source", "timestamp")

    def __init__(self, number: int, timestamp: int, data: bytes, source: str) -> None:
        self.number = number
        self.timestamp = timestamp
        self.data = data
        self.source = source

    def __repr__(self) -> str:
        return f"PluginEvent(number={self.number}, data={self.data[:40]!r})"
