from __future__ import annotations

import pytest

from workbench.rules import load_rules, parse_rules


def places(found):
    return [(d.code, d.line, d.column) for d in found]


BROKEN = """\
- rule: A
  desc: d
  condition: t.num = abc
  output: x %t.nosuch
  priority: WARN
  source: t
- list: l
  items: [a, [b]]
- macro: m
  condition: >
    t.num = 1 and
      t.strr = x
- rule: B
  desc: d
  condition: m and
"""


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


@pytest.mark.parametrize(
    ("text", "code", "hint"),
    [
        (
            (
                "- rule: r\n  desc: d\n  condition: t.num = 1\n  output: o\n"
                "  priority: INFO\n  source: tt\n"
            ),
            "LOAD_UNKNOWN_SOURCE",
            "known here: t, syscall",
        ),
        ("- rul: r\n", "LOAD_UNKNOWN_ITEM", "rule"),
        (
            (
                "- list: l1\n  items: [a]\n- list: l2\n  items: [l1]\n"
                "- list: l3\n  items: [l2]\n"
            ),
            "list-stays-word",
            "l1",
        ),
    ],
)
def test_complaints_come_with_a_correction(target, text, code, hint):
    found = [d for d in parse_rules(text).check(target) if d.code == code]
    assert found
    assert hint in found[0].hint


@pytest.mark.parametrize(
    ("condition", "code"),
    [
        ("t.num = 1 and t.num = 2", "never-true"),
        ("t.num > 5 and t.num < 3", "never-true"),
        ("t.num in (1, 2) and not t.num in (1, 2, 3)", "never-true"),
        ("t.str = a and not t.str exists", "never-true"),
        ("t.num in ()", "never-true"),
        ("t.num = 1 or not t.num = 1", "always-true"),
        ("not t.num in ()", "always-true"),
    ],
)
def test_constant_conditions_are_found(target, rule, condition, code):
    assert code in {d.code for d in parse_rules(rule(condition)).check(target)}


@pytest.mark.parametrize(
    "condition",
    [
        "t.num = 1 or t.num = 2",
        "t.num > 3 and t.num < 5",
        "not t.num = 1 and not t.num = 2",
        "t.tags in (a) and t.tags in (b)",
        "t.num = 1 or not t.num = 2",
    ],
)
def test_ordinary_conditions_are_left_alone(target, rule, condition):
    codes = {d.code for d in parse_rules(rule(condition)).check(target)}
    assert not codes & {"never-true", "always-true"}


@pytest.mark.parametrize(
    ("first", "second", "hidden"),
    [
        ("t.num = 1", "t.num = 1 and t.flag = true", True),
        ("t.num in (1, 2)", "t.num = 2 and t.flag = true", True),
        ("t.str exists", "t.str startswith a", True),
        ("t.num = 1 and t.flag = true", "t.num = 1", False),
        ("t.num = 1 or t.flag = true", "t.num = 1", False),
        ("not t.str = a", "not t.str = a and t.num = 1", True),
    ],
)
def test_shadowed_rules_are_found(target, rule, first, second, hidden):
    text = rule(first, name="one") + rule(second, name="two")
    codes = {d.code for d in parse_rules(text).check(target)}
    assert ("shadowed-rule" in codes) is hidden


def test_an_output_that_falls_back_to_a_shorter_name_is_told(target, rule):
    (found,) = parse_rules(rule(output="'x %t.string'")).check(target)
    assert (found.code, found.line, found.column) == ("output-shorter-field", 4, 14)


def test_an_unmet_plugin_requirement_is_told(target):
    text = (
        "- required_plugin_versions:\n"
        "    - name: other\n      version: 1.0.0\n"
        "      alternatives:\n        - name: tplug\n          version: 1.3.0\n"
    )
    (found,) = parse_rules(text).check(target)
    assert found.code == "plugin-requirement"
    assert "'1.2.3' is not compatible" in found.message


def test_json_verdicts_have_falcos_shape_and_every_error(target):
    (data,) = parse_rules(BROKEN, "b.yaml").verdicts(target)
    assert data["name"] == "b.yaml"
    assert data["successful"] is False
    first = data["errors"][0]
    assert first["code"] == "LOAD_ERR_YAML_VALIDATE"
    assert first["context"]["locations"][-1]["position"] == {
        "name": "b.yaml",
        "line": 4,
        "column": 12,
        "offset": 79,
    }
    assert len(data["errors"]) >= 6


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


def test_list_of_complaints_shows_lines_and_escapes_html(target):
    found = parse_rules(BROKEN.replace("t.strr", "t.strr<b>")).check(target)
    assert "condition: t.num = abc" in str(found)
    assert "<b>" not in found._repr_html_()


def test_a_rule_set_travels_whole(target, tmp_path):
    import pickle

    rules = load_rules(tmp_path / "missing.yaml")
    rules.add(parse_rules(BROKEN).texts["rules.yaml"])
    rules.check(target)
    back = pickle.loads(pickle.dumps(rules))
    assert back.check(target) == rules.check(target)


def test_what_cannot_be_checked_against_is_told():
    with pytest.raises(TypeError, match="not against a int"):
        parse_rules("").check(5)
