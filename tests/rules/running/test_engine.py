from __future__ import annotations

import pytest

from tests.rules.texts import TWO
from workbench.rules import parse_rules


def test_first_match_stops_at_the_first_rule_and_all_does_not(events):
    rules = parse_rules(TWO)
    assert rules.run(events).counts == {"high": 3, "any": 3}
    assert rules.run(events, all_matches=True).counts == {"high": 3, "any": 6}


def test_alerts_come_in_event_order_then_rule_order(events):
    alerts = parse_rules(TWO).run(events, all_matches=True)
    assert alerts.pairs() == [
        (1, "any"),
        (2, "any"),
        (3, "any"),
        (4, "high"),
        (4, "any"),
        (5, "high"),
        (5, "any"),
        (6, "high"),
        (6, "any"),
    ]
    assert alerts.head(4).pairs() == alerts.pairs()[:4]
    assert len(alerts.head(4)) == 4


def test_the_priority_threshold_drops_rules_before_matching(events):
    alerts = parse_rules(TWO).run(events, priority="notice")
    assert alerts.counts == {"high": 3}
    with pytest.raises(ValueError, match="one of emergency"):
        parse_rules(TWO).run(events, priority="loud")


def test_disabled_rules_do_not_run(events):
    text = TWO + "- rule: high\n  enabled: false\n  override: {enabled: replace}\n"
    assert parse_rules(text).run(events).counts == {"any": 6}


def test_rules_of_other_sources_are_skipped(events):
    text = TWO.replace("source: t\n  tags", "source: other\n  tags")
    rules = parse_rules(text)
    assert rules.run(events).counts == {"any": 6}
    assert [d.code for d in rules.check(events)] == ["LOAD_UNKNOWN_SOURCE"]


def test_an_output_with_a_call_and_an_argument_is_rendered(events, rule):
    text = rule("t.num = 1", output="'%toupper(t.str) %t.kv[k] %t.tags %len(t.tags)'")
    (line,) = parse_rules(text).run(events).lines()
    assert line.endswith("Informational A v (x,y) 2")
