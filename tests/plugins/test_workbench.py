from __future__ import annotations

import signal
import warnings
from pathlib import Path

import pytest

import workbench as wb
from tests.support.compiled import compiled

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def bench():
    with wb.Workbench() as made:
        yield made


@pytest.fixture(scope="session")
def extractor(sample):
    return sample("json_extract")


@pytest.fixture(scope="session")
def extract_all(sample):
    return sample("json_extract", "libjson_extract_all.so")


def test_several_generations_together(bench, legacy):
    for generation in ("draft", "0_1", "0_3", "1_0", "2_0", "3_0"):
        bench.load(legacy(generation))
    assert len(bench.plugins) == 6
    assert len(bench.sources) == 6
    found = bench.capture_all(dict.fromkeys(bench.sources, "4"))
    assert list(found) == bench.sources
    for source, events in found.items():
        assert events.source == source
        assert events.frame["evt.num"].tolist() == [1, 2, 3, 4]
        assert events.frame["evt.source"].tolist() == [source] * 4


def test_one_source_may_be_left_out(bench, weblog, access_log):
    plugin = bench.load(weblog)
    assert bench.sources == ["weblog"]
    assert bench["weblog"] is bench.plugins["weblog"] is plugin
    assert len(bench.capture(access_log, max_events=5)) == 5
    with bench.open(access_log) as capture:
        assert len(next(iter(capture)))


def test_with_several_the_source_must_be_named(bench, legacy):
    bench.load(legacy("3_0"))
    bench.load(legacy("2_0"))
    with pytest.raises(wb.PluginOpenError, match="several event sources"):
        bench.capture("3")
    assert len(bench.capture("3", source=bench.sources[1])) == 3
    with pytest.raises(wb.PluginOpenError, match="unknown event source 'nosuch'"):
        bench.open("3", source="nosuch")


def test_two_sources_may_be_open_at_once(bench, legacy):
    bench.load(legacy("3_0"))
    bench.load(legacy("2_0"))
    one, two = bench.sources
    with bench.open("500", source=one) as first, bench.open("7", source=two) as second:
        assert sum(map(len, second)) == 7
        assert sum(map(len, first)) == 500


def test_an_empty_bench_says_what_to_do(bench):
    assert "bench.load(path)" in repr(bench)
    with pytest.raises(wb.PluginOpenError, match="no event source is loaded"):
        bench.capture()


@pytest.mark.cpp
def test_extractors_add_their_fields(bench, weblog, access_log, extract_all):
    bench.load(weblog)
    bench.load(extract_all)
    fields = bench.fields_of("weblog")
    assert next(iter(fields)) == "weblog.client"
    assert "jsonx.obj" in fields
    assert bench.plugin_versions.keys() == {"weblog", "json_extract_all"}
    events = bench.capture(access_log, max_events=10)
    assert "jsonx.obj" in events.frame.columns
    assert events.frame["weblog.path"].notna().all()
    more = events.extract("jsonx.value[/a]", "weblog.segment[0]")
    assert more.frame["jsonx.value[/a]"].isna().all()


@pytest.mark.cpp
def test_an_extractor_for_other_sources_is_loaded_but_unused(
    bench, weblog, access_log, extractor
):
    bench.load(weblog)
    plugin = bench.load(extractor)
    message = (
        "Plugin 'json_extract' is loaded but unused as not compatible with any known "
        "event source"
    )
    with pytest.raises(wb.PluginLoadError) as caught:
        bench.capture(access_log)
    assert str(caught.value).startswith(message)
    plugin.close()
    assert list(bench.plugins) == ["weblog"]
    assert len(bench.capture(access_log, max_events=3)) == 3


@pytest.mark.cpp
def test_an_extractor_is_no_event_source(extractor):
    with wb.load(extractor) as plugin:
        assert plugin.sources == []
        with pytest.raises(wb.PluginOpenError, match="no event source"):
            plugin.capture()


@pytest.mark.cpp
def test_overlapping_fields_are_refused_in_the_frameworks_words(
    bench, extractor, extract_all, sample
):
    bench.load(sample("dummy_c"))
    bench.load(extract_all)
    with pytest.raises(wb.PluginLoadError) as caught:
        bench.load(extractor)
    message = (
        "Plugin 'json_extract' supports extraction of field 'jsonx.value' that is "
        "overlapping for source 'dummy_c'"
    )
    assert caught.value.complaints == [message]
    # The others stay, and go on working.
    assert list(bench.plugins) == ["dummy_c", "json_extract_all"]
    assert len(bench.capture(max_events=3)) == 3


def test_the_same_name_is_refused_in_the_frameworks_words(bench, weblog, access_log):
    bench.load(weblog)
    with pytest.raises(wb.PluginLoadError) as caught:
        bench.load(weblog)
    assert caught.value.complaints == [
        "found another plugin with name weblog. Aborting."
    ]
    assert len(bench.capture(access_log, max_events=3)) == 3


def test_the_same_id_is_refused_in_the_frameworks_words(bench, weblog, faulty):
    bench.load(weblog)
    number = wb.inspect(faulty).id
    if number != bench["weblog"].info.id:
        pytest.skip("the samples have different ids")
    with pytest.raises(wb.PluginLoadError, match="found another plugin with ID"):
        bench.load(faulty)


def test_a_plugin_that_fails_to_initialise_leaves_the_others(
    bench, weblog, access_log, legacy
):
    bench.load(weblog)
    with pytest.raises(wb.PluginInitError):
        bench.load(legacy("3_0"), config="not a number")
    assert list(bench.plugins) == ["weblog"]
    assert len(bench.capture(access_log, max_events=3)) == 3


@pytest.mark.crash
def test_after_a_crash_all_plugins_come_back(bench, faulty, legacy):
    bench.load(faulty)
    bench.load(legacy("3_0"))
    with pytest.raises(wb.PluginCrashed) as caught:
        bench.capture("events=100,abort@next_batch:50", source="faulty")
    assert caught.value.signal == signal.SIGABRT
    assert len(bench.capture("5", source=bench.sources[1])) == 5
    assert len(bench.capture("events=5", source="faulty")) == 5


@pytest.mark.crash
def test_capture_all_stops_the_others_and_keeps_everything(bench, faulty, legacy):
    bench.load(faulty)
    bench.load(legacy("3_0"))
    other = bench.sources[1]
    with pytest.raises(wb.PluginCrashed) as caught:
        bench.capture_all({"faulty": "events=100,abort@next_batch:50", other: "5"})
    assert set(caught.value.events) <= {"faulty", other}
    assert 30 <= len(caught.value.events["faulty"]) < 50


def test_closing_ends_every_plugin(weblog):
    bench = wb.Workbench()
    plugin = bench.load(weblog)
    bench.close()
    bench.close()
    assert plugin.closed
    assert repr(bench) == "Workbench (closed)"
    with pytest.raises(wb.WorkbenchError, match="closed"):
        bench.load(weblog)


def test_closing_with_an_open_capture(weblog, access_log):
    bench = wb.Workbench()
    bench.load(weblog)
    capture = bench.open(access_log)
    bench.close()
    assert capture.closed
    assert capture.end_reason == "cancelled"


def test_reprs_show_every_plugin(bench, weblog, legacy):
    bench.load(weblog)
    bench.load(legacy("3_0"))
    text, html = repr(bench), bench._repr_html_()
    for name in bench.plugins:
        assert name in text
        assert name in html
    assert bench._ipython_key_completions_() == list(bench.plugins)
    assert "weblog" in {call.plugin for call in bench.trace}


def test_isolation_none_runs_the_same(weblog, access_log):
    with wb.Workbench(isolation="none") as bench:
        bench.load(weblog)
        inside = bench.capture(access_log, max_events=100)
    with wb.load(weblog) as plugin:
        outside = plugin.capture(access_log, max_events=100)
    drop = ["evt.time"]
    assert inside.frame.drop(columns=drop).equals(outside.frame.drop(columns=drop))


def test_events_of_several_sources_in_one_file(
    bench, legacy, weblog, access_log, tmp_path
):
    import pyarrow as pa

    from workbench.captures.scap import write_scap

    bench.load(weblog)
    bench.load(legacy("2_0"))
    one, two = bench.sources
    first = bench.capture(access_log, source=one, max_events=3)
    second = bench.capture("2", source=two)
    raw = pa.concat_tables(
        [e.table.select(["evt.rawtime", "raw"]) for e in (first[:2], second, first[2:])]
    )
    path = tmp_path / "mixed.scap"
    write_scap(path, raw)
    events = wb.open_events(path, plugins=bench)
    assert events.source == ""
    assert events.sources == [one, two]
    assert events.frame["evt.source"].tolist() == [one, one, two, two, one]
    value = next(iter(bench.fields_of(two)))
    got = events.frame
    assert got["weblog.path"].isna().tolist() == [False, False, True, True, False]
    assert got[value].tolist()[2:4] == second.frame[value].tolist()
    apart = events.by_source()
    assert [len(e) for e in apart.values()] == [3, 2]
    assert apart[two].frame[value].tolist() == second.frame[value].tolist()
    assert apart[two].extract("evt.plugininfo")["evt.plugininfo"].notna().all()
    assert events["evt.plugininfo"].notna().all()
    assert len(events.where(f"{value} exists")) == 2


def source_library(number: int, name: str):
    """Compile a source that shares its event source with others."""
    facts = {"API": '"3.12.0"', "SOURCE": '"shared"', "NAME": f'"{name}"', "ID": number}
    return compiled(
        "librules.so",
        *("-fPIC", "-shared", "-DOPEN", "-DCLOSE", "-DNEXT"),
        *(f"-D{key}={value}" for key, value in facts.items()),
        ROOT / "tests" / "support" / "plugins" / "rules.c",
    )


def test_two_plugins_of_one_source_warn_which_one_is_opened(bench):
    bench.load(source_library(5, "first"))
    with pytest.warns(UserWarning, match="takes first, which was loaded first") as said:
        bench.load(source_library(6, "second"))
    assert said[0].filename == __file__
    assert "first and second both open the event source shared" in str(said[0].message)
    assert len(bench.capture("", source="shared")) == 0
    calls = [call.function for call in bench["first"].trace]
    assert "plugin_open" in calls
    assert "plugin_open" not in [call.function for call in bench["second"].trace]


def test_what_is_odd_in_a_falco_yaml_is_warned_about_and_kept(weblog, tmp_path):
    path = tmp_path / "falco.yaml"
    path.write_text(
        f"plugins: [{{name: weblog, library_path: '{weblog}', open_parms: x}}]\n"
        'json_ouput: true\n"<b>": 1\n'
    )
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        bench = wb.Workbench.from_falco_yaml(path)
    with bench:
        told = [str(w.message) for w in warned]
        assert tuple(told) == bench.notes
        text = "\n".join(told)
        assert f"{path}:1: unknown key 'open_parms' in plugins is ignored" in text
        assert f"{path}:2: unknown key 'json_ouput' is ignored" in text
        assert "did you mean 'json_output'?" in text
        # The warning is about the user's own line.
        assert {w.filename for w in warned} == {__file__}
        assert "note: " in repr(bench)
        assert all(note in repr(bench) for note in bench.notes)
        assert "json_ouput" in bench._repr_html_()
        assert "<b>:" not in bench._repr_html_()
        assert "&lt;b&gt;" in bench._repr_html_()
