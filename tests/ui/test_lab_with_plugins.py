from __future__ import annotations

import pytest

import workbench as wb
from tests.support.waiting import wait_until


@pytest.fixture
def weblog(sample):
    return sample("weblog")


def test_a_stream_fills_the_lab_and_the_code_does_the_same(lab_of, weblog):
    with wb.load(weblog) as plugin:
        lab = lab_of(plugin)
        log = str(weblog.parent / "data" / "access.log")
        lab.start(log)
        assert lab.wait(20)
        lab.condition = "weblog.status >= 500"
        assert len(lab.events) > 20_000
        assert lab.stream.part.state["phase"] == "ended"
        again = plugin.capture(log).where(lab.condition)
        assert lab.matches["evt.num"].tolist() == again.frame["evt.num"].tolist()
        assert f"plugin.capture({log!r}" in lab.code
        lab.select(100)
        state = lab.event_panel.event()
        assert "GET" in lab.event_panel.plugin_text(state["position"])
        payload = bytes.fromhex(state["payload"]["hex"])
        start, length = state["offsets"]["weblog.status"][0]
        assert (
            payload[start : start + length]
            == str(lab.selection["weblog.status"][0]).encode()
        )


def test_a_condition_may_name_what_was_not_captured(lab_of, weblog):
    with wb.load(weblog) as plugin:
        lab = lab_of(plugin)
        lab.start(str(weblog.parent / "data" / "access.log"))
        lab.wait(20)
        lab.condition = "weblog.segment[0] = admin"
        assert 0 < len(lab.matches) < 21_457


def test_the_plugin_panel_inspects_configures_and_loads(lab_of, weblog):
    lab = lab_of(None)
    assert lab.main.state["place"] == "plugin"
    panel = lab.plugin_panel.part
    panel.receive("inspect", path=str(weblog))
    assert panel.state["about"]["name"] == "weblog"
    panel.receive("config", value={"error_status": 5000})
    assert "/error_status" in panel.state["config_errors"]
    panel.receive("load", path=str(weblog))
    assert "error_status" in panel.state["error"]
    panel.receive("config", value={"error_status": 500})
    assert panel.state["config_errors"] == {}
    panel.receive("load", path=str(weblog))
    try:
        assert panel.state["error"] == ""
        assert lab.target.info.name == "weblog"
        assert lab.main.state["place"] == "events"
        assert lab.stream.part.state["streams"] is True
    finally:
        lab.target.close()


def test_a_workbench_of_several_plugins_streams_its_source(lab_of, weblog):
    with wb.Workbench() as bench:
        bench.load(weblog)
        lab = lab_of(bench)
        lab.start(str(weblog.parent / "data" / "access.log"))
        assert lab.wait(20)
        assert len(lab.events) == 21_457
        assert "bench.load(" in lab.code


@pytest.mark.crash
def test_a_crash_keeps_rows_and_says_what_happened(lab_of, sample):
    with wb.load(sample("faulty")) as plugin:
        lab = lab_of(plugin)
        lab.start("segfault@next_batch:100")
        lab.wait(20)
        card = lab.stream.part.state["card"]
        facts = dict(map(tuple, card["facts"]))
        assert card["title"] == "The plugin crashed"
        assert facts["signal"] == "SIGSEGV"
        assert "next_batch" in facts["in call"]
        assert lab.stream.part.state["phase"] == "failed"
        assert len(lab.events) > 0
        lab.start("events=50")
        lab.wait(20)
        assert lab.stream.part.state["card"] is None
        assert len(lab.events) == 50


def test_a_source_that_is_followed_can_be_stopped(lab_of, weblog, tmp_path):
    log = tmp_path / "live.log"
    log.write_text(
        '::1 - - [21/Nov/2026:08:00:09 +0000] "GET / HTTP/1.1" 200 5 "-" "a"\n' * 50
    )
    with wb.load(weblog, config={"follow": True}) as plugin:
        lab = lab_of(plugin)
        lab.start(str(log))
        wait_until(lambda: len(lab.model.store) == 50, 20, "50 rows are there")
        lab.stop()
        assert lab.wait(10)
        assert len(lab.events) == 50


def test_another_plugin_of_the_same_path_takes_over_what_was_made(weblog):
    with wb.load(weblog) as first, wb.load(weblog) as second:
        one = wb.lab(first)
        one.condition = "weblog.status >= 500"
        two = wb.lab(second)
        try:
            assert two is not one
            assert two.condition == "weblog.status >= 500"
            assert wb.lab(second) is two
        finally:
            one.close()
            two.close()
