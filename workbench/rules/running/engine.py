"""The enabled rules of one event source, made ready to run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from workbench.arrow.rows import take_rows
from workbench.condition.execution.compile import CompiledCondition, CompiledSet
from workbench.condition.syntax.canonical import canonical
from workbench.rules.model.entries import as_text
from workbench.rules.running.alert_batch import AlertBatch
from workbench.rules.running.alert_format import AlertFormat, AlertRule

if TYPE_CHECKING:
    import pyarrow as pa

    from workbench.fields.declarations import FieldTable
    from workbench.rules.compiling.compiled import Compilation, CompiledRule
    from workbench.rules.running.options import RunOptions

__all__ = ["SourceEngine", "source_engine"]


@dataclass(slots=True)
class SourceEngine:
    """The enabled rules of one event source, ready to run.

    ``fields``: of the source, without ``evt.*``. ``static_fields``: name → the one
    text that ``static.NAME`` has in every event.
    """

    source: str
    fields: FieldTable
    rules: list[AlertRule]
    conditions: CompiledSet
    alert_format: AlertFormat
    static_fields: dict[str, str]

    @property
    def columns(self) -> list[str]:
        """The columns that a table needs for conditions and alerts."""
        return list(dict.fromkeys([*self.conditions.columns, *self.alert_columns]))

    @property
    def alert_columns(self) -> list[str]:
        """The columns that alerts need."""
        names = ["evt.num", "evt.rawtime", self.alert_format.time_field]
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

        ``alert_table``: called with row numbers, returns the table of those rows with
        all alert columns; None: ``table`` has them.
        """

        def own(rows: Any) -> pa.Table:
            return take_rows(table, rows)

        masks = (
            self.conditions.masks(table, first_match=not all_matches)
            if self.rules
            else []
        )

        def every() -> list[pa.BooleanArray]:
            return self.conditions.masks(table)

        return AlertBatch(
            self.rules,
            self.alert_format,
            masks,
            table.num_rows,
            alert_table or own,
            all_masks=None if all_matches or not self.rules else every,
        )


def source_engine(
    compilation: Compilation, source: str, fields: FieldTable, options: RunOptions
) -> SourceEngine:
    """Make the engine for the enabled rules of ``source``, in definition order."""
    runnable = [
        rule
        for rule in compilation.rules
        if rule.entry.source == source and options.enables(rule.entry)
    ]
    rules: list[AlertRule] = []
    conditions: list[CompiledCondition] = []
    for rule in runnable:
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
        rules.append(_alert_rule(rule, fields, options.alert_format))
    return SourceEngine(
        source,
        fields,
        rules,
        CompiledSet(conditions),
        options.alert_format,
        dict(options.static_fields),
    )


def _alert_rule(
    rule: CompiledRule, fields: FieldTable, alert_format: AlertFormat
) -> AlertRule:
    entry, output = rule.entry, rule.output
    if output is None:  # pragma: no cover - asked before
        raise TypeError
    return AlertRule(
        entry.name,
        entry.priority,
        entry.source,
        tuple(sorted(entry.tags)),
        output,
        alert_format.extra_fields(entry, fields),
        entry.index,
    )
