"""Asking plugins about stored events: further fields, and one-line texts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa

from workbench.field_refs import resolve_column
from workbench.fields import FieldTable
from workbench.registration import fields_of, source_name
from workbench.requests import select_columns
from workbench.tables import column_type, join_batches

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from workbench.event_columns import Feeder
    from workbench.roster import Roster

__all__ = ["JointFeeder", "RosterFeeder", "feeder_of"]


class RosterFeeder:
    """Feeds stored events to the plugins of one roster, in stream order."""

    def __init__(self, roster: Roster) -> None:
        """Ask the plugins of ``roster``, which may restart when one crashed."""
        self.roster = roster

    def fields_of(self, source: str) -> FieldTable:
        """Give the fields usable for events of ``source``."""
        return fields_of([m.manifest for m in self.roster.members], source)[0]

    def extract_columns(
        self,
        raw: pa.ChunkedArray,
        numbers: pa.ChunkedArray,
        source: str,
        texts: Sequence[str],
    ) -> dict[str, pa.ChunkedArray]:
        """Feed stored events again; give the columns by name, one row per event.

        Raises ConditionError for unknown fields, and what plugins end with.
        """
        manifests = [m.manifest for m in self.roster.members]
        table, _ = fields_of(manifests, source)
        resolved = [resolve_column(text, table) for text in texts]
        selection = select_columns(resolved, manifests, source)
        batches = []
        with self.roster.borrow() as seat:
            for events, numbered in _pairs(raw, numbers):
                with seat.calling() as session:
                    batch = session.extract(
                        events, numbered, source, seat.numbered(selection.requests)
                    )
                batches.append(batch.select(list(selection.columns)))
        schema = pa.schema([(r.column, column_type(r.info)) for r in resolved])
        joined = join_batches(batches, schema)
        return {name: joined.column(name) for name in selection.columns}

    def event_strings(
        self, raw: pa.ChunkedArray, numbers: pa.ChunkedArray, source: str
    ) -> pa.ChunkedArray | None:
        """Give the plugin's text per event (null: none), None without a plugin."""
        for member in self.roster.members:
            manifest = member.manifest
            if "sourcing" in manifest.capabilities and source_name(manifest) == source:
                break
        else:
            return None
        with self.roster.borrow() as seat:
            chunks = []
            for events, numbered in _pairs(raw, numbers):
                with seat.calling() as session:
                    chunks.append(
                        session.event_strings(seat.index(member), events, numbered)
                    )
        return pa.chunked_array(chunks, pa.binary() if not chunks else None)


class JointFeeder:
    """Asks several feeders; the first that knows a field answers for it."""

    def __init__(self, feeders: Iterable[Feeder]) -> None:
        """Keep ``feeders`` in their order."""
        self.feeders = list(feeders)

    def fields_of(self, source: str) -> FieldTable:
        """Give the fields of all feeders."""
        return FieldTable(
            info for f in self.feeders for info in f.fields_of(source).values()
        )

    def extract_columns(
        self,
        raw: pa.ChunkedArray,
        numbers: pa.ChunkedArray,
        source: str,
        texts: Sequence[str],
    ) -> dict[str, pa.ChunkedArray]:
        """Feed stored events to whoever declares the fields."""
        found: dict[str, pa.ChunkedArray] = {}
        rest = list(texts)
        for number, feeder in enumerate(self.feeders):
            known = feeder.fields_of(source)
            last = number == len(self.feeders) - 1
            mine = [t for t in rest if last or t.partition("[")[0] in known]
            if mine:
                found |= feeder.extract_columns(raw, numbers, source, mine)
                rest = [t for t in rest if t not in mine]
        return found

    def event_strings(
        self, raw: pa.ChunkedArray, numbers: pa.ChunkedArray, source: str
    ) -> pa.ChunkedArray | None:
        """Ask the first feeder that has a plugin for ``source``."""
        for feeder in self.feeders:
            texts = feeder.event_strings(raw, numbers, source)
            if texts is not None:
                return texts
        return None


def feeder_of(plugins: Iterable[Any]) -> Feeder:
    """Give one feeder for Plugin and Workbench objects, in registration order."""
    rosters: list[Roster] = []
    for plugin in plugins:
        roster = getattr(plugin, "roster", None)
        if roster is None:
            kind = type(plugin).__name__
            raise TypeError(f"plugins are Plugin or Workbench objects, not {kind}")
        if roster not in rosters:
            rosters.append(roster)
    if len(rosters) == 1:
        return RosterFeeder(rosters[0])
    return JointFeeder(RosterFeeder(r) for r in rosters)


def _pairs(
    raw: pa.ChunkedArray, numbers: pa.ChunkedArray
) -> Iterable[tuple[pa.Array, pa.Array]]:
    """Give both columns in pieces of the same length."""
    start = 0
    for chunk in raw.chunks:
        part = numbers.slice(start, len(chunk)).combine_chunks()
        if isinstance(part, pa.ChunkedArray):
            part = pa.concat_arrays(part.chunks)
        start += len(chunk)
        if len(chunk):
            yield chunk, part.cast(pa.uint64())
