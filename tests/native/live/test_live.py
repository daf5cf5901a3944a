from __future__ import annotations

import re
import subprocess
import sys
import time

import pyarrow as pa
import pytest

import workbench as wb
from tests.support.waiting import wait_until
from workbench.captures.scap import read_scap


def metrics(plugin):
    return {row["name"]: row["value"] for row in plugin.metrics}


def said(plugin, severity="info", *, lines=0):
    """The lines of the log; the log may come after the events, so wait for so many."""

    def found():
        return [line.message for line in plugin.log if line.severity == severity]

    wait_until(lambda: len(found()) >= lines, 20, f"{lines} {severity} lines")
    return found()


def warned(plugin, words):
    """Wait for the warning with these words and return it."""

    def found():
        return [m for m in said(plugin, "warning") if words in m]

    return wait_until(found, 20, f"a warning: {words}")[0]


def test_a_plain_capture_has_no_async_events(busy):
    plugin = busy("plain")
    events = plugin.capture()
    assert len(events) == 50
    assert not events.frame["evt.is_async"].any()
    assert events.frame["evt.asynctype"].isna().all()
    # Parsed before extraction, each once.
    assert events.frame["busy.parsed"].to_list() == list(range(1, 51))


def test_every_check_of_an_async_event_is_told_in_the_frameworks_words(busy):
    plugin = busy("kinds")
    events = plugin.capture()
    assert said(plugin, lines=7)[1:] == [
        "incompatible async event 'unheard' produced by plugin: busy",
        "malformed async event produced by plugin: busy",
        "malformed async event produced by plugin: busy",
        "malformed async event produced by plugin: busy",
        (
            "async events of plugin 'busy' can have no thread associated with open "
            "event source 'busy'"
        ),
        "async event sent with an owner that is not, or no longer, valid",
    ]
    assert len(events) == 52
    assert metrics(plugin)["refused"] == 5
    assert warned(plugin, "more than 10 seconds in the future")


def test_async_events_get_time_and_id_and_come_first(busy):
    plugin = busy("kinds")
    before = time.time_ns()
    events = plugin.capture()
    frame = events.frame
    assert frame["evt.is_async"].to_list()[:3] == [True, True, False]
    assert frame["evt.asynctype"].to_list()[:2] == ["tick", "tick"]
    raw = events.table["raw"].to_pylist()
    stamped, early = (int.from_bytes(r[:8], "little") for r in raw[:2])
    assert before <= stamped <= time.time_ns()
    assert early == 1
    # The plugin wrote id 77; the framework puts that of the open source.
    assert int.from_bytes(raw[0][38:42], "little") == 999
    assert raw[0][42:] == b"tick\0good"
    assert frame["evt.num"].to_list() == list(range(1, 53))
    assert frame["evt.source"].unique().tolist() == ["busy"]
    assert frame["busy.parsed"].to_list() == list(range(1, 53))


@pytest.mark.parametrize("keep_events", [True, False])
def test_async_events_are_told_apart_whether_events_are_kept_or_not(busy, keep_events):
    wanted = ["evt.is_async", "evt.asynctype", "evt.pluginname", "evt.plugininfo"]
    events = busy("kinds").capture(fields=wanted, keep_events=keep_events)
    assert events.keeps_raw is keep_events
    frame = events.frame
    assert list(frame.columns[3:]) == wanted
    assert frame["evt.is_async"].to_list() == [True] * 2 + [False] * 50
    assert frame["evt.asynctype"].notna().to_list() == [True] * 2 + [False] * 50
    for name in ("evt.pluginname", "evt.plugininfo"):
        assert frame[name].isna().to_list() == [True] * 2 + [False] * 50, name


def test_async_events_of_threads_are_merged_while_the_source_runs(busy):
    plugin = busy("threads")
    events = plugin.capture()
    count = int(events.frame["evt.is_async"].sum())
    assert count > 20
    assert metrics(plugin)["parsed_async"] == count
    assert len(events) == 50 + count
    asynchronous = events.frame["evt.is_async"].to_list()
    assert any(asynchronous[:-1] != asynchronous[1:] for _ in range(1))
    assert len(events.where("evt.asynctype = tick")) == count


def test_a_flood_while_closing_ends_and_every_drop_is_counted(busy):
    plugin = busy("flood")
    began = time.monotonic()
    events = plugin.capture("2000")
    assert time.monotonic() - began < 60
    counted = warned(plugin, "async events of")
    given, full, _, late = map(int, re.findall(r"(\d+) (?:delivered|dropped|because|came)",
                                               counted.replace("10 seconds", "")))  # fmt: skip
    assert int(events.frame["evt.is_async"].sum()) == given
    assert given + full + late == metrics(plugin)["sent"]
    assert int((~events.frame["evt.is_async"]).sum()) == 2000


@pytest.mark.parametrize("mode", ["late", "late-sync"])
def test_events_sent_too_late_are_no_rows_but_are_counted(busy, mode):
    plugin = busy(mode)
    assert len(plugin.capture()) == 50
    assert warned(plugin, "1 came too late")


def test_threads_that_send_on_after_the_end_are_refused(busy):
    plugin = busy("stubborn")
    plugin.capture()
    refused = metrics(plugin)["refused"]
    wait_until(lambda: metrics(plugin)["refused"] > refused, 20, "more is refused")
    assert len(plugin.capture("10")) >= 10


def test_routines_run_on_other_threads_one_at_a_time(busy):
    plugin = busy("routine")
    plugin.capture()
    wait_until(lambda: "subscribed" in said(plugin), 20, "the plugin subscribed")
    assert "a routine ran twice at once" not in said(plugin)
    runs = metrics(plugin)["runs"]
    assert runs > 10
    # Nothing tells that a routine is not to run again.
    time.sleep(0.05)
    assert metrics(plugin)["runs"] == runs


def test_a_routine_that_returns_false_runs_no_more(busy):
    plugin = busy("routine-once")
    plugin.capture()
    assert metrics(plugin)["runs"] == 1


def test_misuse_of_routines_is_an_error_with_words(busy):
    plugin = busy("routine-misuse")
    plugin.capture()
    assert said(plugin, lines=7)[1:] == [
        "subscribed",
        "unsubscribe: the routine handle is not valid",
        "subscribe: the routine is null",
        "a stranger may not subscribe",
        "unsubscribed",
        "not twice",
    ]


@pytest.mark.parametrize(
    ("mode", "call", "words"),
    [
        (
            "refuse-handler",
            "plugin_set_async_event_handler",
            "can't set async event handler for plugin 'busy' : no thank you",
        ),
        (
            "refuse-open",
            "plugin_capture_open",
            "capture_open error for plugin 'busy' : not today",
        ),
    ],
)
def test_a_plugin_that_refuses_the_capture_is_a_failure(busy, mode, call, words):
    plugin = busy(mode)
    with pytest.raises(wb.PluginFailure) as caught:
        plugin.capture()
    assert (caught.value.message, caught.value.call) == (words, call)
    closed = [c.function for c in plugin.trace if c.function == "plugin_close"]
    assert len(closed) == 1
    assert plugin.set_config("plain")
    assert len(plugin.capture()) == 50


def test_a_failing_capture_close_is_a_warning_and_loses_nothing(busy):
    plugin = busy("close-fails")
    assert len(plugin.capture()) == 50
    words = "capture_close error for plugin 'busy' : cannot let go"
    assert said(plugin, "warning", lines=1) == [words]


@pytest.mark.crash
@pytest.mark.parametrize(
    ("mode", "error", "call", "seen"),
    [
        ("parse-crashes", "PluginCrashed", "plugin_parse_event", (3, 2)),
        ("parse-hangs", "PluginHung", "plugin_parse_event", (3, 2)),
        ("close-crashes", "PluginCrashed", "plugin_capture_close", (None, 50)),
        ("close-hangs", "PluginHung", "plugin_capture_close", (None, 50)),
        ("routine-hangs", "PluginHung", "plugin_capture_close", (None, 50)),
    ],
)
def test_faults_beside_the_stream_name_the_call_and_keep_the_rows(
    busy, mode, error, call, seen
):
    number, rows = seen
    plugin = busy(mode, call_timeout_sec=1)
    with pytest.raises(getattr(wb, error)) as caught:
        plugin.capture()
    assert caught.value.call == call
    if number is not None:
        assert caught.value.event_number == number
    assert len(caught.value.events) == rows
    # The next call works, in a new host.
    assert metrics(plugin)["parsed"] == 0


def test_misuse_of_tables_is_an_error_with_words(busy):
    plugin = busy("tables")
    assert len(plugin.capture()) == 50
    words = [m.split(":")[0] for m in said(plugin, lines=6)]
    assert words == [
        "get_table",
        "double release",
        "use after release",
        "foreign field",
        "foreign table",
        "destroy",
    ]
    assert all(len(m.split(": ", 1)[1]) > 10 for m in said(plugin))


def test_tables_are_dataframes_of_what_plugins_keep(busy_library):
    with wb.Workbench() as bench:
        bench.load(busy_library, config="tables")
        assert list(bench.tables) == ["threads"]
        assert len(bench.tables["threads"]) == 0
        bench.capture()
        tables = bench.tables
        threads = tables["threads"]
        assert threads.index.to_list() == [7]
        assert threads.loc[7, "comm"] == "name"
        assert threads.loc[7, "tid"] == 7
        assert threads.loc[7, "busy"] == 5
        assert threads.loc[7, "file_descriptors"] == 0
        assert str(threads["busy"].dtype) == "UInt64"
        fields = tables.fields
        assert fields[fields["field"] == "cwd"]["read_only"].to_list() == [True]
        assert "'threads': 1 entries, 33 fields" in repr(tables)
        assert "<td" in tables._repr_html_()
        row = tables.to_pandas().iloc[0]
        assert (row["owner"], row["key_type"], row["entries"]) == (
            "built-in",
            "int64",
            1,
        )


def test_metrics_are_named_and_typed(busy):
    plugin = busy("plain")
    rows = {row["name"]: row for row in plugin.metrics}
    assert rows["sent"] == {"name": "sent", "type": "monotonic", "value": 0}
    assert rows["level"] == {"name": "level", "type": "non_monotonic", "value": 0.5}


def test_metrics_of_plugin_api_3_5_are_renumbered(compile_busy):
    with wb.load(compile_busy("-DBUSY_3_5"), config="plain") as plugin:
        rows = {row["name"]: row for row in plugin.metrics}
    assert rows["sent"] == {"name": "sent", "type": "monotonic", "value": 0}
    assert rows["level"] == {"name": "level", "type": "non_monotonic", "value": 0.5}


def test_a_config_is_set_while_the_source_runs_and_lines_keep_their_severity(busy):
    plugin = busy("plain")
    with plugin.open("100") as capture:
        next(capture.record_batches())
        assert plugin.set_config("loud")
        assert not plugin.set_config("refused")

    def same():
        return [line for line in plugin.log if line.message == "a line"]

    wait_until(lambda: len(same()) >= 8, 20, "eight lines")
    lines = same()
    assert [line.severity for line in lines] == [
        "fatal", "critical", "error", "warning", "notice", "info", "debug", "trace",
    ]  # fmt: skip
    assert [line.component for line in lines[:2]] == ["part", "busy"]


@pytest.mark.parametrize("mode", ["kinds", "routine", "tables", "threads"])
def test_the_same_happens_in_the_kernel_itself(busy, mode):
    plugin = busy(mode, isolation="none")
    assert len(plugin.capture()) >= 50


def test_stored_events_are_parsed_anew_in_fresh_state(busy):
    plugin = busy("kinds")
    events = plugin.capture(fields=["evt.is_async"])
    assert metrics(plugin)["parsed"] == 52
    again = events.extract("busy.parsed").frame["busy.parsed"].to_list()
    assert again == list(range(1, 53))
    assert metrics(plugin)["parsed"] == 52


def run(*words):
    return subprocess.run(
        [sys.executable, "-m", "workbench", *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_recording_begins_with_the_state_of_the_plugins(busy_library, tmp_path):
    path = tmp_path / "x.scap"
    done = run("record", busy_library, "--config", "plain", "--out", path)
    assert (done.returncode, done.stdout) == (0, f"{path}\n"), done.stderr
    assert "50 events in 1 file (end: eof)" in done.stderr
    contents = read_scap(path, sources={999: "busy"}, state=True)
    assert contents.table["state_only"].to_pylist() == [True] + [False] * 50
    first = contents.table["raw"][0].as_py()
    # What dump_state writes keeps the id it came with.
    assert int.from_bytes(first[38:42], "little") == 77
    assert first[42:] == b"state\0of things"
    with wb.load(busy_library, config="plain") as plugin:
        events = wb.open_events(path, plugins=[plugin])
        assert events.frame["evt.num"].to_list() == list(range(2, 52))
        # The state was parsed, though it is not shown.
        assert events.frame["busy.parsed"].to_list() == list(range(2, 52))
        assert any("async events before" in note for note in events.origin.notes)


def test_a_failing_dump_is_an_error_of_the_recording(busy_library, tmp_path):
    words = ("--config", "dump-fails", "--out", tmp_path / "x.scap")
    done = run("record", busy_library, *words)
    assert done.returncode == 1
    assert "dump error for plugin 'busy' : nothing to dump" in done.stderr


def test_the_event_texts_of_replay_and_capture_agree(busy, tmp_path):
    plugin = busy("kinds")
    events = plugin.capture()
    events.save(tmp_path / "x.parquet")
    again = wb.open_events(tmp_path / "x.parquet", plugins=[plugin])
    assert again.table["evt.is_async"].to_pylist()[:3] == [True, True, False]
    assert isinstance(again.table, pa.Table)
