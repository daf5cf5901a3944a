"""Events that stay in their file until rows are asked for.

file ──parts, named columns──► rows ──conditions──► counts, masks, the rows that match

Counting, masks, funnels, rules and the first rows read part by part and hold one part
at a time; ``table``, ``frame`` and what is not named here load the rows left.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from workbench.arguments import takes
from workbench.captures.decoding import held_bytes, too_large
from workbench.errors import CaptureFileError
from workbench.events.columns import DerivedColumns
from workbench.events.conditions import compiled_condition
from workbench.events.events import Events
from workbench.events.kinds import CONDITION, RULES, SELECTION
from workbench.events.stored_selection import joined_tables
from workbench.formatting.printable import shortened

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from workbench.captures.stored import StoredFile
    from workbench.condition.analysis.funnel import Funnel
    from workbench.condition.execution.compile import CompiledCondition
    from workbench.events.conditions import RulesInHand
    from workbench.events.origin import Origin
    from workbench.events.stored_selection import Selection
    from workbench.fields.declarations import FieldTable

__all__ = ["StoredEvents"]


class StoredEvents(Events):
    """Events of a file, of which rows are read when they are asked for.

    Everything that :class:`Events` does; what was found damaged on the way raises
    CaptureFileError where it is found.
    """

    def __init__(
        self,
        selection: Selection,
        *,
        fields: FieldTable,
        origin: Origin,
    ) -> None:
        """Read nothing yet."""
        # Not of the base: its table is made when it is asked for.
        self._rows = selection.rows
        self._selection = selection
        self._fields = fields
        self._origin = origin
        self._frame = None
        self._sources = None
        self._labels = {}
        self._kept: int | None = None

    # -- what it is ------------------------------------------------------------------

    @property
    def loaded(self) -> bool:
        """Whether the rows are in memory."""
        return "_table" in self.__dict__

    @cached_property
    def _table(self) -> pa.Table:
        return joined_tables(self._loading(), self._rows.schema)

    @cached_property
    def _maker(self) -> DerivedColumns:  # type: ignore[override]
        return _StoredColumns(lambda: self._table, self._origin)

    def __len__(self) -> int:
        if self._kept is None:
            kept = len(self._table) if self.loaded else self._selection.count()
            self._kept = kept
        return self._kept

    @property
    def keeps_raw(self) -> bool:
        """Whether the stored events are there, for further fields and ``.scap``."""
        return "raw" in self._rows.names

    # -- reading ---------------------------------------------------------------------

    def matching(
        self,
        asked: Sequence[str],
        shown: Sequence[str],
        select: Callable[[pa.Table], pa.Array],
        either: Sequence[Any],
    ) -> Iterator[pa.Table]:
        """Yield the events that ``select`` chooses, with the columns ``shown``.

        ``select``: called with some rows that have the columns ``asked``, returns one
        flag per row: whether it matches one of the conditions ``either``. A part of the
        file is in memory at a time; those in which none can match are not read.
        """
        yield from self._selection.tables(shown, asked, select, either)

    def empty_table(self, columns: Iterable[str]) -> pa.Table:
        """Return a table without rows that has ``columns``."""
        return self._selection.empty_table(columns)

    def _pieces(self, columns: Sequence[str] | None) -> Iterator[tuple[int, pa.Table]]:
        """Yield (place of its first row among these events, table)."""
        place = 0
        for table in self._selection.tables(columns):
            yield place, table
            place += table.num_rows

    def _loading(self) -> list[pa.Table]:
        """Return all rows; those before a damage travel with its error."""
        file = self._rows.file
        tables: list[pa.Table] = []
        size = 0
        try:
            for _, table in self._pieces(None):
                size += sum(map(held_bytes, table.to_batches()))
                _check_size(file, size)
                tables.append(table)
        except CaptureFileError as error:
            if tables:
                table = joined_tables(tables, self._rows.schema)
                error.events = Events(table, fields=self._fields, origin=self._origin)
            raise
        return tables

    def _part_table(self, columns: Iterable[str]) -> pa.Table:
        """Return all rows left with some columns, in memory."""
        names = list(dict.fromkeys(["evt.num", "evt.rawtime", *columns]))
        tables = [table for _, table in self._pieces(names)]
        return joined_tables(tables) if tables else self.empty_table(names)

    # -- what rules and conditions are checked against -------------------------------

    @property
    def sources(self) -> list[str]:
        """The event source of these events, if it is known."""
        return [self.source] if self.source else []

    def by_source(self) -> dict[str, Events]:
        """Return the events of each source apart; of a file kept on disk it is one."""
        return {self.source: self} if self.source else {}

    # -- selecting and adding --------------------------------------------------------

    def __getitem__(self, key: Any) -> Any:
        """Return a column of the frame by name, or some events by slice or mask."""
        if self.loaded or isinstance(key, str):
            return super().__getitem__(key)
        if isinstance(key, slice) and (key.step is None or key.step > 0):
            if _counts_back(key):
                key = slice(*key.indices(len(self)))
            start, step = key.start or 0, key.step or 1
            table = self._between(start, key.stop)
            if step > 1:
                table = table.take(pa.array(range(0, len(table), step), pa.int64()))
            return self._derive(table)
        if isinstance(key, slice):
            return super().__getitem__(key)
        return self._derive(self._flagged(self.flags(key)))

    def _between(self, start: int, stop: int) -> pa.Table:
        """Return rows ``start`` to ``stop``; no part behind them is read."""
        found = []
        for place, table in self._near(start, stop):
            begin, end = max(0, start - place), min(table.num_rows, stop - place)
            if begin < end:
                found.append(table.slice(begin, end - begin))
        return joined_tables(found, self._rows.schema)

    def _near(self, start: int, stop: int) -> Iterator[tuple[int, pa.Table]]:
        if self._selection.conditions:
            for place, table in self._pieces(None):
                if place >= stop:
                    return
                yield place, table
            return
        for part in self._rows.parts():
            at = part.first
            if at >= stop:
                return
            if at + part.rows <= start:
                continue
            for table in self._rows.read(part, None):
                yield at, table
                at += table.num_rows

    def _flagged(self, flags: Any) -> pa.Table:
        """Return the rows with a flag of their own that is set."""
        found = []
        for place, table in self._pieces(None):
            own = flags.slice(place, table.num_rows)
            if pc.any(own).as_py():
                found.append(table.filter(own))
        return joined_tables(found, self._rows.schema)

    @takes(condition=SELECTION, rules=RULES)
    def where(self, condition: Any, *, rules: RulesInHand | None = None) -> Events:  # type: ignore[override]
        """Return the events that match ``condition``; no row is read for it yet.

        A mask chooses at once. Takes what :meth:`Events.where` takes, and raises alike.
        """
        if self.loaded:
            return super().where(condition, rules=rules)
        if not CONDITION.fits(condition):
            return self._derive(self._flagged(self.flags(condition)))
        narrowed = self._selection.narrowed(self._compiled(condition, rules))
        chosen = StoredEvents(narrowed, fields=self._fields, origin=self._origin)
        if self._labels:
            chosen.keep_labels(self._labels, chosen._part_table(()))
        return chosen

    @takes(condition=CONDITION, rules=RULES)
    def count(self, condition: Any, *, rules: RulesInHand | None = None) -> int:
        """Count the events that match ``condition``, a part in memory at a time."""
        if self.loaded:
            return super().count(condition, rules=rules)
        return self._selection.narrowed(self._compiled(condition, rules)).count()

    @takes(condition=CONDITION, rules=RULES)
    def funnel(self, condition: Any, *, rules: RulesInHand | None = None) -> Funnel:
        """Count how many events pass each check, a part in memory at a time."""
        if self.loaded:
            return super().funnel(condition, rules=rules)
        from workbench.condition.analysis.funnel import funnel, joined

        compiled = self._compiled(condition, rules)
        names = list(compiled.columns)
        found = [funnel(compiled, self.empty_table(names))]
        found += [funnel(compiled, table) for _, table in self._pieces(names)]
        return joined(found)

    # -- inside ----------------------------------------------------------------------

    def _compiled(self, condition: Any, rules: RulesInHand | None) -> CompiledCondition:
        """Return a condition ready to run, whose columns can be had."""
        compiled = compiled_condition(condition, self, rules)
        self.empty_table(compiled.columns)
        return compiled

    def _prepare(
        self, condition: Any, rules: RulesInHand | None = None
    ) -> tuple[Any, CompiledCondition, pa.Table]:
        if self.loaded:
            return super()._prepare(condition, rules)
        compiled = self._compiled(condition, rules)
        return self, compiled, self._part_table(compiled.columns)

    def _matches(self, condition: Any, rules: RulesInHand | None = None) -> pa.Array:
        if self.loaded:
            return super()._matches(condition, rules)
        return self._selection.masks(self._compiled(condition, rules))

    def _derive(self, table: pa.Table) -> Events:
        events = Events(table, fields=self._fields, origin=self._origin)
        if self._labels:
            events.keep_labels(self._labels, table)
        return events

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel as the rows: the file stays where it is."""
        return _rebuilt, (self.__getstate__(),)


class _StoredColumns(DerivedColumns):
    """Columns of a table that is loaded when the first of them is asked for."""

    def __init__(self, load: Callable[[], pa.Table], origin: Origin) -> None:
        self._load = load
        self.origin = origin
        self.extractor = None
        self._made = {}

    @cached_property
    def table(self) -> pa.Table:
        return self._load()


def _check_size(file: StoredFile, size: int) -> None:
    if size > file.max_bytes:
        text = too_large(shortened(file.path), file.form, file.max_bytes)
        raise CaptureFileError(text, path=file.path)


def _rebuilt(state: dict[str, Any]) -> Events:
    events = Events.__new__(Events)
    events.__setstate__(state)
    return events


def _counts_back(key: slice) -> bool:
    """Return whether the end of the rows has to be known for a slice."""
    numbers = (key.start, key.stop, key.step)
    return key.stop is None or any(n is not None and n < 0 for n in numbers)
