from __future__ import annotations

import datetime as dt
import ipaddress
import socket

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from workbench.arrow.addresses import address_text
from workbench.arrow.dictionaries import join_batches
from workbench.events.events import Events
from workbench.events.from_table import events_from_table
from workbench.fields.declarations import FieldInfo, FieldTable
from workbench.fields.types import FIELD_TYPES
from workbench.formatting.printable import printable

UTC = dt.UTC


@pytest.fixture
def frame(events):
    return events.frame


def test_the_first_columns_are_number_time_and_source(frame):
    assert list(frame.columns[:3]) == ["evt.num", "evt.time", "evt.source"]
    assert frame["evt.num"].dtype == "uint64"
    assert str(frame["evt.time"].dtype) == "datetime64[ns, UTC]"
    assert frame["evt.time"][0] == pd.Timestamp("2023-11-14T22:13:20.000000007Z")
    assert frame["evt.source"].tolist() == ["src"] * 3


def test_the_machines_own_columns_are_not_shown(frame):
    assert "raw" not in frame
    assert "evt.rawtime" not in frame


def test_text_is_repaired_and_absent_is_na(frame):
    assert frame["p.s"].tolist() == ["café", pd.NA, "bad \ufffd"]


def test_numbers_keep_all_64_bits(frame):
    assert frame["p.u"].tolist() == [1, pd.NA, 2**64 - 1]


def test_booleans_have_three_states(frame):
    assert frame["p.b"].tolist() == [True, pd.NA, False]


def test_addresses_are_text(frame):
    assert frame["p.ip"].tolist() == ["1.2.3.4", pd.NA, "::1"]
    assert frame["p.net"].tolist() == [pd.NA, "10.0.0.1", pd.NA]
    assert frame["p.ips"].tolist()[0] == ["0.0.0.1"]
    assert frame["p.ips"].tolist()[2] == ["::"]


def test_times_beyond_int64_are_na(frame):
    assert frame["p.at"][0] == pd.Timestamp("2023-11-14T22:13:20Z")
    assert frame["p.at"].isna().tolist() == [False, True, True]
    assert frame["p.took"][0] == pd.Timedelta(1500, "ns")
    assert frame["p.took"].isna().tolist() == [False, True, True]


def test_lists_are_lists_and_empty_is_not_absent(frame):
    assert frame["p.tags"].tolist() == [["a", "\ufffd"], pd.NA, []]
    assert type(frame["p.tags"][0]) is list


DTYPES = {
    "p.s": "string[pyarrow]",
    "p.u": "UInt64",
    "p.b": "boolean",
    "p.ip": "string[pyarrow]",
    "p.net": "string[pyarrow]",
    "p.at": "datetime64[ns, UTC]",
    "p.took": "timedelta64[ns]",
    "p.kv[k]": "string[pyarrow]",
    "evt.source": "string[pyarrow]",
    "evt.time": "datetime64[ns, UTC]",
    "evt.num": "uint64",
}


def test_dtypes_follow_the_declared_type_alone(events, frame):
    for name, dtype in DTYPES.items():
        assert frame[name].dtype == dtype, name
    assert isinstance(frame["p.tags"].dtype, pd.ArrowDtype)
    for part in (events[:0], events[1:2], events[::2]):
        assert part.frame.dtypes.equals(frame.dtypes)


def test_a_column_without_any_value_has_its_declared_dtype():
    fields = [FieldInfo(f"p.{kind}", kind) for kind in FIELD_TYPES]
    columns = {info.name: pa.nulls(3) for info in fields}
    empty = events_from_table(pa.table(columns), fields=fields, source="s").frame
    wanted = {
        "uint64": "UInt64",
        "bool": "boolean",
        "abstime": "datetime64[ns, UTC]",
        "reltime": "timedelta64[ns]",
    }
    for kind in FIELD_TYPES:
        assert empty[f"p.{kind}"].dtype == wanted.get(kind, "string[pyarrow]")
        assert empty[f"p.{kind}"].isna().all()


def test_batches_with_and_without_dictionaries_join_to_the_same_dtypes(events, frame):
    table = events.table
    at = table.column_names.index("p.s")
    words = table.column("p.s").dictionary_encode()
    coded = events.derive(table.set_column(at, "p.s", words)).frame
    pd.testing.assert_frame_equal(coded, frame)
    both = pd.concat([coded, frame], ignore_index=True)
    assert both.dtypes.equals(frame.dtypes)


def test_columns_of_texts_are_compared_and_joined(frame):
    same = frame["p.s"] == frame["p.kv[k]"]
    assert same.isna().tolist() == [False, True, True]
    assert (frame["p.s"] + "!").tolist() == ["café!", pd.NA, "bad \ufffd!"]
    assert (frame["p.s"] < frame["p.s"].fillna("z")).tolist()[0] is False
    assert frame.groupby("p.s")["p.u"].sum().tolist() == [2**64 - 1, 1]
    assert frame.set_index("evt.time").resample("1h")["p.u"].count().sum() == 2
    assert frame.corr(numeric_only=True).shape[0] >= 2


def test_what_is_changed_in_a_frame_is_seen_by_no_condition(events):
    before = events.mask("p.u > 0").tolist()
    frame = events.frame
    frame.loc[:, "p.u"] = 0
    frame.loc[:, "evt.num"] = 7
    frame.loc[0, "evt.time"] = pd.Timestamp(0, tz="UTC")
    frame.loc[0, "p.took"] = pd.Timedelta(0)
    frame["p.s"] = "changed"
    assert events.mask("p.u > 0").tolist() == before
    assert events.table.column("evt.num").to_pylist() == [1, 2, 3]
    assert events.to_pandas()["p.took"][0] == pd.Timedelta(1500, "ns")


def test_categories_are_given_on_wish(events):
    frame = events.to_pandas(categories=["p.s", "p.u", "p.kv[k]", "evt.source"])
    assert isinstance(frame["p.s"].dtype, pd.CategoricalDtype)
    assert frame["p.s"].tolist()[0] == "café"
    assert frame["p.u"].cat.categories.tolist() == [1, 2**64 - 1]
    assert frame["p.kv[k]"].isna().tolist() == [False, False, True]
    assert frame["p.b"].dtype == "boolean"
    with pytest.raises(KeyError, match=r"no column 'p\.none'"):
        events.to_pandas(categories=["p.none"])


def test_categories_that_look_alike_after_repair_become_one():
    words = pa.array([b"\xff", b"\xfe", b"x", None], pa.binary()).dictionary_encode()
    events = events_from_table(
        pa.table({"p.s": words}), fields=[FieldInfo("p.s", "string")], source="s"
    )
    assert events.frame["p.s"].tolist()[:3] == ["\ufffd", "\ufffd", "x"]
    column = events.to_pandas(categories=["p.s"])["p.s"]
    assert list(column.cat.categories) == ["\ufffd", "x"]


def test_a_slice_shows_its_own_rows(events):
    assert events[1:].frame["p.s"].tolist() == [pd.NA, "bad \ufffd"]
    assert events[1:].frame["p.tags"].tolist() == [pd.NA, []]
    assert events[::2].frame["evt.num"].tolist() == [1, 3]


def test_no_rows_keep_their_types(events):
    empty = events[:0].frame
    assert len(empty) == 0
    assert empty.dtypes.equals(events.frame.dtypes)


@pytest.mark.parametrize("rows", [1, 1000, 70_000])
def test_addresses_agree_with_the_standard_library(rows):
    random = np.random.default_rng(rows)
    four = random.integers(0, 256, (rows, 4), dtype=np.uint8)
    values = [bytes(v) for v in four]
    assert address_text(pa.array(values, pa.binary())).to_pylist() == [
        str(ipaddress.ip_address(v)) for v in values
    ]


def test_long_addresses_agree_with_the_c_library():
    random = np.random.default_rng(6)
    groups = random.choice(
        np.array([0, 0, 0, 1, 0xF, 0x10, 0xFFF, 0xFFFF]), (20_000, 8)
    ).astype(">u2")
    values = [row.tobytes() for row in groups]
    values += [bytes(10) + b"\xff\xff\1\2\3\4", bytes(12) + b"\1\2\3\4"]
    assert address_text(pa.array(values, pa.binary())).to_pylist() == [
        socket.inet_ntop(socket.AF_INET6, v) for v in values
    ]


def test_addresses_of_both_families_and_of_none():
    values = [None, bytes(4), bytes(16), b"", b"abc", b"\xff" * 16, None, b"\x7f\0\0\1"]
    got = address_text(pa.array(values, pa.binary()))
    top = "ffff:" * 7 + "ffff"
    wanted = [None, "0.0.0.0", "::", "", "0x616263", top, None, "127.0.0.1"]
    assert got.to_pylist() == wanted
    assert address_text(got.cast(pa.binary()).slice(0, 0)).to_pylist() == []
    sliced = pa.array(values, pa.binary()).slice(6, 2)
    assert address_text(sliced).to_pylist() == [None, "127.0.0.1"]


def batch(array):
    return pa.RecordBatch.from_arrays([array], names=["x"])


def grown(words, codes):
    return pa.DictionaryArray.from_arrays(
        pa.array(codes, pa.int32()), pa.array(words, pa.binary())
    )


def test_dictionaries_that_grew_are_shared():
    first, second = grown([b"a"], [0, None]), grown([b"a", b"b"], [1, 0])
    column = join_batches([batch(first), batch(second)]).column("x")
    assert column.to_pylist() == [b"a", None, b"b", b"a"]
    assert {id(c.dictionary.buffers()[2].address) for c in column.chunks}
    assert all(len(c.dictionary) == 2 for c in column.chunks)


def test_dictionaries_that_differ_are_unified():
    first, second = grown([b"a"], [0]), grown([b"b", b"c", b"a"], [0, 2])
    column = join_batches([batch(first), batch(second)]).column("x")
    assert column.to_pylist() == [b"a", b"b", b"a"]


def test_a_column_that_stopped_being_a_dictionary_is_plain():
    column = join_batches(
        [batch(grown([b"a"], [0])), batch(pa.array([b"z"], pa.binary()))]
    ).column("x")
    assert column.type == pa.binary()
    assert column.to_pylist() == [b"a", b"z"]


def test_lists_of_dictionaries_join_with_plain_lists():
    inner = grown([b"a", b"b"], [0, 1, 1])
    coded = pa.ListArray.from_arrays(pa.array([0, 2, 3], pa.int32()), inner)
    plain = pa.array([[b"z"], None], pa.list_(pa.binary()))
    column = join_batches([batch(coded), batch(plain)]).column("x")
    assert column.to_pylist() == [[b"a", b"b"], [b"b"], [b"z"], None]


def test_lists_of_dictionaries_show_as_lists():
    inner = grown([b"a", b"\xff"], [0, 1, 1])
    coded = pa.ListArray.from_arrays(pa.array([0, 2, 3], pa.int32()), inner)
    fields = FieldTable([FieldInfo("p.tags", "string", is_list=True)])
    events = events_from_table(pa.table({"p.tags": coded}), fields=fields, source="s")
    assert isinstance(events, Events)
    assert events.frame["p.tags"].tolist() == [["a", "\ufffd"], ["\ufffd"]]


HOSTILE = "a\x1b[2J\u202e\u3164\u115f\u2800\u034f\ufe0f\n0  forged"


def test_a_frame_shows_printable_characters_and_keeps_its_values():
    texts = {
        "t.x": [HOSTILE, None],
        "t.d": pa.array([HOSTILE, "b"]).dictionary_encode(),
        "t.l": [[HOSTILE], []],
        HOSTILE: ["c", "d"],
    }
    fields = [{"name": n, "type": "string", "isList": n == "t.l"} for n in texts][:3]
    times = pa.array([1, 2], pa.uint64())
    table = pa.table({"evt.num": times, "evt.rawtime": times, **texts})
    frame = events_from_table(table, fields=fields, source="t").frame
    assert frame["t.x"][0] == frame["t.d"][0] == HOSTILE
    parts = [frame, frame.head(1), frame[["t.x", "t.d"]], frame["t.x"], frame["t.d"]]
    parts += [frame["t.l"], frame[frame["evt.num"] == 1]]
    with pd.option_context("display.width", 1000, "display.max_columns", 20):
        for part in parts:
            shown = repr(part)
            assert all(line == printable(line) for line in shown.split("\n")), shown
            assert "\n0  forged" not in shown
            assert r"[2J" in shown
        html = frame._repr_html_()
    assert all(line == printable(line) for line in html.split("\n"))
    assert pd.DataFrame(frame).equals(frame)
