"""``workbench plugins``: what lies where, and taking it away again."""

from __future__ import annotations

import json
import shutil
import subprocess

import pytest
from artifact_registry import OURS, RULES, targz

import workbench as wb


@pytest.fixture
def several(published, tmp_path, monkeypatch, weblog, registry, repository):
    """Fetch weblog and rules; put a second weblog, junk and a crasher beside."""
    wb.get(published, insecure=True)
    config = {"dependencies": [{"name": "weblog", "version": "0.1.0"}]}
    registry.push_rules(
        f"{repository}/web-rules", targz({"a.yaml": RULES}), config=config
    )
    wb.get(f"{registry.host}/{repository}/web-rules", insecure=True)
    mine = tmp_path / "mine"
    mine.mkdir()
    monkeypatch.setenv("WORKBENCH_PLUGIN_PATH", str(mine))
    shutil.copy(weblog, mine / "weblog.so")
    shutil.copy(weblog, mine / "libother.so")
    (mine / "libjunk.so").write_text("\x1b[31mno library")
    (mine / "notes.txt").write_text("no library either")
    (mine / ".hidden.so").write_text("")
    (mine / "folder.so").mkdir()
    return mine


def test_the_list_says_what_is_where(cli, several, home):
    done = cli("plugins")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0].split() == ["PLUGIN", "VERSION", "SOURCE", "FIELDS", "WHERE"]
    assert lines[1].split() == ["junk", "?", "-", "0", str(several / "libjunk.so")]
    assert lines[2] == "    is not a shared library"
    assert lines[3].split()[:4] == ["other", "1.0.0", "weblog", "19"]
    assert lines[4] == "    calls itself weblog"
    assert lines[5].split()[-1] == str(several / "weblog.so")
    assert lines[6].split()[-1] == str(home / "plugins" / "libweblog.so")
    assert lines[7] == f"    hidden by {several / 'weblog.so'}"
    assert lines[8] == ""
    assert lines[9].split() == ["RULES", "FILES", "VERSION", "WHERE"]
    rules = str(home / "rules" / "web-rules" / "a.yaml")
    assert lines[10].split() == ["web-rules", "latest", rules]
    assert len(lines) == 11


def test_the_list_as_json(cli, several, home, published):
    data = json.loads(cli("plugins", "--json").stdout)
    assert data["folders"][:2] == [str(several), str(home / "plugins")]
    junk, _, _, own = data["plugins"]
    assert junk["complaints"] == ["is not a shared library"]
    assert junk["installed"] is None
    assert own["hidden_by"] == str(several / "weblog.so")
    assert (own["name"], own["version"], own["event_source"]) == (
        "weblog",
        "1.0.0",
        "weblog",
    )
    assert own["fields"] == 19
    assert own["installed"]["version"] == "0.1.0"
    assert own["installed"]["reference"] == published
    assert own["installed"]["digest"].startswith("sha256:")
    assert own["installed"]["unchanged"]
    assert own["installed"]["files"] == [own["path"]]
    (rules,) = data["rules"]
    assert (rules["name"], rules["needs"]) == ("web-rules", ["weblog"])


def test_a_plugin_that_dies_when_asked_is_listed(cli, tmp_path, monkeypatch):
    folder = tmp_path / "mine"
    folder.mkdir()
    monkeypatch.setenv("WORKBENCH_PLUGIN_PATH", str(folder))
    source = tmp_path / "crash.c"
    source.write_text(
        "__attribute__((constructor)) static void f(void) { *(int *)0 = 1; }"
    )
    subprocess.run(
        ["cc", "-shared", "-fPIC", "-o", str(folder / "libcrash.so"), str(source)],
        check=True,
    )
    done = cli("plugins")
    assert done.returncode == 0
    assert "crash   ?        -       0" in done.stdout
    assert "SIGSEGV" in done.stdout


def test_nothing_found_says_so(cli, home):
    done = cli("plugins")
    assert (done.returncode, done.stdout) == (0, "")
    assert f"no plugin in {home / 'plugins'}, /usr/share" in done.stderr
    assert "workbench get NAME" in done.stderr
    data = json.loads(cli("plugins", "--json").stdout)
    assert (data["plugins"], data["rules"]) == ([], [])


def test_a_changed_file_is_a_complaint(cli, published, weblog):
    path = wb.get(published, insecure=True)
    path.write_bytes(weblog.read_bytes() + b"x")
    assert "was changed since workbench get installed it" in cli("plugins").stdout


def test_removing_takes_files_and_record_away(cli, several, home, installed):
    done = cli("plugins", "--remove", "weblog")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == (
        "workbench: web-rules needs it\nworkbench: weblog 0.1.0 removed\n"
    )
    assert installed() == ["installed/web-rules.json", "rules/web-rules/a.yaml"]
    assert cli("plugins", "--remove", "web-rules").returncode == 0
    assert installed() == []
    assert not (home / "rules" / "web-rules").exists()
    # what was not installed is not removed
    again = cli("plugins", "--remove", "weblog")
    assert again.returncode == 1
    assert f"{several / 'weblog.so'} was not installed by workbench get" in again.stderr
    none = cli("plugins", "--remove", "nothing")
    assert (none.returncode, none.stderr) == (
        1,
        "workbench: nothing is installed as 'nothing'\n",
    )


def test_a_file_that_was_changed_is_not_removed(cli, published, installed):
    path = wb.get(published, insecure=True)
    path.write_bytes(b"mine now")
    done = cli("plugins", "--remove", "weblog")
    assert done.returncode == 0
    assert f"{path} was changed since and stays" in done.stderr
    assert installed() == ["plugins/libweblog.so"]


@pytest.mark.parametrize("name", ["../weblog", "", "a/b", "weblog.json"])
def test_names_that_are_none_remove_nothing(cli, published, installed, name):
    wb.get(published, insecure=True)
    before = installed()
    assert cli("plugins", "--remove", name).returncode == 1
    assert installed() == before


@pytest.mark.parametrize(
    "change",
    [
        {"files": {"../../../victim": "sha256:0"}},
        {"files": {"/victim": "sha256:0"}},
        {"files": {}},
        {"files": []},
        {"name": "../x"},
        {"kind": "asset"},
        {"more": 1},
        {"needs": [1]},
    ],
)
def test_a_record_that_this_never_wrote_does_not_count(published, home, change):
    from workbench.artifacts.records import read_record, read_records

    wb.get(published, insecure=True)
    path = home / "installed" / "weblog.json"
    assert read_record("weblog").version == "0.1.0"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    assert read_record("weblog") is None
    assert read_records() == []


def test_several_libraries_of_one_artifact(
    registry, repository, weblog, installed, home
):
    library = weblog.read_bytes()
    archive = targz({"libweblog.so": library, "libbeside.so": library})
    registry.push_plugin(f"{repository}/weblog", {OURS: archive})
    path = wb.get(f"{registry.host}/{repository}/weblog", insecure=True)
    assert path == home / "plugins" / "libweblog.so"
    assert "plugins/libbeside.so" in installed()
