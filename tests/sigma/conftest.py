from __future__ import annotations

import ipaddress

import pyarrow as pa
import pytest
import yaml

import workbench as wb

FIELDS = [
    {"name": "web.path", "type": "string"},
    {"name": "web.agent", "type": "string"},
    {"name": "web.user", "type": "string"},
    {"name": "web.address", "type": "string"},
    {"name": "web.status", "type": "uint64"},
    {"name": "web.bytes", "type": "uint64"},
    {"name": "web.tls", "type": "bool"},
    {"name": "web.tags", "type": "string", "isList": True},
    {"name": "web.ports", "type": "uint64", "isList": True},
    {"name": "web.peer", "type": "ipaddr"},
    {"name": "web.net", "type": "ipnet"},
]
TYPES = {
    "web.status": pa.uint64(),
    "web.bytes": pa.uint64(),
    "web.tls": pa.bool_(),
    "web.tags": pa.list_(pa.string()),
    "web.ports": pa.list_(pa.uint64()),
    "web.peer": pa.binary(),
    "web.net": pa.binary(),
}

ROWS = [
    {
        "web.path": "/Admin/Login",
        "web.agent": "curl/8.1",
        "web.user": "root",
        "web.status": 200,
        "web.tls": True,
    },
    {
        "web.path": "/admin/login",
        "web.agent": "CURL/8.1",
        "web.user": "Root",
        "web.status": 404,
        "web.tls": False,
    },
    {
        "web.path": "/a*b",
        "web.agent": "x[y]z",
        "web.user": "\\",
        "web.status": 9,
        "web.bytes": 9,
    },
    {
        "web.path": "/aXXb",
        "web.agent": "xyz",
        "web.user": "C:\\Temp\\",
        "web.status": 10,
        "web.bytes": 9,
    },
    {
        "web.path": "/a?b",
        "web.agent": "x\ny",
        "web.user": "c:\\temp\\",
        "web.status": 0,
    },
    {
        "web.path": "/aéb",
        "web.agent": 'say "hi"',
        "web.user": "it's",
        "web.status": 2**64 - 1,
    },
    {"web.path": "", "web.agent": "", "web.user": ""},
    {},
    {
        "web.path": "/etc/passwd",
        "web.agent": "/ETC",
        "web.user": "passwd",
        "web.address": "10.1.2.3",
    },
    {
        "web.path": "and",
        "web.agent": "1 or 1 = 1",
        "web.user": "a,b",
        "web.address": "10.127.255.255",
    },
    {
        "web.path": "x",
        "web.agent": "(x)",
        "web.user": "%user",
        "web.address": "10.128.0.0",
    },
    {
        "web.path": "line\n",
        "web.agent": "line\nmore",
        "web.user": "true",
        "web.address": "10.1.2.3.example",
    },
    {
        "web.path": "5",
        "web.agent": "05",
        "web.user": "5.0",
        "web.address": "192.168.7.7",
    },
    {
        "web.tags": ["Alpha", "beta"],
        "web.ports": [22, 443],
        "web.peer": "10.0.0.1",
        "web.net": "10.0.0.1",
    },
    {
        "web.tags": ["alpha\nbeta"],
        "web.ports": [8080],
        "web.peer": "2001:db8::1",
        "web.net": "2001:db8::1",
    },
    {
        "web.tags": ["gamma"],
        "web.ports": [443],
        "web.peer": "192.0.2.1",
        "web.net": "192.168.9.9",
    },
    {
        "web.path": "/tmp/aa11",
        "web.agent": "Aa-11 zZ",
        "web.user": "WORD",
        "web.address": "172.16.0.1",
    },
    {
        "web.path": "/tmp/aa11/x",
        "web.agent": "bot",
        "web.user": "word\n",
        "web.address": "172.32.0.1",
    },
    {
        "web.path": "/windows -enc",
        "web.agent": "run /enc now",
        "web.user": "cm9vdA==",
        "web.address": "::1",
    },
]


def packed(name, value):
    if value is not None and name in ("web.peer", "web.net"):
        return ipaddress.ip_address(value).packed
    return value


@pytest.fixture(scope="session")
def rows():
    return ROWS


@pytest.fixture(scope="session")
def events():
    columns = {
        field["name"]: pa.array(
            [packed(field["name"], row.get(field["name"])) for row in ROWS],
            TYPES.get(field["name"], pa.string()),
        )
        for field in FIELDS
    }
    return wb.events_from_table(pa.table(columns), fields=FIELDS, source="web")


def sigma_rule(detection, **more):
    """Give the text of a Sigma rule with this detection."""
    rule = {"title": "A rule", "logsource": {"product": "web"}, "detection": detection}
    return yaml.safe_dump({**rule, **more}, sort_keys=False, allow_unicode=True)


@pytest.fixture
def imported(tmp_path, events):
    """Bring one rule in; gives the set."""

    def bring(detection, **more):
        path = tmp_path / "rule.yml"
        path.write_text(sigma_rule(detection, **more), encoding="utf-8")
        return wb.rules_from_sigma(path, source=events)

    return bring
