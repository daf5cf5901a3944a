from __future__ import annotations

import json
import subprocess
import sys

import workbench as wb


def test_replay_prints_what_stream_prints(weblog, access_log, tmp_path):
    def run(*words):
        command = [sys.executable, "-m", "workbench", *map(str, words)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    out = tmp_path / "x.scap"
    run("record", weblog, "--open", access_log, "--out", out, "--max-events", 100)
    streamed = run(
        "stream", weblog, "--open", access_log, "--max-events", 100, "--format", "jsonl"
    )
    replayed = run("replay", out, "--with", weblog, "--format", "jsonl")
    assert [json.loads(line) for line in replayed.splitlines()] == [
        json.loads(line) for line in streamed.splitlines()
    ]
    only = run(
        *("replay", out, "--with", weblog, "--where", "weblog.status = 404"),
        *("--out", tmp_path / "y.jsonl"),
    )
    assert only == ""
    kept = (tmp_path / "y.jsonl").read_text().splitlines()
    assert all(json.loads(line)["weblog.status"] == 404 for line in kept)


def test_a_replay_without_the_plugin_still_shows_the_events(
    weblog, access_log, tmp_path
):
    out = tmp_path / "x.scap"
    with wb.load(weblog) as plugin:
        plugin.capture(str(access_log), max_events=3).save(out)
    command = [sys.executable, "-m", "workbench", "replay", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 4
    assert "which no plugin given here has" in done.stderr
