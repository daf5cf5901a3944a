from __future__ import annotations

import workbench as wb
from workbench.ui.state.model import LabModel


def test_a_model_evaluates_only_what_is_new(events_of):
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
