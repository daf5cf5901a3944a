"""Coverage of a RuleSet by events, source by source."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from workbench.condition.syntax.nodes import AndExpr
from workbench.errors import WorkbenchError
from workbench.rules.coverage.count import count_rules, no_counts
from workbench.rules.coverage.covered import CheckCoverage, CoveredRule
from workbench.rules.coverage.report import RuleCoverage
from workbench.rules.running.match import condition_table

if TYPE_CHECKING:
    from workbench.condition.execution.outline import Line
    from workbench.rules.compiling.compiled import Compilation, CompiledRule
    from workbench.rules.compiling.source_map import SourceMap
    from workbench.rules.coverage.count import Counts
    from workbench.rules.running.engine import SourceEngine

__all__ = ["measure_coverage"]


def measure_coverage(rules: Any, events: Any) -> RuleCoverage:
    """Count what every enabled rule of a RuleSet does on ``events``."""
    if not hasattr(events, "table_with"):
        kind = type(events).__name__
        raise WorkbenchError(f"coverage is of Events, not of a {kind}")
    compilation = rules.loaded(events, rules.run_options()).compilation
    maps: dict[str, SourceMap] = {}
    found: list[CoveredRule] = []
    by_source = events.by_source()
    for source, engine in rules.engines(events).items():
        compiled = {r.entry.name: r for r in compilation.rules}
        own = [compiled[rule.name] for rule in engine.rules]
        events_of = by_source.get(source)
        table = None if events_of is None else condition_table(engine, events_of)
        if table is None:
            counts = no_counts(engine.conditions)
        else:
            counts = count_rules(engine.conditions, table)
        absent = set() if table is None else _absent(table, engine)
        for at, rule in enumerate(own):
            covered = _Covered(compilation, rule, counts[at], maps)
            columns = engine.conditions[at].columns
            found.append(
                covered.rule(
                    source,
                    0 if table is None else table.num_rows,
                    [r.name for r in engine.rules],
                    tuple(name for name in columns if name in absent),
                )
            )
    if not found:
        raise WorkbenchError(
            "no enabled rule is for the event sources of these events: "
            + (", ".join(by_source) or "they name none")
        )
    order = {rule.entry.name: rule.entry.index for rule in compilation.rules}
    found.sort(key=lambda rule: order[rule.name])
    return RuleCoverage(found, rules.texts)


def _absent(table: pa.Table, engine: SourceEngine) -> set[str]:
    """Return the columns without a value in any row; an empty list is none."""
    return {name for name in engine.conditions.columns if _is_absent(table, name)}


def _is_absent(table: pa.Table, name: str) -> bool:
    column = table.column(name)
    if column.null_count == table.num_rows:
        return bool(table.num_rows)
    kind = column.type
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        longest = pc.max(pc.list_value_length(column)).as_py()
        return not longest
    return False


class _Covered:
    """The counts of one rule, with where its checks stand."""

    def __init__(
        self,
        compilation: Compilation,
        rule: CompiledRule,
        counts: Counts,
        maps: dict[str, SourceMap],
    ) -> None:
        self._compilation = compilation
        self._rule = rule
        self._counts = counts
        self._maps = maps
        self._own = rule.parsed.source_map()

    def rule(
        self, source: str, events: int, names: list[str], absent: tuple[str, ...]
    ) -> CoveredRule:
        """Return all that is known of the rule."""
        entry, counts = self._rule.entry, self._counts
        point = entry.location.source_point()
        owners = self._exceptions()
        exceptions = {
            # an exception that is evaluated and true keeps the event from alerting
            name: counts.evaluated[at] - counts.true[at]
            for at, name in owners.items()
        }
        inside = _spread_down(counts.lines, owners)
        return CoveredRule(
            entry.name,
            source,
            point.source.name,
            point.source.line_column(point.pos)[0],
            events,
            counts.matched,
            counts.alerted,
            {names[number]: rows for number, rows in counts.hidden.items()},
            exceptions,
            absent,
            tuple(
                self._check(at, line, inside[at])
                for at, line in enumerate(counts.lines)
            ),
        )

    def _exceptions(self) -> dict[int, str]:
        """Return the lines of the exceptions, each a ``not`` at the end of the text."""
        added = self._rule.parsed.added or []
        names = [part.exception.name for part in added if part.text == b"))"]
        tree, root = self._rule.tree, self._counts.lines[0]
        if not names or not isinstance(tree, AndExpr) or root.kind != "and":
            return {}
        return dict(zip(root.children[-len(names) :], names, strict=True))

    def _check(self, at: int, line: Line, exception: str) -> CheckCoverage:
        counts = self._counts
        macros = line.check.macros if line.check else ()
        text = line.check.text if line.check else line.text
        where = self._where(line, macros) if line.check else ("", 0, 0)
        return CheckCoverage(
            line.kind,
            line.depth,
            text,
            counts.evaluated[at],
            counts.true[at],
            counts.decisive[at],
            *where,
            macros[-1] if macros else "",
            exception,
        )

    def _where(self, line: Line, macros: tuple[str, ...]) -> tuple[str, int, int]:
        origin = self._own
        if macros:
            name = macros[-1]
            if name not in self._maps:
                self._maps[name] = self._compilation.macros[name].source_map()
            origin = self._maps[name]
        first = origin.source_point(line.span.start)
        last = origin.source_point(max(line.span.start, line.span.end - 1))
        if first is None or last is None or first.source is not last.source:
            return "", 0, 0
        return first.source.name, first.pos, max(first.pos, last.pos) + 1


def _spread_down(lines: list[Line], owners: dict[int, str]) -> list[str]:
    inside = [""] * len(lines)
    for at, line in enumerate(lines):
        inside[at] = owners.get(at, inside[at])
        for child in line.children:
            inside[child] = inside[at]
    return inside
