from __future__ import annotations

import json

import pyarrow as pa
import pytest

from workbench.replay.compare import compare_events


def table(**columns):
    rows = len(next(iter(columns.values())))
    numbers = columns.pop("num", range(1, rows + 1))
    return pa.table({"evt.num": pa.array(numbers, pa.uint64()), **columns})


def test_equal_tables_are_the_same():
    a = table(x=pa.array([1, None, 3]), y=pa.array([["a"], None, []]))
    report = compare_events(a, a)
    assert report.same
    assert str(report) == "3 events, 2 fields compared: all values are the same"
    assert report.fields == ("x", "y")


def test_differing_fields_and_their_first_events_are_named():
    a = table(x=pa.array([1, 2, 3, 4]), y=pa.array([b"s"] * 4))
    b = table(x=pa.array([1, 9, 3, None]), y=pa.array([b"s"] * 4))
    report = compare_events(a, b, first=1)
    (only,) = report.differences
    assert (only.field, only.count) == ("x", 2)
    assert [(v.event_number, v.left, v.right) for v in only.first] == [(2, 2, 9)]
    assert str(report).splitlines() == [
        "4 events, 2 fields compared: there are differences",
        "x: differs in 2 of 4 events",
        "    event 2: recorded 2, replayed 9",
    ]
    assert not report.same


@pytest.mark.parametrize(
    ("left", "right", "rows"),
    [
        (pa.array([b"a", b"b"]), pa.array(["a", "b"]).dictionary_encode(), 0),
        (pa.array(["a", "b"]), pa.array([b"a", b"x"], pa.large_binary()), 1),
        (pa.array([1, 2], pa.uint64()), pa.array([1, 2], pa.timestamp("ns")), 0),
        (pa.array([2000], pa.duration("ns")), pa.array([2], pa.duration("us")), 0),
        (pa.array([1, 2]), pa.array(["1", "x"]), 1),
        (pa.array([["a"], ["b", "c"]]), pa.array([["a"], ["b", "x"]]), 1),
        (pa.array([["a"], ["b", "c"]]), pa.array([["a", "b"], ["c"]]), 2),
        (pa.array([[], None, ["b"]]), pa.array([None, None, ["b"]]), 1),
        (
            pa.array([["a"], ["b"]]),
            pa.array([["a"], ["b"]], pa.list_(pa.dictionary(pa.int8(), pa.utf8()))),
            0,
        ),
        (pa.array([["a"]]), pa.array(["a"]), 1),
        (pa.array([None, None]), pa.array([None, "x"]), 1),
        (pa.array([True, False]), pa.array([True, None]), 1),
    ],
)
def test_values_are_compared_whatever_their_arrow_types(left, right, rows):
    report = compare_events(table(x=left), table(x=right))
    assert sum(d.count for d in report.differences) == rows


def test_rows_are_paired_by_event_number_across_chunks():
    a = table(x=pa.array([10, 20, 30, 40]), num=[1, 2, 3, 5])
    b = table(x=pa.array([30, 99, 10]), num=[3, 4, 1])
    b = pa.concat_tables([b.slice(0, 1), b.slice(1)])
    report = compare_events(a, b)
    assert report.events == 2
    assert report.differences == ()
    assert (report.only_left, report.only_right) == ((2, 5), (4,))
    assert "only recorded: 2 events (2, 5)" in str(report)


def test_missing_fields_are_named_with_their_side():
    a = table(x=pa.array([1]), y=pa.array([1]))
    b = table(x=pa.array([1]), z=pa.array([1]))
    report = compare_events(a, b)
    assert report.missing_fields == (("y", "replayed"), ("z", "recorded"))
    assert compare_events(a, b, fields=["x"]).same


def test_without_event_numbers_rows_are_paired_by_place():
    a, b = pa.table({"x": [1, 2, 3]}), pa.table({"x": [1, 5]})
    report = compare_events(a, b)
    assert [v.event_number for v in report.differences[0].first] == [2]
    assert report.only_left == (3,)


def test_what_is_shown_is_plain_text_and_json():
    a = table(x=pa.array([b"\x1b[31mred\xff" + b"x" * 500]))
    b = table(x=pa.array([b""]))
    report = compare_events(a, b)
    assert "\x1b" not in str(report)
    assert max(map(len, str(report).splitlines())) < 200
    data = json.loads(json.dumps(report.to_dict()))
    assert data["differences"][0]["first"][0]["replayed"] == ""
    assert data["same"] is False


def test_empty_tables_are_the_same():
    a = table(x=pa.array([], pa.int64()))
    assert compare_events(a, a).same
