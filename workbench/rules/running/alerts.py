"""Alerts of a run: counted, as a DataFrame, as text and JSON like Falco's."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any

from workbench.formatting.printable import printable
from workbench.rules.model.model import PRIORITIES
from workbench.rules.running.rendered import readable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    import pandas as pd

    from workbench.rules.running.alert_batch import SomeBatch
    from workbench.rules.running.alert_format import AlertRule
    from workbench.rules.running.alert_plots import AlertPlots
    from workbench.rules.running.rendered import SomeAlerts

__all__ = ["Alerts", "match_statistics", "statistics"]

# Lines that a repr shows.
_MAX_LINES = 20
# Earlier rules named in a line of statistics.
_MAX_NAMED = 5


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


def match_statistics(
    matched: Mapping[str, int],
    alerted: Mapping[str, int],
    hidden: Mapping[str, Mapping[str, int]],
    *,
    spelled: bool = False,
) -> str:
    """Return one line per rule that matched: matches, alerts, and who hid the rest.

    ``spelled``: as for :func:`statistics`.
    """
    rows = []
    for name, number in matched.items():
        if not number:
            continue
        earlier = sorted(hidden.get(name, {}).items(), key=lambda item: -item[1])
        taken = ", ".join(f"{count} by {rule}" for rule, count in earlier[:_MAX_NAMED])
        if len(earlier) > _MAX_NAMED:
            taken += f" and {len(earlier) - _MAX_NAMED} more rules"
        text = f"   {name}: {number} matched, {alerted.get(name, 0)} alerted"
        rows.append(f"{text}, hidden: {taken}" if taken else text)
    shown = [printable(row) for row in rows] if spelled else rows
    return "\n".join(["Matches by rule name:", *shown])


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
    def matched(self) -> dict[str, int]:
        """Rule → number of events that match it, alerts or not, in definition order.

        Every rule that ran is there. Under first match an event alerts for the first
        rule that it matches; see :attr:`hidden` for the others.
        """
        total = dict.fromkeys((rule.name for rule in self.rules), 0)
        for batch in self.batches:
            for rule, number in zip(batch.rules, batch.matched, strict=True):
                total[rule.name] += number
        return total

    @property
    def hidden(self) -> dict[str, dict[str, int]]:
        """Rule → {earlier rule: number}: matches that alerted as the earlier rule.

        Rules with nothing hidden are left out; so is everything when all matches alert.
        """
        found: dict[str, Counter[str]] = {r.name: Counter() for r in self.rules}
        for batch in self.batches:
            for rule, counts in zip(batch.rules, batch.hidden, strict=True):
                found[rule.name] += counts
        return {name: dict(counts) for name, counts in found.items() if counts}

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

    def of(self, names: Iterable[str]) -> Alerts:
        """Return the alerts of some rules alone, in the same order."""
        wanted = frozenset(names)
        return Alerts([batch.of(wanted) for batch in self.batches], self.limit)

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

        Then the fields that the outputs of these rules show, typed as in
        ``Events.frame``. ``evt.time`` is timestamp[ns, UTC]; ``output`` is the line as
        Falco prints it.
        """
        from workbench.rules.running.alert_table import alert_frame

        return alert_frame(list(self.rendered()))

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield each alert as a mapping: the columns of :attr:`frame` → its values.

        Of output fields only those of its own rule; absent values are None.
        """
        from workbench.rules.running.alert_table import alert_rows

        for some in self.rendered():
            yield from alert_rows(some)

    def per(self, *by: str) -> pd.Series:
        """Count alerts by columns of :attr:`frame` and by units of time.

        Units: second, minute, hour, day. ``alerts.per("rule", "hour")`` is a Series of
        counts by rule and hour; ``.unstack("rule")`` makes a table of it. Raises
        KeyError for any other name.
        """
        from workbench.rules.running.alert_table import counts_by

        return counts_by(self.frame, by)

    @property
    def plot(self) -> AlertPlots:
        """Plots of the alerts: ``plot.timeline()``, ``plot.top("rule")``."""
        from workbench.rules.running.alert_plots import AlertPlots

        return AlertPlots(self.per)

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

    def statistics(self, *, matches: bool = False, spelled: bool = False) -> str:
        """Return the closing block that Falco prints, of all alerts.

        ``matches``: with a line per rule behind it: matched, alerted, hidden by which
        earlier rule. ``spelled``: hidden characters in names of rules are spelled.
        """
        text = statistics(self.counts, self.rules, spelled=spelled)
        if not matches:
            return text
        more = match_statistics(self.matched, self.counts, self.hidden, spelled=spelled)
        return f"{text}\n{more}"

    def __repr__(self) -> str:
        """Show the first lines and the statistics, control characters spelled out."""
        lines = [
            printable(readable(line), limit=300)
            for line in islice(self.lines(), _MAX_LINES)
        ]
        more = len(self) - len(lines)
        if more > 0:
            lines.append(f"… and {more:,} more")
        counts = self.statistics(matches=bool(self.hidden), spelled=True)
        return "\n".join([*lines, counts])

    def __str__(self) -> str:
        """Return :meth:`to_text`."""
        return self.to_text()

    def _repr_html_(self) -> str:
        from workbench.formatting import html
        from workbench.rules.running.alert_table import COLUMNS

        rows = self.head(_MAX_LINES).rows()
        table = html.table(COLUMNS, [[row[name] for name in COLUMNS] for row in rows])
        more = len(self) - _MAX_LINES
        note = html.tag("p", html.escape(f"… and {more:,} more")) if more > 0 else ""
        return table + note + _pre(self.statistics(matches=bool(self.hidden)))


def _pre(text: str) -> str:
    """Return lines as escaped HTML that keeps their ends."""
    from workbench.formatting import html

    return html.tag("pre", "<br>".join(html.escape(t) for t in text.split("\n")))
