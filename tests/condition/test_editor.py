from __future__ import annotations

import time

import pytest

from workbench.condition import check_condition, complete
from workbench.condition.binding.recover import understand
from workbench.condition.syntax.canonical import canonical
from workbench.fields.declarations import FieldInfo, FieldTable

VALUES = {
    "t.string": ["abc", "a b", "/etc/x"],
    "t.key[user]": ["root"],
    "t.key[host]": ["web"],
}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("t.string = a and t.uint64 > 5", []),
        ("t.string = a b and t.uint64 = x", [(13, "unexpected-token"), (30, "bad-number")]),
        (
            "(t.uint64 > x or t.nope = 3) and t.string CONTAINS x or t.strings = a",
            [(12, "expected-number"), (17, "unknown-field"), (42, "expected-operator"), (66, "operator-type")],
        ),
        ("t.string in (a and t.bool = maybe", [(15, "expected-close"), (28, "bad-bool")]),
        ("t.string = '\\d' or t.nope exists", [(12, "escape"), (19, "unknown-field")]),
        ("t.bool = true) and t.nope exists", [(13, "unexpected-token"), (19, "unknown-field")]),
        ("t.string = a and", [(16, "expected-blank"), (16, "expected-check")]),
        ("", [(0, "empty-condition")]),
        ("t.uint64 = -1 and t.nope = 1", [(11, "negative-number"), (18, "unknown-field")]),
        ("here and there", [(0, "unknown-macro"), (9, "unknown-macro")]),
    ],
)  # fmt: skip
def test_all_that_is_wrong_is_told_in_the_order_of_the_text(text, found, fields):
    told = check_condition(text, fields)
    assert [(item.span.start, item.code) for item in told] == found
    assert all(item.line == 1 for item in told)


def test_an_error_carries_everything_else_that_is_wrong(refusal):
    error = refusal("t.uint64 = x and t.nope exists or t.uint64 = -1")
    codes = [(item.severity, item.code) for item in error.diagnostics]
    assert codes == [
        ("error", "bad-number"),
        ("error", "unknown-field"),
        ("warning", "negative-number"),
    ]


def test_known_macros_are_not_complained_about(fields):
    assert check_condition("here and t.bool = true", fields, macros=["here"]) == []
    found = check_condition("hre", fields, macros=["here"])
    assert found[0].hint == "did you mean here?"


def test_unchecked_families_are_let_pass_but_the_rest_is_judged(fields):
    def syscall(name):
        return name.startswith("proc.")

    text = "proc.name = cat and t.nope = 1 or proc.pid > val(t.nope2)"
    found = check_condition(text, fields, unchecked=syscall)
    assert [item.code for item in found] == ["unknown-field", "unknown-field"]


def test_what_could_be_read_is_in_the_tree():
    tree, faults = understand("t.a = x and t.b ~ y or (t.c exists and t.d = 'z')")
    assert canonical(tree) == "((t.a = x and ?) or (t.c exists and t.d = z))"
    assert [fault.code for fault in faults] == ["expected-operator"]


@pytest.mark.parametrize(
    "piece", ['a.b = \\"', "a.b = '", "x )", "(a.b =)", "a.b in (", "a b "]
)
def test_hopeless_texts_are_judged_in_proportion_to_their_length(piece, fields):
    start = time.perf_counter()
    assert check_condition(piece * 20_000, fields)
    # A square of the length would be minutes.
    assert time.perf_counter() - start < 30


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


@pytest.mark.timing
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
