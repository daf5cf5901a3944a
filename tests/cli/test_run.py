from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from workbench.__main__ import main

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "sample_plugins"


@pytest.fixture
def standin(plugin):
    return str(plugin("standin", SCHEMA=True, SOURCE='"probe"', ID=999))


@pytest.fixture
def rules(tmp_path):
    path = tmp_path / "rules.yaml"
    path.write_text(
        "- rule: every third\n  desc: d\n  condition: evt.num in (3, 6, 9)\n"
        "  output: n=%evt.num c=%probe.initconfig\n  priority: WARNING\n"
        "  source: probe\n  tags: [b, a]\n"
    )
    return str(path)


def test_run_prints_alerts_and_statistics_as_falco_does(standin, rules, capfd):
    args = ["run", "--plugin", standin, "-r", rules, "--config", '{"on":true}']
    status = main([*args, "--quiet"])
    out, err = capfd.readouterr()
    lines = out.splitlines()
    assert (status, err) == (0, "")
    assert lines[0].endswith(': Warning n=3 c={"on":true}')
    assert lines[3:] == [
        "Events detected: 3",
        "Rule counts by severity:",
        "   WARNING: 3",
        "Triggered rules by rule name:",
        "   every third: 3",
    ]


def test_run_tells_on_wish_how_often_each_rule_matched(standin, tmp_path, capfd):
    path = tmp_path / "two.yaml"
    text = (
        "- rule: {}\n  desc: d\n  condition: evt.num <= {}\n  output: n\n"
        "  priority: INFO\n  source: probe\n"
    )
    path.write_text(text.format("few", 2) + text.format("some", 5))
    args = ["run", "--plugin", standin, "-r", str(path), "--quiet"]
    assert main([*args, "--stats"]) == 0
    lines = capfd.readouterr().out.splitlines()
    assert lines[-3:] == [
        "Matches by rule name:",
        "   few: 2 matched, 2 alerted",
        "   some: 5 matched, 3 alerted, hidden: 2 by few",
    ]
    assert main([*args, "--stats", "--json"]) == 0
    out, err = capfd.readouterr()
    assert "hidden: 2 by few" in err
    assert "hidden" not in out
    assert main(args) == 0
    assert "matched" not in capfd.readouterr().out


def test_run_json_keeps_statistics_out_of_the_data(standin, rules, capfd):
    assert main(["run", "--plugin", standin, "-r", rules, "--json"]) == 0
    out, err = capfd.readouterr()
    alerts = [json.loads(line) for line in out.splitlines()]
    assert [a["output_fields"]["evt.num"] for a in alerts] == [3, 6, 9]
    assert list(alerts[0]) == [
        "hostname",
        "output",
        "output_fields",
        "priority",
        "rule",
        "source",
        "tags",
        "time",
    ]
    assert alerts[0]["tags"] == ["a", "b"]
    assert "Events detected: 3" in err


def test_run_stops_at_limits(standin, rules, capfd):
    args = ["run", "--plugin", standin, "-r", rules, "--max-events", "6"]
    assert main(args) == 0
    assert "Events detected: 2" in capfd.readouterr().out
    assert main([*args[:-2], "--timeout", "0"]) == 0
    assert "Events detected: 0" in capfd.readouterr().out


def test_a_configuration_decides_what_alerts_look_like(standin, rules, tmp_path, capfd):
    config = tmp_path / "falco.yaml"
    config.write_text(f"""\
plugins: [{{name: probe, library_path: '{standin}', open_params: limit=9}}]
rules_files: ['{rules}', '{tmp_path}/missing.yaml']
json_output: true
json_include_message_property: true
json_include_tags_property: false
time_format_iso_8601: true
static_fields: {{site: here}}
append_output:
  - match: {{rule: every third}}
    extra_output: site=%static.site
    extra_fields: [evt.source, {{double: "%evt.num%evt.num"}}]
  - match: {{rule: other}}
    extra_output: never
""")
    assert main(["run", "-c", str(config)]) == 0
    out, err = capfd.readouterr()
    first = json.loads(out.splitlines()[0])
    assert "missing.yaml does not exist and is skipped" in err
    assert first["message"] == "n=3 c={} site=here"
    assert "tags" not in first
    assert first["output"].startswith("2023-11-14T22:13:20.000000000+0000: Warning n=3")
    assert first["output_fields"] == {
        "evt.num": 3,
        "evt.source": "probe",
        "evt.time.iso8601": 1_700_000_000_000_000_000,
        "double": "33",
        "probe.initconfig": "{}",
        "static.site": "here",
    }


def test_switches_and_priority_choose_rules(standin, rules, tmp_path, capfd):
    base = f"plugins: [{{name: probe, library_path: '{standin}'}}]\n"
    config = tmp_path / "falco.yaml"
    for more, count in (
        ("rules: [{disable: {rule: '*third'}}]", 0),
        ("rules: [{disable: {rule: '*'}}, {enable: {tag: a}}]", 3),
        ("priority: error", 0),
        ("priority: WARNING", 3),
    ):
        config.write_text(base + more)
        assert main(["run", "-c", str(config), "-r", rules]) == 0
        assert f"Events detected: {count}" in capfd.readouterr().out


def test_expected_failures_have_status_one(standin, rules, tmp_path, capfd):
    bad = tmp_path / "bad.yaml"
    bad.write_text(Path(rules).read_text().replace("evt.num in", "evt.nun in"))
    assert main(["run", "--plugin", standin, "-r", str(bad)]) == 1
    out, err = capfd.readouterr()
    assert out == ""
    assert err.count("bad.yaml:3:14: error [LOAD_ERR_COMPILE_CONDITION]") == 1
    assert main(["run", "--plugin", standin]) == 1
    assert "at least one rules file" in capfd.readouterr().err
    assert main(["run", "--plugin", standin, "-r", str(tmp_path / "no.yaml")]) == 1
    assert "LOAD_ERR_FILE_READ" in capfd.readouterr().err


def test_events_before_a_failure_are_still_matched(plugin, tmp_path, capfd):
    library = str(plugin("probe"))
    path = tmp_path / "r.yaml"
    path.write_text(
        "- rule: all\n  desc: d\n  condition: probe.num >= 0\n  output: o\n"
        "  priority: INFO\n  source: probe\n"
    )
    args = ["run", "--plugin", library, "-r", str(path), "--open", "n=20,rc=1"]
    assert main(args) == 1
    out, err = capfd.readouterr()
    assert "Events detected: 20" in out
    assert "the source broke" in err


def test_run_over_a_saved_capture(sample, tmp_path, capfd):
    import workbench as wb

    library = sample("weblog")
    with wb.load(library) as weblog:
        weblog.capture(max_events=500).save(tmp_path / "e.parquet")
    rules = str(SAMPLES / "weblog" / "weblog_rules.yaml")
    status = main(["run", "--events", str(tmp_path / "e.parquet"), "-r", rules])
    assert status in (0, 1)
    args = ["run", "--events", str(tmp_path / "e.parquet"), "--with", str(library)]
    assert main([*args, "-r", rules]) == 0
    saved = capfd.readouterr().out
    assert (
        main(["run", "--plugin", str(library), "-r", rules, "--max-events", "500"]) == 0
    )
    assert capfd.readouterr().out.splitlines()[-5:] == saved.splitlines()[-5:]


def test_run_over_a_capture_of_several_sources_runs_each_ones_rules(
    sample, plugin, tmp_path, capfd
):
    import pyarrow as pa

    import workbench as wb
    from workbench.captures.scap import write_scap

    libraries = [str(sample("weblog"))]
    libraries.append(str(plugin("standin", SCHEMA=True, SOURCE='"probe"', ID=998)))
    with wb.Workbench() as workbench:
        for library in libraries:
            workbench.load(library)
        first = workbench.capture(source="weblog", max_events=4)
        second = workbench.capture(source="probe", max_events=3)
    stored = [events.table.select(["evt.rawtime", "raw"]) for events in (first, second)]
    write_scap(
        tmp_path / "mixed.scap",
        pa.concat_tables([stored[0][:2], stored[1], stored[0][2:]]),
    )
    rules = tmp_path / "rules.yaml"
    rules.write_text(
        "".join(
            f"- rule: of {source}\n  desc: d\n  condition: evt.num > 1\n"
            f"  output: '%evt.num %evt.source'\n  priority: INFO\n  source: {source}\n"
            for source in ("weblog", "probe")
        )
    )
    args = ["run", "--events", str(tmp_path / "mixed.scap"), "-r", str(rules)]
    assert main([*args, "--with", libraries[0], "--with", libraries[1]]) == 0
    lines = capfd.readouterr().out.splitlines()
    assert [line.split(" ")[-2:] for line in lines[:6]] == [
        ["2", "weblog"],
        ["3", "probe"],
        ["4", "probe"],
        ["5", "probe"],
        ["6", "weblog"],
        ["7", "weblog"],
    ]
    assert lines[6] == "Events detected: 6"


def test_run_loads_and_compiles_the_rules_once(
    standin, rules, tmp_path, capfd, monkeypatch
):
    from workbench.rules import loader, rule_files

    times = {"load": 0, "compile": 0}

    def counted(what, function):
        def call(*args, **options):
            times[what] += 1
            return function(*args, **options)

        return call

    monkeypatch.setattr(rule_files, "load", counted("load", rule_files.load))
    monkeypatch.setattr(loader, "compile_all", counted("compile", loader.compile_all))
    config = tmp_path / "falco.yaml"
    config.write_text(
        f"plugins: [{{name: probe, library_path: '{standin}'}}]\n"
        "static_fields: {site: here}\nappend_output: [{extra_output: more}]\n"
    )
    assert main(["run", "-c", str(config), "-r", rules]) == 0
    assert "Events detected: 3" in capfd.readouterr().out
    assert times == {"load": 1, "compile": 1}


def test_the_dummy_rules_and_configuration_of_the_guide_run(sample, capfd):
    sample("dummy_c")
    folder = SAMPLES / "dummy_c"
    status = main(
        [
            "run",
            "-c",
            str(folder / "falco.yaml"),
            "--plugin-dir",
            str(folder),
            "-r",
            str(folder / "dummy_c_rules.yaml"),
        ]
    )
    out = capfd.readouterr().out
    assert status == 0
    assert "Events detected:" in out


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupting_prints_the_statistics(plugin, tmp_path, number):
    library = str(plugin("probe"))
    path = tmp_path / "r.yaml"
    path.write_text(
        "- rule: one\n  desc: d\n  condition: probe.num = 1\n  output: o\n"
        "  priority: INFO\n  source: probe\n"
    )
    command = [sys.executable, "-m", "workbench", "run", "--plugin", library]
    command += ["-r", str(path), "--open", "n=100000000,block=5,batch=10"]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        first = child.stdout.readline()
        os.kill(child.pid, number)
        out, err = child.communicate(timeout=30)
    assert first.endswith("Informational o\n")
    assert child.returncode == 130, err
    assert "Events detected: 1" in out


def test_start_lines_name_versions_plugins_and_rules(standin, rules, capfd):
    args = ["run", "--plugin", standin, "-r", rules]
    assert main(args) == 0
    out, err = capfd.readouterr()
    lines = [line.partition(": ")[2] for line in err.splitlines()]
    assert re.fullmatch(r"Workbench version: \S+ \(rules engine 0\.62\.0\)", lines[0])
    assert re.fullmatch(rf"Loaded plugin 'probe' \S+ from file {standin}", lines[1])
    assert lines[2:] == [
        "Loading rules from:",
        f"   {rules}",
        "Enabled event sources: probe",
    ]
    assert "Loaded plugin" not in out
    assert main([*args, "--quiet"]) == 0
    assert capfd.readouterr().err == ""


def test_a_library_beside_the_projects_configuration_is_found(
    standin, rules, tmp_path, capfd, monkeypatch
):
    project = tmp_path / "project"
    project.mkdir()
    (project / "libprobe.so").symlink_to(standin)
    config = project / "falco.yaml"
    config.write_text(
        "plugins:\n  - name: probe\n    library_path: libprobe.so\n    init_confg: {}\n"
        "rule_file: [x]\n"
    )
    monkeypatch.chdir("/")
    assert main(["run", "-c", str(config), "-r", rules, "--quiet"]) == 0
    out, err = capfd.readouterr()
    assert "Events detected: 3" in out
    assert f"taken from beside {config}" in err
    assert f"{config}:4: unknown key 'init_confg' in plugins is ignored" in err
    assert f"{config}:5: unknown key 'rule_file' is ignored; did you mean" in err


def on_a_terminal(*words):
    """Run the command line for 4 s with a terminal as stderr; give what it says."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "workbench", *map(str, words), "--timeout", "4"]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=theirs
    ) as process:
        os.close(theirs)
        said = b""
        while True:
            try:
                said += os.read(ours, 4096)
            except OSError:
                break
        os.close(ours)
    assert process.returncode == 0, said
    return said.decode()


@pytest.fixture
def silent(weblog, tmp_path):
    """Give the words that open a source without events, and rules for it."""
    log = tmp_path / "empty.log"
    log.touch()
    path = tmp_path / "weblog_rules.yaml"
    path.write_text(
        "- rule: one\n  desc: d\n  condition: weblog.status = 1\n  output: o\n"
        "  priority: INFO\n  source: weblog\n"
    )
    words = [weblog, "--config", '{"follow":true}', "--open", log]
    return words, ["-r", path]


@pytest.mark.parametrize("command", ["run", "stream"])
def test_a_terminal_is_told_once_what_is_waited_for(silent, command):
    words, rules = silent
    if command == "run":
        words = ["--plugin", *words, *rules]
    said = on_a_terminal(command, *words)
    expected = r"no events for 1\.\d s; waiting for \S.* of weblog \(Ctrl-C ends\)"
    assert len(re.findall(expected, said)) == 1, said
    assert said.count("waiting for") == 1


def test_events_that_do_not_match_are_events_all_the_same(plugin):
    """Nothing is said of waiting while a source gives events that are left out."""
    words = [plugin("probe"), "--open", "n=100000;batch=1;timeouts=1;block=5"]
    said = on_a_terminal("stream", *words, "--where", "probe.num < 0")
    assert "no events for" not in said
    assert re.search(r"none of the \d+ events read match --where", said), said


def test_a_pipe_is_not_told_what_is_waited_for(silent, capfd):
    words, rules = silent
    words = ["run", "--plugin", *words, *rules, "--timeout", "2"]
    assert main([str(word) for word in words]) == 0
    assert "waiting for" not in capfd.readouterr().err


# One rule for each way of deciding: in C on texts and numbers, by regular expression,
# by the reference evaluator, on built-in fields.
MANY = """\
- rule: users
  desc: d
  condition: probe.user in (alice, bob)
  output: u=%probe.user n=%probe.num
  priority: WARNING
  source: probe
- rule: paths
  desc: d
  condition: probe.path contains /77 or probe.path regex '.*/1[0-9]9/.*'
  output: p=%probe.path tags=%probe.tags
  priority: NOTICE
  source: probe
- rule: put together
  desc: d
  condition: concat(probe.user, probe.user) = eveeve and probe.num < 300
  output: ip=%probe.ip at %evt.num
  priority: ERROR
  source: probe
- rule: numbers
  desc: d
  condition: evt.num in (1, 2, 500, 999, 1000) and not probe.even = true
  output: n=%probe.num
  priority: DEBUG
  source: probe
"""


@pytest.fixture
def many(tmp_path):
    path = tmp_path / "many.yaml"
    path.write_text(MANY)
    return str(path)


@pytest.mark.parametrize("more", [[], ["--all-matches"], ["--json"]])
def test_alerts_of_a_running_plugin_are_those_of_its_stored_events(
    plugin, many, tmp_path, capfd, more
):
    library = str(plugin("probe"))
    stored = str(tmp_path / "events.parquet")
    assert main(["record", library, "--open", "n=1000", "--out", stored]) == 0
    capfd.readouterr()
    live = ["run", "--plugin", library, "--open", "n=1000", "-r", many, "--quiet"]
    assert main([*live, *more]) == 0
    shown = capfd.readouterr()
    again = ["run", "--events", stored, "--with", library, "-r", many, "--quiet"]
    assert main([*again, *more]) == 0
    assert shown == capfd.readouterr()
    assert len(shown.out.splitlines()) > 200


def test_a_crash_in_the_middle_loses_no_alert_of_completed_pieces(plugin, many, capfd):
    library = str(plugin("probe"))
    args = ["run", "--plugin", library, "-r", many, "--quiet", "--open"]
    assert main([*args, "n=5000"]) == 0
    every = [s for s in capfd.readouterr().out.splitlines() if s[2:3] == ":"]
    assert main([*args, "n=5000;fault=segv@extract:4000"]) == 1
    out, err = capfd.readouterr()
    found = [line for line in out.splitlines() if line[2:3] == ":"]
    assert "SIGSEGV" in err
    assert found == every[: len(found)]
    # The event of the last alert stands in it, or in its path; 128 a batch.
    numbers = [int(m) for m in re.findall(r"(?:n=|app/|at )(\d+)", "\n".join(found))]
    assert 3800 < max(numbers) < 4000
    # The statistics count what was printed.
    assert f"Events detected: {len(found)}" in out


def test_limits_count_events_that_raise_no_alert_too(plugin, many, capfd):
    library = str(plugin("probe"))
    args = ["run", "--plugin", library, "-r", many, "--quiet", "--open", "n=5000"]
    args.append("--all-matches")
    assert main([*args, "--max-events", "499"]) == 0
    assert "\n   numbers: 1\n" in capfd.readouterr().out
    assert main([*args, "--max-events", "500"]) == 0
    assert "\n   numbers: 2\n" in capfd.readouterr().out


def test_stats_tell_how_events_were_filtered(plugin, tmp_path, capfd):
    library = str(plugin("probe"))
    rules = tmp_path / "rules.yaml"
    rules.write_text(
        "- rule: few\n  desc: d\n  condition: probe.num in (3, 6, 9)\n"
        "  output: n=%probe.num\n  priority: WARNING\n  source: probe\n"
    )
    args = [
        "run",
        "--plugin",
        library,
        "-r",
        str(rules),
        "--quiet",
        "--open",
        "n=20000",
    ]
    assert main([*args, "--stats"]) == 0
    err = capfd.readouterr().err
    assert "probe: 3 of 20,000 events may raise an alert" in err
    assert re.search(r"probe: (by|at) .*: [\d,]+ events", err)


def test_fixed_fields_of_a_configuration_decide_live_too(
    standin, rules, tmp_path, capfd
):
    config = tmp_path / "falco.yaml"
    config.write_text(f"""\
plugins: [{{name: probe, library_path: '{standin}', open_params: limit=9}}]
rules_files: ['{rules}']
static_fields: {{site: here}}
""")
    Path(rules).write_text(
        "- rule: fixed\n  desc: d\n  condition: static.site = here and evt.num < 3\n"
        "  output: at %static.site\n  priority: WARNING\n  source: probe\n"
    )
    assert main(["run", "-c", str(config)]) == 0
    out, _ = capfd.readouterr()
    assert out.count("Warning at here") == 2
