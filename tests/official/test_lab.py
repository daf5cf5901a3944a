"""The lab over Kubernetes audit events: its state in Python, without a browser."""

from __future__ import annotations

import json

import pytest

import workbench as wb

pytestmark = [pytest.mark.go, pytest.mark.official]

WAIT_SEC = 30


@pytest.fixture
def lab_of():
    """Give labs that are closed when the test ends."""
    made = []

    def make(target):
        made.append(wb.lab(target))
        return made[-1]

    yield make
    for lab in made:
        lab.close()


@pytest.fixture
def lab(lab_of, cluster, events_dir):
    """Give a lab that has streamed all our audit events."""
    lab = lab_of(cluster)
    lab.start(str(events_dir / "k8s_audit.jsonl"))
    assert lab.wait(WAIT_SEC)
    return lab


def numbers(frame):
    return frame["evt.num"].tolist()


def test_a_condition_over_audit_events_gives_its_matches(lab):
    assert len(lab.events) == 90
    lab.condition = "ka.verb in (delete, deletecollection)"
    assert numbers(lab.matches) == [31, 73, 75, 76, 77, 78, 81, 82, 83]
    verdict = lab.condition_panel.part.state["verdict"]
    assert (verdict["valid"], verdict["matches"]) == (True, 9)


def test_a_condition_may_reach_into_the_payload(lab):
    lab.condition = "jevt.value[/impersonatedUser/username] exists"
    assert numbers(lab.matches) == [67]
    lab.condition = "ka.uri.param[limit] = 500 and ka.response.code = 200"
    assert numbers(lab.matches) == [17, 45]


def test_a_mistyped_field_is_a_complaint_with_the_right_name(lab):
    lab.condition = "ka.user.nam = mallory"
    first = lab.condition_panel.part.state["verdict"]["diagnostics"][0]
    assert first["severity"] == "error"
    assert "ka.user.name" in first["message"] + first["hint"]
    assert len(lab.matches) == 0


def test_the_selected_event_shows_payload_and_places(lab, facts):
    lab.select(62)
    assert lab.selection["ka.req.binding.role"].tolist() == ["cluster-admin"]
    state = lab.event_panel.event()
    payload = bytes.fromhex(state["payload"]["hex"])
    assert json.loads(payload) == facts.document(62)
    start, length = state["offsets"]["ka.req.binding.role"][0]
    assert payload[start : start + length] == b'"cluster-admin"'


def test_a_rule_made_in_the_lab_alerts_as_the_same_rule_elsewhere(lab, facts):
    lab.condition = "ka.req.binding.role = cluster-admin"
    lab.rule = wb.Rule(
        name="Bound to cluster-admin",
        condition=lab.condition,
        output="bound (user=%ka.user.name)",
        source="k8s_audit",
        desc="Somebody was given all rights.",
        priority="CRITICAL",
    )
    lab.add_rule()
    assert facts.numbers(lab.rules.run(lab.events)) == {
        "Bound to cluster-admin": [62, 63]
    }
    again = wb.parse_rules(lab.rule)
    assert facts.numbers(again.run(lab.events)) == {"Bound to cluster-admin": [62, 63]}


def test_the_code_of_the_lab_does_the_same(lab):
    lab.condition = "ka.target.subresource = exec"
    assert "bench.load(" in lab.code
    assert "ka.target.subresource = exec" in lab.code
    scope = {}
    exec(compile(lab.code, "lab.py", "exec"), scope)
    try:
        found = [v for v in scope.values() if isinstance(v, wb.Events)]
        assert [23, 24, 48, 49] in [numbers(events.frame) for events in found]
    finally:
        for value in list(scope.values()):
            if isinstance(value, wb.Workbench):
                value.close()


def test_events_of_a_file_in_the_lab(lab_of, cluster, events_dir, tmp_path):
    events = cluster.capture(str(events_dir / "k8s_audit.jsonl"), fields=["ka.verb"])
    path = events.save(tmp_path / "audit.scap")
    lab = lab_of(wb.open_events(path, plugins=[cluster]))
    lab.condition = 'ka.user.name startswith "mallory" and ka.target.resource = roles'
    assert numbers(lab.matches) == [59]


def test_one_stream_after_another_shows_its_own_events(
    lab_of, cluster, audit_file, facts
):
    lab = lab_of(cluster)
    for number in (21, 62):
        lab.start(audit_file(number))
        assert lab.wait(WAIT_SEC)
        told = facts.at(facts.document(number), "/auditID")
        assert lab.events.frame["ka.auditid"].tolist() == [told]


def test_an_earlier_stream_is_asked_about_its_own_event(lab_of, cluster, audit_file):
    earlier = cluster.capture(audit_file(*range(1, 11)), fields=["ka.verb"])
    lab = lab_of(cluster)
    lab.start(audit_file(*range(51, 61)))
    assert lab.wait(WAIT_SEC)
    lab.select(10)
    other = lab_of(earlier)
    other.select(10)
    state = other.event_panel.event()
    payload = bytes.fromhex(state["payload"]["hex"])
    start, length = state["offsets"]["ka.verb"][0]
    assert payload[start : start + length] == b'"get"'
