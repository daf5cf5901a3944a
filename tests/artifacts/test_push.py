"""What is pushed is what ``workbench get`` and falcoctl's layout make of it."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from pathlib import Path

import pytest
import requests
from artifact_registry import INDEX, MANIFEST, OURS, PASSWORD, RULES, USER

import workbench as wb

ROOT = Path(__file__).resolve().parents[2]
HEAD = b"""- required_engine_version: 0.31.0
- required_plugin_versions:
    - name: weblog
      version: 0.1.0
      alternatives:
        - name: otherlog
          version: 1.0.0
"""


@pytest.fixture
def push():
    def run(*words):
        return subprocess.run(
            [sys.executable, "-m", "workbench", "push", *map(str, words), "--insecure"],
            capture_output=True,
            text=True,
            cwd=ROOT,
            timeout=120,
        )

    return run


def fetched(registry, path, accept="*/*"):
    with requests.Session() as session:
        session.trust_env = False
        return session.get(
            f"http://{registry.host}/v2/{path}", headers={"Accept": accept}, timeout=30
        )


def test_rules_come_back_as_they_were(push, registry, repository, tmp_path, home):
    place = f"{registry.host}/{repository}/web-rules"
    one, two = tmp_path / "web_rules.yaml", tmp_path / "more_rules.yaml"
    one.write_bytes(RULES)
    two.write_bytes(b"- macro: m\n  condition: (weblog.status = 1)\n")
    done = push(f"{place}:1.2.3", one, two, "--tag", "latest")
    assert done.returncode == 0, done.stderr
    folder = wb.get(place, insecure=True)
    assert (folder / "web_rules.yaml").read_bytes() == RULES
    assert (folder / "more_rules.yaml").read_bytes() == two.read_bytes()
    record = json.loads((home / "installed" / "web-rules.json").read_text())
    assert record["version"] == "1.2.3"
    assert wb.get(place, version=done.stdout.strip(), insecure=True) == folder


def test_a_plugin_comes_back_and_loads(push, registry, repository, weblog):
    place = f"{registry.host}/{repository}/weblog"
    done = push(place, weblog)
    assert done.returncode == 0, done.stderr
    with wb.load(str(weblog)) as plugin:
        version = plugin.info.version
    path = wb.get(place, version=version, insecure=True)
    assert path.read_bytes() == weblog.read_bytes()
    with wb.load("weblog") as again:
        assert again.info.version == version


def test_rules_bring_the_plugin_that_they_need(
    push, registry, repository, weblog, tmp_path
):
    there = f"{registry.host}/{repository}"
    rules = tmp_path / "web.yaml"
    rules.write_bytes(HEAD + RULES)
    with wb.load(str(weblog)) as plugin:
        version = plugin.info.version
    assert push(f"{there}/weblog", weblog, "--tag", "0.1.0").returncode == 0
    assert push(f"{there}/web:1.0.0", rules).returncode == 0
    wb.get("web", version="1.0.0", registry=there, insecure=True)
    with wb.load("weblog") as again:
        assert again.info.version == version


def test_the_layout_is_falcoctls(push, registry, repository, weblog, tmp_path):
    rules = tmp_path / "web.yaml"
    rules.write_bytes(HEAD + RULES)
    assert push(f"{registry.host}/{repository}/web:1.0.0", rules).returncode == 0
    document = fetched(registry, f"{repository}/web/manifests/1.0.0", MANIFEST).json()
    assert document["mediaType"] == MANIFEST
    kind = "application/vnd.cncf.falco.rulesfile"
    assert document["config"]["mediaType"] == f"{kind}.config.v1+json"
    (layer,) = document["layers"]
    assert layer["mediaType"] == f"{kind}.layer.v1+tar.gz"
    assert layer["annotations"] == {"org.opencontainers.image.title": "web.tar.gz"}
    config = fetched(registry, f"{repository}/web/blobs/{document['config']['digest']}")
    assert config.json() == {
        "name": "web",
        "version": "1.0.0",
        "dependencies": [
            {
                "name": "weblog",
                "version": "0.1.0",
                "alternatives": [{"name": "otherlog", "version": "1.0.0"}],
            }
        ],
        "requirements": [{"name": "engine_version_semver", "version": "0.31.0"}],
    }
    assert push(f"{registry.host}/{repository}/weblog:1", weblog).returncode == 0
    index = fetched(registry, f"{repository}/weblog/manifests/1", INDEX).json()
    (entry,) = index["manifests"]
    assert (
        "/".join([entry["platform"]["os"], entry["platform"]["architecture"]]) == OURS
    )


def test_the_same_files_are_the_same_artifact(push, registry, repository, tmp_path):
    rules = tmp_path / "web.yaml"
    rules.write_bytes(RULES)
    first = push(f"{registry.host}/{repository}/web:1.0.0", rules).stdout
    assert first == push(f"{registry.host}/{repository}/web:1.0.0", rules).stdout
    assert first.startswith("sha256:")


def test_a_registry_that_asks_for_a_login_gets_it(
    push, guarded, repository, tmp_path, docker_login
):
    rules = tmp_path / "web.yaml"
    rules.write_bytes(RULES)
    place = f"{guarded.host}/{repository}/web:1.0.0"
    refused = push(place, rules)
    assert refused.returncode == 1
    assert "refuses access" in refused.stderr
    packed = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    docker_login(auths={guarded.host: {"auth": packed}})
    done = push(place, rules)
    assert done.returncode == 0, done.stderr
    assert wb.get(place, insecure=True).read_bytes() == RULES
    assert PASSWORD not in done.stderr + refused.stderr


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (
            "bad.yaml",
            b"- rule: x\n",
            "Falco would refuse these rules; nothing was pushed",
        ),
        ("bad.txt", b"words", "bad.txt is neither a plugin (.so) nor a rules file"),
        ("bad.so", b"words", "bad.so is not a 64-bit Linux library"),
    ],
)
def test_what_is_no_artifact_is_refused(
    push, registry, repository, tmp_path, name, content, message
):
    path = tmp_path / name
    path.write_bytes(content)
    done = push(f"{registry.host}/{repository}/x:1", path)
    assert (done.returncode, done.stdout) == (1, "")
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert fetched(registry, f"{repository}/x/tags/list").status_code == 404


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("web", "'web' names no registry"),
        ("localhost:1/web:1", "localhost:1 cannot be reached"),
        ("localhost:1/web:bad tag", "is not a version"),
        ("localhost:1/web@sha256:" + "0" * 64, "a digest cannot be chosen"),
    ],
)
def test_a_place_that_is_none_is_refused(push, tmp_path, name, message):
    path = tmp_path / "web.yaml"
    path.write_bytes(RULES)
    done = push(name, path)
    assert (done.returncode, done.stdout) == (1, "")
    assert f"cannot push {name}" in done.stderr
    assert message in done.stderr


def test_a_plugin_and_rules_are_two_artifacts(
    push, registry, repository, weblog, tmp_path
):
    path = tmp_path / "web.yaml"
    path.write_bytes(RULES)
    done = push(f"{registry.host}/{repository}/x:1", weblog, path)
    assert done.returncode == 1
    assert "two artifacts" in done.stderr
