from __future__ import annotations

import pickle

import pytest

import workbench as wb
from workbench.captures.scap import write_scap
from workbench.errors import CaptureFileError


def test_damage_gives_the_events_before_it(tmp_path, make):
    good = make.section + b"".join(
        make.event_block(make.plugin_event(b"n%d" % n, time=n)) for n in range(5)
    )
    path = tmp_path / "x.scap"
    path.write_bytes(good + make.block(0x218, b"fds") + good)
    with pytest.raises(CaptureFileError) as caught:
        wb.open_events(path)
    assert isinstance(caught.value, wb.WorkbenchError)
    assert caught.value.offset == len(good)
    assert caught.value.events.frame["evt.num"].to_list() == [1, 2, 3, 4, 5]
    copy = pickle.loads(pickle.dumps(caught.value))
    assert len(copy.events) == 5


def test_a_cut_file_says_so_where_it_is_shown(tmp_path, make):
    whole = make.section + make.event_block(make.plugin_event(b"one"))
    path = tmp_path / "x.scap"
    path.write_bytes(whole + make.event_block(make.plugin_event(b"two"))[:-9])
    events = wb.open_events(path)
    assert len(events) == 1
    assert "the last event was cut off" in repr(events)


def test_async_events_are_told_apart_without_a_plugin(tmp_path, make):
    raws = [make.plugin_event(b"a"), make.async_event(b"tick", b"x")]
    write_scap(tmp_path / "x.scap", make.table_of(raws))
    events = wb.open_events(tmp_path / "x.scap")
    assert len(events.where("evt.is_async = true and evt.asynctype = tick")) == 1


def _stored(plugin, path, **definitions):
    """Save ten events of the probe; the file and a library to open it with."""
    with wb.load(plugin("probe")) as probe:
        path = probe.capture("10", fields=[]).save(path)
    return path, plugin("probe", **definitions)


@pytest.mark.crash
@pytest.mark.parametrize("suffix", [".scap", ".parquet"])
def test_fields_that_crash_the_plugin_do_not_keep_a_file_shut(plugin, tmp_path, suffix):
    # Field 1 is probe.user, field 7 probe.age.
    path, library = _stored(plugin, tmp_path / f"x{suffix}", CRASHING_FIELDS=0x82)
    with wb.load(library) as crashing:
        events = wb.open_events(path, plugins=[crashing])
        assert len(events) == 10
        assert {"probe.num", "probe.path", "probe.net"} <= set(events.columns)
        assert not {"probe.user", "probe.age"} & set(events.columns)
        notes = [note for note in events.origin.notes if "not extracted" in note]
        assert [note.partition(":")[0] for note in notes] == ["probe.user", "probe.age"]
        assert all("SIGABRT" in note for note in notes)
        with pytest.raises(wb.PluginCrashed):
            events.extract("probe.user")
        assert len(events.where("probe.even = true")) == 5


@pytest.mark.crash
def test_a_plugin_that_crashes_in_every_field_opens_the_file_without(plugin, tmp_path):
    path, library = _stored(plugin, tmp_path / "x.scap", CRASHING_FIELDS=0xFFFFFFFF)
    with wb.load(library) as crashing:
        events = wb.open_events(path, plugins=[crashing])
        assert len(events) == 10
        assert events.source == crashing.info.event_source
        assert any("not extracted" in note for note in events.origin.notes)


def test_a_plugin_attached_later_is_found_by_the_id_in_the_events(plugin, tmp_path):
    path, library = _stored(plugin, tmp_path / "x.scap")
    with wb.load(library) as probe:
        opened = wb.open_events(path)
        assert opened.source == ""
        assert any("carry plugin id" in note for note in opened.origin.notes)
        events = opened.attach(probe)
        whole = wb.open_events(path, plugins=[probe])
        assert events.source == probe.info.event_source
        assert events.origin.plugin == probe.name
        assert not events.origin.notes
        assert len(events.where("probe.even = true")) == 5
        column = events.extract("probe.num").frame["probe.num"].to_list()
        assert column == whole.frame["probe.num"].to_list()


def test_a_plugin_attached_later_names_its_events_among_others(tmp_path, make, plugin):
    with wb.load(plugin("probe")) as probe:
        number = probe.info.id
        raws = [
            make.plugin_event(b"1 path=/a ", plugin_id=number),
            make.plugin_event(b"x", plugin_id=number + 1),
            make.async_event(b"tick", b"x", plugin_id=number),
            make.plugin_event(b"4 path=/b ", plugin_id=number),
        ]
        write_scap(tmp_path / "x.scap", make.table_of(raws))
        events = wb.open_events(tmp_path / "x.scap").attach(probe)
        rows = events.frame["evt.source"].isna().to_list()
        assert rows == [False, True, False, False]
        assert events.sources == [probe.info.event_source]
        assert any(f"plugin id {number + 1}" in note for note in events.origin.notes)
        assert events.extract("probe.num").frame["probe.num"].to_list()[3] == 4
