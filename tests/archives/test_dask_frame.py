"""An archive as a Dask DataFrame: the frame of its events, read in pieces."""

from __future__ import annotations

import pandas as pd
import pyarrow.parquet as pq
import pytest

import workbench as wb
from tests.archives.conftest import save_cut

pytest.importorskip("dask.dataframe")


def computed(frame) -> pd.DataFrame:
    done = frame.compute(scheduler="threads")
    return done.sort_values(["evt.time", "evt.num"]).reset_index(drop=True)


def test_it_is_the_frame_of_the_events(folder, events):
    frame = wb.archive(folder).ddf()
    assert frame.npartitions == 4
    assert list(frame.columns) == list(events.frame.columns)
    assert frame.dtypes.equals(events.frame.dtypes)
    mine, theirs = computed(frame), events.to_pandas()
    pd.testing.assert_frame_equal(mine, theirs.sort_values(["evt.time", "evt.num"]))


def test_dask_counts_as_pandas_does(folder, events):
    frame = wb.archive(folder).ddf()
    counts = frame["web.status"].value_counts().compute(scheduler="threads")
    wanted = events.frame["web.status"].value_counts()
    assert counts.sort_index().to_dict() == wanted.sort_index().to_dict()


def test_only_the_columns_that_are_used_are_read(folder, monkeypatch):
    asked = []
    read = pq.ParquetFile.read_row_groups

    def watched(self, groups, columns=None, **options):
        asked.append(set(columns))
        return read(self, groups, columns=columns, **options)

    frame = wb.archive(folder).ddf()
    monkeypatch.setattr(pq.ParquetFile, "read_row_groups", watched)
    frame["web.status"].sum().compute(scheduler="threads")
    assert asked
    assert not any({"web.path", "web.tags", "web.client"} & names for names in asked)


def test_what_was_chosen_before_is_left_out_while_reading(folder, events):
    condition = "web.status >= 400"
    frame = wb.archive(folder).where(condition).ddf()
    assert len(computed(frame)) == events.count(condition)


def test_a_column_that_some_files_lack_is_absent_there(events, tmp_path):
    save_cut(events[:100], [], tmp_path / "a")
    less = events[100:]
    table = less.table.drop_columns("web.status")
    (tmp_path / "b").mkdir()
    less.derive(table).save(tmp_path / "b" / "x.parquet")
    frame = wb.archive([tmp_path / "a", tmp_path / "b"]).ddf()
    column = computed(frame)["web.status"]
    assert column.dtype == "UInt64"
    assert column[100:].isna().all()
