from __future__ import annotations


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
