from __future__ import annotations

import pytest

from tests.rules.texts import RULES, TESTS
from workbench.__main__ import main
from workbench.rules import parse_rules


def test_cases_pass_and_fail_as_they_should(folder):
    report = parse_rules(RULES).test(folder / "web_rule_tests.yaml")
    assert [r.passed for r in report] == [True, True, False]
    assert not report
    assert report.failures[0].line == 12
    assert report.failures[0].message == (
        "rule 'climbing' did not fire; fired: no rule"
    )


@pytest.mark.parametrize(
    ("case", "message"),
    [
        ("{event: {t.nope: 1}, fires: [climbing]}", "t.nope"),
        ("{event: {t.num: abc}, fires: [climbing]}", "takes a number"),
        ("{event: {t.num: 1}, fires: [climbin]}", "did you mean 'climbing'"),
        ("{payload: x, fires: [climbing]}", "needs the plugin"),
    ],
)
def test_wrong_cases_fail_alone(folder, case, message):
    path = folder / "one_rule_tests.yaml"
    head = TESTS.split("cases:", maxsplit=1)[0]
    path.write_text(
        f"{head}cases:\n  - {case}\n  - event: {{t.num: 1}}\n    exactly: []\n"
    )
    first, second = parse_rules(RULES).test(path)
    assert message in first.message
    assert second.passed


def test_saved_events_are_named_by_number(events, folder):
    events.save(folder / "seen.parquet")
    path = folder / "seen_rule_tests.yaml"
    path.write_text(
        "source: t\ncapture: seen.parquet\nfields: {t.tags: list of string,"
        " t.path: string, t.num: uint64}\ncases:\n"
        "  - events: [1, 6]\n    fires: [quiet]\n"
        "  - events: 2-5\n    exactly: []\n"
        "  - events: 2-6\n    exactly: []\n"
        "  - events: 9\n    exactly: []\n"
    )
    report = parse_rules(RULES).test(path)
    assert [r.passed for r in report] == [True, True, False, False]
    assert "event 6" in report.results[2].message
    assert "no event 9" in report.results[3].message


def test_payloads_are_extracted_by_the_plugin(sample, tmp_path):
    library = sample("weblog")
    (tmp_path / "r.yaml").write_text(
        "- rule: climbing\n  desc: d\n  condition: weblog.uri contains ../\n"
        "  output: o\n  priority: INFO\n  source: weblog\n"
    )
    path = tmp_path / "weblog_rule_tests.yaml"
    line = '1.2.3.4 - - [10/Oct/2000:13:55:36 +0000] "GET /../x HTTP/1.0" 400 2 "-" "c"'
    path.write_text(
        f"source: weblog\nrules: r.yaml\nplugins: ['{library}']\ncases:\n"
        f"  - payload: '{line}'\n    fires: climbing\n"
        f"  - payload: '{line.replace('..', 'a')}'\n    quiet: climbing\n"
    )
    assert main(["test", str(path)]) == 0
