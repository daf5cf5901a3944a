"""References become what they refer to; what a stranger wrote stays bounded."""

from __future__ import annotations

import json
import time

import pytest

from workbench.schemas.resolving import resolve_schema

# As the Go reflectors write it.
REFLECTED = {
    "$schema": "http://json-schema.org/draft-04/schema#",
    "$ref": "#/definitions/PluginConfig",
    "definitions": {
        "PluginConfig": {
            "type": "object",
            "required": ["tls"],
            "properties": {
                "tls": {"$ref": "#/definitions/TLS", "description": "how to encrypt"},
                "more": {"type": "array", "items": {"$ref": "#/definitions/TLS"}},
            },
        },
        "TLS": {
            "type": "object",
            "description": "keys",
            "properties": {"cert": {"type": "string", "default": {"$ref": "data"}}},
        },
    },
}


def test_what_lies_behind_references_is_put_in_place():
    before = json.dumps(REFLECTED)
    cert = {"cert": {"type": "string", "default": {"$ref": "data"}}}
    assert resolve_schema(REFLECTED) == {
        "$schema": "http://json-schema.org/draft-04/schema#",
        "type": "object",
        "required": ["tls"],
        "properties": {
            "tls": {
                "type": "object",
                "description": "how to encrypt",
                "properties": cert,
            },
            "more": {
                "type": "array",
                "items": {
                    "type": "object",
                    "description": "keys",
                    "properties": cert,
                },
            },
        },
    }
    assert json.dumps(REFLECTED) == before


@pytest.mark.parametrize(
    ("reference", "found"),
    [
        ("#/$defs/a~1b%20c", {"type": "integer"}),
        ("#/$defs/list/anyOf/1", {"type": "null"}),
        ("#/$defs/chain", {"type": "integer"}),
        ("#/$defs/nowhere", {"$ref": "#/$defs/nowhere"}),
        ("#/$defs/list/anyOf/9", {"$ref": "#/$defs/list/anyOf/9"}),
        ("other.json#/a", {"$ref": "other.json#/a"}),
        ("#/$defs/round", {"$ref": "#/$defs/trip"}),
        ("#", {"$ref": "#"}),
    ],
)
def test_each_kind_of_reference(reference, found):
    schema = {
        "properties": {"it": {"$ref": reference}},
        "$defs": {
            "a/b c": {"type": "integer"},
            "list": {"anyOf": [{}, {"type": "null"}]},
            "chain": {"$ref": "#/$defs/a~1b%20c"},
            "round": {"$ref": "#/$defs/trip"},
            "trip": {"$ref": "#/$defs/round"},
        },
    }
    resolved = resolve_schema(schema)["properties"]["it"]
    if reference == "#/$defs/round":
        assert resolved["$ref"] in ("#/$defs/trip", "#/$defs/round")
    else:
        assert resolved == found


def test_a_tree_is_shown_once():
    node = {
        "properties": {
            "name": {"type": "string"},
            "children": {"items": {"$ref": "#/definitions/Node"}},
        }
    }
    schema = {"$ref": "#/definitions/Node", "definitions": {"Node": node}}
    assert resolve_schema(schema) == node


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "schema",
    [
        pytest.param(
            {
                "$ref": "#/$defs/n0",
                "$defs": {
                    f"n{i}": {
                        "properties": {
                            side: {"$ref": f"#/$defs/n{i + 1}"} for side in "ab"
                        }
                    }
                    for i in range(200)
                },
            },
            id="doubling",
        ),
        pytest.param(
            {
                "$ref": "#/$defs/n0",
                "$defs": {f"n{i}": {"$ref": f"#/$defs/n{i + 1}"} for i in range(5000)},
            },
            id="chain",
        ),
        pytest.param(
            {
                "$defs": {"wide": {str(i): 1 for i in range(50_000)}},
                "properties": {str(i): {"$ref": "#/$defs/wide"} for i in range(5_000)},
            },
            id="wide",
        ),
    ],
)
def test_hostile_schemas_stay_small(schema):
    begun = time.perf_counter()
    resolved = resolve_schema(schema)
    assert time.perf_counter() - begun < 5
    assert "$defs" in resolved  # something still refers to them
    keys = 0
    waiting = [({k: v for k, v in resolved.items() if k != "$defs"}, 0)]
    while waiting:
        node, depth = waiting.pop()
        assert depth < 200
        keys += len(node)
        waiting += [(v, depth + 1) for v in node.values() if isinstance(v, dict)]
    assert keys < 200_000
