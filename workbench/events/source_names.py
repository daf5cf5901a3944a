"""Event sources by plugin ID: what stored events of unknown plugins turn out to be."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from workbench.arrow.rows import take_rows
from workbench.events.columns import source_rows

if TYPE_CHECKING:
    from collections.abc import Iterable

    from workbench.events.origin import Origin

__all__ = ["only_source", "with_sources"]

# A stored event: a header of 26 bytes, of which the last four count the parameters,
# their sizes in four bytes each, then the parameters. The first one is the plugin ID.
_HEADER_BYTES = 26
_PARAMETERS = (2, 3)  # of a plugin's event, of an async event
_ID_BYTES = 4


def only_source(table: pa.Table) -> str:
    """Return the one event source of the rows, "" when there are none or several."""
    names = list(source_rows(table))
    return names[0] if len(names) == 1 else ""


def with_sources(
    table: pa.Table, origin: Origin, plugins: Iterable[Any]
) -> tuple[pa.Table, Origin]:
    """Return both with the event sources that the IDs of ``plugins`` tell.

    Only rows without a source are looked at; a capture file keeps the ID alone.
    """
    names = table.column_names
    if origin.source or "raw" not in names or "evt.source" not in names:
        return table, origin
    column = table.column("evt.source")
    if not column.null_count:
        return table, origin
    makers = {m.id: m for p in plugins for m in p.manifests if m.id and m.event_source}
    numbers = _plugin_ids(table.column("raw"), column.is_null())
    found = {number: makers[number] for number in set(numbers) & set(makers)}
    if not found:
        return table, origin
    named = pa.array(
        [found[n].event_source if n in found else None for n in numbers], pa.utf8()
    )
    filled = pc.coalesce(column.cast(pa.utf8()), pa.chunked_array([named]))
    place = names.index("evt.source")
    table = table.set_column(place, "evt.source", filled.dictionary_encode())
    notes = tuple(
        note
        for note in origin.notes
        if not any(f" carry plugin id {n}, which" in note for n in found)
    )
    source = only_source(table) if not filled.null_count else ""
    origin = replace(origin, notes=notes, source=source)
    if source and origin.plugin is None and len(found) == 1:
        maker = next(iter(found.values()))
        origin = replace(origin, plugin=maker.name, plugin_version=maker.version)
    return table, origin


def _plugin_ids(raw: pa.ChunkedArray, wanted: pa.ChunkedArray) -> list[int]:
    """Return the plugin ID in each stored event; 0 where there is none or unwanted."""
    ids = np.zeros(len(raw), np.int64)
    rows = np.flatnonzero(wanted.to_numpy())
    events = take_rows(raw, pa.array(rows))
    counts = _numbers_at(events, _HEADER_BYTES - _ID_BYTES)
    for count in _PARAMETERS:
        found = _numbers_at(events, _HEADER_BYTES + count * _ID_BYTES)
        ids[rows] = np.where(counts == count, found, ids[rows])
    result: list[int] = ids.tolist()
    return result


def _numbers_at(events: pa.ChunkedArray, start: int) -> np.ndarray:
    """Return the little-endian uint32 at a byte of each event, 0 in short ones."""
    pieces = pc.binary_slice(events, start, start + _ID_BYTES).to_pylist()
    whole = [p if p and len(p) == _ID_BYTES else bytes(_ID_BYTES) for p in pieces]
    return np.frombuffer(b"".join(whole), "<u4").astype(np.int64)
