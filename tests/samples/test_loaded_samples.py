"""Each sample through the public surface: what it says, what it streams, exactly."""

from __future__ import annotations

import ipaddress
import json
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

import workbench as wb

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "sample_plugins"
FIRST_DAY_NS = 1615507200 * 10**9
GENERATIONS = ["draft", "0_1", "0_3", "1_0", "2_0", "3_0"]


# ---- weblog -------------------------------------------------------------------------


def test_weblog_says_what_it_is(sample):
    with wb.load(sample("weblog")) as plugin:
        info = plugin.info
        assert (info.name, info.id, info.event_source) == ("weblog", 999, "weblog")
        assert info.required_api_version == "3.12.0"
        assert info.capabilities == ["sourcing", "extraction"]
        assert plugin.init_schema["properties"]["error_status"]["default"] == 400
        suggested = [Path(param.value) for param in plugin.open_params]
        assert [path.name for path in suggested] == ["access.log", "timed.log"]
        assert all(path.is_absolute() and path.exists() for path in suggested)
        types = {field.type for field in plugin.fields.values()}
        assert types == {
            "ipaddr",
            "ipnet",
            "string",
            "abstime",
            "uint64",
            "bool",
            "reltime",
        }


def test_weblog_streams_the_shipped_log(sample):
    with wb.load(sample("weblog"), config={"error_status": 500}) as plugin:
        events = plugin.capture()
        lines = (SAMPLES / "weblog" / "data" / "access.log").read_bytes().splitlines()
        assert len(events) == len(lines)
        table = events.table
        assert table.column("weblog.raw").to_pylist() == lines
        assert events.frame["evt.time"].equals(
            events.frame["weblog.time"].astype(events.frame["evt.time"].dtype)
        )
        errors = events.frame["weblog.is_error"].sum()
        assert errors == sum(b'" 5' in line for line in lines)
        metrics = {metric["name"]: metric["value"] for metric in plugin.metrics}
        assert metrics["lines"] == len(lines)


def test_weblog_values_of_one_line(sample, tmp_path):
    log = tmp_path / "one.log"
    log.write_bytes(
        b"2001:db8::7 - m\\x22ller [21/Nov/2026:09:30:00 +0130] "
        b'"GET /a%2Fb//c%00d/?id=1%27+OR&id=2&x&%71=\\xC3\\xA9 HTTP/1.1" '
        b'503 - "-" "agent \\x5C" 0.012\n'
    )
    asked = [
        "weblog.client",
        "weblog.user",
        "weblog.time",
        "weblog.path",
        "weblog.segment[0]",
        "weblog.segment[1]",
        "weblog.segment[2]",
        "weblog.query[id]",
        "weblog.query[q]",
        "weblog.query[x]",
        "weblog.query[none]",
        "weblog.params",
        "weblog.bytes",
        "weblog.agent",
        "weblog.duration",
    ]
    with wb.load(sample("weblog")) as plugin:
        row = plugin.capture(str(log), fields=asked).table.to_pylist()[0]
        frame = plugin.capture(str(log), fields=asked).frame
    assert {name: row[name] for name in asked} == {
        "weblog.client": ipaddress.ip_address("2001:db8::7").packed,
        "weblog.user": b'm"ller',
        "weblog.time": 1795248000 * 10**9,
        "weblog.path": b"/a/b//c%00d/",
        "weblog.segment[0]": b"a/b",
        "weblog.segment[1]": b"c%00d",
        "weblog.segment[2]": None,
        "weblog.query[id]": b"1' OR",
        "weblog.query[q]": "é".encode(),
        "weblog.query[x]": b"",
        "weblog.query[none]": None,
        "weblog.params": [b"id", b"id", b"x", b"q"],
        "weblog.bytes": None,
        "weblog.agent": b"agent \\",
        "weblog.duration": 12_000_000,
    }
    assert frame["weblog.client"][0] == "2001:db8::7"
    assert str(frame["weblog.time"][0]) == "2026-11-21 08:00:00+00:00"


def test_weblog_follows_a_log_until_it_is_stopped(sample, tmp_path):
    log = tmp_path / "live.log"
    log.write_text("one\n")
    with wb.load(sample("weblog"), config={"follow": True, "poll_ms": 5}) as plugin:
        capture = plugin.open(str(log), fields=["weblog.raw"])
        seen = []
        for frame in capture:
            seen += list(frame["weblog.raw"])
            if seen[-1] == "one":
                with log.open("a") as more:
                    more.write("two\n")
            else:
                capture.stop()
        assert seen == ["one", "two"]
        assert capture.end_reason == "cancelled"
        capture.close()


# ---- legacy -------------------------------------------------------------------------


@pytest.mark.parametrize("generation", GENERATIONS)
def test_legacy_of_every_generation(sample, generation):
    library = sample("legacy", f"liblegacy_{generation}.so")
    with wb.load(library, config="98") as plugin:
        name = f"legacy_{generation}"
        assert (plugin.info.name, plugin.info.event_source) == (name, name)
        asked = ["legacy.value", "legacy.text", "legacy.digit[2]", "evt.plugininfo"]
        if generation in {"1_0", "2_0", "3_0"}:
            asked.append("legacy.digits")
        events = plugin.capture("250", fields=asked)
        table = events.table
        numbers = list(range(98, 98 + 250))
        assert table.column("legacy.value").to_pylist() == numbers
        assert table.column("legacy.text").to_pylist() == [b"%d" % n for n in numbers]
        assert table.column("legacy.digit[2]").to_pylist() == [
            int(str(n)[2]) if n > 99 else None for n in numbers
        ]
        assert list(events.frame["evt.plugininfo"]) == [f"number {n}" for n in numbers]
        assert table.column("evt.rawtime").to_pylist() == [
            FIRST_DAY_NS + n * 10**9 for n in numbers
        ]
        if "legacy.digits" in asked:
            digits = table.column("legacy.digits").to_pylist()
            assert digits == [[int(d) for d in str(n)] for n in numbers]
        # Told with the last numbers: the failure comes after them, nothing is lost.
        with pytest.raises(
            wb.PluginFailure, match="ran out of numbers after 102"
        ) as err:
            plugin.capture("5!")
        assert len(err.value.events) == 5
        assert len(plugin.capture("150~")) == 150
        with pytest.raises(wb.PluginOpenError, match="no count of numbers: 'x'"):
            plugin.capture("x")
    with pytest.raises(wb.PluginInitError, match="no number to begin with: 'y'"):
        wb.load(library, config="y")


def test_all_generations_run_together(sample):
    with wb.Workbench() as bench:
        for generation in GENERATIONS:
            bench.load(sample("legacy", f"liblegacy_{generation}.so"))
        assert bench.sources == [f"legacy_{generation}" for generation in GENERATIONS]
        captured = bench.capture_all(dict.fromkeys(bench.sources, "7"))
        assert {
            name: len(events) for name, events in captured.items()
        } == dict.fromkeys(bench.sources, 7)


# ---- the dummies --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("dummy_c", ("dummy_c", 4, "dummy_c", '{"sample": %d}')),
        ("dummy_go", ("dummy", 3, "dummy", '{"sample": "%d"}')),
    ],
)
def test_a_dummy_as_the_guide_describes_it(sample, name, says):
    own_name, number, source, text = says
    with wb.load(sample(name), config={"jitter": 0}) as plugin:
        info = plugin.info
        assert (info.name, info.id, info.event_source) == (own_name, number, source)
        declared = [(f.name, f.type, bool(f.arg)) for f in plugin.fields.values()]
        assert [one[:2] for one in declared] == [
            ("dummy.divisible", "uint64"),
            ("dummy.value", "uint64"),
            ("dummy.strvalue", "string"),
        ]
        assert plugin.fields["dummy.divisible"].arg.required
        assert plugin.init_schema["properties"]["jitter"]["type"] == "integer"
        asked = ["dummy.divisible[3]", "dummy.divisible[0]", "dummy.divisible[x]"]
        asked += ["dummy.value", "dummy.strvalue", "evt.plugininfo"]
        events = plugin.capture('{"start": 9, "maxEvents": 6}', fields=asked)
        table = events.table
        numbers = list(range(10, 16))
        assert table.column("dummy.value").to_pylist() == numbers
        assert table.column("dummy.strvalue").to_pylist() == [
            b"%d" % n for n in numbers
        ]
        assert table.column("dummy.divisible[3]").to_pylist() == [0, 0, 1, 0, 0, 1]
        assert table.column("dummy.divisible[0]").null_count == 6
        assert table.column("dummy.divisible[x]").null_count == 6
        assert list(events.frame["evt.plugininfo"]) == [text % n for n in numbers]
        assert len(plugin.capture(max_events=None)) == 20
        for params in ("{", '{"start": 1}', '{"maxEvents": 1}'):
            with pytest.raises(wb.PluginOpenError) as caught:
                plugin.capture(params)
            assert caught.value.last_error
    with pytest.raises(wb.PluginInitError):
        wb.load(sample(name), config={"jitter": -1})
    with pytest.raises(wb.PluginInitError):
        wb.load(sample(name), config={"jitter": "ten"})


@pytest.mark.parametrize("name", ["dummy_c", "dummy_go"])
def test_jitter_stays_within_its_bounds(sample, name):
    with wb.load(sample(name), config='{"jitter": 3}') as plugin:
        frame = plugin.capture('{"start": 0, "maxEvents": 2000}').frame
        steps = frame["dummy.value"].diff().dropna()
        assert set(steps.astype(int)) == {1, 2, 3, 4}


def test_both_dummies_with_an_extractor_in_one_workbench(sample):
    with wb.Workbench() as bench:
        bench.load(sample("dummy_c"), config={"jitter": 0})
        bench.load(sample("dummy_go"), config={"jitter": 0})
        bench.load(sample("json_extract"))
        assert bench.sources == ["dummy_c", "dummy"]
        captured = bench.capture_all(
            dict.fromkeys(bench.sources, '{"start": 0, "maxEvents": 50}')
        )
        for events in captured.values():
            assert list(events.frame["dummy.value"]) == list(range(1, 51))
            assert list(events.frame["jsonx.obj"]) == [str(n) for n in range(1, 51)]
            assert list(events.frame["evt.num"]) == list(range(1, 51))


def test_two_go_plugins_in_one_workbench(sample):
    stored = SAMPLES / "docker" / "data" / "events.jsonl"
    with wb.Workbench() as bench:
        bench.load(sample("dummy_go"), config={"jitter": 0})
        bench.load(sample("docker"))
        bench.load(sample("json_extract"))
        dummies = bench.capture('{"start": 0, "maxEvents": 300}', source="dummy")
        assert list(dummies.frame["dummy.value"]) == list(range(1, 301))
        asked = ["docker.type", "jsonx.value[/Type]", "jsonx.value[/Actor/ID]"]
        docker = bench.capture(str(stored), source="docker", fields=asked)
        lines = [json.loads(line) for line in stored.read_text().splitlines()]
        assert len(docker) == len(lines)
        types = [line["Type"] for line in lines]
        assert list(docker.frame["docker.type"]) == types
        assert list(docker.frame["jsonx.value[/Type]"]) == types
        assert list(docker.frame["jsonx.value[/Actor/ID]"]) == [
            line["Actor"]["ID"] for line in lines
        ]


# ---- json_extract -------------------------------------------------------------------


def test_json_extract_with_and_without_a_list_of_sources(sample):
    listed = wb.inspect(sample("json_extract"))
    assert listed.extract_event_sources == [
        "docker",
        "dummy",
        "dummy_c",
        "github",
        "k8s_audit",
        "okta",
    ]
    everywhere = wb.inspect(sample("json_extract", "libjson_extract_all.so"))
    assert everywhere.extract_event_sources == []
    assert everywhere.capabilities == ["extraction"]
    with wb.Workbench() as bench:
        bench.load(sample("weblog"))
        bench.load(sample("json_extract"))
        with pytest.raises(wb.PluginLoadError, match="not compatible with any"):
            bench.capture(max_events=1)
    with wb.Workbench() as bench:
        bench.load(sample("weblog"))
        bench.load(sample("json_extract", "libjson_extract_all.so"))
        # Lines of a log are no JSON: no value, and no harm.
        events = bench.capture(max_events=500, fields=["jsonx.obj", "jsonx.value[/a]"])
        assert events.table.column("jsonx.obj").null_count == 500
        assert events.table.column("jsonx.value[/a]").null_count == 500


# ---- all of them --------------------------------------------------------------------


def stream(library: Path, *options: str) -> list[dict]:
    command = [sys.executable, "-m", "workbench", "stream", str(library), *options]
    command += ["--max-events", "5", "--format", "jsonl"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_the_command_line_streams_an_extractor_beside_a_source(sample):
    beside = str(sample("json_extract"))
    rows = stream(sample("dummy_c"), "--config", '{"jitter":0}', "--with", beside)
    assert [row["jsonx.obj"] for row in rows] == ["2", "3", "4", "5", "6"]


STREAMED = [
    ("weblog", None, "", "weblog.status"),
    ("legacy", "liblegacy_draft.so", "5", "legacy.value"),
    ("legacy", "liblegacy_3_0.so", "5", "legacy.value"),
    ("faulty", None, "events=5", "faulty.number"),
    ("dummy_c", None, '{"start": 1, "maxEvents": 5}', "dummy.value"),
    ("dummy_go", None, '{"start": 1, "maxEvents": 5}', "dummy.value"),
]


@pytest.mark.parametrize(("name", "library", "params", "field"), STREAMED)
def test_the_command_line_streams_it(sample, name, library, params, field):
    rows = stream(sample(name, library), "--open", params, "--fields", field)
    assert [row["evt.num"] for row in rows] == [1, 2, 3, 4, 5]
    assert all(isinstance(row[field], int) for row in rows)


RULES = [
    ("weblog", None, "", "weblog_rules.yaml", 7),
    ("legacy", "liblegacy_3_0.so", "100", "legacy_rules.yaml", 1),
    ("faulty", None, "", "faulty_rules.yaml", 1),
    ("dummy_c", None, "", "dummy_c_rules.yaml", 1),
    ("dummy_go", None, "", "dummy_rules.yaml", 1),
]


@pytest.mark.parametrize(("name", "library", "params", "rules", "count"), RULES)
def test_its_rules_load_and_every_one_finds_something(
    sample, name, library, params, rules, count
):
    with wb.load(sample(name, library)) as plugin:
        rule_set = wb.load_rules(SAMPLES / name / rules)
        assert [str(d) for d in rule_set.check(plugin)] == []
        alerts = rule_set.run(plugin.capture(params), all_matches=True)
        found = Counter(alerts.frame["rule"])
        if name.startswith("dummy"):
            return  # random numbers need not be divisible by three
        assert len(found) == count, found


@pytest.mark.parametrize(
    "name", ["weblog", "legacy", "faulty", "dummy_c", "dummy_go", "json_extract"]
)
def test_its_section_of_falco_yaml_loads_it(sample, tmp_path, name):
    if name == "weblog":
        shutil.copytree(SAMPLES / name / "data", tmp_path / "data")
    generation = "liblegacy_3_0.so" if name == "legacy" else None
    shutil.copy(sample(name, generation), tmp_path)
    if name == "json_extract":
        shutil.copy(sample("dummy_c"), tmp_path)
    config = SAMPLES / name / "falco.yaml"
    with wb.Workbench.from_falco_yaml(config, plugin_dir=tmp_path) as bench:
        assert len(bench.capture()) >= 20
