"""Downloads that break off, disks that fill up, users who lose patience."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from artifact_registry import OURS, RULES, sha256, targz

import workbench as wb


@pytest.fixture
def big(registry, repository, weblog):
    """Publish weblog with ballast; give place in the registry, archive, part's name."""
    library = weblog.read_bytes() + os.urandom(300_000)
    archive = targz({"libweblog.so": library})
    registry.push_plugin(f"{repository}/weblog", {OURS: archive})
    part = "partial/" + sha256(archive).replace(":", "-")
    return f"{repository}/weblog", archive, part


def ranges(front, archive):
    return [h.get("range") for h in front.paths(f"/blobs/{sha256(archive)}")]


def test_a_download_that_breaks_off_goes_on_at_once(front, big):
    place, archive, _ = big
    front.cut = [100_000, 50_000]
    assert wb.get(f"{front.host}/{place}", insecure=True).exists()
    assert ranges(front, archive) == [None, "bytes=100000-", "bytes=150000-"]


def test_a_registry_without_ranges_begins_anew(front, big):
    place, archive, _ = big
    front.cut = [100_000]
    front.ranges = False
    path = wb.get(f"{front.host}/{place}", insecure=True)
    assert wb.inspect(path).name == "weblog"
    assert ranges(front, archive) == [None, "bytes=100000-"]


def test_what_came_is_kept_for_the_next_run(front, big, installed, home):
    place, archive, part = big
    front.cut = [120_000, 0, 0, 0]
    with pytest.raises(wb.ArtifactError) as caught:
        wb.get(f"{front.host}/{place}", insecure=True)
    assert caught.value.stage == "registry"
    total = len(archive)
    assert f"the download broke off after 120,000 of {total:,} bytes" in str(
        caught.value
    )
    assert "it goes on where it stopped" in str(caught.value)
    assert installed() == [part]
    assert (home / part).read_bytes() == archive[:120_000]
    front.cut = []
    front.seen.clear()
    assert wb.get(f"{front.host}/{place}", insecure=True).exists()
    assert ranges(front, archive) == ["bytes=120000-"]
    assert installed() == ["installed/weblog.json", "plugins/libweblog.so"]


@pytest.mark.parametrize("size", [1000, None, "more"])
def test_a_damaged_part_of_an_earlier_run_is_fetched_anew(front, big, home, size):
    place, archive, part = big
    (home / "partial").mkdir(parents=True)
    length = {None: len(archive), "more": len(archive) + 5}.get(size, size)
    (home / part).write_bytes(b"x" * length)
    path = wb.get(f"{front.host}/{place}", insecure=True)
    assert wb.inspect(path).name == "weblog"
    assert ranges(front, archive)[-1] is None


def test_old_parts_are_forgotten(front, big, home):
    place, _, _ = big
    folder = home / "partial"
    folder.mkdir(parents=True)
    old, new = folder / "sha256-old", folder / "sha256-new"
    old.write_bytes(b"x")
    new.write_bytes(b"x")
    week = 8 * 24 * 3600
    os.utime(old, (time.time() - week,) * 2)
    wb.get(f"{front.host}/{place}", insecure=True)
    assert (old.exists(), new.exists()) == (False, True)


def test_an_archive_that_is_not_there(front, big, installed):
    place, archive, _ = big
    front.answers[f"/v2/{place}/blobs/{sha256(archive)}"] = (404, {}, b"")
    with pytest.raises(wb.ArtifactError, match="answers 404 Not Found for the archive"):
        wb.get(f"{front.host}/{place}", insecure=True)
    front.answers[f"/v2/{place}/blobs/{sha256(archive)}"] = (429, {}, b"")
    with pytest.raises(wb.ArtifactError, match="for the archive; try again later"):
        wb.get(f"{front.host}/{place}", insecure=True)
    assert installed() == []


def test_no_network_is_one_clear_error(installed):
    began = time.monotonic()
    with pytest.raises(wb.ArtifactError) as caught:
        wb.get("weblog", registry="127.0.0.1:1", insecure=True)
    assert str(caught.value) == (
        "cannot get weblog (127.0.0.1:1/weblog:latest): 127.0.0.1:1 cannot be reached: "
        "Connection refused; check the network, the name and the port"
    )
    with pytest.raises(
        wb.ArtifactError, match=r"name-of-nobody\.invalid cannot be reach"
    ):
        wb.get("weblog", registry="name-of-nobody.invalid", insecure=True)
    assert installed() == []
    assert time.monotonic() - began < 20


def test_a_registry_that_falls_silent_is_given_up(monkeypatch):
    import socket

    monkeypatch.setattr("workbench.artifacts.transport._TIMEOUT", (1.0, 1.0))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        host = f"127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(wb.ArtifactError, match=f"{host} does not answer"):
            wb.get("weblog", registry=host, insecure=True)


# -- users ---------------------------------------------------------------------------


def wait_for(condition):
    limit = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < limit
        time.sleep(0.02)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_an_end_on_the_way_leaves_nothing_installed(
    front, big, start, home, installed, cli, number
):
    place, _, part = big
    front.pause = 0.05
    process = start("get", f"{front.host}/{place}", "--insecure")
    wait_for(lambda: (home / part).exists() and (home / part).stat().st_size > 20_000)
    process.send_signal(number)
    out, said = process.communicate(timeout=30)
    assert out == ""
    assert not [name for name in installed() if not name.startswith("partial")]
    if number == signal.SIGINT:
        assert process.returncode == 130
        assert said == "workbench: interrupted\n"
        assert installed() == []
        assert not list(home.glob(".staging*"))
    # what a killed run left is no harm to the next, which takes it up or away
    front.pause = 0
    done = cli("get", f"{front.host}/{place}", "--insecure")
    assert done.returncode == 0, done.stderr
    assert installed() == ["installed/weblog.json", "plugins/libweblog.so"]
    assert not list(home.glob(".staging*"))


def test_two_at_once_wait_for_each_other(front, big, start, home, installed):
    place, archive, part = big
    front.pause = 0.02
    first = start("get", f"{front.host}/{place}", "--insecure")
    wait_for((home / part).exists)
    second = start("get", f"{front.host}/{place}", "--insecure")
    one, two = first.communicate(timeout=60), second.communicate(timeout=60)
    assert (first.returncode, second.returncode) == (0, 0), (one, two)
    assert one[0] == two[0] == f"{home / 'plugins' / 'libweblog.so'}\n"
    assert "another workbench get is at work; waiting for it" in two[1]
    assert "is there already" in two[1]
    assert ranges(front, archive) == [None]
    assert installed() == ["installed/weblog.json", "plugins/libweblog.so"]


def test_a_waiting_one_can_be_interrupted(front, big, start, home):
    place, _, part = big
    front.pause = 0.05
    first = start("get", f"{front.host}/{place}", "--insecure")
    wait_for((home / part).exists)
    second = start("get", f"{front.host}/{place}", "--insecure")
    assert "waiting" in second.stderr.readline()
    second.send_signal(signal.SIGINT)
    assert second.wait(30) == 130
    front.pause = 0
    first.communicate(timeout=60)
    assert first.returncode == 0


# -- disks ---------------------------------------------------------------------------


@pytest.mark.parametrize("where", [".", "plugins", "partial", "installed"])
def test_a_folder_that_cannot_be_written(published, home, where):
    """As somebody who is not root: root may write everywhere."""
    (home / where).mkdir(parents=True)
    for name in ("plugins", "rules", "installed", "partial"):
        (home / name).mkdir(exist_ok=True)
    (home / ".lock").touch()
    command = [sys.executable, "-m", "workbench", "get", published, "--insecure"]
    if os.geteuid() == 0:
        setpriv = shutil.which("setpriv")
        if setpriv is None:
            pytest.skip("setpriv is not installed here: root may write everywhere")
        command[:0] = [setpriv, "--bounding-set=-all", "--inh-caps=-all", "--reuid=0"]
        command[1:] = ["--no-new-privs", *command[1:]]
    (home / where).chmod(0o555)
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    finally:
        (home / where).chmod(0o755)
    assert done.returncode == 1, done.stderr
    assert done.stderr.startswith("workbench: cannot get ")
    assert (
        "Permission denied; set XDG_DATA_HOME to a folder that you may" in done.stderr
    )
    assert len(done.stderr.splitlines()) == 1
    assert not list((home / "plugins").iterdir())
    assert not list((home / "installed").iterdir())


def test_a_file_where_the_folder_should_be(published, home):
    home.parent.mkdir(parents=True)
    home.write_text("a file")
    with pytest.raises(wb.ArtifactError, match=r"cannot write .*: Not a directory"):
        wb.get(published, insecure=True)


@pytest.mark.parametrize(("room_kib", "stage"), [(100, "download"), (500, "unpack")])
def test_a_full_disk(big, registry, tmp_path, room_kib, stage):
    """A real small file system, mounted for this command alone."""
    place = big[0]
    folder = tmp_path / "small"
    folder.mkdir()
    get = f"{sys.executable} -m workbench get {registry.host}/{place} --insecure"
    script = (
        f"mount -t tmpfs -o size={room_kib}k none {folder} || exit 77\n"
        f"XDG_DATA_HOME={folder} {get}\n"
        f"echo $?; find {folder} -type f"
    )
    unshare = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "-rm"]
    done = subprocess.run(
        [*unshare, "sh", "-c", script], capture_output=True, text=True, timeout=60
    )
    if done.returncode == 77 or "unshare" in done.stderr:
        pytest.skip("no file system can be mounted here")
    status, *files = done.stdout.split()
    assert (status, stage) == ("1", stage), done.stderr
    assert "No space left on device; make room there, or set XDG_DATA" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert [Path(f).name for f in files] == [".lock"]


def test_a_failure_while_files_are_renamed_puts_everything_back(
    registry, repository, home, installed
):
    place = f"{repository}/rules"
    old = {"a.yaml": RULES, "b.yaml": RULES, "gone.yaml": RULES}
    new = {"a.yaml": RULES * 2, "b.yaml": RULES * 2, "c.yaml": RULES}
    registry.push_rules(place, targz(old), "1.0.0")
    registry.push_rules(place, targz(new), "2.0.0")
    wb.get(f"{registry.host}/{place}:1.0.0", insecure=True)
    before = {name: (home / name).read_bytes() for name in installed()}
    # a folder of the user's where the new version has a file
    (home / "rules" / "rules" / "c.yaml").mkdir()
    with pytest.raises(wb.ArtifactError) as caught:
        wb.get(f"{registry.host}/{place}:2.0.0", insecure=True)
    assert caught.value.stage == "install"
    assert {name: (home / name).read_bytes() for name in installed()} == before
    (home / "rules" / "rules" / "c.yaml").rmdir()
    wb.get(f"{registry.host}/{place}:2.0.0", insecure=True)
    assert "rules/rules/gone.yaml" not in installed()


@pytest.mark.parametrize(
    "error", [OSError(28, "No space left on device"), KeyboardInterrupt()]
)
@pytest.mark.parametrize("moment", range(1, 6))
def test_a_change_is_made_whole_or_not_at_all(tmp_path, monkeypatch, error, moment):
    from workbench.artifacts.install import Change, commit

    there, staged, aside = (tmp_path / n for n in ("there", "staged", "aside"))
    for folder in (there, staged, aside):
        folder.mkdir()
    (there / "replaced").write_text("old")
    (there / "dropped").write_text("old")
    for name in ("replaced", "added", "more"):
        (staged / name).write_text("new")
    change = Change(
        put={there / n: staged / n for n in ("replaced", "added", "more")},
        drop=[there / "dropped"],
    )
    calls = 0
    real = {"replace": Path.replace, "unlink": Path.unlink}

    def failing(name):
        def call(self, *args, **options):
            nonlocal calls
            calls += 1
            if calls == moment:
                raise error
            return real[name](self, *args, **options)

        return call

    for name in real:
        monkeypatch.setattr(Path, name, failing(name))
    if moment == 5:
        # four steps: nothing failed
        commit(change, aside)
        assert sorted(p.name for p in there.iterdir()) == ["added", "more", "replaced"]
        assert (there / "replaced").read_text() == "new"
        return
    with pytest.raises(type(error)):
        commit(change, aside)
    assert {p.name: p.read_text() for p in there.iterdir()} == {
        "replaced": "old",
        "dropped": "old",
    }
