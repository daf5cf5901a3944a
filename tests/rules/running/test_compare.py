from __future__ import annotations

import pytest

from tests.rules.texts import TWO
from workbench.rules import parse_rules
from workbench.rules.running.alert_batch import AlertBatch


def test_comparing_tells_what_appears_disappears_and_changes(events):
    old = parse_rules(TWO)
    new = parse_rules(TWO.replace("t.num > 3", "t.num > 4").replace("any %", "all %"))
    found = old.compare(new, events, all_matches=True)
    assert [n for n, rule, _ in found.disappeared] == [4]
    assert not found.appeared
    assert {rule for _, rule, _, _ in found.changed} == {"any"}
    assert found.same == 2
    assert list(found.frame.columns) == ["change", "evt.num", "rule", "old", "new"]
    assert not old.compare(old, events)


def test_under_first_match_an_alert_moves_to_another_rule(events):
    old = parse_rules(TWO)
    new = parse_rules(TWO.replace("t.num > 3", "t.num > 4"))
    found = old.compare(new, events)
    assert found.moved == [(4, "high", "any")]
    assert (found.mode, found.same) == ("first match", 5)
    assert found.frame[["change", "evt.num", "rule"]].to_numpy().tolist() == [
        ["moved", 4, "any"]
    ]
    summary = found.summary.set_index("rule").T.to_dict()
    assert summary["high"] == {
        "before": 3,
        "after": 2,
        "new": 0,
        "gone": 0,
        "moved_here": 0,
        "moved_away": 1,
    }
    assert (summary["any"]["after"], summary["any"]["moved_here"]) == (4, 1)
    assert found.title == (
        "0 alerts appear, 0 disappear, 1 move to another rule, 0 change, 5 stay "
        "(first match)"
    )
    assert str(found).splitlines()[:3] == [
        found.title,
        "  high: 3 → 2 (1 to other rules)",
        "  any: 3 → 4 (1 from other rules)",
    ]


def test_a_summary_counts_what_is_new_and_what_is_gone(events):
    old = parse_rules(TWO.split("- rule: any")[0])
    new = parse_rules(TWO.split("- rule: any")[0].replace("t.num > 3", "t.num < 5"))
    row = old.compare(new, events).summary.iloc[0]
    assert (row["before"], row["after"], row["new"], row["gone"]) == (3, 4, 3, 2)
    page = old.compare(new, events)._repr_html_()
    assert "first match" in page
    assert page.count("<table") == 2


def test_the_configuration_that_rules_came_from_decides_how_they_match(events):
    import workbench.falco_config as config

    rules = parse_rules(TWO)
    rules._config = config.FalcoConfig("", rule_matching="all")
    assert rules.compare(rules, events).mode == "all matches"
    assert rules.compare(rules, events).same == 9


@pytest.mark.parametrize("every", [True, False])
def test_what_differs_is_found_in_bitmaps_as_in_the_alerts(events, monkeypatch, every):
    old = parse_rules(TWO)
    new = parse_rules(
        TWO.replace("t.num > 3", "t.num in (1, 4, 5)").replace("INFO", "ERROR")
    )
    fast = old.compare(new, events, all_matches=every)
    monkeypatch.setattr(AlertBatch, "apart", lambda self, other: (self, other, 0))
    slow = old.compare(new, events, all_matches=every)
    assert fast == slow
    assert fast.appeared
    assert fast.disappeared


def test_alerts_that_stay_are_not_rendered(events, monkeypatch):
    rendered = []
    render = AlertBatch.render
    monkeypatch.setattr(
        AlertBatch,
        "render",
        lambda self, rows, which: rendered.extend(rows) or render(self, rows, which),
    )
    rules = parse_rules(TWO)
    found = rules.compare(parse_rules(TWO.replace("> 3", "> 4")), events)
    assert (found.same, len(found.appeared), len(rendered)) == (5, 1, 2)
