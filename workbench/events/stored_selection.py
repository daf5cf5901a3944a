"""Some rows of a stored file: those that match conditions, read part by part.

Of a part, first the columns are read that decide about its rows; the others only when
a row is left, and only those that are asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from workbench.captures.soundness import as_bytes
from workbench.condition.execution.ranges import may_match
from workbench.events.columns import DerivedColumns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from workbench.events.origin import Origin
    from workbench.events.stored_rows import Part, StoredRows

__all__ = ["Selection", "joined_tables"]


class Selection:
    """The rows that match all of ``conditions`` (compiled); all rows without any."""

    def __init__(
        self, rows: StoredRows, origin: Origin, conditions: Sequence[Any] = ()
    ) -> None:
        """Read nothing yet. ``origin``: what generic columns are made with."""
        self.rows = rows
        self.origin = origin
        self.conditions = tuple(conditions)

    def narrowed(self, condition: Any) -> Selection:
        """Return the rows of these that match a further condition."""
        return Selection(self.rows, self.origin, (*self.conditions, condition))

    def empty_table(self, columns: Iterable[str]) -> pa.Table:
        """Return a table without rows. Raises WorkbenchError for impossible columns."""
        return self._with(self.rows.schema.empty_table(), columns)

    def count(self) -> int:
        """Count the rows, a part in memory at a time."""
        if not self.conditions:
            return self.rows.count
        return sum(mask.true_count for _, mask in self._masked(()))

    def masks(self, condition: Any) -> pa.Array:
        """Return for each row whether it matches a further condition."""
        found = []
        for table, chosen in self._masked(condition.columns):
            own = condition.mask(table)
            found.append(own if chosen is None else own.filter(chosen))
        return pa.chunked_array(found, pa.bool_()).combine_chunks()

    def tables(
        self,
        shown: Sequence[str] | None,
        asked: Sequence[str] = (),
        select: Callable[[pa.Table], pa.Array] | None = None,
        either: Sequence[Any] | None = None,
    ) -> Iterator[pa.Table]:
        """Yield the rows with the columns ``shown`` (None: those of the file).

        ``select``: called with rows that have the columns ``asked``, returns a further
        mask. ``either``: conditions of which a row that it chooses matches one; None
        when that is not known. Tables without rows are left out.
        """
        for part in self._parts(either):
            if self.conditions or select is not None:
                yield from self._picked(part, shown, asked, select)
                continue
            names = None if shown is None else self.rows.needed(shown)
            for table in self.rows.read(part, names):
                yield table if shown is None else self._with(table, shown)

    def _parts(self, either: Sequence[Any] | None = None) -> Iterator[Part]:
        """Yield the parts in which a row may match.

        The file tells: one that lies about its values is read as it says.
        """
        known = [*self.conditions, *(either or ())]
        columns = {name for c in known for name in c.columns}
        for part in self.rows.parts():
            ranges = self.rows.file.ranges(part.number, columns) if columns else {}
            if ranges and not all(may_match(c.root, ranges) for c in self.conditions):
                continue
            open_ended = either is None or not ranges
            if open_ended or any(may_match(c.root, ranges) for c in either or ()):
                yield part

    def _picked(
        self,
        part: Part,
        shown: Sequence[str] | None,
        asked: Sequence[str],
        select: Callable[[pa.Table], pa.Array] | None,
    ) -> Iterator[pa.Table]:
        """Yield the rows of one part that match."""
        names = self._asked(asked)
        first = self.rows.needed(names)
        masks, kept = [], []
        for table in self.rows.read(part, first):
            made = self._with(table, names)
            found = _all_of(self.conditions, made)
            if select is not None:
                own = select(made)
                found = own if found is None else pc.and_(found, own)
            masks.append(found)
            if found.true_count:
                kept.append(table.filter(found))
        if not kept:
            return
        rest = None if shown is None else self.rows.needed(shown)
        missing = None if rest is None else [n for n in rest if n not in first]
        if missing is None or missing:
            mask = pa.concat_arrays(masks)
            others, at = [], 0
            for table in self.rows.read(part, missing):
                others.append(table.filter(mask.slice(at, table.num_rows)))
                at += table.num_rows
            other = joined_tables([t for t in others if t.num_rows])
            if missing is None:
                yield other
                return
            whole = _replaced(joined_tables(kept), other, missing)
        else:
            whole = joined_tables(kept)
        yield self._with(whole, shown or ())

    def _masked(self, asked: Sequence[str]) -> Iterator[tuple[pa.Table, Any]]:
        """Yield rows with the columns ``asked``, and which of them are chosen."""
        names = self._asked(asked)
        columns = self.rows.needed(names)
        for part in self._parts():
            for table in self.rows.read(part, columns):
                made = self._with(table, names)
                yield made, _all_of(self.conditions, made)

    def _asked(self, asked: Sequence[str]) -> list[str]:
        wanted = [name for c in self.conditions for name in c.columns]
        return list(dict.fromkeys([*wanted, *asked]))

    def _with(self, table: pa.Table, columns: Iterable[str]) -> pa.Table:
        return DerivedColumns(table, self.origin, None).table_with(list(columns))


def _all_of(conditions: Sequence[Any], table: pa.Table) -> Any:
    """Return the rows that match all conditions; None without any."""
    found = None
    for condition in conditions:
        mask = condition.mask(table)
        found = mask if found is None else pc.and_(found, mask)
    return found


def _replaced(table: pa.Table, other: pa.Table, names: Sequence[str]) -> pa.Table:
    """Return ``table`` with columns of ``other``, which has the same rows."""
    # A time may be made from a column of another name.
    for name in dict.fromkeys(
        [*names, "evt.rawtime"] if "evt.time" in names else names
    ):
        if name not in other.column_names:
            continue
        if name in table.column_names:
            at = table.column_names.index(name)
            table = table.set_column(at, name, other.column(name))
        else:
            table = table.append_column(name, other.column(name))
    return table


def joined_tables(
    tables: Sequence[pa.Table], schema: pa.Schema | None = None
) -> pa.Table:
    """Return one table; a column of it is text where all pieces of it are.

    ``schema``: of the table where there are no pieces.
    """
    if not tables:
        return (schema or pa.schema([])).empty_table()
    if all(table.schema == tables[0].schema for table in tables):
        return pa.concat_tables(tables)
    columns = []
    for name in tables[0].column_names:
        chunks = [chunk for table in tables for chunk in table.column(name).chunks]
        if len({chunk.type for chunk in chunks}) > 1:
            chunks = [as_bytes(chunk) for chunk in chunks]
        columns.append(pa.chunked_array(chunks, chunks[0].type if chunks else None))
    return pa.Table.from_arrays(columns, names=tables[0].column_names)
