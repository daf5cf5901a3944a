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
    return lab.state_panel.widget.children[1].value


def press(lab, label):
    for button in lab.state_panel.widget.children[0].children:
        if button.description == label:
            button.click()
            return
    raise AssertionError(f"no button {label}")


def test_the_lab_shows_state_tables_and_metrics(both, sample):
    lab = wb.lab(both)
    try:
        lab.start(str(sample("weblog").parent / "data" / "access.log"))
        assert lab.wait(60)
        press(lab, "State tables")
        assert "threads" in shown(lab)
        assert "203.0.113" not in shown(lab)
        assert "sessions" in shown(lab)
        press(lab, "Metrics")
        metrics = lab.metrics
        assert set(metrics["plugin"]) == {"weblog"}
        assert metrics["value"].max() > 20_000
        assert str(metrics["time"].dtype).startswith("datetime64")
        press(lab, "Set config live")
        assert "weblog" in shown(lab)
    finally:
        lab.close()


def test_hostile_table_content_is_escaped(both, tmp_path):
    log = tmp_path / "x.log"
    line = '{} - - [21/Nov/2026:08:00:09 +0000] "GET / HTTP/1.1" 200 0 "-" "-"\n'
    log.write_text(line.format("<script>alert(1)</script>"))
    lab = wb.lab(both)
    try:
        lab.start(str(log))
        assert lab.wait(60)
        press(lab, "State tables")
        assert "<script>" not in shown(lab)
    finally:
        lab.close()


def test_stored_events_keep_no_state(events_of):
    lab = wb.lab(events_of())
    try:
        press(lab, "State tables")
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
