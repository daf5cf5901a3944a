from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

import workbench as wb
from workbench.fields.declarations import FieldInfo, FieldTable

FIELDS = FieldTable(
    [
        FieldInfo("web.method", "string", desc="Request method"),
        FieldInfo("web.path", "string", desc="Path"),
        FieldInfo("web.status", "uint64", desc="Status of the answer"),
        FieldInfo("web.client", "ipaddr", desc="Client"),
        FieldInfo("web.took", "reltime", desc="How long it took"),
        FieldInfo("web.tags", "string", is_list=True, desc="Tags"),
    ]
)
START = 1_790_000_000_000_000_000


def make_table(rows, seed=7):
    rng = np.random.default_rng(seed)
    paths = pa.array([b"/index", b"/login", b"/etc/passwd", b"/admin"])
    return pa.table(
        {
            "evt.num": pa.array(np.arange(1, rows + 1, dtype=np.uint64)),
            "evt.rawtime": pa.array(
                (START + np.arange(rows) * 1_000_000).astype(np.uint64)
            ),
            "web.method": pa.array([b"GET", b"POST"])
            .take(pa.array(rng.integers(0, 2, rows)))
            .dictionary_encode(),
            "web.path": paths.take(pa.array(rng.integers(0, 4, rows))),
            "web.status": pa.array(rng.choice([200, 404, 500], rows).astype(np.uint64)),
            "web.client": pa.array([b"\x0a\0\0\1", b"\x0a\1\2\3", None]).take(
                pa.array(rng.integers(0, 3, rows))
            ),
            "web.took": pa.array(rng.integers(0, 10**9, rows).astype(np.uint64)),
            "web.tags": pa.array([[b"a", b"b"], None, [b"c"]]).take(
                pa.array(rng.integers(0, 3, rows))
            ),
        }
    )


@pytest.fixture
def table_of():
    return make_table


@pytest.fixture
def events_of():
    def make(rows=1000, seed=7):
        return wb.events_from_table(
            make_table(rows, seed),
            fields=FIELDS,
            source="web",
            plugin="web",
            plugin_version="1.0.0",
        )

    return make


@pytest.fixture
def lab_of():
    """Labs that are closed when the test ends, threads included."""
    made = []

    def make(target):
        from workbench.ui.lab_widget import Lab

        made.append(Lab(target))
        return made[-1]

    yield make
    for lab in made:
        lab.close()
