from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import signal
import time
from pathlib import Path

import pytest

import workbench as wb
from tests.support.waiting import wait_until
from workbench.__main__ import main


def jsonl(capsys, *words, status=0):
    assert main(["stream", *map(str, words), "--format", "jsonl"]) == status
    out, err = capsys.readouterr()
    return [json.loads(line) for line in out.splitlines()], err


def test_jsonl_has_one_object_per_event(weblog, access_log, capsys):
    rows, err = jsonl(capsys, weblog, "--open", access_log, "--max-events", 50)
    assert err == ""
    assert len(rows) == 50
    first = rows[0]
    assert list(first)[:4] == ["evt.num", "evt.time", "evt.source", "weblog.client"]
    assert [row["evt.num"] for row in rows] == list(range(1, 51))
    assert first["evt.time"].endswith("Z")
    assert len(first["evt.time"]) == len("2023-11-14T22:13:20.000000007Z")
    assert isinstance(first["weblog.status"], int)
    assert isinstance(first["weblog.time"], int)
    assert isinstance(first["weblog.is_error"], bool)


def test_fields_are_shown_in_the_order_asked_for(weblog, access_log, capsys):
    rows, _ = jsonl(
        capsys,
        weblog,
        *("--open", access_log, "--max-events", 3),
        *("--fields", 'weblog.segment[0],weblog.query["a"],evt.reltime,weblog.path'),
    )
    assert list(rows[0])[3:] == [
        "weblog.segment[0]",
        "weblog.query[a]",
        "evt.reltime",
        "weblog.path",
    ]
    assert rows[0]["evt.reltime"] == 0


def test_a_condition_may_name_fields_that_are_not_shown(weblog, access_log, capsys):
    words = (weblog, "--open", access_log, "--fields", "weblog.path")
    rows, err = jsonl(capsys, *words, "--where", "weblog.status >= 500")
    assert err == ""
    with wb.load(weblog) as plugin:
        every = plugin.capture(access_log).frame
    wanted = every[every["weblog.status"] >= 500]
    assert [row["evt.num"] for row in rows] == wanted["evt.num"].tolist()
    assert list(rows[0]) == ["evt.num", "evt.time", "evt.source", "weblog.path"]


def test_it_is_told_that_nothing_matches(weblog, access_log, capsys):
    words = (weblog, "--open", access_log, "--max-events", 5)
    rows, err = jsonl(capsys, *words, "--where", "weblog.status = 999")
    assert rows == []
    assert err == "workbench: none of the 5 events read match --where\n"


def test_a_bad_condition_is_told_before_anything_runs(weblog, access_log, capsys):
    words = ["stream", str(weblog), "--open", access_log, "--where", "weblog.nosuch=1"]
    assert main(words) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert "weblog.nosuch" in err


def test_csv_has_a_header(weblog, access_log, capsys):
    words = ["--open", access_log, "--max-events", "4", "--format", "csv"]
    assert main(["stream", str(weblog), *words]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [row["evt.num"] for row in rows] == ["1", "2", "3", "4"]
    assert "weblog.params" in rows[0]


def test_the_table_is_aligned(weblog, access_log, capsys):
    words = ["--open", access_log, "--max-events", "4", "--fields", "weblog.method"]
    assert main(["stream", str(weblog), *words]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["evt.num", "evt.time", "evt.source", "weblog.method"]
    assert len(lines) == 5
    at = lines[0].index("evt.source")
    assert all(line[at:].startswith("weblog ") for line in lines[1:])


def test_what_events_say_cannot_steer_the_terminal(faulty, capsys):
    assert main(["stream", str(faulty), "--open", "events=3,bytes@extract:2"]) == 0
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert len(out.splitlines()) == 4


@pytest.mark.parametrize("suffix", [".jsonl", ".csv", ".arrow", ".parquet", ".scap"])
def test_out_writes_a_file_by_its_suffix(weblog, access_log, tmp_path, capsys, suffix):
    path = tmp_path / f"events{suffix}"
    words = ["--open", access_log, "--max-events", "500", "--out", str(path)]
    assert main(["stream", str(weblog), *words]) == 0
    assert capsys.readouterr().out == ""
    if suffix == ".jsonl":
        assert len(path.read_text("utf-8").splitlines()) == 500
    elif suffix == ".csv":
        rows = list(csv.DictReader(io.StringIO(path.read_text("utf-8"))))
        assert len(rows) == 500
    else:
        with wb.load(weblog) as plugin:
            events = wb.open_events(path, plugins=plugin)
            direct = plugin.capture(access_log, max_events=500)
            assert len(events) == 500
            assert events.source == "weblog"
            got = events.extract("weblog.path", "weblog.status").frame
        for name in ("weblog.path", "weblog.status"):
            assert got[name].tolist() == direct.frame[name].tolist()


def test_out_keeps_only_what_matches(weblog, access_log, tmp_path):
    path = tmp_path / "events.parquet"
    words = ["--open", access_log, "--where", "weblog.status=404", "--out", str(path)]
    assert main(["stream", str(weblog), *words]) == 0
    statuses = wb.open_events(path).extract("weblog.status").frame["weblog.status"]
    assert len(statuses) > 0
    assert set(statuses) == {404}


def test_an_unknown_suffix_is_told_before_anything_runs(weblog, access_log, capsys):
    words = ["stream", str(weblog), "--open", access_log, "--out", "x.xlsx"]
    assert main(words) == 1
    assert ".parquet" in capsys.readouterr().err


def test_the_rows_before_a_failure_are_printed(sample, capsys):
    library = sample("legacy", "liblegacy_3_0.so")
    rows, err = jsonl(capsys, library, "--open", "5!", status=1)
    assert len(rows) == 5
    assert err.startswith("workbench: ")
    assert "plugin_next_batch" in err


@pytest.mark.crash
def test_the_rows_before_a_crash_are_printed(faulty, tmp_path, capsys):
    words = ["--open", "events=100,segfault@next_batch:65"]
    rows, err = jsonl(capsys, faulty, *words, status=1)
    assert len(rows) == 64
    assert "SIGSEGV" in err
    path = tmp_path / "x.parquet"
    assert main(["stream", str(faulty), *words, "--out", str(path)]) == 1
    assert len(wb.open_events(path)) == 64


def test_timeout_ends_a_live_source(weblog, tmp_path, capsys):
    log = tmp_path / "live.log"
    log.write_text(
        '127.0.0.1 - - [10/Oct/2023:13:55:36 +0000] "GET / HTTP/1.1" 200 5\n'
    )
    words = ("--config", '{"follow":true}', "--open", log, "--timeout", 0.4)
    rows, _ = jsonl(capsys, weblog, *words)
    assert len(rows) == 1


@pytest.mark.cpp
def test_with_loads_an_extractor_beside_it(weblog, access_log, sample, capsys):
    extractor = sample("json_extract", "libjson_extract_all.so")
    words = ("--open", access_log, "--with", extractor, "--max-events", 2)
    rows, _ = jsonl(capsys, weblog, *words)
    assert "jsonx.obj" in rows[0]


# -- as a process ----------------------------------------------------------------------


def opened_by_worker(pid):
    """Give the files that the child processes of a process have open."""
    found = []
    # Workers are children of the thread that starts them.
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            for child in children.read_text().split():
                files = Path(f"/proc/{child}/fd").iterdir()
                found += [str(f.readlink()) for f in files]
    return found


LINE = '127.0.0.1 - - [10/Oct/2023:13:55:36 +0000] "GET /{} HTTP/1.1" 200 5\n'


def live(start, weblog, log, *words, **options):
    return start(
        *("stream", weblog, "--config", '{"follow":true}', "--open", log),
        *("--format", "jsonl", *words),
        **options,
    )


def test_a_live_source_is_printed_as_it_comes_and_ctrl_c_ends_it(
    start, weblog, tmp_path
):
    log = tmp_path / "live.log"
    log.write_text(LINE.format("a"))
    process = live(start, weblog, log)
    assert json.loads(process.stdout.readline())["weblog.path"] == "/a"
    with log.open("a") as more:
        more.write(LINE.format("b"))
    assert json.loads(process.stdout.readline())["weblog.path"] == "/b"
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=10)
    assert process.returncode == 130
    assert err == "workbench: interrupted after 2 events\n"


def test_ctrl_c_keeps_what_was_read_in_the_file(start, weblog, tmp_path):
    log, out = tmp_path / "live.log", tmp_path / "out.parquet"
    log.write_text(LINE.format("a") * 10)
    process = live(start, weblog, log, "--out", out)
    wait_until(
        lambda: str(log) in opened_by_worker(process.pid), 20, "the log is opened"
    )
    # Longer than a started batch waits; what was read shows nowhere before the end.
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=10)
    assert process.returncode == 130
    assert len(wb.open_events(out)) == 10


def test_a_reader_that_goes_away_is_quiet(start, weblog, access_log):
    read, write = os.pipe()
    process = start("stream", weblog, "--open", access_log, stdout=write)
    os.close(write)
    os.read(read, 100)
    os.close(read)
    process.wait(20)
    assert process.stderr.read() == ""
    assert process.returncode == 0
