"""Validation by a stranger's schema: the same verdicts, in bounded time."""

from __future__ import annotations

import time

import pytest

from workbench.errors import PluginInitError
from workbench.manifest import Manifest
from workbench.plugins.init_config import prepare_config
from workbench.schemas.validating import UnusableSchemaError, schema_errors


def messages(schema, value):
    return [error.message for error in schema_errors(schema, value)]


@pytest.mark.parametrize(
    ("schema", "value", "expected"),
    [
        ({"pattern": "^a+$"}, "aaa", []),
        ({"pattern": "b"}, "aaa", ["'aaa' does not match 'b'"]),
        ({"pattern": "b"}, 5, []),
        ({"pattern": "(?=x)y"}, "anything", []),
        (
            {"patternProperties": {"^n": {"type": "integer"}}},
            {"n1": "x", "m": "y"},
            ["'x' is not of type 'integer'"],
        ),
        (
            {"patternProperties": {"^n": {}}, "additionalProperties": False},
            {"n1": 1, "m": 2, "l": 3},
            ["Additional properties are not allowed ('l', 'm' were unexpected)"],
        ),
        (
            {"patternProperties": {"^(?!n)": {}}, "additionalProperties": False},
            {"m": 2},
            [],
        ),
        (
            {"additionalProperties": {"type": "null"}, "properties": {"a": True}},
            {"a": 1, "b": 2},
            ["2 is not of type 'null'"],
        ),
        ({"additionalProperties": False}, [1], []),
    ],
)
def test_keywords_with_patterns(schema, value, expected):
    assert messages(schema, value) == expected


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"properties": {"a": {"enum": [1, 2], "type": "integer"}}}, {"a": 3}),
        ({"anyOf": [{"type": "string"}, {"minimum": 3}]}, 1),
        ({"required": ["a", "b"], "additionalProperties": False}, {"c": 1}),
        ({"patternProperties": {"^x": {"minLength": 2}}}, {"xa": "1", "xb": "22"}),
        ({"items": [{"type": "null"}], "additionalItems": False}, [1, 2]),
        ({"definitions": {"d": {"const": 1}}, "not": {"$ref": "#/definitions/d"}}, 1),
        ({"dependencies": {"a": ["b"]}, "propertyNames": {"pattern": "^a"}}, {"a": 1}),
    ],
)
def test_the_errors_are_those_of_the_plain_validator(schema, value):
    from jsonschema import Draft7Validator

    def told(errors):
        return sorted((e.message, list(e.absolute_path), e.validator) for e in errors)

    expected = told(Draft7Validator(schema).iter_errors(value))
    assert expected
    assert told(schema_errors(schema, value)) == expected


DOUBLING = {
    "$ref": "#/definitions/n0",
    "definitions": {
        **{
            f"n{i}": {"allOf": [{"$ref": f"#/definitions/n{i + 1}"}] * 2}
            for i in range(40)
        },
        "n40": {},
    },
}


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    ("schema", "value", "words"),
    [
        pytest.param(DOUBLING, {}, "more than", id="references that double"),
        pytest.param(
            {"$schema": "http://json-schema.org/draft-07/schema#", **DOUBLING},
            {},
            "more than",
            id="with a dialect named",
        ),
        pytest.param({"$ref": "#"}, {}, "without end", id="a circle"),
        pytest.param(
            {"properties": {"a": {"$ref": "https://example.invalid/x"}}},
            {"a": 1},
            "Unresolvable",
            id="another document",
        ),
        pytest.param({"pattern": "("}, "x", "missing )", id="a broken pattern"),
        pytest.param({"type": "nonsense"}, {}, "nonsense", id="no such type"),
        pytest.param({"type": "x" * 100_000}, {}, "…", id="a long type"),
        pytest.param(
            {"allOf": [{"properties": {str(i): {} for i in range(100_000)}}] * 1000},
            {},
            "more than",
            id="wide",
        ),
    ],
)
def test_a_schema_that_cannot_decide_says_so_soon(schema, value, words):
    begun = time.perf_counter()
    with pytest.raises(UnusableSchemaError) as caught:
        schema_errors(schema, value)
    assert time.perf_counter() - begun < 20
    assert words in str(caught.value)
    assert len(str(caught.value)) < 3000


@pytest.mark.timeout(20)
def test_a_pattern_that_explodes_elsewhere_is_linear():
    schema = {"properties": {"a": {"pattern": "^(a+)+$"}}}
    begun = time.perf_counter()
    assert len(schema_errors(schema, {"a": "a" * 50_000 + "b"})) == 1
    assert time.perf_counter() - begun < 5


def test_errors_are_bounded_in_number():
    schema = {"items": {"type": "null"}}
    assert len(schema_errors(schema, [1] * 5000)) == 1000


@pytest.mark.timeout(60)
@pytest.mark.parametrize("schema", [DOUBLING, {"pattern": "(", "$ref": "#"}])
def test_loading_with_such_a_schema_is_the_plugins_fault(schema):
    with pytest.raises(PluginInitError, match="fault of the plugin"):
        prepare_config(Manifest("x.so", name="demo", init_schema=schema), {"a": 1})


def test_a_message_of_loading_is_bounded():
    schema = {"properties": {"a": {"enum": ["x" * 50] * 10_000}}}
    with pytest.raises(PluginInitError) as caught:
        prepare_config(Manifest("x.so", name="demo", init_schema=schema), {"a": 1})
    assert len(str(caught.value)) < 5000
