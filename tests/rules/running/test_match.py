from __future__ import annotations

import json

import pyarrow as pa
import pytest

from tests.rules.texts import TWO
from workbench.errors import WorkbenchError
from workbench.events.from_table import events_from_table
from workbench.rules import parse_rules
from workbench.rules.running.alert_format import AlertFormat
from workbench.rules.running.options import RunOptions

BOTH = """\
- rule: second
  desc: d
  condition: t.num >= 2
  output: t n=%t.num of %evt.source
  priority: WARNING
  source: t
- rule: other
  desc: d
  condition: t.num < 6
  output: u n=%t.num of %evt.source
  priority: NOTICE
  source: u
- rule: last
  desc: d
  condition: t.num > 0
  output: t any %t.num
  priority: DEBUG
  source: t
"""


@pytest.fixture
def mixed(fields):
    """Six events, t.num 1..6, of sources t, u, u, t, none and t."""
    table = pa.table(
        {
            "t.num": pa.array([1, 2, 3, 4, 5, 6], pa.uint64()),
            "evt.source": pa.array(["t", "u", "u", "t", None, "t"]).dictionary_encode(),
        }
    )
    return events_from_table(table, fields=fields, source="")


def test_each_rule_runs_over_the_events_of_its_own_source(mixed):
    rules = parse_rules(BOTH)
    alerts = rules.run(mixed)
    assert alerts.pairs() == [
        (1, "last"),
        (2, "other"),
        (3, "other"),
        (4, "second"),
        (6, "second"),
    ]
    assert alerts.counts == {"second": 2, "other": 2, "last": 1}
    assert alerts.frame["source"].tolist() == ["t", "u", "u", "t", "t"]


def test_alerts_of_several_sources_come_in_event_order_however_many_are_shown(mixed):
    alerts = parse_rules(BOTH).run(mixed, all_matches=True)
    expected = [
        (1, "last"),
        (2, "other"),
        (3, "other"),
        (4, "second"),
        (4, "last"),
        (6, "second"),
        (6, "last"),
    ]
    for count in range(len(expected) + 1):
        assert alerts.head(count).pairs() == expected[:count]
    texts = [line.partition(" ")[2] for line in alerts.lines()]
    assert texts[:4] == [
        "Debug t any 1",
        "Notice u n=2 of u",
        "Notice u n=3 of u",
        "Warning t n=4 of t",
    ]
    decoded = [json.loads(line) for line in alerts.to_jsonl().splitlines()]
    assert [alert["source"] for alert in decoded] == ["t", "u", "u", "t", "t", "t", "t"]
    assert decoded[1]["output_fields"]["t.num"] == 2
    assert alerts.statistics().splitlines()[-3:] == [
        "   second: 2",
        "   other: 2",
        "   last: 3",
    ]


def test_a_limit_holds_across_more_alerts_than_are_rendered_at_once(fields):
    rows = 40_000
    table = pa.table(
        {
            "t.num": pa.array(range(rows), pa.uint64()),
            "evt.source": pa.array(["t", "u"] * (rows // 2)).dictionary_encode(),
        }
    )
    events = events_from_table(table, fields=fields, source="")
    text = BOTH.replace("t.num < 6", "t.num exists").replace(">= 2", "exists")
    pairs = parse_rules(text).run(events).pairs()
    assert pairs == [
        (number, "second" if number % 2 else "other") for number in range(1, rows + 1)
    ]


def test_a_comparison_of_mixed_events_finds_every_source(mixed):
    old = parse_rules(BOTH)
    new = parse_rules(BOTH.replace("t.num < 6", "t.num < 3"))
    found = old.compare(new, mixed)
    assert [(number, rule) for number, rule, _ in found.disappeared] == [(3, "other")]
    assert not found.appeared


def test_labels_and_tests_of_mixed_events_count_the_rules_own_source(mixed, tmp_path):
    rules = parse_rules(BOTH)
    mixed.label([True] * 6, must_match=False)
    mixed.label([False, True, True, False, False, False], must_match=True)
    path = rules.write_tests(tmp_path / "other.yaml", mixed, rule="other")
    report = rules.test(path)
    assert [result.name for result in report] == [
        "event 2 must match",
        "event 3 must match",
    ]
    assert report.passed, str(report)
    mixed.save(tmp_path / "mixed.parquet")
    path = tmp_path / "seen.yaml"
    path.write_text(
        "source: u\nfields: {t.num: uint64}\ncapture: mixed.parquet\ncases:\n"
        "  - events: 2-3\n    exactly: [other]\n  - events: 4\n    quiet: [other]\n"
    )
    first, second = rules.test(path)
    assert first.passed, first.message
    assert second.message == "the capture has no event 4 of source u"


def test_static_fields_have_their_text_in_every_stored_event(mixed, rule):
    options = RunOptions(
        alert_format=AlertFormat(iso_time=True), static_fields=(("site", "here"),)
    )
    rules = parse_rules(
        rule("static.site = here and t.num = 4", output="at %static.site")
    )
    (line,) = rules.run(mixed, options=options).lines()
    assert line.endswith(": Informational at here")


def test_events_without_a_source_run_no_rule(fields):
    nameless = events_from_table(
        pa.table({"t.num": pa.array([1], pa.uint64())}), fields=fields, source=""
    )
    with pytest.raises(WorkbenchError, match="event source"):
        parse_rules(BOTH).run(nameless)


def test_several_sources_run_together(events, fields):
    other = events_from_table(events.table, fields=fields, source="u")
    text = TWO + TWO.replace("source: t", "source: u").replace("rule: ", "rule: u ")
    alerts = parse_rules(text).run({"t": events, "u": other})
    assert alerts.counts == {"high": 3, "any": 3, "u high": 3, "u any": 3}


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
