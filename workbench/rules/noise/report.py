"""How noisy rules are: rates, bursts, contributors, repeats; before and after."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from workbench.formatting.columns import fitted_columns
from workbench.formatting.printable import printable
from workbench.formatting.units import moment_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

__all__ = ["Burst", "Contributor", "Noise", "NoiseComparison", "Repeats", "RuleNoise"]

_MAX_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Burst:
    """A stretch with far more alerts than usual. ``start_ns``: ns since the epoch."""

    start_ns: int
    duration_ns: int
    alerts: int

    def __str__(self) -> str:
        """Return the number and the time."""
        return f"{self.alerts:,} from {moment_text(self.start_ns, trimmed=True)}"


@dataclass(frozen=True, slots=True)
class Contributor:
    """One value of a field, and how many of a rule's alerts have it."""

    field: str
    value: str
    alerts: int


@dataclass(frozen=True, slots=True)
class Repeats:
    """Alerts that say the same. ``distinct``: different texts, times aside.

    ``without``: field of the output → different texts if the output left it out.
    """

    alerts: int
    distinct: int
    without: dict[str, int]


@dataclass(frozen=True, slots=True)
class RuleNoise:
    """Noise of one rule. ``rate``: expected alerts per unit of time.

    ``bursts``: the largest first. ``contributors``: the most frequent values of each
    field that the rule reads, fields whose first value dominates first.
    """

    rule: str
    alerts: int
    rate: float
    bursts: tuple[Burst, ...]
    contributors: tuple[Contributor, ...]
    repeats: Repeats


@dataclass(slots=True)
class Noise:
    """Expected alerts of some rules. ``per``: "minute", "hour" or "day".

    ``duration_ns``: from the first event to the last; shorter than ``per``, rates are
    extrapolated.
    """

    per: str
    duration_ns: int
    events: int
    rules: list[RuleNoise] = field(default_factory=list)

    def __getitem__(self, name: str) -> RuleNoise:
        """Return one rule by name."""
        for rule in self.rules:
            if rule.rule == name:
                return rule
        raise KeyError(f"no rule {name!r} ran; see .rules")

    @property
    def rate(self) -> float:
        """Expected alerts of all rules per unit."""
        return sum(rule.rate for rule in self.rules)

    @property
    def frame(self) -> pd.DataFrame:
        """One row per rule: rule, alerts, rate, bursts, distinct."""
        import pandas as pd

        columns = ["rule", "alerts", "rate", "bursts", "distinct"]
        rows = [
            (r.rule, r.alerts, r.rate, len(r.bursts), r.repeats.distinct)
            for r in self.rules
        ]
        return pd.DataFrame(rows, columns=columns)

    @property
    def title(self) -> str:
        """One sentence with the result."""
        alerts = sum(rule.alerts for rule in self.rules)
        return (
            f"{_rate(self.rate)} alerts per {self.per} expected: {alerts:,} in "
            f"{self.events:,} events"
        )

    def _rows(self) -> list[list[str]]:
        return [
            [
                printable(r.rule, limit=60),
                f"{r.alerts:,}",
                _rate(r.rate),
                str(r.bursts[0]) if r.bursts else "–",
                f"{r.repeats.distinct:,}",
                "; ".join(_details(r)),
            ]
            for r in self.rules
        ]

    def _head(self) -> list[str]:
        return ["rule", "alerts", f"per {self.per}", "largest burst", "distinct"]

    def __str__(self) -> str:
        """Return one row per rule, then what contributes and what repeats."""
        rows = self._rows()
        lines = fitted_columns([self._head(), *(row[:5] for row in rows)])
        lines += [f"{row[0]}: {printable(row[5], limit=400)}" for row in rows if row[5]]
        return "\n".join([*lines, self.title])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        from workbench.formatting import html

        head = [*self._head(), "mostly"]
        return html.tag(
            "div",
            html.tag("strong", html.escape(self.title)),
            html.table(head, self._rows(), limit=400),
        )

    def compare(self, after: Noise) -> NoiseComparison:
        """Compare with the noise of edited rules over the same events.

        Raises ValueError where ``per`` differs.
        """
        if self.per != after.per:
            raise ValueError(
                f"noise per {self.per} does not compare with noise per {after.per}"
            )
        return NoiseComparison(self, after)

    def to_dict(self) -> dict[str, Any]:
        """Return what JSON shows."""
        rules = [
            {
                "rule": r.rule,
                "alerts": r.alerts,
                "rate": r.rate,
                "bursts": [[b.start_ns, b.duration_ns, b.alerts] for b in r.bursts],
                "contributors": [[c.field, c.value, c.alerts] for c in r.contributors],
                "distinct": r.repeats.distinct,
                "without": r.repeats.without,
            }
            for r in self.rules
        ]
        return {"per": self.per, "duration_ns": self.duration_ns, "rules": rules}


@dataclass(slots=True)
class NoiseComparison:
    """Noise before and after an edit of rules."""

    before: Noise
    after: Noise

    @property
    def frame(self) -> pd.DataFrame:
        """One row per rule: rule, before, after (alerts per unit)."""
        import pandas as pd

        return pd.DataFrame(self._pairs(), columns=["rule", "before", "after"])

    def _pairs(self) -> list[tuple[str, float, float]]:
        old = {r.rule: r.rate for r in self.before.rules}
        new = {r.rule: r.rate for r in self.after.rules}
        names = dict.fromkeys([*old, *new])
        return [(n, old.get(n, 0.0), new.get(n, 0.0)) for n in names]

    def _lines(self) -> Iterator[str]:
        for name, old, new in self._pairs():
            if old != new:
                per = self.before.per
                yield f"{name}: {_rate(new)} instead of {_rate(old)} per {per}"

    def __str__(self) -> str:
        """Return one line per rule whose rate changes."""
        lines = [printable(line) for line in self._lines()]
        return "\n".join(
            lines or [f"no rule alerts more or less per {self.before.per}"]
        )

    __repr__ = __str__

    def _repr_html_(self) -> str:
        from workbench.formatting import html

        items = [html.tag("div", html.escape(t)) for t in str(self).split("\n")]
        return html.tag("div", *items)


def _rate(rate: float) -> str:
    return f"{rate:,.0f}" if rate >= 10 or rate == round(rate) else f"{rate:.2g}"


def _details(rule: RuleNoise) -> Iterator[str]:
    for item in rule.contributors[:_MAX_SHOWN]:
        share = 100 * item.alerts / rule.alerts
        yield f"{share:.0f} % have {item.field} {item.value}"
    repeats = rule.repeats
    if repeats.distinct < repeats.alerts:
        yield f"{repeats.alerts - repeats.distinct:,} say the same as another"
    if repeats.without:
        name = min(repeats.without, key=lambda n: (repeats.without[n], n))
        count = repeats.without[name]
        if count * 2 <= repeats.distinct:
            yield f"without {name} in the output {count:,} would be different"
