from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from workbench.fields.declarations import FieldInfo
from workbench.fields.literals import check_text, literal
from workbench.ui.data.values import distribution


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
