from __future__ import annotations


def receive(lab, do, **values):
    lab.table.part.receive(do, **values)
    lab.settle()


def test_rows_from_the_browser_that_do_not_exist_are_dropped(lab_of, events_of):
    lab = lab_of(events_of(10))
    receive(lab, "select", ranges=[[3, 3], [10, 12], [10**9, 10**9]])
    assert lab.model.selection == [(3, 3)]


def test_selecting_everything_is_one_range_whatever_is_loaded(lab_of, events_of):
    lab = lab_of(events_of(50_000))
    receive(lab, "select_all")
    assert lab.model.selection == [(0, 49_999)]
    assert lab.table.part.state["selected"] == 50_000
    receive(lab, "select", ranges=[[5, 5]], mode="toggle")
    assert lab.model.selection == [(0, 4), (6, 49_999)]


def test_a_range_of_a_sorted_view_keeps_its_events_after_sorting(lab_of, events_of):
    lab = lab_of(events_of(1000))
    receive(lab, "sort", column="web.took", descending=True)
    receive(lab, "select", ranges=[[0, 9]])
    chosen = lab.selection["evt.num"].tolist()
    longest = lab.events.frame.sort_values("web.took", ascending=False)
    assert sorted(chosen) == sorted(longest["evt.num"].head(10).tolist())
    receive(lab, "sort")
    assert lab.selection["evt.num"].tolist() == chosen


def test_rows_are_sent_for_the_view_asked_for(lab_of, events_of):
    lab = lab_of(events_of())
    lab.condition = "web.status = 404"
    receive(lab, "show", show=["match"])
    receive(lab, "sort", column="evt.num", descending=True)
    piece = lab.table.rows(0, 10**9)
    assert piece["version"] == lab.table.part.state["version"]
    assert len(piece["rows"]) == min(400, lab.table.part.state["total"])
    numbers = [row[3] for row in piece["rows"]]
    assert numbers == sorted(numbers, reverse=True)
    assert {row[1] for row in piece["rows"]} == {1}


def test_a_filter_hides_exactly_its_rows_and_undo_brings_them_back(lab_of, events_of):
    lab = lab_of(events_of(2000))
    lab.select(7)
    number = int((lab.events.frame["web.status"] == 200).sum())
    position = int(lab.events.frame["web.status"].eq(200).to_numpy().argmax())
    receive(lab, "chip", column="web.status", position=position, negate=True)
    state = lab.table.part.state
    assert state["total"] == 2000 - number
    assert state["chips"][0]["not"] is True
    assert lab.undo() == "hide status 200"
    assert lab.table.part.state["total"] == 2000
    assert lab.selected == [7]


def test_filters_move_into_the_condition(lab_of, events_of):
    lab = lab_of(events_of(2000))
    receive(lab, "chip", column="web.method", check="web.method = POST", value="POST")
    shown = lab.table.part.state["total"]
    receive(lab, "chips", act="condition")
    assert lab.condition == "web.method = POST"
    assert lab.match_count == shown
    assert lab.table.part.state["chips"] == []


def test_counts_in_view_say_of_which_rows_they_speak(lab_of, events_of):
    lab = lab_of(events_of(2000))
    lab.condition = "web.status = 404"
    receive(lab, "chip", column="web.method", check="web.method = POST", value="POST")
    frame = lab.events.frame
    posts = frame["web.method"] == "POST"
    state = lab.table.part.state
    assert state["narrowed"] is True
    assert state["counts"]["all"] == int(posts.sum())
    assert state["counts"]["match"] == int((posts & (frame["web.status"] == 404)).sum())
    assert lab.match_count == int((frame["web.status"] == 404).sum())


def test_find_narrows_and_copies_are_plain(lab_of, events_of):
    lab = lab_of(events_of(500))
    receive(lab, "find", text="passwd")
    expected = int((lab.events.frame["web.path"] == "/etc/passwd").sum())
    assert lab.table.part.state["total"] == expected
    receive(lab, "select_all")
    text = lab.table.part.receive("copy", kind="tsv")
    assert len(text.splitlines()) == expected + 1
    assert text.startswith("evt.num\tevt.time")
