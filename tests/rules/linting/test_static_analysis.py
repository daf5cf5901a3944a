from __future__ import annotations

import pytest

from workbench.rules import parse_rules


@pytest.mark.parametrize(
    ("condition", "code"),
    [
        ("t.num = 1 and t.num = 2", "never-true"),
        ("t.num > 5 and t.num < 3", "never-true"),
        ("t.num in (1, 2) and not t.num in (1, 2, 3)", "never-true"),
        ("t.str = a and not t.str exists", "never-true"),
        ("t.num in ()", "empty-set"),
        ("t.num = 1 or not t.num = 1", "always-true"),
        ("not t.num in ()", "empty-set"),
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
