from __future__ import annotations

import time

import pytest

from workbench.condition import check_condition
from workbench.condition.binding.recover import understand
from workbench.condition.syntax.canonical import canonical
from workbench.fields.declarations import FieldInfo, as_field_table


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
def test_hopeless_texts_are_judged_in_no_time(piece, fields):
    start = time.perf_counter()
    assert check_condition(piece * 20_000, fields)
    assert time.perf_counter() - start < 2


ADVICE_FIELDS = as_field_table(
    [
        FieldInfo(name="weblog.client", type="string"),
        FieldInfo(name="weblog.client_ip", type="string"),
        FieldInfo(name="weblog.status", type="uint64"),
        FieldInfo(name="weblog.path", type="string"),
    ]
)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("status = 404", "did you mean weblog.status?"),
        ("path contains x", "did you mean weblog.path?"),
        ("zebra = 1", "'zebra' is no field; names of fields hold a dot"),
        ("weblog.clientt = a", "did you mean weblog.client?"),
        ("weblog.status => 400", "write '>=' for '=>'"),
        ("weblog.status =<400", "write '<=' for '=<'"),
        ("weblog.path => a", "write '>=' for '=>'"),
        ("weblog.status <> 3", "write '!=' for '<>'"),
        ("weblog.path = “/x”", "curly quotes do not quote; write straight ones"),
        ("weblog.path = “/x y”", "curly quotes do not quote; write straight ones"),
        ("weblog.status = “404”", "curly quotes do not quote; write straight ones"),
        ("weblog.path in (“a b”, c)", "curly quotes do not quote"),
        ("weblog.path = '“/x”'", "remove the curly quotes inside the straight ones"),
        ("weblog.path = a and or weblog.path = b", "remove 'or', or write a check"),
    ],
)
def test_slips_of_the_pen_are_corrected(text: str, hint: str) -> None:
    found = check_condition(text, ADVICE_FIELDS)
    assert any((item.hint or "").startswith(hint) for item in found), found


def test_quotes_and_words_that_are_meant_are_left_alone() -> None:
    text = "weblog.path = 'it’s' or weblog.path = 'or' or weblog.path = '>a'"
    assert check_condition(text, ADVICE_FIELDS) == []


def test_a_missing_check_points_at_the_word_in_its_place() -> None:
    text = "weblog.path = a and or weblog.path = b"
    first = check_condition(text, ADVICE_FIELDS)[0]
    assert first.span is not None
    assert text[first.span.start : first.span.end] == "or"
    assert first.column == text.index("or") + 1


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("t.string not in (a)", "not t.string in (…)"),
        ("t.uint64 = 1 and (t.string not in (a))", "not t.string in (…)"),
        ("t.string !in (a)", "not t.string in (…)"),
        ("t.string notin (a)", "not t.string in (…)"),
        ("t.string NOT IN (a)", "not t.string in (…)"),
        ("t.string not contains a", "not t.string contains …"),
        ("t.string not exists", "not t.string exists"),
        ("t.string not = a", "write t.string != …"),
        ("t.string is not a", "write '!='"),
        ("t.string is a", "write '='"),
        ("t.string in a, b", "write the values in parentheses: in (a, b)"),
        ("t.string in a", "write in (a); a list of a rules file needs the paren"),
    ],
)
def test_a_negation_or_a_list_in_the_wrong_place_is_corrected(fields, text, hint):
    hints = [item.hint or "" for item in check_condition(text, fields)]
    assert any(hint in found for found in hints), hints


@pytest.mark.parametrize(
    "text", ["t.string not", "t.string not ", "not", "t.string is not"]
)
def test_a_condition_that_ends_in_not_is_no_trouble(text, fields):
    found = check_condition(text, fields)
    assert [d.severity for d in found][:1] == ["error"]
