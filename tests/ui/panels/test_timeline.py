from __future__ import annotations


def test_a_brush_restricts_table_and_counts(lab_of, events_of):
    lab = lab_of(events_of(1000))
    lab.condition = "web.status = 404"
    bins = lab.model.axis.bins
    half = [0, len(bins.counts) / 2]
    lab.timeline.part.receive("brush", range=half, version=bins.version)
    lab.settle()
    inside = lab.model.axis.within
    assert 0 < inside.sum() < 1000
    state = lab.table.part.state
    assert state["total"] == inside.sum()
    assert state["counts"]["match"] == (inside & lab.model.matcher.mask).sum()
    lab.timeline.part.receive("brush", range=None, version=bins.version)
    lab.settle()
    assert lab.table.part.state["total"] == 1000
