from __future__ import annotations

from dataclasses import replace

import pytest

from workbench.authoring.diff import compare_manifests
from workbench.fields.declarations import ArgInfo, FieldInfo, FieldTable
from workbench.manifest import Manifest

BASE = Manifest(
    path="p.so",
    name="ticker",
    version="1.2.3",
    id=999,
    event_source="ticker",
    required_api_version="3.12.0",
    capabilities=("sourcing", "extraction"),
    fields=FieldTable(
        [
            FieldInfo("ticker.value", "uint64", desc="value"),
            FieldInfo("ticker.kv", "string", arg=ArgInfo(key=True), desc="kv"),
        ]
    ),
    init_schema={"type": "object", "properties": {"step": {"minimum": 1}}},
)


def fields(*items):
    return FieldTable(items)


VALUE, KV = BASE.fields.values()


@pytest.mark.parametrize(
    ("changed", "needed"),
    [
        ({}, "patch"),
        ({"description": "x"}, "patch"),
        ({"required_api_version": "3.0.0"}, "patch"),
        ({"required_api_version": "2.0.0"}, "major"),
        ({"name": "other"}, "major"),
        ({"id": 5}, "major"),
        ({"event_source": "other"}, "major"),
        ({"capabilities": ("sourcing",)}, "major"),
        ({"capabilities": ("sourcing", "extraction", "parsing")}, "minor"),
        ({"fields": fields(VALUE)}, "major"),
        ({"fields": fields(VALUE, KV, FieldInfo("ticker.new", "bool"))}, "minor"),
        ({"fields": fields(replace(VALUE, type="string"), KV)}, "major"),
        ({"fields": fields(replace(VALUE, is_list=True), KV)}, "major"),
        ({"fields": fields(replace(VALUE, desc="other"), KV)}, "patch"),
        ({"fields": fields(VALUE, replace(KV, arg=None))}, "major"),
        (
            {"fields": fields(VALUE, replace(KV, arg=ArgInfo(True, False, True)))},
            "major",
        ),
        (
            {"fields": fields(VALUE, replace(KV, arg=ArgInfo(False, True, True)))},
            "minor",
        ),
        ({"fields": fields(replace(VALUE, arg=ArgInfo(key=True)), KV)}, "minor"),
        ({"fields": fields(KV, VALUE)}, "patch"),
        ({"extract_event_sources": ("ticker",)}, "major"),
        ({"init_schema": None}, "minor"),
        ({"init_schema": {"type": "object", "properties": {}}}, "major"),
        (
            {"init_schema": {"type": "object", "properties": {"step": {"minimum": 0}}}},
            "minor",
        ),
        (
            {"init_schema": {"type": "object", "properties": {"step": {"minimum": 2}}}},
            "major",
        ),
        ({"init_schema": {**BASE.init_schema, "required": ["step"]}}, "major"),
        ({"init_schema": {**BASE.init_schema, "title": "t"}}, "patch"),
    ],
)
def test_each_change_needs_its_version(changed, needed):
    assert compare_manifests(BASE, replace(BASE, **changed)).needed == needed


def test_the_same_file_needs_nothing():
    assert compare_manifests(BASE, BASE, identical=True).needed == "none"


@pytest.mark.parametrize(
    ("version", "declared", "sufficient"),
    [
        ("1.2.3", "none", False),
        ("1.2.4", "patch", False),
        ("1.3.0", "minor", True),
        ("2.0.0", "major", True),
        ("1.1.9", "none", False),
    ],
)
def test_the_declared_version_is_held_against_the_need(version, declared, sufficient):
    more = fields(VALUE, KV, FieldInfo("ticker.new", "bool"))
    diff = compare_manifests(BASE, replace(BASE, fields=more, version=version))
    assert (diff.declared, diff.sufficient) == (declared, sufficient)


def test_the_verdict_names_the_version_to_use():
    diff = compare_manifests(BASE, replace(BASE, event_source="x", version="1.2.4"))
    assert diff.verdict() == (
        "1.2.3 → 1.2.4 is not enough for a major change: use 2.0.0 or later"
    )
    assert "&lt;" in compare_manifests(BASE, replace(BASE, name="<b>"))._repr_html_()


def reflected(description: str) -> dict[str, object]:
    """Return a schema as the Go reflectors write it."""
    return {
        "$ref": "#/definitions/Config",
        "definitions": {
            "Config": {
                "type": "object",
                "properties": {"step": {"type": "integer", "description": description}},
            }
        },
    }


def test_a_schema_behind_references_is_compared_resolved():
    old = replace(BASE, init_schema=reflected("how far"))
    new = replace(BASE, init_schema=reflected("how far to go"))
    [change] = compare_manifests(old, new).changes
    assert (change.level, change.what) == ("patch", "config.step: description changed")
    plain = replace(BASE, init_schema=reflected("how far")["definitions"]["Config"])
    assert compare_manifests(old, plain).changes == []
