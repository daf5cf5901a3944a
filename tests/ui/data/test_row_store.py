from __future__ import annotations

import numpy as np
import pytest

from workbench.ui.data.row_store import RowStore


@pytest.fixture
def store(events_of):
    events = events_of(1000)
    made = RowStore(events.fields, "web")
    for start in range(0, 1000, 300):
        made.extend(events.table.slice(start, 300))
    return made


def test_rows_keep_their_position_while_others_arrive(store, events_of):
    before = store.rows(np.array([5, 999]), ["evt.num", "web.path"])
    store.extend(events_of(500, seed=9).table)
    assert store.rows(np.array([5, 999]), ["evt.num", "web.path"]) == before
    assert len(store) == 1500


def test_rows_are_found_across_batches_in_any_order(store):
    positions = np.array([950, 3, 299, 300, 601])
    assert [row[0] for row in store.rows(positions, ["evt.num"])] == [
        "951",
        "4",
        "300",
        "301",
        "602",
    ]


def test_a_table_from_a_position_on_is_the_tail(store):
    assert store.table(450).column("evt.num").to_pylist() == list(range(451, 1001))
    assert store.table().num_rows == 1000


def test_an_event_is_found_by_its_number(store):
    assert store.find_number(301) == 300
    assert store.find_number(5000) is None
