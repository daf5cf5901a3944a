"""What a search gives: a condition, what it matches, and why it was proposed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from workbench.formatting import html
from workbench.formatting.columns import fitted_columns
from workbench.formatting.printable import printable

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Proposal", "Proposals"]


@dataclass(frozen=True, slots=True)
class Proposal:
    """A condition proposed from chosen events.

    ``matches``: events of all that match. ``precision``, ``recall``: on the labelled
    events alone, 0 to 1. ``reason``: one sentence. ``others``: numbers of some matching
    events that were not chosen. ``score``: its description length in bits, smaller is
    better.
    """

    condition: str
    matches: int
    precision: float
    recall: float
    reason: str
    others: tuple[int, ...] = ()
    score: float = 0.0

    def __str__(self) -> str:
        """Return the condition, to be used as one."""
        return self.condition


class Proposals(list[Proposal]):
    """Proposals, best first; shows itself as a table."""

    @property
    def frame(self) -> pd.DataFrame:
        """One row per proposal: condition, matches, precision, recall, reason."""
        import pandas as pd

        columns = ["condition", "matches", "precision", "recall", "reason"]
        rows = [[getattr(item, name) for name in columns] for item in self]
        return pd.DataFrame(rows, columns=columns)

    def _rows(self) -> list[list[str]]:
        return [
            [
                printable(item.condition, limit=160),
                f"{item.matches:,}",
                f"{100 * item.precision:.0f} %",
                f"{100 * item.recall:.0f} %",
                printable(item.reason, limit=300),
            ]
            for item in self
        ]

    def __repr__(self) -> str:
        if not self:
            return "no proposals"
        head = ["condition", "matches", "precision", "recall"]
        return "\n".join(fitted_columns([head, *(row[:4] for row in self._rows())]))

    def _repr_html_(self) -> str:
        if not self:
            return html.tag("div", "no proposals")
        head = ["condition", "matches", "precision", "recall", "why"]
        return html.table(head, self._rows())
