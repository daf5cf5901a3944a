from __future__ import annotations

import time

import pytest

from workbench.condition import complete
from workbench.fields.declarations import FieldInfo, FieldTable

VALUES = {
    "t.string": ["abc", "a b", "/etc/x"],
    "t.key[user]": ["root"],
    "t.key[host]": ["web"],
}


def texts(text, fields, **more):
    found = complete(text.replace("|", ""), text.index("|"), fields, VALUES, **more)
    return [candidate.text for candidate in found]


def test_a_check_begins_with_a_field_a_macro_a_call_or_not(fields):
    found = texts("|", fields, macros=["mine"])
    assert found[0] == "t.string"
    assert {"evt.num", "mine", "not", "tolower("} <= set(found)
    assert "t.key[" in found


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("t.str|", ["t.string", "t.string2", "t.strings", "t.strings2"]),
        ("t.bool = true and t.uint64s2|", ["t.uint64s2"]),
        ("num|", ["evt.num"]),
        ("t.strings |", ["exists", "in", "intersects"]),
        ("t.string con|", ["contains", "icontains"]),
        ("t.string !|", ["!="]),
        ("t.uint64 <|", ["<", "<="]),
        ("len(t.string) |", ["exists", "=", "==", "!=", "<", "<=", ">", ">=", "in", "intersects"]),
        ("t.string = |", ["abc", '"a b"', "/etc/x", "oneof (", "anyof (", "allof ("]),
        ("t.string = /e|", ["/etc/x"]),
        ('t.string = "a|', ["abc", '"a b"']),
        ("t.string in (|", ["abc", '"a b"', "/etc/x"]),
        ("t.string in (abc, |", ["abc", '"a b"', "/etc/x"]),
        ("t.string in (abc |", [",", ")"]),
        ("t.string = anyof (|", ["abc", '"a b"', "/etc/x"]),
        ("t.bool = |", ["true", "false"]),
        ("t.key[|", ["user", "host"]),
        ("t.key[us|", ["user"]),
        ("t.key[user] = |", ["root"]),
        ("t.uint64 > val(|", ["t.uint64", "t.uint642", "t.idx[", "evt.num"]),
        ("t.bool = true |", ["and", "or"]),
        ("(t.bool = true |", ["and", "or", ")"]),
        ("t.bool = true an|", ["and"]),
        ("nonsense here and t.bool = |", ["true", "false"]),
    ],
)  # fmt: skip
def test_what_may_come_next_stands_first(text, first, fields):
    assert texts(text, fields)[: len(first)] == first


def test_a_candidate_says_what_it_replaces(fields):
    item = complete("t.string = é and t.str", 22, fields)[0]
    assert (item.kind, item.text, item.start, item.end) == ("field", "t.string", 17, 22)
    quoted = complete('t.string = "a', 13, fields, VALUES)[0]
    assert (quoted.text, quoted.start, quoted.end) == ("abc", 11, 13)


def test_names_of_lists_are_offered_where_lists_stand(fields):
    assert "(allowed)" in texts("t.string in |", fields, lists=["allowed"])
    assert "allowed" in texts("t.string in (|", fields, lists=["allowed"])


def test_completion_is_quick_on_many_fields():
    many = FieldTable(
        FieldInfo(f"p.group{i % 7}.field{i}", "string") for i in range(500)
    )
    text = "p.group1.field1 = x and (p.group1.field8 contains y or p.gr"
    complete(text, len(text), many)
    start = time.perf_counter()
    for _ in range(5):
        assert complete(text, len(text), many)
    assert (time.perf_counter() - start) / 5 < 0.02
