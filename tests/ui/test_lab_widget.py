from __future__ import annotations

import gc
import threading
import time

import numpy as np
import pandas as pd
import pytest
import traitlets

import workbench as wb
from workbench.ui import opening


def typed(lab, text):
    """Type as the browser does, into the tab being edited."""
    tab = lab.desk.doc.active
    lab.receive(None, {"p": "condition", "do": "text", "tab": tab, "text": text})


def test_a_condition_from_python_gives_matches_marks_and_counts(lab_of, events_of):
    events = events_of(2000)
    lab = lab_of(events)
    lab.condition = "web.status = 404 and web.method = POST"
    frame = events.frame
    expected = frame[(frame["web.status"] == 404) & (frame["web.method"] == "POST")]
    pd.testing.assert_series_equal(
        lab.matches["evt.num"], expected["evt.num"].reset_index(drop=True)
    )
    assert lab.table.part.state["counts"]["match"] == len(expected)
    assert lab.match_count == len(expected)
    marks = lab.model.marks(np.arange(2000))
    assert set(np.flatnonzero(marks == 1) + 1) == set(expected["evt.num"])


def test_text_typed_in_the_browser_is_the_condition_of_python(lab_of, events_of):
    lab = lab_of(events_of())
    heard = []
    lab.observe(lambda change: heard.append(change["new"]), ["condition"])
    typed(lab, "web.status = 500")
    lab.settle()
    assert lab.condition == "web.status = 500"
    assert heard == ["web.status = 500"]
    assert (lab.matches["web.status"] == 500).all()


def test_traits_link_two_labs(lab_of, events_of):
    one, two = lab_of(events_of()), lab_of(events_of(seed=8))
    link = traitlets.link((one, "condition"), (two, "condition"))
    one.condition = "web.status = 500"
    assert two.condition == "web.status = 500"
    assert two.match_count == len(two.matches) > 0
    typed(two, "web.status = 404")
    two.settle()
    assert one.condition == "web.status = 404"
    assert one.match_count == len(one.matches)
    link.unlink()


def test_selected_is_two_way_and_names_events(lab_of, events_of):
    lab = lab_of(events_of())
    lab.selected = [8, 4]
    assert lab.selection["evt.num"].tolist() == [8, 4]
    lab.receive(None, {"p": "table", "do": "select", "ranges": [[1, 2]]})
    lab.settle()
    assert lab.selected == [2, 3]
    with pytest.raises(KeyError, match="no event 99999"):
        lab.select(99999)


def test_the_rule_trait_takes_a_rule_and_gives_yaml(lab_of, events_of):
    lab = lab_of(events_of())
    assert lab.rule == ""
    made = wb.Rule(
        name="Posts", condition="web.method = POST", output="o", priority="INFO"
    )
    lab.rule = made
    given = wb.parse_rules(lab.rule).rules["Posts"]
    # A rule without a source takes that of the events.
    assert (given.condition, given.source) == (made.condition, "web")
    assert lab.condition == "web.method = POST"
    with pytest.raises(wb.WorkbenchError, match="not a rule"):
        lab.rule = "nonsense"


def test_a_field_from_the_plugin_place_binds_to_all_of_the_condition(lab_of, events_of):
    lab = lab_of(events_of())
    lab.condition = "web.status = 404 or web.status = 500"
    lab.plugin_panel.on_use_field("web.method")
    lab.settle()
    assert lab.condition == "(web.status = 404 or web.status = 500) and web.method "


def test_the_same_target_gives_the_same_lab(events_of):
    events = events_of()
    lab = wb.lab(events)
    try:
        assert wb.lab(events) is lab
    finally:
        lab.close()


def test_a_second_lab_starts_clean(lab_of, events_of):
    one = lab_of(events_of())
    one.condition = "web.status = 500"
    one.desk.make_rule()
    two = lab_of(events_of(seed=9))
    assert two.condition == ""
    assert len(two.desk.doc.tabs) == 1


def test_only_targets_are_taken(events_of):
    taken = "takes a Plugin, a Workbench or Events, not a "
    for target, said in (
        (5, "int$"),
        (events_of(3).frame, r"\w*Frame; give the Events"),
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


def test_a_failing_handler_is_told_on_screen_until_dismissed(lab_of, events_of):
    lab = lab_of(events_of())
    lab.receive(None, {"p": "plugin", "do": "load", "path": "/nonexistent/lib.so"})
    assert "no such file" in lab.plugin_panel.part.state["error"]
    lab.receive(None, {"p": "rule", "do": "plan"})
    assert "belongs to a rule" in lab.main.state["notice"]
    lab.receive(None, {"p": "lab", "do": "notice"})
    assert lab.main.state["notice"] == ""


def test_messages_that_nobody_knows_are_ignored(lab_of, events_of):
    lab = lab_of(events_of())
    for message in ("text", {"p": "nope", "do": "x"}, {"p": "table"}, {}, None, 5):
        lab.receive(None, message)
    assert lab.main.state["notice"] == ""


def test_a_lab_works_while_a_cell_computes(lab_of, events_of):
    lab = lab_of(events_of(50_000))
    typed(lab, "web.status = 500")
    limit = time.monotonic() + 3
    while time.monotonic() < limit and not lab.model.matcher.count:
        sum(range(10_000))
    assert lab.model.matcher.count > 0


def test_all_parts_of_an_update_go_in_one_message(lab_of, events_of):
    lab = lab_of(events_of())
    lab._refresh_loop.close()
    sent = []
    lab.send = lambda content, _buffers=None: sent.append(content)
    typed(lab, "web.status = 404 and web.method = POST")
    lab.tick()
    lab.refine()
    updates = [m for m in sent if m["do"] == "state"]
    assert len(updates) == 1
    assert {"condition", "table", "timeline"} <= set(updates[0]["parts"])
    assert "rows" in updates[0]["parts"]["table"]


def test_a_view_that_begins_late_gets_everything(lab_of, events_of):
    lab = lab_of(events_of())
    lab.condition = "web.status = 404"
    lab.select(3)
    whole = lab.main.receive("hello")
    assert whole["parts"]["condition"]["verdict"]["matches"] == lab.match_count
    assert whole["parts"]["table"]["selected"] == 1
    assert whole["parts"]["condition"]["tabs"][0]["text"] == "web.status = 404"


def test_ten_actions_are_undone_and_done_again(lab_of, events_of):
    lab = lab_of(events_of(1000))
    actions = [
        lambda: typed(lab, "web.status = 404"),
        lambda: lab.desk.add_check("web.method = POST"),
        lambda: lab.table.part.receive("sort", column="web.took", descending=True),
        lambda: lab.table.part.receive("find", text="passwd"),
        lambda: lab.table.part.receive("show", show=["match"]),
        lambda: lab.table.part.receive("chip", column="web.method", position=3),
        lambda: lab.desk.label([3, 4], True),
        lambda: lab.condition_panel.part.receive("check", index=0, what="mute"),
        lambda: lab.table.part.receive("columns", names=["evt.num", "web.path"]),
        lab.desk.make_rule,
    ]
    states, names = [lab.desk.doc], []
    for act in actions:
        act()
        lab.settle()
        states.append(lab.desk.doc)
        names.append(lab.condition_panel.part.state["undo"])
    assert len(set(names)) == 10
    assert "" not in names
    for state, name in zip(reversed(states[:-1]), reversed(names), strict=True):
        assert lab.undo() == name
        assert lab.desk.doc == state
    assert lab.undo() == ""
    for state in states[1:]:
        assert lab.redo() != ""
        assert lab.desk.doc == state


def test_a_run_of_typing_is_one_step(lab_of, events_of):
    lab = lab_of(events_of())
    for end in range(1, 17):
        typed(lab, "web.status = 404"[:end])
    lab.settle()
    lab.undo()
    assert lab.condition == ""


def test_a_session_is_saved_and_goes_on_elsewhere(lab_of, events_of, tmp_path):
    one = lab_of(events_of())
    one.condition = "web.status = 404"
    one.desk.make_rule()
    one.select(3)
    one.table.part.receive("label", value="match")
    one.table.part.receive("chip", column="web.method", position=3)
    one.settle()
    path = one.save(tmp_path / "x.json")
    assert path.stat().st_mode & 0o777 == 0o600
    two = wb.lab(events_of(), session=path)
    try:
        assert two.desk.doc == one.desk.doc
        assert two.labels == {3: True}
        assert two.match_count == one.match_count
        assert two.table.part.state["total"] == one.table.part.state["total"]
    finally:
        two.close()
    (tmp_path / "bad.json").write_text('{"a": 1}')
    with pytest.raises(wb.WorkbenchError, match="is not a session"):
        one.restore(tmp_path / "bad.json")


def test_what_is_ours_comes_first(lab_of, events_of):
    lab = lab_of(events_of(3))
    names = [n for n in dir(lab) if not n.startswith("_")]
    assert {"condition", "matches", "report", "save", "observe"} <= set(names)
    assert all(hasattr(lab, name) for name in names)
    assert len(names) < 40


def test_parts_stand_alone(events_of):
    events = events_of(500)
    made = [
        wb.widgets.EventTable(events),
        wb.widgets.Timeline(events),
        wb.widgets.ConditionEditor(events),
        wb.widgets.RuleForm(events),
    ]
    try:
        views = [w.config["view"] for w in made]
        assert views == ["table", "timeline", "condition", "rule"]
        link = traitlets.link((made[2], "condition"), (made[0], "condition"))
        made[2].condition = "web.status = 404"
        assert made[0].match_count == made[2].match_count > 0
        link.unlink()
        made[3].rule = wb.Rule(
            name="R", condition="web.status = 500", output="o", priority="INFO"
        )
        assert "web.status = 500" in made[3].rule
    finally:
        for widget in made:
            widget.close()


def test_many_threads_may_touch_a_lab_at_once(lab_of, events_of):
    lab = lab_of(events_of())
    failures = []

    def hammer(seed):
        try:
            for step in range(30):
                typed(lab, f"web.status = {400 + seed * 10 + step % 5}")
                lab.receive(
                    None, {"p": "table", "do": "select", "ranges": [[step, step]]}
                )
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
    assert lab.main.state["notice"] == ""
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


def test_a_slow_open_holds_up_nothing(lab_of, sample, monkeypatch):
    from workbench.ui.panels import stream

    with wb.load(sample("weblog")) as plugin:
        lab = lab_of(plugin)
        gate = threading.Event()
        plain = stream.queries.open_capture

        def slow(*arguments):
            gate.wait(10)
            return plain(*arguments)

        monkeypatch.setattr(stream.queries, "open_capture", slow)
        began = time.monotonic()
        lab.receive(None, {"p": "stream", "do": "start"})
        typed(lab, "weblog.status = 404")
        lab.settle()
        assert time.monotonic() - began < 3
        assert lab.stream.part.state["phase"] == "starting"
        assert lab.condition_panel.part.state["verdict"]["valid"]
        gate.set()
        limit = time.monotonic() + 20
        while time.monotonic() < limit and len(lab.model.store) < 21_457:
            time.sleep(0.05)
        assert len(lab.events) == 21_457


def test_of_an_archive_a_sample_is_explored(events_of, tmp_path, monkeypatch):
    pytest.importorskip("dask")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    events_of(300).save(tmp_path / "a.parquet")
    whole = wb.lab(wb.archive(tmp_path / "a.parquet"))
    assert len(whole.target) == 300
    monkeypatch.setattr(opening, "_SAMPLE", 20)
    some = wb.lab(wb.archive(tmp_path / "a.parquet"))
    assert len(some.target) == 20
    assert "20 of 300 events of an archive" in some.target.origin.notes[-1]
