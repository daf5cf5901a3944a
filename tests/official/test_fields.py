"""Fields of official plugins hold what the payloads say, for every event."""

from __future__ import annotations

import signal

import pytest

import workbench as wb

pytestmark = [pytest.mark.go, pytest.mark.official]

# Field → where in the audit event its text comes from.
AUDIT_FIELDS = {
    "ka.auditid": "/auditID",
    "ka.stage": "/stage",
    "ka.verb": "/verb",
    "ka.uri": "/requestURI",
    "ka.user.name": "/user/username",
    "ka.impuser.name": "/impersonatedUser/username",
    "ka.auth.decision": "/annotations/authorization.k8s.io~1decision",
    "ka.auth.reason": "/annotations/authorization.k8s.io~1reason",
    "ka.target.name": "/objectRef/name",
    "ka.target.namespace": "/objectRef/namespace",
    "ka.target.resource": "/objectRef/resource",
    "ka.target.subresource": "/objectRef/subresource",
    "ka.req.binding.role": "/requestObject/roleRef/name",
    "ka.req.service.type": "/requestObject/spec/type",
    "ka.req.configmap.obj": "/requestObject/data",
    "ka.req.pod.host_network": "/requestObject/spec/hostNetwork",
    "ka.req.pod.fs_group": "/requestObject/spec/securityContext/fsGroup",
    "ka.resp.name": "/responseObject/metadata/name",
    "ka.response.code": "/responseStatus/code",
    "ka.response.reason": "/responseStatus/reason",
    "ka.useragent": "/userAgent",
    "ka.cluster.name": "/annotations/cluster_name",
}

# List field → event number → its values; absent in every other event.
AUDIT_LISTS = {
    "ka.req.pod.initContainers.image": {53: ["ghcr.example/tools/prepare:0.1"]},
    "ka.req.pod.initContainers.command": {53: ["/prepare --all"]},
    "ka.req.pod.ephemeralContainers.name": {57: ["debugger-4x"]},
    "ka.req.pod.supplemental_groups": {22: ["4000", "4001"]},
    "ka.req.pod.containers.args": {5: ["--listen :8080"]},
    "ka.req.pod.containers.command": {
        19: ["/usr/local/bin/kube-proxy"],
        50: ["sleep infinity"],
        51: ["sh -c chroot /host"],
    },
    "ka.req.pod.containers.host_port": {
        5: ["8080"],
        20: ["9100"],
        22: ["8081"],
        50: ["2222"],
    },
    "ka.req.pod.volumes.hostpath": {
        19: ["/lib/modules"],
        20: ["/"],
        51: ["/"],
        52: ["/var/run/docker.sock"],
    },
    "ka.req.pod.volumes.volume_type": {
        19: ["hostPath", "configMap"],
        20: ["hostPath"],
        51: ["hostPath", "secret"],
        52: ["hostPath", "emptyDir"],
        54: ["flexVolume"],
    },
    "ka.req.role.rules.verbs": {
        34: ["get", "list", "watch"],
        58: ["*"],
        59: ["get", "create"],
        60: ["get"],
        61: ["get", "list"],
    },
    "ka.req.binding.subjects.user_names": {
        36: ["carol@harbour.example"],
        62: ["mallory@harbour.example"],
        64: ["system:anonymous"],
    },
    "ka.req.binding.subjects.serviceaccount_ns_names": {
        63: ["kube-system:helper", "default:default"]
    },
    # One JSON text per container that adds some, whatever the name promises.
    "ka.req.pod.containers.add_capabilities": {54: ['["SYS_ADMIN","NET_RAW"]']},
}

TRAIL_FIELDS = {
    "ct.id": "/eventID",
    "ct.error": "/errorCode",
    "ct.errormessage": "/errorMessage",
    "ct.time": "/eventTime",
    "ct.src": "/eventSource",
    "ct.name": "/eventName",
    "ct.region": "/awsRegion",
    "ct.srcip": "/sourceIPAddress",
    "ct.useragent": "/userAgent",
    "ct.readonly": "/readOnly",
    "ct.managementevent": "/managementEvent",
    "ct.requestid": "/requestID",
    "ct.eventtype": "/eventType",
    "ct.response": "/responseElements",
    "ct.request": "/requestParameters",
    "ct.request.username": "/requestParameters/userName",
    "ct.user.identitytype": "/userIdentity/type",
    "ct.user.arn": "/userIdentity/arn",
    "s3.bucket": "/requestParameters/bucketName",
    "s3.key": "/requestParameters/key",
    "iam.role": "/requestParameters/roleName",
    "ct.tlsdetails.tlsversion": "/tlsDetails/tlsVersion",
}


def test_every_verb_and_kind_that_rules_look_at_is_there(audit, facts):
    assert len(audit) == 90
    assert set(facts.values(audit, "ka.verb")) == {
        *("create", "get", "list", "watch", "update", "patch"),
        *("delete", "deletecollection"),
    }
    resources = set(facts.values(audit, "ka.target.resource"))
    assert resources > {
        *("pods", "secrets", "configmaps", "services", "namespaces", "nodes"),
        *("roles", "clusterroles", "rolebindings", "clusterrolebindings"),
        *("serviceaccounts", "deployments", "daemonsets", "cronjobs", "ingresses"),
        *("networkpolicies", "validatingwebhookconfigurations"),
        *("certificatesigningrequests", "customresourcedefinitions", None),
    }
    assert set(facts.values(audit, "ka.target.subresource")) > {
        *("exec", "attach", "portforward", "log", "eviction", "token", "proxy"),
        *("binding", "status", "scale", "approval", "ephemeralcontainers"),
    }
    codes = set(facts.values(audit, "ka.response.code"))
    assert codes > {"101", "200", "201", "302", "401", "403", "404", "422", "500"}


@pytest.mark.parametrize("field", AUDIT_FIELDS)
def test_an_audit_field_is_the_text_at_its_place(audit, facts, field):
    told = facts.told(audit, AUDIT_FIELDS[field])
    assert facts.values(audit, field) == told
    assert any(text is not None for text in told)


def test_what_the_json_plugin_finds_at_a_pointer_is_the_same(audit, facts):
    pointers = sorted({*AUDIT_FIELDS.values(), "/sourceIPs/0", "/user/groups", "/kind"})
    more = audit.extract(*(f"jevt.value[{pointer}]" for pointer in pointers))
    for pointer in pointers:
        assert facts.values(more, f"jevt.value[{pointer}]") == facts.told(
            audit, pointer
        )


@pytest.mark.parametrize("field", AUDIT_LISTS)
def test_a_list_field_holds_these_values_and_is_absent_elsewhere(audit, facts, field):
    values = dict(enumerate(facts.values(audit, field), 1))
    found = {number: list(v) for number, v in values.items() if v is not None}
    assert found == AUDIT_LISTS[field]


def test_arguments_choose_parameters_paths_and_elements(audit, facts):
    more = audit.extract(
        "ka.uri.param[command]",
        "ka.uri.param[limit]",
        "ka.req.pod.containers.image[1]",
        "ka.req.volume.hostpath[/var/run*]",
    )
    commands = facts.values(more, "ka.uri.param[command]")
    assert [commands[n - 1] for n in (24, 25, 48, 49)] == ["ls", None, "/bin/sh", "sh"]
    limits = facts.values(more, "ka.uri.param[limit]")
    assert [n for n, limit in enumerate(limits, 1) if limit == "500"] == [17, 44, 45]
    second = facts.values(more, "ka.req.pod.containers.image[1]")
    assert {n: list(v) for n, v in enumerate(second, 1) if v is not None} == {
        22: ["docker.io/library/nginx:1.27"],
        54: ["registry.harbour.example/shop/front:2.8.0"],
    }
    mounted = facts.values(more, "ka.req.volume.hostpath[/var/run*]")
    assert [n for n, yes in enumerate(mounted, 1) if yes == "true"] == [52]


def test_event_time_is_the_stage_timestamp(audit, facts):
    # Microseconds in the payload, nanoseconds in the event.
    told = facts.told(audit, "/stageTimestamp")
    texts = audit.frame["evt.time"].dt.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    assert [text.replace("000Z", "Z") for text in texts] == told or list(texts) == told
    assert facts.values(audit, "jevt.rawtime") == [
        str(ns) for ns in audit.table.column("evt.rawtime").to_pylist()
    ]


def test_the_plugins_text_of_an_event_is_its_payload(audit):
    payloads = audit.extract("payload").frame["payload"]
    assert audit["evt.plugininfo"].tolist() == [p.decode() for p in payloads]


@pytest.mark.parametrize("field", TRAIL_FIELDS)
def test_a_cloudtrail_field_is_the_text_at_its_place(trail, facts, field):
    told = facts.told(trail, TRAIL_FIELDS[field])
    assert facts.values(trail, field) == told
    assert any(text is not None for text in told)


def test_cloudtrail_reads_both_files_and_leaves_out_what_is_no_event(trail, facts):
    assert len(trail) == 36
    assert "AwsCloudTrailInsight" not in facts.values(trail, "ct.eventtype")
    assert trail.frame["evt.time"].is_monotonic_increasing


def test_numbers_and_derived_texts_of_cloudtrail(trail, facts):
    sizes = facts.values(trail, "s3.bytes")
    assert {n: v for n, v in enumerate(sizes, 1) if v is not None} == {
        8: 2048,
        9: 512,
        31: 73_400_320,
    }
    users = dict(enumerate(facts.values(trail, "ct.user"), 1))
    assert [users[n] for n in (1, 5, 7, 8, 31, 35)] == [
        *("anna", None, "ec2.amazonaws.com", "deploy", "shop-server", "AWSAccount")
    ]
    assert facts.values(trail, "ct.originaluser")[30] == "i-0aa11bb22cc33dd44"
    assert facts.values(trail, "ec2.name")[9] == "front-7"
    assert list(facts.values(trail, "ec2.imageids")[9]) == [
        *("ami-0f00000000000001", "ami-0f00000000000002")
    ]
    assert facts.values(trail, "ct.info")[17] == (
        "eve via 203.0.113.66 !← ListBuckets Host=s3.amazonaws.com"
    )
    assert trail["evt.plugininfo"][7] == (
        "eu-central-1 deploy s3 GetObject deploy via 198.51.100.90 ← GetObject "
        "Size=2048 URI=s3://harbour-shop/releases/front-2.8.0.tar"
    )


def test_values_lie_where_the_plugin_says(audit, trail):
    for events, row, fields in [
        (audit, 47, ["ka.verb", "ka.user.name", "ka.uri", "ka.target.name"]),
        (trail, 30, ["ct.name", "ct.srcip", "s3.key", "ct.user.arn"]),
    ]:
        payload = events.extract("payload").frame["payload"][row]
        places = events[row : row + 1].places(0)
        for field in fields:
            ((start, length),) = places[field]
            found = payload[start : start + length].decode().strip('"')
            assert found == str(events.frame[field][row])


# -- plugins whose own source is a service on the network ----------------------------------


def test_okta_events_from_a_file(official, stored, facts):
    names = [
        *("okta.evt.type", "okta.actor.name", "okta.result", "okta.client.geo.city"),
        *("okta.app", "okta.target.user.name", "okta.target.group.name"),
        *("okta.targets.displayName", "okta.targets.displayName[1]"),
        "okta.mfa.failure.countlast[60]",
    ]
    with wb.load(official("okta")) as plugin:
        path = stored("okta", 7, suffix=".parquet")
        events = wb.open_events(path).attach(plugin).extract(*names)
    told = {name: facts.values(events, name) for name in names}
    assert events.source == "okta"
    assert told["okta.evt.type"] == facts.told(events, "/eventType")
    assert told["okta.actor.name"] == ["Nina Nord"] * 5 + ["Olaf Ost"] * 2 + [
        "Nina Nord"
    ]
    assert told["okta.client.geo.city"][1:4] == ["Elsewhere"] * 3
    assert told["okta.app"] == [None] * 5 + ["payroll", None, None]
    assert told["okta.target.group.name"] == [None] * 6 + ["Administrators", None]
    assert told["okta.targets.displayName"][5] == "(Nina Nord,Payroll)"
    assert told["okta.targets.displayName[1]"][5:7] == ["Payroll", "Administrators"]
    # The plugin counts failures of the last minute as they come, ten seconds apart.
    assert told["okta.mfa.failure.countlast[60]"][1:4] == [1, 2, 3]


@pytest.mark.crash
@pytest.mark.parametrize(
    "field", ["okta.authentication.step", "okta.security.asnumber"]
)
def test_a_field_that_kills_its_plugin_costs_one_call(official, stored, facts, field):
    # The plugin gives a number of another type than it declares: its SDK panics, in
    # Falco too.
    with wb.load(official("okta")) as plugin:
        path = stored("okta", 7, suffix=".parquet")
        events = wb.open_events(path).attach(plugin)
        with pytest.raises(wb.PluginCrashed) as caught:
            events.extract(field)
        assert caught.value.signal == signal.SIGABRT
        assert "extract_fields" in caught.value.call
        assert caught.value.event_number == 1
        assert facts.values(events, "okta.evt.type") == facts.told(events, "/eventType")


@pytest.mark.crash
def test_fields_that_kill_their_plugin_do_not_keep_a_file_shut(official, stored, facts):
    with wb.load(official("okta")) as plugin:
        events = wb.open_events(stored("okta", 7), plugins=[plugin])
        assert facts.values(events, "okta.evt.type") == facts.told(events, "/eventType")
        left = "\n".join(events.origin.notes)
        for field in ("okta.authentication.step", "okta.security.asnumber"):
            assert field not in events.columns
            assert f"{field}: not extracted" in left


def test_github_events_from_a_file(official, stored, facts):
    with wb.load(official("github")) as plugin:
        events = wb.open_events(stored("github", 8), plugins=[plugin])
        told = {name: facts.values(events, name) for name in plugin.fields}
    assert events.source == "github"
    assert told["github.type"] == facts.told(events, "/webhook_type")
    assert told["github.user"] == facts.told(events, "/sender/login")
    # The plugin forgets the comma between two commits.
    assert told["github.commit.added"][0] == "a.py,b.pyc.py"
    assert told["github.diff.has_secrets"] == ["false", "true", *[""] * 6]
    assert told["github.diff.committed_secrets.lines"][1] == "12,13"
    assert told["github.collaborator.role"][3] == "admin"
    assert [n for n, v in enumerate(told["github.repo.public"], 1) if v == "true"] == [
        *(3, 5)
    ]
    assert told["github.webhook.id"] == ["0"] * 5 + ["4711", "0", "0"]
    assert told["github.workflow.has_miners"] == [None] * 6 + ["true", "false"]
    assert told["github.workflow.miners.type"][6] == "xmrig"


def test_gcp_audit_log_events_from_a_file(official, stored, facts):
    with wb.load(official("gcpaudit")) as plugin:
        events = wb.open_events(stored("gcp_auditlog", 12), plugins=[plugin])
        told = {name: facts.values(events, name) for name in plugin.fields}
    assert events.source == "gcp_auditlog"
    for field, pointer in {
        "gcp.user": "/protoPayload/authenticationInfo/principalEmail",
        "gcp.methodName": "/protoPayload/methodName",
        "gcp.resourceName": "/protoPayload/resourceName",
        "gcp.storage.bucket": "/resource/labels/bucket_name",
        "gcp.iam.serviceAccount": "/resource/labels/email_id",
        "gcp.resourceLabels": "/resource/labels",
        "gcp.time": "/timestamp",
    }.items():
        assert told[field] == facts.told(events, pointer)
    # The zone without its last letter, the location, the region.
    assert told["gcp.location"] == [
        *("europe-west3", "eu", None, None, "europe-west3", "global")
    ]
    assert told["gcp.logging.sink"] == [None, None, None, "to-siem", None, None]
