"""Faults that do not end the process: wrong answers, and damage around the plugin."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

import pytest

import workbench as wb
from tests.support.waiting import wait_until

pytestmark = pytest.mark.crash

ALL = [
    "faulty.number",
    "faulty.text",
    "faulty.list",
    "faulty.address",
    "faulty.echo[a]",
]


@pytest.fixture
def run(faulty, request):
    """Capture with a fault asked for in the open params."""
    request.getfixturevalue("nothing_leaks")

    def capture(spec: str, fields=("faulty.number",), **options):
        with wb.load(faulty, **{"call_timeout_sec": 5, **options}) as plugin:
            events = plugin.capture(f"batch=10,{spec}", fields=list(fields))
            return events, plugin.log

    return capture


def row(events, number: int) -> dict:
    """One row as plain values, absent ones as None."""
    table = events.table.slice(number - 1, 1).to_pylist()[0]
    return {name: value for name, value in table.items() if name.startswith("faulty.")}


SOUND = {
    "faulty.number": 40,
    "faulty.text": b"event 40",
    "faulty.list": [b"event 40", b"two", b"three"],
    "faulty.address": bytes([10, 0, 0, 1]),
    "faulty.echo[a]": b"a",
}
NOTHING = dict.fromkeys(SOUND)


@pytest.mark.parametrize(
    ("fault", "changed"),
    [
        (
            "null",
            {
                "faulty.text": None,
                "faulty.list": [b"two", b"three"],
                "faulty.address": None,
            },
        ),
        ("empty", NOTHING),
        ("silent", NOTHING),
        ("fail", NOTHING),
        ("code", NOTHING),
        ("code=3", NOTHING),
        ("code=-1", NOTHING),
        ("length", {"faulty.address": None}),
        ("length=0", {"faulty.address": None}),
        (
            "bytes",
            {
                "faulty.text": b"\xff\xfe\x80 caf\xe9 \x1b[31m",
                "faulty.list": [b"\xff\xfe\x80 caf\xe9 \x1b[31m", b"two", b"three"],
            },
        ),
    ],
)
def test_a_wrong_answer_costs_its_own_values_only(run, fault, changed):
    events, _ = run(f"{fault}@extract:40", ALL)
    assert len(events) == 1000
    assert row(events, 39)["faulty.text"] == b"event 39"
    assert row(events, 40) == {**SOUND, **changed}
    assert row(events, 41)["faulty.text"] == b"event 41"
    assert len(events.frame) == 1000


def test_a_huge_text_arrives_whole(run):
    events, _ = run("huge=20@extract:40", ["faulty.text"])
    sizes = [len(text) for text in events.table.column("faulty.text").to_pylist()]
    assert sizes[39] == 20 << 20
    assert max(sizes[:39] + sizes[40:]) < 20


@pytest.mark.parametrize("fault", ["pointer", "count=100000"])
def test_pointers_into_nowhere_are_a_crash_of_that_call(run, fault):
    with pytest.raises(wb.PluginCrashed) as caught:
        run(f"{fault}@extract:40", ["faulty.text", "faulty.list"])
    error = caught.value
    assert (error.signal, error.call) == (signal.SIGSEGV, "plugin_extract_fields")
    assert error.event_number == 40
    assert len(error.events) == 39


@pytest.mark.parametrize(
    ("fault", "rows", "words"),
    [
        ("null", 39, "event pointer 9 of the batch is NULL"),
        ("empty", 30, "unexpected 0 size event returned by plugin faulty"),
        ("silent", 30, "unexpected 0 size event returned by plugin faulty"),
        ("id", 39, "expected_id=999, actual_id=5"),
        ("length", 39, "does not hold an id of 4 bytes and a payload of 2147483632"),
        ("length=0", 39, "does not hold an id of 4 bytes and a payload of 0"),
        ("huge", 39, "length 2147483632 does not hold"),
        ("type", 39, "type 1 with 2 parameters, expected type 322 with 2"),
        ("type=402", 39, "type 402 with 2 parameters, expected type 322 with 2"),
        ("code", 39, "unknown code 77"),
        ("code=-7", 39, "unknown code -7"),
        ("code=3", 39, "NOT_SUPPORTED"),
        ("fail", 39, "failing, as it was asked for"),
    ],
)
def test_a_broken_batch_is_a_failure_that_keeps_what_came_before(
    run, fault, rows, words
):
    with pytest.raises(wb.PluginFailure) as caught:
        run(f"{fault}@next_batch:40")
    error = caught.value
    assert error.call == "plugin_next_batch"
    assert words in str(error)
    assert error.event_number == rows
    assert len(error.events) == rows


def test_an_event_at_no_address_is_a_crash_of_next_batch(run):
    with pytest.raises(wb.PluginCrashed) as caught:
        run("pointer@next_batch:40")
    error = caught.value
    assert (error.call, error.event_number) == ("plugin_next_batch", 39)
    assert len(error.events) == 39


@pytest.mark.parametrize(
    ("fault", "text"),
    [
        ("null", "datalen=8 data=event 40"),
        ("empty", "datalen=8 data=event 40"),
        ("html", "<img src=x onerror=\"document.title='owned'\">"),
    ],
)
def test_event_strings_may_be_missing_or_hostile(run, fault, text):
    events, _ = run(f"{fault}@event_to_string:40", ["evt.plugininfo"])
    assert events.frame["evt.plugininfo"][39] == text
    assert "<img" not in events._repr_html_()


@pytest.mark.parametrize("call", ["get_name", "get_description", "get_contact"])
@pytest.mark.parametrize("fault", ["null", "html", "bytes", "huge=1"])
def test_information_may_be_missing_or_hostile(with_fault, works, call, fault):
    path = with_fault(f"{fault}@{call}")
    manifest = wb.inspect(path)
    assert "<img" not in manifest._repr_html_()
    assert len(repr(manifest)) < 3 << 20
    works()


@pytest.mark.parametrize("call", ["get_required_api_version", "get_version"])
@pytest.mark.parametrize("fault", ["null", "empty", "html", "huge=1"])
def test_bad_versions_are_refused_and_inspected(with_fault, call, fault):
    path = with_fault(f"{fault}@{call}")
    assert wb.inspect(path).complaints
    with pytest.raises(wb.PluginLoadError) as caught:
        wb.load(path)
    assert caught.value.complaints
    assert len(str(caught.value)) < 100_000


@pytest.mark.parametrize("kind", range(7))
@pytest.mark.parametrize(
    "call", ["get_fields", "get_extract_event_sources", "get_init_schema"]
)
@pytest.mark.usefixtures("nothing_leaks")
def test_bad_json_is_refused_everywhere(with_fault, works, call, kind):
    path = with_fault(f"badjson={kind}@{call}")
    manifest = wb.inspect(path)
    # Text that is no UTF-8 and a field declared twice are sound to the framework too.
    if (call, kind) in {("get_extract_event_sources", 3), ("get_fields", 5)}:
        with wb.load(path) as plugin:
            assert len(plugin.capture("events=3", fields=[])) == 3
    elif (call, kind) == ("get_init_schema", 1):
        with pytest.raises(wb.PluginInitError, match="not a usable JSON schema"):
            wb.load(path)
    else:
        assert manifest.complaints, manifest
        with pytest.raises(wb.PluginLoadError):
            wb.load(path)
    works()


@pytest.mark.parametrize("kind", range(7))
def test_bad_json_of_open_params(faulty, works, kind):
    with wb.load(faulty, config=f"badjson={kind}@list_open_params") as plugin:
        assert all(param.value for param in plugin.open_params)
        assert len(plugin.capture("events=3")) == 3
    works()


@pytest.mark.usefixtures("nothing_leaks")
def test_what_a_plugin_prints_is_its_log_not_ours(faulty, capfd):
    with wb.load(faulty) as plugin:
        plugin.capture("batch=10,stdout=3@next_batch:40")

        def printed(stream):
            return [line.message for line in plugin.log if line.stream == stream]

        for stream in ("stdout", "stderr"):
            wait_until(lambda s=stream: len(printed(s)) >= 3, 20, "it prints")
            expected = [f"faulty writes to {stream}, line {n}" for n in range(3)]
            assert printed(stream) == expected
    assert capfd.readouterr() == ("", "")


def test_a_flood_of_print_is_no_deadlock(run):
    events, log = run("stdout=20000@next_batch:40")
    assert len(events) == 1000
    assert 0 < len(log) <= 60_000


@pytest.mark.parametrize("first", [3, 0])
@pytest.mark.parametrize(
    ("moment", "call"),
    [
        ("open", "plugin_open"),
        ("extract:40", "plugin_extract_fields"),
        ("close", "plugin_close"),
    ],
)
def test_closed_descriptors_are_told_and_rows_are_kept(run, first, moment, call):
    with pytest.raises(wb.PluginCrashed) as caught:
        run(f"closefds={first}@{moment}")
    error = caught.value
    assert (error.reason, error.call) == ("exit", call)
    assert "closed file descriptors that its process needs" in str(error)
    if moment != "open":
        kept = list(error.events.frame["faulty.number"])
        assert len(kept) >= 40
        assert kept == list(range(1, len(kept) + 1))


@pytest.mark.parametrize("moment", ["init", "open", "next_batch:40", "extract:40"])
@pytest.mark.parametrize("fault", ["chdir", "environment", "signals"])
@pytest.mark.usefixtures("nothing_leaks")
def test_changes_of_the_process_stay_in_it(faulty, fault, moment):
    here, home = Path.cwd(), os.environ.get("PATH")
    handler = signal.getsignal(signal.SIGINT)
    config = f"{fault}@{moment}" if moment == "init" else None
    with wb.load(faulty, config=config) as plugin:
        params = "" if config else f"{fault}@{moment}"
        assert len(plugin.capture(params, fields=["faulty.number"])) == 1000
    assert (Path.cwd(), os.environ.get("PATH")) == (here, home)
    assert signal.getsignal(signal.SIGINT) is handler


@pytest.mark.parametrize("fault", ["segfault@extract:40", "exit@extract:40"])
def test_a_crash_after_the_signal_handlers_were_taken_away(run, fault):
    with pytest.raises(wb.PluginCrashed) as caught:
        run(f"signals@open,{fault}")
    error = caught.value
    assert (error.call, error.event_number) == ("plugin_extract_fields", 40)
    assert len(error.events) == 39


@pytest.mark.usefixtures("nothing_leaks")
def test_a_hang_that_no_signal_reaches_can_be_stopped(faulty):
    with wb.load(faulty) as plugin:
        capture = plugin.open("batch=10,deaf@next_batch:40", fields=["faulty.number"])
        rows = 0
        threading.Timer(0.3, capture.stop).start()
        for frame in capture:
            rows += len(frame)
        assert (rows, capture.end_reason) == (30, "cancelled")
        capture.close()


@pytest.mark.usefixtures("nothing_leaks")
def test_a_thread_that_crashes_later_is_told_apart(faulty):
    with (
        wb.load(faulty) as plugin,
        pytest.raises(wb.PluginCrashed) as caught,
    ):
        plugin.capture("batch=10,later-segfault@open,hang@next_batch:40")
    error = caught.value
    assert error.signal == signal.SIGSEGV
    assert "on a thread of its own" in str(error)
    assert len(error.events) == 30


@pytest.mark.usefixtures("nothing_leaks")
def test_a_process_that_a_plugin_leaves_behind_holds_nobody_up(faulty):
    started = time.monotonic()
    with wb.load(faulty) as plugin:
        assert len(plugin.capture("fork=10000@open", fields=["faulty.number"])) == 1000
    with (
        wb.load(faulty) as plugin,
        pytest.raises(wb.PluginCrashed),
    ):
        plugin.capture("fork=10000@open,segfault@extract:40")
    assert time.monotonic() - started < 8


def test_a_failed_init_tells_its_last_error_and_its_state_is_destroyed(faulty, works):
    with pytest.raises(wb.PluginInitError) as caught:
        wb.load(faulty, config="fail@init")
    assert caught.value.last_error == "failing, as it was asked for"
    with pytest.raises(wb.PluginInitError):
        wb.load(faulty, config="null@init")
    with pytest.raises(wb.PluginCrashed) as crashed:
        wb.load(faulty, config="fail@init,segfault@destroy")
    assert crashed.value.call == "plugin_destroy"
    works()
