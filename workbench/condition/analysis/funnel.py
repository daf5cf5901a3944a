"""The funnel of a condition: how many rows pass each check, alone and in sequence.

All checks are evaluated over a stretch of rows into bitmaps; the rest is a few
operations on bitmaps per node, so that memory is bounded whatever the table's size.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from workbench.condition.execution.columns import as_table
from workbench.condition.execution.outline import outline, own_spans
from workbench.formatting import html
from workbench.formatting.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pandas as pd
    import pyarrow as pa

    from workbench.condition.execution.compile import CompiledCondition
    from workbench.condition.execution.kernel import Words
    from workbench.condition.execution.outline import Line
    from workbench.diagnostics import Span

__all__ = ["Funnel", "FunnelStep", "funnel", "joined", "row_ranges"]

# Bytes of bitmaps held at a time.
_MEMORY = 64 << 20
_MAX_DEPTH = 30


@dataclass(frozen=True, slots=True)
class FunnelStep:
    """One node of a condition over a whole table.

    ``alone``: rows for which it is true, whatever the rest says. ``reached``: rows for
    which the engine, going left to right and stopping early, looks at it. ``passed``:
    rows that reach it and for which it is true. ``span``: its bytes in the condition's
    text, None for what comes from a macro.
    """

    kind: str
    depth: int
    text: str
    alone: int
    reached: int
    passed: int
    span: Span | None = None


@dataclass(frozen=True, slots=True)
class Funnel:
    """How many rows pass each part of a condition, in the order of the text.

    ``rows``: of the table. ``matches``: rows that match. ``steps``: every node, groups
    before what they hold.
    """

    condition: str
    rows: int
    matches: int
    steps: tuple[FunnelStep, ...]

    @property
    def frame(self) -> pd.DataFrame:
        """One row per node: depth, kind, check, alone, reached, passed."""
        import pandas as pd

        columns = ["depth", "kind", "check", "alone", "reached", "passed"]
        data = [
            (s.depth, s.kind, s.text, s.alone, s.reached, s.passed) for s in self.steps
        ]
        return pd.DataFrame(data, columns=columns)

    @property
    def title(self) -> str:
        """One sentence with the result."""
        return f"{self.matches:,} of {self.rows:,} events match"

    def _share(self, count: int) -> str:
        return f"{100 * count / self.rows:.1f} %" if self.rows else "–"

    def __str__(self) -> str:
        """Draw a table as text."""
        shown = [
            (
                "  " * min(s.depth, _MAX_DEPTH) + printable(s.text, limit=90),
                f"{s.alone:,}",
                f"{s.reached:,}",
                f"{s.passed:,}",
                self._share(s.passed),
            )
            for s in self.steps
        ]
        shown.insert(0, ("", "alone", "reached", "passed", "of all"))
        width = max(len(row[0]) for row in shown)
        lines = [f"{self.title}: {self.condition}"]
        lines += [
            f"{row[0]:{width}}" + "".join(f"  {cell:>11}" for cell in row[1:])
            for row in shown
        ]
        return "\n".join(lines)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        rows = []
        for step in self.steps:
            pad = f"padding-left:{min(step.depth, _MAX_DEPTH) * 1.4 + 0.4:.1f}em"
            wide = 100 * step.passed / self.rows if self.rows else 0.0
            bar = html.tag(
                "div", style=f"background:#4a90d9;height:0.7em;width:{wide:.2f}%"
            )
            right = "text-align:right"
            rows.append(
                html.tag(
                    "tr",
                    html.tag(
                        "td",
                        html.tag("code", html.escape(step.text, limit=400)),
                        style="text-align:left;" + pad,
                    ),
                    html.tag("td", f"{step.alone:,}", style=right),
                    html.tag("td", f"{step.reached:,}", style=right),
                    html.tag("td", f"{step.passed:,}", style=right),
                    html.tag("td", bar, style="width:12em"),
                )
            )
        names = ("check", "alone", "reached", "passed", "")
        head = html.tag("tr", *(html.tag("th", html.escape(n)) for n in names))
        body = html.tag("table", html.tag("thead", head), html.tag("tbody", *rows))
        return html.tag("div", html.tag("strong", html.escape(self.title)), body)


def row_ranges(
    compiled: CompiledCondition, table: pa.Table, lines: list[Line]
) -> Iterator[tuple[int, int, list[Words]]]:
    """Yield (first row, rows, a bitmap per line) for one stretch of rows at a time.

    The bitmap of a line tells for which rows its node is true.
    """
    from workbench.condition.execution import kernel
    from workbench.condition.execution.evaluate import Evaluation

    table = as_table(table)
    numbers = compiled.plan.check_nodes[0]
    distinct = list(dict.fromkeys(numbers))
    step = max(65_536, _MEMORY * 8 // (4 * (len(lines) + 1)) // 65_536 * 65_536)
    for first in range(0, max(1, table.num_rows), step):
        part = table.slice(first, step)
        rows = part.num_rows
        found = Evaluation(compiled.plan, part, distinct).words()
        answers = dict(zip(distinct, found, strict=True))
        everything = kernel.all_rows(rows)
        bitmaps: list[Any] = [None] * len(lines)
        for at in range(len(lines) - 1, -1, -1):
            line = lines[at]
            if line.kind == "check":
                bitmaps[at] = answers[numbers[line.number]]
                continue
            below = [bitmaps[child] for child in line.children]
            if line.kind == "not":
                bitmaps[at] = everything & ~below[0]
                continue
            result = below[0].copy()
            for other in below[1:]:
                if line.kind == "and":
                    result &= other
                else:
                    result |= other
            bitmaps[at] = result
        yield first, rows, bitmaps


def funnel(compiled: CompiledCondition, table: pa.Table) -> Funnel:
    """Count the rows that pass each part of a condition, alone and in sequence.

    Raises KeyError naming a column that is needed and missing.
    """
    from workbench.condition.execution import kernel

    lines = outline(compiled.root, compiled.origins)
    totals = [[0, 0, 0] for _ in lines]
    for _, rows, bitmaps in row_ranges(compiled, table, lines):
        reached: list[Any] = [None] * len(lines)
        reached[0] = kernel.all_rows(rows)
        for at, line in enumerate(lines):
            here = reached[at]
            total = totals[at]
            total[0] += kernel.count_rows(bitmaps[at], rows)
            total[1] += kernel.count_rows(here, rows)
            total[2] += kernel.count_rows(bitmaps[at] & here, rows)
            left = here
            for child in line.children:
                reached[child] = left
                if line.kind == "and":
                    left = left & bitmaps[child]
                elif line.kind == "or":
                    left = left & ~bitmaps[child]
            reached[at] = None
    steps = tuple(
        FunnelStep(line.kind, line.depth, line.text, alone, reached, passed, span)
        for line, (alone, reached, passed), span in zip(
            lines, totals, own_spans(lines, compiled.origins), strict=True
        )
    )
    return Funnel(compiled.ast, table.num_rows, totals[0][0], steps)


def joined(funnels: Sequence[Funnel]) -> Funnel:
    """Return the funnel of all rows from those of one condition over parts of them."""
    first = funnels[0]
    steps = tuple(
        replace(
            step,
            alone=sum(f.steps[at].alone for f in funnels),
            reached=sum(f.steps[at].reached for f in funnels),
            passed=sum(f.steps[at].passed for f in funnels),
        )
        for at, step in enumerate(first.steps)
    )
    rows, matches = sum(f.rows for f in funnels), sum(f.matches for f in funnels)
    return Funnel(first.condition, rows, matches, steps)
