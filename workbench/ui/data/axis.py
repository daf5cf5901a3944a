"""What the timeline counts over: the event time, or any number or time field."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from workbench.arrow.types import column_info
from workbench.ui.data.bins import Bins
from workbench.ui.data.row_store import GrowingArray

if TYPE_CHECKING:
    from workbench.ui.data.row_store import RowStore

__all__ = ["TIME_AXIS", "Axis", "axis_fields"]

TIME_AXIS = "evt.time"
_KINDS = frozenset({"uint64", "reltime", "abstime"})


def axis_fields(store: RowStore) -> list[str]:
    """Return the fields a timeline can count over, the event time first."""
    names = [TIME_AXIS]
    for name in store.columns:
        info = column_info(name, store.fields)
        if info is None or name == "evt.rawtime" or info.is_list:
            continue
        if info.type in _KINDS:
            names.append(name)
    return names


class Axis:
    """Bins over one field of a growing store, and a range chosen on it.

    ``brush``: None, or the range of values chosen, its end excluded.
    """

    def __init__(self, store: RowStore, name: str = TIME_AXIS) -> None:
        self.store = store
        self.name = name
        self.brush: tuple[int, int] | None = None
        info = column_info(name, store.fields)
        is_time = name == TIME_AXIS or (info is not None and info.type == "abstime")
        self.bins = Bins(time=is_time)
        self._values = GrowingArray(np.uint64)
        self._rows = GrowingArray(np.int64)
        self._done = 0
        self._within = GrowingArray(bool)

    @property
    def values(self) -> np.ndarray:
        """The present values, uint64, in row order."""
        return self.store.times if self.name == TIME_AXIS else self._values.view

    def _matched(self, mask: np.ndarray | None) -> np.ndarray | None:
        if mask is None:
            return None
        if self.name == TIME_AXIS:
            return mask
        rows = self._rows.view
        flags: np.ndarray = mask[rows[rows < len(mask)]]
        return flags

    def update(self, mask: np.ndarray | None) -> None:
        """Count appended rows; ``mask``: one match flag per row, or None."""
        start, rows = self._done, len(self.store)
        if start == rows:
            return
        if self.name != TIME_AXIS:
            self._read(start)
        self._done = rows
        self.bins.update(self.values, self._matched(mask))
        if self.brush is not None:
            self._extend_within()

    def rematch(self, mask: np.ndarray | None) -> None:
        """Count the matches again for a new condition."""
        self.bins.rematch(self.values, self._matched(mask))

    def set_brush(self, brush: tuple[int, int] | None) -> None:
        """Choose a range of values, or none."""
        self.brush = brush
        self._within.clear()
        if brush is not None:
            self._extend_within()

    @property
    def within(self) -> np.ndarray | None:
        """One flag per row: inside the chosen range; None when there is none."""
        return None if self.brush is None else self._within.view

    def _extend_within(self) -> None:
        low, high = self.brush or (0, 0)
        start = len(self._within)
        flags = np.zeros(self._done - start, bool)
        ceiling = min(high, 2**64 - 1)
        if self.name == TIME_AXIS:
            fresh = self.values[start : self._done]
            flags = (fresh >= np.uint64(low)) & (fresh < np.uint64(ceiling))
        else:
            rows = self._rows.view
            begin = int(np.searchsorted(rows, start))
            fresh = self._values.view[begin:]
            inside = (fresh >= np.uint64(low)) & (fresh < np.uint64(ceiling))
            flags[rows[begin:][inside] - start] = True
        self._within.append(flags)

    def _read(self, start: int) -> None:
        column = self.store.table(start).column(self.name)
        at = start
        for chunk in column.chunks:
            plain = chunk
            if pa.types.is_dictionary(chunk.type):
                plain = chunk.dictionary.take(chunk.indices)
            if not pa.types.is_integer(plain.type):
                plain = plain.cast(pa.int64())
            valid = plain.is_valid().to_numpy(zero_copy_only=False)
            numbers = plain.drop_null().cast(pa.uint64()).to_numpy()
            self._values.append(numbers)
            self._rows.append(np.flatnonzero(valid) + at)
            at += len(chunk)

    def to_data(self) -> dict[str, Any]:
        """Return the bins as the timeline script wants them (times in ms)."""
        bins = self.bins
        scale = 1e-6 if bins.time else 1
        return {
            "kind": "time" if bins.time else "number",
            "version": bins.version,
            "start": bins.start * scale,
            "width": bins.width * scale,
            "counts": bins.counts.tolist(),
            "matches": bins.matches.tolist(),
            "brush": None if self.brush is None else list(bins.bins_of(*self.brush)),
        }
