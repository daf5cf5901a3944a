"""Counts of events and matches per bin of time or of any number.

Bins are equal and aligned to round widths. Appended rows are counted by themselves;
only when they no longer fit is everything counted again, with wider bins.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

__all__ = ["Bins", "round_width"]

_MAX_BINS = 320
_WANTED_BINS = 160

# Round widths of time bins above one second, in seconds.
_CLOCK = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600)


def round_width(span: float, *, time: bool) -> int:
    """Return a round bin width for a span, in the unit of the values (time: ns)."""
    wanted = max(1.0, span / _WANTED_BINS)
    if time and wanted > 10**9:
        for seconds in _CLOCK:
            if seconds * 10**9 >= wanted:
                return seconds * 10**9
        day = 86400 * 10**9
        return int(day * max(1, 2 ** int(np.ceil(np.log2(wanted / day)))))
    power = 10 ** int(np.floor(np.log10(wanted)))
    return int(next(f * power for f in (1, 2, 5, 10) if f * power >= wanted))


@dataclass(slots=True)
class Bins:
    """Counts over values (uint64): ``start``, ``width`` in their unit, counts per bin.

    ``time``: the values are ns since the epoch. ``version`` changes with the bins'
    geometry. ``done``: rows counted so far.
    """

    time: bool = True
    start: int = 0
    width: int = 1
    counts: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    matches: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    version: int = 0
    done: int = 0

    def update(self, values: np.ndarray, matched: np.ndarray | None) -> None:
        """Count the rows not yet counted; ``values`` and ``matched`` are all rows."""
        fresh = values[self.done :]
        if len(fresh) == 0:
            return
        low, high = int(fresh.min()), int(fresh.max())
        if self.done and low >= self.start:
            last = (high - self.start) // self.width
            if last < _MAX_BINS:
                self._grow(last + 1)
                self._count(fresh, matched)
                self.done = len(values)
                return
        self.rebuild(values, matched)

    def rebuild(self, values: np.ndarray, matched: np.ndarray | None) -> None:
        """Count everything again with bins that fit."""
        self.version += 1
        self.done = len(values)
        if len(values) == 0:
            self.counts = np.zeros(0, np.int64)
            self.matches = np.zeros(0, np.int64)
            return
        low, high = int(values.min()), int(values.max())
        self.width = round_width(high - low, time=self.time)
        self.start = low - low % self.width
        size = (high - self.start) // self.width + 1
        self.counts = self._histogram(values, size)
        chosen = values[:0] if matched is None else values[matched]
        self.matches = self._histogram(chosen, size)

    def rematch(self, values: np.ndarray, matched: np.ndarray | None) -> None:
        """Count the matches again: the condition changed, the events did not."""
        chosen = values[:0] if matched is None else values[: self.done]
        if matched is not None:
            chosen = chosen[matched[: self.done]]
        self.matches = self._histogram(chosen, len(self.counts))

    def range_of(self, low_bin: float, high_bin: float) -> tuple[int, int]:
        """Turn a range in bins into one in values, the end excluded."""
        low = self.start + round(low_bin * self.width)
        return low, max(low + 1, self.start + round(high_bin * self.width))

    def bins_of(self, low: int, high: int) -> tuple[float, float]:
        """Turn a range of values into one in bins."""
        return (low - self.start) / self.width, (high - self.start) / self.width

    def _grow(self, size: int) -> None:
        if size > len(self.counts):
            more = np.zeros(size - len(self.counts), np.int64)
            self.counts = np.concatenate([self.counts, more])
            self.matches = np.concatenate([self.matches, more])

    def _count(self, fresh: np.ndarray, matched: np.ndarray | None) -> None:
        self.counts += self._histogram(fresh, len(self.counts))
        if matched is not None:
            chosen = fresh[matched[self.done : self.done + len(fresh)]]
            self.matches += self._histogram(chosen, len(self.counts))

    def _histogram(self, values: np.ndarray, size: int) -> np.ndarray:
        if len(values) == 0:
            return np.zeros(size, np.int64)
        index = (values - np.uint64(self.start)) // np.uint64(self.width)
        counted: np.ndarray = np.bincount(index.astype(np.int64), minlength=size)
        return counted
