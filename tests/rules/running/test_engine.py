from __future__ import annotations

import json

import pyarrow as pa
import pytest

from workbench.errors import RulesError, WorkbenchError
from workbench.events.events import events_from_table
from workbench.rules import parse_rules

TWO = """\
- rule: high
  desc: d
  condition: t.num > 3
  output: high n=%t.num s=%t.str
  priority: WARNING
  source: t
  tags: [b, a]
- rule: any
  desc: d
  condition: t.num exists
  output: any %t.num
  priority: DEBUG
  source: t
"""


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


def test_broken_rules_are_refused_with_every_error(events):
    with pytest.raises(RulesError, match="2 errors") as caught:
        parse_rules(
            TWO.replace("t.num exists", "t.nope exists").replace("DEBUG", "D")
        ).run(events)
    assert {d.code for d in caught.value.diagnostics} == {
        "LOAD_ERR_COMPILE_CONDITION",
        "LOAD_ERR_YAML_VALIDATE",
    }


def test_rules_of_other_sources_are_skipped(events):
    text = TWO.replace("source: t\n  tags", "source: other\n  tags")
    rules = parse_rules(text)
    assert rules.run(events).counts == {"any": 6}
    assert [d.code for d in rules.check(events)] == ["LOAD_UNKNOWN_SOURCE"]


def test_events_without_a_source_run_no_rule(fields):
    nameless = events_from_table(
        pa.table({"t.num": pa.array([1], pa.uint64())}), fields=fields, source=""
    )
    with pytest.raises(WorkbenchError, match="event source"):
        parse_rules(TWO).run(nameless)


def test_several_sources_run_together(events, fields):
    other = events_from_table(events.table, fields=fields, source="u")
    text = TWO + TWO.replace("source: t", "source: u").replace("rule: ", "rule: u ")
    alerts = parse_rules(text).run({"t": events, "u": other})
    assert alerts.counts == {"high": 3, "any": 3, "u high": 3, "u any": 3}


def test_reprs_escape_and_bound(events):
    alerts = parse_rules(TWO.replace("high n", "<b> n")).run(events)
    assert "<b>" not in alerts._repr_html_()
    assert "\n" not in repr(alerts).split("\n")[3].replace("\\n", "")
    assert "Events detected: 6" in str(alerts)


def test_an_output_with_a_call_and_an_argument_is_rendered(events, rule):
    text = rule("t.num = 1", output="'%toupper(t.str) %t.kv[k] %t.tags %len(t.tags)'")
    (line,) = parse_rules(text).run(events).lines()
    assert line.endswith("Informational A v (x,y) 2")


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


def test_a_live_capture_runs_batch_by_batch(plugin):
    import workbench as wb

    with wb.load(plugin("standin", SCHEMA=True, SOURCE='"probe"', ID=999)) as source:
        rules = parse_rules(
            "- rule: all\n  desc: d\n  condition: evt.num > 100\n"
            "  output: c=%probe.initconfig\n  priority: INFO\n  source: probe\n"
        )
        with source.open(fields=rules.columns(source)) as capture:
            alerts = rules.run(capture)
        assert alerts.counts == {"all": 23}
        with (
            source.open(fields=[]) as capture,
            pytest.raises(WorkbenchError, match=r"probe\.initconfig"),
        ):
            rules.run(capture)


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


def test_rules_do_not_run_over_a_frame(events, rule):
    with pytest.raises(TypeError, match="not against a DataFrame"):
        parse_rules(rule()).check(events.frame)
    with pytest.raises(WorkbenchError, match="not over a DataFrame"):
        parse_rules(rule()).run(events.frame)
