from __future__ import annotations

import gc
import os
import pickle
import signal
import threading
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import workbench as wb


def lines(path):
    return Path(path).read_bytes().count(b"\n")


def test_capture_reads_to_the_end(plugin, access_log):
    events = plugin.capture(access_log)
    assert len(events) == lines(access_log)
    assert events.end_reason == "eof"
    assert events.source == "weblog"
    frame = events.frame
    assert list(frame.columns[:4]) == [
        "evt.num",
        "evt.time",
        "evt.source",
        "weblog.client",
    ]
    assert frame["evt.num"].tolist() == list(range(1, len(events) + 1))
    # Every declared field that needs no argument is there.
    needed = [n for n, f in plugin.fields.items() if not (f.arg and f.arg.required)]
    assert list(frame.columns[3:]) == needed
    assert frame["weblog.method"].isin(["GET", "POST", "HEAD"]).any()
    assert frame["weblog.status"].dtype == "UInt64"
    assert str(frame["weblog.time"].dtype) == "datetime64[ns, UTC]"
    assert isinstance(frame["weblog.params"].dropna().iloc[0], list)


def test_iterating_gives_frames_per_record_batch(plugin, access_log):
    with plugin.open(access_log, fields=["weblog.path"]) as capture:
        frames = list(capture)
    assert len(frames) > 1
    assert all(isinstance(frame, pd.DataFrame) for frame in frames)
    assert list(frames[0].columns) == [
        "evt.num",
        "evt.time",
        "evt.source",
        "weblog.path",
    ]
    assert sum(map(len, frames)) == lines(access_log) == capture.count
    assert capture.end_reason == "eof"
    assert capture.closed


def test_record_batches_are_arrow(plugin, access_log):
    with plugin.open(access_log, fields=[], keep_events=True) as capture:
        batch = next(capture.record_batches())
    assert isinstance(batch, pa.RecordBatch)
    assert batch.schema.names == ["evt.num", "evt.rawtime", "evt.source", "raw"]
    assert capture.end_reason == "cancelled"


def test_fields_arguments_and_generic_fields(plugin, access_log):
    wanted = ["weblog.segment[0]", "evt.datetime.s", 'weblog.query["page"]', "payload"]
    events = plugin.capture(access_log, fields=wanted, max_events=2000)
    assert list(events.frame.columns[3:]) == [
        "weblog.segment[0]",
        "evt.datetime.s",
        "weblog.query[page]",
        "payload",
    ]
    assert len(events) == 2000
    assert events.end_reason == "limit"
    pages = events.frame["weblog.query[page]"].dropna()
    assert len(pages)
    assert all(str(page).isdigit() for page in pages[:10])
    assert isinstance(events.frame["payload"][0], bytes)


def test_one_field_per_call_gives_the_same_values(plugin, access_log):
    together = plugin.capture(access_log, max_events=500)
    plugin.one_field_per_call = True
    assert plugin.one_field_per_call
    alone = plugin.capture(access_log, max_events=500)
    columns = list(together.frame.columns)
    columns.remove("evt.time")
    assert alone.frame[columns].equals(together.frame[columns])


def test_no_events_at_all(plugin, access_log):
    events = plugin.capture(access_log, max_events=0)
    assert len(events) == 0
    assert events.end_reason == "limit"
    assert "weblog.path" in events.frame
    assert events.frame["weblog.status"].dtype == "UInt64"
    assert len(events.where("weblog.status = 200")) == 0


@pytest.mark.parametrize("limit", [-1, "10", 2.5, True])
def test_a_limit_that_is_no_count_is_refused_before_opening(plugin, access_log, limit):
    with pytest.raises(wb.WorkbenchError, match="max_events is a whole number"):
        plugin.capture(access_log, max_events=limit)
    assert len(plugin.capture(access_log, max_events=np.int64(2))) == 2


@pytest.mark.parametrize("limit", [-1, "10", float("nan")])
def test_a_time_that_is_no_number_is_refused_before_opening(plugin, access_log, limit):
    with pytest.raises(wb.WorkbenchError, match="timeout_sec is a number of seconds"):
        plugin.capture(access_log, timeout_sec=limit)
    assert len(plugin.capture(access_log, max_events=2, timeout_sec=np.float64(9))) == 2


def test_no_fields_at_all(plugin, access_log):
    events = plugin.capture(access_log, fields=[], max_events=5)
    assert list(events.frame.columns) == ["evt.num", "evt.time", "evt.source"]


def test_plugin_info_is_the_plugins_own_text(plugin, access_log):
    asked = plugin.capture(access_log, fields=["evt.plugininfo"], max_events=50)
    later = plugin.capture(access_log, fields=[], max_events=50)
    texts = asked["evt.plugininfo"].tolist()
    assert later["evt.plugininfo"].tolist() == texts
    assert all(texts)


def test_plugin_info_without_kept_events(plugin, access_log):
    events = plugin.capture(
        access_log, fields=["evt.plugininfo"], max_events=5, keep_events=False
    )
    assert not events.keeps_raw
    assert "payload" not in events.frame
    assert all(events["evt.plugininfo"])


@pytest.mark.parametrize(
    ("field", "message"),
    [
        ("weblog.nosuch", "nonexistent field weblog.nosuch"),
        ("weblog.segment", "requires an argument"),
        ("weblog.segment[x]", "not composed only by digits"),
        ("weblog.path[1]", "does not allow nor require an argument"),
        ("weblog.query[", "expected a valid field argument"),
        ("", "expected a field name"),
    ],
)
def test_a_wrong_field_is_one_clear_error_and_the_next_call_works(
    plugin, access_log, field, message
):
    with pytest.raises(wb.ConditionError, match=message.replace("[", r"\[")):
        plugin.capture(access_log, fields=[field])
    assert len(plugin.capture(access_log, max_events=3)) == 3


def test_fields_is_a_list(plugin):
    with pytest.raises(TypeError, match="list of field texts"):
        plugin.capture(fields="weblog.path")


def test_bad_open_params_are_an_open_error_with_the_plugins_words(plugin, access_log):
    with pytest.raises(wb.PluginOpenError) as caught:
        plugin.capture("/no/such/file.log")
    error = caught.value
    assert error.params == "/no/such/file.log"
    assert error.last_error
    assert error.last_error in str(error)
    assert len(plugin.capture(access_log, max_events=3)) == 3


def test_a_second_open_says_that_one_is_open(plugin, access_log):
    with (
        plugin.open(access_log),
        pytest.raises(wb.PluginOpenError, match="open capture already"),
    ):
        plugin.open(access_log)
    assert len(plugin.capture(access_log, max_events=3)) == 3


def seconds_of_captures_after_left_ones(library, isolation):
    """Leave three long captures at their start; the seconds of a short one after each."""
    took = []
    with wb.load(library, isolation=isolation) as plugin:
        for _ in range(3):
            with plugin.open("events=1000000,batch=128", keep_events=True) as capture:
                next(capture.record_batches())
                # Long enough for the worker to fill what may be in flight.
                time.sleep(0.2)
            began = time.monotonic()
            assert len(plugin.capture("events=5")) == 5
            took.append(time.monotonic() - began)
    return took


@pytest.mark.parametrize("isolation", ["process", "none"])
def test_captures_left_before_their_end_are_no_hindrance(faulty, isolation):
    assert max(seconds_of_captures_after_left_ones(faulty, isolation)) < 20


@pytest.mark.timing
@pytest.mark.parametrize("isolation", ["process", "none"])
def test_captures_left_before_their_end_do_not_slow_the_next(faulty, isolation):
    assert max(seconds_of_captures_after_left_ones(faulty, isolation)) < 1


def test_a_capture_that_nobody_has_any_more_is_closed(plugin, access_log):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for frame in plugin.open(access_log):
            assert len(frame)
            break
        gc.collect()
    assert [w.category for w in caught] == [ResourceWarning]
    assert len(plugin.capture(access_log, max_events=3)) == 3


def test_open_params_are_a_text_or_a_path(plugin, access_log):
    assert len(plugin.capture(Path(access_log), max_events=3)) == 3
    with pytest.raises(TypeError, match="a text without NUL, or a Path, not a dict"):
        plugin.capture({"file": access_log})


def test_fields_of_stored_events_are_extracted_later(plugin, access_log):
    events = plugin.capture(access_log, fields=["weblog.path"], max_events=3000)
    direct = plugin.capture(
        access_log, fields=["weblog.status", "weblog.query[q]"], max_events=3000
    )
    more = events.extract("weblog.status", "weblog.query[q]")
    assert list(more.frame.columns[3:]) == [
        "weblog.path",
        "weblog.status",
        "weblog.query[q]",
    ]
    for name in ("weblog.status", "weblog.query[q]"):
        assert more.frame[name].tolist()[:10] == direct.frame[name].tolist()[:10]
        wanted = direct.frame[name].astype(object).fillna("-").tolist()
        assert more.frame[name].astype(object).fillna("-").tolist() == wanted


def test_conditions_extract_what_was_not_captured(plugin, access_log):
    events = plugin.capture(access_log, fields=[], max_events=2000)
    hits = events.where("weblog.status >= 400 and weblog.query[q] exists")
    every = plugin.capture(access_log, max_events=2000).frame
    assert set(hits.frame["evt.num"]) <= set(every["evt.num"])
    mask = events.mask("weblog.status >= 400")
    assert mask.dtype == bool
    assert mask.sum() == (every["weblog.status"] >= 400).sum()


def test_extraction_while_a_capture_runs_uses_another_host(plugin, access_log):
    events = plugin.capture(access_log, fields=[], max_events=10)
    with plugin.open(access_log) as capture:
        first = next(iter(capture))
        assert len(events.extract("weblog.path").frame["weblog.path"]) == 10
        rest = sum(len(frame) for frame in capture)
    assert len(first) + rest == lines(access_log)


def test_timeout_ends_a_source_that_waits(weblog, tmp_path):
    log = tmp_path / "live.log"
    log.write_text(
        '127.0.0.1 - - [10/Oct/2023:13:55:36 +0000] "GET / HTTP/1.1" 200 5\n'
    )
    with wb.load(weblog, config={"follow": True}) as plugin:
        began = time.monotonic()
        events = plugin.capture(str(log), timeout_sec=0.5)
        assert time.monotonic() - began >= 0.4
        assert len(events) == 1
        assert events.end_reason == "limit"


@pytest.mark.crash
def test_timeout_ends_a_source_that_hangs(faulty):
    with wb.load(faulty) as plugin:
        events = plugin.capture("events=1000,hang@next_batch:65", timeout_sec=0.3)
        assert len(events) == 64
        assert events.end_reason == "limit"
        assert len(plugin.capture("events=7")) == 7


def test_stop_from_another_thread(weblog, tmp_path):
    log = tmp_path / "live.log"
    log.write_text(
        '127.0.0.1 - - [10/Oct/2023:13:55:36 +0000] "GET / HTTP/1.1" 200 5\n'
    )
    with (
        wb.load(weblog, config={"follow": True}) as plugin,
        plugin.open(str(log)) as capture,
    ):
        timer = threading.Timer(0.3, capture.stop)
        timer.start()
        rows = sum(len(frame) for frame in capture)
        timer.join()
        assert rows == 1
        assert capture.end_reason == "cancelled"


def test_progress_is_what_the_plugin_says(plugin, access_log):
    with plugin.open(access_log) as capture:
        next(capture.record_batches())
        progress = capture.progress
        assert progress.percent is None or 0 <= progress.percent <= 100


def test_a_progress_bar_goes_to_stderr_when_asked_for(plugin, access_log, capsys):
    plugin.capture(access_log, progress=True)
    out, err = capsys.readouterr()
    assert out == ""
    assert "weblog" in err
    plugin.capture(access_log)
    assert capsys.readouterr().err == ""


# -- failures and crashes --------------------------------------------------------------


@pytest.mark.parametrize("isolation", ["process", "none"])
def test_a_failure_on_the_way_carries_what_was_read(legacy, isolation):
    with wb.load(legacy("3_0"), isolation=isolation) as plugin:
        with pytest.raises(wb.PluginFailure) as caught:
            plugin.capture("5!")
        assert len(caught.value.events) == 5
        assert caught.value.events.end_reason == "failure"
        assert len(plugin.last_events) == 5
        assert len(plugin.capture("4")) == 4


def test_iterating_gives_the_rows_before_the_failure(legacy):
    with wb.load(legacy("3_0")) as plugin, plugin.open("5!") as capture:
        rows = []
        with pytest.raises(wb.PluginFailure):
            rows += [len(frame) for frame in capture]
        assert capture.count == 5
        assert capture.end_reason == "failure"


@pytest.mark.crash
@pytest.mark.parametrize("call", ["next_batch", "extract"])
def test_a_crash_carries_the_rows_and_the_next_call_works(faulty, call):
    with wb.load(faulty) as plugin:
        with pytest.raises(wb.PluginCrashed) as caught:
            plugin.capture(f"events=1000,segfault@{call}:501")
        error = caught.value
        assert error.signal == signal.SIGSEGV
        assert error.reason == "signal"
        assert 480 <= len(error.events) <= 500
        assert error.events.end_reason == "crashed"
        # The next call brings up another process by itself.
        assert len(plugin.capture("events=7")) == 7
        assert error.events.extract(next(iter(plugin.fields)))
        copy = pickle.loads(pickle.dumps(error))
        assert len(copy.events) == len(error.events)


@pytest.mark.crash
def test_a_hang_is_ended_after_the_limit(faulty):
    with wb.load(faulty, call_timeout_sec=0.5) as plugin:
        with pytest.raises(wb.PluginHung) as caught:
            plugin.capture("events=1000,hang@next_batch:101")
        assert caught.value.events.end_reason == "hung"
        assert len(plugin.capture("events=7")) == 7


@pytest.mark.crash
def test_a_crash_in_a_later_extraction_leaves_the_events_alone(faulty):
    with wb.load(faulty) as plugin:
        events = plugin.capture("events=20", fields=[])
        field = next(iter(plugin.fields))
        assert len(events.extract(field)) == 20


# -- Ctrl-C ----------------------------------------------------------------------------


# More than is read until the interrupt: an interrupt that is lost must not cost all of
# the memory there is.
BOUNDS = {"max_events": 3_000_000, "timeout_sec": 10}


def interrupt_soon(seconds):
    timer = threading.Timer(seconds, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    return timer


@pytest.mark.parametrize("fault", ["slow=20@next_batch", "hang@next_batch:65"])
def test_ctrl_c_keeps_what_was_read(faulty, fault):
    with wb.load(faulty) as plugin:
        timer = interrupt_soon(0.5)
        with pytest.raises(KeyboardInterrupt) as caught:
            plugin.capture(f"events=1000000000,batch=32,{fault}", **BOUNDS)
        timer.join()
        assert len(caught.value.events) >= 32
        assert caught.value.events.end_reason == "cancelled"
        assert plugin.last_events is caught.value.events
        assert "plugin.last_events" in str(caught.value)
        assert len(plugin.capture("events=5")) == 5


@pytest.mark.timing
@pytest.mark.parametrize("fault", ["slow=20@next_batch", "hang@next_batch:65"])
def test_ctrl_c_is_answered_at_once(faulty, fault):
    with wb.load(faulty) as plugin:
        timer = interrupt_soon(0.5)
        began = time.monotonic()
        with pytest.raises(KeyboardInterrupt):
            plugin.capture(f"events=1000000000,batch=32,{fault}", **BOUNDS)
        assert time.monotonic() - began - 0.5 < 0.4
        timer.join()


def test_ctrl_c_while_iterating(faulty):
    with wb.load(faulty) as plugin:
        timer = interrupt_soon(0.3)
        with (
            pytest.raises(KeyboardInterrupt),
            plugin.open("events=10000000,slow=20@next_batch") as capture,
        ):
            for _ in capture:
                pass
        timer.join()
        assert capture.closed
        assert len(plugin.capture("events=5")) == 5


# -- understanding ---------------------------------------------------------------------


@pytest.fixture
def events(plugin, access_log):
    return plugin.capture(access_log, max_events=3000)


CONDITION = "weblog.status >= 400 and weblog.method = POST and weblog.path contains o"


def test_an_explanation_shows_verdicts_values_and_bytes(events):
    number = int(events.where("weblog.method = POST").frame["evt.num"].iloc[0])
    text = str(events.explain(number, CONDITION))
    assert "weblog.method" in text
    assert "POST" in text
    assert events.explain(number, CONDITION)._repr_html_()
    with pytest.raises(KeyError, match="no event 999999 here"):
        events.explain(999_999, CONDITION)


def test_places_of_values_lie_in_the_stored_event(events):
    row = events[:1]
    table = events._maker.with_places(row.table, ["weblog.method", "weblog.path"])
    raw = table.column("raw")[0].as_py()
    for name in ("weblog.method", "weblog.path"):
        start = table.column(f"{name}#start")[0].as_py()
        size = table.column(f"{name}#len")[0].as_py()
        assert raw[start : start + size].decode() == row.frame[name][0]


def test_the_funnel_and_the_near_misses_count_rows(events):
    funnel = events.funnel(CONDITION)
    assert "weblog.method" in str(funnel)
    misses = events.near_misses(CONDITION)
    assert len(misses)
    hits = events.where(CONDITION)
    assert set(hits.frame["weblog.method"]) <= {"POST"}


def test_a_condition_error_points_at_the_place(events):
    with pytest.raises(wb.ConditionError) as caught:
        events.where("weblog.status = 200 and weblog.pth = x")
    assert caught.value.position is not None
    assert caught.value.line == 1
    assert "weblog.path" in str(caught.value)
