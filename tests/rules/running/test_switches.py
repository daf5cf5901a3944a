from __future__ import annotations

import json
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

import workbench as wb
from workbench.errors import WorkbenchError
from workbench.falco_config import read_falco_yaml
from workbench.rules.running.switches import wildcard_matches

WEBLOG = Path(__file__).resolve().parents[3] / "sample_plugins" / "weblog"
RULES = WEBLOG / "weblog_rules.yaml"


@pytest.mark.parametrize(
    ("pattern", "text", "hit"),
    [
        ("*", "anything", True),
        ("abc", "abcd", False),
        ("a*", "abc", True),
        ("*c", "abc", True),
        ("a*c", "abbc", True),
        ("*abc", "abcabc", False),
        ("*b*", "abc", True),
    ],
)
def test_wildcards_never_go_back(pattern, text, hit):
    assert wildcard_matches(pattern, text) is hit


@pytest.fixture(scope="module")
def weblog_events(sample):
    with wb.load(sample("weblog")) as plugin:
        yield plugin.capture(plugin.open_params[0].value)


def command(*args):
    """Run the command line and return its alerts."""
    done = subprocess.run(
        [sys.executable, "-m", "workbench", "run", *map(str, args), "--json"],
        capture_output=True,
        text=True,
        check=True,
        timeout=100,
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize(
    ("chosen", "counts"),
    [
        ({"tags": "exploit"}, {"exploit"}),
        ({"tags": ["exploit", "reconnaissance"]}, {"exploit", "reconnaissance"}),
    ],
)
def test_selecting_by_tag_keeps_rules_with_one_of_them(chosen, counts):
    rules = wb.load_rules(RULES)
    kept = rules.select(**chosen)
    assert [r.name for r in kept.rules] == [
        r.name for r in rules.rules if counts & set(r.tags)
    ]
    assert 0 < len(kept) < len(rules)
    assert kept.macros == rules.macros


def test_a_selection_alone_alerts(weblog_events):
    rules = wb.load_rules(RULES)
    kept = rules.select(names=["Path*", "Scanner by its own name"], priority="warning")
    assert [r.name for r in kept.rules] == ["Path traversal"]
    alerts = kept.run(weblog_events)
    assert set(alerts.counts) == {"Path traversal"}
    assert kept.select(tags="none").run(weblog_events).counts == {}
    assert len(rules.run(weblog_events)) > len(alerts) > 0


def test_disabled_rules_stay_disabled_when_selected(tmp_path, weblog_events):
    rules = wb.load_rules(RULES)
    rules.add(
        "- rule: Path traversal\n  enabled: false\n  override: {enabled: replace}\n"
    )
    rules.save(tmp_path / "local.yaml")
    kept = rules.select(tags="exploit")
    assert "Path traversal" in kept.rules
    assert "Path traversal" not in kept.run(weblog_events).counts
    switches = kept.falco_config().switches
    assert (True, "rule", "Path traversal") not in switches
    assert switches[0] == (False, "rule", "*")


def test_a_priority_that_does_not_exist_is_refused():
    with pytest.raises(ValueError, match=r"priority must be one of .* not 'loud'"):
        wb.load_rules(RULES).select(priority="loud")


def test_a_whole_falco_yaml_runs_the_same_from_the_command_line(
    sample, tmp_path, weblog_events
):
    rules = wb.load_rules(RULES)
    rules.add(
        "- macro: refused\n  condition: or weblog.status = 404\n"
        "  override: {condition: append}\n"
    )
    rules.save(tmp_path / "local.yaml")
    kept = rules.select(tags=["exploit", "reconnaissance"], priority="NOTICE")
    with wb.Workbench() as bench:
        plugin = bench.load(sample("weblog"))
        bench.default_params["weblog"] = plugin.open_params[0].value
        text = bench.to_falco_yaml(kept)
    path = tmp_path / "falco.yaml"
    path.write_text(text)
    config = read_falco_yaml(path)
    assert config.rules_files == [str(RULES), str(tmp_path / "local.yaml")]
    assert config.switches == [
        (False, "rule", "*"),
        (True, "tag", "exploit"),
        (True, "tag", "reconnaissance"),
    ]
    assert (config.priority, config.notes) == ("notice", [])
    found = command("-c", path)
    wanted = kept.run(weblog_events).to_dicts()
    assert [(a["rule"], a["output"]) for a in found] == [
        (a["rule"], a["output"]) for a in wanted
    ]
    assert len(found) > 0
    again = wb.RuleSet.from_falco_yaml(path).run(weblog_events)
    assert again.to_jsonl() == kept.run(weblog_events).to_jsonl()


def test_rules_that_are_not_saved_have_no_falco_yaml(sample):
    rules = wb.load_rules(RULES).add("- macro: m\n  condition: evt.num = 1\n")
    with wb.Workbench() as bench:
        bench.load(sample("weblog"))
        with pytest.raises(WorkbenchError, match="save them first"):
            bench.to_falco_yaml(rules)


FALCO_YAML = """\
rules_files: [{rules}, none.yaml]
rules:
  - disable: {{tag: exploit}}
  - enable: {{rule: Path*}}
priority: notice
rule_matching: all
json_include_tags_property: false
time_format_iso_8601: true
append_output:
  - match: {{source: weblog, tags: [exploit]}}
    extra_output: "site=%static.site ${{x"
    extra_fields: [weblog.path, {{who: "%weblog.client"}}]
static_fields: {{site: "here: 'there'"}}
"""


def test_one_call_honours_what_a_falco_yaml_says_of_rules(
    tmp_path, weblog_events, sample
):
    path = tmp_path / "falco.yaml"
    path.write_text(FALCO_YAML.format(rules=RULES))
    with pytest.warns(UserWarning, match=r"none\.yaml does not exist"):
        rules = wb.RuleSet.from_falco_yaml(path)
    alerts = rules.run(weblog_events)
    params = WEBLOG / "data" / "access.log"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with wb.Workbench() as bench:
            bench.load(sample("weblog"))
            bench.default_params["weblog"] = str(params)
            path.write_text(bench.to_falco_yaml(rules))
    found = command("-c", path)
    wanted = alerts.to_dicts()
    for alert in [*found, *wanted]:
        assert "tags" not in alert
    strip = [{k: v for k, v in a.items() if k != "hostname"} for a in found]
    assert strip == [{k: v for k, v in a.items() if k != "hostname"} for a in wanted]
    (first, *_) = [a for a in wanted if a["rule"] == "Path traversal"]
    assert first["output"].endswith("site=here: 'there' ${x")
    assert first["output_fields"]["who"]
    assert "Injection in a query parameter" not in alerts.counts
    assert len(rules.run(weblog_events, all_matches=False)) < len(alerts)


@pytest.mark.parametrize(
    ("options", "kept"),
    [
        (["-T", "exploit"], lambda r: "exploit" not in r.tags),
        (["-t", "exploit"], lambda r: "exploit" in r.tags),
        (
            ["-t", "exploit", "-t", "reconnaissance"],
            lambda r: {"exploit", "reconnaissance"} & set(r.tags),
        ),
        (
            ["-D", "traversal", "-T", "reconnaissance"],
            lambda r: "traversal" not in r.name and "reconnaissance" not in r.tags,
        ),
    ],
)
def test_options_choose_rules_as_falcos_did(sample, weblog_events, options, kept):
    log = WEBLOG / "data" / "access.log"
    found = command("--plugin", sample("weblog"), "--open", log, "-r", RULES, *options)
    rules = wb.load_rules(RULES)
    names = [r.name for r in rules.rules if kept(r)]
    wanted = rules.select(names=names).run(weblog_events)
    assert [a["rule"] for a in found] == [a["rule"] for a in wanted.to_dicts()]
    assert found


def test_only_some_tags_goes_not_with_without(capfd):
    from workbench.__main__ import main

    assert main(["run", "--events", "x", "-r", "y", "-t", "a", "-D", "b"]) == 2
    assert "-t goes with neither -T nor -D" in capfd.readouterr().err
