from __future__ import annotations

import shutil

import pytest

import workbench as wb
from workbench.archives.failures import ArchiveError


@pytest.fixture(scope="module")
def captures(plugin, tmp_path_factory):
    """Three capture files of one stream of the probe, and the stream."""
    folder = tmp_path_factory.mktemp("captures")
    with wb.load(plugin("probe")) as probe:
        events = probe.capture("n=300")
        edges = [0, 90, 200, 300]
        for n in range(3):
            events[edges[n] : edges[n + 1]].save(folder / f"part-{n}.scap")
    return folder, events


CONDITION = "probe.num > 50 and probe.num < 250"


def test_fields_of_captures_are_extracted_by_a_plugin_by_path(captures, plugin):
    folder, events = captures
    found = wb.archive(folder, plugins=str(plugin("probe")))
    assert found.sources == events.sources
    assert found.count(CONDITION) == events.count(CONDITION)
    assert len(found) == 300
    # A capture file keeps times and no numbers.
    times = found.where(CONDITION).to_events().table.column("evt.rawtime")
    expected = events.where(CONDITION).table.column("evt.rawtime")
    assert times.to_pylist() == expected.to_pylist()


def test_loaded_plugins_are_used_and_stay_open(captures, plugin):
    folder, events = captures
    with wb.load(plugin("probe")) as probe:
        found = wb.archive(folder, plugins=probe)
        assert found.count(CONDITION) == events.count(CONDITION)
        assert len(probe.capture("n=5")) == 5


def test_names_are_looked_up_in_each_worker(captures, plugin, tmp_path, monkeypatch):
    folder, events = captures
    shutil.copy(plugin("probe"), tmp_path / "libprobe.so")
    monkeypatch.setenv("WORKBENCH_PLUGIN_PATH", str(tmp_path))
    found = wb.archive(folder, plugins=("probe",))
    assert found.count(CONDITION) == events.count(CONDITION)


def test_without_a_plugin_the_field_is_unknown(captures):
    with pytest.raises(wb.ConditionError):
        wb.archive(captures[0]).count(CONDITION)


@pytest.mark.crash
def test_a_crash_fails_its_file_and_names_the_event(plugin, tmp_path):
    with wb.load(plugin("probe")) as probe:
        events = probe.capture("n=30", fields=[])
        for n in range(3):
            events[n * 10 : n * 10 + 10].save(tmp_path / f"part-{n}.scap")
    crashing = str(plugin("probe", CRASHING_FIELDS=0x82))
    with pytest.raises(ArchiveError, match=r"part-\d\.scap, event \d+") as error:
        wb.archive(tmp_path, plugins=crashing).count("probe.user exists")
    assert error.value.kind == "PluginCrashed"
    assert error.value.event_number is not None
    found = wb.archive(tmp_path, plugins=crashing, errors="collect")
    with pytest.warns(UserWarning, match="3 files failed"):
        assert found.count("probe.user exists") == 0
    assert {f.kind for f in found.failures} == {"PluginCrashed"}
    assert found.count("probe.num >= 0") == 30
