"""Matches of rules on events, kept as bitmaps and rendered when asked for.

So counting is free, and the first thousand alerts of a million cost a thousand.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from workbench.rules.running.rendered import MergedAlerts, RenderedAlerts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

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
    ) -> None:
        """Keep the matches; made by the engine."""
        self.rules = list(rules)
        self.masks = list(masks)
        self.rows = rows
        self._format = alert_format
        self._table_of = table_of
        self.totals = [mask.true_count for mask in self.masks]

    def __len__(self) -> int:
        """Count the alerts."""
        return sum(self.totals)

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
            np.flatnonzero(mask.slice(0, upto).to_numpy(zero_copy_only=False))
            if total
            else nothing
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
        import pyarrow as pa

        table = self._table_of(pa.array(rows))
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

    def __len__(self) -> int:
        """Count the alerts."""
        return sum(self.totals)

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
