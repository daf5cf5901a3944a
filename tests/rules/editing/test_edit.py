from __future__ import annotations

import dataclasses

import pytest

from tests.rules.texts import FILE
from workbench.rules import parse_rules


def changed(old, new):
    before, after = old.splitlines(), new.splitlines()
    return [x for x in before if x not in after], [x for x in after if x not in before]


def test_replacing_an_equal_item_changes_nothing():
    rules = parse_rules(FILE)
    for item in [*rules.rules, *rules.lists]:
        rules.replace(item)
    assert rules.to_yaml() == FILE


def test_editing_changes_only_the_lines_of_what_changed():
    rules = parse_rules(FILE)
    rule = rules.rules["r1"]
    rules.replace(dataclasses.replace(rule, priority="ERROR"))
    assert changed(FILE, rules.to_yaml()) == (
        ["  priority: warning # low"],
        ["  priority: ERROR # low"],
    )


def test_editing_adds_and_removes_keys_in_place():
    rules = parse_rules(FILE)
    rule = rules.rules["r1"]
    rules.replace(dataclasses.replace(rule, tags=(), enabled=False))
    text = rules.to_yaml()
    assert changed(FILE, text) == (
        ["  tags:", "    - b   # second", "    - a"],
        ["  enabled: false"],
    )
    assert rules.rules["r1"] == dataclasses.replace(rule, tags=(), enabled=False)
    assert "  my_key: 5\n  enabled: false\n# the end of r1" in text


def test_items_inside_brackets_are_edited_too():
    rules = parse_rules(
        '[{"rule": "r", "desc": "d", "condition": "t.num = 1", "output": "o",'
        ' "priority": "INFO", "source": "t"}]'
    )
    wanted = dataclasses.replace(rules.rules["r"], condition="t.num = 2")
    assert rules.replace(wanted).rules["r"] == wanted


def test_removing_takes_every_item_of_that_name():
    rules = parse_rules(FILE + "- rule: r1\n  enabled: false\n").remove("rule", "r1")
    assert rules.rules.keys() == ["r2"]
    with pytest.raises(KeyError):
        rules.remove("rule", "r1")


def test_a_byte_order_mark_and_line_ends_survive_editing():
    raw = b"\xef\xbb\xbf" + FILE.replace("\n", "\r\n").encode()
    rules = parse_rules(raw)
    rules.replace(dataclasses.replace(rules.rules["r2"], desc="e"))
    assert rules.rules["r2"].desc == "e"
    assert rules.to_yaml().count("\r\n") == FILE.count("\n")
