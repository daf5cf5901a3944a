"""Two versions of rules on the same events: which alerts differ, and whose."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from workbench.rules.running.alerts import Alerts
from workbench.rules.running.rendered import readable

if TYPE_CHECKING:
    import pandas as pd

    from workbench.rules.running.alert_batch import SomeBatch

__all__ = ["Comparison", "compare_runs"]

_MAX_LINES = 10
_SUMMARY = ["rule", "before", "after", "new", "gone", "moved_here", "moved_away"]


@dataclass(frozen=True, slots=True)
class Comparison:
    """The difference between two runs.

    ``appeared``, ``disappeared``: alerts as (event number, rule, line). ``moved``:
    events that alert in both, but for another rule, as (event number, old rule, new
    rule); their alerts are also among those that appeared and disappeared.
    ``changed``: (event number, rule, old line, new line), the rule firing in both.
    ``same``: number of alerts that stay as they are. ``before``, ``after``: rule →
    number of alerts. ``all_matches``: whether every matching rule alerted, or only the
    first one on each event, as Falco does by default.
    """

    appeared: list[tuple[int, str, str]]
    disappeared: list[tuple[int, str, str]]
    changed: list[tuple[int, str, str, str]]
    same: int
    moved: list[tuple[int, str, str]]
    before: dict[str, int]
    after: dict[str, int]
    all_matches: bool = False

    def __bool__(self) -> bool:
        """Whether there is any difference."""
        return bool(self.appeared or self.disappeared or self.changed)

    @property
    def mode(self) -> str:
        """How rules matched: "first match" or "all matches"."""
        return "all matches" if self.all_matches else "first match"

    @property
    def frame(self) -> pd.DataFrame:
        """One row per difference: change, evt.num, rule, old, new.

        What moved is one row: the rule is the new one, ``old`` and ``new`` are lines.
        """
        import pandas as pd

        appeared = {(n, r): line for n, r, line in self.appeared}
        disappeared = {(n, r): line for n, r, line in self.disappeared}
        rows: list[tuple[str, int, str, str | None, str | None]] = []
        for n, old, new in self.moved:
            rows.append(
                ("moved", n, new, disappeared.pop((n, old)), appeared.pop((n, new)))
            )
        rows += [("appeared", n, r, None, line) for (n, r), line in appeared.items()]
        rows += [
            ("disappeared", n, r, line, None) for (n, r), line in disappeared.items()
        ]
        rows += [("changed", n, r, old, new) for n, r, old, new in self.changed]
        rows.sort(key=lambda row: (row[1], row[2]))
        return pd.DataFrame(rows, columns=["change", "evt.num", "rule", "old", "new"])

    @property
    def summary(self) -> pd.DataFrame:
        """One row per rule that alerted: alerts before and after, and what became.

        Columns: rule, before, after, new and gone (alerts on events that had, or now
        have, none of another rule), moved_here, moved_away.
        """
        import pandas as pd

        here = Counter(new for _, _, new in self.moved)
        away = Counter(old for _, old, _ in self.moved)
        appeared = Counter(rule for _, rule, _ in self.appeared)
        gone = Counter(rule for _, rule, _ in self.disappeared)
        rows = [
            (
                name,
                self.before.get(name, 0),
                self.after.get(name, 0),
                appeared[name] - here[name],
                gone[name] - away[name],
                here[name],
                away[name],
            )
            for name in dict.fromkeys([*self.before, *self.after])
        ]
        return pd.DataFrame(rows, columns=_SUMMARY)

    @property
    def title(self) -> str:
        """One sentence with the result, and how rules matched."""
        moved = len(self.moved)
        parts = [
            f"{len(self.appeared) - moved} alerts appear",
            f"{len(self.disappeared) - moved} disappear",
            f"{len(self.changed)} change",
            f"{self.same} stay",
        ]
        if moved:
            parts.insert(2, f"{moved} move to another rule")
        return f"{', '.join(parts)} ({self.mode})"

    def _rule_lines(self) -> list[str]:
        lines = []
        for row in self.summary.itertuples(index=False):
            parts = [
                f"{number} {word}"
                for number, word in (
                    (row.new, "new"),
                    (row.gone, "gone"),
                    (row.moved_here, "from other rules"),
                    (row.moved_away, "to other rules"),
                )
                if number
            ]
            if parts:
                counts = f"{row.before} → {row.after}"
                lines.append(f"  {row.rule}: {counts} ({', '.join(parts)})")
        return lines

    def __str__(self) -> str:
        """Count the differences, all and by rule, and show the first ones."""
        from workbench.formatting.printable import printable

        lines = [self.title]
        lines += [printable(line, limit=200) for line in self._rule_lines()]
        for sign, found in (("+", self.appeared), ("-", self.disappeared)):
            for number, rule, line in found[:_MAX_LINES]:
                lines.append(printable(f"{sign} {number} {rule}: {line}", limit=200))
            if len(found) > _MAX_LINES:
                lines.append(f"{sign} … and {len(found) - _MAX_LINES} more")
        for number, rule, old, new in self.changed[:_MAX_LINES]:
            lines.append(printable(f"~ {number} {rule}: {old}", limit=200))
            lines.append(printable(f"  → {new}", limit=200))
        return "\n".join(lines)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        from workbench.formatting import html

        title = html.tag("p", html.escape(self.title))
        rules = [list(row) for row in self.summary.itertuples(index=False)]
        changed = [row for row in rules if any(row[3:])]
        summary = html.table(_SUMMARY, changed) if changed else ""
        rows = [list(row) for row in self.frame.head(200).itertuples(index=False)]
        table = html.table(["change", "evt.num", "rule", "old", "new"], rows)
        return title + summary + table


_Key = tuple[str, int, str]


def _lines(alerts: Alerts) -> dict[_Key, str]:
    return {
        (rule.source, number, rule.name): readable(line)
        for some in alerts.rendered()
        for number, rule, line in zip(some.numbers, some.rules, some.lines, strict=True)
    }


def _without_shared(old: Alerts, new: Alerts) -> tuple[Alerts, Alerts, int]:
    """Take out the alerts that stay: same event, same rule, same output.

    Found by their bitmaps, so that only what differs is ever rendered. Returns what is
    left of both, and how many stay.
    """
    same = 0
    left: tuple[list[SomeBatch], list[SomeBatch]] = ([], [])
    for a, b in zip(old.batches, new.batches, strict=True):
        rest_a, rest_b, count = a.apart(b)
        left[0].append(rest_a)
        left[1].append(rest_b)
        same += count
    return Alerts(left[0]), Alerts(left[1]), same


def compare_runs(old: Alerts, new: Alerts, *, all_matches: bool = False) -> Comparison:
    """Compare alerts of two runs over the same events, event and rule by rule.

    ``all_matches``: how both ran. Then several rules may alert on one event, so that
    nothing moves from one to another.
    """
    rest_old, rest_new, same = old, new, 0
    if len(old.batches) == len(new.batches):
        rest_old, rest_new, same = _without_shared(old, new)
    before, after = _lines(rest_old), _lines(rest_new)
    appeared = [key for key in after if key not in before]
    disappeared = [key for key in before if key not in after]
    moved = []
    if not all_matches:
        rule_of = {key[:2]: key[2] for key in disappeared}
        moved = [
            (number, rule_of[source, number], rule)
            for source, number, rule in appeared
            if (source, number) in rule_of
        ]
    return Comparison(
        [(k[1], k[2], after[k]) for k in appeared],
        [(k[1], k[2], before[k]) for k in disappeared],
        [
            (k[1], k[2], line, after[k])
            for k, line in before.items()
            if k in after and after[k] != line
        ],
        same + sum(1 for k, line in before.items() if after.get(k) == line),
        moved,
        dict(old.counts),
        dict(new.counts),
        all_matches,
    )
