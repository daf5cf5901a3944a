"""Matches of rules on events, kept as bitmaps and rendered when asked for.

So counting is free, and the first thousand alerts of a million cost a thousand.
"""

from __future__ import annotations

from collections import Counter
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

from workbench.arrow.buffers import flags_of, numbers_array
from workbench.rules.running.rendered import MergedAlerts, RenderedAlerts

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterator, Sequence

    import numpy as np
    import pyarrow as pa

    from workbench.rules.running.alert_format import AlertFormat, AlertRule
    from workbench.rules.running.rendered import SomeAlerts

__all__ = ["AlertBatch", "MixedBatch", "SomeBatch"]

# Alerts rendered at a time.
_RENDERED = 16_384


class AlertBatch:
    """Matches on one table. ``masks``: one bitmap per rule, in definition order."""

    def __init__(
        self,
        rules: Sequence[AlertRule],
        alert_format: AlertFormat,
        masks: Sequence[pa.BooleanArray],
        rows: int,
        table_of: Callable[[Any], pa.Table],
        *,
        all_masks: Callable[[], Sequence[pa.BooleanArray]] | None = None,
    ) -> None:
        """Keep the matches; made by the engine.

        ``all_masks``: makes the bitmaps of all matches when only the first one of each
        row is in ``masks``; asked when somebody wants to know.
        """
        self.rules = list(rules)
        self.masks = list(masks)
        self.rows = rows
        self._format = alert_format
        self._table_of = table_of
        self._all_masks = all_masks
        self.totals = [mask.true_count for mask in self.masks]

    @cached_property
    def _matches(self) -> tuple[list[int], list[Counter[str]]]:
        """Per rule the matches, and how many of them went to which earlier rule."""
        import numpy as np

        hidden: list[Counter[str]] = [Counter() for _ in self.rules]
        if self._all_masks is None:
            return list(self.totals), hidden
        every = self._all_masks()
        matched = [mask.true_count for mask in every]
        if matched == self.totals:
            return matched, hidden
        first = np.full(self.rows, -1, np.int32)
        for number, mask in enumerate(self.masks):
            first[flags_of(mask)] = number
        for number, mask in enumerate(every):
            if matched[number] == self.totals[number]:
                continue
            winners = first[flags_of(mask)]
            counts = np.bincount(winners[winners != number], minlength=1)
            for winner in np.flatnonzero(counts):
                hidden[number][self.rules[winner].name] += int(counts[winner])
        return matched, hidden

    @property
    def matched(self) -> list[int]:
        """The matches of each rule, alerts or not."""
        return self._matches[0]

    @property
    def hidden(self) -> list[Counter[str]]:
        """For each rule: earlier rule → matches that alerted as that rule instead."""
        return self._matches[1]

    def __len__(self) -> int:
        """Count the alerts."""
        return sum(self.totals)

    def of(self, names: Container[str]) -> AlertBatch:
        """Return the alerts of the named rules alone."""
        kept = [i for i, rule in enumerate(self.rules) if rule.name in names]
        return AlertBatch(
            [self.rules[i] for i in kept],
            self._format,
            [self.masks[i] for i in kept],
            self.rows,
            self._table_of,
        )

    def apart(self, other: SomeBatch) -> tuple[SomeBatch, SomeBatch, int]:
        """Return what only one of two runs over the same events has, and the rest.

        The rest is a count: alerts of one rule on one event that print the same. Where
        that cannot be told from bitmaps, both batches come back whole.
        """
        import pyarrow.compute as pc

        if not isinstance(other, AlertBatch) or other.rows != self.rows:
            return self, other, 0
        if other._format != self._format:  # noqa: SLF001 - of its own class
            return self, other, 0
        masks, others, same = list(self.masks), list(other.masks), 0
        places = {rule.name: at for at, rule in enumerate(other.rules)}
        for at, rule in enumerate(self.rules):
            there = places.get(rule.name)
            if there is None or not rule.prints_as(other.rules[there]):
                continue
            both = pc.and_(self.masks[at], other.masks[there])
            same += both.true_count
            masks[at] = pc.and_not(self.masks[at], both)
            others[there] = pc.and_not(other.masks[there], both)
        rest = other._with_masks(others)  # noqa: SLF001 - of its own class
        return self._with_masks(masks), rest, same

    def _with_masks(self, masks: Sequence[pa.BooleanArray]) -> AlertBatch:
        return AlertBatch(self.rules, self._format, masks, self.rows, self._table_of)

    def compacted(self) -> AlertBatch:
        """Return the same alerts without the events that raised none."""
        import numpy as np

        rows = np.unique(self.pairs()[0])
        table = self._table_of(numbers_array(rows))
        masks = [mask.take(numbers_array(rows)) for mask in self.masks]
        compact = AlertBatch(self.rules, self._format, masks, len(rows), table.take)
        if self._all_masks is not None:
            # What matches at all raises an alert, of one rule or another.
            every = [mask.take(numbers_array(rows)) for mask in self._all_masks()]
            compact._all_masks = lambda: every
        return compact

    def pairs(self, limit: int | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Return rows and rule numbers of the alerts, in order; at most ``limit``."""
        import numpy as np

        upto = self.rows
        if limit is not None and limit < len(self):
            upto = min(self.rows, max(4096, limit))
            while upto < self.rows:
                if sum(m.slice(0, upto).true_count for m in self.masks) >= limit:
                    break
                upto = min(self.rows, upto * 4)
        nothing = np.empty(0, np.int64)
        found = [
            np.flatnonzero(flags_of(mask.slice(0, upto))) if total else nothing
            for mask, total in zip(self.masks, self.totals, strict=True)
        ]
        if not found:
            return np.empty(0, np.int64), np.empty(0, np.int32)
        rows = np.concatenate(found)
        which = np.repeat(
            np.arange(len(found), dtype=np.int32), [len(f) for f in found]
        )
        order = np.argsort(rows, kind="stable")
        if limit is not None:
            order = order[:limit]
        return rows[order], which[order]

    def render(self, rows: np.ndarray, which: np.ndarray) -> RenderedAlerts:
        """Render alerts by row and rule number, as :meth:`pairs` returns them."""
        table = self._table_of(numbers_array(rows))
        return RenderedAlerts(self.rules, self._format, table, which)

    def rendered(self, limit: int | None = None) -> Iterator[SomeAlerts]:
        """Yield alerts in order, some thousands at a time."""
        rows, which = self.pairs(limit)
        for start in range(0, len(rows), _RENDERED):
            some = slice(start, start + _RENDERED)
            yield self.render(rows[some], which[some])


class MixedBatch:
    """Matches on events of several sources, each source with its own rules."""

    def __init__(
        self, batches: Sequence[AlertBatch], positions: Sequence[np.ndarray]
    ) -> None:
        """Join ``batches``; ``positions``: of each one's rows among all events."""
        self._batches = batches
        self._positions = positions
        self.rules = [rule for batch in batches for rule in batch.rules]
        self.totals = [total for batch in batches for total in batch.totals]

    @property
    def matched(self) -> list[int]:
        """The matches of each rule, alerts or not."""
        return [number for batch in self._batches for number in batch.matched]

    @property
    def hidden(self) -> list[Counter[str]]:
        """For each rule: earlier rule → matches that alerted as that rule instead."""
        return [counts for batch in self._batches for counts in batch.hidden]

    def __len__(self) -> int:
        """Count the alerts."""
        return sum(self.totals)

    def of(self, names: Container[str]) -> MixedBatch:
        """Return the alerts of the named rules alone."""
        return MixedBatch([batch.of(names) for batch in self._batches], self._positions)

    def apart(self, other: SomeBatch) -> tuple[SomeBatch, SomeBatch, int]:
        """As ``AlertBatch.apart``, source by source."""
        if not isinstance(other, MixedBatch):
            return self, other, 0
        theirs = other._batches  # noqa: SLF001 - of its own class
        if len(theirs) != len(self._batches):
            return self, other, 0
        rest, others, same = [], [], 0
        for mine, their in zip(self._batches, theirs, strict=True):
            a, b, count = mine.apart(their)
            rest.append(a)
            others.append(b)
            same += count
        # events of both lie at the same places
        return self._of(rest), self._of(others), same

    def _of(self, batches: Sequence[Any]) -> MixedBatch:
        return MixedBatch(batches, self._positions)

    def rendered(self, limit: int | None = None) -> Iterator[SomeAlerts]:
        """Yield alerts in the order of the events, some thousands at a time."""
        import numpy as np

        found = [batch.pairs(limit) for batch in self._batches]
        counts = [len(rows) for rows, _ in found]
        owners = np.repeat(np.arange(len(found)), counts)
        inner = np.concatenate([np.arange(count) for count in counts])
        positions = [
            own[rows] for own, (rows, _) in zip(self._positions, found, strict=True)
        ]
        order = np.argsort(np.concatenate(positions), kind="stable")[:limit]
        for start in range(0, len(order), _RENDERED):
            some = order[start : start + _RENDERED]
            parts = []
            for owner, (rows, which) in enumerate(found):
                own = inner[some[owners[some] == owner]]
                parts.append(self._batches[owner].render(rows[own], which[own]))
            yield MergedAlerts(parts, owners[some].tolist())


SomeBatch: TypeAlias = "AlertBatch | MixedBatch"
