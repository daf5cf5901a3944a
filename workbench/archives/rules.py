"""Rules over an archive: run on every part, merged in order of time."""

from __future__ import annotations

import posixpath
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.archives.alerts import ArchiveAlerts, ArchiveComparison
from workbench.events.columns import source_rows
from workbench.rules.running.alerts import Alerts
from workbench.rules.running.compare import compare_runs
from workbench.rules.running.match import match_events
from workbench.rules.running.rendered import readable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    import pyarrow as pa

    from workbench.archives.parts import Part
    from workbench.events.events import Events
    from workbench.rules.ruleset import RuleSet
    from workbench.rules.running.alert_batch import AlertBatch
    from workbench.rules.running.engine import SourceEngine
    from workbench.rules.running.options import RunOptions

__all__ = ["compare_rules", "run_rules"]

_SUMMARY = ["before", "after", "new", "gone", "moved_here", "moved_away", "changed"]


@dataclass(frozen=True, slots=True)
class _Found:
    """Alerts of one part: ``first``, the kept ones, has a row each."""

    counts: Counter[str]
    rows: int
    first: pa.Table | None


def _columns(*sets: Mapping[str, SourceEngine]) -> tuple[str, ...]:
    return tuple(
        dict.fromkeys(
            name
            for engines in sets
            for engine in engines.values()
            for name in engine.columns
            if not name.startswith("static.")
        )
    )


@dataclass(frozen=True)
class _RunRules:
    """Run rules over one part and keep the first alerts of each."""

    engines: Mapping[str, SourceEngine]
    all_matches: bool
    limit: int | None

    @property
    def columns(self) -> tuple[str, ...] | None:
        """What the rules read."""
        return _columns(self.engines)

    def __call__(self, events: Events, part: Part) -> _Found:
        """Return the alerts of one part."""
        import pyarrow as pa

        counts: Counter[str] = Counter()
        tables = []
        for own, places in _apart(events):
            batch: Any = match_events(self.engines, own, all_matches=self.all_matches)
            for rule, number in zip(batch.rules, batch.totals, strict=True):
                counts[rule.name] += number
            if len(batch):
                tables.append(_first(batch, own, places, part, self.limit))
        first = pa.concat_tables(tables) if tables else None
        return _Found(+counts, len(events), first)


def _apart(events: Events) -> list[tuple[Events, np.ndarray]]:
    """Return the events of each source with their places among all."""
    if not len(events):
        return []
    if events.source:
        return [(events, np.arange(len(events)))]
    own = events.by_source()
    places = source_rows(events.table)
    if not own:
        match_events({}, events, all_matches=False)  # says what is missing
    return [(own[source], places[source]) for source in own]


def _first(
    batch: AlertBatch,
    events: Events,
    places: np.ndarray,
    part: Part,
    limit: int | None,
) -> pa.Table:
    """Return the first alerts of each rule in order of time, rendered."""
    import pyarrow as pa

    rows, which = batch.pairs()
    if limit is not None and len(rows) > limit:
        times = events.table.column("evt.rawtime").to_numpy()
        order = np.lexsort((which, rows, times[rows]))
        kept = [order[which[order] == n][:limit] for n in np.unique(which)]
        chosen = np.sort(np.concatenate(kept))
        rows, which = rows[chosen], which[chosen]
    some = batch.render(rows, which)
    times_ns = pa.array(some.times, pa.uint64())
    return pa.table(
        {
            "evt.num": pa.array(some.numbers, pa.uint64()),
            "evt.time": times_ns,
            "rule": pa.array([rule.name for rule in some.rules], pa.string()),
            "priority": pa.array([r.priority_name for r in some.rules], pa.string()),
            "source": pa.array([rule.source for rule in some.rules], pa.string()),
            "output": pa.array([readable(t) for t in some.lines], pa.string()),
            "json": pa.array([readable(t) for t in some.json_lines()], pa.string()),
            "#file": pa.array(np.full(len(rows), part.file, np.int64)),
            "#part": pa.array(np.full(len(rows), (part.groups or (0,))[0], np.int64)),
            "#row": pa.array(places[rows].astype(np.int64)),
            "#rule": pa.array([rule.index for rule in some.rules], pa.int64()),
        }
    )


_ORDER = ("evt.time", "#file", "#part", "#row", "#rule")


def _merged(
    found: Sequence[_Found], names: Sequence[str], limit: int | None
) -> pa.Table:
    """Return the first alerts of each rule over all parts, in order of time."""
    import pyarrow as pa

    text = dict.fromkeys(("rule", "priority", "source", "output", "json"), pa.string())
    schema = pa.schema(
        [
            ("evt.num", pa.uint64()),
            ("evt.time", pa.timestamp("ns", "UTC")),
            *text.items(),
            ("file", pa.string()),
        ]
    )
    tables = [one.first for one in found if one.first is not None]
    if not tables:
        return schema.empty_table()
    table = pa.concat_tables(tables)
    table = table.sort_by([(name, "ascending") for name in _ORDER])
    if limit is not None:
        rules = table.column("rule").combine_chunks().dictionary_encode()
        codes = rules.indices.to_numpy()
        kept = [np.flatnonzero(codes == n)[:limit] for n in np.unique(codes)]
        table = table.take(np.sort(np.concatenate(kept)))
    files = [names[number] for number in table.column("#file").to_pylist()]
    table = table.append_column("file", pa.array(files, pa.string()))
    times = table.column("evt.time").cast(pa.int64(), safe=False)
    at = table.column_names.index("evt.time")
    table = table.set_column(at, "evt.time", times.cast(pa.timestamp("ns", "UTC")))
    return table.select(schema.names).combine_chunks()


def short_names(paths: Sequence[str]) -> list[str]:
    """Return paths from their common folder on: the same wherever it lies."""
    if len(paths) < 2:
        return [posixpath.basename(path) for path in paths]
    common = posixpath.commonprefix([posixpath.dirname(path) + "/" for path in paths])
    start = common.rfind("/") + 1
    return [path[start:] for path in paths]


def run_rules(
    archive: Any,
    rules: RuleSet,
    *,
    all_matches: bool,
    options: RunOptions,
    alerts_per_rule: int | None = 1000,
) -> ArchiveAlerts:
    """Run rules over an archive; see ``RuleSet.run``."""
    engines = rules.engines(archive, options)
    task = _RunRules(engines, all_matches, alerts_per_rule)
    columns = task.columns or ()
    lacking = archive.tell_not_captured(columns)
    found: list[_Found] = archive.run_task(task)
    known = sorted(
        (rule for engine in engines.values() for rule in engine.rules),
        key=lambda rule: rule.index,
    )
    counts = Counter[str](dict.fromkeys((rule.name for rule in known), 0))
    for one in found:
        counts.update(one.counts)
    names = short_names(archive.files["path"].tolist())
    return ArchiveAlerts(
        +counts,
        _merged(found, names, alerts_per_rule),
        known,
        alerts_per_rule,
        sum(one.rows for one in found),
        lacking,
        archive.failures,
        archive.stateful and archive.extracts(columns),
    )


@dataclass(frozen=True)
class _CompareRules:
    """Run two versions of rules over one part and keep what differs."""

    old: Mapping[str, SourceEngine]
    new: Mapping[str, SourceEngine]
    all_matches: bool
    limit: int | None

    @property
    def columns(self) -> tuple[str, ...] | None:
        """What both versions read."""
        return _columns(self.old, self.new)

    def __call__(self, events: Events, part: Part) -> _Differences:
        """Return the differences of one part."""
        summary: dict[str, Counter[str]] = {}
        same, frames = 0, []
        for own, _ in _apart(events):
            before, after = (
                Alerts([match_events(e, own, all_matches=self.all_matches)])
                for e in (self.old, self.new)
            )
            found = compare_runs(before, after, all_matches=self.all_matches)
            same += found.same
            for row in found.summary.to_dict("records"):
                counts = {name: row[name] for name in _SUMMARY[:-1]}
                summary.setdefault(row["rule"], Counter()).update(counts)
            for _, rule, _, _ in found.changed:
                summary.setdefault(rule, Counter())["changed"] += 1
            frame = found.frame.head(self.limit or len(found.frame))
            frames.append(frame.assign(file=part.file))
        return _Differences(summary, same, frames)


@dataclass(frozen=True, slots=True)
class _Differences:
    """Rule → counts, alerts that stay, and the first differences."""

    summary: dict[str, Counter[str]]
    same: int
    frames: list[pd.DataFrame]


def compare_rules(
    archive: Any,
    old: RuleSet,
    new: RuleSet,
    *,
    all_matches: bool,
    alerts_per_rule: int | None = 1000,
) -> ArchiveComparison:
    """Compare two versions of rules over an archive; see ``RuleSet.compare``."""
    import pandas as pd

    engines = [r.engines(archive, r.run_options()) for r in (old, new)]
    task = _CompareRules(engines[0], engines[1], all_matches, alerts_per_rule)
    lacking = archive.tell_not_captured(task.columns or ())
    found: list[_Differences] = archive.run_task(task)
    total: dict[str, Counter[str]] = {}
    for one in found:
        for rule, counts in one.summary.items():
            total.setdefault(rule, Counter()).update(counts)
    order = [r.name for own in engines for e in own.values() for r in e.rules]
    rows = [
        (rule, *(total[rule][name] for name in _SUMMARY))
        for rule in dict.fromkeys(order)
        if rule in total
    ]
    names = short_names(archive.files["path"].tolist())
    frames = [frame for one in found for frame in one.frames if len(frame)]
    columns = ["change", "evt.num", "rule", "old", "new", "file"]
    frame = pd.concat(frames) if frames else pd.DataFrame(columns=columns)
    frame["file"] = [names[number] for number in frame["file"]]
    if alerts_per_rule is not None:
        frame = frame.groupby("rule", sort=False).head(alerts_per_rule)
    return ArchiveComparison(
        +Counter({rule: counts["before"] for rule, counts in total.items()}),
        +Counter({rule: counts["after"] for rule, counts in total.items()}),
        sum(one.same for one in found),
        pd.DataFrame(rows, columns=["rule", *_SUMMARY]),
        frame.reset_index(drop=True),
        all_matches,
        lacking,
        archive.failures,
    )
