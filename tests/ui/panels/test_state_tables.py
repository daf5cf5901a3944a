from __future__ import annotations

import pytest

import workbench as wb
from tests.support.waiting import wait_until


@pytest.fixture
def both(sample):
    with wb.Workbench() as bench:
        bench.load(sample("weblog"))
        bench.load(sample("sessions"))
        yield bench


def shown(lab):
    return str(lab.state_panel.part.state)


def press(lab, what):
    lab.state_panel.part.receive(what)


def test_the_lab_shows_state_tables_and_metrics(both, sample):
    lab = wb.lab(both)
    try:
        lab.start(str(sample("weblog").parent / "data" / "access.log"))
        assert lab.wait(60)
        press(lab, "tables")
        assert "threads" in shown(lab)
        assert "203.0.113" not in shown(lab)
        assert "sessions" in shown(lab)
        press(lab, "metrics")
        metrics = lab.metrics
        assert set(metrics["plugin"]) == {"weblog"}
        assert metrics["value"].max() > 20_000
        assert str(metrics["time"].dtype).startswith("datetime64")
        press(lab, "config")
        assert "weblog" in shown(lab)
    finally:
        lab.close()


def test_stored_events_keep_no_state(events_of):
    lab = wb.lab(events_of())
    try:
        press(lab, "tables")
        assert "Load a plugin first" in shown(lab)
        assert len(lab.metrics) == 0
    finally:
        lab.close()


def test_metrics_are_sampled_while_a_source_runs(sample, tmp_path):
    log = tmp_path / "growing.log"
    log.write_text("")
    with wb.load(sample("weblog"), config={"follow": True}) as plugin:
        lab = wb.lab(plugin)
        try:
            lab.start(str(log))

            def grows_and_is_sampled_twice():
                with log.open("a") as more:
                    more.write("no line of a log\n")
                return len(lab.metrics["time"].unique()) >= 2

            wait_until(grows_and_is_sampled_twice, 20, "metrics are sampled twice")
            lab.stop()
        finally:
            lab.close()
