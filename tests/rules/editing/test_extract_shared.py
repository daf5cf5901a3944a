from __future__ import annotations

from workbench.rules import parse_rules


def test_factoring_takes_out_what_repeats_and_changes_no_alert(events, rule):
    text = "".join(
        rule(f"t.num in (1, 2, 3, 4) and {extra}", name=extra)
        for extra in ("t.str = a", "t.str exists")
    ) + "".join(
        rule(f"t.path startswith /etc/some/long/folder/name and {more}", name=more)
        for more in ("t.num = 1", "t.num > 2")
    )
    rules = parse_rules(text)
    short = rules.factor()
    assert [(x.name, x.items) for x in short.lists] == [
        ("num_values", ("1", "2", "3", "4"))
    ]
    assert len(short.macros) == 1
    assert "num_values" in short.rules["t.str = a"].condition
    assert not short.check(events).errors
    assert not rules.compare(short, events)
