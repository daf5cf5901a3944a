"""Columns that a table of events lacks: made from what it has, or extracted again."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from workbench.arrow.dictionaries import join_batches
from workbench.arrow.rows import take_rows
from workbench.errors import WorkbenchError
from workbench.events.builtin_columns import (
    PAYLOAD_AT,
    BuiltinContext,
    builtin_column,
    payloads,
)
from workbench.fields.builtin import BUILTIN_FIELDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from workbench.events.extractor import Extractor
    from workbench.events.origin import Origin


__all__ = [
    "DerivedColumns",
    "payload_places",
    "source_rows",
    "with_number_and_time",
]


class DerivedColumns:
    """Gives columns of one table by name and keeps those it had to make."""

    def __init__(
        self, table: pa.Table, origin: Origin, extractor: Extractor | None
    ) -> None:
        """Work on ``table``, which has at least ``evt.num`` and ``evt.rawtime``."""
        self.table = table
        self.origin = origin
        self.extractor = extractor
        self._made: dict[str, pa.ChunkedArray] = {}

    def columns(self, names: Sequence[str]) -> dict[str, pa.ChunkedArray]:
        """Return columns by name: there, made before, generic, or extracted now.

        Raises WorkbenchError when stored events or a plugin would be needed.
        """
        have = set(self.table.column_names)
        for name in names:
            if name in have or name in self._made:
                continue
            if name in BUILTIN_FIELDS:
                self._made[name] = _chunked(self._generic(name))
            elif name == "payload":
                self._made[name] = payloads(self._raw([name]))
        rest = [n for n in names if n not in have and n not in self._made]
        if rest:
            self._made.update(self._extracted(rest))
        return {n: self.table.column(n) if n in have else self._made[n] for n in names}

    def table_with(self, names: Sequence[str]) -> pa.Table:
        """Return the table with further columns behind its own."""
        table = self.table
        for name, column in self.columns(names).items():
            if name not in table.column_names:
                table = table.append_column(name, column)
        return table

    def with_places(self, row: pa.Table, names: Sequence[str]) -> pa.Table:
        """Add to ``row``, part of the table, where its values lie in the event."""
        fields = [n for n in names if n not in BUILTIN_FIELDS and n != "payload"]
        if self.extractor is None or "raw" not in row.column_names or not fields:
            return row
        found: dict[str, pa.ChunkedArray] = {}
        # A plugin that fails here only leaves the explanation without places.
        with contextlib.suppress(WorkbenchError):
            found = self.extractor.places(
                row.column("raw"), row.column("evt.num"), self.origin.source, fields
            )
        for name, column in found.items():
            if name not in row.column_names:
                row = row.append_column(name, column)
        return row

    def _generic(self, name: str) -> pa.Array | pa.ChunkedArray:
        origin, extractor = self.origin, self.extractor

        def info(raw: pa.ChunkedArray, numbers: pa.ChunkedArray) -> Any:
            if extractor is None:
                return None
            if origin.source:
                return extractor.event_strings(raw, numbers, origin.source)
            return self._texts_of_each_source(raw, numbers, extractor)

        context = BuiltinContext(
            origin.source, origin.start_ns, origin.plugin, origin.hostname, info
        )
        try:
            return builtin_column(name, self.table, context)
        except KeyError:
            self._raw([name])
            raise

    def _texts_of_each_source(
        self, raw: pa.ChunkedArray, numbers: pa.ChunkedArray, extractor: Extractor
    ) -> pa.ChunkedArray:
        """Ask the plugin of each source for the texts of its events."""
        pieces: list[pa.ChunkedArray] = []
        places = np.full(len(raw), -1, np.int64)
        for source, rows in source_rows(self.table).items():
            chosen = pa.array(rows)
            texts = extractor.event_strings(
                take_rows(raw, chosen), numbers.take(chosen), source
            )
            if texts is not None:
                start = sum(map(len, pieces))
                places[rows] = np.arange(start, start + len(rows))
                pieces.append(texts)
        return _scattered(pieces, places)

    def _raw(self, names: Sequence[str]) -> pa.ChunkedArray:
        """Return the stored events, or say how to have them next time."""
        if "raw" not in self.table.column_names:
            raise WorkbenchError(
                f"{', '.join(names)}: not captured, and the events themselves were not "
                "kept; capture again with keep_events=True, or name it in fields="
            )
        return self.table.column("raw")

    def _extracted(self, names: Sequence[str]) -> dict[str, pa.ChunkedArray]:
        raw = self._raw(names)
        if self.extractor is None:
            raise WorkbenchError(
                f"{', '.join(names)}: not captured, and no plugin is loaded to extract "
                "it; give one with events.attach(plugin) or open_events(…, plugins=…), "
                "on the command line with --with PLUGIN"
            )
        numbers = self.table.column("evt.num")
        if self.origin.source:
            return self.extractor.extract_columns(
                raw, numbers, self.origin.source, names
            )
        return self._of_each_source(raw, numbers, names)

    def _of_each_source(
        self, raw: pa.ChunkedArray, numbers: pa.ChunkedArray, names: Sequence[str]
    ) -> dict[str, pa.ChunkedArray]:
        """Extract from events of several sources, each with the fields it has."""
        pieces: dict[str, list[pa.ChunkedArray]] = {name: [] for name in names}
        places = {name: np.full(len(raw), -1, np.int64) for name in names}
        for source, rows in source_rows(self.table).items():
            known = self.extractor.fields_of(source) if self.extractor else {}
            mine = [name for name in names if name.partition("[")[0] in known]
            if not mine or self.extractor is None:
                continue
            chosen = pa.array(rows)
            found = self.extractor.extract_columns(
                take_rows(raw, chosen), numbers.take(chosen), source, mine
            )
            for name, column in found.items():
                start = sum(map(len, pieces[name]))
                places[name][rows] = np.arange(start, start + len(rows))
                pieces[name].append(column)
        return {name: _scattered(pieces[name], places[name]) for name in names}


def with_number_and_time(table: pa.Table, first: int = 1) -> pa.Table:
    """Return the table with evt.num and evt.rawtime first, as uint64.

    ``first``: number of the first row where the table does not number them.
    """
    rows = table.num_rows
    columns = {name: table.column(name) for name in table.column_names}
    numbers = columns.pop("evt.num", None)
    if numbers is None:
        numbers = pa.chunked_array(
            [pa.array(np.arange(first, first + rows, dtype=np.uint64))]
        )
    times = columns.pop("evt.rawtime", None)
    seen = columns.get("evt.time")
    if seen is not None and pa.types.is_timestamp(seen.type):
        # For conditions evt.time is a text, made from the raw time.
        del columns["evt.time"]
        times = seen if times is None else times
    if times is None:
        times = pa.chunked_array([pa.array(np.zeros(rows, np.uint64))])
    clock = {"evt.num": numbers.cast(pa.uint64()), "evt.rawtime": _as_ns(times)}
    return pa.table({**clock, **columns})


def _as_ns(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return times as uint64 nanoseconds."""
    if pa.types.is_timestamp(column.type):
        column = column.cast(pa.timestamp("ns", column.type.tz)).cast(pa.int64())
    return column.fill_null(0).cast(pa.uint64(), safe=False)


def source_rows(table: pa.Table) -> dict[str, np.ndarray]:
    """Return the rows of each event source that ``evt.source`` names, by first use."""
    if "evt.source" not in table.column_names or not table.num_rows:
        return {}
    column = table.column("evt.source")
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    column = column.unify_dictionaries()
    codes = np.concatenate(
        [c.indices.fill_null(-1).to_numpy(zero_copy_only=False) for c in column.chunks]
    )
    words = column.chunk(0).dictionary.to_pylist()
    used = [code for code in dict.fromkeys(codes.tolist()) if code >= 0]
    return {_word(words[code]): np.flatnonzero(codes == code) for code in used}


def _word(value: bytes | str) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def _scattered(
    pieces: Sequence[pa.ChunkedArray], places: np.ndarray
) -> pa.ChunkedArray:
    """Put values at their rows; null where no piece has one."""
    if not pieces:
        return pa.chunked_array([pa.nulls(len(places), pa.binary())])
    batches = [
        pa.RecordBatch.from_arrays([chunk], ["value"])
        for piece in pieces
        for chunk in piece.chunks
    ]
    values = join_batches(batches).column("value")
    return take_rows(values, pa.array(places, mask=places < 0))


def _chunked(column: pa.Array | pa.ChunkedArray) -> pa.ChunkedArray:
    if isinstance(column, pa.ChunkedArray):
        return column
    return pa.chunked_array([column], column.type)


def payload_places(
    row: pa.Table, names: Iterable[str]
) -> dict[str, list[tuple[int, int]]]:
    """Return where in the payload of the one row of ``row`` its values were found.

    ``row``: with the columns of :meth:`DerivedColumns.with_places`. Returns column →
    (start, length) in bytes, one pair per value; columns without any are left out.
    """
    found: dict[str, list[tuple[int, int]]] = {}
    for name in names:
        if f"{name}#start" not in row.column_names:
            continue
        pairs = [row.column(f"{name}#{part}")[0].as_py() for part in ("start", "len")]
        starts, sizes = (p if isinstance(p, list) else [p] for p in pairs)
        found[name] = [
            (start - PAYLOAD_AT, size)
            for start, size in zip(starts, sizes, strict=True)
            if size and start is not None and start >= PAYLOAD_AT
        ]
    return {name: pairs for name, pairs in found.items() if pairs}
