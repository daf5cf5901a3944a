"""On a terminal nothing that an event, a file or a plugin says acts, hides or forges."""

from __future__ import annotations

import json
import os
import pty
import shutil
import subprocess
import sys
import threading

import pyarrow as pa
import pytest

import workbench as wb
from workbench.formatting.printable import printable

HIDDEN = "\u202e\u2066\u3164\u115f\u2800\u034f\ufe0f\x9b\x7f"
FORGED = "12:00:00.000000000: Critical all is well"
HOSTILE = f"a\x1b]0;title\x07\x1b[2J{HIDDEN}\n{FORGED}"
# The same in the name of a file, which holds no slash.
NAME = f"n\x1b[2J{HIDDEN}\n{FORGED}"


def on_a_terminal(*words):
    """Run the command line with a terminal as all its streams; give what it showed."""
    ours, theirs = pty.openpty()
    said = b""

    def listen():
        nonlocal said
        while True:
            try:
                said += os.read(ours, 65536)
            except OSError:
                return

    listener = threading.Thread(target=listen)
    listener.start()
    command = [sys.executable, "-m", "workbench", *map(str, words)]
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
        timeout=60,
        env={**os.environ, "PYTHONIOENCODING": "utf-8", "PYTHONUTF8": "1"},
    )
    os.close(theirs)
    listener.join(10)
    os.close(ours)
    assert done.returncode in {0, 1}, said
    # What check itself sends to begin its line of progress anew.
    return said.decode().replace("\r\n", "\n").replace("\r\x1b[K", "")


def assert_harmless(said):
    """Everything shows, and no line is the forged one."""
    assert "Traceback" not in said
    for line in said.split("\n"):
        assert line == printable(line), ascii(line)
        assert not line.startswith("12:00"), said
    assert r"\u202e" in said or r"[2J" in said, "nothing hostile was shown"


@pytest.fixture
def hostile(sample, tmp_path):
    """A plugin, its log, its events, rules and tests, all with hostile names."""
    folder = tmp_path / NAME
    folder.mkdir()
    library = folder / "libweblog.so"
    shutil.copy(sample("weblog"), library)
    log = folder / "access.log"
    path = HOSTILE.replace("\n", "").replace(" ", "")
    log.write_text(
        f'10.0.0.1 - - [10/Oct/2025:13:55:36 +0000] "GET /{path} HTTP/1.1" 404 12 '
        f'"-" "{path}"\n'
    )
    rules = folder / "rules.yaml"
    rules.write_text(
        json.dumps(
            [
                {
                    "rule": HOSTILE,
                    "desc": "d",
                    "condition": "t.text exists",
                    "output": "seen %t.text",
                    "priority": "INFO",
                    "source": "t",
                    "tags": [HOSTILE],
                },
                {"rule": f"bad {HOSTILE}", "condition": f"t.none = '{HOSTILE}"},
            ][:1]
        )
    )
    table = pa.table(
        {
            "evt.num": pa.array([1, 2], pa.uint64()),
            "evt.rawtime": pa.array([1, 2], pa.uint64()),
            "t.text": [HOSTILE, "=1+1"],
        }
    )
    field = {"name": "t.text", "type": "string", "desc": HOSTILE}
    events = wb.events_from_table(table, fields=[field], source="t", plugin=HOSTILE)
    stored = events.save(folder / "events.parquet")
    return {
        "library": library, "log": log, "rules": rules, "events": stored,
        "folder": folder,
    }  # fmt: skip


def test_run_shows_alerts_and_statistics_harmless(hostile):
    words = ["run", "--events", hostile["events"], "-r", hostile["rules"]]
    said = on_a_terminal(*words)
    assert "Events detected: 2" in said
    assert r"seen a\x1b]0;title\x07\x1b[2J" in said
    assert_harmless(said)
    said = on_a_terminal(*words, "--json")
    assert "Events detected: 2" in said
    assert_harmless(said)


def test_run_writes_to_pipes_as_falco_does(hostile):
    words = ["run", "--events", hostile["events"], "-r", hostile["rules"]]
    done = subprocess.run(
        [sys.executable, "-m", "workbench", *map(str, words)], capture_output=True
    )
    assert done.returncode == 0
    assert "\u202e\u2066\u3164" in done.stdout.decode()
    assert f"\n{FORGED}: 2\n" in done.stdout.decode()


@pytest.mark.parametrize("form", ["table", "jsonl", "csv"])
@pytest.mark.parametrize("command", ["stream", "replay"])
def test_events_are_shown_harmless(hostile, command, form):
    words = {
        "stream": [hostile["library"], "--open", hostile["log"]],
        "replay": [hostile["events"]],
    }[command]
    said = on_a_terminal(command, *words, "--format", form)
    assert_harmless(said)
    assert r"[2J" in said
    if form == "jsonl":
        rows = [json.loads(line) for line in said.strip().split("\n")]
        if command == "replay":
            assert [row["t.text"] for row in rows] == [HOSTILE, "=1+1"]


@pytest.mark.parametrize("guard", [True, False])
def test_replay_guards_formulas_unless_told(hostile, tmp_path, guard):
    out = tmp_path / "out.csv"
    words = ["replay", hostile["events"], "--out", out]
    words += [] if guard else ["--no-csv-guard"]
    command = [sys.executable, "-m", "workbench", *map(str, words)]
    assert subprocess.run(command).returncode == 0
    assert ("'=1+1" in out.read_text()) is guard
    assert "=1+1" in out.read_text()


def test_inspect_shows_names_harmless(hostile):
    assert_harmless(on_a_terminal("inspect", hostile["library"]))


def test_check_shows_names_harmless(hostile):
    bad = hostile["folder"] / "libbad.so"
    bad.write_bytes(b"no library")
    assert_harmless(on_a_terminal("check", bad))


def test_validate_shows_rules_harmless(hostile):
    rules = hostile["folder"] / "bad.yaml"
    item = {
        "rule": HOSTILE,
        "desc": "d",
        "condition": f"t.none{HIDDEN} = {HOSTILE}",
        "output": "o",
        "priority": HOSTILE,
        "source": "t",
        HOSTILE: 1,
    }
    macro = {"macro": HOSTILE, "condition": f"evt.num = 1 \u3164 {FORGED}"}
    rules.write_text(json.dumps([item, macro, {HOSTILE: HOSTILE}]))
    said = on_a_terminal("validate", rules)
    assert "Invalid" in said
    assert_harmless(said)
    plain = hostile["rules"]
    assert_harmless(on_a_terminal("validate", "--plugin", hostile["library"], plain))


def test_rule_tests_are_shown_harmless(hostile):
    tests = hostile["folder"] / "x_rule_tests.yaml"
    event = {"t.text": HOSTILE}
    cases = [
        {"name": HOSTILE, "event": event, "fires": [HOSTILE]},
        {"name": f"wrong {HOSTILE}", "event": event, "quiet": [HOSTILE]},
    ]
    data = {
        "source": "t",
        "rules": ["rules.yaml"],
        "fields": {"t.text": "string"},
        "cases": cases,
    }
    tests.write_text(json.dumps(data))
    said = on_a_terminal("test", tests)
    assert "1 passed, 1 failed" in said
    assert_harmless(said)
    tests.write_text(json.dumps({**data, HOSTILE: 1}))
    assert_harmless(on_a_terminal("test", tests))


@pytest.mark.parametrize("command", ["run", "test", "check", "replay", "validate",
                                     "stream", "inspect"])  # fmt: skip
def test_files_that_are_missing_are_named_harmless(tmp_path, command):
    missing = tmp_path / NAME
    words = ["--plugin", missing, "-r", missing] if command == "run" else [missing]
    assert_harmless(on_a_terminal(command, *words))
