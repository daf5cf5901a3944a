"""Names of Sigma become fields of official plugins, and rules say where they are from."""

from __future__ import annotations

import re

import pytest
import yaml
from sigma.processing.pipeline import ProcessingItem, ProcessingPipeline
from sigma.processing.transformations import FieldMappingTransformation

import workbench as wb
from workbench.condition import compile_condition
from workbench.sigma.sources import SOURCES

LOGSOURCES = {
    "aws_cloudtrail": {"product": "aws", "service": "cloudtrail"},
    "k8s_audit": {"product": "kubernetes", "service": "audit"},
    "okta": {"product": "okta", "service": "okta"},
    "github": {"product": "github"},
    "gcp_auditlog": {"product": "gcp", "service": "gcp.audit"},
}
# Source → check of Sigma → condition.
MAPPED = [
    (
        "aws_cloudtrail",
        {"eventName": "ConsoleLogin"},
        'tolower(ct.name) = "consolelogin"',
    ),
    (
        "aws_cloudtrail",
        {"requestParameters.policy|contains": "*:*"},
        'json.value[/requestParameters/policy] contains ":"',
    ),
    (
        "aws_cloudtrail",
        {"userIdentity.userName": "7"},
        'json.value[/userIdentity/userName] = "7"',
    ),
    ("aws_cloudtrail", {"ct.srcip": "::1"}, 'ct.srcip = "::1"'),
    (
        "k8s_audit",
        {"verb": "create", "objectRef.resource": "pods"},
        'tolower(ka.verb) = "create" and tolower(ka.target.resource) = "pods"',
    ),
    ("k8s_audit", {"responseStatus.code": 403}, 'ka.response.code = "403"'),
    (
        "k8s_audit",
        {"user.groups|cased": "system:masters"},
        'ka.user.groups intersects ("system:masters")',
    ),
    (
        "okta",
        {"eventType": "user.session.start"},
        'tolower(okta.evt.type) = "user.session.start"',
    ),
    ("okta", {"securityContext.asNumber|gt": 5}, "okta.security.asnumber > 5"),
    ("github", {"action": "deleted"}, 'tolower(github.action) = "deleted"'),
    (
        "gcp_auditlog",
        {"gcp.audit.method_name|endswith": ".Delete"},
        'tolower(gcp.methodName) endswith ".delete"',
    ),
    (
        "gcp_auditlog",
        {"data.protoPayload.status.code": 7},
        'json.value[/protoPayload/status/code] = "7"',
    ),
]


@pytest.fixture
def bring(tmp_path):
    def rules(source, check, pipeline=None, **more):
        path = tmp_path / "rule.yml"
        rule = {"title": "A rule", "logsource": LOGSOURCES[source], **more}
        rule["detection"] = {"s": check, "condition": "s"}
        path.write_text(yaml.safe_dump(rule, sort_keys=False))
        return wb.rules_from_sigma(path, source=source, pipeline=pipeline)

    return rules


@pytest.mark.parametrize(("source", "check", "condition"), MAPPED)
def test_a_name_becomes_the_field_that_holds_it(bring, source, check, condition):
    rules = bring(source, check)
    assert not rules.diagnostics.errors
    assert rules.rules[0].condition == condition
    assert rules.rules[0].source == source


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
def test_every_mapped_field_is_one_of_its_source(source):
    for field in set(source.mapping.values()):
        compile_condition(f"{field} exists", source.fields)


def test_an_unknown_field_is_told_of_with_the_nearest_one(bring):
    found = bring("aws_cloudtrail", {"evntName": "x"}).diagnostics
    assert "did you mean eventName (ct.name)" in found[0].hint
    found = bring("okta", {"okta.actr.name": "x"}).diagnostics
    assert "okta.actor.name" in found[0].hint


def test_rules_about_other_events_are_left_out(bring):
    rules = bring("okta", {"eventType": "x"}, logsource={"product": "windows"})
    assert [d.code for d in rules.diagnostics] == ["sigma-logsource"]
    audit = {"product": "github", "service": "audit"}
    rules = bring("github", {"action": "x"}, logsource=audit)
    assert "webhooks" in rules.diagnostics[0].message


def test_users_extend_the_mapping(bring, tmp_path):
    mapping = FieldMappingTransformation({"principal": "ct.user.arn"})
    own = ProcessingPipeline(items=[ProcessingItem(mapping)])
    check = {"principal": "7", "eventName": "8"}
    wanted = 'ct.user.arn = "7" and ct.name = "8"'
    assert bring("aws_cloudtrail", check, own).rules[0].condition == wanted
    path = tmp_path / "pipeline.yml"
    text = "name: own\ntransformations:\n  - type: field_name_mapping\n"
    path.write_text(text + "    mapping: {principal: ct.user.arn}\n")
    assert bring("aws_cloudtrail", check, path).rules[0].condition == wanted


def test_a_rule_says_what_the_sigma_rule_said(bring):
    rules = bring(
        "aws_cloudtrail",
        {"eventName": "x"},
        title="100% of\nit",
        id="11111111-1111-4111-8111-111111111111",
        description="what happened",
        author="Nina",
        level="high",
        tags=["attack.initial-access", "attack.t1078.004", "cve.2024-1", "tlp.red"],
        falsepositives=["admins at work"],
        references=["https://example.com/a"],
        fields=["ct.srcip", "unknown"],
    )
    (rule,) = rules.rules
    assert rule.name == "100% of it"
    assert rule.desc == (
        "what happened. False positives: admins at work. References: "
        "https://example.com/a. From the Sigma rule 11111111-1111-4111-8111-111111111111 by Nina."
    )
    assert rule.priority == "ERROR"
    assert rule.tags == ("CVE-2024-1", "T1078.004", "mitre_initial_access", "tlp.red")
    assert rule.output == "100 percent of it (name=%ct.name srcip=%ct.srcip)"
    assert not rules.check().errors


@pytest.mark.parametrize(
    ("level", "priority"),
    [
        ("informational", "INFO"),
        ("low", "NOTICE"),
        ("medium", "WARNING"),
        ("high", "ERROR"),
        ("critical", "CRITICAL"),
    ],
)
def test_the_level_becomes_the_priority(bring, level, priority):
    assert bring("okta", {"eventType": "x"}, level=level).rules[0].priority == priority


def test_two_rules_of_one_title_are_both_kept(tmp_path):
    text = "title: Twice\nlogsource: {product: okta}\ndetection: {s: {eventType: N}, condition: s}\n"
    for number in (1, 2):
        (tmp_path / f"{number}.yml").write_text(text.replace("N", f"x{number}"))
    rules = wb.rules_from_sigma(tmp_path, source="okta")
    assert [rule.name for rule in rules] == ["Twice", "Twice (2)"]
    assert [(d.severity, d.code) for d in rules.diagnostics] == [
        ("warning", "sigma-title")
    ]


@pytest.fixture
def cloud_rule(tmp_path):
    path = tmp_path / "cloud.yml"
    rule = {
        "title": "Login",
        "logsource": LOGSOURCES["aws_cloudtrail"],
        "detection": {"s": {"eventName": "ConsoleLogin"}, "condition": "s"},
    }
    path.write_text(yaml.safe_dump(rule, sort_keys=False))
    return path


@pytest.fixture
def cli():
    import subprocess
    import sys

    def run(*words):
        command = [sys.executable, "-m", "workbench", "import-sigma", *map(str, words)]
        return subprocess.run(command, capture_output=True, text=True, timeout=60)

    return run


def test_the_command_writes_a_rules_file_that_loads(cli, cloud_rule, tmp_path):
    out = tmp_path / "rules.yaml"
    done = cli(cloud_rule, "--source", "aws_cloudtrail", "-o", out)
    assert (done.returncode, done.stdout) == (0, "")
    assert "1 rule made, 0 left out" in done.stderr
    rules = wb.load_rules(out)
    assert [rule.name for rule in rules] == ["Login"]
    assert cli(cloud_rule, "--source", "aws_cloudtrail").stdout == rules.to_yaml()


def test_the_command_tells_what_it_left_out(cli, cloud_rule, tmp_path):
    bad = tmp_path / "bad.yml"
    bad.write_text(cloud_rule.read_text().replace("eventName", "evntName"))
    out = tmp_path / "rules.yaml"
    done = cli(cloud_rule, bad, "--source", "aws_cloudtrail", "-o", out)
    assert done.returncode == 1
    assert re.search(r"bad.yml:\d+: error \[sigma-field\]", done.stderr)
    assert "1 rule made, 1 left out" in done.stderr
    assert [rule.name for rule in wb.load_rules(out)] == ["Login"]


def test_a_bad_file_writes_nothing(cli, cloud_rule, tmp_path):
    bad = tmp_path / "bad.yml"
    bad.write_bytes(b"\xff\xfebad")
    out = tmp_path / "rules.yaml"
    done = cli(cloud_rule, bad, "--source", "aws_cloudtrail", "-o", out)
    assert (done.returncode, done.stdout) == (1, "")
    assert "UTF-16" in done.stderr
    assert "Traceback" not in done.stderr
    assert not out.exists()
    assert cli(cloud_rule).returncode == 2
