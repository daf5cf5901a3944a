"""Every layout of the plugin API gives the same rows."""

from __future__ import annotations

import time

import pytest

from tests.support.waiting import wait_until

# family, API version, definitions of tests/support/plugins/old.c
OLD = {
    "draft": ("A1", "1.0.0", {"FAMILY": 1, "ONE_BY_ONE": True, "EOF_CODE": 6}),
    "0.1 next": ("A1", "0.1.0", {"FAMILY": 1, "ONE_BY_ONE": True, "EOF_CODE": 6}),
    "0.1 batch": ("A1", "0.1.0", {"FAMILY": 1}),
    "0.1 libc": ("A1", "0.1.0", {"FAMILY": 1, "NO_FREE": True}),
    "0.2": ("A2", "0.2.0", {"FAMILY": 2}),
    "0.3": ("A2", "0.3.0", {"FAMILY": 2}),
    "1.0": ("B", "1.0.0", {"FAMILY": 3}),
    "1.1": ("B", "1.1.0", {"FAMILY": 3}),
    "2.0": ("B", "2.0.0", {"FAMILY": 3}),
    "2.1": ("B", "2.1.0", {"FAMILY": 3}),
}


@pytest.fixture(params=OLD)
def old(request, plugin):
    family, api, definitions = OLD[request.param]
    path = plugin("old", API=f'"{api}"', PREFIX='"old"', **definitions)
    return family, api, path


def test_rows_of_every_family_are_the_same(session, old, columns, read):
    family, api, path = old
    index, manifest = session.load(str(path))
    assert manifest.family == family
    assert manifest.required_api_version == api
    assert list(manifest.complaints) == []
    assert list(manifest.capabilities) == ["sourcing", "extraction"]
    assert (manifest.id, manifest.event_source) == (77, "old")
    session.init(index, "")
    before = time.time_ns()
    wanted = columns(manifest, "old.num", "old.word", "old.arg[k]", "old.rare")
    table, end, error = read(session, index, "", wanted)
    assert (end, error) == ("eof", None)
    assert table["evt.num"].to_pylist() == list(range(1, 11))
    assert table["evt.source"].to_pylist() == [b"old"] * 10
    times = table["evt.rawtime"].to_pylist()
    expected = [1600000000000000000 + i for i in range(10)]
    assert [t for i, t in enumerate(times) if i != 3] == [
        t for i, t in enumerate(expected) if i != 3
    ]
    assert before <= times[3] <= time.time_ns()
    assert table["old.num"].to_pylist() == list(range(10))
    assert table["old.word"].to_pylist() == [f"word{i % 3}".encode() for i in range(10)]
    assert table["old.arg[k]"].to_pylist() == [b"<k>"] * 10
    assert table["old.rare"].to_pylist() == [
        b"rare" if i % 4 == 0 else None for i in range(10)
    ]


def test_missing_argument_is_an_empty_text(session, old, columns, read):
    _, _, path = old
    index, manifest = session.load(str(path))
    session.init(index, "")
    table, _, _ = read(session, index, "", columns(manifest, "old.arg"))
    assert table["old.arg"].to_pylist() == [b"<>"] * 10


def test_raw_events_and_event_texts_are_those_of_api_3(session, old, columns, read):
    _, _, path = old
    index, manifest = session.load(str(path))
    session.init(index, "")
    table, _, _ = read(
        session, index, "", [], keep_raw=True, keep_payload=True, plugin_info=True
    )
    raw = table["raw"].combine_chunks()
    first = raw[0].as_py()
    assert first[:8] == (1600000000000000000).to_bytes(8, "little")
    assert first[8:16] == b"\xff" * 8
    assert first[16:26] == (46).to_bytes(4, "little") + b"\x42\x01\x02\0\0\0"
    assert first[26:] == b"\4\0\0\0\x08\0\0\0\x4d\0\0\0" + b"0:word0\0"
    assert table["payload"][9].as_py() == b"9:word0\0"
    assert table["evt.plugininfo"][9].as_py() == b"[9:word0]"
    numbers = table["evt.num"].combine_chunks()
    texts = session.event_strings(index, raw, numbers)
    assert texts.to_pylist()[:2] == [b"[0:word0]", b"[1:word1]"]
    again = session.extract(raw, numbers, "old", columns(manifest, "old.num"))
    assert again["old.num"].to_pylist() == list(range(10))


def test_refusals_come_in_the_plugins_words(session, old):
    from workbench.errors import PluginInitError, PluginOpenError

    _, _, path = old
    index, _ = session.load(str(path))
    with pytest.raises(PluginInitError, match="refused") as caught:
        session.init(index, "refuse")
    assert caught.value.last_error == "refused"
    session.init(index, "")
    from workbench.session.types import CaptureOptions

    with pytest.raises(PluginOpenError, match="cannot open refuse") as opened:
        session.open(index, "refuse", [], CaptureOptions())
    assert opened.value.params == "refuse"


def test_memory_of_api_0_1_is_given_back(worker, plugin, columns, read):
    path = plugin("old", API='"0.1.0"', PREFIX='"old"', FAMILY=1)
    index, manifest = worker.load(str(path))
    worker.init(index, "")
    read(worker, index, "", columns(manifest, "old.num", "old.word", "old.rare"))

    def complaints():
        return [line.message for line in worker.log() if line.stream == "stderr"]

    # What was asked before its version was known: one text.
    found = wait_until(complaints, 20, "the plugin complains")
    assert found == ["blocks not given back: 1"]


@pytest.mark.parametrize("family", [1, 2, 3])
def test_events_of_api_3_reach_an_old_extractor(session, plugin, columns, read, family):
    api = {1: '"0.1.0"', 2: '"0.3.0"', 3: '"2.0.0"'}[family]
    new = plugin("probe", SOURCE='"old"')
    old = plugin("old", API=api, PREFIX='"ext"', FAMILY=family, EXTRACTOR=True)
    source, _ = session.load(str(new))
    extractor, manifest = session.load(str(old))
    assert list(manifest.complaints) == []
    assert list(manifest.extract_event_sources) == ["old"]
    session.init(source, "")
    session.init(extractor, "")
    wanted = columns(manifest, "ext.num", plugin=extractor)
    table, end, _ = read(session, source, "n=5", wanted)
    assert end == "eof"
    assert table["ext.num"].to_pylist() == list(range(5))


@pytest.mark.parametrize("family", [1, 2, 3])
def test_events_of_old_apis_reach_an_extractor_of_api_3(
    session, plugin, columns, read, family
):
    api = {1: '"0.1.0"', 2: '"0.3.0"', 3: '"2.0.0"'}[family]
    old = plugin("old", API=api, PREFIX='"old"', FAMILY=family)
    new = plugin("probe", NO_SOURCE=True, EXTRACT_SOURCES=r'"[\"old\"]"')
    source, _ = session.load(str(old))
    index, manifest = session.load(str(new))
    session.init(source, "")
    session.init(index, "")
    wanted = columns(manifest, "probe.num", "probe.src", plugin=index)
    table, _, _ = read(session, source, "", wanted)
    assert table["probe.num"].to_pylist() == list(range(10))
    assert table["probe.src"].to_pylist() == list(range(1, 11))


def test_an_extractor_of_another_source_is_not_asked(session, plugin, columns, read):
    old = plugin("old", API='"2.0.0"', PREFIX='"old"', FAMILY=3)
    new = plugin("probe", NO_SOURCE=True, EXTRACT_SOURCES=r'"[\"elsewhere\"]"')
    source, _ = session.load(str(old))
    index, manifest = session.load(str(new))
    session.init(source, "")
    session.init(index, "")
    table, _, _ = read(
        session, source, "", columns(manifest, "probe.num", plugin=index)
    )
    assert table["probe.num"].null_count == 10
    calls = {c.function for c in session.trace(index)}
    assert "plugin_extract_fields" not in calls


@pytest.mark.parametrize(
    ("definitions", "complaint"),
    [
        ({"API": '"1.0.0"', "FAMILY": 2}, "development version of plugin API 1.0.0"),
        ({"API": '"0.3.0"', "FAMILY": 3}, "symbol plugin_get_type not present"),
    ],
)
def test_versions_that_never_were_are_refused(session, plugin, definitions, complaint):
    from workbench.errors import PluginLoadError

    path = plugin("old", PREFIX='"old"', **definitions)
    with pytest.raises(PluginLoadError, match=complaint):
        session.load(str(path))
