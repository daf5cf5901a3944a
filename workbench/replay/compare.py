"""Compare two tables of the same events, value by value.

A field whose values differ between recording and replay is no function of the event
alone: it depends on the time, the machine or state outside the plugin's own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from workbench.arrow.rows import take_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["FieldDifference", "ReplayReport", "ValueDifference", "compare_events"]

KEY: Final = "evt.num"


@dataclass(frozen=True, slots=True)
class ValueDifference:
    """One value that differs: the event's number, its value left and right."""

    event_number: int
    left: Any
    right: Any


@dataclass(frozen=True, slots=True)
class FieldDifference:
    """A field whose values differ in ``count`` events; ``first``: the first of them."""

    field: str
    count: int
    first: tuple[ValueDifference, ...]


@dataclass(frozen=True, slots=True)
class ReplayReport:
    """What two tables of the same events have in common.

    ``events``: rows compared. ``fields``: names compared. ``differences``: fields with
    differing values, in column order. ``only_left``, ``only_right``: event numbers that
    one side lacks, first ones, with their totals. ``missing_fields``: columns that one
    side lacks, with that side.
    """

    events: int
    fields: tuple[str, ...]
    differences: tuple[FieldDifference, ...]
    only_left: tuple[int, ...] = ()
    only_right: tuple[int, ...] = ()
    only_left_count: int = 0
    only_right_count: int = 0
    missing_fields: tuple[tuple[str, str], ...] = ()
    labels: tuple[str, str] = ("recorded", "replayed")

    @property
    def same(self) -> bool:
        """Whether nothing differs at all."""
        return not (
            self.differences
            or self.only_left_count
            or self.only_right_count
            or self.missing_fields
        )

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for JSON; bytes become text with U+FFFD where needed."""
        left, right = self.labels
        return {
            "same": self.same,
            "events": self.events,
            "fields": list(self.fields),
            "differences": [
                {
                    "field": d.field,
                    "count": d.count,
                    "first": [
                        {
                            "evt.num": v.event_number,
                            left: _plain(v.left),
                            right: _plain(v.right),
                        }
                        for v in d.first
                    ],
                }
                for d in self.differences
            ],
            f"only_{left}": {
                "count": self.only_left_count,
                "first": list(self.only_left),
            },
            f"only_{right}": {
                "count": self.only_right_count,
                "first": list(self.only_right),
            },
            "missing_fields": [
                {"field": name, "side": side} for name, side in self.missing_fields
            ],
        }

    def __str__(self) -> str:
        """Return what differs, one line each."""
        left, right = self.labels
        lines = [
            f"{self.events} events, {len(self.fields)} fields compared: "
            + ("all values are the same" if self.same else "there are differences")
        ]
        for label, count, first in (
            (left, self.only_left_count, self.only_left),
            (right, self.only_right_count, self.only_right),
        ):
            if count:
                shown = ", ".join(str(n) for n in first)
                more = ", …" if count > len(first) else ""
                lines.append(f"only {label}: {count} events ({shown}{more})")
        lines += [f"{name}: not {side}" for name, side in self.missing_fields]
        for difference in self.differences:
            lines.append(
                f"{difference.field}: differs in {difference.count} of "
                f"{self.events} events"
            )
            lines += [
                f"    event {v.event_number}: {left} {_shown(v.left)}, "
                f"{right} {_shown(v.right)}"
                for v in difference.first
            ]
        return "\n".join(lines)


def compare_events(
    left: pa.Table,
    right: pa.Table,
    *,
    fields: Sequence[str] | None = None,
    first: int = 5,
    labels: tuple[str, str] = ("recorded", "replayed"),
) -> ReplayReport:
    """Compare every field of every event of two tables; rows are paired by ``evt.num``.

    ``fields``: columns to compare, None for all of either side except ``evt.num``.
    ``first``: how many differing events to show per field. Absent equals absent.
    Dictionary columns, utf8 and binary of the same bytes are the same.
    """
    if fields is None:
        names = [n for n in left.schema.names if n != KEY]
        names += [n for n in right.schema.names if n != KEY and n not in names]
    else:
        names = list(fields)
    left, right, alone = _pair(left, right)
    missing = []
    shared = []
    for name in names:
        there = (name in left.schema.names, name in right.schema.names)
        if all(there):
            shared.append(name)
        elif any(there):
            missing.append((name, labels[there.index(False)]))
        else:
            missing.append((name, " nor ".join(labels)))
    numbers = left[KEY] if KEY in left.schema.names else None
    differences = []
    for name in shared:
        rows = _differing_rows(left[name], right[name])
        if not len(rows):
            continue
        shown = tuple(
            ValueDifference(
                numbers[row].as_py() if numbers is not None else row + 1,
                left[name][row].as_py(),
                right[name][row].as_py(),
            )
            for row in rows[:first].to_pylist()
        )
        differences.append(FieldDifference(name, len(rows), shown))
    return ReplayReport(
        events=len(left),
        fields=tuple(shared),
        differences=tuple(differences),
        only_left=tuple(alone[0][:first].to_pylist()),
        only_right=tuple(alone[1][:first].to_pylist()),
        only_left_count=len(alone[0]),
        only_right_count=len(alone[1]),
        missing_fields=tuple(missing),
        labels=labels,
    )


def _pair(
    left: pa.Table, right: pa.Table
) -> tuple[pa.Table, pa.Table, tuple[pa.Array, pa.Array]]:
    """Bring both tables to the same events in the same order; also what is left over.

    Without event numbers on both sides rows are paired by their place.
    """
    none = pa.array([], pa.uint64())
    if KEY not in left.schema.names or KEY not in right.schema.names:
        rows = min(len(left), len(right))
        places = pa.array(range(rows + 1, max(len(left), len(right)) + 1), pa.uint64())
        longer_left = len(left) > len(right)
        alone = (places, none) if longer_left else (none, places)
        return left.slice(0, rows), right.slice(0, rows), alone
    a = _one_chunk(left[KEY]).cast(pa.uint64())
    b = _one_chunk(right[KEY]).cast(pa.uint64())
    if len(a) == len(b) and a.equals(b):
        return left, right, (none, none)
    found = pc.index_in(a, value_set=b)
    only_left = a.filter(found.is_null())
    only_right = b.filter(pc.invert(pc.is_in(b, value_set=a)))
    keep = found.is_valid()
    return (
        left.filter(keep),
        take_rows(right, found.filter(keep)),
        (only_left, only_right),
    )


def _one_chunk(column: pa.ChunkedArray) -> pa.Array:
    array = column.combine_chunks()
    if isinstance(array, pa.ChunkedArray):
        return array.chunk(0) if array.num_chunks else pa.array([], array.type)
    return array


def _differing_rows(left: pa.ChunkedArray, right: pa.ChunkedArray) -> pa.Array:
    """Return the row numbers where two columns differ, ascending."""
    pieces = []
    start = 0
    for a, b in _aligned(left, right):
        rows = _differing(_plain_array(a), _plain_array(b))
        if len(rows):
            pieces.append(pc.add(rows.cast(pa.int64()), start))
        start += len(a)
    return pa.concat_arrays(pieces) if pieces else pa.array([], pa.int64())


def _aligned(left: pa.ChunkedArray, right: pa.ChunkedArray) -> Any:
    """Cut both columns into pieces of the same lengths, without copying."""
    names = ["a", "b"]
    table = pa.table([left, right], names=names)
    for batch in table.to_batches():
        yield batch.column(0), batch.column(1)


def _plain_array(array: pa.Array) -> pa.Array:
    """Return an array without dictionaries, text as bytes, times as integers."""
    kind = array.type
    if pa.types.is_dictionary(kind):
        return _plain_array(array.dictionary_decode())
    if pa.types.is_string(kind):
        return array.cast(pa.binary())
    if pa.types.is_large_string(kind):
        return array.cast(pa.large_binary())
    if pa.types.is_timestamp(kind) or pa.types.is_duration(kind):
        unit = kind.unit
        wide = array if unit == "ns" else array.cast(_in_ns(kind))
        return wide.cast(pa.int64())
    return array


def _in_ns(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_duration(kind):
        return pa.duration("ns")
    return pa.timestamp("ns", kind.tz)


def _differing(a: pa.Array, b: pa.Array) -> pa.Array:
    absent = pc.not_equal(a.is_null(), b.is_null())
    if pa.types.is_list(a.type) or pa.types.is_large_list(a.type):
        differs = _lists_differ(a, b)
    else:
        if a.type != b.type:
            a, b = _common(a, b)
        differs = pc.not_equal(a, b)
    return pc.indices_nonzero(pc.or_(absent, pc.fill_null(differs, False)))


def _common(a: pa.Array, b: pa.Array) -> tuple[pa.Array, pa.Array]:
    """Bring two types together; values that do not fit are compared as text."""
    for target in (a.type, b.type):
        try:
            return a.cast(target), b.cast(target)
        except pa.ArrowException:
            continue
    return a.cast(pa.string()), b.cast(pa.string())


def _lists_differ(a: pa.Array, b: pa.Array) -> pa.Array:
    """Return per row whether two list arrays differ; null where either is null."""
    if not (pa.types.is_list(b.type) or pa.types.is_large_list(b.type)):
        return pa.array([True] * len(a), pa.bool_())
    lengths = pc.not_equal(pc.list_value_length(a), pc.list_value_length(b))
    same = pc.invert(pc.fill_null(lengths, True))
    rows = pc.indices_nonzero(same)
    left, right = a.take(rows), b.take(rows)
    values = _differing(_plain_array(left.flatten()), _plain_array(right.flatten()))
    if not len(values):
        return lengths
    parents = pc.list_parent_indices(left).take(values)
    differing = rows.take(pc.unique(parents))
    places = pa.array(range(len(a)), pa.uint64())
    return pc.or_kleene(
        lengths, pc.is_in(places, value_set=differing.cast(pa.uint64()))
    )


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value


_SHOWN_WIDTH: Final = 80


def _shown(value: Any) -> str:
    """Show a value on one line, with nothing a terminal would obey."""
    if value is None:
        return "absent"
    text = ascii(_plain(value)) if not isinstance(value, str) else ascii(value)
    return text if len(text) <= _SHOWN_WIDTH else text[:_SHOWN_WIDTH] + "…"
