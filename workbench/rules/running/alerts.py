"""Alerts of a run: counted, as a DataFrame, as text and JSON like Falco's."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any

from workbench.formatting.printable import printable
from workbench.rules.model.model import PRIORITIES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    import pandas as pd

    from workbench.rules.running.alert_batch import SomeBatch
    from workbench.rules.running.alert_format import AlertRule
    from workbench.rules.running.rendered import SomeAlerts

__all__ = ["Alerts", "readable", "statistics"]

# Lines that a repr shows.
_MAX_LINES = 20
_COLUMNS = ["evt.num", "evt.time", "rule", "priority", "source", "output"]


def statistics(
    counts: Mapping[str, int], rules: Iterable[AlertRule], *, spelled: bool = False
) -> str:
    """Return the closing block: alerts by priority and by rule, in definition order.

    ``spelled``: hidden characters and line feeds in names of rules are spelled.
    """
    priorities: Counter[str] = Counter()
    names: dict[str, int] = {}
    for rule in sorted(rules, key=lambda rule: rule.index):
        number = counts.get(rule.name, 0)
        if number and rule.name not in names:
            priorities[rule.priority] += number
            names[rule.name] = number
    lines = [f"Events detected: {sum(names.values())}", "Rule counts by severity:"]
    lines += [
        f"   {p.key}: {priorities[p.key]}" for p in PRIORITIES if priorities[p.key]
    ]
    lines.append("Triggered rules by rule name:")
    lines += [
        f"   {printable(name) if spelled else name}: {number}"
        for name, number in names.items()
    ]
    return "\n".join(lines)


@dataclass(eq=False)
class Alerts:
    """Alerts in order: of one event after the other, and in rule order on one event.

    Nothing is rendered before it is asked for. ``limit``: only so many are shown; the
    counts are of all.
    """

    batches: list[SomeBatch] = field(default_factory=list)
    limit: int | None = None

    @property
    def counts(self) -> Counter[str]:
        """Rule → number of alerts, in definition order; 0 for any other name."""
        total = Counter[str](dict.fromkeys((rule.name for rule in self.rules), 0))
        for batch in self.batches:
            for rule, number in zip(batch.rules, batch.totals, strict=True):
                total[rule.name] += number
        return +total

    @property
    def rules(self) -> list[AlertRule]:
        """The rules that ran, in definition order."""
        known: dict[str, AlertRule] = {}
        for batch in self.batches:
            for rule in batch.rules:
                known.setdefault(rule.name, rule)
        return sorted(known.values(), key=lambda rule: rule.index)

    def __len__(self) -> int:
        """Count the alerts."""
        total = sum(map(len, self.batches))
        return total if self.limit is None else min(self.limit, total)

    def head(self, count: int = 1000) -> Alerts:
        """Return the first ``count`` alerts; only these will be rendered."""
        limit = count if self.limit is None else min(count, self.limit)
        return Alerts(self.batches, limit)

    def rendered(self) -> Iterator[SomeAlerts]:
        """Yield the alerts rendered, some thousands at a time."""
        left = self.limit
        for batch in self.batches:
            if left is not None and left <= 0:
                return
            yield from batch.rendered(left)
            if left is not None:
                left -= len(batch)

    @property
    def frame(self) -> pd.DataFrame:
        """One row per alert: evt.num, evt.time, rule, priority, source, output.

        ``evt.time`` is timestamp[ns, UTC]; ``output`` is the line as Falco prints it.
        """
        import numpy as np
        import pandas as pd

        parts = list(self.rendered())
        numbers = [n for p in parts for n in p.numbers]
        times = [t for p in parts for t in p.times]
        rules = [r for p in parts for r in p.rules]
        return pd.DataFrame(
            {
                "evt.num": np.array(numbers, dtype=np.uint64),
                "evt.time": pd.to_datetime(
                    np.array(times, dtype=np.uint64).astype("datetime64[ns]"), utc=True
                ),
                "rule": pd.Series([r.name for r in rules], dtype=object),
                "priority": pd.Series([r.priority_name for r in rules], dtype=object),
                "source": pd.Series([r.source for r in rules], dtype=object),
                "output": pd.Series(
                    [readable(line) for p in parts for line in p.lines], dtype=object
                ),
            }
        )

    def pairs(self) -> list[tuple[int, str]]:
        """Return event number and rule name of every alert, in order."""
        return [
            (number, rule.name)
            for some in self.rendered()
            for number, rule in zip(some.numbers, some.rules, strict=True)
        ]

    def lines(self) -> Iterator[str]:
        """Yield the text lines as Falco prints them, without line ends.

        Values may hold line ends of their own.
        """
        for some in self.rendered():
            yield from some.lines

    def json_lines(self) -> Iterator[str]:
        """Yield the alerts as Falco's JSON lines, without line ends."""
        for some in self.rendered():
            yield from some.json_lines()

    def to_text(self) -> str:
        """Return the text lines and the closing statistics as Falco prints them."""
        return "\n".join([*self.lines(), self.statistics()]) + "\n"

    def to_jsonl(self) -> str:
        """Return one JSON object per line with Falco's keys."""
        return "".join(f"{line}\n" for line in self.json_lines())

    def to_dicts(self) -> list[dict[str, Any]]:
        """Return the alerts as Falco's JSON objects, decoded."""
        return [json.loads(line) for line in self.json_lines()]

    def statistics(self) -> str:
        """Return the closing block that Falco prints, of all alerts."""
        return statistics(self.counts, self.rules)

    def __repr__(self) -> str:
        """Show the first lines and the statistics, control characters spelled out."""
        lines = [
            printable(readable(line), limit=300)
            for line in islice(self.lines(), _MAX_LINES)
        ]
        more = len(self) - len(lines)
        if more > 0:
            lines.append(f"… and {more:,} more")
        return "\n".join([*lines, statistics(self.counts, self.rules, spelled=True)])

    def __str__(self) -> str:
        """Return :meth:`to_text`."""
        return self.to_text()

    def _repr_html_(self) -> str:
        from workbench.formatting import html

        rows = self.head(_MAX_LINES).frame.itertuples(index=False)
        table = html.table(
            _COLUMNS,
            [list(row) for row in rows],
        )
        more = len(self) - _MAX_LINES
        note = html.tag("p", html.escape(f"… and {more:,} more")) if more > 0 else ""
        return table + note + _pre(self.statistics())


def readable(line: str) -> str:
    """Repair what is not UTF-8, for people."""
    if line.isascii():
        return line
    return line.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _pre(text: str) -> str:
    """Return lines as escaped HTML that keeps their ends."""
    from workbench.formatting import html

    return html.tag("pre", "<br>".join(html.escape(t) for t in text.split("\n")))
