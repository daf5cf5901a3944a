from __future__ import annotations

import json

import pyarrow as pa
import pytest

from workbench.arrow.values import display_info, display_texts, json_array
from workbench.fields.declarations import FieldInfo


def test_texts_are_bounded_and_show_hidden_characters():
    info = FieldInfo("x", "string")
    column = pa.array([b"a" * 10_000_000, b"\x1b[31m\xe2\x80\xaered", b"\xff", None])
    texts = display_texts(column, info, limit=50)
    assert [len(texts[0]), texts[1:]] == [
        50,
        ["\\x1b[31m\\u202ered", "\N{REPLACEMENT CHARACTER}", None],
    ]


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        ("uint64", 5, "5"),
        ("bool", True, "true"),
        ("reltime", 1_500_000, "1.5 ms"),
        ("reltime", 7, "7 ns"),
        ("abstime", 1_500_000_000, "1970-01-01T00:00:01.5Z"),
        ("abstime", 2**64 - 1, "2554-07-21T23:34:33.709551615Z"),
        ("ipaddr", b"\x0a\0\0\1", "10.0.0.1"),
    ],
)
def test_values_read_as_their_type(kind, value, text):
    arrow = {"bool": pa.bool_(), "ipaddr": pa.binary()}.get(kind, pa.uint64())
    assert display_texts(pa.array([value], arrow), FieldInfo("x", kind)) == [text]


@pytest.mark.parametrize("dictionary", [False, True])
def test_lists_read_as_the_engine_writes_them(dictionary):
    values = [[b"a", b"b"], [], None, [b"x"] * 1000, [b"c"]]
    kind = pa.dictionary(pa.int32(), pa.binary()) if dictionary else pa.binary()
    column = pa.array(values, pa.list_(kind)).slice(0)
    info = FieldInfo("x", "string", is_list=True)
    long = "(" + "x, " * 20 + "…)"
    assert display_texts(column, info) == ["(a, b)", None, None, long, "(c)"]
    assert display_texts(column.slice(3), info) == [long, "(c)"]


def test_counts_within_a_second_are_not_taken_for_times():
    assert display_info("evt.rawtime.ns", {}) is None
    assert display_info("evt.rawtime", {}).type == "abstime"


def test_json_values_keep_numbers_and_lists():
    column = pa.array([[b"\x0a\0\0\1"], None], pa.list_(pa.binary()))
    values = json_array(column, FieldInfo("x", "ipaddr", is_list=True)).to_pylist()
    assert json.loads(json.dumps(values)) == [["10.0.0.1"], None]
    times = pa.array([5, None], pa.timestamp("us"))
    assert json_array(times, FieldInfo("x", "abstime")).to_pylist() == [5000, None]
