from __future__ import annotations

import pyarrow as pa
import pytest

from workbench.fields.declarations import FieldInfo
from workbench.rules import compile_output

FIELDS = {"p.s": FieldInfo("p.s", "string")}
TABLE = pa.table({"p.s": pa.array(["Abc", None])})


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ('%toupper("abc")', ["ABC", "ABC"]),
        ('%len("abc")', ["3", "3"]),
        ('%toupper(b64("YWJj"))', ["ABC", "ABC"]),
        ('%tolower(concat(p.s, "X"))', ["abcx", "<NA>"]),
        ('%len(join("-", (p.s, "X")))', ["5", "<NA>"]),
        ('%6toupper("abc")|', ["ABC   |", "ABC   |"]),
        ("%toupper(tolower(p.s))", ["ABC", "<NA>"]),
    ],
)
def test_calls_behind_a_star_print_their_value_also_over_literals(text, values):
    # Falco puts the star before the output of every rule.
    assert compile_output("*" + text, FIELDS).render(TABLE) == values


@pytest.mark.parametrize("text", ['%toupper("abc")', '%tolower(concat(p.s, "X"))'])
def test_without_the_star_calls_over_no_field_render_nothing(text):
    assert compile_output(text, FIELDS).render(TABLE) == [None, None]
