"""What is asked of an archive with a condition, and the events themselves."""

from __future__ import annotations

import warnings
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from workbench.archives.joining import join_rows
from workbench.archives.tasks import (
    AllRows,
    ChosenRows,
    CountEvents,
    CountMatches,
    CountTimes,
    CountValues,
    FunnelOf,
    NearMissesOf,
    join_funnels,
    join_near_misses,
    join_values,
)
from workbench.archives.times import UNITS, fitting_unit
from workbench.arguments import TEXT, takes, wrong
from workbench.events.conditions import compiled_condition
from workbench.events.kinds import CONDITION, NUMBER, RULES
from workbench.fields.reference import resolve
from workbench.formatting.printable import shortened

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    import pandas as pd

    from workbench.archives.catalog import Catalog
    from workbench.archives.job import View
    from workbench.archives.parts import Part
    from workbench.condition.analysis.funnel import Funnel
    from workbench.condition.analysis.near_misses import NearMisses
    from workbench.condition.execution.compile import CompiledCondition
    from workbench.events.conditions import RulesInHand
    from workbench.events.events import Events

__all__ = ["ArchiveQueries"]

_MAX_NAMED = 3
# Parts read at a time once there are enough events.
_MAX_STEP = 8


class ArchiveQueries:
    """The questions to an archive; what they need, Archive has."""

    if TYPE_CHECKING:
        _catalog: Catalog
        _view: View
        fields: Any
        run_task: Any

        parts: Callable[[], list[Part]]

        def _seen(self, view: View) -> Self: ...

    def _compiled(self, condition: Any, rules: RulesInHand | None) -> CompiledCondition:
        compiled = compiled_condition(condition, self, rules)
        self.tell_not_captured(compiled.columns)
        return compiled

    def tell_not_captured(self, columns: Iterable[str]) -> dict[str, list[str]]:
        """Warn of files in which a column is absent because it was not captured."""
        lacking = self._catalog.not_captured(columns)
        for column, paths in lacking.items():
            if len(paths) == len(self._catalog.files):
                continue
            named = ", ".join(shortened(path) for path in paths[:_MAX_NAMED])
            more = "" if len(paths) <= _MAX_NAMED else f" and {len(paths) - 3} more"
            warnings.warn(
                f"{shortened(column)} was not captured in {len(paths)} of "
                f"{len(self._catalog.files)} files, where it counts as absent: "
                f"{named}{more}",
                UserWarning,
                stacklevel=5,
            )
        return lacking

    @takes(condition=CONDITION, rules=RULES)
    def where(self, condition: Any, *, rules: RulesInHand | None = None) -> Self:
        """Return an Archive of the events that match; nothing is read yet.

        ``condition``, ``rules``: as ``Events.where`` takes them, and with its errors. A
        field that some files did not capture is absent in their events; a warning names
        the files.
        """
        compiled = self._compiled(condition, rules)
        conditions = (*self._view.conditions, compiled)
        return self._seen(replace(self._view, conditions=conditions))

    @takes(condition=CONDITION, rules=RULES)
    def count(self, condition: Any, *, rules: RulesInHand | None = None) -> int:
        """Count the events that match. Takes what :meth:`where` takes."""
        return sum(self.run_task(CountMatches(self._compiled(condition, rules))))

    def _count_events(self) -> int:
        return sum(rows for _, rows in self.run_task(CountEvents()))

    @takes(condition=CONDITION, rules=RULES)
    def funnel(self, condition: Any, *, rules: RulesInHand | None = None) -> Funnel:
        """Count how many events pass each check. Takes what :meth:`where` takes."""
        compiled = self._compiled(condition, rules)
        found = self.run_task(FunnelOf(compiled))
        return join_funnels([*found, self._of_none(compiled).funnel(compiled)])

    @takes(condition=CONDITION, rules=RULES)
    def near_misses(
        self, condition: Any, *, rules: RulesInHand | None = None
    ) -> NearMisses:
        """Find the events that fail by one check alone, grouped by that check.

        Takes what :meth:`where` takes. The values seen are those of the first rows of
        every part of the archive.
        """
        compiled = self._compiled(condition, rules)
        found = self.run_task(NearMissesOf(compiled))
        return join_near_misses([*found, self._of_none(compiled).near_misses(compiled)])

    def _of_none(self, compiled: CompiledCondition) -> Events:
        """Return no events, with the columns of a condition."""
        from workbench.archives.joining import no_events

        return no_events(self.fields, compiled.columns, self._catalog.sources)

    @takes(field=TEXT, limit=NUMBER)
    def values(self, field: str, *, limit: int = 1000) -> pd.Series:
        """Return value → number of events that have it, most frequent first.

        ``limit``: most values returned. Each value of a list counts on its own. Raises
        ConditionError for an unknown field, WorkbenchError for a million values.
        """
        import pandas as pd

        column = resolve(field, self.fields).column
        self.tell_not_captured([column])
        total = join_values(self.run_task(CountValues(column)))
        ranked = sorted(total.items(), key=lambda item: (-item[1], str(item[0])))
        index = pd.Index([value for value, _ in ranked[:limit]], name=column)
        counts = [number for _, number in ranked[:limit]]
        return pd.Series(counts, index=index, name="events", dtype="int64")

    @takes(rules=RULES)
    def timeline(
        self,
        condition: Any = None,
        *,
        per: str | None = None,
        rules: RulesInHand | None = None,
    ) -> pd.Series:
        """Return time → number of events, or of those that match ``condition``.

        ``per``: second, minute, hour or day; None: what gives at most 200 points.
        Times without events are 0.
        """
        import pandas as pd

        if per is not None and per not in UNITS:
            raise wrong("timeline", "per", "one of " + ", ".join(UNITS), per)
        compiled = None if condition is None else self._compiled(condition, rules)
        finest = UNITS["second" if per is None else per]
        total: Counter[int] = Counter()
        for counts in self.run_task(CountTimes(finest, compiled)):
            total.update(counts)
        if per is None:
            per = fitting_unit(min(total, default=0), max(total, default=0))
        unit = UNITS[per]
        coarse: Counter[int] = Counter()
        for start, number in total.items():
            coarse[start // unit * unit] += number
        starts = range(min(coarse, default=0), max(coarse, default=-1) + 1, unit)
        index = pd.DatetimeIndex(
            pd.to_datetime(np.array(starts, np.int64), unit="ns", utc=True), name=per
        )
        counts = [coarse[start] for start in starts]
        return pd.Series(counts, index=index, name="events", dtype="int64")

    # the events themselves

    @takes(n=NUMBER)
    def head(self, n: int = 10) -> Events:
        """Return the first ``n`` events in order of time."""
        return self.to_events(limit=n)

    def to_events(self, limit: int | None = 1_000_000) -> Events:
        """Return the events in order of time, at most the first ``limit`` of them.

        None: all of them, if they fit in memory. What needs loaded plugins of these
        events is asked with ``.attach(plugin)``.
        """
        if limit is not None and not NUMBER.fits(limit):
            raise wrong("to_events", "limit", f"{NUMBER.words} or None", limit)
        left = self.parts()
        found: list[Any] = []
        while left:
            step, left = _next(left, found, limit)
            if step:
                found += self.run_task(AllRows(limit), step)
        return join_rows(found, self.fields, limit)

    @takes(n=NUMBER, seed=NUMBER)
    def sample(self, n: int = 1000, *, seed: int = 0) -> Events:
        """Return ``n`` events drawn from all, in order of time.

        ``seed``: another one draws others; the same one draws the same.
        """
        parts = self.parts()
        known = [part.rows for part in parts]
        if self._view.whole and None not in known:
            counts = np.array(known, np.int64)
        else:
            # Of files that fail and are left out, nothing can be drawn.
            counted = self.run_task(CountEvents(), parts)
            parts = [part for part, _ in counted]
            counts = np.array([rows for _, rows in counted], np.int64)
        total = int(counts.sum())
        drawn = np.random.default_rng(seed).choice(total, min(n, total), replace=False)
        return self._picked(parts, counts, np.sort(drawn))

    def _picked(
        self, parts: Sequence[Part], counts: np.ndarray, rows: np.ndarray
    ) -> Events:
        ends = np.cumsum(counts)
        owners = np.searchsorted(ends, rows, side="right")
        places = {
            (parts[at].file, parts[at].groups): (
                rows[owners == at] - (ends[at] - counts[at])
            ).tolist()
            for at in np.unique(owners).tolist()
        }
        chosen = [part for part in parts if (part.file, part.groups) in places]
        found = self.run_task(ChosenRows(places), chosen) if chosen else []
        return join_rows(found, self.fields, None)


def _next(
    left: list[Part], found: list[Any], limit: int | None
) -> tuple[list[Part], list[Part]]:
    """Return the parts to read next, and those that may be needed after them."""
    if limit is None:
        return left, []
    rows = sum(one.table.num_rows for one in found)
    if rows >= limit:
        # What begins later than the last event in hand can hold no earlier one.
        last = _nth_time(found, limit)
        left = [p for p in left if p.first_ns is None or p.first_ns < last]
        return left[:_MAX_STEP], left[_MAX_STEP:]
    for at, part in enumerate(left):
        rows += part.rows or 0
        if rows >= limit or at == len(left) - 1:
            return left[: at + 1], left[at + 1 :]
    return left, []


def _nth_time(found: list[Any], limit: int) -> int:
    if not limit:
        return 0
    times = [one.table.column("evt.rawtime").to_numpy() for one in found]
    return int(np.partition(np.concatenate(times), limit - 1)[limit - 1])
