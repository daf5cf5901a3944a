from __future__ import annotations


def test_the_event_says_why_field_by_field(lab_of, events_of):
    lab = lab_of(events_of())
    lab.condition = "web.status = 404 and web.method = POST"
    miss = int(lab.events.where("not web.status = 404").frame["evt.num"][0])
    lab.select(miss)
    shown = lab.event_panel.event()
    assert shown["number"] == miss
    assert shown["why"]["matches"] is False
    verdicts = {r["text"]: r["verdict"] for r in shown["why"]["rows"]}
    assert verdicts["web.status = 404"] == "no"
    fields = {f["name"]: f for f in shown["fields"]}
    assert fields["web.status"]["check"].startswith("web.status = ")


def test_labels_come_back_with_the_events(lab_of, events_of):
    lab = lab_of(events_of())
    lab.select(5)
    lab.table.part.receive("label", value="not")
    lab.select(6, 7)
    lab.table.part.receive("label", value="match")
    lab.settle()
    assert lab.events.labels == {5: False, 6: True, 7: True}
    lab.select(5)
    lab.table.part.receive("label", value="none")
    lab.settle()
    assert lab.events.labels == {6: True, 7: True}
    assert lab.undo() == "no label on 1 event"
    assert lab.labels == {5: False, 6: True, 7: True}


def test_labels_that_are_not_met_are_named(lab_of, events_of):
    lab = lab_of(events_of())
    lab.condition = "web.status = 404"
    number = int(lab.matches["evt.num"][0])
    lab.select(number)
    lab.table.part.receive("label", value="not")
    lab.settle()
    labels = lab.condition_panel.part.state["labels"]
    assert labels["wrong"] == [number]
    assert (labels["not"], labels["not_right"]) == (1, 0)
