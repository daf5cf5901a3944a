from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

import workbench as wb
from tests.support.compiled import compiled, make_sample
from workbench.replay.check import check_replay

SAMPLES = Path(__file__).resolve().parents[2] / "sample_plugins"
LOG = SAMPLES / "weblog" / "data" / "access.log"
# Who scans in the shipped log, found by counting it without the plugin.
SCANNERS = ["203.0.113.66", "198.51.100.23", "2001:db8:bad::7", "192.0.2.200"]


@pytest.fixture(scope="module")
def libraries(sample):
    return sample("weblog"), sample("sessions")


@pytest.fixture(scope="module")
def bench(libraries):
    with wb.Workbench() as both:
        for library in libraries:
            both.load(library)
        yield both


@pytest.fixture(scope="module")
def events(bench):
    return bench.capture(str(LOG))


def test_each_scanner_is_told_of_once(events):
    frame = events.frame
    alerts = frame[frame["evt.is_async"]]
    assert alerts["session.client"].to_list() == SCANNERS
    assert set(alerts["evt.asynctype"]) == {"scanner_suspected"}
    assert alerts["weblog.path"].isna().all()
    assert (alerts["session.paths"] >= 50).all()
    assert (alerts["session.errors"] >= 50).all()
    assert len(frame) == 21_457 + 4


def test_an_alert_comes_right_behind_the_request_that_made_it(events):
    frame = events.frame.reset_index(drop=True)
    for place in frame.index[frame["evt.is_async"]]:
        before = frame.loc[place - 1]
        assert before["session.client"] == frame.loc[place, "session.client"]
        assert before["session.suspect"]
        assert before["evt.time"] == frame.loc[place, "evt.time"]


def test_the_counts_are_those_of_a_count_by_hand(events):
    frame = events.frame
    frame = frame[~frame["evt.is_async"]].reset_index(drop=True)
    for row in (500, 9_000, 21_000):
        client, now = frame.loc[row, ["session.client", "evt.time"]]
        mine = frame.loc[:row]
        mine = mine[mine["session.client"] == client]
        window = mine[mine["evt.time"] >= now - pd.Timedelta("60s")]
        assert frame.loc[row, "session.requests"] == len(window)
        assert (
            frame.loc[row, "session.errors"] == (window["weblog.status"] >= 400).sum()
        )
        assert frame.loc[row, "session.total"] == len(mine)


def test_the_table_shows_every_client(bench, events):
    table = bench.tables["sessions"]
    assert len(table) == events.frame["session.client"].nunique()
    assert int(table["suspect"].sum()) == 4
    assert int(table["total"].sum()) == 21_457
    facts = bench.tables.to_pandas().set_index("table").loc["sessions"]
    assert (facts["owner"], facts["key_type"]) == ("sessions", "string")


def test_a_replay_gives_the_same_values(bench, events, tmp_path):
    report = check_replay(events, bench)
    assert report.same, str(report)
    assert "session.paths" in report.fields
    events.save(tmp_path / "x.scap")
    stored = wb.open_events(tmp_path / "x.scap", plugins=[bench])
    assert stored.frame["session.paths"].equals(events.frame["session.paths"])
    assert stored.frame["session.client"].equals(events.frame["session.client"])


def test_conditions_see_state_and_async_events(events):
    alerts = events.where("evt.asynctype = scanner_suspected")
    assert len(alerts) == 4
    through = events.where("session.suspect = true and weblog.status < 400")
    assert set(through.frame["session.client"]) <= set(SCANNERS)
    assert len(through) > 0


def test_thresholds_are_config(libraries):
    with wb.Workbench() as bench:
        bench.load(libraries[0])
        bench.load(
            libraries[1],
            config={"window_sec": 5, "scanner_paths": 5, "scanner_errors": 1},
        )
        frame = bench.capture(str(LOG)).frame
        assert frame["session.requests"].max() < 907
        assert frame["evt.is_async"].sum() > 4
    with wb.Workbench() as bench:
        bench.load(libraries[0])
        with pytest.raises(wb.PluginInitError):
            bench.load(libraries[1], config={"window_sec": 0})


def test_lines_that_are_no_log_have_no_session(libraries, tmp_path):
    log = tmp_path / "odd.log"
    log.write_bytes(
        b'\xff\xfe\n"\n - - "x\n1.1.1.1 "\n1.1.1.1 - "a" 2\n1 "GET /" 200\n'
    )
    with wb.Workbench() as bench:
        for library in libraries:
            bench.load(library)
        frame = bench.capture(str(log)).frame
        assert frame["session.client"].notna().sum() == 1


def run(*words):
    return subprocess.run(
        [sys.executable, "-m", "workbench", *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
    )


def test_record_and_replay_on_the_command_line(libraries, tmp_path):
    weblog, sessions = libraries
    out = tmp_path / "rec.scap"
    words = ("--open", LOG, "--out", out, "--rotate-bytes", "1000000")
    done = run("record", weblog, "--with", sessions, *words)
    assert done.returncode == 0, done.stderr
    paths = [Path(line) for line in done.stdout.splitlines()]
    assert len(paths) > 2
    assert all(p.parent == tmp_path and p.stat().st_size > 0 for p in paths)
    joined = tmp_path / "joined.scap"
    joined.write_bytes(b"".join(p.read_bytes() for p in paths))
    both = ("--with", weblog, "--with", sessions)
    show = ("--where", "evt.is_async = true", "--fields", "session.client")
    done = run("replay", joined, *both, *show, "--format", "csv")
    assert done.returncode == 0, done.stderr
    rows = [line.split(",")[-1] for line in done.stdout.splitlines()[1:]]
    assert rows == SCANNERS
    done = run("replay", joined, *both, "--check")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "all values are the same" in done.stdout


def test_wrong_use_of_record_and_replay_is_status_2(libraries, tmp_path):
    weblog = libraries[0]
    for words in (
        ("record", weblog),
        ("record", weblog, "--out", tmp_path / "x.csv"),
        ("record", weblog, "--out", tmp_path / "x.scap", "--rotate-bytes", "0"),
        ("record", weblog, "--out", tmp_path / "x.parquet", "--rotate-sec", "5"),
        ("replay", tmp_path / "x.scap", "--check"),
        ("replay", tmp_path / "x.scap", "--json"),
    ):
        done = run(*words)
        assert done.returncode == 2, words
        assert done.stdout == ""
    done = run("replay", tmp_path / "none.scap", "--with", weblog)
    assert done.returncode == 1
    assert "none.scap" in done.stderr


def test_fields_of_selected_events_still_know_the_whole_stream(bench):
    events = bench.capture(str(LOG), fields=["weblog.status"])
    full = events.extract("session.errors").frame["session.errors"]
    refused = events.where("weblog.status = 403")
    late = refused.where("session.errors >= 0").extract("session.errors")
    errors = late.frame.set_index("evt.num")["session.errors"]
    full.index = events.frame["evt.num"]
    assert len(errors) == len(refused) > 0
    assert errors.to_list() == full.loc[errors.index].to_list()
    assert errors.max() > 50


@pytest.mark.sanitizer
@pytest.mark.usefixtures("libraries")
def test_the_sanitized_build_is_clean_over_the_log():
    built = []
    for name in ("weblog", "sessions"):
        make_sample(SAMPLES / name, "SAN=1")
        built.append(SAMPLES / name / "_build" / "san" / f"lib{name}.so")
    loop = compiled(
        "stateful_loop",
        *("-g", "-w", "-fsanitize=address,undefined"),
        SAMPLES.parent / "tests" / "bench" / "stateful_loop.c",
        libraries=("-ldl",),
    )
    done = subprocess.run(
        [str(loop), *map(str, built), str(LOG), "weblog"],
        capture_output=True,
        text=True,
        check=False,
        # The loop ends without destroying its plugins.
        env={**os.environ, "ASAN_OPTIONS": "detect_leaks=0"},
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[1] == "21457"
    assert "runtime error" not in done.stderr
