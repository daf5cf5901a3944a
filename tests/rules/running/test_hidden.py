from __future__ import annotations

from tests.rules.texts import TWO
from workbench.rules import parse_rules

# "late" cannot be seen to imply "high": only these events show it.
LATE = """\
- rule: late
  desc: d
  condition: t.path startswith /a or t.num = 5
  output: late %t.num
  priority: INFO
  source: t
"""


def found(text, events):
    return [d for d in parse_rules(text).check(events) if d.code == "always-hidden"]


def test_a_rule_that_events_show_to_be_always_hidden_is_warned_of(events):
    (item,) = found(TWO.split("- rule: any")[0] + LATE, events)
    assert item.severity == "warning"
    assert item.message == (
        "rule 'late' matches 2 of these events and alerts on none: earlier rules take "
        "them first ('high' 2)"
    )
    assert "put it before 'high'" in item.hint
    assert item.line == 8


def test_a_rule_that_alerts_at_least_once_is_not(events):
    assert not found(TWO, events)
    assert not found(LATE + TWO, events)


def test_a_rule_that_is_hidden_whatever_comes_is_told_once(events):
    text = TWO.split("- rule: any")[0] + LATE.replace(
        "t.path startswith /a or t.num = 5", "t.num > 3 and t.num < 6"
    )
    codes = [d.code for d in parse_rules(text).check(events)]
    assert codes == ["shadowed-rule"]


def test_without_events_or_with_broken_rules_nothing_is_run(events, target):
    text = TWO.split("- rule: any")[0] + LATE
    assert not found(text, target)
    assert not found(text + "- rule: x\n  desc: d\n", events)
