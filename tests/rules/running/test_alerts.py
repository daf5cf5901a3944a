from __future__ import annotations

import json

from tests.rules.texts import TWO
from workbench.rules import parse_rules


def test_the_frame_has_its_columns_in_alert_order(events):
    frame = parse_rules(TWO).run(events).frame
    assert list(frame.columns) == [
        "evt.num",
        "evt.time",
        "rule",
        "priority",
        "source",
        "output",
    ]
    assert str(frame.dtypes["evt.num"]) == "uint64"
    assert str(frame.dtypes["evt.time"]) == "datetime64[ns, UTC]"
    assert frame["priority"].tolist() == ["Debug"] * 3 + ["Warning"] * 3
    assert (
        frame["output"][3]
        == "22:13:20.000000003: Warning high n=4 s=line\nbreak \ufffd"
    )


def test_statistics_are_printed_as_by_falco(events):
    assert parse_rules(TWO).run(events).statistics() == (
        "Events detected: 6\n"
        "Rule counts by severity:\n"
        "   WARNING: 3\n"
        "   DEBUG: 3\n"
        "Triggered rules by rule name:\n"
        "   high: 3\n"
        "   any: 3"
    )


def test_hostile_values_never_break_one_alert_per_line(events):
    text = parse_rules(TWO).run(events).to_jsonl()
    lines = text.splitlines()
    assert len(lines) == 6
    alerts = [json.loads(line) for line in lines]
    assert [a["output_fields"].get("t.str") for a in alerts[3:]] == [
        "line\nbreak \ufffd",
        'q"\\',
        "é\u2028",
    ]
    assert alerts[3]["tags"] == ["a", "b"]
    assert list(alerts[3]) == sorted(alerts[3])
    assert alerts[3]["time"] == "2023-11-14T22:13:20.000000003Z"


def test_reprs_escape_and_bound(events):
    alerts = parse_rules(TWO.replace("high n", "<b> n")).run(events)
    assert "<b>" not in alerts._repr_html_()
    assert "\n" not in repr(alerts).split("\n")[3].replace("\\n", "")
    assert "Events detected: 6" in str(alerts)


def test_no_alert_at_all_shows_well(events, rule):
    alerts = parse_rules(rule("t.num > 100")).run(events)
    assert len(alerts) == 0
    assert alerts.frame.empty
    assert str(alerts.frame.dtypes["evt.time"]) == "datetime64[ns, UTC]"
    assert alerts.to_jsonl() == ""
    assert alerts.counts["r"] == 0
    assert "Events detected: 0" in repr(alerts)
    nothing = parse_rules("").run(events)
    assert nothing.frame.empty
    assert nothing._repr_html_()
