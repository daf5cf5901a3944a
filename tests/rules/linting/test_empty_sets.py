from __future__ import annotations

import pytest

from workbench.rules import parse_rules

LISTS = "- list: nobody\n  items: []\n- list: known\n  items: [a]\n"
MACRO = "- macro: by_nobody\n  condition: t.str in (nobody)\n"


def found(target, rule, *conditions, macro=""):
    rules = "".join(
        rule(condition, name=f"r{number}")
        for number, condition in enumerate(conditions)
    )
    items = parse_rules(LISTS + macro + rules).check(target)
    return [d for d in items if d.code in ("empty-set", "never-true", "always-true")]


@pytest.mark.parametrize(
    "condition",
    [
        "t.num = 1 and not t.str in (nobody)",
        "t.num = 1 or t.str in (nobody)",
        "t.num = 1 and t.str in (nobody, known)",
        "t.num = 1 and not (t.num = 2 and t.str in (nobody))",
    ],
)
def test_an_empty_list_that_does_not_decide_is_not_worth_a_word(
    target, rule, condition
):
    assert found(target, rule, condition) == []


@pytest.mark.parametrize(
    ("condition", "outcome"),
    [
        ("t.num = 1 and t.str in (nobody)", "can never be true"),
        ("not t.str in (nobody) or t.num = 1", "is always true"),
        ("t.str in (nobody) or t.path in (nobody)", "can never be true"),
    ],
)
def test_an_empty_list_that_decides_is_named_with_the_outcome(
    target, rule, condition, outcome
):
    first, *_ = items = found(target, rule, condition)
    assert {d.code for d in items} == {"empty-set"}
    assert first.message == (
        f"list nobody is empty; an empty set never matches, so the condition {outcome}"
    )
    assert "fill list nobody" in first.hint


def test_one_macro_with_an_empty_list_is_told_once_for_all_its_rules(target, rule):
    conditions = [f"t.num = {n} and by_nobody" for n in range(5)]
    (item,) = found(target, rule, *conditions, macro=MACRO)
    assert item.context == (
        "macro by_nobody, used by rule r0, rule r1, rule r2 and 2 more",
    )
    (item,) = found(target, rule, *conditions[:1], macro=MACRO)
    assert item.context == ("macro by_nobody, used by rule r0",)


def test_the_comment_of_the_hint_switches_it_off(target, rule):
    text = rule("t.str in (nobody)")
    comment = "# workbench: ignore[empty-set]\n"
    codes = [d.code for d in parse_rules(LISTS + comment + text).check(target)]
    assert codes == ["LOAD_UNUSED_LIST"]
