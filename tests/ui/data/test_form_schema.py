"""The config form gets a resolved schema with a bounded number of controls."""

from __future__ import annotations

import json

import pytest

from workbench.ui.data.form_schema import form_schema
from workbench.ui.panels.plugin import config_errors


def controls(schema):
    inner = list(schema.get("properties", {}).values())
    inner += [schema["items"]] if "items" in schema else []
    return len(schema.get("properties", {})) + sum(map(controls, inner))


def test_references_are_resolved_and_what_the_form_does_not_read_is_gone():
    schema = {
        "$ref": "#/definitions/Config",
        "definitions": {
            "Config": {
                "type": "object",
                "required": ["port"],
                "properties": {"port": {"$ref": "#/definitions/Port"}},
            },
            "Port": {"type": "integer", "minimum": 1, "description": "to listen on"},
        },
    }
    port = {"type": "integer", "minimum": 1, "description": "to listen on"}
    assert form_schema(schema) == {
        "type": "object",
        "required": ["port"],
        "properties": {"port": port},
    }
    assert config_errors({}, schema) == {"/port": "is required"}
    assert "/port" in config_errors({"port": 0}, schema)
    assert form_schema(None) is None


def test_nothing_is_lost_of_a_plain_schema():
    schema = {
        "type": "object",
        "properties": {
            "a": {"type": "string", "default": "x", "format": "password"},
            "b": {"enum": [1, "two", None], "title": "B"},
            "c": {"type": "array", "items": {"type": ["null", "number"]}},
        },
    }
    shown = form_schema(schema)
    assert shown["properties"]["a"] == schema["properties"]["a"]
    assert shown["properties"]["c"] == schema["properties"]["c"]
    assert shown["properties"]["b"]["enum"] == [1, "two"]


@pytest.mark.timeout(30)
@pytest.mark.parametrize(
    "schema",
    [
        {"properties": {str(i): {"type": "string"} for i in range(100_000)}},
        {
            "$ref": "#/$defs/n0",
            "$defs": {
                f"n{i}": {
                    "properties": {s: {"$ref": f"#/$defs/n{i + 1}"} for s in "abcd"}
                }
                for i in range(50)
            },
        },
        {"properties": {"a": {"enum": ["x" * 10] * 1_000_000}}},
        {"properties": {"a": {"description": "x" * 10_000_000}}},
    ],
    ids=["wide", "deep", "choices", "text"],
)
def test_a_hostile_schema_makes_a_bounded_form(schema):
    shown = form_schema(schema)
    assert controls(shown) <= 300
    assert len(json.dumps(shown)) < 1_000_000


def test_an_object_without_room_takes_text():
    shown = form_schema({"properties": {str(i): {} for i in range(301)}})
    assert shown == {"type": "object"}
