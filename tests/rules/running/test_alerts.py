from __future__ import annotations

import json
import sys

import pandas as pd
import pyarrow as pa
import pytest

from tests.rules.texts import TWO
from workbench.errors import WorkbenchError
from workbench.events import events_from_table
from workbench.rules import Alerts, parse_rules
from workbench.rules.running.alert_table import COLUMNS


def test_the_frame_has_its_columns_in_alert_order(events):
    frame = parse_rules(TWO).run(events).frame
    assert list(frame.columns) == [
        "evt.num",
        "evt.time",
        "rule",
        "priority",
        "source",
        "output",
        "t.num",
        "t.str",
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


def test_alerts_know_what_matched_and_which_earlier_rule_took_it(events):
    text = TWO + TWO.split("- rule: any")[0].replace("rule: high", "rule: late")
    text += (
        TWO.split("- rule: any")[0]
        .replace("rule: high", "rule: low")
        .replace("t.num > 3", "t.num < 2")
    )
    rules = parse_rules(text)
    alerts = rules.run(events)
    assert alerts.matched == {"high": 3, "any": 6, "late": 3, "low": 1}
    assert alerts.hidden == {"any": {"high": 3}, "late": {"high": 3}, "low": {"any": 1}}
    assert dict(alerts.counts) == {"high": 3, "any": 3}
    every = rules.run(events, all_matches=True)
    assert every.matched == dict(every.counts) == alerts.matched
    assert every.hidden == {}
    lines = alerts.statistics(matches=True).splitlines()
    assert lines[-5:] == [
        "Matches by rule name:",
        "   high: 3 matched, 3 alerted",
        "   any: 6 matched, 3 alerted, hidden: 3 by high",
        "   late: 3 matched, 0 alerted, hidden: 3 by high",
        "   low: 1 matched, 0 alerted, hidden: 1 by any",
    ]
    assert "hidden: 3 by high" in repr(alerts)
    assert "hidden: 3 by high" in alerts._repr_html_()
    assert "hidden" not in alerts.to_text()


def test_matches_add_up_over_batches_and_sources(events, fields):
    import workbench as wb

    rules = parse_rules(TWO)
    halves = {"a": events[:4], "b": events[4:]}
    assert rules.run(halves).matched == rules.run(events).matched
    assert rules.run(halves).hidden == rules.run(events).hidden
    import pyarrow as pa

    mixed = wb.events_from_table(
        pa.table(
            {
                "t.num": pa.array([5, 5, 1], pa.uint64()),
                "t.str": pa.array([b"x"] * 3),
                "evt.source": pa.array(["t", "u", "t"]),
            }
        ),
        fields=fields,
        source="",
    )
    alerts = rules.run(mixed)
    assert alerts.matched == {"high": 1, "any": 2}
    assert alerts.hidden == {"any": {"high": 1}}


def test_the_alerts_of_some_rules_stay_in_order(events):
    alerts = parse_rules(TWO).run(events)
    assert alerts.of(["any"]).pairs() == [(1, "any"), (2, "any"), (3, "any")]
    assert dict(alerts.of(["high"]).counts) == {"high": 3}


def test_output_fields_are_typed_columns(events, rule):
    text = rule(output="n %t.num %t.tags %evt.rawtime %toupper(t.str)")
    frame = parse_rules(text).run(events).frame
    assert {n: str(t) for n, t in frame.dtypes.items() if n not in COLUMNS} == {
        "t.num": "UInt64",
        "t.tags": "list<item: string>[pyarrow]",
        "evt.rawtime": "datetime64[ns, UTC]",
        "t.str": "string",
    }
    assert frame["t.num"].sum() == 21
    assert frame["t.str"].isna().tolist() == [False, False, True, False, False, False]
    assert frame["t.str"][3] == "line\nbreak \ufffd"


def test_rules_without_fields_and_without_alerts_have_frames(events, rule):
    alerts = parse_rules(rule(output="nothing to see")).run(events)
    assert list(alerts.frame.columns) == COLUMNS
    assert len(alerts.frame) == 6
    assert list(Alerts().frame.columns) == COLUMNS


def test_alerts_of_several_sources_share_a_frame(fields):
    table = pa.table(
        {
            "t.num": pa.array([1, 2, 3], pa.uint64()),
            "evt.source": pa.array(["t", "u", "t"]).dictionary_encode(),
        }
    )
    mixed = events_from_table(table, fields=fields, source="")
    text = "".join(
        f"- rule: {source}\n  desc: d\n  condition: t.num > 0\n  output: {output}\n"
        f"  priority: INFO\n  source: {source}\n"
        for source, output in (("t", "no field"), ("u", "n %t.num"))
    )
    frame = parse_rules(text).run(mixed).frame
    assert frame["source"].tolist() == ["t", "u", "t"]
    assert frame["t.num"].tolist() == [pd.NA, 2, pd.NA]


def test_alerts_are_counted_per_column_and_unit_of_time(events):
    alerts = parse_rules(TWO).run(events)
    counts = alerts.per("rule", "hour")
    assert counts.index.names == ["rule", "hour"]
    hour = pd.Timestamp("2023-11-14 22:00", tz="UTC")
    assert counts.to_dict() == {("any", hour): 3, ("high", hour): 3}
    assert alerts.per("t.str")[["a", "b"]].tolist() == [1, 1]
    assert alerts.per("t.str").sum() == alerts.per().sum() == 6
    with pytest.raises(KeyError, match="not by 'week'"):
        alerts.per("week")


def test_plots_draw_what_is_counted(events):
    import matplotlib as mpl

    mpl.use("agg")
    alerts = parse_rules(TWO).run(events)
    axes = alerts.plot.timeline(by="priority", unit="minute")
    assert sum(bar.get_height() for box in axes.containers for bar in box) == 6
    assert [t.get_text() for t in axes.get_xticklabels()] == ["2023-11-14 22:13:00"]
    axes = alerts.plot.top("rule")
    assert sorted(t.get_text() for t in axes.get_yticklabels()) == ["any", "high"]
    assert Alerts().plot.top().get_title() == "no alerts"
    assert Alerts().plot.timeline().get_title() == "no alerts"
    mpl.pyplot.close("all")


def test_plots_say_what_is_missing(events, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(WorkbenchError, match="pip install matplotlib"):
        parse_rules(TWO).run(events).plot.top()
