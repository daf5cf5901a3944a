"""What coverage found: counts per rule and check, and what they tell."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from workbench.formatting.columns import fitted_columns
from workbench.formatting.printable import printable
from workbench.saving import save_text

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import pandas as pd

    from workbench.rules.coverage.covered import CheckCoverage, CoveredRule

__all__ = ["RuleCoverage"]


@dataclass(slots=True)
class RuleCoverage:
    """Coverage of rules by events; ``texts``: file name → its text."""

    rules: list[CoveredRule] = field(default_factory=list)
    texts: dict[str, str] = field(default_factory=dict)

    def __getitem__(self, name: str) -> CoveredRule:
        """Return one rule by name."""
        for rule in self.rules:
            if rule.name == name:
                return rule
        raise KeyError(f"no rule {name!r} ran; see .rules")

    def _in_state(self, state: str) -> list[str]:
        return [rule.name for rule in self.rules if rule.state == state]

    @property
    def never_fire(self) -> list[str]:
        """Rules that match no event."""
        return self._in_state("never fires")

    @property
    def always_hidden(self) -> list[str]:
        """Rules that match events, but always after an earlier rule."""
        return self._in_state("always hidden")

    @property
    def never_decide(self) -> list[tuple[str, CheckCoverage]]:
        """Checks that decide on no event, with the names of their rules."""
        return [(rule.name, check) for rule in self.rules for check in rule.idle]

    @property
    def unused_exceptions(self) -> list[tuple[str, str]]:
        """Rule and name of each exception that never applies."""
        return [
            (rule.name, name)
            for rule in self.rules
            for name, count in rule.exceptions.items()
            if not count
        ]

    @property
    def absent_fields(self) -> list[str]:
        """Columns that rules read and no event has."""
        return list(dict.fromkeys(n for rule in self.rules for n in rule.absent))

    @property
    def title(self) -> str:
        """One sentence with the result."""
        checks = [c for r in self.rules for c in r.checks if c.kind == "check"]
        deciding = sum(c.decisive > 0 for c in checks)
        firing = sum(r.state == "fires" for r in self.rules)
        return (
            f"{firing:,} of {len(self.rules):,} rules fire, {deciding:,} of "
            f"{len(checks):,} checks decide"
        )

    @property
    def frame(self) -> pd.DataFrame:
        """One row per node: rule, depth, kind, check, evaluated, true, decisive …."""
        import pandas as pd

        columns = ["rule", "depth", "kind", "check", "evaluated", "true", "decisive",
                   "macro", "exception"]  # fmt: skip
        rows = [
            (r.name, c.depth, c.kind, c.text, c.evaluated, c.true, c.decisive, c.macro,
             c.exception)
            for r in self.rules
            for c in r.checks
        ]  # fmt: skip
        return pd.DataFrame(rows, columns=columns)

    def _findings(self) -> Iterator[str]:
        for rule in self.rules:
            where = f"{rule.file}:{rule.line}: rule '{rule.name}'"
            if not rule.events:
                yield f"{where} saw no event of source {rule.source}"
            elif rule.state == "never fires":
                yield f"{where} never fires"
            elif rule.state == "always hidden":
                ranked = sorted(rule.hidden, key=lambda name: -rule.hidden[name])
                yield (
                    f"{where} is always hidden by an earlier one: '{ranked[0]}' takes "
                    f"{rule.hidden[ranked[0]]:,} of {rule.matched:,} events"
                )
            for name, count in rule.exceptions.items():
                if rule.events and not count:
                    yield f"{where}: exception '{name}' never applies"
            for check in rule.idle if rule.events else ():
                through = f" (macro {check.macro})" if check.macro else ""
                yield f"{where}: {check.state}: {check.text}{through}"
        for name in self.absent_fields:
            yield f"{name} is absent in every event"

    def __str__(self) -> str:
        """Return the counts of each rule, then what never decides, fires or applies."""
        head = ["rule", "events", "matched", "alerted", "checks that decide"]
        rows = [head]
        for r in self.rules:
            checks = [c for c in r.checks if c.kind == "check"]
            share = f"{len(checks) - len(r.idle)} of {len(checks)}"
            counts = (f"{n:,}" for n in (r.events, r.matched, r.alerted))
            rows.append([printable(r.name, limit=60), *counts, share])
        lines = fitted_columns(rows)
        lines += [printable(text, limit=300) for text in self._findings()]
        return "\n".join([*lines, self.title])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        from workbench.rules.coverage.source_view import coverage_html

        return coverage_html(self.title, self.findings(), self.rules, self.texts)

    def findings(self) -> list[str]:
        """Return what never fires, decides, applies or is present, one line each."""
        return list(self._findings())

    def save(self, folder: str | os.PathLike[str]) -> Path:
        """Write ``index.html``, which needs no other file, and return its path.

        The folder is made where it is missing. Raises FileError.
        """
        from pathlib import Path

        from workbench.rules.coverage.source_view import coverage_page
        from workbench.saving import file_errors

        page = coverage_page(self._repr_html_())
        with file_errors(folder, "make"):
            Path(folder).mkdir(parents=True, exist_ok=True)
        return save_text(Path(folder) / "index.html", page)

    def to_dict(self) -> dict[str, Any]:
        """Return what JSON shows."""
        rules = []
        names = ("kind", "depth", "text", "evaluated", "true", "decisive", "state",
                 "file", "start", "end", "macro", "exception")  # fmt: skip
        for rule in self.rules:
            facts = ("name", "source", "file", "line", "events", "matched", "alerted",
                     "hidden", "exceptions", "state")  # fmt: skip
            data = {name: getattr(rule, name) for name in facts}
            data["absent"] = list(rule.absent)
            data["checks"] = [_facts(check, names) for check in rule.checks]
            rules.append(data)
        return {"rules": rules, "findings": self.findings()}


def _facts(item: object, names: Sequence[str]) -> dict[str, Any]:
    return {name: getattr(item, name) for name in names}
