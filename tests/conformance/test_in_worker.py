"""The same verdicts where a worker leaves events out: real captures of the vectors' rows.

Every condition of the vectors goes with its program to a worker; what comes back is
decided there and here. Every way of filtering takes its turn.
"""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

import workbench as wb
from tests.conformance.serving import write_table
from tests.conformance.vectors import pack_numbers, raw
from tests.support.compiled import compiled
from workbench.condition import compile_conditions
from workbench.fields.reference import resolve_column
from workbench.plugins.capture import Capture
from workbench.plugins.filtering import EventFilter
from workbench.session.types import ORDERS

SOURCE = Path(__file__).resolve().parents[1] / "support" / "plugins" / "serving.c"
pytestmark = pytest.mark.filterwarnings(
    "ignore::workbench.diagnostics.ConditionWarning"
)
# Conditions of one capture, where any of them keeps an event.
GROUP = 24


@pytest.fixture(scope="module")
def served(vectors, probe, tmp_path_factory):
    """The rows of the vectors as events of a plugin."""
    table = tmp_path_factory.mktemp("served") / "table"
    write_table(table, vectors.fields, probe.fields, vectors.cases("rows"))
    flags = ("-O1", "-g", "-fPIC", "-shared", f'-DTABLE="{table}"')
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FALCO_HOSTNAME", "probe-host")
        patch.setenv("TZ", "UTC")
        time.tzset()
        with wb.load(compiled("libprobe.so", *flags, SOURCE), config={}) as plugin:
            yield plugin
    time.tzset()


@pytest.fixture(scope="module")
def accepted(vectors):
    cases = vectors.cases("conditions")
    return [c for c in cases if "engine" not in c and "refused" not in c]


def numbers(plugin, where, order, *, decides=True):
    """Give the numbers of the events that come, and a table with what rules read."""
    where = EventFilter(where, plugin.fields, decides=decides)
    where.order = order
    opened = Capture(
        plugin.pool,
        plugin.pool.loaded_plugins[0],
        "",
        fields=[resolve_column(n, plugin.fields) for n in where.columns],
        where=where,
    )
    with opened:
        batches = list(opened.record_batches())
    return opened, batches


def test_the_events_are_those_of_the_vectors(served, vectors, probe):
    # Some names no condition can spell.
    names = [
        n
        for n, f in served.fields.items()
        if not (f.arg and f.arg.required) and re.fullmatch(r"probe\.[a-z0-9_.]+", n)
    ]
    assert len(names) > 40
    events = served.capture(progress=False)
    assert len(events) == len(vectors.cases("rows"))
    for name in names:
        column = events.table.column(name).to_pylist()
        wanted = [
            v or None if isinstance(v, list) else v
            for v in probe.column(name).to_pylist()
        ]
        assert column == wanted, name


def test_every_condition_gets_the_verdict_of_the_engine(served, accepted):
    wrong = {}
    # One capture each: of a large set only some, evenly spread.
    for turn, case in enumerate(accepted[:: len(accepted) // 1200 + 1]):
        where = raw(case["condition"])
        _, batches = numbers(served, where, ORDERS[turn % len(ORDERS)])
        found = [n for batch in batches for n in batch.column("evt.num").to_pylist()]
        if pack_numbers(found) != case["matches"]:
            wrong[case["id"]] = f"{case['condition']}: {pack_numbers(found)}"
    assert len(accepted) > 1000
    assert not wrong, "\n".join(f"{id_} {text}" for id_, text in wrong.items())


@pytest.mark.parametrize("order", ORDERS)
def test_many_conditions_together_keep_what_each_of_them_needs(served, accepted, order):
    left_out = 0
    for at in range(0, len(accepted), GROUP):
        group = accepted[at : at + GROUP]
        several = compile_conditions(
            [raw(c["condition"]) for c in group], served.fields
        )
        opened, batches = numbers(served, several, order, decides=False)
        left_out += opened.seen - opened.count
        found = [[] for _ in group]
        for batch in batches:
            events = batch.column("evt.num").to_pylist()
            for own, mask in zip(found, several.masks(batch), strict=True):
                own += [n for n, on in zip(events, mask.to_pylist(), strict=True) if on]
        assert [pack_numbers(own) for own in found] == [c["matches"] for c in group]
    assert left_out > 0
