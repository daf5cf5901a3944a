"""Events: a table of captured events, and where it came from.

The table is in the condition layout: values as the engine sees them. What people read
(:attr:`Events.frame`) and what is missing (``evt.*`` fields, fields that were not
captured) is made from it when asked for: generic fields from number and time, plugin
fields by feeding the stored events to the plugin again.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

import numpy as np
import pyarrow as pa

from workbench.arguments import CHOICE, PATH, TEXT, TEXTS, takes
from workbench.arrow.rows import take_rows
from workbench.events.columns import DerivedColumns, payload_places, source_rows
from workbench.events.display import MAX_ROWS, events_html, events_text
from workbench.events.extractor import Extractor, keep_stream
from workbench.events.kinds import (
    CONDITION,
    NUMBER,
    SELECTION,
    TEXT_OR_TEXTS,
)
from workbench.events.provenance import Provenance
from workbench.events.queries import EventQueries
from workbench.fields.declarations import FieldTable
from workbench.fields.reference import resolve

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Sequence

    import pandas as pd

    from workbench.errors import EndReason
    from workbench.events.origin import Origin
    from workbench.events.plots import EventPlots
    from workbench.proposing.proposal import Proposals

__all__ = ["Events"]


class Events(EventQueries, Provenance):
    """Captured events: one row per event, in order of arrival.

    Immutable but for labels: everything that selects or adds gives new ``Events``.
    """

    def __init__(
        self,
        table: pa.Table,
        *,
        fields: FieldTable,
        origin: Origin,
        extractor: Extractor | None = None,
    ) -> None:
        """Wrap ``table``, which has at least ``evt.num`` and ``evt.rawtime``."""
        self._table = table
        self._fields = fields
        self._origin = origin
        self._maker = DerivedColumns(table, origin, extractor)
        self._frame: pd.DataFrame | None = None
        self._sources: list[str] | None = None
        self._labels: dict[int, bool] = {}

    # -- what it is ------------------------------------------------------------------

    def __len__(self) -> int:
        rows: int = self._table.num_rows
        return rows

    @property
    def table(self) -> pa.Table:
        """The events as an Arrow table in the condition layout."""
        return self._table

    @property
    def fields(self) -> FieldTable:
        """The fields that conditions on these events may name, besides ``evt.*``."""
        return self._fields

    @property
    def source(self) -> str:
        """The event source, "" when unknown or mixed."""
        return self._origin.source

    @property
    def origin(self) -> Origin:
        """Plugin, version, host and end of the capture."""
        return self._origin

    @property
    def end_reason(self) -> EndReason | None:
        """How the capture ended: eof, limit, cancelled, failure, crashed or hung."""
        return self._origin.end_reason

    @property
    def seen(self) -> int:
        """Events read to get these: more where the capture had a condition."""
        return len(self) if self._origin.seen is None else self._origin.seen

    @property
    def columns(self) -> list[str]:
        """Names of the columns of :attr:`frame`."""
        return list(self.frame.columns)

    @property
    def keeps_raw(self) -> bool:
        """Whether the stored events are there, for further fields and ``.scap``."""
        return "raw" in self._table.column_names

    @property
    def frame(self) -> pd.DataFrame:
        """The events as a DataFrame for reading, one row per event.

        ``evt.num`` (uint64), ``evt.time`` (datetime64[ns, UTC]), ``evt.source``, then
        one column per field; absent values are NA. The dtype of a column follows from
        the declared type of its field alone: ``string[pyarrow]`` for texts and
        addresses, ``UInt64``, ``boolean``, ``timedelta64[ns]``,
        ``datetime64[ns, UTC]``, Arrow lists. Made once and kept; it is a copy of the
        reader's own: no condition sees what is changed in it.
        """
        if self._frame is None:
            self._frame = self.to_pandas()
        return self._frame

    @takes(categories=TEXT_OR_TEXTS)
    def to_pandas(self, categories: Sequence[str] = ()) -> pd.DataFrame:
        """Return a new DataFrame like :attr:`frame`, one row per event.

        ``categories``: names of columns to give as pandas categories, for fields with
        few different values. Raises KeyError for a name that is no column.
        """
        from workbench.events.frame import event_frame

        if isinstance(categories, str):
            categories = (categories,)
        frame = event_frame(
            self._table, self._fields, source=self.source, categories=set(categories)
        )
        unknown = [name for name in categories if name not in frame.columns]
        if unknown:
            names = ", ".join(map(repr, unknown))
            raise KeyError(f"no column {names} in these events; .columns lists them")
        return frame

    @property
    def shown_table(self) -> pa.Table:
        """The table with the columns that every shown row begins with."""
        return self._maker.table_with(["evt.source"])

    @property
    def plot(self) -> EventPlots:
        """Pictures: ``.timeline(by=None)``, ``.top(field)``, ``.heatmap(a, b)``."""
        from workbench.events.plots import EventPlots

        return EventPlots(self.__getitem__)

    # -- what rules and conditions are checked against -------------------------------

    @property
    def sources(self) -> list[str]:
        """The event sources of these events; several in a mixed capture file."""
        if self.source:
            return [self.source]
        if self._sources is None:
            self._sources = list(source_rows(self._table))
        return list(self._sources)

    def by_source(self) -> dict[str, Events]:
        """Return the events of each source apart, in order of first appearance."""
        if self.source:
            return {self.source: self}
        found = {}
        for source, rows in source_rows(self._table).items():
            origin = replace(self._origin, source=source)
            found[source] = Events(
                take_rows(self._table, pa.array(rows)),
                fields=self.fields_of(source),
                origin=origin,
                extractor=self._maker.extractor,
            )
        return found

    # -- selecting and adding --------------------------------------------------------

    @overload
    def __getitem__(self, key: str) -> pd.Series[Any]: ...

    @overload
    def __getitem__(self, key: slice | Sequence[bool] | pd.Series[bool]) -> Events: ...

    def __getitem__(self, key: Any) -> Any:
        """Return a column of the frame by name, or some events by slice or mask."""
        if isinstance(key, str):
            if key in self.frame.columns:
                return self.frame[key]
            return self.extract(key).frame[key]
        if isinstance(key, slice):
            start, stop, step = key.indices(len(self))
            if step == 1:
                return self._derive(self._table.slice(start, max(0, stop - start)))
            rows = pa.array(range(start, stop, step), pa.int64())
            return self._derive(take_rows(self._table, rows))
        return self._derive(self._table.filter(self.flags(key)))

    @takes(field_texts=TEXT)
    def extract(self, *field_texts: str) -> Events:
        """Return the same events with further columns, such as ``"probe.kv[key]"``.

        Fields of plugins are extracted from the stored events. Raises ConditionError
        for an unknown field or a wrong argument, WorkbenchError when the events were
        not kept or no plugin is there to ask.
        """
        names = ["payload" if t == "payload" else self._resolve(t) for t in field_texts]
        columns = self._maker.columns(names)
        table = self._table
        at = table.column_names.index("raw") if self.keeps_raw else table.num_columns
        for name, column in columns.items():
            if name not in table.column_names:
                table = table.add_column(at, name, column)
                at += 1
        return self._derive(table)

    # -- understanding ---------------------------------------------------------------

    @takes(row=NUMBER)
    def places(self, row: int) -> dict[str, list[tuple[int, int]]]:
        """Return where in the payload of row ``row`` (from 0) its values were found.

        Returns column → (start, length) in bytes, one pair per value; empty when the
        events were not kept or the plugin does not tell.
        """
        one = self._table.slice(row, 1)
        names = [name for name in one.column_names if name in self._fields]
        return payload_places(self.with_places(one, names), names)

    def propose(
        self,
        match: Any = None,
        avoid: Any = None,
        *,
        max_checks: int = 4,
        exclude_fields: Sequence[str] = (),
        allow: Sequence[str] | None = None,
        limit: int = 10,
    ) -> Proposals:
        """Propose conditions that the chosen events match and few others do.

        ``match``: event numbers, or a mask with one boolean per event; None takes the
        events labelled as "must match". ``avoid``: likewise those that must not match;
        None takes the labels if ``match`` is None, else none. All other events are
        background: they may match, but fewer are better. ``max_checks``: most checks
        that one ``and`` joins. ``exclude_fields``: fields not to use. ``allow``:
        operators to use (None: all that it knows). ``limit``: most proposals.

        Returns a list of Proposal, best first: shortest description of the examples,
        see :mod:`workbench.proposing.search`. Raises WorkbenchError when
        nothing is chosen or the choice contradicts itself, KeyError for an event
        number that is not here.
        """
        from workbench.proposing.propose import OPERATORS, propose

        if match is None and avoid is None:
            avoid = [number for number, must in self._labels.items() if not must]
        if match is None:
            match = [number for number, must in self._labels.items() if must]
        return propose(
            self._table,
            self._fields,
            self._rows_of(match),
            self._rows_of(() if avoid is None else avoid),
            max_checks=max_checks,
            exclude_fields=exclude_fields,
            allow=OPERATORS if allow is None else allow,
            limit=limit,
        )

    def propose_exception(
        self, rule: Any, rows: Any = None, *, rules: Any = None, **options: Any
    ) -> list[Any]:
        """Propose exceptions that keep a rule from alerting on some of these events.

        ``rule``: a Rule, or the name of one of ``rules``, a RuleSet whose macros and
        lists it may use. ``rows``, ``options`` and the result: see
        ``RuleSet.propose_exception``.
        """
        import importlib

        if rules is None:
            # events know no rules: the class is looked up by name
            rules = importlib.import_module("workbench").RuleSet().add(rule)
        name = rule if isinstance(rule, str) else rule.name
        found: list[Any] = rules.propose_exception(name, self, rows, **options)
        return found

    def numbers_of(self, chosen: Any) -> np.ndarray[Any, np.dtype[np.uint64]]:
        """Return the numbers of events chosen by number, mask or condition.

        Raises KeyError for a number that is not here.
        """
        numbers = self._table.column("evt.num").to_numpy()[self._rows_of(chosen)]
        return np.asarray(numbers, np.uint64)

    def _rows_of(self, chosen: Any) -> np.ndarray[Any, np.dtype[np.int64]]:
        """Return the rows of events chosen by number or by mask."""
        if isinstance(chosen, int | np.integer) and not isinstance(chosen, bool):
            chosen = [chosen]
        if CONDITION.fits(chosen):
            return np.flatnonzero(np.asarray(self.flags(chosen)))
        values = np.asarray(chosen)
        if values.dtype == bool or str(getattr(chosen, "dtype", "")) == "boolean":
            return np.flatnonzero(np.asarray(self.flags(chosen)))
        numbers = self._table.column("evt.num").to_numpy()
        wanted = np.unique(values.astype(np.uint64))
        rows = np.flatnonzero(np.isin(numbers, wanted))
        missing = np.setdiff1d(wanted, numbers[rows])
        if len(missing):
            raise KeyError(f"no event {missing[0]} here")
        return rows

    @property
    def labels(self) -> dict[int, bool]:
        """Event number → whether a rule must match it, as given by :meth:`label`."""
        return dict(self._labels)

    @takes(mask=SELECTION, must_match=CHOICE)
    def label(self, mask: Any, *, must_match: bool | None = True) -> Events:
        """Mark events as "must match" or "must not match", for rule tests.

        ``mask``: boolean Series or array, one per event, or a condition.
        ``must_match``: None takes labels away. Returns these same events.
        """
        chosen = self._table.column("evt.num").filter(self.flags(mask))
        for number in chosen.to_pylist():
            if must_match is None:
                self._labels.pop(number, None)
            else:
                self._labels[number] = bool(must_match)
        return self

    # -- keeping ---------------------------------------------------------------------

    @takes(path=PATH)
    def save(
        self,
        path: str | os.PathLike[str],
        *,
        csv_guard: bool = True,
        skip_absent: bool = False,
    ) -> Path:
        """Write the events to a file and give its path; the suffix decides the form.

        ``.parquet`` and ``.arrow`` keep everything, ``.scap`` the stored events as
        Falco reads them, ``.jsonl`` and ``.csv`` the frame as text. ``csv_guard``:
        put an apostrophe before texts in CSV that a spreadsheet would run as a
        formula (``=``, ``+``, ``-``, ``@``, tab). ``skip_absent``: leave absent fields
        out of JSON lines, instead of null. Raises WorkbenchError for another suffix,
        or ``.scap`` without stored events.
        """
        from workbench.captures import formats
        from workbench.captures.contents import CaptureContents

        target = Path(path)
        text = formats.check_suffix(target) in {".jsonl", ".csv"}
        origin = self._origin
        contents = CaptureContents(
            self.shown_table if text else self._table,
            fields=self._fields,
            source=origin.source,
            plugin=origin.plugin,
            plugin_version=origin.plugin_version,
            hostname=origin.hostname,
            extra={
                "start_ns": origin.start_ns,
                "end_reason": origin.end_reason,
                "plugins": self.plugin_versions,
            },
            skip_absent=skip_absent,
        )
        return formats.save(contents, target, csv_guard=csv_guard)

    def attach(self, *plugins: Any) -> Events:
        """Return the same events with plugins to ask for further fields.

        ``plugins``: Plugin or Workbench objects, in registration order. Events whose
        source is unknown take that of the plugin whose ID they carry.
        """
        from workbench.events.extractor import extractor_of
        from workbench.events.source_names import with_sources

        extractor = extractor_of(plugins)
        table, origin = with_sources(self._table, self._origin, plugins)
        sources = [origin.source] if origin.source else list(source_rows(table))
        offered = [extractor.fields_of(source) for source in sources or [""]]
        known = [info for fields in offered for info in fields.values()]
        declared = FieldTable([*known, *self._fields.values()])
        events = Events(table, fields=declared, origin=origin, extractor=extractor)
        events._labels = dict(self._labels)
        return events

    # -- for those who run conditions and rules --------------------------------------

    @takes(columns=TEXTS)
    def table_with(self, columns: Iterable[str]) -> pa.Table:
        """Return the table with further columns, generic or extracted, behind its own.

        Raises WorkbenchError when stored events or a plugin would be needed.
        """
        return self._maker.table_with(list(columns))

    def derive(self, table: pa.Table) -> Events:
        """Return Events over ``table``, some rows or columns of this one's table."""
        return self._derive(table)

    def keep_labels(self, labels: dict[int, bool], table: pa.Table) -> None:
        """Take those of ``labels`` whose events are in ``table``."""
        kept = set(table.column("evt.num").to_pylist())
        self._labels = {n: m for n, m in labels.items() if n in kept}

    # -- inside ----------------------------------------------------------------------

    def _derive(self, table: pa.Table) -> Events:
        """Return Events over another table of the same origin."""
        extractor = self._maker.extractor
        if table.num_rows < self._table.num_rows:
            extractor = keep_stream(extractor, self._table, self._origin.source)
        events = Events(
            table, fields=self._fields, origin=self._origin, extractor=extractor
        )
        if self._labels:
            events.keep_labels(self._labels, table)
        return events

    def with_places(self, row: pa.Table, names: list[str]) -> pa.Table:
        """Return a row with columns that tell where in it its values were found."""
        return self._maker.with_places(row, names)

    def _resolve(self, text: str) -> str:
        """Return the column name of a field reference."""
        return resolve(text, self._fields).column

    # -- faces -----------------------------------------------------------------------

    def __getstate__(self) -> dict[str, Any]:
        """Pickle the data alone: plugins stay where they run."""
        return {
            "_table": self._table,
            "_fields": self._fields,
            "_origin": self._origin,
            "_labels": self._labels,
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        maker = DerivedColumns(state["_table"], state["_origin"], None)
        self.__dict__.update(state, _maker=maker, _frame=None, _sources=None)

    def _ipython_key_completions_(self) -> list[str]:
        shown = list(self.frame.columns)
        return shown + [n for n in self._fields if n not in shown]

    def __repr__(self) -> str:
        return events_text(*self._display(), keeps_raw=self.keeps_raw)

    def _repr_html_(self) -> str:
        return events_html(*self._display(), keeps_raw=self.keeps_raw)

    def _display(self) -> tuple[Origin, pd.DataFrame, int]:
        head = self[:MAX_ROWS].frame
        # Also of further fields: each note once.
        later = getattr(self._maker.extractor, "notes", ())
        notes = tuple(dict.fromkeys((*self._origin.notes, *later)))
        return replace(self._origin, notes=notes), head, len(self)
