from __future__ import annotations

import gc
import threading
import time

import numpy as np
import pandas as pd
import pytest

import workbench as wb


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
    assert lab.condition_panel.verdict.state["matches"] == len(expected)
    marks = lab.model.matcher.marks(np.arange(2000))
    assert set(np.flatnonzero(marks == 1) + 1) == set(expected["evt.num"])


def test_text_typed_in_the_browser_is_the_condition_of_python(lab_of, events_of):
    lab = lab_of(events_of())
    lab.condition_panel.editor.text = "web.status = 500"
    lab.settle()
    assert lab.condition == "web.status = 500"
    assert (lab.matches["web.status"] == 500).all()


def test_selection_goes_to_python_in_order(lab_of, events_of):
    lab = lab_of(events_of())
    lab.table.widget.selected = [7, 3]
    lab.settle()
    assert lab.selection["evt.num"].tolist() == [8, 4]
    assert lab.detail.widget.state["title"] == "Event 4 and 1 more"
    with pytest.raises(KeyError, match="no event 99999"):
        lab.select(99999)


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
    assert lab.condition_panel.editor.text == lab.condition


def test_a_field_from_the_plugin_page_binds_to_all_of_the_condition(lab_of, events_of):
    lab = lab_of(events_of())
    lab.condition = "web.status = 404 or web.status = 500"
    lab.plugin_panel.on_use_field("web.method")
    assert lab.condition == "(web.status = 404 or web.status = 500) and web.method "


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


def test_only_targets_are_taken(events_of):
    taken = "takes a Plugin, a Workbench or Events, not a "
    for target, said in (
        (5, "int$"),
        (events_of(3).frame, r"DataFrame; give the Events"),
        ("libx.so", r"str; load a plugin with wb\.load"),
    ):
        with pytest.raises(wb.WorkbenchError, match=taken + said):
            wb.lab(target)


def test_a_closed_plugin_has_no_lab(plugin):
    probe = wb.load(plugin("probe"))
    probe.close()
    with pytest.raises(wb.WorkbenchError, match=f"plugin {probe.name} is closed"):
        wb.lab(probe)
    bench = wb.Workbench()
    bench.load(plugin("probe"))
    bench.close()
    with pytest.raises(wb.WorkbenchError, match="Workbench is closed"):
        wb.lab(bench)


def test_a_failing_handler_is_told_on_screen(lab_of, events_of):
    lab = lab_of(events_of())
    lab.condition = "web.status = 404"
    lab.plugin_panel.widget.receive(None, {"do": "load", "path": "/nonexistent/lib.so"})
    assert "no such file" in lab.plugin_panel.widget.state["error"]
    lab.rule_panel.result.receive(
        None, {"do": "save", "path": "/nonexistent/x/rules.yaml"}
    )
    assert (
        "nonexistent" in lab.nav.state["notice"] + lab.rule_panel.result.state["saved"]
    )


def test_a_lab_works_while_a_cell_computes(lab_of, events_of):
    lab = lab_of(events_of(50_000))
    lab.condition_panel.editor.text = "web.status = 500"
    limit = time.monotonic() + 3
    while time.monotonic() < limit and not lab.model.matcher.count:
        sum(range(10_000))
    assert lab.model.matcher.count > 0


def test_what_was_sent_is_sent_again_at_rest(lab_of, events_of):
    lab = lab_of(events_of())
    sent = []
    original = lab.condition_panel.verdict.send_state
    lab.condition_panel.verdict.send_state = lambda key=None: (
        sent.append(key),
        original(key),
    )
    lab.condition_panel.editor.text = "web.status = 500"
    limit = time.monotonic() + 5
    while time.monotonic() < limit and ["state"] not in sent:
        time.sleep(0.05)
    assert ["state"] in sent


def test_many_threads_may_touch_a_lab_at_once(lab_of, events_of):
    lab = lab_of(events_of())
    failures = []

    def hammer(seed):
        try:
            for step in range(30):
                lab.condition_panel.editor.text = (
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
    thread = lab._refresh_loop._thread
    lab.close()
    del lab
    gc.collect()
    thread.join(3)
    assert not thread.is_alive()


def test_a_rule_without_a_source_takes_that_of_the_events(lab_of, events_of):
    events = events_of(5)
    lab = lab_of(events)
    lab.rule = wb.Rule(name="r", condition="a = 1", output="o", priority="INFO")
    assert lab.rule.source == events.source
    other = wb.Rule(
        name="r", condition="a = 1", output="o", priority="INFO", source="other"
    )
    lab.rule = other
    assert lab.rule.source == "other"
