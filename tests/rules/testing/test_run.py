from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import jsonschema
import pytest

from workbench.__main__ import main
from workbench.errors import WorkbenchError
from workbench.rules import parse_rules
from workbench.yamlcpp import SourceText, load_documents, plain_json

RULES = """\
- rule: climbing
  desc: d
  condition: t.path contains "../" and t.num in (400, 404)
  output: o
  priority: INFO
  source: t
- rule: quiet
  desc: d
  condition: t.tags intersects (x)
  output: o
  priority: INFO
  source: t
"""
TESTS = """\
source: t
rules: [rules.yaml]
fields: {t.path: string, t.num: uint64, t.tags: list of string, t.ip: ipaddr}
cases:
  - name: fires
    event: {t.path: /../x, t.num: 400, t.ip: 10.0.0.1}
    fires: [climbing]
    quiet: quiet
  - name: nothing else
    event: {t.tags: [x, {hex: fffe}]}
    exactly: [quiet]
  - name: wrong on purpose
    event: {t.num: 1}
    fires: [climbing]
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "rules.yaml").write_text(RULES)
    (tmp_path / "web_rule_tests.yaml").write_text(TESTS)
    return tmp_path


def test_cases_pass_and_fail_as_they_should(folder):
    report = parse_rules(RULES).test(folder / "web_rule_tests.yaml")
    assert [r.passed for r in report] == [True, True, False]
    assert not report
    assert report.failures[0].line == 12
    assert report.failures[0].message == (
        "rule 'climbing' did not fire; fired: no rule"
    )


def test_the_command_reports_and_writes_junit(folder, capsys):
    status = main(
        [
            "test",
            str(folder / "web_rule_tests.yaml"),
            "--junit-xml",
            str(folder / "j.xml"),
        ]
    )
    out = capsys.readouterr().out
    assert status == 1
    assert "2 passed, 1 failed" in out
    suite = ET.fromstring((folder / "j.xml").read_text())[0]
    assert (suite.get("tests"), suite.get("failures")) == ("3", "1")


def test_the_schema_describes_the_format():
    import workbench.rules

    path = Path(workbench.rules.__file__).parent / "rule_tests.schema.json"
    schema = json.loads(path.read_text())
    (document,) = load_documents(SourceText(TESTS.encode()))
    jsonschema.validate(plain_json(document), schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"cases": [{"event": {}, "payload": ""}]}, schema)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[]", "is a mapping"),
        ("cases: 5", "'cases' is a sequence"),
        ("cases: []\nextra: 1", "unknown key 'extra'"),
        ("source: t\ncases: [{event: {}, fires: [a], payload: x}]", "one of event"),
        ("source: t\ncases: [{event: {}}]", "say what is expected"),
        ("source: t\ncases: [{events: 3, fires: [a]}]", "needs a 'capture'"),
        ("source: t\nfields: {a.b: text}\ncases: []", "unknown type 'text'"),
        ("a: [", "end of sequence flow not found"),
    ],
)
def test_wrong_files_are_told_with_their_place(tmp_path, text, message):
    path = tmp_path / "t.yaml"
    path.write_text(text)
    with pytest.raises(WorkbenchError, match=message) as caught:
        parse_rules(RULES).test(path)
    assert "t.yaml:" in str(caught.value)


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


def test_labelled_events_become_a_file_that_passes(events, tmp_path):
    rules = parse_rules(
        "- rule: r\n  desc: d\n  condition: t.num < 3 or t.str contains break\n"
        "  output: o\n  priority: INFO\n  source: t\n"
    )
    wanted = events.mask("t.num < 3 or t.str contains break")
    events.label(wanted, must_match=True).label(~wanted, must_match=False)
    path = rules.write_tests(tmp_path / "labels.yaml", events)
    report = rules.test(path)
    assert len(report) == 6
    assert report.passed, str(report)
    stricter = parse_rules(rules.to_yaml().replace("< 3", "< 2"))
    assert [r.name for r in stricter.test(path).failures] == ["event 2 must match"]


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


def run_pytest(folder, *words):
    """Run pytest on ``folder`` with our plugin, as a project of its own."""
    import subprocess
    import sys
    from importlib.metadata import entry_points

    # An installed package announces its pytest plugin by itself.
    name = "workbench.rules.pytest_plugin"
    known = any(point.value == name for point in entry_points(group="pytest11"))
    command = [sys.executable, "-m", "pytest", *([] if known else ["-p", name])]
    command += ["-p", "no:cacheprovider", "--rootdir", str(folder), "-q", *words]
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        cwd=Path(__file__).resolve().parents[3],
    )


def test_pytest_collects_rule_tests_that_the_command_line_names(folder):
    file = str(folder / "web_rule_tests.yaml")
    done = run_pytest(folder, "-c", "/dev/null", file)
    assert "2 passed" in done.stdout, done.stdout + done.stderr
    assert "1 failed" in done.stdout
    assert "Traceback" not in done.stdout


def test_pytest_leaves_rule_tests_of_a_folder_alone(folder):
    done = run_pytest(folder, "-c", "/dev/null", str(folder))
    assert done.stdout.splitlines()[-1].startswith("no tests ran"), done.stdout


def test_a_project_asks_for_its_rule_tests(folder):
    ini = folder / "pytest.ini"
    ini.write_text("[pytest]\nworkbench_rule_tests = true\n")
    done = run_pytest(folder, "-c", str(ini), str(folder))
    assert "1 failed, 2 passed" in done.stdout, done.stdout + done.stderr
