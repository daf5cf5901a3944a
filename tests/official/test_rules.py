"""Our rules over our events give the alerts that were worked out by hand.

Numbers are those of the events, counted from 1 through the file or the folder. What an
event shows, and so which rules it meets, was decided when it was written; the tables
were not taken from a run.
"""

from __future__ import annotations

import json
import re

import pytest

import workbench as wb
from workbench.__main__ import main

pytestmark = [pytest.mark.go, pytest.mark.official]

AUDIT_ALERTS = {
    "Privileged container": [21, 53],
    "Host namespaces shared": [50],
    "Sensitive host path": [51, 52],
    "Foreign image": [22, 50, 51, 52, 54, 56],
    "Dangerous capability": [54],
    "Pod in a system namespace": [56],
    "Pod refused by pod security": [55],
    "Debug container added": [57],
    "Shell in a pod": [48],
    "Pod entered": [25, 26, 48],
    "Credentials in a config map": [27],
    "System config map changed": [29],
    "Secrets listed": [45],
    "Secret read by a person": [46, 67],
    "Secret removed": [78],
    "Borrowed identity": [67],
    "Role with wildcards": [58],
    "Role that enters pods": [59],
    "Role for addresses": [60],
    "System role changed": [61],
    "Bound to cluster-admin": [62, 63],
    "Opened to everybody": [64],
    "Account in a system namespace": [65],
    "Token of an account": [66],
    "Certificate approved by hand": [80],
    "Service open to the outside": [16],
    "Ingress without TLS": [32],
    "Network policy removed": [75],
    "Unknown namespace": [71],
    "Foreign workload": [69],
    "Admission webhook changed": [73, 74],
    "Many objects removed at once": [76, 77],
    "Traces removed": [76],
    "Kubelet reached through the API server": [72],
    "Component from elsewhere": [68],
    "Unsigned request allowed": [40],
    "Request refused": [39, 41, 44, 49, 55],
    "Refused by an admission policy": [87],
    "API server in trouble": [89],
    "Login through OAuth": [88],
}
# Event → rules that match it too, behind the first one in the file.
AUDIT_HIDDEN = {
    48: ["Pod entered"],
    50: ["Foreign image"],
    51: ["Foreign image"],
    52: ["Foreign image"],
    54: ["Dangerous capability"],
    55: ["Request refused"],
    56: ["Pod in a system namespace"],
    67: ["Borrowed identity"],
    76: ["Traces removed"],
}
# Rule → events that its exception leaves out.
AUDIT_EXCEPTED = {
    "Privileged container": [19],
    "Host namespaces shared": [19, 20],
    "Sensitive host path": [20],
    "Pod entered": [24],
    "Service open to the outside": [15],
}

TRAIL_ALERTS = {
    "Root logged in": [5],
    "Login without a second factor": [2, 4],
    "Login failed": [3],
    "Root at work": [36],
    "Trail changed": [24, 25],
    "Bucket opened to everybody": [13],
    "Bucket protection lowered": [14, 15],
    "Port open to the world": [12],
    "Key of a store in danger": [26],
    "Function brought in": [28],
    "User or key made": [19, 20, 36],
    "All rights given": [21, 22],
    "Second factor removed": [23],
    "Metadata service without tokens": [30],
    "Credentials of a server elsewhere": [31],
    "Large download": [31],
    "Several images started": [10],
    "Secret value read": [32],
    "Call denied": [18, 27],
    "Caller of another account": [35],
}
TRAIL_HIDDEN = {31: ["Large download"], 36: ["User or key made"]}


def first_only(alerts, hidden):
    """Leave out what an earlier rule hides."""
    kept = {
        rule: [n for n in numbers if rule not in hidden.get(n, [])]
        for rule, numbers in alerts.items()
    }
    return {rule: numbers for rule, numbers in kept.items() if numbers}


@pytest.fixture(scope="module")
def audit_rules(events_dir):
    return wb.load_rules(events_dir.parent / "k8s_rules.yaml")


@pytest.fixture(scope="module")
def trail_rules(events_dir):
    return wb.load_rules(events_dir.parent / "aws_rules.yaml")


def test_the_rules_are_without_complaint(cluster, cloud, audit_rules, trail_rules):
    assert list(audit_rules.check(cluster)) == []
    assert list(trail_rules.check(cloud)) == []
    named = {rule.name for rule in audit_rules.rules if rule.enabled}
    assert named == set(AUDIT_ALERTS)
    assert {rule.name for rule in trail_rules.rules} == set(TRAIL_ALERTS)


def test_all_rules_that_match_an_audit_event(audit, audit_rules, facts):
    found = facts.numbers(audit_rules.run(audit, all_matches=True))
    assert found == AUDIT_ALERTS


def test_the_first_rule_that_matches_an_audit_event(audit, audit_rules, facts):
    found = facts.numbers(audit_rules.run(audit))
    assert found == first_only(AUDIT_ALERTS, AUDIT_HIDDEN)
    alone = [number for numbers in found.values() for number in numbers]
    assert len(alone) == len(set(alone))


def test_all_and_first_rules_over_cloudtrail(trail, trail_rules, facts):
    assert facts.numbers(trail_rules.run(trail, all_matches=True)) == TRAIL_ALERTS
    assert facts.numbers(trail_rules.run(trail)) == first_only(
        TRAIL_ALERTS, TRAIL_HIDDEN
    )


def test_only_captured_fields_change_nothing(cluster, audit_rules, facts, events_dir):
    # What the rules need beyond one column is extracted from the stored events.
    path = str(events_dir / "k8s_audit.jsonl")
    events = cluster.capture(path, fields=["ka.verb"])
    assert facts.numbers(audit_rules.run(events, all_matches=True)) == AUDIT_ALERTS


def test_exceptions_leave_these_events_out(audit, events_dir, facts):
    text = (events_dir.parent / "k8s_rules.yaml").read_text()
    bare, removed = re.subn(r"(?m)^  exceptions:\n(?:    .*\n)+", "", text)
    assert removed == len(AUDIT_EXCEPTED)
    found = facts.numbers(wb.parse_rules(bare).run(audit, all_matches=True))
    assert found == {
        rule: sorted(numbers + AUDIT_EXCEPTED.get(rule, []))
        for rule, numbers in AUDIT_ALERTS.items()
    }


OUTPUTS = {
    21: "Warning Privileged container (user=alice@harbour.example pod=debug "
    "namespace=shop images=(registry.harbour.example/tools/debug:2.0) first=<NA>)",
    40: "Warning Unsigned request allowed (uri=/api/v1/pods reason=RBAC: allowed by "
    'ClusterRoleBinding "leftover" address=203.0.113.66 over=10.0.0.3)',
    41: "Informational Refused with 401 Unauthorized (user=<NA> verb=list "
    "uri=/api/v1/nodes)",
    50: "Warning Pod in the host's namespaces (user=mallory@harbour.example pod=net "
    "network=true pid=true ipc=true ports=(2222))",
    58: "Warning Role with wildcards (user=mallory@harbour.example role=helper "
    'rules=({"apiGroups":["*"],"resources":["*"],"verbs":["*"]}))',
    63: "Critical Bound to cluster-admin (user=mallory@harbour.example "
    "binding=helper-2 users=<NA> accounts=(kube-system:helper,default:default))",
    66: "Warning Token taken (user=mallory@harbour.example "
    "account=kube-system:helper seconds=864000)",
    77: "Notice Many objects removed (user=mallory@harbour.example what=shop/pods "
    "selector=app=cart)",
}


@pytest.mark.parametrize("number", OUTPUTS)
def test_an_output_tells_the_event(audit, audit_rules, number):
    frame = audit_rules.run(audit).frame
    (output,) = frame.loc[frame["evt.num"] == number, "output"]
    assert output.partition(": ")[2] == OUTPUTS[number]


def test_json_lines_name_every_field_of_the_output(audit, audit_rules):
    alerts = map(json.loads, audit_rules.run(audit).to_jsonl().splitlines())
    (alert,) = [alert for alert in alerts if alert["rule"] == "Opened to everybody"]
    assert alert["priority"] == "Critical"
    assert alert["source"] == "k8s_audit"
    assert alert["tags"] == ["k8s", "rbac"]
    fields = alert["output_fields"]
    assert {name: fields[name] for name in fields if name != "evt.time"} == {
        "ka.user.name": "mallory@harbour.example",
        "ka.target.name": "leftover-2",
        "ka.req.binding.role": "view",
    }


def test_later_files_change_lists_and_exceptions(audit, events_dir, tmp_path, facts):
    local = tmp_path / "local.yaml"
    local.write_text(
        """
- list: known_namespaces
  items: [coins]
  override: {items: append}
- rule: Service open to the outside
  exceptions:
    - name: deployed
      values: [["alice@", NodePort]]
  override: {exceptions: append}
- rule: Any audit event
  enabled: true
  override: {enabled: replace}
"""
    )
    rules = wb.load_rules(events_dir.parent / "k8s_rules.yaml", local)
    assert not [d for d in rules.check(audit) if d.severity == "error"]
    found = facts.numbers(rules.run(audit, all_matches=True))
    assert "Unknown namespace" not in found
    assert "Service open to the outside" not in found
    assert found.pop("Any audit event") == list(range(1, 91))
    changed = ("Unknown namespace", "Service open to the outside")
    assert found == {r: n for r, n in AUDIT_ALERTS.items() if r not in changed}


def test_an_alert_explained_check_by_check(audit):
    condition = (
        "ka.verb = create and ka.req.binding.role = cluster-admin and "
        "ka.req.binding.subjects.user_names intersects (mallory@harbour.example)"
    )
    assert audit.where(condition).frame["evt.num"].tolist() == [62]
    said = str(audit.explain(63, condition))
    assert "event 63 does not match" in said
    assert "✗ ka.req.binding.subjects.user_names intersects" in said
    assert audit.near_misses(condition) is not None
    assert audit.funnel(condition) is not None


def test_both_sources_and_both_files_in_one_workbench(both, events_dir, facts):
    here = events_dir.parent
    assert set(both.sources) == {"k8s_audit", "aws_cloudtrail"}
    rules = wb.load_rules(here / "k8s_rules.yaml", here / "aws_rules.yaml")
    assert list(rules.check(both)) == []
    found = both.capture_all(
        {
            "k8s_audit": str(events_dir / "k8s_audit.jsonl"),
            "aws_cloudtrail": str(events_dir / "cloudtrail"),
        }
    )
    alerts = {s: rules.run(e, all_matches=True) for s, e in found.items()}
    assert facts.numbers(alerts["k8s_audit"]) == AUDIT_ALERTS
    assert facts.numbers(alerts["aws_cloudtrail"]) == TRAIL_ALERTS


@pytest.fixture
def falco_yaml(official, events_dir, tmp_path):
    """Write the configuration that a Falco with these plugins would have."""
    text = f"""
plugins:
  - name: k8saudit
    library_path: {official("k8saudit")}
    init_config: ""
    open_params: {events_dir / "k8s_audit.jsonl"}
  - name: json
    library_path: {official("json")}
load_plugins: [k8saudit, json]
rules_files: [{events_dir.parent / "k8s_rules.yaml"}]
json_output: true
"""
    path = tmp_path / "falco.yaml"
    path.write_text(text)
    return path


def test_a_falco_yaml_runs_on_the_command_line(falco_yaml, capfd):
    assert main(["run", "-c", str(falco_yaml)]) == 0
    lines = capfd.readouterr().out.splitlines()
    alerts = [json.loads(line) for line in lines if line.startswith("{")]
    counted = {}
    for alert in alerts:
        counted[alert["rule"]] = counted.get(alert["rule"], 0) + 1
    expected = first_only(AUDIT_ALERTS, AUDIT_HIDDEN)
    assert counted == {rule: len(numbers) for rule, numbers in expected.items()}
    assert [a["time"] for a in alerts] == sorted(a["time"] for a in alerts)


def test_a_workbench_of_a_falco_yaml(falco_yaml, audit_rules, facts):
    with wb.Workbench.from_falco_yaml(falco_yaml) as bench:
        assert list(bench.plugins) == ["k8saudit", "json"]
        found = audit_rules.run(bench.capture(), all_matches=True)
    assert facts.numbers(found) == AUDIT_ALERTS
