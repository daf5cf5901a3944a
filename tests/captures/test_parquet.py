from __future__ import annotations

import json
import os

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from workbench.captures.parquet import (
    ParquetWriter,
    iter_parquet,
    read_parquet,
    read_parquet_facts,
    write_parquet,
)
from workbench.errors import CaptureFileError
from workbench.fields.declarations import ArgInfo, FieldInfo

FIELDS = [
    FieldInfo("t.text", "string", desc="some text", properties=("info",)),
    FieldInfo("t.kv", "string", arg=ArgInfo(required=True, key=True)),
    FieldInfo("t.words", "string", is_list=True, add_output=True),
    FieldInfo("t.addr", "ipaddr"),
    FieldInfo("t.size", "uint64"),
]


def events(texts=(b"one", None, b"three")):
    count = len(texts)
    return pa.table(
        {
            "evt.num": pa.array(range(1, count + 1), pa.uint64()),
            "evt.rawtime": pa.array([2**64 - 2] * count, pa.uint64()),
            "evt.source": pa.array([b"t"] * count).dictionary_encode(),
            "t.text": pa.array(texts, pa.binary()),
            "t.kv[user id]": pa.array(texts, pa.binary()).dictionary_encode(),
            "t.words": pa.array([[b"a", b"b"]] * count, pa.list_(pa.binary())),
            "t.addr": pa.array([b"\x0a\x01\x02\x03"] * count, pa.binary()),
            "t.size": pa.array([2**64 - 1] * count, pa.uint64()),
            "raw": pa.array([b"abc"] * count, pa.binary()),
        }
    )


def save(path, table, **more):
    return write_parquet(
        path, table, fields=FIELDS, source="t", plugin="p", plugin_version="1.2.3",
        **more,
    )  # fmt: skip


def test_facts_and_values_come_back(tmp_path):
    path = tmp_path / "x.parquet"
    assert save(path, events(), hostname="h", extra={"params": "p"}) == 3
    contents = read_parquet(path)
    assert list(contents.fields.values()) == FIELDS
    assert (contents.source, contents.plugin, contents.plugin_version) == (
        "t",
        "p",
        "1.2.3",
    )
    assert (contents.hostname, contents.extra) == ("h", {"params": "p"})
    assert contents.notes == ()
    table = contents.table
    assert table["t.text"].to_pylist() == ["one", None, "three"]
    assert table["t.size"].to_pylist() == [2**64 - 1] * 3
    assert table["t.addr"].type == pa.binary()
    assert pa.types.is_dictionary(table["t.kv[user id]"].type)
    assert table["t.words"].to_pylist() == [["a", "b"]] * 3


def test_any_reader_sees_text_and_the_declarations(tmp_path):
    path = tmp_path / "x.parquet"
    save(path, events())
    schema = pq.ParquetFile(path).schema
    kinds = {
        schema.column(n).path: str(schema.column(n).logical_type) for n in range(9)
    }
    assert kinds["t.text"] == "String"
    assert kinds["t.addr"] == "None"
    facts = json.loads(pq.read_metadata(path).metadata[b"workbench"])
    assert facts["fields"][0]["name"] == "t.text"
    assert facts["plugin_version"] == "1.2.3"


def test_bytes_that_are_no_text_are_kept_as_bytes(tmp_path):
    path = tmp_path / "x.parquet"
    save(path, events([b"ok", b"\xff\xfe", b"\xc3"]))
    table = read_parquet(path).table
    assert table["t.text"].to_pylist() == [b"ok", b"\xff\xfe", b"\xc3"]
    assert table["t.kv[user id]"].to_pylist() == [b"ok", b"\xff\xfe", b"\xc3"]
    assert table["t.words"].to_pylist()[0] == ["a", "b"]


def test_a_stream_turns_to_bytes_when_text_ends(tmp_path):
    path = tmp_path / "x.parquet"
    with ParquetWriter(path, fields=FIELDS, source="t") as writer:
        for texts in ([b"plain"], [b"\xff", None], [b"again"]):
            writer.write(events(texts))
            writer.flush()
    table = read_parquet(path).table
    assert table["t.text"].to_pylist() == [b"plain", b"\xff", None, b"again"]
    assert pq.ParquetFile(path).num_row_groups == 3
    assert read_parquet(path).source == "t"
    assert [p.name for p in tmp_path.iterdir()] == ["x.parquet"]


def test_row_groups_stream_in_and_out(tmp_path):
    path = tmp_path / "x.parquet"
    with ParquetWriter(path, fields=FIELDS) as writer:
        for _ in range(40):
            writer.write(events([b"text"] * 10_000))
    assert writer.events == 400_000
    file = pq.ParquetFile(path)
    assert file.num_row_groups == 3
    rows = [len(b) for b in iter_parquet(path, columns=["t.text"], batch_rows=7000)]
    assert (sum(rows), max(rows)) == (400_000, 7000)


def test_dictionaries_that_grow_between_batches_are_joined(tmp_path):
    path = tmp_path / "x.parquet"
    with ParquetWriter(path, fields=FIELDS) as writer:
        writer.write(events([b"a", b"b"]).to_batches()[0])
        writer.write(events([b"c", b"a"]).to_batches()[0])
    assert read_parquet(path).table["t.text"].to_pylist() == ["a", "b", "c", "a"]


def record_until(path, error, table):
    with ParquetWriter(path) as writer:
        writer.write(table)
        writer.flush()
        raise error


def test_an_interrupt_keeps_the_rows_and_an_error_keeps_the_old_file(tmp_path):
    path = tmp_path / "x.parquet"
    with pytest.raises(KeyboardInterrupt):
        record_until(path, KeyboardInterrupt, events())
    assert len(read_parquet(path).table) == 3
    with pytest.raises(ZeroDivisionError):
        record_until(path, ZeroDivisionError, events([b"x"]))
    assert len(read_parquet(path).table) == 3
    assert [p.name for p in tmp_path.iterdir()] == ["x.parquet"]


def test_changed_columns_are_refused(tmp_path):
    with ParquetWriter(tmp_path / "x.parquet") as writer:
        writer.write(events())
        with pytest.raises(CaptureFileError, match="columns changed"):
            writer.write(events().drop_columns("raw"))


def test_an_empty_table_keeps_its_schema_and_facts(tmp_path):
    path = tmp_path / "x.parquet"
    assert save(path, events([])) == 0
    contents = read_parquet(path)
    assert contents.table.schema.names == events().schema.names
    assert contents.plugin == "p"


def test_facts_are_read_without_rows(tmp_path):
    path = tmp_path / "x.parquet"
    save(path, events())
    facts = read_parquet_facts(path)
    assert (len(facts.table), facts.plugin) == (0, "p")


def test_a_foreign_parquet_file_is_read_with_a_note(tmp_path):
    path = tmp_path / "x.parquet"
    pq.write_table(pa.table({"a": [1, 2]}), path)
    contents = read_parquet(path)
    assert contents.table.to_pydict() == {"a": [1, 2]}
    assert len(contents.fields) == 0
    assert "does not say which fields" in contents.notes[0]


@pytest.mark.parametrize(
    "value",
    [
        b"", b"null", b"[]", b"{", b'{"fields": 5}', b'{"fields": [5, {}]}',
        b'{"fields": [{"name": "x", "type": "float"}], "source": 7, "extra": 3}',
        b"\xff\xfe", b"[" * 100_000,
    ],
)  # fmt: skip
def test_hostile_metadata_is_left_out(tmp_path, value):
    path = tmp_path / "x.parquet"
    schema = pa.schema([("a", pa.int64())], metadata={b"workbench": value})
    pq.write_table(pa.table({"a": [1]}, schema=schema), path)
    contents = read_parquet(path)
    assert len(contents.fields) == 0
    assert contents.source is None
    assert len(contents.table) == 1


@pytest.mark.parametrize("kind", ["missing", "folder", "empty", "text", "cut"])
def test_an_unsound_file_is_one_clear_error(tmp_path, kind):
    path = tmp_path / "x.parquet"
    if kind == "folder":
        path.mkdir()
    elif kind != "missing":
        save(path, events())
        whole = path.read_bytes()
        data = {"empty": b"", "text": b"a,b\n1,2\n" * 9, "cut": whole[:-40]}[kind]
        path.write_bytes(data)
    with pytest.raises(CaptureFileError) as caught:
        read_parquet(path)
    assert str(path) in caught.value.message
    assert caught.value.path == str(path)


def test_a_damaged_page_is_one_clear_error(tmp_path):
    path = tmp_path / "x.parquet"
    save(path, events([os.urandom(200).hex().encode() for _ in range(2000)]))
    data = bytearray(path.read_bytes())
    data[4:5000] = os.urandom(4996)
    path.write_bytes(data)
    with pytest.raises(CaptureFileError, match="cannot read"):
        read_parquet(path)


@pytest.mark.parametrize(
    "read", [read_parquet, read_parquet_facts, lambda path: list(iter_parquet(path))]
)
def test_names_of_columns_that_are_not_utf8_are_one_clear_error(tmp_path, read):
    path = tmp_path / "x.parquet"
    pq.write_table(pa.table({"name": [1]}), path, store_schema=False)
    path.write_bytes(path.read_bytes().replace(b"name", b"n\xf1\xf1e"))
    with pytest.raises(CaptureFileError) as caught:
        read(path)
    assert str(path) in caught.value.message
