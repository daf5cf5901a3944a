"""Arrow and Parquet files from strangers."""

from __future__ import annotations

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import workbench as wb
from workbench.captures.parquet import read_parquet
from workbench.errors import CaptureFileError

BROKEN = pa.array([b"good", b"\xff\xfe"]).view(pa.string())


@pytest.fixture(params=[".arrow", ".parquet"])
def stored(request, tmp_path):
    def write(table):
        path = tmp_path / f"file{request.param}"
        if request.param == ".arrow":
            with pa.ipc.new_file(str(path), table.schema) as writer:
                writer.write_table(table)
        else:
            pq.write_table(table, path)
        return path

    return write


@pytest.mark.parametrize(
    "columns",
    [
        {"evt.num": ["a", "b"]},
        {"evt.rawtime": [[1], [2]]},
        {"evt.source": [1, 2]},
        {"raw": [1, 2]},
        {"state_only": ["x", "y"]},
    ],
)
def test_columns_of_a_wrong_type_are_one_clear_error(stored, columns):
    path = stored(pa.table(columns))
    with pytest.raises(CaptureFileError, match=f"its column {next(iter(columns))} is"):
        wb.open_events(path)


def test_columns_of_the_same_name_are_one_clear_error(stored):
    path = stored(pa.table([[1], [2]], names=["a", "a"]))
    with pytest.raises(CaptureFileError, match="several columns of the same name: a"):
        wb.open_events(path)


def test_text_that_is_not_utf8_is_read_as_bytes(stored):
    events = wb.open_events(stored(pa.table({"a": BROKEN})))
    assert events.table.column("a").to_pylist() == [b"good", b"\xff\xfe"]
    assert "good" in repr(events)


def test_a_source_that_is_not_utf8_is_damage(stored):
    with pytest.raises(CaptureFileError):
        wb.open_events(stored(pa.table({"evt.source": BROKEN})))


def test_lone_surrogates_in_metadata_are_repaired(stored):
    text = json.dumps({"source": "a\ud800", "plugin": "b\udcff", "fields": []})
    table = pa.table({"evt.num": [1]}).replace_schema_metadata({"workbench": text})
    events = wb.open_events(stored(table))
    assert (events.origin.source, events.origin.plugin) == ("a?", "b?")


@pytest.mark.parametrize("seed", range(60))
def test_damage_is_one_error_or_none(tmp_path, seed):
    import random

    path = tmp_path / "a.arrow"
    table = pa.table(
        {"a": ["x" * n for n in range(50)], "b": [[str(n)] for n in range(50)]}
    )
    with pa.ipc.new_file(str(path), table.schema) as writer:
        writer.write_table(table)
    data, dice = bytearray(path.read_bytes()), random.Random(seed)
    for _ in range(8):
        data[dice.randrange(8, len(data))] = dice.randrange(256)
    path.write_bytes(data)
    said = ""
    try:
        repr(wb.open_events(path))
    except CaptureFileError as error:
        said = str(error)
    assert len(said) < 2000


def test_more_rows_than_allowed_are_refused(tmp_path):
    path = tmp_path / "many.parquet"
    pq.write_table(pa.table({"a": pa.repeat(7, 2_000_000)}), path, compression="zstd")
    assert path.stat().st_size < 100_000
    with pytest.raises(
        CaptureFileError, match="holds more than 1000000 bytes of events"
    ):
        read_parquet(path, max_bytes=1_000_000)
    assert len(read_parquet(path).table) == 2_000_000
