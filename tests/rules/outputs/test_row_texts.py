"""Texts worked out once for many rules are those of each rule's own rows."""

from __future__ import annotations

import pyarrow as pa
import pytest

from workbench.fields.declarations import FieldInfo
from workbench.rules import compile_output
from workbench.rules.outputs.row_texts import RowTexts

NUM = FieldInfo("t.num", "uint64")
STR = FieldInfo("t.str", "string")
TAGS = FieldInfo("t.tags", "string", is_list=True)
FIELDS = {info.name: info for info in (NUM, STR, TAGS)}


def table_of(rows):
    names = [b"a", b'q"\n', None, b"\xff", b""]
    return pa.table(
        {
            "t.num": pa.array(range(rows), pa.uint64()),
            "t.str": pa.array([names[i % 5] for i in range(rows)], pa.binary()),
            "t.tags": pa.array(
                [[b"x", b"y"][: i % 3] for i in range(rows)], pa.list_(pa.binary())
            ),
        }
    )


# Few rows: picked from all. Many: taken by themselves.
@pytest.mark.parametrize("rows", [40, 6000])
@pytest.mark.parametrize(
    "text", ["n=%t.num s=%t.str %t.tags", "*%tolower(t.str) %t.num", "x"]
)
def test_picked_rows_say_what_their_own_table_says(rows, text):
    table = table_of(rows)
    output = compile_output(text, FIELDS)
    every = RowTexts(table)
    for at in ([], [0], [7, 3, 3], list(range(0, rows, 2)), list(range(rows))):
        own = table.take(pa.array(at, pa.int64()))
        picked = every.pick(at)
        assert picked.num_rows == len(at)
        assert output.render(picked) == output.render(own)
        assert output.json_texts(picked) == output.json_texts(own)


def test_a_column_is_worked_out_once():
    every = RowTexts(table_of(10))
    made = []
    known = every.made("key", lambda table: made.append(table) or [1] * 10)
    assert every.pick([1, 2]).made("key", lambda _: made.append("again") or []) == [
        1,
        1,
    ]
    assert known == [1] * 10
    assert len(made) == 1


def test_a_missing_column_is_named():
    with pytest.raises(KeyError, match=r"t\.nothing"):
        RowTexts(table_of(2)).pick([1]).texts("t.nothing", STR)
