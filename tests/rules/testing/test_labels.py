from __future__ import annotations

import pytest

import workbench as wb
from tests.rules.texts import RULES, TESTS
from workbench.__main__ import main
from workbench.rules import parse_rules
from workbench.rules.test_runs import run_file
from workbench.rules.testing.case_files import read_tests

RULE = (
    "- rule: r\n  desc: d\n  condition: t.num < 3 or t.str contains break\n"
    "  output: o\n  priority: INFO\n  source: t\n"
)
WEBLOG = """\
- macro: refused
  condition: weblog.status in (401, 403)
- rule: refused
  desc: d
  condition: refused and weblog.method = POST
  output: o
  priority: INFO
  source: weblog
"""


def test_labelled_events_become_a_file_that_passes(events, tmp_path):
    rules = parse_rules(RULE)
    wanted = events.mask("t.num < 3 or t.str contains break")
    events.label(wanted, must_match=True).label(~wanted, must_match=False)
    path = rules.write_tests(tmp_path / "labels.yaml", events)
    report = rules.test(path)
    assert len(report) == 6
    assert report.passed, str(report)
    stricter = parse_rules(rules.to_yaml().replace("< 3", "< 2"))
    assert [r.name for r in stricter.test(path).failures] == ["event 2 must match"]


@pytest.fixture
def weblog(sample):
    with wb.load(sample("weblog"), config={"error_status": 450}) as plugin:
        yield plugin


@pytest.fixture
def refused(tmp_path):
    (tmp_path / "refused.yaml").write_text(WEBLOG)
    return wb.load_rules(tmp_path / "refused.yaml")


@pytest.fixture
def labelled(weblog):
    events = weblog.capture(weblog.open_params[0].value)
    mask = events.mask("weblog.status in (401, 403) and weblog.method = POST")
    quiet = events.mask("weblog.status in (401, 403) and weblog.method != POST")
    assert mask.sum() > 3
    events.label(mask.to_numpy() & (mask.cumsum() < 4), must_match=True)
    return events.label(quiet.to_numpy() & (quiet.cumsum() < 4), must_match=False)


def test_payloads_and_plugins_are_stored(refused, labelled, tmp_path):
    path = refused.write_tests(tmp_path / "a_rule_tests.yaml", labelled)
    file = read_tests(path)
    (number, *_) = labelled.labels
    assert file.rules == [tmp_path / "refused.yaml"]
    assert [config for _, config in file.plugins] == ['{"error_status":450}']
    assert all(case.payload and case.event is None for case in file.cases)
    assert number in [case.number for case in file.cases]
    times = {case.time_ns for case in file.cases}
    frame = labelled.frame
    chosen = frame[frame["evt.num"].isin(labelled.labels)]
    assert times == set(chosen["evt.time"].astype("int64"))
    report = run_file(path)
    assert report.passed, str(report)
    assert len(report) == len(labelled.labels)
    assert main(["test", str(tmp_path)]) == 0


def test_a_rule_that_reads_a_field_the_labels_lacked_is_still_decided(
    refused, labelled, tmp_path
):
    path = refused.write_tests(tmp_path / "a_rule_tests.yaml", labelled)
    (tmp_path / "refused.yaml").write_text(
        WEBLOG.replace("weblog.method = POST", "weblog.agent exists")
    )
    failures = run_file(path).failures
    assert {f.verdict for f in failures} == {"FAILED"}
    assert all("must not" in f.name for f in failures)
    assert failures


def test_on_wish_columns_are_stored_with_all_that_the_rule_reads(
    refused, labelled, tmp_path
):
    path = refused.write_tests(
        tmp_path / "a_rule_tests.yaml", labelled, columns=["weblog.path"]
    )
    file = read_tests(path)
    assert set(file.fields) == {"weblog.path", "weblog.status", "weblog.method"}
    assert not file.plugins
    report = run_file(path)
    assert report.passed, str(report)
    (tmp_path / "refused.yaml").write_text(
        WEBLOG.replace("weblog.method = POST", "weblog.path exists")
    )
    assert {f.verdict for f in run_file(path).failures} == {"FAILED"}


def test_what_the_case_does_not_give_is_not_decided(folder, capfd):
    path = folder / "one_rule_tests.yaml"
    head = TESTS.split("cases:", maxsplit=1)[0]
    path.write_text(
        f"{head}cases:\n"
        "  - event: {t.path: /x}\n    quiet: [climbing]\n"
        "  - event: {t.path: /x, t.num: null}\n    quiet: [climbing]\n"
        "  - event: {t.path: /x, t.num: 1, t.tags: [x]}\n    quiet: [quiet, climbing]\n"
        "  - event: {t.num: 1}\n    fires: [climbing]\n    quiet: [quiet]\n"
    )
    report = parse_rules(RULES).test(path)
    assert [r.verdict for r in report] == ["NOT DECIDED", "PASSED", "FAILED", "FAILED"]
    assert report.results[0].message == (
        "not decided: rule 'climbing' reads t.num, which the event does not give; "
        "'t.num: null' says that it is absent"
    )
    assert not report
    assert report.summary == "1 passed, 2 failed, 1 not decided"
    assert 'failures="2" errors="1"' in report.to_junit()
    assert main(["test", str(path)]) == 1
    assert "::case 1 NOT DECIDED" in capfd.readouterr().out


def test_the_number_and_the_time_of_an_event_are_given_too(tmp_path, rule):
    path = tmp_path / "x_rule_tests.yaml"
    (tmp_path / "r.yaml").write_text(
        rule("evt.num > 3", name="a") + rule("evt.time exists", name="b")
    )
    path.write_text(
        "source: t\nrules: r.yaml\nfields: {t.num: uint64}\ncases:\n"
        "  - event: {t.num: 1}\n    quiet: a\n"
        "  - event: {evt.num: 2}\n    quiet: a\n"
        "  - event: {evt.num: 4}\n    quiet: b\n"
    )
    assert [r.verdict for r in run_file(path)] == ["NOT DECIDED", "PASSED", "FAILED"]


def test_events_of_plugins_that_keep_state_are_saved_whole(sample, tmp_path):
    with wb.Workbench() as bench:
        weblog = bench.load(sample("weblog"))
        bench.load(sample("sessions"))
        events = bench.capture(weblog.open_params[0].value, max_events=200)
        assert events.stateful
        events.label("evt.num = 150", must_match=True)
        events.label("evt.num = 20", must_match=False)
        (tmp_path / "r.yaml").write_text(
            "- rule: late\n  desc: d\n  condition: evt.num > 100\n  output: o\n"
            f"  priority: INFO\n  source: {events.source}\n"
        )
        rules = wb.load_rules(tmp_path / "r.yaml")
        path = rules.write_tests(tmp_path / "s_rule_tests.yaml", events)
    assert len(wb.open_events(tmp_path / "s_rule_tests.parquet")) == 200
    report = run_file(path)
    assert report.passed, str(report)


def test_payloads_name_the_plugin_that_is_missing(refused, labelled, tmp_path):
    path = refused.write_tests(tmp_path / "a_rule_tests.yaml", labelled)
    target = {"weblog": {name: labelled.fields[name] for name in labelled.fields}}
    text = path.read_text()
    lines = [line for line in text.splitlines() if "library:" in line]
    refused.check(target)
    (tmp_path / "no.yaml").write_text(
        "source: weblog\nfields: {weblog.status: uint64, weblog.method: string}\n"
        f"plugins: [{lines[0].partition(': ')[2]}]\ncases:\n"
        "  - payload: x\n    quiet: refused\n"
    )
    (result,) = refused.test(tmp_path / "no.yaml")
    assert "libweblog.so" in result.message
    (tmp_path / "gone_rule_tests.yaml").write_text(
        text.replace("libweblog.so", "libgone.so")
    )
    with pytest.raises(wb.PluginLoadError, match=r"libgone\.so"):
        run_file(tmp_path / "gone_rule_tests.yaml")


def test_a_folder_without_rule_tests_is_told(tmp_path, capfd):
    assert main(["test", str(tmp_path)]) == 1
    assert "*rule_tests.yaml" in capfd.readouterr().err
