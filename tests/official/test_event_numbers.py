"""A value never comes from another event, in whatever order events are asked for.

Official plugins parse an event once and remember it by its event number. A host that
gives two events of one plugin's life the same number gets the first one's values for
both, in silence. Every test here looks at the value of a field beside the payload.
"""

from __future__ import annotations

import random
import subprocess
import sys

import pytest

import workbench as wb

pytestmark = [pytest.mark.go, pytest.mark.official]


def same(events, facts, field, pointer):
    """Hold every value of a field against the payloads."""
    assert facts.values(events, field) == facts.told(events, pointer)


# -- what holds already --------------------------------------------------------------------


def test_two_captures_of_several_events_in_a_row(k8saudit, audit_file, facts):
    for numbers in (range(1, 11), range(51, 61), range(1, 90), range(30, 33)):
        events = k8saudit.capture(audit_file(*numbers, name=f"{numbers.start}.jsonl"))
        same(events, facts, "ka.auditid", "/auditID")
        same(events, facts, "ka.target.name", "/objectRef/name")


def test_a_further_column_of_the_latest_capture(cluster, audit_file, facts):
    events = cluster.capture(audit_file(*range(1, 21)), fields=["ka.verb"])
    same(events, facts, "jevt.value[/stageTimestamp]", "/stageTimestamp")
    same(events, facts, "ka.uri", "/requestURI")
    same(events[5:15], facts, "ka.auditid", "/auditID")
    same(events[::-1], facts, "ka.auditid", "/auditID")


def test_sources_read_at_once(both, events_dir, facts):
    found = both.capture_all(
        {
            "k8s_audit": str(events_dir / "k8s_audit.jsonl"),
            "aws_cloudtrail": str(events_dir / "cloudtrail"),
        }
    )
    same(found["k8s_audit"], facts, "json.value[/auditID]", "/auditID")
    same(found["aws_cloudtrail"], facts, "json.value[/eventID]", "/eventID")


def test_people_see_the_numbers_of_the_capture(
    cluster, audit_file, events_dir, facts, tmp_path
):
    rules = wb.load_rules(events_dir.parent / "k8s_rules.yaml")
    for numbers in ((1, 62, 63), (5, 45, 2, 62)):
        events = cluster.capture(audit_file(*numbers))
        counted = list(range(1, len(numbers) + 1))
        assert events.frame["evt.num"].tolist() == counted
        assert facts.values(events, "ka.verb") == facts.told(events, "/verb")
        assert events.where("evt.num = 2").frame["evt.num"].tolist() == [2]
        bound = facts.numbers(rules.run(events))["Bound to cluster-admin"]
        assert bound == [n for n in counted if numbers[n - 1] in (62, 63)]
        again = wb.open_events(events.save(tmp_path / "again.scap"), plugins=[cluster])
        assert again.frame["evt.num"].tolist() == counted


# -- what needs numbers that do not repeat -------------------------------------------------


def test_one_event_after_another(k8saudit, audit_file, facts):
    for number in (21, 50):
        events = k8saudit.capture(audit_file(number))
        same(events, facts, "ka.auditid", "/auditID")


def test_one_event_after_another_of_cloudtrail(cloud, trail_file, facts):
    for number in (3, 24):
        events = cloud.capture(trail_file(number), fields=["ct.id"])
        same(events, facts, "ct.id", "/eventID")


@pytest.mark.parametrize(
    ("name", "source", "plugin_id", "field", "pointer"),
    [
        ("okta", "okta", 7, "okta.evt.type", "/eventType"),
        ("github", "github", 8, "github.user", "/sender/login"),
        ("gcpaudit", "gcp_auditlog", 12, "gcp.methodName", "/protoPayload/methodName"),
    ],
)
def test_one_event_after_another_of_stored_ones(
    official, stored, facts, name, source, plugin_id, field, pointer
):
    with wb.load(official(name)) as plugin:
        for number in (1, 6):
            path = stored(source, plugin_id, number, suffix=".parquet")
            events = wb.open_events(path).attach(plugin)
            same(events, facts, field, pointer)


def test_one_event_after_another_field_by_field(k8saudit, audit_file, facts):
    k8saudit.one_field_per_call = True
    for number in (21, 50):
        events = k8saudit.capture(audit_file(number))
        same(events, facts, "ka.auditid", "/auditID")


def test_the_first_event_of_one_file_then_of_another(k8saudit, audit_file, facts):
    for numbers in ((1, 2, 3), (62, 63)):
        events = k8saudit.capture(audit_file(*numbers), max_events=1)
        same(events, facts, "ka.auditid", "/auditID")


def test_one_event_after_another_as_frames(k8saudit, audit_file, facts):
    for number in (21, 50):
        with k8saudit.open(audit_file(number), fields=["ka.auditid"]) as capture:
            (frame,) = list(capture)
        told = facts.at(facts.document(number), "/auditID")
        assert frame["ka.auditid"].tolist() == [told]


def test_an_event_of_an_earlier_capture(k8saudit, audit_file, facts):
    first = k8saudit.capture(audit_file(*range(1, 11)), fields=["ka.verb"])
    k8saudit.capture(audit_file(*range(51, 61)), fields=["ka.verb"])
    same(first[9:10], facts, "ka.user.name", "/user/username")


def test_all_events_after_those_of_another_capture_backwards(
    k8saudit, audit_file, facts
):
    first = k8saudit.capture(audit_file(*range(1, 11)), fields=[])
    second = k8saudit.capture(audit_file(*range(51, 61)), fields=[])
    same(first[::-1], facts, "ka.auditid", "/auditID")
    same(second, facts, "ka.auditid", "/auditID")


def test_two_files_of_stored_events(k8saudit, audit_file, facts, tmp_path):
    paths = [tmp_path / "one.scap", tmp_path / "two.scap"]
    for number, path in zip((21, 62), paths, strict=True):
        k8saudit.capture(audit_file(number), fields=[]).save(path)
    for path in paths:
        events = wb.open_events(path, plugins=[k8saudit])
        same(events, facts, "ka.auditid", "/auditID")


def test_an_extractor_of_two_sources(both, audit_file, trail_file, facts):
    for source, path, pointer in (
        ("k8s_audit", audit_file(21), "/auditID"),
        ("aws_cloudtrail", trail_file(24), "/eventID"),
    ):
        field = f"json.value[{pointer}]"
        events = both.capture(path, source=source, fields=[field])
        same(events, facts, field, pointer)


def test_places_of_an_event_of_an_earlier_capture(k8saudit, audit_file):
    first = k8saudit.capture(audit_file(*range(1, 11)), fields=["ka.verb"])
    k8saudit.capture(audit_file(*range(51, 61)), fields=["ka.verb"])
    payload = first.extract("payload").frame["payload"][9]
    ((start, length),) = first[9:10].places(0)["ka.verb"]
    assert payload[start : start + length] == b'"get"'
    assert '""get""' in str(first.explain(10, "ka.verb = get"))


def test_an_event_after_the_text_of_another(cloud, events_dir, facts):
    # cloudtrail parses an event for its text without noting whose it is.
    events = cloud.capture(str(events_dir / "cloudtrail"), fields=["ct.id"])
    assert len(events[2:3]["evt.plugininfo"]) == 1
    same(events[35:36], facts, "ct.name", "/eventName")


def test_alerts_are_about_their_own_event(cluster, audit_file, events_dir, facts):
    rules = wb.load_rules(events_dir.parent / "k8s_rules.yaml")
    found = []
    for number in (62, 46, 89):
        events = cluster.capture(audit_file(number))
        found.append(facts.numbers(rules.run(events)))
    assert found == [
        {"Bound to cluster-admin": [1]},
        {"Secret read by a person": [1]},
        {"API server in trouble": [1]},
    ]


IN_PROCESS = """
import sys
import workbench as wb
library, *paths = sys.argv[1:]
with wb.load(library, isolation="none") as plugin:
    for path in paths:
        print(*plugin.capture(path, fields=["ka.auditid"]).frame["ka.auditid"])
"""


def test_one_event_after_another_in_the_process_of_the_caller(
    official, audit_file, facts
):
    paths = [audit_file(21), audit_file(50)]
    done = subprocess.run(
        [sys.executable, "-c", IN_PROCESS, str(official("k8saudit")), *paths],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    told = [facts.at(facts.document(number), "/auditID") for number in (21, 50)]
    assert done.stdout.split() == told


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_random_walk_over_captures_and_columns(cluster, audit_file, facts, seed):
    rng = random.Random(seed)
    kept = []
    asked = [
        ("ka.auditid", "/auditID"),
        ("ka.uri", "/requestURI"),
        ("jevt.value[/stageTimestamp]", "/stageTimestamp"),
        ("jevt.value[/auditID]", "/auditID"),
    ]
    for step in range(25):
        if not kept or rng.random() < 0.4:
            numbers = rng.sample(range(1, 91), rng.randrange(1, 4))
            path = audit_file(*numbers, name=f"{step}.jsonl")
            kept.append(cluster.capture(path, fields=["ka.verb"]))
            same(kept[-1], facts, "ka.verb", "/verb")
        events = rng.choice(kept)
        row = rng.randrange(len(events))
        same(events[row : row + 1], facts, *rng.choice(asked))
