from __future__ import annotations

import warnings

import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import workbench as wb
from tests.archives.conftest import CONDITIONS, RULES, make_events, save_cut
from workbench.archives.failures import ArchiveError


def same_frame(archive_alerts, alerts):
    mine, theirs = archive_alerts.frame, alerts.frame
    columns = ["evt.num", "evt.time", "rule", "priority", "source", "output"]
    for name in columns:
        assert mine[name].tolist() == theirs[name].tolist(), name


def test_an_archive_is_listed_from_footers(folder, events):
    found = wb.archive(folder)
    assert len(found) == len(events)
    assert found.sources == ["web"]
    assert list(found.fields) == list(events.fields)
    frame = found.files
    assert frame["rows"].tolist() == [40, 60, 130, 70]
    times = events.frame["evt.time"]
    assert frame["first"].min() == times.min()
    assert frame["last"].max() == times.max()
    assert "300 events" in repr(found)
    assert "part-000" in found._repr_html_()


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    cuts=st.lists(st.integers(0, 200), max_size=6),
    seed=st.integers(0, 1000),
    condition=st.sampled_from(CONDITIONS),
)
def test_verdicts_are_those_of_events_on_the_concatenation(
    tmp_path_factory, cuts, seed, condition
):
    events = make_events(200, seed)
    folder = tmp_path_factory.mktemp("cut")
    save_cut(events, cuts, folder)
    found = wb.archive(folder)
    assert found.count(condition) == events.count(condition)
    chosen = events.where(condition)
    got = found.where(condition).to_events(limit=None)
    assert got.table.column("evt.num").equals(chosen.table.column("evt.num"))
    pd.testing.assert_frame_equal(
        pd.DataFrame(got.frame)[list(chosen.frame.columns)], pd.DataFrame(chosen.frame)
    )
    assert found.funnel(condition) == events.funnel(condition)
    near, expected = found.near_misses(condition), events.near_misses(condition)
    assert (near.count, near.matches, near.rows) == (
        expected.count,
        expected.matches,
        expected.rows,
    )
    groups = {(g.check, g.verdict): g for g in near.groups}
    for group in expected.groups:
        mine = groups[group.check, group.verdict]
        assert mine.count == group.count
        assert mine.rows.tolist() == group.rows.tolist()
        assert mine.events.tolist() == group.events.tolist()
    rules = wb.parse_rules(RULES)
    for all_matches in (False, True):
        alerts = rules.run(found, all_matches=all_matches, alerts_per_rule=None)
        expected = rules.run(events, all_matches=all_matches)
        assert alerts.counts == expected.counts
        same_frame(alerts, expected)
        assert sorted(alerts.to_jsonl()) == sorted(expected.to_jsonl())


def test_only_the_first_alerts_of_each_rule_are_kept(folder, events):
    rules = wb.parse_rules(RULES)
    alerts = rules.run(wb.archive(folder), alerts_per_rule=5)
    every = rules.run(events)
    assert alerts.counts == every.counts
    assert len(alerts) == len(every)
    frame = every.frame.groupby("rule").head(5)
    assert alerts.frame["evt.num"].tolist() == frame["evt.num"].tolist()
    assert "first 5 alerts of each rule are kept" in repr(alerts)


def test_between_leaves_out_what_is_outside(folder, events):
    times = events.frame["evt.time"]
    start, end = times[50], times[220]
    found = wb.archive(folder).between(start, end)
    expected = events[(times >= start) & (times < end)]
    assert len(found) == len(expected)
    assert found.count("web.status = 404") == expected.count("web.status = 404")
    assert [part.file for part in found.parts()] == [1, 2]
    assert len(wb.archive(folder).between("2000-01-01", "2001-01-01")) == 0


def test_events_of_an_archive_come_in_order_of_time(folder, events):
    found = wb.archive(folder)
    numbers = events.table.column("evt.num").to_pylist()
    assert found.head(7).table.column("evt.num").to_pylist() == numbers[:7]
    assert found.to_events().table.column("evt.num").to_pylist() == numbers
    assert found.to_events(limit=0).table.num_rows == 0
    sample = found.sample(20).table.column("evt.num").to_pylist()
    assert len(set(sample)) == 20
    assert sample == sorted(sample)
    assert sample == found.sample(20).table.column("evt.num").to_pylist()
    some = found.where("web.status = 404").sample(5)
    assert some.count("web.status = 404") == 5


def test_values_and_the_timeline_count_everything(folder, events):
    found = wb.archive(folder)
    expected = events.frame["web.status"].value_counts()
    assert found.values("web.status").to_dict() == expected.to_dict()
    tags = events.frame["web.tags"].explode().value_counts()
    assert found.values("web.tags").to_dict() == tags.to_dict()
    line = found.timeline("web.status = 404", per="minute")
    assert line.sum() == events.count("web.status = 404")
    assert len(found.timeline()) <= 201
    assert found.timeline().sum() == len(events)


def test_a_column_that_some_files_lack_is_absent_there_and_told(events, tmp_path):
    save_cut(events, [100], tmp_path / "files")
    path = tmp_path / "files" / "part-001.parquet"
    table = pq.read_table(path)
    metadata = table.schema.metadata
    pq.write_table(
        table.drop_columns("web.status").replace_schema_metadata(metadata), path
    )
    found = wb.archive(tmp_path / "files")
    with pytest.warns(UserWarning, match="web.status was not captured in 1 of 2 files"):
        count = found.count("not web.status exists")
    assert count == events[:100].count("not web.status exists") + 200
    with pytest.warns(UserWarning, match="part-001"):
        alerts = wb.parse_rules(RULES).run(found)
    assert alerts.not_captured == {"web.status": [str(path)]}
    assert "web.status: not captured in 1 files" in repr(alerts)


def test_a_column_that_no_file_has_is_an_error(folder):
    for path in folder.iterdir():
        table = pq.read_table(path)
        metadata = table.schema.metadata
        table = table.drop_columns("web.tags").replace_schema_metadata(metadata)
        pq.write_table(table, path)
    with pytest.raises(wb.WorkbenchError, match="not captured in any file"):
        wb.archive(folder).count("web.tags exists")


def test_a_damaged_file_is_named_or_left_out(folder, events):
    path = folder / "part-001.parquet"
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(ArchiveError, match="part-001") as error:
        wb.archive(folder).count("web.status = 404")
    assert error.value.path == str(path)
    found = wb.archive(folder, errors="collect")
    with pytest.warns(UserWarning, match="part-001"):
        count = found.count("web.status = 404")
    expected = events.count("web.status = 404") - events[40:100].count(
        "web.status = 404"
    )
    assert count == expected
    assert [f.path for f in found.failures] == [str(path)]
    with pytest.warns(UserWarning, match="part-001"):
        assert len(found.sample(30)) == 30


def test_damage_inside_a_file_fails_that_file_alone(folder, events):
    path = folder / "part-002.parquet"
    raw = bytearray(path.read_bytes())
    raw[40:400] = b"\xff" * 360
    path.write_bytes(raw)
    found = wb.archive(folder, errors="collect")
    with pytest.warns(UserWarning, match="part-002"):
        count = found.count("web.status = 404 or web.path exists or web.tags exists")
    assert count < len(events)
    assert [f.path for f in found.failures] == [str(path)]


def test_a_file_that_changed_since_it_was_listed_is_an_error(folder):
    found = wb.archive(folder)
    path = folder / "part-002.parquet"
    make_events(10).save(path)
    with pytest.raises(ArchiveError, match="has changed since it was listed"):
        found.count("web.status = 404")
    again = found.refresh()
    assert len(again) == 300 - 130 + 10
    path.unlink()
    with pytest.raises(ArchiveError, match="no longer there"):
        again.count("web.status = 404")


def test_the_index_spares_the_footers(folder, monkeypatch):
    first = wb.archive(folder)
    read = []
    real = wb.archive.__globals__["listed"].__globals__["read_footer"]

    def counted(found, **rest):
        read.append(found.path)
        return real(found, **rest)

    monkeypatch.setattr("workbench.archives.index.read_footer", counted)
    assert len(wb.archive(folder)) == len(first)
    assert read == []
    changed = folder / "part-000.parquet"
    make_events(11).save(changed)
    assert len(wb.archive(folder)) == 300 - 40 + 11
    assert read == [str(changed)]


def test_files_of_several_sources_run_their_own_rules(folder, events):
    other = make_events(50, 5, source="other")
    other.save(folder / "other.parquet")
    found = wb.archive(folder)
    assert set(found.sources) == {"web", "other"}
    both = wb.parse_rules(
        RULES
        + RULES.replace("source: web", "source: other")
        .replace("rule: ", "rule: o_")
        .replace("list: bad", "list: o_bad")
        .replace("(bad", "(o_bad")
        .replace("macro: climbs", "macro: o_climbs")
        .replace("condition: climbs", "condition: o_climbs")
    )
    alerts = both.run(found)
    assert alerts.counts == both.run({"web": events, "other": other}).counts
    assert len(found.source("other")) == 50


def test_two_versions_of_rules_are_compared(folder, events):
    old = wb.parse_rules(RULES)
    new = wb.parse_rules(RULES.replace("web.status >= 400", "web.status = 404"))
    found = old.compare(new, wb.archive(folder))
    expected = old.compare(new, events)
    assert found
    assert found.same == expected.same
    assert found.before == expected.before
    assert found.after == expected.after
    columns = ["rule", "before", "after", "new", "gone", "moved_here", "moved_away"]
    pd.testing.assert_frame_equal(
        found.summary[columns].sort_values("rule", ignore_index=True),
        expected.summary.sort_values("rule", ignore_index=True),
        check_dtype=False,
    )
    assert set(found.frame["evt.num"]) == set(expected.frame["evt.num"])
    assert not old.compare(old, wb.archive(folder))


def test_what_names_no_files_is_an_error(tmp_path):
    with pytest.raises(wb.WorkbenchError, match="no capture files here"):
        wb.archive(tmp_path)
    with pytest.raises(wb.WorkbenchError, match="nowhere"):
        wb.archive(tmp_path / "nowhere.parquet")


def test_a_missing_extra_is_one_sentence(folder, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with pytest.raises(wb.WorkbenchError, match=r"\[cluster\]"):
        wb.archive(folder)


def test_alerts_of_the_same_events_are_the_same_bytes(folder, tmp_path):
    rules = wb.parse_rules(RULES)
    first = rules.run(wb.archive(folder)).save(tmp_path / "a.parquet")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        again = rules.run(wb.archive(sorted(folder.iterdir())))
    assert again.save(tmp_path / "b.parquet").read_bytes() == first.read_bytes()
