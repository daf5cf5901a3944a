from __future__ import annotations

import pytest

from workbench.authoring.check.codes import CODES
from workbench.authoring.check.report import CheckReport
from workbench.authoring.check.static import check_manifest
from workbench.fields.declarations import FieldInfo, FieldTable
from workbench.manifest import Manifest


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"complaints": ("required symbol not implemented: 'init'",)}, "LOAD"),
        ({"required_api_version": "2.0.0"}, "API_OLD"),
        ({"required_api_version": "3.0.0"}, "API_BEHIND"),
        ({"version": "1.0.0-rc1"}, "VERSION_FORM"),
        ({"description": " "}, "DESCRIPTION_MISSING"),
        ({"contact": ""}, "CONTACT_MISSING"),
        ({"contact": "somebody"}, "CONTACT_FORM"),
        ({"name": "My Plugin"}, "NAME_FORM"),
        ({"id": 999}, "ID_TEST"),
        ({"id": 3}, "ID_TAKEN"),
        ({"event_source": "syscall"}, "SOURCE_RESERVED"),
        ({"event_source": "k8s_audit"}, "SOURCE_TAKEN"),
        ({"fields": FieldTable([FieldInfo("x.1", "uint64", desc="d")])}, "FIELD_NAME"),
        (
            {"fields": FieldTable([FieldInfo("evt.mine", "uint64", desc="d")])},
            "FIELD_GENERIC",
        ),
        (
            {"fields": FieldTable([FieldInfo("proc.mine", "uint64", desc="d")])},
            "FIELD_FAMILY",
        ),
        ({"fields": FieldTable([FieldInfo("x.y", "uint64")])}, "FIELD_DESC"),
        (
            {
                "fields": FieldTable(
                    [
                        FieldInfo("x.y", "uint64", desc="d"),
                        FieldInfo("z.y", "uint64", desc="d"),
                    ]
                )
            },
            "FIELD_PREFIX",
        ),
        ({"capabilities": ("extraction",)}, "ANY_SOURCE"),
        ({"fields": FieldTable([])}, "FIELDS_NONE"),
        ({"init_schema": {"type": "no such type"}}, "SCHEMA_INVALID"),
        (
            {"init_schema": {"properties": {"a": {"type": "integer", "default": "x"}}}},
            "SCHEMA_DEFAULT",
        ),
        ({"init_schema": {"properties": {"a": {}}}}, "SCHEMA_UNDESCRIBED"),
    ],
)
def test_each_static_fault_is_named(changed, code):
    sound = {
        "path": "x.so",
        "name": "mine",
        "version": "1.0.0",
        "description": "d",
        "contact": "me@example.org",
        "id": 1234,
        "event_source": "mine",
        "required_api_version": "3.12.0",
        "capabilities": ("sourcing", "extraction"),
        "fields": FieldTable([FieldInfo("mine.x", "uint64", desc="d")]),
    }
    clean = CheckReport("x.so", Manifest(**sound))
    check_manifest(clean)
    assert clean.findings == []
    report = CheckReport("x.so", Manifest(**{**sound, **changed}))
    check_manifest(report)
    assert code in {f.code for f in report.findings}
    assert all(f.code in CODES for f in report.findings)


def test_options_behind_references_are_checked():
    schema = {
        "$ref": "#/definitions/Config",
        "definitions": {
            "Config": {
                "properties": {"port": {"$ref": "#/definitions/Port"}},
            },
            "Port": {"type": "integer", "default": "http"},
        },
    }
    report = CheckReport("x.so", Manifest("x.so", init_schema=schema))
    check_manifest(report)
    found = {f.code: f.subject for f in report.findings if f.code.startswith("SCHEMA")}
    assert found == {
        "SCHEMA_DEFAULT": "config.port",
        "SCHEMA_UNDESCRIBED": "config.port",
    }


@pytest.mark.parametrize(
    ("number", "name", "source"),
    [
        (9, "k8saudit-eks", "k8s_audit"),
        (1, "k8saudit", "k8s_audit"),
        (16, "k8saudit-gke", "k8s_audit"),
    ],
)
def test_a_registered_plugin_may_use_the_source_it_registered(number, name, source):
    manifest = Manifest(
        path="x.so",
        name=name,
        id=number,
        event_source=source,
        capabilities=("sourcing",),
    )
    report = CheckReport("x.so", manifest)
    check_manifest(report)
    assert not {"SOURCE_TAKEN", "ID_TAKEN"} & {f.code for f in report.findings}
