from __future__ import annotations

import pytest

from tests.rules.texts import BROKEN
from workbench.rules import load_rules, parse_rules


def places(found):
    return [(d.code, d.line, d.column) for d in found]


def test_all_mistakes_are_told_at_once_each_at_its_place(target):
    assert places(parse_rules(BROKEN).check(target)) == [
        ("LOAD_ERR_COMPILE_CONDITION", 3, 22),
        ("LOAD_ERR_COMPILE_OUTPUT", 4, 13),
        ("LOAD_ERR_YAML_VALIDATE", 5, 13),
        ("LOAD_UNUSED_LIST", 7, 3),
        ("LOAD_ERR_YAML_VALIDATE", 8, 14),
        ("LOAD_UNUSED_MACRO", 9, 3),
        ("LOAD_ERR_YAML_VALIDATE", 13, 3),
        ("LOAD_ERR_YAML_VALIDATE", 13, 3),
        ("LOAD_ERR_COMPILE_CONDITION", 15, 19),
    ]


@pytest.mark.parametrize(
    ("style", "line", "column"),
    [
        (">\n    t.num = 1\n    and t.nope = 2\n", 5, 9),
        ("|\n    t.num = 1\n\n    and t.nope = 2\n", 6, 9),
        (">-\n      t.num = 1 and\n        t.nope = 2\n", 5, 9),
        ("'t.num = 1 and t.nope = ''2'''\n", 3, 29),
        ('"t.num = 1\\n and \\x74.nope = 2"\n', 3, 31),
        ("t.num = 1\n    and\n    t.nope = 2\n", 5, 5),
        ("!tag &anchor t.num = 1 and t.nope = 2\n", 3, 41),
    ],
    ids=["folded", "literal", "more-indented", "single", "double", "plain", "anchored"],
)
def test_the_place_is_true_in_every_style_of_scalar(target, style, line, column):
    text = (
        f"- rule: r\n  desc: d\n  condition: {style}"
        "  output: o\n  priority: INFO\n  source: t\n"
    )
    found = parse_rules(text).check(target)
    assert places(found.errors) == [("LOAD_ERR_COMPILE_CONDITION", line, column)]


def test_columns_count_characters_and_not_bytes(target, rule):
    found = parse_rules(rule("t.str = 'ééé日' and t.nope = 1")).check(target)
    assert [(d.line, d.column) for d in found.errors] == [(3, 33)]


def test_a_mistake_in_a_macro_is_told_there_and_says_who_uses_it(target, rule):
    text = "- macro: m\n  condition: t.nope exists\n" + rule("m", name="user")
    (found,) = parse_rules(text).check(target).errors
    assert (found.line, found.column) == (2, 14)
    assert found.context == ("macro m, used by rule user",)


def test_a_mistake_that_a_list_brings_points_at_the_name_of_the_list(target, rule):
    text = "- list: l\n  items: [a, b]\n" + rule("t.str = l and t.num = 1")
    (found,) = parse_rules(text).check(target).errors
    assert (found.line, found.column) == (5, 22)
    assert "list l" in found.hint


def test_a_mistake_in_an_exception_points_at_its_value(target, rule):
    text = rule() + (
        "  exceptions:\n    - name: e\n      fields: t.num\n      values: [5, abc]\n"
    )
    (found,) = parse_rules(text).check(target).errors
    assert (found.line, found.column) == (10, 19)


def test_appended_text_is_told_in_the_file_it_came_from(target, rule, tmp_path):
    (tmp_path / "a.yaml").write_text(rule())
    (tmp_path / "b.yaml").write_text(
        "- rule: r\n  condition: and t.nope = 1\n  override: {condition: append}\n"
    )
    found = load_rules(tmp_path / "a.yaml", tmp_path / "b.yaml").check(target)
    assert [(d.file[-6:], d.line, d.column) for d in found.errors] == [
        ("b.yaml", 2, 18)
    ]


def test_nothing_is_asked_of_fields_when_nothing_is_known(rule):
    assert not parse_rules(rule("x.y = 1", output="x %x.y")).check()


def test_syscall_rules_are_accepted_unchecked_but_for_their_event_type(target):
    text = (
        "- rule: s\n  desc: d\n  condition: proc.name = bash and fd.name exists\n"
        "  output: p=%proc.name f=%fd.name\n  priority: INFO\n"
    )
    found = parse_rules(text).check(target)
    assert [d.code for d in found] == ["LOAD_NO_EVTTYPE"]
    good = text.replace("proc.name = bash", "evt.type in (open, openat)")
    assert not parse_rules(good).check(target)
    wrong = parse_rules(text.replace("%fd.name", "%t.num")).check(target)
    assert "LOAD_ERR_COMPILE_OUTPUT" in {d.code for d in wrong}
