"""Captures with a condition: the same events as filtering afterwards, in any order."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

import workbench as wb
from tests.support.compiled import compiled
from workbench.condition import compile_condition, compile_conditions
from workbench.diagnostics import ConditionWarning
from workbench.errors import ArgumentError
from workbench.plugins.capture import Capture
from workbench.plugins.filtering import EventFilter
from workbench.session.types import ORDERS

EVENTS = 4321
CONDITIONS = [
    "probe.num < 3",
    "probe.num >= 4300 or probe.num = 0",
    "probe.user = alice",
    "not probe.user exists",
    "probe.user in (bob, carol) and probe.path endswith 7.bin",
    "probe.path contains /77/",
    "probe.path glob '*/data/*7?.bin'",
    "probe.path pmatch (/var/lib/app/7, /var/lib/app/1234)",
    "tolower(probe.user) = eve and len(probe.path) > 40",
    "basename(probe.path) startswith 9",
    "probe.ip = 10.0.1.7",
    "probe.net in (10.0.3.0/24, 32.0.0.0/12)",
    "probe.tags in (tag1, tag2, tag3)",
    "probe.tags intersects (tag8)",
    "len(probe.tags) = 3",
    "probe.even = true and probe.num > 4000",
    "probe.when >= 1700000000004000000",
    "probe.age < 9000",
    "probe.nums intersects (17, 19)",
    "probe.arg[key] contains key and probe.num < 9",
    "probe.bad[4] exists and probe.num = 12",
    "probe.user = val(probe.user) and probe.num = 5",
    "probe.path regex '.*/[0-9]*7/data.*'",
    "not probe.path regex '.*[01].*'",
    "concat(probe.user, probe.user) = bobbob",
    "evt.num > 4000 and evt.num <= 4002",
    "evt.rawtime < 1700000000000003000",
    "evt.reltime = 5000",
    "evt.source = probe and probe.num = 9",
    "evt.time contains 1 and probe.user = mallory",
    'evt.plugininfo contains ": 9 user="',
    "probe.user = nobody",
    "evt.num exists",
]


SOURCES = Path(__file__).resolve().parents[1] / "support" / "plugins"


@pytest.fixture(scope="module")
def library():
    flags = ("-O1", "-g", "-fPIC", "-shared")
    return compiled(
        "libprobe.so", *flags, SOURCES / "probe.c", libraries=("-lpthread",)
    )


@pytest.fixture(scope="module")
def probe(library):
    with wb.load(library) as loaded:
        yield loaded


@pytest.fixture(scope="module")
def everything(probe):
    """All events, with what the conditions name."""
    extra = ["probe.arg[key]", "probe.bad[4]"]
    names = [n for n, f in probe.fields.items() if not (f.arg and f.arg.required)]
    return probe.capture(f"n={EVENTS}", fields=[*names, *extra], progress=False)


def rows(events):
    return events.table.drop_columns("evt.source").to_pylist()


def capture(probe, condition, order="measured", **options):
    """Collect with a filter in a given order."""
    where = EventFilter(condition, probe.fields)
    where.order = order
    events = Capture(
        probe.pool, probe.pool.loaded_plugins[0], f"n={EVENTS}", where=where, **options
    )
    with events:
        found = list(events.record_batches())
    assert events.seen == EVENTS
    assert events.end_reason == "eof"
    return [row for batch in found for row in batch.to_pylist()]


def read_into(numbers, opened):
    for batch in opened.record_batches():
        numbers += batch.column("probe.num").to_pylist()


@pytest.mark.parametrize("condition", CONDITIONS)
@pytest.mark.parametrize("order", ORDERS)
def test_the_same_events_as_afterwards_in_every_order(
    probe, everything, condition, order
):
    wanted = everything.where(condition).table
    names = ["evt.num", "evt.rawtime", "probe.num", "probe.user", "probe.path"]
    names += ["probe.ip", "probe.tags", "probe.even", "raw"]
    fields = names[2:-1]
    found = capture(probe, condition, order, fields=fields, keep_events=True)
    assert [{n: row[n] for n in names} for row in found] == (
        wanted.select(names).to_pylist()
    )


def test_capture_and_open_take_a_condition(probe, everything):
    condition = "probe.user = alice and probe.num > 4000"
    found = probe.capture(f"n={EVENTS}", where=condition, progress=False)
    wanted = everything.where(condition)
    assert 0 < len(found) < 100
    assert found.table.column("raw").to_pylist() == (
        wanted.table.column("raw").to_pylist()
    )
    assert found.seen == EVENTS
    assert found.where("probe.num > 4200").seen == EVENTS
    assert everything.seen == EVENTS
    with probe.open(f"n={EVENTS}", where=condition) as opened:
        frames = list(opened)
    assert sum(map(len, frames)) == len(found) == opened.count
    assert opened.seen == EVENTS
    # Columns that only the condition needs are not shown.
    short = probe.capture(f"n={EVENTS}", fields=[], where=condition, progress=False)
    assert short.table.column_names == ["evt.num", "evt.rawtime", "evt.source", "raw"]
    assert short.extract("probe.path").table.column("probe.path").to_pylist() == (
        wanted.table.column("probe.path").to_pylist()
    )


def test_conditions_come_compiled_or_as_several_too(probe, everything):
    texts = ["probe.num = 7", "probe.user = bob and probe.num < 30"]
    compiled = compile_condition(texts[0], probe.fields)
    found = probe.capture(f"n={EVENTS}", where=compiled, progress=False)
    assert found.table.column("evt.num").to_pylist() == [8]
    several = compile_conditions(texts, probe.fields)
    found = probe.capture(f"n={EVENTS}", where=several, progress=False)
    assert (
        found.table.column("evt.num").to_pylist()
        == (
            everything.where(f"({texts[0]}) or ({texts[1]})").table.column("evt.num")
        ).to_pylist()
    )
    none = probe.capture(
        f"n={EVENTS}", where=compile_conditions([], probe.fields), progress=False
    )
    assert (len(none), none.seen) == (0, EVENTS)
    with pytest.raises(wb.ConditionError):
        probe.capture("n=3", where="probe.nothing = 1")
    with pytest.raises(ArgumentError, match=r"where must be a condition.*, not 3"):
        probe.capture("n=3", where=3)
    with pytest.warns(ConditionWarning, match="needs no regular expression"):
        probe.capture("n=3", where="probe.path regex '.*a.*'", progress=False)
    # A refused condition leaves no capture behind.
    assert len(probe.capture("n=3", progress=False)) == 3


def test_max_events_counts_what_is_read(probe):
    found = probe.capture(
        "n=1000", where="probe.num in (5, 55, 555)", max_events=100, progress=False
    )
    assert found.table.column("probe.num").to_pylist() == [5, 55]
    assert (found.seen, found.end_reason) == (100, "limit")


@pytest.mark.parametrize("order", ORDERS)
def test_little_of_it_crosses_the_border(probe, order):
    with wb.load(probe.path) as other:
        where = EventFilter("probe.num in (5, 4000)", other.fields)
        where.order = order
        session_rows = []
        opened = Capture(
            other.pool, other.pool.loaded_plugins[0], f"n={EVENTS}", where=where
        )
        original = opened._rows

        def counted(chunk):
            session_rows.append(0 if chunk.batch is None else chunk.batch.num_rows)
            return original(chunk)

        opened._rows = counted
        with opened:
            assert sum(b.num_rows for b in opened.record_batches()) == 2
    assert sum(session_rows) == 2


@pytest.mark.parametrize("order", ORDERS)
def test_a_crash_loses_no_event_of_completed_pieces(probe, order):
    """The pieces before the crash are decided, in every order."""
    with wb.load(probe.path) as other:
        where = EventFilter("probe.num in (5, 3000, 3999)", other.fields)
        where.order = order
        opened = Capture(
            other.pool,
            other.pool.loaded_plugins[0],
            "n=10000;fault=segv@extract:8000",
            where=where,
        )
        found = []
        with pytest.raises(wb.PluginCrashed) as caught, opened:
            read_into(found, opened)
        assert found == [5, 3000, 3999]
        assert caught.value.event_number == 8000
        assert 7000 < opened.seen <= 8000
        assert opened.end_reason == "crashed"


@pytest.mark.parametrize("order", ORDERS)
def test_a_failure_comes_behind_the_events_read_before_it(probe, order):
    where = EventFilter("probe.num > 2997", probe.fields)
    where.order = order
    opened = Capture(
        probe.pool, probe.pool.loaded_plugins[0], "n=3000;rc=1", where=where
    )
    found = []
    with pytest.raises(wb.PluginFailure, match="the source broke"), opened:
        read_into(found, opened)
    assert found == [2998, 2999]


def test_waiting_sources_give_what_matches_at_once(probe):
    """Batches of one event with pauses: nothing waits for a piece to fill."""
    with probe.open("n=50;batch=1;timeouts=1;block=2", where="probe.num = 3") as opened:
        batch = opened.read(2)
        assert batch.column("probe.num").to_pylist() == [3]
        assert opened.seen < 40


def test_in_this_process_it_is_the_same(library, everything):
    with wb.load(library, isolation="none") as local:
        for condition in CONDITIONS:
            found = local.capture(
                f"n={EVENTS}", where=condition, fields=["probe.num"], progress=False
            )
            wanted = everything.where(condition).table
            assert found.table.column("raw") == wanted.column("raw"), condition
            assert found.seen == EVENTS


def test_stateful_plugins_are_asked_in_the_order_of_the_events(sample):
    """A plugin that counts in its tables gives the counts of the moment."""
    with wb.Workbench() as both:
        weblog = both.load(sample("weblog"))
        both.load(sample("sessions"))
        log = str(weblog.path).rsplit("/", 1)[0] + "/data/access.log"
        fields = both.fields_of("weblog")
        name = next(n for n in fields if n.startswith("session") and not fields[n].arg)
        every = both.capture(log, source="weblog", progress=False)
        condition = "weblog.status >= 400"
        found = both.capture(log, source="weblog", where=condition, progress=False)
        wanted = every.where(condition)
        assert len(found) == len(wanted) > 0
        assert found.table.column(name).to_pylist() == (
            wanted.table.column(name).to_pylist()
        )
        assert any("keeps state" in note for note in found.origin.notes)


def test_a_table_without_rows_has_the_columns(probe):
    found = probe.capture("n=100", where="probe.num = 1000", progress=False)
    assert len(found) == 0
    assert found.table.schema.field("probe.num").type == pa.uint64()
    assert found.frame.shape[0] == 0


RULES = """\
- rule: users
  desc: d
  condition: probe.user = alice and probe.num < 3000
  output: u=%probe.user n=%probe.num tags=%probe.tags
  priority: WARNING
  source: probe
- rule: paths
  desc: d
  condition: probe.path regex '.*/7[0-9]/data.*' or probe.ip = 10.0.0.4
  output: p=%probe.path at %evt.time of %probe.arg[key]
  priority: NOTICE
  source: probe
"""


@pytest.mark.parametrize("all_matches", [False, True])
def test_rules_choose_the_events_of_a_capture(probe, everything, all_matches):
    rules = wb.parse_rules(RULES)
    wanted = rules.run(everything, all_matches=all_matches)
    assert len(wanted) > 300
    with probe.open(f"n={EVENTS}", where=rules) as opened:
        found = rules.run(opened, all_matches=all_matches)
    assert opened.seen == EVENTS
    assert opened.count < EVENTS / 4
    assert found.to_text() == wanted.to_text()
    assert found.counts == wanted.counts
    # Collected with the fields that the rules read, or with others.
    kept = probe.capture(f"n={EVENTS}", where=rules, progress=False)
    assert "probe.arg[key]" in kept.table.column_names
    assert rules.run(kept, all_matches=all_matches).to_text() == wanted.to_text()
    few = probe.capture(f"n={EVENTS}", where=rules, fields=[], progress=False)
    assert len(few) == len(kept)


def test_rules_of_other_sources_leave_every_event_out(probe):
    rules = wb.parse_rules(
        "- rule: calls\n  desc: d\n  condition: evt.num > 0\n  output: x\n"
        "  priority: DEBUG\n  source: syscall\n"
    )
    found = probe.capture("n=100", where=rules, progress=False)
    assert (len(found), found.seen) == (0, 100)


def test_a_workbench_takes_rules_too(library):
    rules = wb.parse_rules(RULES)
    with wb.Workbench() as workbench:
        workbench.load(library)
        with workbench.open(f"n={EVENTS}", where=rules) as opened:
            alerts = rules.run(opened)
        assert opened.seen == EVENTS
        assert len(alerts) > 300


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("order", ORDERS[1:])
def test_an_event_whose_fields_fail_counts_once(probe, order):
    fields = ["probe.fails", "probe.src"]
    where = EventFilter("probe.fails exists or probe.num < 50", probe.fields)
    where.order = order
    opened = Capture(
        *(probe.pool, probe.pool.loaded_plugins[0], "n=1000"),
        fields=fields,
        where=where,
    )
    with opened:
        assert sum(b.num_rows for b in opened.record_batches()) == 50
    assert any(note.startswith("1,000 errors in extract") for note in opened.notes)
