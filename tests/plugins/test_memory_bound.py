"""A capture without a limit ends where its events need too much memory."""

from __future__ import annotations

import pytest

import workbench as wb
from workbench.plugins import collect


@pytest.fixture
def probe(plugin):
    with wb.load(plugin) as loaded:
        yield loaded


@pytest.fixture(scope="session")
def plugin(request):
    """Give the path of the probe, a source that need not end."""
    from tests.support.compiled import compiled

    source = request.config.rootpath / "tests" / "support" / "plugins" / "probe.c"
    flags = ("-O1", "-g", "-fPIC", "-shared")
    return compiled("libprobe.so", *flags, source, libraries=("-lpthread",))


def test_a_capture_stops_at_its_memory(probe):
    events = probe.capture(
        "n=100000000", fields=["probe.num", "probe.path"], max_bytes=1 << 20
    )
    assert events.end_reason == "limit"
    assert 1000 < len(events) < 2_000_000
    numbers = events.table.column("evt.num").to_pylist()
    assert numbers == list(range(1, len(events) + 1))
    assert events.table.nbytes > 1 << 20
    assert events.table.nbytes < 128 << 20
    (note,) = events.origin.notes
    assert "over the limit of 1,048,576" in note
    assert "give a larger max_bytes" in note
    assert "note: stopped at" in repr(events)
    assert "note: stopped at" in events._repr_html_()
    # The plugin goes on.
    assert len(probe.capture("n=5", fields=["probe.num", "probe.path"])) == 5


def test_without_a_bound_half_of_the_memory_is_one(probe, monkeypatch):
    monkeypatch.setattr(collect, "half_of_memory", lambda: 1 << 20)
    events = probe.capture("n=100000000", fields=["probe.num", "probe.path"])
    assert (events.end_reason, len(events.origin.notes)) == ("limit", 1)


def test_what_fits_has_no_note(probe):
    events = probe.capture(
        "n=1000", fields=["probe.num", "probe.path"], max_bytes=100 << 20
    )
    assert (events.end_reason, events.origin.notes) == ("eof", ())


def test_a_dictionary_that_grows_counts_once(probe):
    # Thousands of batches that share one dictionary are not thousands of it.
    events = probe.capture(
        "n=200000;batch=50", fields=["probe.num", "probe.path"], max_bytes=256 << 20
    )
    assert events.end_reason == "eof"


def test_several_sources_share_the_bound(plugin):
    with wb.Workbench() as bench:
        loaded = bench.load(plugin)
        source = loaded.info.event_source
        found = bench.capture_all({source: "n=100000000"}, max_bytes=1 << 20)
        assert found[source].end_reason == "limit"
        assert found[source].origin.notes


@pytest.mark.parametrize("wrong", [-1, 1.5, "1"])
def test_a_bound_is_a_number_of_bytes(probe, wrong):
    with pytest.raises(wb.WorkbenchError, match="max_bytes is a whole number"):
        probe.capture("n=5", fields=["probe.num", "probe.path"], max_bytes=wrong)
