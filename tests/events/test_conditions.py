from __future__ import annotations

import warnings

import pyarrow as pa
import pytest

import workbench as wb

FIELDS = [
    {"name": "x.text", "type": "string", "desc": ""},
    {"name": "x.num", "type": "uint64", "desc": ""},
]


@pytest.fixture
def events():
    table = pa.table({"x.text": [b"9", b"10"], "x.num": pa.array([9, 10], pa.uint64())})
    return wb.events_from_table(table, fields=FIELDS, source="x")


@pytest.mark.parametrize("call", ["where", "mask", "count", "funnel", "near_misses"])
def test_numbers_compared_with_texts_are_warned_of_where_they_are_used(events, call):
    with pytest.warns(wb.ConditionWarning, match="compared as text") as caught:
        getattr(events, call)("x.text > 5")
    assert caught[0].filename == __file__
    assert "uint64" in str(caught[0].message)


def test_a_condition_that_means_what_it_says_is_not_warned_of(events):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert events.count("x.num > 9") == 1
        compiled = wb.condition.compile_condition("x.text > 5", events.fields)
        events.where(compiled)


def test_what_is_no_condition_is_refused(events):
    with pytest.raises(wb.WorkbenchError, match="must be a condition, or a mask"):
        events.where(1.5)
    with pytest.raises(wb.WorkbenchError, match="or a Rule, not"):
        events.count([True, False])
