from __future__ import annotations

import numpy as np
import pytest

from workbench.ui.data.row_store import RowStore
from workbench.ui.state.row_order import RowOrder, quick_mask, sort_order


@pytest.fixture
def store(events_of):
    events = events_of(1000)
    made = RowStore(events.fields, "web")
    for start in range(0, 1000, 300):
        made.extend(events.table.slice(start, 300))
    return made


def test_without_filters_nothing_is_kept_and_rows_show_as_they_came(store):
    view = RowOrder(store)
    view.reset(only=None)
    assert view.order is None
    assert view.total == 1000
    assert view.positions(10, 3).tolist() == [10, 11, 12]


def test_a_filtered_view_grows_with_new_rows(store, events_of):
    view = RowOrder(store)
    flags = np.arange(1000) % 2 == 0
    view.reset(only=flags)
    version = view.version
    store.extend(events_of(100).table)
    assert view.extend(only=np.arange(1100) % 2 == 0) is False
    assert view.version == version
    assert view.total == 550
    assert view.positions(549, 5).tolist() == [1098]


def test_sorting_puts_absent_values_last_in_both_directions(store):
    for descending in (False, True):
        order = sort_order(store, "web.client", descending=descending)
        values = [store.value(int(p), "web.client") for p in order]
        present = [v for v in values if v is not None]
        assert present == sorted(present, reverse=descending)
        assert all(v is None for v in values[len(present) :])


@pytest.mark.parametrize(
    "name", ["web.method", "web.path", "web.status", "evt.num", "evt.time", "web.tags"]
)
def test_sorting_is_stable_and_complete(store, name):
    order = sort_order(store, name, descending=True)
    assert sorted(order.tolist()) == list(range(1000))
    keys = [
        store.value(int(p), "evt.rawtime" if name == "evt.time" else name)
        for p in order
    ]
    for one, two, first, second in zip(keys, keys[1:], order, order[1:], strict=False):
        if one == two and not isinstance(one, list):
            assert first < second


def test_the_quick_filter_ignores_case_and_looks_into_lists(store):
    table = store.table()
    paths = table.column("web.path").to_pylist()
    assert quick_mask(table, store.fields, "PASSWD").tolist() == [
        b"passwd" in p for p in paths
    ]
    tags = table.column("web.tags").to_pylist()
    hits = quick_mask(table.select(["web.tags"]), store.fields, "c")
    assert hits.tolist() == [t is not None and b"c" in t for t in tags]


def test_the_quick_filter_finds_numbers_and_address_prefixes(store):
    table = store.table()
    status = quick_mask(table.select(["web.status"]), store.fields, "404")
    assert status.tolist() == [s == 404 for s in table.column("web.status").to_pylist()]
    prefix = quick_mask(table.select(["web.client"]), store.fields, "10.1.")
    assert prefix.tolist() == [
        c == b"\x0a\1\2\3" for c in table.column("web.client").to_pylist()
    ]
