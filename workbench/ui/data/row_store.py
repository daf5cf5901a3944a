"""The rows behind the lab: record batches that only ever grow, and who they belong to.

A row's position (0-based) is its name everywhere in the lab: it never changes while
events arrive, whatever the table's order or filter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from workbench.arrow.dictionaries import join_batches
from workbench.arrow.values import display_info, display_texts
from workbench.formatting.units import moment_text
from workbench.ui.data.value_samples import frequent_values

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from workbench.fields.declarations import FieldInfo

__all__ = ["GrowingArray", "RowStore"]

_TIME = "evt.time"
_RAW_TIME = "evt.rawtime"


class GrowingArray:
    """A numpy array with cheap appends: room doubles, ``.view`` is what is filled."""

    def __init__(self, dtype: Any) -> None:
        self._room = np.zeros(1024, dtype)
        self._filled = 0

    def __len__(self) -> int:
        return self._filled

    @property
    def view(self) -> np.ndarray:
        """The filled part; valid until the next append."""
        return self._room[: self._filled]

    def append(self, values: np.ndarray) -> None:
        """Add ``values`` at the end."""
        need = self._filled + len(values)
        if need > len(self._room):
            grown = np.zeros(max(need, 2 * len(self._room)), self._room.dtype)
            grown[: self._filled] = self.view
            self._room = grown
        self._room[self._filled : need] = values
        self._filled = need

    def clear(self) -> None:
        """Forget everything."""
        self._room = np.zeros(1024, self._room.dtype)
        self._filled = 0


def _uint64(column: pa.Array) -> np.ndarray:
    if not pa.types.is_integer(column.type):
        column = column.cast(pa.int64())
    values: np.ndarray = column.to_numpy(zero_copy_only=False).astype(
        np.uint64, copy=False
    )
    return values


class RowStore:
    """Event rows in the condition layout, appended batch by batch.

    ``fields``: FieldInfo by name, for showing values. ``source``: event source.
    """

    def __init__(self, fields: Mapping[str, FieldInfo], source: str) -> None:
        self.fields = fields
        self.source = source
        self.batches: list[pa.RecordBatch] = []
        self.nbytes = 0
        self._starts = GrowingArray(np.int64)
        self._rows = 0
        self._times = GrowingArray(np.uint64)
        self._numbers = GrowingArray(np.uint64)
        self._table: pa.Table | None = None
        self._earliest = self._latest = 0
        self._decimals = 0
        self._seen: dict[str, list[Any]] = {}
        self._seen_rows = 0

    def __len__(self) -> int:
        return self._rows

    @property
    def times(self) -> np.ndarray:
        """Event times, uint64 ns since the epoch, one per row."""
        return self._times.view

    @property
    def numbers(self) -> np.ndarray:
        """Event numbers, uint64, one per row."""
        return self._numbers.view

    @property
    def one_day(self) -> bool:
        """Whether all events are of one day (UTC)."""
        day = 86400 * 10**9
        return self._earliest // day == self._latest // day

    @property
    def columns(self) -> list[str]:
        """Names of the columns, in the order of the batches."""
        return list(self.batches[0].schema.names) if self.batches else []

    def append(self, batch: pa.RecordBatch) -> None:
        """Add the rows of ``batch``; it has ``evt.num`` and ``evt.rawtime``."""
        if batch.num_rows == 0 and self.batches:
            return
        self._starts.append(np.array([self._rows], np.int64))
        self.batches.append(batch)
        times = _uint64(batch.column(_RAW_TIME))
        self._times.append(times)
        if len(times):
            low, high = int(times.min()), int(times.max())
            self._earliest = min(self._earliest, low) if self._rows else low
            self._latest = max(self._latest, high)
            self._count_decimals(times)
        self._numbers.append(_uint64(batch.column("evt.num")))
        self._rows += batch.num_rows
        self.nbytes += batch.nbytes
        self._table = None

    def _count_decimals(self, times: np.ndarray) -> None:
        """Keep as many decimals of seconds as any time needs: 0, 3, 6 or 9."""
        for unit, digits in ((10**9, 3), (10**6, 6), (10**3, 9)):
            if self._decimals < digits and np.any(times % np.uint64(unit)):
                self._decimals = digits

    def extend(self, table: pa.Table) -> None:
        """Add all rows of ``table``."""
        pieces = table.to_batches()
        if not pieces:
            pieces = [pa.RecordBatch.from_pylist([], schema=table.schema)]
        for batch in pieces:
            self.append(batch)

    def table(self, start: int = 0) -> pa.Table:
        """Return the rows from position ``start`` on as one table, nothing copied."""
        if start:
            at = int(np.searchsorted(self._starts.view, start, "right")) - 1
            joined = join_batches(self.batches[max(0, at) :])
            return joined.slice(start - int(self._starts.view[max(0, at)]))
        if self._table is None or self._table.num_rows != self._rows:
            self._table = join_batches(self.batches)
        return self._table

    def find_number(self, number: int) -> int | None:
        """Return the position of the event with ``number``, None if there is none."""
        numbers = self.numbers
        at = int(np.searchsorted(numbers, np.uint64(number)))
        if at < len(numbers) and numbers[at] == number:
            return at
        found = np.flatnonzero(numbers == np.uint64(number))
        return int(found[0]) if len(found) else None

    def pick(self, positions: np.ndarray, name: str) -> list[pa.Array]:
        """Return the values of a column at ``positions`` as arrays, one per run."""
        at = np.searchsorted(self._starts.view, positions, "right") - 1
        out = []
        begin = 0
        while begin < len(positions):
            end = begin + 1
            while end < len(positions) and at[end] == at[begin]:
                end += 1
            batch = self.batches[at[begin]]
            inside = positions[begin:end] - self._starts.view[at[begin]]
            column = batch.column(name)
            if inside[-1] - inside[0] == end - begin - 1 and np.all(
                np.diff(inside) == 1
            ):
                out.append(column.slice(int(inside[0]), end - begin))
            else:
                out.append(column.take(pa.array(inside)))
            begin = end
        return out

    def texts(
        self, positions: np.ndarray, name: str, *, limit: int = 160
    ) -> list[str | None]:
        """Return the values of a column at ``positions`` as texts, None if absent."""
        if name == _TIME:
            whole: list[str | None] = [
                moment_text(int(self.times[p])) for p in positions
            ]
            # One day is not worth repeating in every row, nor decimals that are zero.
            end = 19 + (self._decimals + 1 if self._decimals else 0)
            start = 11 if self.one_day else 0
            return [(t or "")[start:end] for t in whole]
        if not self.batches or name not in self.batches[0].schema.names:
            return [None] * len(positions)
        info = display_info(name, self.fields)
        return [
            text
            for piece in self.pick(positions, name)
            for text in display_texts(piece, info, limit=limit)
        ]

    def frequent_values(self) -> dict[str, list[Any]]:
        """Return column → values, the most frequent first, from some of the rows.

        Made again when the rows have grown by half: completion need not be exact.
        """
        if self._rows > 1.5 * self._seen_rows or (self._rows and not self._seen):
            self._seen_rows = self._rows
            self._seen = frequent_values(self.batches)
        return self._seen

    def value(self, position: int, name: str) -> Any:
        """Return one value as Python sees it (bytes, int, list …), None if absent."""
        if name not in self.columns:
            return None
        return self.pick(np.array([position], np.int64), name)[0][0].as_py()

    def rows(
        self, positions: np.ndarray, names: Sequence[str], *, limit: int = 160
    ) -> list[list[str | None]]:
        """Return rows of cell texts, one list per position."""
        if len(positions) == 0:
            return []
        columns = [self.texts(positions, name, limit=limit) for name in names]
        return [list(row) for row in zip(*columns, strict=True)] or [
            [] for _ in positions
        ]
