"""Alerts over an archive: counts of all, and the first ones of each rule."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.formatting.printable import printable
from workbench.rules.running.alerts import statistics
from workbench.saving import file_errors, replacing

if TYPE_CHECKING:
    import os
    from collections import Counter
    from collections.abc import Iterator

    import pandas as pd
    import pyarrow as pa

    from workbench.archives.failures import Failure
    from workbench.rules.running.alert_format import AlertRule

__all__ = ["ArchiveAlerts", "ArchiveComparison"]

_MAX_LINES = 20
_ROWS = 131_072


@dataclass(eq=False)
class ArchiveAlerts:
    """What rules find in an archive.

    ``counts``: rule → number of alerts, in definition order. ``table``: the first
    alerts of each rule in order of time, one row each: evt.num, evt.time, rule,
    priority, source, output, json (Falco's line) and file. ``limit``: how many of a
    rule are kept, None for all. ``rows``: events looked at. ``not_captured``: column →
    files that lack it. ``failures``: files that were left out. ``stateful``: whether
    plugins that keep state extracted fields, file by file.
    """

    counts: Counter[str]
    table: pa.Table
    rules: list[AlertRule]
    limit: int | None
    rows: int
    not_captured: dict[str, list[str]] = field(default_factory=dict)
    failures: tuple[Failure, ...] = ()
    stateful: bool = False

    def __len__(self) -> int:
        """Count the alerts, kept or not."""
        return sum(self.counts.values())

    @property
    def frame(self) -> pd.DataFrame:
        """The kept alerts, one row each, in order of time."""
        return self.table.drop_columns("json").to_pandas()

    def to_jsonl(self) -> str:
        """Return the kept alerts, one JSON object per line with Falco's keys."""
        return "".join(f"{line}\n" for line in self.table.column("json").to_pylist())

    def lines(self) -> Iterator[str]:
        """Yield the kept alerts as Falco prints them, hidden characters spelled."""
        yield from self.table.column("output").to_pylist()

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the kept alerts to a Parquet file and return its path.

        The same alerts give the same bytes, wherever they were found.
        """
        import pyarrow.parquet as pq

        target = Path(path)
        with file_errors(target, "write"), replacing(target) as draft:
            pq.write_table(self.table, draft, compression="zstd", row_group_size=_ROWS)
        return target

    def statistics(self) -> str:
        """Return the closing block that Falco prints, of all alerts."""
        return statistics(self.counts, self.rules, spelled=True)

    @property
    def notes(self) -> list[str]:
        """What to know of the result: what is left out, absent or not kept."""
        notes = []
        if len(self.table) < len(self):
            notes.append(f"the first {self.limit:,} alerts of each rule are kept")
        for column, paths in self.not_captured.items():
            name = printable(column, limit=80)
            notes.append(f"{name}: not captured in {len(paths)} files, absent there")
        notes += [f"left out: {printable(str(f), limit=300)}" for f in self.failures]
        if self.stateful:
            notes.append("plugins that keep state saw each file on its own")
        return notes

    def __repr__(self) -> str:
        """Show the first alerts, the counts and what to know of them."""
        lines = [
            printable(line, limit=300)
            for line in self.table.column("output").slice(0, _MAX_LINES).to_pylist()
        ]
        more = len(self) - len(lines)
        if more > 0:
            lines.append(f"… and {more:,} more")
        return "\n".join([*lines, self.statistics(), *self.notes])

    def _repr_html_(self) -> str:
        from workbench.formatting import html

        frame = self.table.slice(0, _MAX_LINES).drop_columns("json").to_pandas()
        table = html.table(list(frame.columns), frame.to_numpy().tolist())
        texts = [*self.statistics().split("\n"), *self.notes]
        block = "<br>".join(html.escape(text) for text in texts)
        return table + html.tag("pre", block)


@dataclass(eq=False)
class ArchiveComparison:
    """Two versions of rules over an archive.

    ``before``, ``after``: rule → number of alerts. ``same``: alerts that stay.
    ``summary``: one row per rule, as of ``Comparison.summary``, with ``changed``.
    ``frame``: the first differences in order of the files: change, evt.num, rule, old,
    new, file.
    """

    before: Counter[str]
    after: Counter[str]
    same: int
    summary: pd.DataFrame
    frame: pd.DataFrame
    all_matches: bool = False
    not_captured: dict[str, list[str]] = field(default_factory=dict)
    failures: tuple[Failure, ...] = ()

    def __bool__(self) -> bool:
        """Whether there is any difference."""
        return bool(len(self.frame))

    @property
    def title(self) -> str:
        """One sentence with the result."""
        totals = self.summary[["new", "gone", "moved_here", "changed"]].sum()
        mode = "all matches" if self.all_matches else "first match"
        return (
            f"{totals['new']:,} alerts appear, {totals['gone']:,} disappear, "
            f"{totals['moved_here']:,} move to another rule, "
            f"{totals['changed']:,} change, {self.same:,} stay ({mode})"
        )

    def __repr__(self) -> str:
        """Count the differences, all and by rule."""
        lines = [self.title]
        for row in self.summary.itertuples(index=False):
            if row.new or row.gone or row.moved_here or row.moved_away or row.changed:
                name = printable(str(row.rule), limit=100)
                lines.append(f"  {name}: {row.before:,} → {row.after:,}")
        lines += [f"left out: {printable(str(f), limit=300)}" for f in self.failures]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        from workbench.formatting import html

        summary = html.table(
            list(self.summary.columns), self.summary.to_numpy().tolist()
        )
        frame = self.frame.head(200)
        table = html.table(list(frame.columns), frame.to_numpy().tolist())
        return html.tag("p", html.escape(self.title)) + summary + table
