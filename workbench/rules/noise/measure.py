"""Noise of a RuleSet over events: which alerts, when, and about what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from workbench.arguments import wrong
from workbench.arrow.dictionaries import plain_array
from workbench.errors import WorkbenchError
from workbench.fields.builtin import BUILTIN_FIELDS
from workbench.fields.reference import resolve_column
from workbench.rules.noise.report import Burst, Contributor, Noise, Repeats, RuleNoise
from workbench.rules.running.match import condition_table
from workbench.rules.target.value_text import text_values

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from workbench.rules.running.engine import SourceEngine

__all__ = ["measure_noise"]

_NS = 1_000_000_000
# Unit → its length and that of the stretches in which bursts are looked for, ns.
_UNITS = {
    "minute": (60 * _NS, _NS),
    "hour": (3600 * _NS, 60 * _NS),
    "day": (86_400 * _NS, 3600 * _NS),
}
_MAX_BURSTS = 10
_MIN_BURST = 5
# Standard deviations of a Poisson process above the mean.
_SIGMAS = 5.0
# Values named per field, fields named, and alerts that are looked at for both.
_MAX_VALUES, _MAX_FIELDS, _MAX_LOOKED_AT = 3, 8, 200_000
# Values that say nothing of who is noisy: nearly every alert has one of its own.
_UNIQUE = 0.5


def measure_noise(rules: Any, events: Any, per: str, *, all_matches: bool) -> Noise:
    """Measure every enabled rule of a RuleSet on ``events``."""
    if not isinstance(per, str) or per not in _UNITS:
        raise wrong("RuleSet.noise", "per", "one of " + ", ".join(_UNITS), per)
    if not hasattr(events, "table_with"):
        kind = type(events).__name__
        raise WorkbenchError(f"noise is measured over Events, not over a {kind}")
    if not len(events):
        raise WorkbenchError("there are no events to measure noise over")
    rules.engines(events)
    times = _times(events.table_with(["evt.rawtime"]))
    span = int(times.max()) - int(times.min())
    noise = Noise(per, span, len(events))
    for source, own in events.by_source().items():
        engine = rules.engines(events)[source]
        noise.rules += _of_source(engine, own, per, span, all_matches=all_matches)
    return noise


def _times(table: pa.Table) -> npt.NDArray[np.uint64]:
    column = table.column("evt.rawtime")
    if pa.types.is_timestamp(column.type):
        column = column.cast(pa.timestamp("ns", column.type.tz)).cast(pa.int64())
    return np.asarray(column.to_numpy(), np.uint64)


def _of_source(
    engine: SourceEngine, events: Any, per: str, span: int, *, all_matches: bool
) -> list[RuleNoise]:
    if not engine.rules:
        return []
    table = condition_table(engine, events, ["evt.rawtime"])
    masks = engine.conditions.masks(table, first_match=not all_matches)
    times = _times(table)
    found = []
    for number, (rule, mask) in enumerate(zip(engine.rules, masks, strict=True)):
        rows = np.flatnonzero(mask.to_numpy(zero_copy_only=False))
        told = [n for n in rule.output.columns if n not in BUILTIN_FIELDS]
        read = [*engine.conditions[number].columns, *told]
        names = [n for n in dict.fromkeys(read) if n not in BUILTIN_FIELDS]
        some = rows
        if len(rows) > _MAX_LOOKED_AT:
            some = rows[np.linspace(0, len(rows) - 1, _MAX_LOOKED_AT).astype(np.int64)]
        picked = events.derive(table.take(pa.array(some))).table_with(names)
        codes = {name: _codes(picked, name, engine) for name in names}
        scale = len(rows) / max(1, len(some))
        found.append(
            RuleNoise(
                rule.name,
                len(rows),
                # events of one moment: as many as there are
                len(rows) * (_UNITS[per][0] / span if span else 1.0),
                _bursts(times[rows], span, _UNITS[per][1]),
                _contributors(codes, scale),
                _repeats([codes[n] for n in told], told, len(rows), scale),
            )
        )
    return found


def _bursts(times: npt.NDArray[np.uint64], span: int, size: int) -> tuple[Burst, ...]:
    """Return stretches of ``size`` ns that hold far more alerts than the mean."""
    if not len(times):
        return ()
    numbers, counts = np.unique(times // np.uint64(size), return_counts=True)
    mean = len(times) / max(1.0, span / size)
    limit = max(_MIN_BURST, mean + _SIGMAS * mean**0.5)
    order = np.argsort(-counts, kind="stable")[:_MAX_BURSTS]
    return tuple(
        Burst(int(numbers[at]) * size, size, int(counts[at]))
        for at in order.tolist()
        if counts[at] > limit
    )


class _Codes:
    """A column as numbers that are equal where the values are."""

    def __init__(self, codes: npt.NDArray[np.int64], shown: Sequence[str]) -> None:
        self.codes = codes
        self.shown = shown


def _codes(table: pa.Table, name: str, engine: SourceEngine) -> _Codes:
    column = table.column(name)
    flat = pa.concat_arrays([plain_array(c) for c in column.chunks] or [_none(column)])
    info = resolve_column(name, engine.fields).info
    if info.is_list:
        numbers: dict[str | None, int] = {}
        texts = text_values(flat, name, info.type, is_list=True)
        codes = [numbers.setdefault(text, len(numbers)) for text in texts]
        return _Codes(np.array(codes, np.int64), [_shown(text) for text in numbers])
    encoded = flat.dictionary_encode("encode")
    shown = text_values(encoded.dictionary, name, info.type, is_list=False)
    codes_of = encoded.indices.to_numpy().astype(np.int64)
    return _Codes(codes_of, [_shown(text) for text in shown])


def _shown(text: str | None) -> str:
    return "absent" if text is None else text


def _none(column: pa.ChunkedArray) -> pa.Array:
    return pa.array([], column.type)


def _contributors(codes: dict[str, _Codes], scale: float) -> tuple[Contributor, ...]:
    found = []
    for name, column in codes.items():
        counts = np.bincount(column.codes)
        if len(counts) > max(4.0, _UNIQUE * len(column.codes)):
            continue
        top = np.argsort(-counts, kind="stable")[:_MAX_VALUES].tolist()
        # a field with one value is what the rule asks for, not who is noisy
        if len(counts) > 1:
            shown = [(column.shown[v], round(counts[v] * scale)) for v in top]
            found.append([Contributor(name, value, n) for value, n in shown])
    found.sort(key=lambda items: (-items[0].alerts, items[0].field))
    return tuple(items[0] for items in found[:_MAX_FIELDS]) + tuple(
        item for items in found[:_MAX_FIELDS] for item in items[1:]
    )


def _repeats(
    columns: Sequence[_Codes], names: Sequence[str], alerts: int, scale: float
) -> Repeats:
    distinct = round(_distinct(columns) * scale) if alerts else 0
    without = {}
    for at, name in enumerate(names):
        rest = [*columns[:at], *columns[at + 1 :]]
        if alerts and rest:
            without[name] = round(_distinct(rest) * scale)
    return Repeats(alerts, min(distinct, alerts), without)


def _distinct(columns: Sequence[_Codes]) -> int:
    """Count different rows; no columns: all rows are the same."""
    if not columns:
        return 1
    joined = columns[0].codes
    for column in columns[1:]:
        size = int(column.codes.max(initial=0)) + 1
        # numbered afresh each time, so that products stay small
        joined = np.unique(joined, return_inverse=True)[1] * size + column.codes
    return len(np.unique(joined))
