"""Running rules: conditions over tables, matches in the engine's order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from workbench.condition.execution.compile import CompiledCondition, CompiledSet
from workbench.condition.syntax.canonical import canonical
from workbench.errors import WorkbenchError
from workbench.fields.builtin import BUILTIN_FIELDS
from workbench.rules.model.entries import as_text
from workbench.rules.running.alerts import AlertBatch, AlertFormat, AlertRule

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import pyarrow as pa

    from workbench.fields.declarations import FieldInfo
    from workbench.rules.compiling.compiled import Compilation
    from workbench.rules.model.entries import RuleEntry

__all__ = ["SourceEngine", "source_engine"]


@dataclass(slots=True)
class SourceEngine:
    """The enabled rules of one event source, ready to run.

    ``columns``: everything that conditions and alerts read.
    """

    source: str
    rules: list[AlertRule]
    conditions: CompiledSet
    form: AlertFormat

    @property
    def columns(self) -> list[str]:
        """Give the columns that a table needs for conditions and alerts."""
        names = [*self.conditions.columns, *self.alert_columns]
        return list(dict.fromkeys(names))

    @property
    def alert_columns(self) -> list[str]:
        """Give the columns that only alerts need."""
        names = ["evt.num", "evt.rawtime", self.form.time_field]
        for rule in self.rules:
            names += rule.columns
        return list(dict.fromkeys(names))

    def match(
        self,
        table: pa.Table,
        alert_table: Any = None,
        *,
        all_matches: bool = False,
    ) -> AlertBatch:
        """Run the conditions over a table that has their columns.

        ``alert_table``: called with row numbers, gives the table of those rows with all
        alert columns; None: ``table`` has them.
        """

        def own(rows: Any) -> pa.Table:
            return table.take(rows)

        masks = (
            self.conditions.masks(table, first_match=not all_matches)
            if self.rules
            else []
        )
        return AlertBatch(
            self.rules, self.form, masks, table.num_rows, alert_table or own
        )


def source_engine(
    compilation: Compilation,
    source: str,
    fields: Mapping[str, FieldInfo],
    form: AlertFormat,
    enabled: Callable[[RuleEntry], bool] | None = None,
) -> SourceEngine:
    """Make the engine for the enabled rules of ``source``, in definition order.

    ``enabled``: decides in place of the rules' own word.
    """
    rules: list[AlertRule] = []
    conditions: list[CompiledCondition] = []
    for rule in compilation.rules:
        entry = rule.entry
        on = entry.enabled if enabled is None else enabled(entry)
        if entry.source != source or not on:
            continue
        if rule.bound is None or rule.bound.root is None or rule.output is None:
            continue
        conditions.append(
            CompiledCondition.from_bound(
                rule.bound,
                text=as_text(rule.parsed.text),
                ast=canonical(rule.tree),
                fields=fields,
            )
        )
        rules.append(
            AlertRule(
                entry.name,
                entry.priority,
                entry.source,
                tuple(sorted(entry.tags)),
                rule.output,
                form.extra_fields(entry, fields),
            )
        )
    return SourceEngine(source, rules, CompiledSet(conditions), form)


def match_events(engine: SourceEngine, events: Any, *, all_matches: bool) -> AlertBatch:
    """Run an engine over stored events.

    Columns that conditions need come from the events as a whole; generic ``evt.*``
    columns that only alerts show are made for the matching rows alone.
    """
    table = events.table_with(engine.conditions.columns)
    later = [n for n in engine.alert_columns if n not in table.column_names]
    extracted = [n for n in later if n not in BUILTIN_FIELDS]
    generic = [n for n in later if n in BUILTIN_FIELDS]
    if extracted:
        table = events.table_with([*engine.conditions.columns, *extracted])

    def rows_of(rows: Any) -> pa.Table:
        picked = table.take(rows)
        return events.derive(picked).table_with(generic) if generic else picked

    return engine.match(table, rows_of, all_matches=all_matches)


def match_capture(
    engine: SourceEngine, capture: Any, *, all_matches: bool
) -> Iterator[AlertBatch]:
    """Run an engine over a live capture: one batch of alerts per record batch.

    Raises WorkbenchError when the capture was opened without a column that is needed.
    """
    import pyarrow as pa

    for batch in capture.record_batches():
        table = pa.Table.from_batches([batch])
        missing = [n for n in engine.columns if n not in table.column_names]
        if missing:
            raise WorkbenchError(
                f"the capture does not extract {', '.join(missing)}, which the rules "
                "need; open it with fields=rules.columns(plugin)"
            )
        yield engine.match(table, all_matches=all_matches)
