from __future__ import annotations

import pytest

from workbench.condition.analysis.fragments import (
    MAX_FRAGMENTS,
    add_check,
    find_fragments,
    replace_spans,
)


def shown(text):
    return [(f.kind, f.text) for f in find_fragments(text)]


def test_lists_checks_and_groups_are_found_where_they_stand():
    text = 'a.b in (1, 2) and (a.c = "(x or y)" or not( a.d=3 and a.e exists ))'
    assert shown(text) == [
        ("group", text),
        ("check", "a.b in (1, 2)"),
        ("list", "(1, 2)"),
        ("group", '(a.c = "(x or y)" or not( a.d=3 and a.e exists ))'),
        ("check", 'a.c = "(x or y)"'),
        ("group", "( a.d=3 and a.e exists )"),
        ("check", "a.d=3"),
        ("check", "a.e exists"),
    ]
    raw = text.encode()
    for fragment in find_fragments(text):
        start, end = fragment.span.start, fragment.span.end
        assert raw[start:end].decode() == fragment.text


def test_a_pair_of_a_longer_chain_is_no_group_of_its_own():
    assert [k for k, _ in shown("(a.b = 1 and a.c = 2 or a.d = 3)")].count("group") == 1
    assert shown("(a.b = 1) and (a.c = 2)")[0] == ("group", "(a.b = 1) and (a.c = 2)")


def test_keys_tell_what_means_the_same():
    first, second = (
        next(f for f in find_fragments(text) if f.kind == "list")
        for text in ("a.b in (x,y)", 'a.b in ( "x" , y )')
    )
    assert (
        (first.key, first.items) == (second.key, second.items) == ("(x, y)", ("x", "y"))
    )


def test_arguments_of_calls_are_compared_as_written():
    # Both print tolower(a.b), and the first looks at a text, the second at a field.
    keys = {
        fragment.key
        for text in ('tolower("a.b") = x', "tolower(a.b) = x")
        for fragment in find_fragments(text)
    }
    assert len(keys) == 2


def test_values_of_a_list_keep_the_quotes_they_need():
    (found,) = (f for f in find_fragments('a.b in ("a b", "c,d", "e", f)') if f.items)
    assert found.items == ('"a b"', '"c,d"', "e", "f")


def test_what_is_no_condition_has_no_fragments():
    assert find_fragments("a.b in (1, 2) and") == []
    assert find_fragments("") == []


def test_large_conditions_have_a_bounded_number_of_fragments():
    text = "(" * 3000 + "a.b = 1" + " or a.c = 2)" * 3000
    assert len(find_fragments(text)) == MAX_FRAGMENTS


def test_spans_are_replaced_by_bytes():
    text = 'a.b = "é" and a.c in (1, 2)'
    (found,) = (f for f in find_fragments(text) if f.kind == "list")
    assert replace_spans(text, [(found.span, "(ids)")]) == 'a.b = "é" and a.c in (ids)'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "c.d exists"),
        ("  ", "c.d exists"),
        ("a.b = 1", "a.b = 1 and c.d exists"),
        ("a.b = 1 or a.c = 2", "(a.b = 1 or a.c = 2) and c.d exists"),
        ("a.b=1 or(a.c=2)", "(a.b=1 or(a.c=2)) and c.d exists"),
        ("(a.b = 1 or a.c = 2)", "(a.b = 1 or a.c = 2) and c.d exists"),
        ("( a.b = 1 or a.c = 2 )", "( a.b = 1 or a.c = 2 ) and c.d exists"),
        ("a.b = ' or '", "a.b = ' or ' and c.d exists"),
        ("a.b = '\\'' or a.c = '", "(a.b = '\\'' or a.c = ') and c.d exists"),
        ("a.b = 1 or a.c =", "(a.b = 1 or a.c =) and c.d exists"),
        ("not (a.b = 1 or a.c = 2)", "not (a.b = 1 or a.c = 2) and c.d exists"),
    ],
)
def test_an_added_check_binds_to_all_of_the_text(text, expected):
    assert add_check(text, "c.d exists") == expected
