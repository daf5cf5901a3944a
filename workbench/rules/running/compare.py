"""Two versions of rules on the same events: what appears, disappears, changes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from workbench.rules.running.rendered import readable

if TYPE_CHECKING:
    import pandas as pd

    from workbench.rules.running.alerts import Alerts

__all__ = ["Comparison", "compare_runs"]

_MAX_LINES = 10


@dataclass(frozen=True, slots=True)
class Comparison:
    """The difference between two runs.

    ``appeared``, ``disappeared``: alerts as (event number, rule, line). ``changed``:
    (event number, rule, old line, new line), the rule firing in both.
    """

    appeared: list[tuple[int, str, str]]
    disappeared: list[tuple[int, str, str]]
    changed: list[tuple[int, str, str, str]]
    same: int

    def __bool__(self) -> bool:
        """Whether there is any difference."""
        return bool(self.appeared or self.disappeared or self.changed)

    @property
    def frame(self) -> pd.DataFrame:
        """One row per difference: change, evt.num, rule, old, new."""
        import pandas as pd

        rows = [
            *(("appeared", n, r, None, line) for n, r, line in self.appeared),
            *(("disappeared", n, r, line, None) for n, r, line in self.disappeared),
            *(("changed", n, r, old, new) for n, r, old, new in self.changed),
        ]
        rows.sort(key=lambda row: (row[1], row[2]))
        return pd.DataFrame(rows, columns=["change", "evt.num", "rule", "old", "new"])

    def __str__(self) -> str:
        """Count the differences and show the first ones."""
        from workbench.formatting.printable import printable

        head = (
            f"{len(self.appeared)} alerts appear, {len(self.disappeared)} disappear, "
            f"{len(self.changed)} change, {self.same} stay"
        )
        lines = [head]
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

        rows = [list(row) for row in self.frame.head(200).itertuples(index=False)]
        title = html.tag("p", html.escape(str(self).split("\n")[0]))
        return title + html.table(["change", "evt.num", "rule", "old", "new"], rows)


def _lines(alerts: Alerts) -> dict[tuple[str, int, str], str]:
    return {
        (rule.source, number, rule.name): readable(line)
        for some in alerts.rendered()
        for number, rule, line in zip(some.numbers, some.rules, some.lines, strict=True)
    }


def compare_runs(old: Alerts, new: Alerts) -> Comparison:
    """Compare alerts of two runs over the same events, event and rule by rule."""
    before, after = _lines(old), _lines(new)
    return Comparison(
        [(k[1], k[2], line) for k, line in after.items() if k not in before],
        [(k[1], k[2], line) for k, line in before.items() if k not in after],
        [
            (k[1], k[2], line, after[k])
            for k, line in before.items()
            if k in after and after[k] != line
        ],
        sum(1 for k, line in before.items() if after.get(k) == line),
    )
