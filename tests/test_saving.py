"""Files are saved whole or not at all."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import threading

import pytest

import workbench as wb
from workbench import saving
from workbench.errors import FileError
from workbench.saving import replacing, save_text


@pytest.fixture(params=["unnamed", "named"])
def way(request, monkeypatch):
    """With files that have no name, and where the file system knows none."""
    if request.param == "named":
        monkeypatch.setattr(saving, "_UNNAMED", 0)
    return request.param


def only(folder, *names):
    assert sorted(p.name for p in folder.iterdir()) == sorted(names)


@pytest.mark.usefixtures("way")
def test_a_new_file_appears_whole(tmp_path):
    target = tmp_path / "a.yaml"
    with replacing(target) as draft:
        draft.write_text("one")
        assert not target.exists()
    assert target.read_text() == "one"
    umask = os.umask(0)
    os.umask(umask)
    assert stat.S_IMODE(target.stat().st_mode) == 0o666 & ~umask
    only(tmp_path, "a.yaml")


@pytest.mark.usefixtures("way")
def test_after_a_failure_all_is_as_it_was(tmp_path):
    target = tmp_path / "a"
    target.write_text("old")

    def fail():
        with replacing(target) as draft:
            draft.write_text("half")
            raise ValueError("stop")

    with pytest.raises(ValueError, match="stop"):
        fail()
    assert target.read_text() == "old"
    only(tmp_path, "a")


@pytest.mark.usefixtures("way")
def test_the_mode_of_the_old_file_is_kept(tmp_path):
    target = tmp_path / "a"
    target.write_text("old")
    target.chmod(0o640)
    save_text(target, "new")
    assert (target.read_text(), stat.S_IMODE(target.stat().st_mode)) == ("new", 0o640)


@pytest.mark.usefixtures("way")
def test_a_symbolic_link_is_written_through(tmp_path):
    real, link = tmp_path / "real", tmp_path / "link"
    real.write_text("old")
    link.symlink_to(real)
    save_text(link, "new")
    assert link.is_symlink()
    assert real.read_text() == "new"
    dangling = tmp_path / "dangling"
    dangling.symlink_to(tmp_path / "later")
    save_text(dangling, "made")
    assert (tmp_path / "later").read_text() == "made"


def test_names_of_drafts_cannot_be_guessed(monkeypatch, tmp_path):
    monkeypatch.setattr(saving, "_UNNAMED", 0)
    names = set()
    for _ in range(3):
        with replacing(tmp_path / "a") as draft:
            names.add(draft.name)
            draft.write_text("x")
    assert len(names) == 3
    assert all(len(name) > 32 for name in names)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_nothing_is_left_when_the_process_ends(way, tmp_path, number):
    if way == "named" and number == signal.SIGKILL:
        pytest.skip("a file with a name stays after SIGKILL")
    code = (
        "import sys\nfrom workbench import saving\n"
        f"if {way == 'named'}: saving._UNNAMED = 0\n"
        "with saving.replacing(sys.argv[1]) as draft:\n"
        "    draft.write_text('half')\n    print('ready', flush=True)\n"
        "    sys.stdin.read()\n"
    )
    target = tmp_path / "a"
    target.write_text("old")
    with subprocess.Popen(
        [sys.executable, "-c", code, str(target)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as writer:
        assert writer.stdout.readline() == "ready\n"
        writer.send_signal(number)
        assert writer.wait(20) == -number
    assert target.read_text() == "old"
    only(tmp_path, "a")


@pytest.mark.usefixtures("way")
def test_two_savers_never_mix(tmp_path):
    target = tmp_path / "a"
    texts = [letter * 100_000 for letter in "ab"]

    def save(text):
        for _ in range(20):
            save_text(target, text)

    savers = [threading.Thread(target=save, args=(text,)) for text in texts]
    for saver in savers:
        saver.start()
    while any(saver.is_alive() for saver in savers):
        if target.exists():
            assert target.read_text() in texts
    for saver in savers:
        saver.join()
    only(tmp_path, "a")


@pytest.mark.usefixtures("way")
def test_bad_places_are_one_clear_error(tmp_path):
    with pytest.raises(FileError, match="no does not exist; create it first") as caught:
        save_text(tmp_path / "no" / "a", "x")
    assert caught.value.path == str(tmp_path / "no" / "a")
    with pytest.raises(FileError, match="Is a directory"):
        save_text(tmp_path, "x")


def saved_by(target, text="new", *, before="", wrap=()):
    """Save in a process of its own; return what it printed."""
    code = (
        "import sys\nfrom workbench import saving\n"
        "from workbench.errors import FileError\n"
        f"{before}\n"
        f"try: saving.save_text(sys.argv[1], {text!r})\n"
        "except FileError as error: print(error)\n"
    )
    done = subprocess.run(
        [*wrap, sys.executable, "-c", code, str(target)],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_read_only_folder_is_said(way, tmp_path):
    """Root may write everywhere, so a process without that right does it."""
    folder = tmp_path / "kept"
    folder.mkdir()
    (folder / "a").write_text("old")
    folder.chmod(0o555)
    (folder / "a").chmod(0o444)
    before = f"saving._UNNAMED = {0 if way == 'named' else 'saving._UNNAMED'}"
    wrap = ["setpriv", "--bounding-set", "-all"] if os.geteuid() == 0 else []
    try:
        said = saved_by(folder / "a", before=before, wrap=wrap)
        assert said.startswith("cannot write")
        assert "Permission denied" in said
        assert (folder / "a").read_text() == "old"
    finally:
        folder.chmod(0o755)
    only(folder, "a")


@pytest.mark.usefixtures("way")
def test_a_name_of_255_bytes_is_saved_and_a_longer_one_refused(tmp_path):
    longest = "n" * 255
    save_text(tmp_path / longest, "x")
    save_text(tmp_path / longest, "y")
    assert (tmp_path / longest).read_text() == "y"
    with pytest.raises(FileError, match="name too long") as caught:
        save_text(tmp_path / ("n" * 256), "x")
    assert len(str(caught.value)) < 1000
    only(tmp_path, longest)


@pytest.mark.usefixtures("way")
def test_an_absurd_path_is_said_in_a_short_message(tmp_path):
    for path in (tmp_path / ("n" * 1_000_000), f"{tmp_path}/a\0b"):
        with pytest.raises(FileError) as caught:
            save_text(path, "x")
        assert len(str(caught.value)) < 1000
    only(tmp_path)


def test_two_processes_that_save_never_mix(tmp_path):
    target = tmp_path / "a"
    code = (
        "import sys\nfrom workbench.saving import save_text\n"
        "for _ in range(30): save_text(sys.argv[1], sys.argv[2] * 100_000)\n"
    )
    savers = [
        subprocess.Popen([sys.executable, "-c", code, str(target), letter])
        for letter in "ab"
    ]
    while any(saver.poll() is None for saver in savers):
        if target.exists():
            assert target.read_text() in {"a" * 100_000, "b" * 100_000}
    assert [saver.returncode for saver in savers] == [0, 0]
    only(tmp_path, "a")


def test_a_full_device_keeps_the_old_content(way, tmp_path):
    """On a file system of 64 kB of its own, in a mount namespace."""
    if subprocess.run(["unshare", "-m", "true"], capture_output=True).returncode:
        pytest.skip("this process may not mount")
    target = tmp_path / "disk" / "a"
    target.parent.mkdir()
    mounted = 'mount -t tmpfs -o size=64k none "$0" && echo -n old > "$0"/a && "$@"'
    before = f"saving._UNNAMED = {0 if way == 'named' else 'saving._UNNAMED'}"
    after = f"{before}\nimport atexit, os\natexit.register(lambda: print("
    after += "open(sys.argv[1]).read(), os.listdir(os.path.dirname(sys.argv[1]))))"
    wrap = ["unshare", "-m", "sh", "-c", mounted, str(target.parent)]
    said = saved_by(target, "x" * 100_000, before=after, wrap=wrap).splitlines()
    assert said == [
        f"cannot write {target}: no space left on the device; the old content is kept",
        "old ['a']",
    ]


def test_a_full_disk_keeps_the_old_content(tmp_path):
    target = tmp_path / "a"
    target.write_text("old")
    code = (
        "import resource, signal, sys\nfrom workbench.saving import save_text\n"
        "from workbench.errors import FileError\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "try: save_text(sys.argv[1], 'x' * 5000)\n"
        "except FileError as error: print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(target)], capture_output=True, text=True
    )
    assert done.stdout == f"cannot write {target}: File too large\n", done.stderr
    assert target.read_text() == "old"
    only(tmp_path, "a")


def test_pipes_are_written_directly(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    heard = []
    reader = threading.Thread(target=lambda: heard.append(pipe.read_text()))
    reader.start()
    save_text(pipe, "through")
    reader.join(10)
    assert heard == ["through"]
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_whatever_is_saved_into_a_missing_folder_names_the_users_file(tmp_path, plugin):
    missing = tmp_path / "none" / "such"
    rule = wb.Rule(
        name="r",
        condition="probe.num = 1",
        output="o",
        priority="INFO",
        source="probe",
        desc="d",
    )
    rules = wb.RuleSet().add(rule)
    with wb.load(plugin("probe")) as probe:
        events = probe.capture("10")
        events.label("probe.num = 1", must_match=True)
        lab = wb.lab(events)
        lab.condition = "probe.num = 1"
        lab.desk.make_rule()
        saves = [
            lambda: events.save(missing / "x.scap"),
            lambda: events.save(missing / "x.parquet"),
            lambda: events.save(missing / "x.csv"),
            lambda: rules.save(missing / "x.yaml"),
            lambda: rules.write_tests(missing / "x.yaml", events=events, rule="r"),
            lambda: lab.rule_panel.save(str(missing / "x.yaml")),
        ]
        for save in saves:
            with pytest.raises(FileError) as caught:
                save()
            said = str(caught.value)
            assert said.startswith(f"cannot write {missing / 'x'}.")
            assert f"the folder {missing} does not exist; create it first" in said
        lab.close()
