from __future__ import annotations

import json
import os

import pytest

from workbench.__main__ import main

KEYS = [
    "name",
    "version",
    "description",
    "contact",
    "id",
    "event_source",
    "required_api_version",
    "capabilities",
    "extract_event_sources",
    "fields",
    "init_schema",
    "open_params",
    "complaints",
]


def as_json(capsys, *words):
    assert main(["inspect", *map(str, words), "--json"]) == 0
    out, err = capsys.readouterr()
    return json.loads(out), err


def test_json_has_every_key(weblog, capsys):
    data, err = as_json(capsys, weblog)
    assert list(data) == KEYS
    assert err == ""
    assert data["name"] == "weblog"
    assert data["capabilities"] == ["sourcing", "extraction"]
    assert data["complaints"] == []
    assert isinstance(data["open_params"], list)
    by_name = {f["name"]: f for f in data["fields"]}
    assert list(by_name["weblog.query"]) == [
        "name",
        "type",
        "is_list",
        "arg",
        "desc",
        "display",
    ]
    assert by_name["weblog.query"]["arg"] == {
        "required": False,
        "index": False,
        "key": True,
    }
    assert by_name["weblog.path"]["arg"] is None
    assert by_name["weblog.params"]["is_list"] is True
    assert data["init_schema"]["type"] == "object"


def test_the_page_for_people_explains_what_to_do(weblog, capsys):
    assert main(["inspect", str(weblog)]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    for text in (
        "weblog 1.",
        "event source",
        "Capabilities",
        "gives the values of fields for events",
        "weblog.segment[…]",
        "required index",
        "Init config",
        "error_status",
        "Next",
        "workbench stream",
    ):
        assert text in out


@pytest.mark.parametrize("generation", ["draft", "0_1", "0_3", "1_0", "2_0", "3_0"])
def test_old_plugins_are_inspected_too(sample, generation, capsys):
    data, _ = as_json(capsys, sample("legacy", f"liblegacy_{generation}.so"))
    assert data["name"].startswith("legacy")
    assert data["required_api_version"]
    assert "sourcing" in data["capabilities"]


def test_a_failing_init_leaves_the_rest(weblog, capsys):
    data, err = as_json(capsys, weblog, "--config", '{"error_status": "x"}')
    assert data["name"] == "weblog"
    assert data["open_params"] is None
    assert "not initialised" in err
    assert main(["inspect", str(weblog), "--config", "{"]) == 0
    assert "Not initialised" in capsys.readouterr().out


def test_complaints_are_listed(faulty, monkeypatch, capsys):
    monkeypatch.setenv("FAULTY", "badjson=6@get_fields")
    data, _ = as_json(capsys, faulty)
    assert data["complaints"]
    assert main(["inspect", str(faulty)]) == 0
    out = capsys.readouterr().out
    assert "Complaints" in out
    assert data["complaints"][0] in out


def test_what_a_plugin_says_cannot_steer_the_terminal(faulty, monkeypatch, capsys):
    monkeypatch.setenv("FAULTY", "bytes@get_description")
    assert main(["inspect", str(faulty)]) == 0
    assert "\x1b" not in capsys.readouterr().out


@pytest.mark.parametrize("call", ["get_name", "get_contact", "get_event_source"])
def test_json_is_utf8_whatever_a_plugin_says(faulty, cli, call):
    environment = {**os.environ, "FAULTY": f"bytes@{call}", "LC_ALL": "C"}
    done = cli("inspect", faulty, "--json", env=environment, text=False)
    assert done.returncode == 0
    assert "\ufffd" in done.stdout.decode("utf-8")
    assert json.loads(done.stdout)


@pytest.mark.crash
def test_a_crash_is_an_expected_failure(faulty, monkeypatch, capsys):
    monkeypatch.setenv("FAULTY", "segfault@get_fields")
    assert main(["inspect", str(faulty)]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert "SIGSEGV" in err
    assert "plugin_get_fields" in err


def test_a_file_that_is_no_plugin(tmp_path, capsys):
    path = tmp_path / "x.so"
    path.write_text("hello")
    assert main(["inspect", str(path)]) == 1
    assert "not a shared library" in capsys.readouterr().err


def test_a_config_behind_references_is_listed():
    from workbench.cli.inspect import render_manifest
    from workbench.manifest import Manifest

    schema = {
        "$ref": "#/definitions/PluginConfig",
        "definitions": {
            "PluginConfig": {
                "type": "object",
                "properties": {"port": {"$ref": "#/definitions/Port"}},
            },
            "Port": {"type": "integer", "default": 80, "description": "to listen on"},
        },
    }
    page = render_manifest(Manifest("x.so", name="x", init_schema=schema))
    assert "port  integer, default 80  to listen on" in page
