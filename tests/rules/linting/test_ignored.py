from __future__ import annotations

import pytest

from workbench.__main__ import main
from workbench.rules import parse_rules

RULE = """\
- rule: r
  desc: d
  condition: t.num = 1 and t.num = 2
  output: o
  priority: INFO
  source: t
"""


def codes(text, target, **options):
    return [d.code for d in parse_rules(text).check(target, **options)]


@pytest.mark.parametrize(
    "text",
    [
        "# workbench: ignore[never-true]\n" + RULE,
        "# why this is fine\n# workbench: ignore[never-true]\n# really\n" + RULE,
        RULE.replace("rule: r", "rule: r  # workbench: ignore[redefined, never-true]"),
        RULE.replace("= 2", "= 2 # workbench: ignore[never-true]"),
        RULE.replace("  condition", "  # workbench: ignore[never-true]\n  condition"),
        RULE + "# workbench: ignore-file[never-true]\n",
    ],
    ids=["above", "in a comment", "item", "line", "above the line", "file"],
)
def test_a_comment_switches_a_warning_off(target, text):
    assert codes(RULE, target) == ["never-true"]
    assert codes(text, target) == []


@pytest.mark.parametrize(
    "text",
    [
        "# workbench: ignore[always-true]\n" + RULE,
        "# workbench: ignore[never-true]\n\n" + RULE,
        RULE.replace("  output", "  # workbench: ignore[never-true]\n  output"),
        RULE + "# workbench: ignore[never-true]\n",
        "# workbench: ignore\n" + RULE,
    ],
    ids=["other code", "not at the item", "other line", "behind", "no code"],
)
def test_a_comment_elsewhere_does_not(target, text):
    assert "never-true" in codes(text, target)


def test_errors_and_what_falco_says_itself_stay(target):
    broken = RULE.replace("t.num = 2", "t.nmu = 2")
    text = "# workbench: ignore-file[LOAD_ERR_COMPILE_CONDITION, unknown-field]\n"
    assert codes(text + broken, target) == ["LOAD_ERR_COMPILE_CONDITION"]
    unused = "- list: l\n  items: [a]\n"
    text = "# workbench: ignore-file[LOAD_UNUSED_LIST]\n"
    assert codes(text + unused, target) == ["LOAD_UNUSED_LIST"]


def test_an_option_switches_a_code_off(target, tmp_path, capsys):
    assert codes(RULE, target, ignore=["never-true"]) == []
    twice = "- list: l\n  items: [a]\n- list: l\n  items: [b]\n"
    path = tmp_path / "rules.yaml"
    path.write_text(twice)
    assert main(["validate", str(path)]) == 0
    assert "redefined" in capsys.readouterr().out
    assert main(["validate", str(path), "--ignore", "redefined"]) == 0
    assert "redefined" not in capsys.readouterr().out


def test_a_warning_inside_a_macro_is_switched_off_at_the_macro_or_at_the_rule(target):
    macro = "- macro: m\n  condition: t.str > 5\n"
    rule = RULE.replace("t.num = 1 and t.num = 2", "m")
    assert codes(macro + rule, target) == ["text-order"]
    comment = "# workbench: ignore[text-order]\n"
    assert codes(comment + macro + rule, target) == []
    assert codes(macro + comment + rule, target) == []
