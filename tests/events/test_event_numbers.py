"""A plugin never meets a number again for another event, whatever is asked of it."""

from __future__ import annotations

import pytest

import workbench as wb
from workbench.replay.check import check_replay

FIELDS = ["caching.text", "caching.seen"]


@pytest.fixture(params=["process", "none"])
def caching(request, plugin):
    with wb.load(plugin("caching"), isolation=request.param) as loaded:
        yield loaded


def texts(events, *names):
    found = events.extract(*names) if names else events
    return [found.frame[name].tolist() for name in names or FIELDS]


def test_a_capture_after_another_one_has_its_own_values(caching):
    for word in ("a", "b", "c"):
        events = caching.capture(f"{word},1")
        assert texts(events) == [[f"{word}1"]] * 2
        assert events.frame["evt.num"].tolist() == [1]


def test_events_extracted_again_have_their_own_values(caching):
    first = caching.capture("a,3", fields=[])
    second = caching.capture("b,3", fields=[])
    for _ in range(2):
        for events, word in ((first, "a"), (second, "b"), (second[2:], None)):
            expected = [f"{word}{i}" for i in (1, 2, 3)] if word else ["b3"]
            again = events[:]  # without the columns extracted before
            assert texts(again, "caching.text") == [expected]
            assert texts(events[:], "caching.seen") == [expected]


def test_one_row_after_another_from_different_captures(caching):
    captures = [caching.capture(f"{word},2", fields=[]) for word in ("a", "b")]
    for row in (0, 1, 0):
        for events, word in zip(captures, ("a", "b"), strict=True):
            assert texts(events[row : row + 1], "caching.text") == [
                [f"{word}{row + 1}"]
            ]


def test_conditions_and_explanations_see_their_own_event(caching):
    first = caching.capture("a,2", fields=[])
    second = caching.capture("b,2", fields=[])
    assert len(first[1:].where('caching.text = "a2"')) == 1
    assert len(second[1:].where('caching.text = "b2"')) == 1
    assert "a2" in str(first[1:].explain(2, 'caching.text = "x"'))
    assert "b2" in str(second[1:].explain(2, 'caching.text = "x"'))


def test_texts_of_events_are_their_own(caching):
    for word in ("a", "b"):
        events = caching.capture(f"{word},1", fields=["evt.plugininfo"])
        assert events.frame["evt.plugininfo"].tolist() == [f"{word}1"]
    stored = [caching.capture(f"{word},1", fields=[]) for word in ("a", "b", "a")]
    for events, word in zip(stored, ("a", "b", "a"), strict=True):
        assert texts(events, "evt.plugininfo") == [[f"{word}1"]]


@pytest.mark.parametrize("suffix", [".scap", ".parquet"])
def test_capture_files_give_their_own_values(caching, tmp_path, suffix):
    paths = []
    for word in ("a", "b"):
        paths.append(tmp_path / (word + suffix))
        caching.capture(f"{word},1", fields=[]).save(paths[-1])
    for path in (*paths, *paths):
        events = wb.open_events(path, plugins=[caching])
        assert events.extract(*FIELDS).frame[FIELDS].values.tolist() == [
            [f"{path.stem}1"] * 2
        ]
        assert events.frame["evt.num"].tolist() == [1]


def test_several_sources_at_once(plugin):
    with wb.Workbench() as bench:
        bench.load(plugin("caching"))
        for word in ("a", "b"):
            found = bench.capture_all({"caching": f"{word},2"})["caching"]
            assert texts(found) == [[f"{word}1", f"{word}2"]] * 2


def test_rules_alert_on_their_own_event(caching):
    rules = wb.parse_rules(
        "- rule: r\n  desc: d\n  priority: INFO\n  source: caching\n"
        "  condition: caching.text startswith b\n  output: saw %caching.text\n"
    )
    for word, alerts in (("a", []), ("b", ["saw b1"]), ("c", []), ("b", ["saw b1"])):
        found = rules.run(caching.capture(f"{word},1", fields=[]))
        assert [line.split(" ", 2)[2] for line in found.frame["output"]] == alerts


def test_replay_agrees(caching):
    caching.capture("z,1")
    assert check_replay(caching.capture("a,5"), caching).same


def test_events_extracted_again_meet_the_numbers_of_then(plugin):
    with wb.load(plugin("probe")) as probe:
        for params in ("n=3", "n=4"):
            live = probe.capture(params, fields=["probe.src"])
            again = live.table.select(["evt.num", "evt.rawtime", "raw"])
            stored = live.derive(again).extract("probe.src")
            assert (
                stored.frame["probe.src"].tolist() == live.frame["probe.src"].tolist()
            )
