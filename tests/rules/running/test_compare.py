from __future__ import annotations

from tests.rules.texts import TWO
from workbench.rules import parse_rules


def test_comparing_tells_what_appears_disappears_and_changes(events):
    old = parse_rules(TWO)
    new = parse_rules(TWO.replace("t.num > 3", "t.num > 4").replace("any %", "all %"))
    found = old.compare(new, events)
    assert [n for n, rule, _ in found.disappeared] == [4]
    assert not found.appeared
    assert {rule for _, rule, _, _ in found.changed} == {"any"}
    assert found.same == 2
    assert list(found.frame.columns) == ["change", "evt.num", "rule", "old", "new"]
    assert not old.compare(old, events)
