"""Running engines over stored events and over captures as they go."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.arrow.rows import take_rows
from workbench.errors import WorkbenchError
from workbench.events.columns import source_rows
from workbench.fields.builtin import BUILTIN_FIELDS
from workbench.rules.running.alert_batch import MixedBatch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    import pyarrow as pa

    from workbench.rules.running.alert_batch import AlertBatch, SomeBatch
    from workbench.rules.running.engine import SourceEngine

__all__ = ["condition_table", "match_events", "match_live", "match_stored"]


def match_events(
    engines: Mapping[str, SourceEngine], events: Any, *, all_matches: bool
) -> SomeBatch:
    """Run the engine of each event source over the events of that source in memory.

    Alerts come in the order of the events, whatever their source. Raises
    WorkbenchError when the events do not name their source.
    """
    _refuse_nameless(events)
    batches = [
        _match_source(engines[source], own, all_matches=all_matches)
        for source, own in events.by_source().items()
    ]
    if events.source:
        return batches[0]
    return MixedBatch(batches, list(source_rows(events.table).values()))


def _refuse_nameless(events: Any) -> None:
    if not events.sources:
        raise WorkbenchError(
            "these events do not name their event source, so no rule applies; give "
            "one with events_from_table(…, source=…), or the plugin that made them: "
            "open_events(…, plugins=…), on the command line --with PLUGIN"
        )


def match_stored(
    engines: Mapping[str, SourceEngine], events: Any, *, all_matches: bool
) -> Iterator[SomeBatch]:
    """Yield batches of alerts of any events, in their order.

    Events that are on disk are read part by part, only the columns that the conditions
    name, and of the rows that match those that alerts show. Raises WorkbenchError when
    the events do not name their source, CaptureFileError for damage where it is found.
    """
    if getattr(events, "loaded", True):
        yield match_events(engines, events, all_matches=all_matches)
        return
    _refuse_nameless(events)
    engine = engines[events.source]
    static = {f"static.{name}" for name in engine.static_fields}
    asked = [n for n in engine.conditions.columns if n not in static]
    shown = [n for n in engine.columns if n not in static]
    empty = True
    for table in events.matching(
        asked, shown, _any_match(engine), engine.conditions.conditions
    ):
        full = _with_static_columns(table, engine.static_fields)
        yield engine.match(full, all_matches=all_matches)
        empty = False
    if empty:
        none = events.empty_table(shown)
        full = _with_static_columns(none, engine.static_fields)
        yield engine.match(full, all_matches=all_matches)


def _any_match(engine: SourceEngine) -> Callable[[pa.Table], pa.Array]:
    """Return what tells which rows of a table match any rule."""
    import functools

    import pyarrow as pa
    import pyarrow.compute as pc

    def match(table: pa.Table) -> pa.Array:
        full = _with_static_columns(table, engine.static_fields)
        # Of the rules that match a row, the first one tells enough.
        masks = engine.conditions.masks(full, first_match=True) if engine.rules else []
        none = pa.repeat(pa.scalar(False), table.num_rows)
        found = [mask for mask in masks if mask.true_count]
        return functools.reduce(pc.or_, found, none)

    return match


def _match_source(
    engine: SourceEngine, events: Any, *, all_matches: bool
) -> AlertBatch:
    """Run an engine over events of its source.

    Columns that conditions need come from all events; built-in ``evt.*`` columns that
    only alerts show are made for the matching rows alone.
    """
    static = engine.static_fields
    if static:
        events = events.derive(_with_static_columns(events.table, static))
    table = events.table_with(engine.conditions.columns)
    later = [n for n in engine.alert_columns if n not in table.column_names]
    extracted = [n for n in later if n not in BUILTIN_FIELDS]
    built_in = [n for n in later if n in BUILTIN_FIELDS]
    if extracted:
        table = events.table_with([*engine.conditions.columns, *extracted])

    def rows_of(rows: Any) -> pa.Table:
        picked = take_rows(table, rows)
        return events.derive(picked).table_with(built_in) if built_in else picked

    return engine.match(table, rows_of, all_matches=all_matches)


def condition_table(
    engine: SourceEngine, events: Any, columns: Iterable[str] = ()
) -> pa.Table:
    """Return events of an engine's source with all that its conditions read.

    ``columns``: further ones.
    """
    if engine.static_fields:
        table = _with_static_columns(events.table, engine.static_fields)
        events = events.derive(table)
    names = [*engine.conditions.columns, *columns]
    found: pa.Table = events.table_with(list(dict.fromkeys(names)))
    return found


def match_live(
    engines: Mapping[str, SourceEngine],
    batches: Iterable[tuple[str, pa.RecordBatch]],
    *,
    all_matches: bool,
) -> Iterator[AlertBatch]:
    """Yield one batch of alerts per record batch of captures as they go.

    ``batches``: event source and record batch. Raises WorkbenchError when a column is
    missing that the rules need.
    """
    import pyarrow as pa

    for source, batch in batches:
        engine = engines[source]
        table = pa.Table.from_batches([batch])
        table = _with_static_columns(table, engine.static_fields)
        missing = [n for n in engine.columns if n not in table.column_names]
        if missing:
            raise WorkbenchError(
                f"the capture does not extract {', '.join(missing)}, which the rules "
                "need; open it with fields=rules.columns(plugin)"
            )
        yield engine.match(table, all_matches=all_matches)


def _with_static_columns(table: pa.Table, static: Mapping[str, str]) -> pa.Table:
    """Add the constant columns of ``static.NAME`` fields to a table."""
    import pyarrow as pa

    for name, value in static.items():
        raw = value.encode("utf-8", "surrogateescape")
        column = pa.array([raw], pa.binary())
        codes = pa.array([0] * table.num_rows, pa.int32())
        table = table.append_column(
            f"static.{name}", pa.DictionaryArray.from_arrays(codes, column)
        )
    return table
