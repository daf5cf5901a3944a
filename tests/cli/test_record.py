from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import workbench as wb
from tests.support.waiting import wait_until
from workbench.captures.parquet import read_parquet
from workbench.captures.scap import read_scap


@pytest.fixture
def recording():
    """Start recorders that follow a log; none outlives its test."""
    started = []

    def start(weblog, log, out, *words):
        command = [sys.executable, "-m", "workbench", "record", str(weblog)]
        command += ["--config", '{"follow": true}', "--open", str(log)]
        recorder = subprocess.Popen(
            [*command, "--out", str(out), *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(recorder)
        return recorder

    yield start
    for recorder in started:
        recorder.kill()
        recorder.communicate()


def rows(path):
    # A file that was just created has no section header yet.
    ready = path.exists() and path.stat().st_size > 0
    return len(read_scap(path).table) if ready else 0


def until_it_has(path, count):
    wait_until(lambda: rows(path) == count, 20, f"{count} rows in {path.name}")


@pytest.fixture
def lines(access_log):
    return Path(access_log).read_bytes().splitlines(keepends=True)


@pytest.fixture
def growing(tmp_path, lines):
    log = tmp_path / "growing.log"
    log.write_bytes(b"".join(lines[:300]))
    return log


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_ends_a_recording_with_everything_kept(
    weblog, growing, lines, tmp_path, recording, number
):
    out = tmp_path / "x.scap"
    recorder = recording(weblog, growing, out)
    until_it_has(out, 300)
    with growing.open("ab") as log:
        log.writelines(lines[300:400])
    until_it_has(out, 400)
    recorder.send_signal(number)
    said, complaints = recorder.communicate(timeout=20)
    assert recorder.returncode == 130
    assert said == f"{out}\n"
    assert "400 events in 1 file (end: cancelled)" in complaints
    assert rows(out) == 400


@pytest.mark.crash
@pytest.mark.parametrize("name", ["x.scap", "x.scap.gz"])
def test_a_killed_recorder_leaves_a_readable_file(
    weblog, growing, tmp_path, name, recording
):
    out = tmp_path / name
    recorder = recording(weblog, growing, out)
    try:
        until_it_has(out, 300)
    finally:
        recorder.kill()
        recorder.communicate()
    contents = read_scap(out)
    assert len(contents.table) == 300
    assert not any("cut" in note for note in contents.notes)


@pytest.mark.crash
def test_a_crash_of_the_plugin_keeps_what_was_recorded(sample, tmp_path):
    out = tmp_path / "x.scap"
    command = [sys.executable, "-m", "workbench", "record", str(sample("faulty"))]
    command += ["--open", "segfault@next_batch:5", "--out", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    assert "SIGSEGV" in done.stderr
    assert out.exists()


def test_rotation_by_time_begins_new_files(weblog, growing, lines, tmp_path, recording):
    recorder = recording(weblog, growing, tmp_path / "x.scap", "--rotate-sec", "3")
    first, second = tmp_path / "x-0001.scap", tmp_path / "x-0002.scap"
    until_it_has(first, 300)
    # A file's age is looked at when events come: let it grow old.
    time.sleep(3.2)
    with growing.open("ab") as log:
        log.writelines(lines[300:310])
    until_it_has(second, 10)
    recorder.send_signal(signal.SIGINT)
    said, _ = recorder.communicate(timeout=20)
    assert said.splitlines() == [str(first), str(second)]


def test_a_parquet_recording_needs_no_plugin_afterwards(weblog, access_log, tmp_path):
    out = tmp_path / "x.parquet"
    command = [sys.executable, "-m", "workbench", "record", str(weblog)]
    command += ["--open", str(access_log), "--out", str(out), "--max-events", "500"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    contents = read_parquet(out)
    assert (contents.plugin, contents.source) == ("weblog", "weblog")
    events = wb.open_events(out)
    assert len(events) == 500
    assert 0 < len(events.where("weblog.status < 400")) < 500
    assert events.keeps_raw


def test_a_place_that_cannot_be_written_is_said_at_once(weblog, access_log, tmp_path):
    command = [sys.executable, "-m", "workbench", "record", str(weblog)]
    command += ["--open", str(access_log), "--out", str(tmp_path / "no" / "x.scap")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "does not exist; create it first" in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []
