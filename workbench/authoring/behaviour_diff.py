"""Compare what two builds extract from the same events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa

from workbench.authoring.check.feeding import (
    Feeding,
    compare_columns,
    field_texts,
    stored_events,
)
from workbench.authoring.diff import Change
from workbench.errors import WorkbenchError
from workbench.plugins.plugin import load

if TYPE_CHECKING:
    from collections.abc import Mapping

    from workbench.authoring.diff import PluginDiff

__all__ = ["compare_behaviour"]

MAX_EVENTS = 20_000
_TIMEOUT_SEC = 10.0


def compare_behaviour(
    diff: PluginDiff,
    old_path: str,
    new_path: str,
    *,
    config: Any = None,
    params: str | None = None,
    events: str | None = None,
    options: Mapping[str, Any] | None = None,
) -> None:
    """Add to ``diff`` the fields whose values differ on the same events.

    ``params``: open params to stream from the old build with. ``events``: or a stored
    file. ``options``: further keywords of ``load``.
    Raises WorkbenchError when there are no events to compare on.
    """
    keywords = {"config": config, **(options or {})}
    with load(old_path, **keywords) as old, load(new_path, **keywords) as new:
        if events:
            from workbench.events.opening import open_events

            stored = open_events(events)
        else:
            stored = old.capture(
                params or "",
                max_events=MAX_EVENTS,
                timeout_sec=_TIMEOUT_SEC,
                progress=False,
            )
        if not stored.keeps_raw or not len(stored):
            raise WorkbenchError("there are no stored events to compare the builds on")
        raw = stored_events(stored)
        both = set(field_texts(new.info))
        texts = [text for text in field_texts(old.info) if text in both]
        tables = [pa.table(Feeding(build).columns(raw, texts)) for build in (old, new)]
        report = compare_columns(tables[0], tables[1])
    for difference in report.differences:
        what = f"other values in {difference.count} of {report.events} events"
        subject = f"field {difference.field}"
        diff.changes.insert(0, Change(subject, what, "major"))
        diff.values += [
            {
                "field": difference.field,
                "evt.num": value.event_number,
                "old": _plain(value.left),
                "new": _plain(value.right),
            }
            for value in difference.first
        ]


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value
