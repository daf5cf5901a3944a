"""What mutation testing found: as text, HTML, JSON, JUnit, and as new rule tests."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from workbench.formatting.printable import printable
from workbench.rules.testing.report import CaseResult, TestReport

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

    from workbench.rules.mutating.witness import Witness

__all__ = ["Mutant", "MutationReport"]

_MAX_SHOWN = 50
_VERBS = {
    "check": "check left out",
    "not": "'not' left out",
    "item": "item left out",
    "exception": "exception left out",
}


@dataclass(frozen=True, slots=True)
class Mutant:
    """One mistake that somebody could make.

    ``rule``: that it changes; ``rules``: all of them, where it is in a shared macro or
    list. ``inside``: the item it is in. ``kind``: "operator", "value", "item", "check",
    "not", "and/or" or "exception". ``file``, ``line``, ``column``: from 1, in
    characters. ``outcome``: "killed" (a test or a labelled event notices), "survived",
    or "equivalent" (no event of those given tells it from the rule). ``noticed_by``:
    the case or event. ``witness``: of a survivor, an event that tells them apart; None
    where none is known.
    """

    rule: str
    rules: tuple[str, ...]
    inside: str
    kind: str
    before: str
    after: str
    file: str
    line: int
    column: int
    outcome: str
    noticed_by: str = ""
    witness: Witness | None = None

    @property
    def change(self) -> str:
        """What was changed, in a few words."""
        if self.kind in _VERBS:
            of = "" if self.kind == "not" else f": {self.before}"
            return _VERBS[self.kind] + of
        return f"{self.before} → {self.after}"

    @property
    def place(self) -> str:
        """File, line and column."""
        return f"{self.file}:{self.line}:{self.column}"

    def to_dict(self) -> dict[str, Any]:
        """Return what JSON shows."""
        names = ("rule", "rules", "inside", "kind", "before", "after", "file", "line",
                 "column", "outcome", "noticed_by")  # fmt: skip
        data = {name: getattr(self, name) for name in names}
        data["rules"] = list(self.rules)
        data["change"] = self.change
        data["witness"] = self.witness.to_dict() if self.witness else None
        return data


@dataclass(slots=True)
class MutationReport:
    """The mutants of some rules, and which of them the tests notice."""

    mutants: list[Mutant] = field(default_factory=list)

    def _of(self, outcome: str) -> list[Mutant]:
        return [m for m in self.mutants if m.outcome == outcome]

    @property
    def killed(self) -> list[Mutant]:
        """Mutants that a test or a labelled event notices."""
        return self._of("killed")

    @property
    def survivors(self) -> list[Mutant]:
        """Mutants that nothing notices, with an event that would if one is known."""
        return self._of("survived")

    @property
    def equivalent(self) -> list[Mutant]:
        """Mutants that match the same events as the rule, among all known ones."""
        return self._of("equivalent")

    @property
    def score(self) -> float:
        """Share of mutants noticed, 0 to 1, without the equivalent ones."""
        return _score(self.mutants)

    @property
    def scores(self) -> dict[str, float]:
        """Rule → score of the mutants that change it."""
        names = dict.fromkeys(name for m in self.mutants for name in m.rules)
        return {n: _score([m for m in self.mutants if n in m.rules]) for n in names}

    @property
    def frame(self) -> pd.DataFrame:
        """One row per mutant: rule, inside, file, line, column, change, outcome …."""
        import pandas as pd

        columns = ["rule", "inside", "file", "line", "column", "change", "outcome",
                   "noticed_by"]  # fmt: skip
        rows = [[getattr(m, name) for name in columns] for m in self.mutants]
        return pd.DataFrame(rows, columns=columns)

    @property
    def title(self) -> str:
        """One sentence with the result."""
        counts = len(self.killed), len(self.survivors), len(self.equivalent)
        text = f"{counts[0]:,} of {counts[0] + counts[1]:,} mutants noticed"
        if counts[0] + counts[1]:
            text += f" ({100 * self.score:.0f} %)"
        if counts[2]:
            text += f"; {counts[2]:,} more match the same known events as the rules"
        return text

    def _lines(self, limit: int | None) -> Iterator[str]:
        survivors = self.survivors
        for mutant in survivors[:limit]:
            yield printable(f"{mutant.place}: {mutant.rule}: {mutant.change}")
            if mutant.inside != f"rule {mutant.rule}":
                yield printable(f"    in {mutant.inside}")
            if mutant.witness is not None:
                yield f"    {printable(mutant.witness.sentence)}; as a test:"
                case = mutant.witness.case_lines()
                yield from (f"    {printable(line)}" for line in case)
        if limit is not None and len(survivors) > limit:
            yield f"… and {len(survivors) - limit:,} more"
        for rule, score in self.scores.items():
            yield printable(f"{rule}: {100 * score:.0f} %")
        yield self.title

    def to_text(self) -> str:
        """Return every survivor at its place, the score of each rule, and the sum."""
        return "\n".join(self._lines(None))

    def __str__(self) -> str:
        """Return :meth:`to_text` with the first survivors only."""
        return "\n".join(self._lines(_MAX_SHOWN))

    __repr__ = __str__

    def _repr_html_(self) -> str:
        from workbench.formatting import html

        survivors = self.survivors
        rows = [
            (m.place, m.rule, m.change, m.witness.sentence if m.witness else "")
            for m in survivors[:_MAX_SHOWN]
        ]
        parts = [html.tag("strong", html.escape(self.title))]
        scores = [(rule, f"{100 * score:.0f} %") for rule, score in self.scores.items()]
        parts.append(html.table(["rule", "noticed"], scores))
        if rows:
            head = ["survivor", "rule", "change", "an event that tells them apart"]
            parts.append(html.table(head, rows))
        if len(survivors) > _MAX_SHOWN:
            parts.append(html.tag("p", f"… and {len(survivors) - _MAX_SHOWN:,} more"))
        for mutant in survivors[:_MAX_SHOWN]:
            if mutant.witness is not None:
                case = "\n".join(map(printable, mutant.witness.case_lines()))
                label = html.tag("summary", html.escape(f"as a test: {mutant.change}"))
                lines = "<br>".join(html.escape(t) for t in case.split("\n"))
                style = "white-space:pre-wrap;text-align:left"
                shown = html.tag("pre", lines, style=style)
                parts.append(html.tag("details", label, shown))
        return html.tag("div", *parts)

    def to_dict(self) -> dict[str, Any]:
        """Return what JSON shows: score, scores, counts and every mutant."""
        return {
            "score": self.score,
            "scores": self.scores,
            "killed": len(self.killed),
            "survived": len(self.survivors),
            "equivalent": len(self.equivalent),
            "mutants": [m.to_dict() for m in self.mutants],
        }

    def to_junit(self) -> str:
        """Return JUnit XML: one case per mutant, failed where it survived."""
        results = []
        for mutant in self.mutants:
            message = ""
            if mutant.outcome == "survived":
                message = "no test notices this mutant"
                if mutant.witness is not None:
                    case = "\n".join(mutant.witness.case_lines())
                    message += f"; {mutant.witness.sentence}:\n{case}"
            name = f"{mutant.rule}: {mutant.change} ({mutant.line}:{mutant.column})"
            results.append(CaseResult(name, mutant.file, mutant.line, message))
        return TestReport(results).to_junit()

    def tests(self, source: str | None = None) -> str:
        """Return a file of rule tests with one case for each telling event.

        ``source``: of the cases, where the rules have several. "" when nothing
        survived with an event to show.
        """
        from workbench.rules.mutating.witness import tests_of

        return tests_of([m.witness for m in self.survivors if m.witness], source)


def _score(mutants: list[Mutant]) -> float:
    killed = sum(m.outcome == "killed" for m in mutants)
    counted = killed + sum(m.outcome == "survived" for m in mutants)
    return killed / counted if counted else 0.0
