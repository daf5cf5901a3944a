"""From open to close: order, end reasons, checks of events, small questions."""

from __future__ import annotations

import time

import pytest

from tests.support.waiting import wait_until
from workbench.errors import (
    PluginFailure,
    PluginInitError,
    PluginOpenError,
    WorkbenchError,
)
from workbench.session.types import CaptureOptions


@pytest.fixture
def probe(session, plugin):
    index, manifest = session.load(str(plugin("probe")))
    session.init(index, "")
    return index, manifest


@pytest.mark.parametrize(
    ("params", "end", "rows", "words", "code"),
    [
        ("n=300;rc=2", "eof", 300, None, None),
        ("n=300;rc=1", "failure", 300, "the source broke", 1),
        ("n=300;rc=3", "failure", 300, "returned NOT_SUPPORTED after event #300", 3),
        ("n=300;rc=42", "failure", 300, "returned unknown code 42", 42),
        ("n=300;rc=0", "failure", 300, "unexpected 0 size event returned by", 0),
        ("n=300;rc=2;timeouts=5", "eof", 300, None, None),
        ("n=300;id=999", "eof", 300, None, None),
        (
            "n=300;id=5",
            "failure",
            0,
            (
                "unexpected plugin ID in plugin event: plugin='probe', expected_id=999, "
                "actual_id=5"
            ),
            1,
        ),
        ("n=300;type=402", "failure", 0, "malformed plugin event produced by", 1),
        ("n=300;badlen=1", "failure", 0, "malformed plugin event produced by", 1),
        ("n=300;badlen=-150", "failure", 0, "malformed plugin event produced by", 1),
    ],
)
def test_events_come_before_the_code_that_ends_them(
    session, probe, columns, read, params, end, rows, words, code
):
    index, manifest = probe
    table, ended, error = read(session, index, params, columns(manifest, "probe.num"))
    assert ended == end
    assert (table.num_rows if table else 0) == rows
    if words is None:
        assert error is None
        return
    assert isinstance(error, PluginFailure)
    assert words in error.message
    assert error.return_code == code
    assert (error.call, error.event_number) == ("plugin_next_batch", rows)


def test_a_limit_ends_after_exactly_so_many(session, probe, read):
    index, _ = probe
    for limit in (1, 127, 128, 129, 1000):
        table, end, _ = read(session, index, "n=5000", [], max_events=limit)
        assert (table.num_rows, end) == (limit, "limit")
    table, end, _ = read(session, index, "n=100", [], max_events=100)
    assert (table.num_rows, end) == (100, "limit")


def test_time_now_is_filled_in(session, probe, read):
    before = time.time_ns()
    table, _, _ = read(session, probe[0], "n=3;ts=-1", [])
    assert all(before <= t <= time.time_ns() for t in table["evt.rawtime"].to_pylist())


def test_ids_and_threads_are_set_in_the_event(session, probe, read):
    table, _, _ = read(session, probe[0], "n=2", [], keep_raw=True, keep_payload=True)
    raw, payload = table["raw"][1].as_py(), table["payload"][1].as_py()
    assert raw[8:16] == b"\xff" * 8
    assert raw[34:38] == (999).to_bytes(4, "little")
    assert raw[38:] == payload
    assert payload.startswith(b"1 user=bob")


def test_event_texts(session, probe, read):
    table, _, _ = read(session, probe[0], "n=2", [], plugin_info=True, keep_raw=True)
    assert table["evt.plugininfo"].to_pylist()[0].startswith(b"#1: 0 user=alice")
    stored = [table[name].combine_chunks() for name in ("raw", "evt.num")]
    texts = session.event_strings(probe[0], *stored).to_pylist()
    live = table["evt.plugininfo"].to_pylist()
    # The plugin shows the number that it sees: one that it has not seen yet.
    assert [text.split(b" ", 1)[1] for text in texts] == [
        text.split(b" ", 1)[1] for text in live
    ]
    assert not set(texts) & set(live)


def test_progress_and_suggestions(session, plugin):
    index, _ = session.load(str(plugin("probe")))
    params = session.init(index, "")
    assert [p.value for p in params] == ["n=10", "n=1000"]
    assert params[0].desc == "ten events"
    assert session.progress().percent is None
    session.open(index, "n=256;block=20", [], CaptureOptions())
    session.read()
    progress = session.progress()
    assert progress.percent in (50.0, 100.0)
    assert progress.text.endswith("of 256")
    session.close_capture()


def test_config_metrics_and_log(session, probe):
    index, _ = probe
    assert session.set_config(index, '{"a": 1}') is True
    assert session.set_config(index, "bad") is False
    assert session.metrics(index) == [
        {"name": "seen", "type": "monotonic", "value": 2**64 - 1},
        {"name": "ratio", "type": "non_monotonic", "value": -0.5},
    ]
    line = wait_until(lambda: session.log(index), 20, "the log arrives")[0]
    assert (line.stream, line.severity, line.component) == ("log", "info", "probe")
    assert line.message == "hello from init"


def test_refusals(session, plugin):
    index, _ = session.load(str(plugin("probe")))
    with pytest.raises(WorkbenchError, match="used before init"):
        session.open(index, "", [], CaptureOptions())
    with pytest.raises(PluginInitError) as caught:
        session.init(index, "refuse stateless")
    assert "plugin handle or 'get_last_error' function not defined" in str(caught.value)
    assert caught.value.last_error is None
    with pytest.raises(PluginInitError, match="refused by request") as caught:
        session.init(index, "refuse")
    assert caught.value.last_error == "refused by request"
    functions = [c.function for c in session.trace(index)]
    tail = functions[-3:]
    assert tail == ["plugin_init", "plugin_get_last_error", "plugin_destroy"]
    with pytest.raises(PluginInitError, match="NUL"):
        session.init(index, "a\0b")
    session.init(index, "")
    with pytest.raises(WorkbenchError, match="initialized twice"):
        session.init(index, "")
    with pytest.raises(PluginOpenError, match="cannot open that") as refused:
        session.open(index, "refuse", [], CaptureOptions())
    assert refused.value.last_error == "cannot open that"
    assert "plugin_close" not in [c.function for c in session.trace(index)]
    session.open(index, "n=5", [], CaptureOptions())
    with pytest.raises(PluginOpenError, match="close it first"):
        session.open(index, "n=5", [], CaptureOptions())
    session.close_capture()
    session.close_capture()


def test_the_config_arrives_byte_for_byte(session, plugin):
    text = '{"ü": "\udcff", "spaces":  1}\n'
    index, _ = session.load(str(plugin("probe")))
    session.init(index, text)
    call = next(c for c in session.trace(index) if c.function == "plugin_init")
    assert call.arguments.startswith('config={"ü": "')
    assert call.return_code == "SUCCESS"
    assert call.duration_ns > 0


def test_the_order_of_calls(session, plugin, columns, read):
    index, manifest = session.load(str(plugin("probe")))
    session.init(index, "")
    read(session, index, "n=5", columns(manifest, "probe.num"))
    session.close()
    functions = [c.function for c in session.trace(index) if c.seq]
    assert functions[:3] == [
        "dlopen",
        "plugin_get_required_api_version",
        "plugin_get_name",
    ]
    later = functions[functions.index("plugin_init") :]
    assert later == [
        "plugin_init",
        "plugin_list_open_params",
        "plugin_open",
        "plugin_close",
        "plugin_destroy",
    ]
    hot = {c.function: c.count for c in session.trace(index) if not c.seq}
    assert hot == {"plugin_next_batch": 1, "plugin_extract_fields": 5}


def test_stop_keeps_what_was_read(session, probe):
    session.open(probe[0], "n=100000000", [], CaptureOptions())
    rows = session.read().batch.num_rows
    session.stop()
    while (chunk := session.read()).end is None:
        rows += chunk.batch.num_rows
    assert chunk.end == "cancelled"
    session.close_capture()
    session.open(probe[0], "n=5", [], CaptureOptions())
    assert session.read().batch["evt.num"].to_pylist() == [1, 2, 3, 4, 5]
    session.close_capture()


def test_nothing_stays_alive(plugin, columns, read):
    from workbench.host.handles import live_objects
    from workbench.session.local_session import LocalSession

    before = live_objects()
    session = LocalSession()
    index, manifest = session.load(str(plugin("probe")))
    session.init(index, "")
    table, _, _ = read(
        session,
        index,
        "n=5000",
        columns(manifest),
        keep_raw=True,
        plugin_info=True,
    )
    raw, numbers = table["raw"].combine_chunks(), table["evt.num"].combine_chunks()
    session.extract(raw, numbers, "probe", columns(manifest))
    session.event_strings(index, raw, numbers)
    session.close()
    del table, raw, numbers
    assert live_objects() == before
