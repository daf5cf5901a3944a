from __future__ import annotations

import pytest

from workbench.rules import parse_rules


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


def test_an_output_that_falls_back_to_a_shorter_name_is_told(target, rule):
    (found,) = parse_rules(rule(output="'x %t.string'")).check(target)
    assert (found.code, found.line, found.column) == ("output-shorter-field", 4, 14)


@pytest.mark.parametrize(
    ("item", "change", "hint"),
    [
        ("list: l\n  items: [a]", "items: replace", "{items: replace}"),
        ("macro: m\n  condition: t.num = 1", "condition: replace", "{condition: repl"),
    ],
)
def test_what_an_override_replaces_is_not_called_redefined(target, item, change, hint):
    twice = f"- {item}\n- {item}\n"
    (found,) = [d for d in parse_rules(twice).check(target) if d.code == "redefined"]
    assert hint in found.hint
    meant = f"{twice}  override: {{{change}}}\n"
    codes = [d.code for d in parse_rules(meant).check(target)]
    assert "redefined" not in codes


def test_a_list_without_its_parentheses_is_corrected_by_its_name(target, rule):
    text = "- list: known\n  items: [a, b]\n" + rule("t.str in known")
    (found,) = parse_rules(text).check(target).errors
    assert found.hint == "list known needs its parentheses: write in (known)"
