from __future__ import annotations

import fcntl
import json
import os
import pty
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest
from artifact_registry import OTHER, OURS, RULES, targz

import workbench as wb


def test_a_plugin_is_fetched_and_loads_by_its_name(published, home, weblog, installed):
    path = wb.get(published, insecure=True)
    assert path == home / "plugins" / "libweblog.so"
    assert path.read_bytes() == weblog.read_bytes()
    assert installed() == ["installed/weblog.json", "plugins/libweblog.so"]
    with wb.load("weblog") as plugin:
        assert plugin.path == str(path)
        log = weblog.parent / "data" / "access.log"
        assert len(plugin.capture(log, max_events=5)) == 5


def test_a_name_is_looked_up_in_the_index(published, write_index, home):
    host, _, place = published.partition("/")
    index = write_index({"weblog": ("plugin", host, place)})
    assert (
        wb.get("weblog", index=index, insecure=True)
        == home / "plugins" / "libweblog.so"
    )
    assert wb.get("weblog:latest", index="file://" + index, insecure=True).exists()


@pytest.mark.usefixtures("published")
def test_a_registry_with_a_folder_needs_no_index(repository, registry):
    there = f"{registry.host}/{repository}"
    assert wb.get("weblog", registry=there, insecure=True).name == "libweblog.so"


def test_a_registry_with_an_index_is_a_mirror_of_the_indexs(
    published, registry, write_index
):
    place = published.partition("/")[2]
    index = write_index({"weblog": ("plugin", "registry.invalid", place)})
    path = wb.get("weblog", registry=registry.host, index=index, insecure=True)
    assert path.name == "libweblog.so"
    # and below a folder of the mirror
    folder, _, rest = place.partition("/")
    index = write_index({"weblog": ("plugin", "registry.invalid", rest)})
    there = f"{registry.host}/{folder}"
    assert wb.get("weblog", registry=there, index=index, insecure=True) == path


def test_the_build_for_this_machine_is_chosen(registry, repository, archive):
    other = targz({"libweblog.so": b"\x7fELF not for here"})
    registry.push_plugin(f"{repository}/weblog", {OTHER: other, OURS: archive})
    path = wb.get(f"{registry.host}/{repository}/weblog", insecure=True)
    assert wb.inspect(path).name == "weblog"


def test_a_single_manifest_without_platforms_will_do(registry, repository, archive):
    registry.push_manifest(f"{repository}/weblog", archive, tag="latest")
    assert wb.get(f"{registry.host}/{repository}/weblog", insecure=True).exists()


def test_versions_are_tags_or_digests(registry, repository, archive, home):
    place = f"{registry.host}/{repository}/weblog"
    pushed = {}
    for version in ("0.1.0", "0.2.0"):
        pushed[version] = registry.push_plugin(
            f"{repository}/weblog",
            {OURS: archive},
            tag=version,
            config={"name": "weblog", "version": version},
        )

    def version_there():
        return json.loads((home / "installed" / "weblog.json").read_text())["version"]

    wb.get(f"{place}:0.1.0", insecure=True)
    assert version_there() == "0.1.0"
    wb.get(place, version="0.2.0", insecure=True)
    assert version_there() == "0.2.0"
    wb.get(place, version=pushed["0.1.0"]["digest"], insecure=True)
    assert version_there() == "0.1.0"
    wb.get(f"{place}@{pushed['0.2.0']['digest']}", insecure=True)
    assert version_there() == "0.2.0"
    with pytest.raises(wb.ArtifactError) as caught:
        wb.get(place, version="0.3.0", insecure=True)
    assert f"{registry.host} has no version 0.3.0 of it" in str(caught.value)
    assert "newest are 0.2.0, 0.1.0" in str(caught.value)
    assert version_there() == "0.2.0"


def test_what_is_there_unchanged_is_not_fetched_again(front, published):
    place = published.replace(published.partition("/")[0], front.host)
    path = wb.get(place, insecure=True)
    blobs = len(front.paths("/blobs/"))
    before = path.stat()
    assert wb.get(place, insecure=True) == path
    assert path.stat().st_ino == before.st_ino
    # only the config was asked for again
    assert len(front.paths("/blobs/")) == blobs + 1
    path.write_bytes(b"damaged")
    assert wb.get(place, insecure=True).read_bytes() != b"damaged"


def test_a_new_version_takes_the_place_of_the_old_one(registry, repository, installed):
    place = f"{repository}/rules"
    two = {"a.yaml": RULES, "more/b.yml": RULES, "README.md": b"read me"}
    registry.push_rules(place, targz(two), "1.0.0")
    registry.push_rules(place, targz({"c.yaml": RULES}), "1.1.0")
    folder = wb.get(f"{registry.host}/{place}:1.0.0", insecure=True)
    assert installed() == [
        "installed/rules.json",
        "rules/rules/a.yaml",
        "rules/rules/more/b.yml",
    ]
    assert len(wb.load_rules(folder / "a.yaml").rules) == 1
    path = wb.get(f"{registry.host}/{place}:1.1.0", insecure=True)
    assert installed() == ["installed/rules.json", "rules/rules/c.yaml"]
    assert wb.load_rules(path).rules[0].name == "Server error"


@pytest.fixture
def family(registry, repository, archive, write_index):
    """Rules that need a plugin: give name → reference, and their index."""
    config = {"name": "weblog", "version": "0.3.0"}
    registry.push_plugin(f"{repository}/weblog", {OURS: archive}, "0.3.0", config)
    needs = {
        "name": "weblog",
        "version": "0.3.0",
        "alternatives": [{"name": "weblog-next", "version": "1.0.0"}],
    }
    config = {"name": "web-rules", "version": "0.1.0", "dependencies": [needs]}
    files = targz({"web_rules.yaml": RULES})
    registry.push_rules(f"{repository}/web-rules", files, config=config)
    return write_index(
        {
            "weblog": ("plugin", registry.host, f"{repository}/weblog"),
            "web-rules": ("rulesfile", registry.host, f"{repository}/web-rules"),
            "weblog-next": ("plugin", registry.host, f"{repository}/weblog-next"),
        }
    )


def test_rules_bring_the_plugins_that_they_need(family, installed):
    path = wb.get("web-rules", index=family, insecure=True)
    assert path.name == "web_rules.yaml"
    assert installed() == [
        "installed/web-rules.json",
        "installed/weblog.json",
        "plugins/libweblog.so",
        "rules/web-rules/web_rules.yaml",
    ]
    with wb.load("weblog") as plugin:
        assert not wb.load_rules(path).check(plugin).errors


def test_a_plugin_that_is_there_and_new_enough_stays(
    family, registry, repository, archive, home
):
    config = {"name": "weblog", "version": "0.4.0"}
    registry.push_plugin(f"{repository}/weblog", {OURS: archive}, "0.4.0", config)
    wb.get("weblog", version="0.4.0", index=family, insecure=True)
    wb.get("web-rules", index=family, insecure=True)
    record = json.loads((home / "installed" / "weblog.json").read_text())
    assert record["version"] == "0.4.0"


def test_a_plugin_that_is_too_old_is_replaced(
    family, registry, repository, archive, home
):
    config = {"name": "weblog", "version": "0.2.0"}
    registry.push_plugin(f"{repository}/weblog", {OURS: archive}, "0.2.0", config)
    wb.get("weblog", version="0.2.0", index=family, insecure=True)
    wb.get("web-rules", index=family, insecure=True)
    record = json.loads((home / "installed" / "weblog.json").read_text())
    assert record["version"] == "0.3.0"


def test_an_alternative_that_is_there_will_do(
    family, registry, repository, installed, weblog
):
    config = {"name": "weblog-next", "version": "1.2.0"}
    files = targz({"libnext.so": weblog.read_bytes()})
    registry.push_plugin(f"{repository}/weblog-next", {OURS: files}, config=config)
    wb.get("weblog-next", index=family, insecure=True)
    wb.get("web-rules", index=family, insecure=True)
    assert "plugins/libweblog.so" not in installed()
    # found by the name of the artifact, too
    assert wb.inspect("weblog-next").path.endswith("/libnext.so")


def test_a_plugin_on_the_search_path_is_asked_for_its_version(
    family, tmp_path, monkeypatch, weblog, installed
):
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "libweblog.so").write_bytes(weblog.read_bytes())
    monkeypatch.setenv("WORKBENCH_PLUGIN_PATH", str(folder))
    # it says 1.0.0, which does not serve who needs 0.3.0
    assert wb.inspect("weblog").version == "1.0.0"
    wb.get("web-rules", index=family, insecure=True)
    assert "plugins/libweblog.so" in installed()


def test_a_dependency_that_cannot_be_had_leaves_nothing(
    registry, repository, write_index, installed
):
    needs = [{"name": "weblog", "version": "7.0.0"}]
    config = {"name": "web-rules", "dependencies": needs}
    files = targz({"web_rules.yaml": RULES})
    registry.push_rules(f"{repository}/web-rules", files, config=config)
    index = write_index(
        {
            "web-rules": ("rulesfile", registry.host, f"{repository}/web-rules"),
            "weblog": ("plugin", registry.host, f"{repository}/weblog"),
        }
    )
    with pytest.raises(wb.ArtifactError) as caught:
        wb.get("web-rules", index=index, insecure=True)
    assert str(caught.value) == (
        f"cannot get web-rules: it needs weblog:7.0.0 ({registry.host}/{repository}/"
        f"weblog:7.0.0): {registry.host} has no {repository}/weblog:7.0.0; check the "
        "name and the registry"
    )
    assert installed() == []


def test_dependencies_that_go_round_in_circles_end(
    registry, repository, write_index, installed
):
    entries = {}
    for name, other in (("one", "two"), ("two", "one")):
        config = {
            "version": "1.0.0",
            "dependencies": [{"name": other, "version": "1.0.0"}],
        }
        files = targz({f"{name}.yaml": RULES})
        registry.push_rules(f"{repository}/{name}", files, "1.0.0", config)
        entries[name] = ("rulesfile", registry.host, f"{repository}/{name}")
    path = wb.get("one", version="1.0.0", index=write_index(entries), insecure=True)
    assert path.name == "one.yaml"
    assert "rules/two/two.yaml" in installed()


def test_versions_that_do_not_go_together_are_refused(
    registry, repository, write_index, installed
):
    entries = {}
    plan = {
        "top": ("1.0.0", [("left", "1.0.0"), ("right", "1.0.0")]),
        "left": ("1.0.0", [("base", "1.0.0")]),
        "right": ("1.0.0", [("base", "2.0.0")]),
        "base": ("1.0.0", []),
    }
    for name, (version, needs) in plan.items():
        wants = [{"name": n, "version": v} for n, v in needs]
        config = {"version": version, "dependencies": wants}
        files = targz({f"{name}.yaml": RULES})
        registry.push_rules(f"{repository}/{name}", files, version, config)
        entries[name] = ("rulesfile", registry.host, f"{repository}/{name}")
    registry.push_rules(
        f"{repository}/base", targz({"base.yaml": RULES}), "2.0.0", {"version": "2.0.0"}
    )
    with pytest.raises(wb.ArtifactError, match="do not go together") as caught:
        wb.get("top", version="1.0.0", index=write_index(entries), insecure=True)
    assert caught.value.stage == "requirement"
    assert installed() == []


@pytest.mark.parametrize(
    ("kind", "requirement"),
    [
        ("plugin", {"name": "plugin_api_version", "version": "3.99.0"}),
        ("rulesfile", {"name": "engine_version_semver", "version": "0.99.0"}),
        ("plugin", {"name": "plugin_api_version", "version": "4.0.0"}),
    ],
)
def test_what_needs_more_than_there_is_here_is_refused(
    registry, repository, archive, installed, kind, requirement
):
    config = {"version": "1.0.0", "requirements": [requirement]}
    registry.push_manifest(f"{repository}/new", archive, kind, config, tag="latest")
    with pytest.raises(wb.ArtifactError) as caught:
        wb.get(f"{registry.host}/{repository}/new", insecure=True)
    assert caught.value.stage == "requirement"
    assert f"it needs version {requirement['version']}" in str(caught.value)
    assert installed() == []


def test_the_versions_provided_are_those_of_host_and_engine():
    from workbench.artifacts.versions import PROVIDED
    from workbench.host.loader import FRAMEWORK_API
    from workbench.rules.model.model import ENGINE_VERSION

    assert {
        "plugin_api_version": ".".join(map(str, FRAMEWORK_API)),
        "engine_version_semver": ".".join(map(str, ENGINE_VERSION)),
        "engine_version": ".".join(map(str, ENGINE_VERSION)),
    } == PROVIDED


def test_the_command_prints_the_path_on_stdout_and_the_rest_on_stderr(
    cli, family, home
):
    done = cli("get", "web-rules", "--index", family, "--insecure")
    path = home / "rules" / "web-rules" / "web_rules.yaml"
    assert (done.returncode, done.stdout) == (0, f"{path}\n")
    first, second = done.stderr.splitlines()
    assert first.startswith("workbench: weblog 0.3.0 installed, from 127.0.0.1:")
    assert second.startswith("workbench: web-rules 0.1.0 installed, from 127.0.0.1:")
    again = cli("get", "web-rules", "--index", family, "--insecure")
    assert again.stdout == done.stdout
    assert "is there already" in again.stderr


def test_the_command_says_expected_failures_in_one_line(cli, registry, installed):
    done = cli("get", "weblog:1", "--registry", f"{registry.host}/none", "--insecure")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("workbench: cannot get weblog:1 (127.0.0.1:")
    assert len(done.stderr.splitlines()) == 1
    assert cli("get").returncode == 2
    assert installed() == []


def test_a_bar_shows_on_a_terminal_only(front, published):
    place = published.replace(published.partition("/")[0], front.host)
    front.pause = 0.15
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
    command = [sys.executable, "-m", "workbench", "get", place, "--insecure"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=theirs)
    os.close(theirs)
    said = b""
    while True:
        try:
            said += os.read(ours, 4096)
        except OSError:
            break
    os.close(ours)
    assert process.wait(60) == 0
    process.stdout.close()
    assert b"weblog:  " in said
    assert b"B/s]" in said
    # the bar is gone at the end
    assert said.rstrip().splitlines()[-1].endswith("…)".encode())


def test_the_index_is_kept_and_used_when_it_cannot_be_fetched(
    front, published, write_index, monkeypatch
):
    host, _, place = published.partition("/")
    body = Path(write_index({"weblog": ("plugin", host, place)})).read_bytes()
    front.answers["/index.yaml"] = (200, {}, body)
    url = f"http://{front.host}/index.yaml"
    assert wb.get("weblog", index=url, insecure=True).exists()
    assert len(front.paths("/index.yaml")) == 1
    wb.get("weblog", index=url, insecure=True)
    assert len(front.paths("/index.yaml")) == 1
    # a name that the copy lacks is looked up in a fresh one
    with pytest.raises(wb.ArtifactError, match="has no 'weblgo'; did you mean weblog"):
        wb.get("weblgo", index=url, insecure=True)
    assert len(front.paths("/index.yaml")) == 2
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + 7200)
    wb.get("weblog", index=url, insecure=True)
    assert len(front.paths("/index.yaml")) == 3
    front.answers["/index.yaml"] = (503, {}, b"")
    monkeypatch.setattr(time, "time", lambda: real() + 14400)
    with pytest.warns(
        UserWarning, match=r"answers 503 .*using the copy of the index from"
    ):
        assert wb.get("weblog", index=url, insecure=True).exists()
