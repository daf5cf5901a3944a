"""What open params let a plugin read: what the user's words name, and no more."""

from __future__ import annotations

from pathlib import Path

import pytest

import workbench as wb
from workbench.session.named_paths import named_paths

LINE = '192.0.2.7 - - [10/Oct/2025:13:55:36 +0000] "GET /a HTTP/1.1" 200 5 "-" "-"\n'


@pytest.fixture
def logs(tmp_path):
    for name in ("one.log", "two.log"):
        (tmp_path / name).write_text(LINE)
    (tmp_path / "folder").mkdir()
    return tmp_path.resolve()


@pytest.mark.any_kernel
@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("{}/one.log", ["one.log"]),
        (" {}/one.log ", ["one.log"]),
        ("file://{}/one.log", ["one.log"]),
        ("weblog://{}/one.log", ["one.log"]),
        ("{}/one.log,{}/two.log", ["one.log", "two.log"]),
        ("{}/one.log;follow=1 {}/two.log", ["one.log", "two.log"]),
        ("path={}/one.log", ["one.log"]),
        ('{{"paths": ["{}/one.log", {{"x": "{}/folder"}}]}}', ["one.log", "folder"]),
        ("{}/*.log", [""]),
        ("{}/folder", ["folder"]),
        ("{}/folder/../one.log", ["one.log"]),
        ("{}/missing.log", []),
        ("http://{}/one.log", ["one.log"]),
        ("https://localhost/one.log", []),
        ("", []),
        ("/", []),
        ("root=/", []),
        ("/etc", []),
        ("start=1,stop=2", []),
        ("{}/one.log\0", []),
        ("[" * 5000, []),
    ],
)
def test_which_paths_a_text_names(text, named, logs):
    filled = text.replace("{{", "{").replace("}}", "}").replace("{}", str(logs))
    assert named_paths(filled) == [
        str(logs / name) if name else str(logs) for name in named
    ]


@pytest.mark.any_kernel
def test_a_bare_word_is_no_path(logs, monkeypatch):
    monkeypatch.chdir(logs)
    assert named_paths("mode=folder") == []
    assert named_paths("folder") == [str(logs / "folder")]
    assert named_paths("one.log,two.log") == [
        str(logs / f) for f in ("one.log", "two.log")
    ]


@pytest.mark.any_kernel
def test_the_home_folder_is_not_named_in_passing(logs, monkeypatch):
    monkeypatch.setenv("HOME", str(logs))
    assert named_paths("~/one.log") == [str(logs / "one.log")]
    assert named_paths(str(logs)) == []


def test_a_named_file_is_read_and_others_are_not(sample, logs):
    with wb.load(sample("weblog"), sandbox=True) as plugin:
        assert len(plugin.capture(str(logs / "one.log"))) == 1
        assert str(logs / "one.log") in plugin.sandbox.readable
        assert str(logs / "two.log") not in plugin.sandbox.readable
        # Named later: another worker, with the same plugin initialised again.
        first = plugin.pool._sessions[0].session.pid
        assert len(plugin.capture(str(logs / "two.log"))) == 1
        assert plugin.pool._sessions[0].session.pid != first
        # Named already: the same worker.
        second = plugin.pool._sessions[0].session.pid
        assert len(plugin.capture(str(logs / "one.log"))) == 1
        assert plugin.pool._sessions[0].session.pid == second


def test_a_relative_path_is_read(sample, logs, monkeypatch):
    monkeypatch.chdir(logs)
    with wb.load(sample("weblog"), sandbox=True) as plugin:
        assert len(plugin.capture("one.log")) == 1


def test_a_link_is_read_and_what_lies_beside_is_not(sample, logs, attempt):
    link = logs / "link.log"
    link.symlink_to(logs / "one.log")
    with wb.load(sample("weblog"), sandbox=True) as plugin:
        assert len(plugin.capture(str(link))) == 1
    read = [f"read {logs / 'two.log'}", f"read {logs / 'one.log'}"]
    assert attempt(*read, sandbox=True, sandbox_read=[link])[0] == ["EACCES", "ok"]


def test_sandbox_read_gives_folders_and_files(attempt, logs):
    lines = [f"read {logs}/one.log", f"list {logs}/folder", f"append {logs}/one.log"]
    answers, error = attempt(*lines, sandbox=True, sandbox_read=[logs])
    assert answers == ["ok", "ok", "EACCES"]
    assert f"open {logs}/one.log for writing: denied by the sandbox" in error.message
    one = attempt(*lines, sandbox=True, sandbox_read=str(logs / "one.log"))[0]
    assert one == ["ok", "EACCES", "EACCES"]


def test_a_plugin_does_not_choose_what_it_reads(build, logs):
    file = logs / "one.log"
    library = build("intruder", f'-DSUGGESTION="{file}"')
    with wb.load(library, sandbox=True) as plugin:
        assert [param.value for param in plugin.open_params] == [str(file)]
        with pytest.raises(wb.PluginOpenError) as caught:
            plugin.open(plugin.open_params[0].value)
        assert f"sandbox_read=['{file}']" in caught.value.message
        assert str(file) not in plugin.sandbox.readable
    refused = pytest.raises(wb.PluginOpenError, match="plugin_open returned FAILURE")
    with wb.load(library, sandbox=True, sandbox_read=[logs]) as plugin, refused:
        plugin.open(plugin.open_params[0].value)


def test_a_capture_goes_on_while_another_worker_takes_over(sample, logs):
    with (
        wb.load(sample("weblog"), sandbox=True) as plugin,
        plugin.open(str(logs / "one.log"), keep_events=True) as capture,
    ):
        pool = plugin.pool
        pool.read_named(pool.loaded_plugins[0], str(logs / "two.log"))
        with pool.acquire() as pooled:
            assert pooled.session.alive
        assert sum(len(frame) for frame in capture) == 1


def test_a_path_that_is_not_there_is_said_at_once(sample):
    with pytest.raises(wb.WorkbenchError, match="sandbox_read names /not/there, which"):
        wb.load(sample("weblog"), sandbox=True, sandbox_read=["/not/there"])


def test_stored_events_are_extracted_in_the_sandbox(sample, logs):
    with wb.load(sample("weblog"), sandbox=True) as plugin:
        events = plugin.capture(str(logs / "one.log"), fields=[])
        assert len(events.extract("weblog.path").frame["weblog.path"]) == 1
        assert Path(events.extract("weblog.path").frame["weblog.path"][0]) == Path("/a")
