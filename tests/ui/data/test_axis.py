from __future__ import annotations

from workbench.ui.data.axis import Axis, axis_fields
from workbench.ui.data.row_store import RowStore


def test_a_brush_on_a_number_field_flags_rows_and_follows_new_ones(events_of):
    events = events_of(1000)
    store = RowStore(events.fields, "web")
    store.extend(events.table.slice(0, 600))
    axis = Axis(store, "web.status")
    axis.update(None)
    axis.set_brush((400, 500))
    store.extend(events.table.slice(600))
    axis.update(None)
    assert axis.within.tolist() == [
        s == 404 for s in events.table.column("web.status").to_pylist()
    ]
    assert axis.bins.counts.sum() == 1000


def test_fields_for_the_axis_are_numbers_and_times(events_of):
    events = events_of(10)
    store = RowStore(events.fields, "web")
    store.extend(events.table)
    assert axis_fields(store) == ["evt.time", "evt.num", "web.status", "web.took"]
