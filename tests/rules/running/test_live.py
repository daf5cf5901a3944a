"""Alerts of a running plugin as they come."""

from __future__ import annotations

import asyncio
import os
import pickle
import signal
import threading
import time

import pytest

import workbench as wb
from workbench.errors import PluginCrashed, WorkbenchError
from workbench.rules.running.live import AlertsInterrupted

RULES = """\
- rule: tens
  desc: d
  condition: probe.num in (10, 20, 30, 40)
  output: ten %probe.num %probe.user
  priority: WARNING
  source: probe
- rule: thirty
  desc: d
  condition: probe.num = 30
  output: thirty
  priority: INFO
  source: probe
"""
# So that a test that waits for a signal in vain ends all the same.
ENDLESS = "n=3000,block=10,batch=10"


@pytest.fixture
def probe(plugin):
    with wb.load(plugin("probe")) as loaded:
        yield loaded


@pytest.fixture
def rules():
    return wb.parse_rules(RULES)


def opened(probe, rules, params, **options):
    return probe.open(params, fields=rules.columns(probe), **options)


def test_alerts_come_while_the_source_runs(probe, rules):
    with opened(probe, rules, ENDLESS) as capture:
        stream = rules.stream(capture)
        first = next(stream)
        assert capture.end_reason is None
        assert [next(stream)["probe.num"] for _ in range(2)] == [20, 30]
    assert list(first) == [
        *("evt.num", "evt.time", "rule", "priority", "source", "output"),
        *("probe.num", "probe.user"),
    ]
    assert (first["rule"], first["evt.num"], first["probe.num"]) == ("tens", 11, 10)
    assert first["probe.user"] is None
    assert first["output"].endswith("Warning ten 10 <NA>")


def test_a_stream_ends_with_its_capture_and_equals_a_run(probe, rules):
    with opened(probe, rules, "n=100,batch=7") as capture:
        found = list(rules.stream(capture, all_matches=True))
    events = probe.capture("n=100,batch=7")
    frame = rules.run(events, all_matches=True).frame
    assert [a["rule"] for a in found] == frame["rule"].tolist()
    assert [a["evt.num"] for a in found] == frame["evt.num"].tolist()
    assert "probe.num" not in found[3]
    assert len(rules.last_alerts) == len(found) == 5
    assert rules.last_alerts.frame["output"].str[-6:].tolist() == [
        line[-6:] for line in frame["output"]
    ]


def test_only_events_that_alerted_are_kept(probe, rules):
    with opened(probe, rules, "n=100000") as capture:
        alerts = rules.run(capture)
    assert capture.count == 100_000
    assert sum(batch.rows for batch in alerts.batches) == len(alerts) == 4


def test_async_for_lets_other_tasks_run(probe, rules):
    async def watch():
        beats = 0

        async def beat():
            nonlocal beats
            while True:
                beats += 1
                await asyncio.sleep(0.002)

        other = asyncio.create_task(beat())
        with opened(probe, rules, "n=50,block=20,batch=10") as capture:
            found = [alert["probe.num"] async for alert in rules.stream(capture)]
        other.cancel()
        return found, beats

    found, beats = asyncio.run(watch())
    assert found == [10, 20, 30, 40]
    assert beats > 5


def test_a_cancelled_task_loses_no_alert(probe, rules):
    async def watch():
        with opened(probe, rules, "n=50,block=30,batch=10") as capture:
            stream = rules.stream(capture)
            found = []
            for _ in range(1000):
                try:
                    found.append(
                        (await asyncio.wait_for(anext(stream), 0.01))["evt.num"]
                    )
                except TimeoutError:
                    continue
                except StopAsyncIteration:
                    return found
        return None

    assert asyncio.run(watch()) == [11, 21, 31, 41]


@pytest.mark.parametrize("way", ["stream", "run"])
def test_ctrl_c_keeps_the_alerts_so_far_and_says_so_in_one_line(probe, rules, way):
    timer = threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT))
    with opened(probe, rules, ENDLESS) as capture:
        timer.start()
        with pytest.raises(KeyboardInterrupt) as caught:  # noqa: PT012 - a loop
            if way == "run":
                rules.run(capture)
            for _ in rules.stream(capture):
                pass
        timer.join()
    error = caught.value
    assert isinstance(error, AlertsInterrupted)
    assert error.alerts.pairs() == rules.last_alerts.pairs() != []
    assert str(error).startswith(f"interrupted after {capture.count:,} events: ")
    assert str(error).endswith("kept as rules.last_alerts")
    assert error._render_traceback_() == [str(error)]
    assert capture.end_reason == "cancelled"
    assert len(probe.capture("n=5")) == 5


def test_the_notebook_shows_one_line(capsys):
    from IPython.core.interactiveshell import InteractiveShell

    shell = InteractiveShell.instance()
    shell.run_cell(
        "from workbench.rules.running.live import AlertsInterrupted\n"
        "raise AlertsInterrupted('interrupted after 3 events: 1 alert kept')"
    )
    InteractiveShell.clear_instance()
    shown = capsys.readouterr().out.strip()
    assert shown == "interrupted after 3 events: 1 alert kept"


def test_a_crash_comes_after_the_alerts_before_it(probe, rules):
    params = "n=100,batch=10,fault=segv@next:30"
    with opened(probe, rules, params) as capture:
        stream = rules.stream(capture)
        found = []
        with pytest.raises(PluginCrashed):
            found += (alert["evt.num"] for alert in stream)
    assert rules.last_alerts.pairs()[:1] == [(11, "tens")]
    assert list(stream) == []


def test_alerts_stream_from_a_capture_as_it_is_opened(probe, rules):
    with probe.open("n=100,batch=7") as capture:
        plain = list(rules.stream(capture))
    with opened(probe, rules, "n=100,batch=7") as capture:
        asked = list(rules.stream(capture))
    texts = [alert["output"].partition(": ")[2] for alert in plain]
    assert texts == [alert["output"].partition(": ")[2] for alert in asked]
    assert len(plain) == 4


def test_alerts_stream_from_captures_that_have_the_columns(probe, rules):
    with pytest.raises(WorkbenchError, match="not from a DataFrame"):
        rules.stream(probe.capture("n=5").frame)
    with (
        probe.open("n=5", fields=[]) as capture,
        pytest.raises(WorkbenchError, match=r"fields=rules\.columns"),
    ):
        next(rules.stream(capture))


def test_what_streamed_is_not_pickled_with_the_rules(probe, rules):
    with opened(probe, rules, "n=20") as capture:
        rules.run(capture)
    assert pickle.loads(pickle.dumps(rules)).last_alerts is None


def test_stopping_ends_a_stream_soon(probe, rules):
    with opened(probe, rules, ENDLESS) as capture:
        threading.Timer(0.3, capture.stop).start()
        began = time.monotonic()
        found = list(rules.stream(capture))
        assert time.monotonic() - began < 20
    assert capture.end_reason == "cancelled"
    assert found
