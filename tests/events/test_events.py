from __future__ import annotations

import csv
import io
import json
import pickle

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import workbench as wb
from workbench.errors import ConditionError, PluginFailure, WorkbenchError
from workbench.events import events_from_table, open_events
from workbench.fields.declarations import FieldInfo


def test_length_source_and_versions(events):
    assert len(events) == 3
    assert events.source == "src"
    assert events.sources == ["src"]
    assert events.plugin_versions == {"maker": "1.2.3"}
    assert "p.s" in events.fields_of("src")
    assert not events.fields_of("other")


def test_declarations_may_be_decoded_get_fields_json():
    declared = [{"type": "string", "name": "p.s", "desc": "text"}]
    events = events_from_table(pa.table({"p.s": ["x"]}), fields=declared, source="s")
    assert events.fields["p.s"] == FieldInfo("p.s", "string", desc="text")
    assert events.frame["evt.num"].tolist() == [1]


def test_a_time_column_becomes_the_raw_time():
    stamps = pa.array([5], pa.timestamp("us", "UTC"))
    events = events_from_table(pa.table({"evt.time": stamps}), fields=[], source="s")
    assert events.table.column("evt.rawtime").to_pylist() == [5000]
    assert events.frame["evt.time"][0] == pd.Timestamp(5000, tz="UTC")


def test_two_columns_of_one_name_are_refused():
    twice = pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["a", "a"])
    with pytest.raises(ValueError, match="same name: a"):
        events_from_table(twice, fields=[], source="s")


def test_selection_by_name_slice_and_mask(events):
    assert events["p.u"].tolist()[0] == 1
    assert events["evt.rawtime.s"].tolist()[0] == 1700000000
    assert len(events[:2]) == 2
    assert len(events[np.array([True, False, True])]) == 2
    assert len(events[events.frame["p.u"] == 1]) == 1


def test_a_mask_of_another_length_is_refused(events):
    with pytest.raises(ValueError, match="2 values for 3 events"):
        events[np.array([True, False])]


def test_where_takes_a_mask_too(events):
    mask = events.mask("p.u = 1")
    assert len(events.where(mask)) == len(events.where("p.u = 1")) == 1
    assert len(events.where([True, False, True])) == 2


def test_swapped_arguments_of_explain_are_named(events):
    with pytest.raises(WorkbenchError, match=r"explain\(1, 'p.u = 1'\)"):
        events.explain("p.u = 1", 1)


def test_a_notebook_shows_our_errors_without_our_frames():
    lines = WorkbenchError("what failed; what to do")._render_traceback_()
    assert lines == ["workbench.errors.WorkbenchError: what failed; what to do"]


def test_an_unknown_field_names_the_nearest(events):
    with pytest.raises(ConditionError, match=r"did you mean p\.tags"):
        events.extract("p.tag")


def test_extract_gives_new_events_and_leaves_these(events):
    more = events.extract("evt.datetime.s", "evt.is_async")
    assert "evt.is_async" in more.table.column_names
    assert "evt.is_async" not in events.table.column_names
    assert more.table.column_names[-1] == "raw"


def test_without_a_plugin_the_error_says_how_to_give_one(events):
    with pytest.raises(WorkbenchError, match="attach"):
        events.extract("p.kv[other]")


def test_labels_stay_with_their_events(events):
    events.label([True, False, False], must_match=True)
    events.label([False, True, False], must_match=False)
    assert events.labels == {1: True, 2: False}
    assert events[1:].labels == {2: False}
    events.label([True, True, True], must_match=None)
    assert events.labels == {}


def test_events_survive_pickling_without_their_plugin(events):
    events.label([True, False, False])
    copy = pickle.loads(pickle.dumps(events))
    assert copy.table.equals(events.table)
    assert copy.fields == events.fields
    assert copy.origin == events.origin
    assert copy.labels == {1: True}
    assert copy.frame.equals(events.frame)


def test_an_error_that_carries_events_survives_pickling(events):
    error = PluginFailure("it failed", plugin="maker", return_code=1)
    error.events = events
    copy = pickle.loads(pickle.dumps(error))
    assert str(copy) == "it failed"
    assert len(copy.events) == 3


def test_text_repr_shows_what_there_is(events):
    text = repr(events)
    first, header, row = text.splitlines()[:3]
    assert first == "Events: 3 events of src from maker 1.2.3, raw events kept"
    # The source is in the title: the room is for fields.
    assert header.split()[:3] == ["evt.num", "evt.time", "p.s"]
    assert row.split()[0] == "1"
    assert "\x1b" not in text


def test_html_repr_escapes_what_events_say():
    nasty = "<script>alert(1)</script>\u202e\x1b[31m"
    table = pa.table({"p.s": [nasty], "p.<b>": [nasty]})
    events = events_from_table(table, fields=[], source="<i>", plugin="<u>")
    html = events._repr_html_()
    for bad in ("<script", "<b>alert", "<i>", "<u>", "p.<b>", "\u202e", "\x1b"):
        assert bad not in html
    assert "&lt;script&gt;" in html


def test_keys_complete_to_columns_and_fields(events):
    keys = events._ipython_key_completions_()
    assert keys[:4] == ["evt.num", "evt.time", "evt.source", "p.s"]
    assert "p.kv" in keys


def plain(events, name):
    """Give the bytes of a text column."""
    return events.table.column(name).cast(pa.binary()).to_pylist()


# -- files -----------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".arrow", ".parquet"])
def test_a_saved_file_gives_the_same_events(events, tmp_path, suffix):
    path = events.save(tmp_path / f"events{suffix}")
    again = open_events(path)
    lines = [e.save(tmp_path / "x.jsonl").read_text("utf-8") for e in (again, events)]
    assert lines[0] == lines[1]
    assert again.columns == events.columns
    assert plain(again, "p.s") == [b"caf\xc3\xa9", None, b"bad \xff"]
    assert plain(again, "raw") == plain(events, "raw")
    assert again.fields == events.fields
    assert again.source == "src"
    assert again.origin.plugin == "maker"
    assert again.origin.start_ns == events.origin.start_ns
    assert list(again["evt.hostname"]) == list(events["evt.hostname"])


def test_jsonl_has_one_object_per_event(events, tmp_path):
    lines = events.save(tmp_path / "e.jsonl").read_text("utf-8").splitlines()
    first, second, third = map(json.loads, lines)
    assert first == {
        "evt.num": 1,
        "evt.time": "2023-11-14T22:13:20.000000007Z",
        "evt.source": "src",
        "p.s": "café",
        "p.u": 1,
        "p.b": True,
        "p.ip": "1.2.3.4",
        "p.net": None,
        "p.at": 1700000000000000000,
        "p.took": 1500,
        "p.tags": ["a", "\ufffd"],
        "p.ips": ["0.0.0.1"],
        "p.kv[k]": "v",
    }
    assert second["p.tags"] is None
    assert third["p.u"] == 2**64 - 1
    assert third["p.tags"] == []
    assert third["p.took"] == 2**63


def test_csv_has_a_header_and_one_line_per_event(events, tmp_path):
    text = events.save(tmp_path / "e.csv").read_text("utf-8")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert len(rows) == 3
    assert rows[0]["p.s"] == "café"
    assert rows[0]["p.tags"] == '["a", "\ufffd"]'
    assert rows[0]["p.b"] == "true"
    assert rows[1]["p.u"] == ""


def test_scap_needs_the_events_themselves(tmp_path):
    events = events_from_table(pa.table({"p.s": ["x"]}), fields=[], source="s")
    with pytest.raises(WorkbenchError, match="keep_events=True"):
        events.save(tmp_path / "x.scap")


def test_scap_gives_the_stored_events_back(events, tmp_path):
    path = events[:2].save(tmp_path / "x.scap")
    again = open_events(path)
    assert again["payload"].tolist() == [b"hello", b"x" * 60]
    assert again.table.column("evt.rawtime").to_pylist() == (
        events[:2].table.column("evt.rawtime").to_pylist()
    )


def test_an_unknown_suffix_names_those_known(events, tmp_path):
    with pytest.raises(WorkbenchError, match=r"\.parquet, \.scap"):
        events.save(tmp_path / "x.xlsx")


@pytest.mark.parametrize("suffix", [".jsonl", ".csv"])
def test_text_files_are_not_read_back(events, tmp_path, suffix):
    path = events.save(tmp_path / f"x{suffix}")
    with pytest.raises(WorkbenchError, match="keeps no field types"):
        open_events(path)


def test_a_missing_file_is_said_to_be_missing(tmp_path):
    with pytest.raises(WorkbenchError, match="no such file"):
        open_events(tmp_path / "none.parquet")


def test_a_file_that_is_something_else(tmp_path):
    path = tmp_path / "x.arrow"
    path.write_bytes(b"hello")
    with pytest.raises(WorkbenchError, match="not a valid Arrow file"):
        open_events(path)


def test_a_folder_that_is_not_there(events, tmp_path):
    with pytest.raises(WorkbenchError, match="cannot write"):
        events.save(tmp_path / "none" / "x.jsonl")


def test_a_path_among_plugins_is_told(tmp_path):
    with pytest.raises(TypeError, match=r"not paths: use wb\.load\('libx\.so'\)"):
        wb.open_events(tmp_path / "a.parquet", plugins=["libx.so"])
