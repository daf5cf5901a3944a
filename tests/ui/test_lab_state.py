from __future__ import annotations

import gc
import threading
import time

import numpy as np
import pandas as pd
import pytest

import workbench as wb
from tests.support.waiting import wait_until
from workbench.ui.state import condition_queries as engine
from workbench.ui.state.model import LabModel
from workbench.ui.state.stream import Limits, Stream


def test_a_condition_from_python_gives_matches_marks_and_counts(lab_of, events_of):
    events = events_of(2000)
    lab = lab_of(events)
    lab.condition = "web.status = 404 and web.method = POST"
    frame = events.frame
    expected = frame[(frame["web.status"] == 404) & (frame["web.method"] == "POST")]
    pd.testing.assert_series_equal(
        lab.matches["evt.num"], expected["evt.num"].reset_index(drop=True)
    )
    assert lab.table.widget.counts["match"] == len(expected)
    assert lab.condition_part.verdict.state["matches"] == len(expected)
    marks = lab.model.matcher.marks(np.arange(2000))
    assert set(np.flatnonzero(marks == 1) + 1) == set(expected["evt.num"])


def test_text_typed_in_the_browser_is_the_condition_of_python(lab_of, events_of):
    lab = lab_of(events_of())
    lab.condition_part.editor.text = "web.status = 500"
    lab.settle()
    assert lab.condition == "web.status = 500"
    assert (lab.matches["web.status"] == 500).all()


def test_a_wrong_condition_is_a_complaint_at_its_place(lab_of, events_of):
    lab = lab_of(events_of())
    lab.condition = "web.methd = POST"
    checked = lab.condition_part.editor.checked
    assert checked["text"] == lab.condition
    first = checked["diagnostics"][0]
    assert (first["severity"], first["from"]) == ("error", 0)
    assert "web.method" in first["message"] + first["hint"]
    assert lab.condition_part.verdict.state["valid"] is False
    assert len(lab.matches) == 0


def test_places_of_complaints_count_utf16_units(lab_of, events_of):
    lab = lab_of(events_of())
    lab.condition = 'web.path = "\N{PILE OF POO}é" and nope.field = 1'
    first = lab.condition_part.editor.checked["diagnostics"][0]
    units = lab.condition.encode("utf-16-le")
    assert (
        units[2 * first["from"] : 2 * first["to"]]
        .decode("utf-16-le")
        .startswith("nope.field")
    )


def test_selection_goes_to_python_in_order(lab_of, events_of):
    lab = lab_of(events_of())
    lab.table.widget.selected = [7, 3]
    lab.settle()
    assert lab.selection["evt.num"].tolist() == [8, 4]
    assert lab.detail.widget.state["title"] == "Event 4 and 1 more"
    with pytest.raises(KeyError, match="no event 99999"):
        lab.select(99999)


def test_positions_from_the_browser_that_do_not_exist_are_dropped(lab_of, events_of):
    lab = lab_of(events_of(10))
    lab.table.widget.selected = [3, 10, -1, 10**9]
    lab.settle()
    assert lab.model.selection == [3]


def test_rows_are_sent_for_the_view_asked_for(lab_of, events_of):
    lab = lab_of(events_of())
    sent = []
    lab.table.widget.send = sent.append
    lab.condition = "web.status = 404"
    lab.table.widget.show = "match"
    lab.table.widget.sort = ["evt.num", "desc"]
    lab.settle()
    lab.table.widget.receive(
        None, {"do": "rows", "first": 0, "count": 10**9, "version": 0}
    )
    message = sent[-1]
    assert message["version"] == lab.table.widget.version
    assert len(message["rows"]) == min(400, lab.table.widget.total)
    numbers = [int(row[3]) for row in message["rows"]]
    assert numbers == sorted(numbers, reverse=True)
    assert {row[1] for row in message["rows"]} == {1}


def test_a_brush_restricts_table_and_counts(lab_of, events_of):
    lab = lab_of(events_of(1000))
    lab.condition = "web.status = 404"
    bins = lab.model.axis.bins
    lab.timeline.widget.receive(
        None,
        {"do": "brush", "range": [0, len(bins.counts) / 2], "version": bins.version},
    )
    lab.settle()
    inside = lab.model.axis.within
    assert 0 < inside.sum() < 1000
    assert lab.table.widget.total == inside.sum()
    assert lab.table.widget.counts["match"] == (inside & lab.model.matcher.mask).sum()
    lab.timeline.widget.receive(
        None, {"do": "brush", "range": None, "version": bins.version}
    )
    lab.settle()
    assert lab.table.widget.total == 1000


def test_clicking_a_value_adds_its_check(lab_of, events_of):
    lab = lab_of(events_of())
    lab.condition = "web.status = 404 or web.status = 500"
    lab.detail.widget.receive(None, {"do": "values", "field": "web.method"})
    first = lab.detail.widget.state["values"]["rows"][0]["check"]
    lab.detail.widget.receive(
        None, {"do": "add_value", "field": "web.method", "index": 0}
    )
    lab.settle()
    assert lab.condition == f"(web.status = 404 or web.status = 500) and {first}"
    assert lab.condition_part.editor.text == lab.condition


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "c"),
        ("a = 1", "a = 1 and c"),
        ("a = 1 or b = 2", "(a = 1 or b = 2) and c"),
        ("(a = 1 or b = 2)", "(a = 1 or b = 2) and c"),
        ("a = ' or '", "a = ' or ' and c"),
    ],
)
def test_an_added_check_binds_to_the_whole(text, expected):
    assert engine.and_check(text, "c") == expected


def test_labels_come_back_with_the_events(lab_of, events_of):
    lab = lab_of(events_of())
    lab.select(5)
    lab.detail.widget.receive(None, {"do": "label", "value": "not"})
    lab.select(6, 7)
    lab.detail.widget.receive(None, {"do": "label", "value": "match"})
    assert lab.events.labels == {5: False, 6: True, 7: True}
    lab.select(5)
    lab.detail.widget.receive(None, {"do": "label", "value": "none"})
    assert lab.events.labels == {6: True, 7: True}


def test_the_same_target_gives_the_same_lab(events_of):
    events = events_of()
    lab = wb.lab(events)
    try:
        assert wb.lab(events) is lab
    finally:
        lab.close()


def test_only_targets_are_taken():
    with pytest.raises(
        TypeError, match="takes a Plugin, a Workbench or Events, not int"
    ):
        wb.lab(5)


def test_a_failing_handler_is_told_on_screen(lab_of, events_of):
    lab = lab_of(events_of())
    lab.condition = "web.status = 404"
    lab.plugin_part.widget.receive(None, {"do": "load", "path": "/nonexistent/lib.so"})
    assert "no such file" in lab.plugin_part.widget.state["error"]
    lab.rule_part.result.receive(
        None, {"do": "save", "path": "/nonexistent/x/rules.yaml"}
    )
    assert (
        "nonexistent" in lab.nav.state["notice"] + lab.rule_part.result.state["saved"]
    )


def test_shown_code_runs_and_gives_the_same_matches(lab_of, events_of):
    events = events_of()
    lab = lab_of(events)
    lab.condition = 'web.path contains "passwd" and\nweb.status = 404'
    code = lab.code.replace('wb.open_events("events.parquet")', "given")
    space = {"given": events, "print": lambda *_: None}
    exec(compile("\n".join(code.splitlines()[:-1]), "cell", "exec"), space)
    assert len(space["matches"]) == len(lab.matches) > 0


def test_the_static_summary_escapes_what_events_say(lab_of, events_of):
    lab = lab_of(events_of())
    lab.condition = 'web.path = "<script>alert(1)</script>"'
    data, _ = lab._repr_mimebundle_()
    assert "<script>" not in data["text/html"]
    assert "&lt;script&gt;" in data["text/html"]
    assert "1,000" in data["text/plain"]


class FakeCapture:
    """A source that gives prepared batches; the real ones are tested with plugins."""

    end_reason = None

    def __init__(self, table, pause=0.0, error=None):
        self.table, self.pause, self.error = table, pause, error
        self.stopped = threading.Event()

    def record_batches(self):
        for batch in self.table.to_batches(max_chunksize=100):
            if self.stopped.is_set():
                break
            yield batch
            self.stopped.wait(self.pause)
        if self.error:
            raise self.error
        self.end_reason = "cancelled" if self.stopped.is_set() else "eof"

    def stop(self):
        self.stopped.set()

    def close(self):
        pass


def run_stream(capture, **limits):
    got = []
    full = {"events": 10**6, "seconds": 60, "mebibytes": 100, **limits}
    stream = Stream(capture, deliver=got.append, limits=Limits(**full))
    stream.start()
    assert stream.wait(10)
    return stream, sum(batch.num_rows for batch in got)


def test_a_stream_stops_exactly_at_its_limit_of_events(table_of):
    stream, rows = run_stream(FakeCapture(table_of(5000)), events=1234)
    assert rows == 1234
    assert stream.phase == "ended"
    assert "1\u202f234 events" in stream.ended_by


def test_a_stream_stops_soon_after_its_limit_of_seconds(table_of):
    # Without a limit it would take 50 batches.
    _, rows = run_stream(FakeCapture(table_of(5000), pause=0.1), seconds=0.3)
    assert rows < 2000


def test_a_paused_stream_takes_no_rows(table_of):
    got = []
    stream = Stream(
        FakeCapture(table_of(5000), pause=0.01),
        deliver=got.append,
        limits=Limits(10**6, 60, 100),
    )
    stream.start()
    stream.pause()
    # Nothing tells that nothing comes: wait, first for a batch that was on its way.
    time.sleep(0.15)
    seen = len(got)
    time.sleep(0.15)
    assert len(got) == seen
    assert stream.phase == "paused"
    stream.resume()
    assert stream.wait(10)
    assert sum(b.num_rows for b in got) == 5000


def test_rows_before_an_error_are_kept(table_of):
    stream, rows = run_stream(
        FakeCapture(table_of(500), error=wb.PluginFailure("it broke"))
    )
    assert (rows, stream.phase, str(stream.error)) == (500, "failed", "it broke")


def test_a_desk_evaluates_only_what_is_new(events_of):
    events = events_of(1000)
    model = LabModel()
    model.take_source(
        events.fields,
        "web",
        lambda table: wb.events_from_table(table, fields=events.fields, source="web"),
    )
    model.set_condition("web.status = 404")
    whole = events.mask("web.status = 404").to_numpy()
    for start in range(0, 1000, 250):
        model.deliver(events.table.slice(start, 250).combine_chunks().to_batches()[0])
        model.work()
        assert model.matcher.count == whole[: start + 250].sum()
    assert (model.matcher.mask == whole).all()


def test_a_lab_works_while_a_cell_computes(lab_of, events_of):
    lab = lab_of(events_of(50_000))
    lab.condition_part.editor.text = "web.status = 500"
    # The main thread computes all the while, as a cell does: no wait_until here.
    limit = time.monotonic() + 20
    while time.monotonic() < limit and not lab.model.matcher.count:
        sum(range(10_000))
    assert lab.model.matcher.count > 0


def test_what_was_sent_is_sent_again_at_rest(lab_of, events_of):
    lab = lab_of(events_of())
    sent = []
    original = lab.condition_part.verdict.send_state
    lab.condition_part.verdict.send_state = lambda key=None: (
        sent.append(key),
        original(key),
    )
    lab.condition_part.editor.text = "web.status = 500"
    wait_until(lambda: ["state"] in sent, 20, "the whole state is sent")


def test_many_threads_may_touch_a_lab_at_once(lab_of, events_of):
    lab = lab_of(events_of())
    failures = []

    def hammer(seed):
        try:
            for step in range(30):
                lab.condition_part.editor.text = (
                    f"web.status = {400 + seed * 10 + step % 5}"
                )
                lab.table.widget.selected = [step]
                lab.settle()
        except BaseException as error:
            failures.append(error)
            raise

    threads = [threading.Thread(target=hammer, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lab.condition = "web.status = 404"
    assert failures == []
    assert lab.nav.state["notice"] == ""
    assert (lab.matches["web.status"] == 404).all()


def test_a_closed_lab_ends_its_thread(events_of):
    from workbench.ui.lab_widget import Lab

    lab = Lab(events_of(10))
    thread = lab._pump._thread
    lab.close()
    del lab
    gc.collect()
    thread.join(3)
    assert not thread.is_alive()
