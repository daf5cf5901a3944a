from __future__ import annotations

import json

import pyarrow as pa
import pytest

from workbench.errors import RulesError, WorkbenchError
from workbench.events.from_table import events_from_table
from workbench.rules import parse_rules

NS = 1_000_000_000
START = 1_700_000_000 // 3600 * 3600 * NS
RULE = """\
- rule: loud
  desc: d
  condition: t.path startswith /x
  output: "%t.path %t.str %evt.num"
  priority: INFO
  source: t
"""
EXCEPTION = """\
  exceptions:
    - name: known
      fields: t.str
      values: [scanner]
"""


@pytest.fixture
def ten_hours(fields):
    """An event a minute for ten hours, and 300 more in one minute by "scanner"."""
    times = [START + m * 60 * NS for m in range(601)]
    times += [START + 120 * 60 * NS + i * NS // 10 for i in range(300)]
    who = [b"alice", b"bob"] * 300 + [b"bob"] + [b"scanner"] * 300
    paths = [b"/x" if m % 2 else b"/y" for m in range(601)]
    paths += [f"/x/{i}".encode() for i in range(300)]
    table = pa.table(
        {"t.path": paths, "t.str": who, "evt.rawtime": pa.array(times, pa.uint64())}
    )
    return events_from_table(table, fields=fields, source="t")


def test_rates_bursts_and_contributors_are_measured(ten_hours):
    noise = parse_rules(RULE).noise(ten_hours)
    loud = noise["loud"]
    assert loud.alerts == 300 + 300
    assert loud.rate == pytest.approx(60.0)
    assert noise.duration_ns == 36_000 * NS
    (burst,) = loud.bursts
    assert (burst.start_ns, burst.alerts) == (START + 7200 * NS, 300)
    # paths say nothing: nearly every alert has its own
    assert {(c.field, c.value, c.alerts) for c in loud.contributors} == {
        ("t.str", "scanner", 300),
        ("t.str", "bob", 300),
    }


def test_what_says_the_same_is_counted(ten_hours):
    repeats = parse_rules(RULE).noise(ten_hours)["loud"].repeats
    # one text of bob's for /x, and one of the scanner's for each path
    assert repeats.distinct == 301
    assert repeats.without == {"t.path": 2, "t.str": 301}
    assert "without t.path in the output 2 would be different" in str(
        parse_rules(RULE).noise(ten_hours)
    )


@pytest.mark.parametrize(("per", "rate"), [("minute", 1), ("hour", 60), ("day", 1440)])
def test_units_only_scale(ten_hours, per, rate):
    assert parse_rules(RULE).noise(ten_hours, per=per).rate == pytest.approx(rate)


def test_an_edit_is_compared(ten_hours):
    before = parse_rules(RULE).noise(ten_hours, per="day")
    after = parse_rules(RULE + EXCEPTION).noise(ten_hours, per="day")
    assert str(before.compare(after)) == "loud: 720 instead of 1,440 per day"
    assert str(before.compare(before)) == "no rule alerts more or less per day"
    assert before.compare(after).frame.loc[0, "after"] == pytest.approx(720)
    with pytest.raises(ValueError, match="does not compare"):
        before.compare(parse_rules(RULE).noise(ten_hours))


def test_later_rules_count_what_first_ones_leave(ten_hours):
    rules = parse_rules(RULE + RULE.replace("loud", "later"))
    assert rules.noise(ten_hours)["later"].alerts == 0
    assert rules.noise(ten_hours, all_matches=True)["later"].alerts == 600


def test_lists_absent_values_and_markup_are_shown_safely(fields):
    table = pa.table(
        {
            "t.tags": pa.array([[b"<b>"], None, [b"<b>"], [b"\xff"]] * 20),
            "t.path": pa.array([b"/x"] * 80),
            "t.str": pa.array([None, b"<script>"] * 40, pa.binary()),
            "evt.rawtime": pa.array([START] * 80, pa.uint64()),
        }
    )
    events = events_from_table(table, fields=fields, source="t")
    noise = parse_rules(RULE.replace("%t.str", "%t.tags %t.str")).noise(events)
    assert noise["loud"].rate == 80
    page = noise._repr_html_()
    assert "<script" not in page
    assert "<b>" not in page
    json.dumps(noise.to_dict())


def test_bad_input_is_one_clear_error(ten_hours):
    rules = parse_rules(RULE)
    with pytest.raises(WorkbenchError, match="per must be one of minute, hour, day"):
        rules.noise(ten_hours, per="week")
    with pytest.raises(WorkbenchError, match="no events"):
        rules.noise(ten_hours[:0])
    with pytest.raises(WorkbenchError, match="not over a list"):
        rules.noise([])
    with pytest.raises(RulesError):
        parse_rules(RULE.replace("t.path starts", "t.nope starts")).noise(ten_hours)
