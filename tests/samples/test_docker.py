from __future__ import annotations

import importlib.util
import os
import sys
import time
from pathlib import Path

import pytest

import workbench as wb
from workbench.paths import sample_plugins_dir

FOLDER = sample_plugins_dir() / "docker"
RECORDED = str(FOLDER / "data" / "events.jsonl")

pytestmark = pytest.mark.go


@pytest.fixture(scope="module")
def library(sample):
    return sample("docker")


@pytest.fixture(scope="module")
def engine_module():
    spec = importlib.util.spec_from_file_location("docker_engine", FOLDER / "engine.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["docker_engine"] = module
    spec.loader.exec_module(module)
    return module


def test_a_recorded_stream_has_the_fields_of_the_post(library):
    with wb.load(library) as plugin:
        assert (plugin.info.id, plugin.info.event_source) == (5, "docker")
        frame = plugin.capture(RECORDED).frame
    with Path(RECORDED).open() as lines:
        assert len(frame) == sum(1 for _ in lines)
    died = frame[(frame["docker.action"] == "die")]
    assert set(died["docker.attributes.exitcode"]) == {"0", "3", "137"}
    connected = frame[frame["docker.action"] == "connect"]
    assert connected["docker.attributes.container"].notna().all()
    assert frame["evt.time"].is_monotonic_increasing
    assert frame["evt.time"].dt.year.min() >= 2026


def test_names_that_newer_engines_dropped_are_filled(library, tmp_path):
    new_style = tmp_path / "new.jsonl"
    new_style.write_text(
        '{"Type":"container","Action":"start","Actor":{"ID":"abc","Attributes":'
        '{"image":"toolbox:1","name":"web"}},"scope":"local","timeNano":7000000000}\n'
    )
    with wb.load(library) as plugin:
        row = plugin.capture(str(new_style)).frame.iloc[0]
    assert row["docker.status"] == "start"
    assert row["docker.id"] == "abc"
    assert row["docker.from"] == "toolbox:1"
    assert row["evt.time"].value == 7_000_000_000


def test_damaged_events_have_no_values_and_do_no_harm(library, tmp_path):
    bad = tmp_path / "bad.jsonl"
    bad.write_bytes(b'not json\n{"Actor": 5}\n{"Type":"image"}\n\xff\xfe\n[]\n')
    with wb.load(library) as plugin:
        frame = plugin.capture(str(bad)).frame
    assert frame["docker.type"].tolist()[2] == "image"
    assert frame["docker.type"].isna().tolist() == [True, True, False, True, True]


def test_without_an_engine_open_fails_and_says_so(library, tmp_path):
    with wb.load(library) as plugin:
        with pytest.raises(wb.PluginOpenError, match="no docker engine answers"):
            plugin.open(f"unix://{tmp_path}/none.sock")
        with pytest.raises(wb.PluginOpenError, match="no such file"):
            plugin.open(str(tmp_path / "none.jsonl"))


@pytest.mark.docker
@pytest.mark.slow
def test_a_real_engine_is_followed_live(library, engine_module, require):
    require("docker")
    missing = engine_module.missing()
    if missing or os.geteuid() != 0:
        pytest.skip(f"a Docker engine needs root and {', '.join(missing) or '-'}")
    with (
        engine_module.running_engine() as docker,
        wb.load(library, config={"flush_interval": 0}) as plugin,
        plugin.open(docker.address) as capture,
    ):
        docker.busy_minute()
        actions = []
        deadline = time.monotonic() + 60
        for frame in capture:
            actions += frame["docker.action"].tolist()
            if {"kill", "destroy"} <= set(actions):
                break
            assert time.monotonic() < deadline, actions
        capture.stop()
    assert {"create", "start", "die", "pause", "kill"} <= set(actions)
    assert any(a.startswith("exec_create: /bin/sh") for a in actions)


def test_the_rules_alert_as_the_post_shows(library):
    rules = wb.load_rules(FOLDER / "docker_rules.yaml")
    with wb.load(library) as plugin:
        events = plugin.capture(RECORDED)
        alerts = rules.run(events, all_matches=True)
    frame = alerts.frame
    changed = frame[frame["rule"] == "Container status changed"]
    first = changed.iloc[0]
    assert first["output"].endswith(
        ": Debug status=create from=toolbox:1 type=container action=create name=web"
    )
    assert alerts.counts["Shell started in a running container"] == 1
    assert alerts.counts["Container died with an error"] == 2
