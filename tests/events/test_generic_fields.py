from __future__ import annotations

import time

import pyarrow as pa
import pytest

from workbench.errors import WorkbenchError
from workbench.events.builtin_columns import fallback_info
from workbench.events.from_table import events_from_table
from workbench.fields.builtin import BUILTIN_FIELDS


@pytest.fixture
def zone(monkeypatch):
    """Run under another time zone."""

    def use(name):
        monkeypatch.setenv("TZ", name)
        time.tzset()

    yield use
    monkeypatch.undo()
    time.tzset()


def values(events, name):
    column = events.extract(name).table.column(name)
    return [v.decode() if isinstance(v, bytes) else v for v in column.to_pylist()]


def test_number_and_raw_time_are_the_tables_own(events):
    assert values(events, "evt.num") == [1, 2, 3]
    assert values(events, "evt.rawtime")[0] == 1700000000000000007


def test_local_time_uses_the_offset_of_this_moment_for_every_event(events, zone):
    zone("Etc/GMT-5")
    assert values(events, "evt.time")[0] == "03:13:20.000000007"
    assert values(events, "evt.time.s")[0] == "03:13:20"
    assert values(events, "evt.datetime")[0] == "2023-11-15 03:13:20.000000007"
    assert values(events, "evt.datetime.s")[0] == "2023-11-15 03:13:20"


def test_iso_time_is_utc_everywhere(events, zone):
    zone("Asia/Kolkata")
    assert values(events, "evt.time.iso8601")[0] == "2023-11-14T22:13:20.000000007+0000"


def test_parts_of_times(events):
    assert values(events, "evt.rawtime.s")[0] == 1700000000
    assert values(events, "evt.rawtime.ns")[0] == 7
    assert values(events, "evt.reltime") == [0, 999_999_993, 1_999_999_993]
    assert values(events, "evt.reltime.s") == [0, 0, 1]
    assert values(events, "evt.reltime.ns") == [0, 999_999_993, 999_999_993]


def test_relative_time_counts_from_the_capture_not_from_the_selection(events):
    assert values(events[1:], "evt.reltime") == [999_999_993, 1_999_999_993]


def test_relative_time_does_not_count_from_an_asynchronous_event(table):
    turned = table.take([2, 0, 1])
    events = events_from_table(turned, fields=[], source="s")
    assert values(events, "evt.reltime") == [1_999_999_993, 0, 999_999_993]


def test_relative_time_wraps_when_an_event_is_earlier_than_the_first():
    table = pa.table({"evt.rawtime": pa.array([10, 4], pa.uint64())})
    events = events_from_table(table, fields=[], source="s")
    assert values(events, "evt.reltime") == [0, 2**64 - 6]


def test_times_of_all_64_bits_are_formatted(zone):
    zone("UTC")
    table = pa.table({"evt.rawtime": pa.array([0, 2**64 - 1], pa.uint64())})
    events = events_from_table(table, fields=[], source="s")
    assert values(events, "evt.datetime") == [
        "1970-01-01 00:00:00.000000000",
        "2554-07-21 23:34:33.709551615",
    ]


def test_names(events):
    assert values(events, "evt.source") == ["src"] * 3
    assert values(events, "evt.pluginname") == ["maker", "maker", None]


def test_the_host_name_may_be_overridden(table, monkeypatch):
    monkeypatch.setenv("FALCO_HOSTNAME", "elsewhere")
    events = events_from_table(table, fields=[], source="src")
    assert values(events, "evt.hostname") == ["elsewhere"] * 3


def test_asynchronous_events_say_so(events):
    assert values(events, "evt.is_async") == [False, False, True]
    assert values(events, "evt.asynctype") == [None, None, "alarm"]
    assert values(events[2:], "evt.asynctype") == ["alarm"]


def test_plugin_info_falls_back_to_the_engines_text(events):
    assert values(events, "evt.plugininfo") == [
        "datalen=5 data=hello",
        "datalen=60 data=" + "x" * 50 + "...",
        None,
    ]


@pytest.mark.parametrize(
    ("payload", "text"),
    [
        (b"", b"datalen=0 data="),
        (b"a" * 50, b"datalen=50 data=" + b"a" * 50),
        (b"a\n", b"datalen=2 data=<binary>"),
        (b"\x80", b"datalen=1 data=<binary>"),
        (b"\x7f", b"datalen=1 data=<binary>"),
        (b"a" * 50 + b"\0", b"datalen=51 data=" + b"a" * 50 + b"..."),
        (None, None),
    ],
)
def test_fallback_text(payload, text):
    assert fallback_info(pa.array([payload], pa.binary())).to_pylist() == [text]


def test_the_payload_can_be_asked_for(events):
    assert values(events, "payload")[:2] == ["hello", "x" * 60]


def test_every_generic_field_has_its_declared_type(events):
    kinds = {
        "uint64": pa.types.is_uint64,
        "abstime": pa.types.is_uint64,
        "reltime": pa.types.is_uint64,
        "bool": pa.types.is_boolean,
        "string": lambda t: (
            pa.types.is_string(t) or pa.types.is_binary(t) or pa.types.is_dictionary(t)
        ),
    }
    for name, info in BUILTIN_FIELDS.items():
        column = events.extract(name).table.column(name)
        assert kinds[info.type](column.type), (name, column.type)
        assert len(column) == 3


def test_columns_that_a_table_brings_are_used_as_they_are():
    table = pa.table({"evt.hostname": ["probe-host"], "evt.plugininfo": ["row 1"]})
    events = events_from_table(table, fields=[], source="s")
    assert values(events, "evt.hostname") == ["probe-host"]
    assert values(events, "evt.plugininfo") == ["row 1"]
    assert values(events, "evt.num") == [1]


def test_without_stored_events_the_error_says_how_to_have_them():
    events = events_from_table(
        pa.table({"evt.num": pa.array([1], pa.uint64())}), fields=[], source="s"
    )
    with pytest.raises(WorkbenchError, match="keep_events=True"):
        events.extract("evt.plugininfo")
