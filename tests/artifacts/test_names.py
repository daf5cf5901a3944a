"""``wb.load("weblog")``: which library a name means, and what is said when there is none."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import workbench as wb
from workbench.__main__ import main
from workbench.artifacts.lookup import is_plugin_name
from workbench.paths import FALCO_PLUGIN_DIR


@pytest.fixture
def place(weblog, home, tmp_path, monkeypatch):
    """Put the weblog library under a name into a folder; give its path."""
    folders = {
        "first": tmp_path / "first",
        "second": tmp_path / "second",
        "own": home / "plugins",
        "here": tmp_path / "here",
    }
    path = f"{folders['first']}::{folders['second']}"
    monkeypatch.setenv("WORKBENCH_PLUGIN_PATH", path)
    for folder in folders.values():
        folder.mkdir(parents=True)
    monkeypatch.chdir(folders["here"])

    def put(folder, name):
        target = folders[folder] / name
        shutil.copy(weblog, target)
        return str(target)

    return put


def test_folders_are_searched_in_order(place):
    wanted = [
        place("own", "web.so"),
        place("own", "libweb.so"),
        place("second", "web.so"),
        place("second", "libweb.so"),
        place("first", "web.so"),
        place("first", "libweb.so"),
    ]
    for path in reversed(wanted):
        assert wb.inspect("web").path == path
        Path(path).unlink()
    with pytest.raises(wb.PluginLoadError):
        wb.inspect("web")


def test_the_search_path_ends_with_falcos_folder(home):
    from workbench.artifacts.folders import plugin_folders

    assert plugin_folders() == [home / "plugins", Path(FALCO_PLUGIN_DIR)]


def test_a_name_will_do_wherever_a_plugin_is_named(place):
    path = place("own", "libweb.so")
    with wb.load("web") as plugin:
        assert plugin.path == path
    with wb.load("web", isolation="none") as plugin:
        assert plugin.path == path
    with wb.Workbench() as bench:
        assert bench.load("web").path == path
    assert wb.inspect("web").path == path


def test_paths_stay_paths(place):
    place("own", "libweb.so")
    mine = place("here", "libweb.so")
    assert wb.inspect("libweb.so").path == mine
    assert wb.inspect("./libweb.so").path == mine
    assert wb.inspect(Path("libweb.so")).path == mine
    with pytest.raises(wb.PluginLoadError, match="no such file"):
        wb.inspect("./web")
    with pytest.raises(wb.PluginLoadError, match="no such file"):
        wb.inspect(Path("web"))
    with pytest.raises(wb.PluginLoadError, match="no such file"):
        wb.inspect("web.so")


def test_a_file_here_counts_when_nothing_is_found(place):
    mine = place("here", "web")
    assert wb.inspect("web").path == mine
    found = place("own", "libweb.so")
    assert wb.inspect("web").path == found


@pytest.mark.parametrize("text", ["web", "web-log", "k8saudit_eks", "w3"])
def test_what_is_a_name(text):
    assert is_plugin_name(text)


@pytest.mark.parametrize(
    "text",
    ["", ".", "..", "web.so", "./web", "a/b", "~", "we b", "web\n", "web\0", "-w"],
)
def test_what_is_no_name(text):
    assert not is_plugin_name(text)


def test_a_missing_one_says_where_it_looked_and_how_to_get_it(home):
    with pytest.raises(wb.PluginLoadError) as caught:
        wb.load("k8saudit")
    assert str(caught.value) == (
        f"cannot load plugin k8saudit: no libk8saudit.so in {home / 'plugins'}, "
        f"{FALCO_PLUGIN_DIR} (a file of yours is named by a path, such as "
        "./libk8saudit.so); to get it: workbench get k8saudit, or wb.get('k8saudit')"
    )
    assert caught.value.complaints == ["no plugin of this name"]
    assert caught.value.path == "k8saudit"


def test_a_missing_one_is_corrected_from_what_is_there(place):
    place("second", "weblog.so")
    with pytest.raises(wb.PluginLoadError, match=r"; did you mean weblog\?$"):
        wb.load("webolg")


def test_a_missing_one_is_corrected_from_the_kept_index(front, published, write_index):
    host, _, repository = published.partition("/")
    entries = {
        "k8saudit": ("plugin", host, repository),
        "k8saudit-rules": ("rulesfile", host, repository),
    }
    body = Path(write_index(entries)).read_bytes()
    front.answers["/index.yaml"] = (200, {}, body)
    wb.get("k8saudit", index=f"http://{front.host}/index.yaml", insecure=True)
    asked = len(front.seen)
    with pytest.raises(wb.PluginLoadError) as caught:
        wb.load("k8saudt")
    # what was installed is nearest; the index is not asked again
    assert "did you mean k8saudit?" in str(caught.value)
    from workbench.artifacts.install import remove

    remove("k8saudit", print)
    with pytest.raises(wb.PluginLoadError) as caught:
        wb.load("k8saudt")
    assert (
        "did you mean k8saudit? To get it: workbench get k8saudit, or wb.get('k8saudit')"
        in str(caught.value)
    )
    assert len(front.seen) == asked


def test_a_damaged_copy_of_an_index_is_no_harm(tmp_path):
    folder = tmp_path / "cache" / "falco-plugin-workbench" / "index"
    folder.mkdir(parents=True)
    for name, text in (
        ("a", "{"),
        ("b", "[]"),
        ("c", '{"where": 1}'),
        ("d", "[" * 9999),
    ):
        (folder / f"{name}.json").write_text(text)
    with pytest.raises(wb.PluginLoadError, match="workbench get web"):
        wb.load("web")


def test_a_user_without_a_home_folder_searches_the_others(monkeypatch, published):
    from workbench.artifacts.folders import plugin_folders

    monkeypatch.delenv("XDG_DATA_HOME")
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr("os.path.expanduser", lambda text: text)
    assert plugin_folders() == [Path(FALCO_PLUGIN_DIR)]
    with pytest.raises(wb.PluginLoadError, match="workbench get web"):
        wb.load("web")
    with pytest.raises(wb.ArtifactError, match="no home folder; set XDG_DATA_HOME"):
        wb.get(published, insecure=True)


def test_a_relative_xdg_folder_does_not_count(monkeypatch, tmp_path):
    from workbench.paths import user_data_dir

    monkeypatch.setenv("XDG_DATA_HOME", "relative")
    monkeypatch.setenv("HOME", str(tmp_path))
    expected = tmp_path / ".local" / "share" / "falco-plugin-workbench"
    assert user_data_dir() == expected


# -- on the command line -------------------------------------------------------------


@pytest.fixture
def named(place, weblog):
    """Put weblog where it is found, and give its log."""
    place("own", "libweb.so")
    return str(weblog.parent / "data" / "access.log")


def test_every_command_takes_a_name(named, weblog, tmp_path, capsys):
    rules = str(weblog.parent / "weblog_rules.yaml")
    scap = str(tmp_path / "log.scap")
    for words in (
        ["inspect", "web"],
        ["stream", "web", "--open", named, "--max-events", "3"],
        ["stream", str(weblog), "--max-events", "0", "--with", "web"],
        ["record", "web", "--open", named, "--max-events", "3", "--out", scap],
        ["replay", scap, "--with", "web"],
        ["run", "--plugin", "web", "--open", named, "-r", rules, "--max-events", "3"],
        ["run", "--events", scap, "--with", "web", "-r", rules],
        ["validate", rules, "--plugin", "web"],
        ["diff", "web", str(weblog)],
    ):
        # the same plugin twice is refused, by then the name was found
        twice = words[1] == str(weblog)
        assert main(words) == twice, (words, capsys.readouterr().err)
        capsys.readouterr()
        assert main(["wev" if word == "web" else word for word in words]) == 1, words
        assert "did you mean web?" in capsys.readouterr().err, words


@pytest.mark.usefixtures("named")
def test_rule_tests_take_a_name(weblog, tmp_path, capsys):
    rules = weblog.parent / "weblog_rules.yaml"
    line = '127.0.0.1 - - [10/Oct/2000:13:55:36 -0700] "GET / HTTP/1.0" 200 2326'
    case = f"cases:\n  - name: a\n    payload: '{line}'\n    exactly: []\n"
    test = tmp_path / "test.yaml"
    test.write_text(f"source: weblog\nrules: [{rules}]\nplugins: [web]\n{case}")
    assert main(["test", str(test)]) == 0, capsys.readouterr().out
    test.write_text(f"source: weblog\nrules: [{rules}]\nplugins: [wev]\n{case}")
    assert main(["test", str(test)]) == 1
    assert "did you mean web?" in capsys.readouterr().err


def test_check_takes_a_name(named, capsys):
    assert main(["check", "web", "--events", named, "--json"]) == 1
    assert "web?" not in capsys.readouterr().err
    assert main(["check", "wev", "--json"]) == 1
    assert "did you mean web?" in capsys.readouterr().out
