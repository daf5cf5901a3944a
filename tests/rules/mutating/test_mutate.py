from __future__ import annotations

import json
import xml.etree.ElementTree as ET

import pytest

from workbench.__main__ import main
from workbench.errors import RulesError, WorkbenchError
from workbench.rules import load_rules, parse_rules

RULES = """\
- list: bad
  items: [400, 404]
- macro: climbs
  condition: t.path contains "../"
- rule: climbing
  desc: d
  condition: >
    climbs and t.num in (bad)
    and not t.str exists
  output: o
  priority: INFO
  source: t
  exceptions:
    - name: known
      fields: [t.path, t.num]
      comps: [endswith, "="]
      values:
        - [fine, 404]
- rule: other
  desc: d
  condition: climbs or t.num > 900
  output: o
  priority: INFO
  source: t
"""
HEAD = """\
source: t
rules: [rules.yaml]
fields: {t.path: string, t.num: uint64, t.str: string, t.ip: ipaddr}
cases:
"""
FIRST = """\
  - name: climbs
    event: {t.path: /../x, t.num: 400, t.str: null}
    fires: [climbing]
"""


@pytest.fixture
def tests(tmp_path):
    """Write rules and tests; give the path of the tests."""

    def write(cases=FIRST, rules=RULES):
        (tmp_path / "rules.yaml").write_text(rules)
        path = tmp_path / "some_rule_tests.yaml"
        path.write_text(HEAD + cases)
        return path

    return write


def found(report, outcome=None):
    return {
        (m.inside, m.change): m for m in report.mutants if outcome in (None, m.outcome)
    }


def test_every_kind_of_mistake_is_made(tests):
    report = parse_rules(RULES).mutate(tests())
    changes = {(m.inside, m.change) for m in report.mutants}
    rule, macro, known = (
        "rule climbing", "macro climbs", "exception known of rule climbing",
    )  # fmt: skip
    assert {
        (macro, "contains → startswith"),
        (macro, '"../" → ".."'),
        ("list bad", 'item left out: "400"'),
        ("list bad", 'item left out: "404"'),
        (rule, "check left out: climbs"),
        (rule, "check left out: not t.str exists"),
        (rule, "'not' left out"),
        (rule, "and → or"),
        (known, "exception left out: known"),
        (known, "check left out: t.num = 404"),
        (known, "endswith → contains"),
        (known, '"fine" → "FINE"'),
        (known, '"fine" → "ine"'),
        (known, "= → !="),
        ("rule other", "or → and"),
        ("rule other", "> → >="),
    } <= changes
    # one less of a limit is what > → >= is about
    assert ("rule other", '"900" → "90"') not in changes


def test_mutants_stand_at_their_place(tests):
    mutants = found(load_rules(tests().parent / "rules.yaml").mutate(tests()))
    at = {
        ("list bad", 'item left out: "404"'): (2, 16),
        ("macro climbs", "contains → startswith"): (4, 21),
        ("rule climbing", "'not' left out"): (9, 9),
        ("exception known of rule climbing", '"fine" → "FINE"'): (18, 12),
    }
    for key, place in at.items():
        mutant = mutants[key]
        assert mutant.file.endswith("rules.yaml")
        assert (mutant.line, mutant.column) == place


def test_a_test_notices_what_changes_its_verdict(tests):
    mutants = found(parse_rules(RULES).mutate(tests()))
    noticed = mutants["list bad", 'item left out: "400"']
    assert noticed.outcome == "killed"
    assert "case 'climbs'" in noticed.noticed_by
    # shared by both rules, and noticed by the tests of one
    shared = mutants["macro climbs", "contains → startswith"]
    assert shared.rules == ("climbing", "other")
    assert shared.outcome == "killed"
    # the case says nothing of the other rule
    assert mutants["rule other", "or → and"].outcome == "survived"
    assert mutants["rule other", "or → and"].witness.fires is True


def test_new_tests_from_witnesses_kill_the_survivors(tests, events):
    rules = parse_rules(RULES.replace("contains", "startswith").replace("../", "/etc"))
    path = tests("  - event: {t.num: 1, t.path: null, t.str: null}\n    exactly: []\n")
    first = rules.mutate(path, events=events)
    assert first.survivors
    assert all(m.witness for m in first.survivors)
    more = path.with_name("more_rule_tests.yaml")
    more.write_text(first.tests())
    assert rules.test(more)
    second = rules.mutate(path, more, events=events)
    assert second.survivors == []
    assert second.score == 1.0 > first.score
    assert len(second.equivalent) == len(first.equivalent) > 0


def test_without_events_nothing_counts_as_equivalent(tests, events):
    path = tests()
    assert not parse_rules(RULES).mutate(path).equivalent
    assert parse_rules(RULES).mutate(path, events=events).equivalent


def test_labels_notice_like_tests(events):
    rules = parse_rules(
        "- rule: r\n  desc: d\n  condition: t.num > 3 and t.path exists\n"
        "  output: o\n  priority: INFO\n  source: t\n"
    )
    events.label("t.num in (3, 4)", must_match=False)
    events.label("t.num = 4", must_match=True)
    report = rules.mutate(events=events)
    outcomes = {m.change: m.outcome for m in report.mutants}
    assert outcomes["> → >="] == "killed"
    assert outcomes["and → or"] == "killed"
    assert report.mutants[0].noticed_by.startswith("event ")
    events.label("t.num = 5", must_match=False)
    with pytest.raises(WorkbenchError, match="event 5 is labelled 'must not match'"):
        rules.mutate(events=events)


@pytest.mark.parametrize(
    ("cases", "rules", "error", "message"),
    [
        ("  - event: {t.num: 1}\n    fires: [climbing]\n", RULES, WorkbenchError,
         "1 of 1 tests fail before any mutation"),
        (FIRST, RULES.replace("t.num > 900", "t.nope > 1"), RulesError, "t.nope"),
        (FIRST, RULES.replace("t.num > 900", "t.num >"), RulesError, "refuse"),
    ],
)  # fmt: skip
def test_what_cannot_be_mutated_is_one_clear_error(tests, cases, rules, error, message):
    path = tests(cases, rules)
    before = sorted(path.parent.iterdir())
    with pytest.raises(error, match=message):
        parse_rules(rules).mutate(path)
    assert sorted(path.parent.iterdir()) == before


def test_tests_or_labels_are_needed(events):
    for given in (None, events):
        with pytest.raises(WorkbenchError, match="rule tests, or labelled events"):
            parse_rules(RULES).mutate(events=given)


def test_the_report_is_escaped(tests):
    evil = "<script>x()</script>"
    rules = RULES.replace("climbing", evil).replace("fine", '"<b>\u202e"')
    case = FIRST.replace("climbing", evil) + (
        "  - name: <b>\n    event: {t.path: '/../<b>', t.num: 404, t.str: null}\n"
        f"    fires: ['{evil}']\n"
    )
    report = parse_rules(rules).mutate(tests(case, rules))
    page = report._repr_html_()
    assert "<script" not in page
    assert "<b>" not in page
    assert "\u202e" not in page
    assert "\u202e" not in str(report)
    tree = ET.fromstring(report.to_junit())
    assert len(tree.findall(".//failure")) == len(report.survivors)
    json.dumps(report.to_dict())


def test_the_command_line_reports_and_fails_under_a_score(tests, events, capsys):
    path = tests()
    junit = path.with_suffix(".xml")
    assert main(["test", str(path), "--mutation", "--junit-xml", str(junit)]) == 0
    out = capsys.readouterr().out
    assert "contains → startswith" not in out  # noticed
    assert "or → and" in out
    assert "as a test:" in out
    assert ET.parse(junit).find("testsuite").get("failures") != "0"
    capture = path.with_name("seen.parquet")
    events.save(capture)
    words = ["test", str(path), "--mutation", "--json", "--events", str(capture)]
    assert main([*words, "--fail-under", "99"]) == 1
    out, err = capsys.readouterr()
    assert json.loads(out)["survived"] > 0
    assert "fewer than 99 %" in err
    assert main([*words, "--fail-under", "1"]) == 0


@pytest.mark.parametrize(
    "words",
    [
        ["--fail-under", "50"],
        ["--fail-under", "0"],
        ["--json"],
        ["--mutation", "--fail-under", "101"],
    ],
)
def test_options_that_make_no_sense_are_wrong_usage(tests, words, capsys):
    assert main(["test", str(tests()), *words]) == 2
    assert capsys.readouterr().out == ""


def test_a_failing_test_writes_no_report(tests, capsys):
    path = tests("  - event: {t.num: 1}\n    fires: [climbing]\n")
    report = path.with_suffix(".xml")
    words = ["test", str(path), "--mutation", "--junit-xml", str(report)]
    assert main(words) == 1
    assert "fail before any mutation" in capsys.readouterr().err
    assert not report.exists()


def test_a_folder_of_tests_is_mutated_together(tests, capsys):
    path = tests()
    assert main(["test", str(path.parent), "--mutation"]) == 0
    assert "mutants noticed" in capsys.readouterr().out


def test_built_in_fields_are_part_of_a_witness(events):
    rules = parse_rules(
        "- rule: r\n  desc: d\n  condition: evt.num > 3 and evt.rawtime > 9\n"
        "  output: o\n  priority: INFO\n  source: t\n"
    )
    events.label("evt.num = 1", must_match=False)
    report = rules.mutate(events=events)
    assert report.survivors
    text = report.tests()
    assert "evt.num: " in text
    assert "evt.rawtime: 17" in text
    with pytest.raises(WorkbenchError, match="not in a list"):
        rules.mutate(events=[])
