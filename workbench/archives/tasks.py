"""Questions to the events of one part, and how the answers of all parts become one."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from workbench.arrow.types import column_info
from workbench.errors import WorkbenchError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa

    from workbench.archives.parts import Part
    from workbench.condition.analysis.funnel import Funnel
    from workbench.condition.analysis.near_misses import NearMiss, NearMisses
    from workbench.condition.execution.compile import CompiledCondition
    from workbench.events.events import Events

__all__ = [
    "AllRows",
    "ChosenRows",
    "CountEvents",
    "CountMatches",
    "CountTimes",
    "CountValues",
    "FunnelOf",
    "NearMissesOf",
    "join_funnels",
    "join_near_misses",
    "join_values",
]

MAX_VALUES: Final = 1_000_000
_MAX_NEAR_ROWS: Final = 10_000
_MAX_SEEN: Final = 5


@dataclass(frozen=True, slots=True)
class CountEvents:
    """Count the events."""

    columns: tuple[str, ...] | None = ()

    def __call__(self, events: Events, part: Part) -> tuple[Part, int]:
        """Return the part and its number of events."""
        return part, len(events)


@dataclass(frozen=True, slots=True)
class _OfCondition:
    """Asks about one condition."""

    condition: CompiledCondition

    @property
    def columns(self) -> tuple[str, ...] | None:
        """What the condition needs."""
        return tuple(self.condition.columns)


@dataclass(frozen=True, slots=True)
class CountMatches(_OfCondition):
    """Count the events that match."""

    def __call__(self, events: Events, part: Part) -> int:
        """Return the number."""
        del part
        return _own(events, self.condition).count(self.condition)


def _own(events: Events, condition: CompiledCondition) -> Events:
    """Return the events that a rule's condition sees: those of its source."""
    source = condition.source
    if source and events.source and events.source != source:
        return events[:0]
    return events


@dataclass(frozen=True, slots=True)
class FunnelOf(_OfCondition):
    """Make the funnel of a condition."""

    def __call__(self, events: Events, part: Part) -> Funnel:
        """Return the funnel."""
        del part
        return _own(events, self.condition).funnel(self.condition)


@dataclass(frozen=True, slots=True)
class NearMissesOf(_OfCondition):
    """Find the near misses of a condition."""

    def __call__(self, events: Events, part: Part) -> NearMisses:
        """Return the near misses."""
        del part
        return _own(events, self.condition).near_misses(self.condition)


@dataclass(frozen=True, slots=True)
class CountValues:
    """Count the values of a field, each value of a list on its own."""

    column: str

    @property
    def columns(self) -> tuple[str, ...] | None:
        """The field."""
        return (self.column,)

    def __call__(self, events: Events, part: Part) -> dict[Any, int]:
        """Return value, as the frame shows it → number of events."""
        del part
        if not len(events):
            return {}
        table = events.table_with([self.column])
        shown = events.derive(table).frame[self.column]
        info = column_info(self.column, events.fields)
        values = shown.explode() if info is not None and info.is_list else shown
        counts = values.value_counts(dropna=True)
        return dict(zip(counts.index.tolist(), counts.tolist(), strict=True))


@dataclass(frozen=True, slots=True)
class CountTimes:
    """Count events, or those that match, by units of time of ``unit_ns``."""

    unit_ns: int
    condition: CompiledCondition | None = None

    @property
    def columns(self) -> tuple[str, ...] | None:
        """What the condition needs."""
        return () if self.condition is None else tuple(self.condition.columns)

    def __call__(self, events: Events, part: Part) -> dict[int, int]:
        """Return start of the unit (ns) → number."""
        del part
        if self.condition is not None:
            events = _own(events, self.condition)
            if len(events):
                events = events.where(self.condition)
        times = events.table.column("evt.rawtime").to_numpy()
        starts, counts = np.unique(times // np.uint64(self.unit_ns), return_counts=True)
        return {
            int(s) * self.unit_ns: int(n) for s, n in zip(starts, counts, strict=True)
        }


@dataclass(frozen=True, slots=True)
class AllRows:
    """Return the events themselves, at most the first ``limit`` in order of time."""

    limit: int | None = None
    columns: tuple[str, ...] | None = None

    def __call__(self, events: Events, part: Part) -> Rows:
        """Return them as rows of this part."""
        table = _with_source(events)
        times = table.column("evt.rawtime").to_numpy()
        order = np.argsort(times, kind="stable")[: self.limit]
        return Rows.of(events, table.take(order), part)


@dataclass(frozen=True, slots=True)
class ChosenRows:
    """Return some events, by their places among the chosen ones of a part."""

    places: dict[tuple[int, tuple[int, ...] | None], list[int]]
    columns: tuple[str, ...] | None = None

    def __call__(self, events: Events, part: Part) -> Rows:
        """Return them as rows of this part."""
        chosen = np.array(self.places[part.file, part.groups], np.int64)
        table = _with_source(events).take(chosen)
        return Rows.of(events, table, part)


@dataclass(frozen=True, slots=True)
class Rows:
    """Some events of one part, with where they came from."""

    table: pa.Table
    origin: Any
    file: int

    @classmethod
    def of(cls, events: Events, table: pa.Table, part: Part) -> Rows:
        """Wrap rows of ``events``."""
        return cls(table, events.origin, part.file)


def _with_source(events: Events) -> pa.Table:
    """Return the table; files of several sources stay apart when joined."""
    table = events.table_with(["evt.source"])
    at = table.column_names.index("evt.source")
    import pyarrow as pa

    plain = table.column(at).cast(pa.binary())
    return table.set_column(at, "evt.source", plain)


def join_funnels(funnels: Sequence[Funnel]) -> Funnel:
    """Return the funnel over all parts."""
    first = funnels[0]
    steps = tuple(
        replace(
            same[0],
            alone=sum(s.alone for s in same),
            reached=sum(s.reached for s in same),
            passed=sum(s.passed for s in same),
        )
        for same in zip(*(f.steps for f in funnels), strict=True)
    )
    return replace(
        first,
        rows=sum(f.rows for f in funnels),
        matches=sum(f.matches for f in funnels),
        steps=steps,
    )


def join_near_misses(found: Sequence[NearMisses]) -> NearMisses:
    """Return the near misses over all parts.

    ``rows`` of a group count on from part to part; its ``seen`` values are the most
    frequent ones of the first rows of every part.
    """
    groups: dict[tuple[int, bool], list[NearMiss]] = {}
    before = 0
    for one in found:
        for group in one.groups:
            moved = replace(group, rows=group.rows + before)
            groups.setdefault((group.check, group.verdict), []).append(moved)
        before += one.rows
    joined = [_join_group(same) for same in groups.values()]
    joined.sort(key=lambda group: -group.count)
    return replace(
        found[0],
        rows=before,
        matches=sum(f.matches for f in found),
        count=sum(f.count for f in found),
        groups=tuple(joined),
    )


def _join_group(same: Sequence[NearMiss]) -> NearMiss:
    seen: Counter[str] = Counter()
    for group in same:
        seen.update(dict(group.seen))
    numbers = [group.events for group in same if group.events is not None]
    return replace(
        same[0],
        count=sum(group.count for group in same),
        rows=np.concatenate([g.rows for g in same])[:_MAX_NEAR_ROWS],
        events=np.concatenate(numbers)[:_MAX_NEAR_ROWS] if numbers else None,
        seen=tuple(seen.most_common(_MAX_SEEN)),
    )


def join_values(counts: Sequence[dict[Any, int]]) -> Counter[Any]:
    """Return value → number over all parts. Raises WorkbenchError for too many."""
    total: Counter[Any] = Counter()
    for one in counts:
        total.update(one)
        if len(total) > MAX_VALUES:
            raise WorkbenchError(
                f"the field has more than {MAX_VALUES:,} different values here; "
                "choose fewer events with where(…) or between(…) first"
            )
    return total
