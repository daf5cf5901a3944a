from __future__ import annotations


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
