from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import workbench as wb
from tests.archives.conftest import FIELDS, START, make_events
from workbench.archives.convert import convert
from workbench.archives.failures import ArchiveError
from workbench.archives.verify import verify

DAY = 86_400 * 10**9


@pytest.fixture
def days(tmp_path):
    """Give events of three days in two files, not in order of time."""
    events = make_events(90)
    times = [START + (n * 37 % 90) * DAY // 30 for n in range(90)]
    table = events.table
    at = table.column_names.index("evt.rawtime")
    table = table.set_column(at, "evt.rawtime", pa.array(times, pa.uint64()))
    events = wb.events_from_table(table, fields=FIELDS, source="web")
    folder = tmp_path / "in"
    folder.mkdir()
    events[:50].save(folder / "a.parquet")
    events[50:].save(folder / "b.parquet")
    return folder, events


def test_files_are_written_by_source_and_day_in_order_of_time(days, tmp_path):
    folder, events = days
    done = convert(wb.archive(folder), tmp_path / "out")
    assert (done.written, done.kept, done.rows) == (2, 0, 90)
    out = wb.archive(tmp_path / "out")
    assert len(out) == 90
    assert {p.parent.parent.name for p in (tmp_path / "out").rglob("*.parquet")} == {
        "web"
    }
    for path in (tmp_path / "out").rglob("*.parquet"):
        times = pq.read_table(path).column("evt.rawtime").to_pylist()
        assert times == sorted(times)
        assert len({t // DAY for t in times}) == 1
    condition = "web.status = 404 and web.path exists"
    assert out.count(condition) == events.count(condition)
    assert out.head(1).table.column("evt.rawtime").to_pylist() == [START]
    assert not verify(out)


def test_converting_again_goes_on_where_it_was(days, tmp_path):
    folder, _ = days
    (folder / "c.parquet").write_bytes(b"PAR1 nothing PAR1")
    with pytest.raises(ArchiveError, match=r"c\.parquet"):
        convert(wb.archive(folder), tmp_path / "out")
    make_events(5).save(folder / "c.parquet")
    done = convert(wb.archive(folder), tmp_path / "out")
    assert done.written + done.kept == 3
    assert len(wb.archive(tmp_path / "out")) == 95
    again = convert(wb.archive(folder), tmp_path / "out")
    assert (again.written, again.kept) == (0, 3)
    next((tmp_path / "out").rglob("a.parquet-*.parquet")).unlink()
    assert convert(wb.archive(folder), tmp_path / "out").written == 1
    assert len(wb.archive(tmp_path / "out")) == 95


def test_captures_become_parquet_with_the_fields_of_a_plugin(plugin, tmp_path):
    with wb.load(plugin("probe")) as probe:
        events = probe.capture("n=40")
        (tmp_path / "in").mkdir()
        events[:25].save(tmp_path / "in" / "a.scap")
        events[25:].save(tmp_path / "in" / "b.scap")
        with pytest.raises(wb.WorkbenchError):
            wb.archive(tmp_path / "in").count("probe.num > 10")
        found = wb.archive(tmp_path / "in", plugins=probe)
        assert convert(found, tmp_path / "out", keep_events=True).rows == 40
    out = wb.archive(tmp_path / "out")
    condition = "probe.num > 10 and probe.user exists"
    assert out.count(condition) == events.count(condition)
    assert "raw" in pq.read_schema(next((tmp_path / "out").rglob("*.parquet"))).names


def test_what_was_changed_or_lost_is_found(days, tmp_path):
    convert(wb.archive(days[0]), tmp_path / "out")
    first, second, third = sorted((tmp_path / "out").rglob("*.parquet"))[:3]
    make_events(3).save(first)
    second.unlink()
    third.write_bytes(third.read_bytes()[:-9])
    wrong = {f.path: f.message for f in verify(wb.archive(tmp_path / "out"))}
    assert wrong.keys() == {str(first), str(second), str(third)}
    assert "checksum" in wrong[str(first)]
    assert "missing" in wrong[str(second)]
