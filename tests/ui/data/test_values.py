from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from workbench.fields.declarations import FieldInfo
from workbench.ui.data.axis import Axis, axis_fields
from workbench.ui.data.bins import Bins, round_width
from workbench.ui.data.row_store import RowStore
from workbench.ui.data.values import check_text, distribution, literal


def test_bins_count_every_event_once_however_they_arrive():
    rng = np.random.default_rng(3)
    times = np.sort(rng.integers(10**18, 10**18 + 10**12, 20_000)).astype(np.uint64)
    matched = rng.random(20_000) < 0.1
    bins = Bins()
    for end in (1, 50, 1000, 7000, 20_000):
        bins.update(times[:end], matched[:end])
        assert bins.counts.sum() == end
        assert bins.matches.sum() == matched[:end].sum()
        assert len(bins.counts) <= 320
    whole = Bins()
    whole.rebuild(times, matched)
    edges = bins.start + bins.width * np.arange(len(bins.counts) + 1)
    assert bins.counts.tolist() == np.histogram(times.astype(float), edges)[0].tolist()


def test_an_event_before_the_first_bin_makes_new_bins():
    bins = Bins()
    bins.update(np.array([10**12, 2 * 10**12], np.uint64), None)
    bins.update(np.array([10**12, 2 * 10**12, 5], np.uint64), None)
    assert bins.counts.sum() == 3
    assert bins.start == 0


@pytest.mark.parametrize(
    "span", [1, 999, 10**6, 3 * 10**9, 86400 * 10**9, 400 * 86400 * 10**9]
)
def test_widths_are_round_and_give_at_most_320_bins(span):
    width = round_width(span, time=True)
    assert span / width <= 160
    assert width >= 1


def test_a_range_in_bins_and_back():
    bins = Bins()
    bins.rebuild(np.arange(10**12, 10**12 + 10**10, 10**7).astype(np.uint64), None)
    low, high = bins.range_of(2.5, 7)
    assert bins.bins_of(low, high) == (2.5, 7)


def test_a_brush_on_a_number_field_flags_rows_and_follows_new_ones(events_of):
    events = events_of(1000)
    store = RowStore(events.fields, "web")
    store.extend(events.table.slice(0, 600))
    axis = Axis(store, "web.status")
    axis.update(None)
    axis.set_brush((400, 500))
    store.extend(events.table.slice(600))
    axis.update(None)
    assert axis.within.tolist() == [
        s == 404 for s in events.table.column("web.status").to_pylist()
    ]
    assert axis.bins.counts.sum() == 1000


def test_fields_for_the_axis_are_numbers_and_times(events_of):
    events = events_of(10)
    store = RowStore(events.fields, "web")
    store.extend(events.table)
    assert axis_fields(store) == ["evt.time", "evt.num", "web.status", "web.took"]


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [
        (b"GET", "string", "GET"),
        (b"two words", "string", '"two words"'),
        (b"and", "string", '"and"'),
        (b'a"b', "string", '"a\\"b"'),
        (b"", "string", '""'),
        (b"\x0a\0\0\1", "ipaddr", "10.0.0.1"),
        (True, "bool", "true"),
        (404, "uint64", "404"),
        (b"\xff", "string", None),
        (b"a\0b", "string", None),
        (b"ends in \\", "string", None),
        (b"x" * 500, "string", None),
    ],
)
def test_literals_are_what_conditions_want(value, kind, text):
    assert literal(value, FieldInfo("f", kind)) == text


def test_every_offered_check_selects_exactly_its_rows(events_of):
    events = events_of(2000)
    for name in (
        "web.method",
        "web.path",
        "web.status",
        "web.client",
        "web.tags",
        "web.took",
    ):
        column = events.table.column(name)
        found = distribution(name, column, events.fields[name], None)
        assert found["rows"], name
        for row in found["rows"]:
            if row["check"] is None:
                continue
            matched = events.mask(row["check"]).sum()
            if name == "web.tags" and not row.get("absent"):
                assert matched > 0
            else:
                assert matched == row["count"], row["check"]


def test_match_counts_per_value_add_up(events_of):
    events = events_of(2000)
    mask = events.mask("web.status = 404").to_numpy()
    found = distribution(
        "web.method",
        events.table.column("web.method"),
        events.fields["web.method"],
        mask,
    )
    assert sum(row["matches"] for row in found["rows"]) == mask.sum()


def test_checks_of_odd_values():
    listed = FieldInfo("t", "string", is_list=True)
    assert check_text("t", [b"a", b"b c"], listed) == 't intersects (a, "b c")'
    assert check_text("t", None, listed) == "not t exists"
    assert check_text("t", [b"\xff"], listed) is None
    assert check_text("n", 5, FieldInfo("n", "uint64"), negate=True) == "not n = 5"


def test_a_column_of_nothing_but_absent_values_is_no_trouble():
    column = pa.chunked_array([pa.nulls(5, pa.binary())])
    found = distribution("f", column, FieldInfo("f", "string"), np.zeros(5, bool))
    assert [row["count"] for row in found["rows"]] == [5]
