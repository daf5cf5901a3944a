"""What a worker sends → the record batches that a capture gives.

Columns of ``evt.*`` are made here, and the rows left out that only might have matched.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from workbench.events.builtin_columns import (
    BuiltinContext,
    async_flags,
    builtin_column,
    fallback_info,
    first_time,
    host_name,
    payloads,
)
from workbench.fields.builtin import BUILTIN_FIELDS
from workbench.plugins.selection import PAYLOAD

if TYPE_CHECKING:
    from collections.abc import Iterable

    from workbench.plugins.filtering import EventFilter
    from workbench.plugins.selection import Selection
    from workbench.session.types import Chunk

__all__ = ["BY_KIND", "CaptureRows"]

# Generic fields that differ between a plugin's own events and asynchronous ones.
BY_KIND = frozenset(
    {"evt.is_async", "evt.asynctype", "evt.pluginname", "evt.plugininfo"}
)


class CaptureRows:
    """Makes the rows of one capture; ``first_ns``: time of its first event, or None."""

    def __init__(
        self,
        wanted: Selection,
        where: EventFilter | None,
        plugin: str,
        source: str,
        *,
        keep_raw: bool,
    ) -> None:
        """Make the columns of ``wanted`` for events that match ``where``, if any."""
        self._wanted = wanted
        self._filter = where
        self._plugin = plugin
        self._source = source
        self._keep = keep_raw
        self._hostname = host_name()
        self.first_ns: int | None = None

    def rows(self, chunk: Chunk) -> pa.RecordBatch | None:
        """Return a chunk's rows with every column asked for, in the order asked for."""
        batch = chunk.batch
        if self._filter is not None and chunk.first_ns:
            self.first_ns = chunk.first_ns
        if batch is None or not batch.num_rows:
            return None
        if self.first_ns is None:
            self.first_ns = first_time(pa.Table.from_batches([batch]))
        if self._filter is not None and self._filter.decides:
            batch = self._matching(batch, self._filter)
            if not batch.num_rows:
                return None
        names = ["evt.num", "evt.rawtime", "evt.source"]
        names += [c for c in self._wanted.columns if c not in names]
        if not self._wanted.generic:
            return batch.select([*names, *(["raw"] if self._keep else [])])
        table = pa.Table.from_batches([batch])
        columns = {n: self._column(n, batch, table) for n in names}
        if self._keep:
            columns["raw"] = batch.column("raw")
        return pa.RecordBatch.from_pydict(columns)

    def with_columns(
        self, batch: pa.RecordBatch, names: Iterable[str]
    ) -> pa.RecordBatch:
        """Return ``batch`` with ``evt.*`` columns that follow from what it has."""
        table = pa.Table.from_batches([batch])
        for name in names:
            there = name in BY_KIND or name in batch.schema.names
            if name in BUILTIN_FIELDS and not there:
                batch = batch.append_column(name, self._column(name, batch, table))
        return batch

    def _matching(self, batch: pa.RecordBatch, where: EventFilter) -> pa.RecordBatch:
        """Return the rows that match; the worker sends some that only may."""
        table = pa.Table.from_batches([batch])
        names = where.columns
        found = where.matching(
            pa.table([self._column(n, batch, table) for n in names], names=names)
            if names
            else table
        )
        return batch if found.true_count == batch.num_rows else batch.filter(found)

    def _column(self, name: str, batch: pa.RecordBatch, table: pa.Table) -> pa.Array:
        if name == "evt.plugininfo":
            return _info_column(batch)
        if name in batch.schema.names:
            return batch.column(name)
        context = BuiltinContext(
            self._source,
            self.first_ns or 0,
            self._plugin,
            self._hostname,
            lambda *_: None,
        )
        made = builtin_column(name, table, context)
        return made.combine_chunks() if isinstance(made, pa.ChunkedArray) else made


def _info_column(batch: pa.RecordBatch) -> pa.Array:
    """Return evt.plugininfo: the plugin's text, else the engine's."""
    import pyarrow.compute as pc

    names = batch.schema.names
    bytes_of = (
        batch.column(PAYLOAD) if PAYLOAD in names else payloads(batch.column("raw"))
    )
    own = fallback_info(bytes_of)
    if "evt.plugininfo" in names:
        given = batch.column("evt.plugininfo").cast(pa.binary())
        given = pc.if_else(pc.equal(pc.binary_length(given), 0), None, given)
        own = pc.coalesce(given, own)
    flags = async_flags(pa.Table.from_batches([batch]))
    return pc.if_else(pa.array(flags), None, own) if flags.any() else own
