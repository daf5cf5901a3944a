"""Faults while parsing, while async events are sent, while a capture is listened to."""

from __future__ import annotations

import shutil
import signal

import pytest

import workbench as wb

pytestmark = [pytest.mark.crash, pytest.mark.usefixtures("nothing_leaks")]

ENDS = {"segfault": signal.SIGSEGV, "exit": 3, "hang": None}
# moment → where rows are kept: at least so many, all the plugin's own in order.
MOMENTS = {
    "parse_event:40": ("plugin_parse_event", 39),
    "set_async_event_handler": ("plugin_set_async_event_handler", None),
    "capture_open": ("plugin_capture_open", None),
    "capture_close": ("plugin_capture_close", 1000),
    "set_config": ("plugin_set_config", None),
}


@pytest.fixture
def live(sample, tmp_path):
    library = sample("faulty", "libfaulty_live.so")

    def copy(spec: str = ""):
        if not spec:
            return library
        return shutil.copy(library, tmp_path / f"libfaulty--{spec}.so")

    return copy


def own_rows(events) -> list[int]:
    return [
        n for n in events.table.column("faulty.number").to_pylist() if n is not None
    ]


def run(path, params: str = "", **options):
    with wb.load(path, **{"call_timeout_sec": 5, **options}) as plugin:
        events = plugin.capture(f"batch=10,{params}", fields=["faulty.number"])
        return events, plugin.set_config("anything")


def test_its_live_side_is_sound_when_nothing_is_asked_for(live):
    events, taken = run(live(), "slow=50@next_batch:500")
    assert own_rows(events) == list(range(1, 1001))
    assert len(events) > 1000
    assert taken


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("fault", ENDS)
def test_a_fault_on_the_live_side(live, works, fault, moment):
    call, rows = MOMENTS[moment]
    how = ENDS[fault]
    kind = wb.PluginHung if how is None else wb.PluginCrashed
    limit = 0.4 if how is None else 5
    with pytest.raises(kind) as caught:
        run(live(), f"{fault}@{moment}", call_timeout_sec=limit)
    error = caught.value
    assert error.call == call
    if how is not None:
        assert how in {error.signal, error.exit_status}
    if rows is not None:
        assert own_rows(error.events) == list(range(1, rows + 1))
    works()


@pytest.mark.parametrize("fault", ["segfault", "exit"])
def test_a_crash_of_the_thread_that_sends(live, works, fault):
    with pytest.raises(wb.PluginCrashed) as caught:
        run(live(), f"{fault}@send:2,hang@next_batch:50")
    error = caught.value
    assert own_rows(error.events) == list(range(1, 41))
    if fault == "segfault":
        assert "on a thread of its own" in str(error)
    works()


@pytest.mark.parametrize("fault", ["id", "type", "null", "empty", "length"])
def test_a_bad_async_event_is_refused_and_the_stream_goes_on(live, fault):
    events, _ = run(live(), f"{fault}@send:2,slow=30@next_batch:500")
    assert own_rows(events) == list(range(1, 1001))


@pytest.mark.parametrize("fault", ["fail", "code"])
@pytest.mark.parametrize("call", ["set_async_event_handler", "capture_open"])
def test_a_refusal_ends_the_capture_with_its_reason(live, works, call, fault):
    with pytest.raises(wb.PluginFailure) as caught:
        run(live(), f"{fault}@{call}")
    assert caught.value.call == f"plugin_{call}"
    said = "failing, as it was asked for" if fault == "fail" else "no reason"
    assert said in str(caught.value)
    works()


@pytest.mark.parametrize("fault", ["fail", "code"])
@pytest.mark.parametrize("call", ["parse_event:40", "capture_close"])
def test_a_refusal_that_changes_nothing(live, call, fault):
    events, _ = run(live(), f"{fault}@{call}")
    assert own_rows(events) == list(range(1, 1001))


@pytest.mark.parametrize("fault", ["fail", "code"])
def test_a_config_that_is_not_taken(live, fault):
    events, taken = run(live(), f"{fault}@set_config")
    assert len(events) >= 1000
    assert not taken


@pytest.mark.parametrize("kind", [0, 1, 2, 4, 6])
@pytest.mark.parametrize(
    "call", ["get_parse_event_sources", "get_async_events", "get_async_event_sources"]
)
def test_bad_json_of_the_live_side(live, works, call, kind):
    path = live(f"badjson={kind}@{call}")
    assert any(call in text for text in wb.inspect(path).complaints)
    with pytest.raises(wb.PluginLoadError, match=call):
        wb.load(path)
    works()


@pytest.mark.parametrize("fault", ["null", "count"])
def test_event_types_without_end_or_none(live, fault):
    for call in ("get_parse_event_types", "get_extract_event_types"):
        events, _ = run(live(f"{fault}@{call}"))
        assert own_rows(events) == list(range(1, 1001))
