"""Replay: whether stored events give the values that the live ones gave.

A field that answers differently is no function of the event: it depends on the time,
on the machine, or on state that parsing the events again does not rebuild.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from workbench.errors import WorkbenchError
from workbench.events.extractor import extractor_of
from workbench.plugins.extraction import PoolExtractor
from workbench.replay.compare import compare_events

if TYPE_CHECKING:
    from workbench.events.events import Events
    from workbench.replay.compare import ReplayReport

__all__ = ["RECORDED", "REPLAYED_TWICE", "check_replay"]


class _Fresh:
    """Stands for a plugin, but answers from plugins that have seen no event yet."""

    def __init__(self, plugin: Any) -> None:
        extractor = getattr(plugin, "extractor", None)
        self.extractor = extractor
        if isinstance(extractor, PoolExtractor):
            self.extractor = replace(extractor, dedicated=True)


RECORDED = ("recorded", "replayed")
REPLAYED_TWICE = ("first replay", "second replay")


def check_replay(
    events: Events,
    *plugins: Any,
    first: int = 5,
    labels: tuple[str, str] | None = None,
) -> ReplayReport:
    """Extract every captured field again, in dedicated plugin states, and compare.

    ``events``: with stored events, from a capture or a file. ``plugins``: Plugin or
    Workbench objects, in registration order. Fields that were not captured, as in a
    ``.scap`` file, are extracted twice, and the two replays compared. ``first``: how
    many differing events to name per field. ``labels``: names of the two sides.

    Raises WorkbenchError when the events were not kept or no plugin has fields.
    """
    if not events.keeps_raw:
        raise WorkbenchError(
            "the events were not kept, so they cannot be replayed; "
            "capture them with keep_events=True"
        )
    extractor = extractor_of([_Fresh(p) for p in plugins])
    declared = extractor.fields_of(events.source)
    table = events.table
    captured = [n for n in table.column_names if n.partition("[")[0] in declared]
    texts = captured or [
        name for name, info in declared.items() if not (info.arg and info.arg.required)
    ]
    if not texts:
        raise WorkbenchError(
            f"no plugin given here has fields for events of {events.source!r}"
        )

    def replayed() -> pa.Table:
        columns = extractor.extract_columns(
            table["raw"], table["evt.num"], events.source, texts
        )
        return pa.table({"evt.num": table["evt.num"], **columns})

    left = table.select(["evt.num", *texts]) if captured else replayed()
    sides = labels or (RECORDED if captured else REPLAYED_TWICE)
    return compare_events(left, replayed(), first=first, labels=sides)
