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
