from __future__ import annotations

import warnings

import pytest

from workbench.errors import PluginInitError
from workbench.manifest import Manifest
from workbench.plugins.init_config import config_text, prepare_config

SCHEMA = {
    "type": "object",
    "required": ["path"],
    "additionalProperties": False,
    "properties": {
        "path": {"type": "string", "description": "file to read"},
        "speed": {"type": "integer", "minimum": 1, "maximum": 9},
        "mode": {"enum": ["fast", "safe"]},
        "tags": {"type": "array", "items": {"type": "string"}},
    },
}


def refused(config, schema=SCHEMA):
    with pytest.raises(PluginInitError) as caught:
        prepare_config(Manifest("x.so", name="demo", init_schema=schema), config)
    return caught.value


def test_a_dict_becomes_compact_json_in_the_given_order():
    assert config_text({"b": 1, "a": [1, "ü"]}) == '{"b":1,"a":[1,"ü"]}'


def test_text_goes_verbatim_and_none_is_empty():
    assert config_text(" {x} ") == " {x} "
    assert config_text(None) == ""


@pytest.mark.parametrize("config", ["a\0b", {"a": float("nan")}])
def test_what_cannot_travel_is_a_value_error(config):
    with pytest.raises(ValueError):
        config_text(config)


def test_a_list_is_a_type_error():
    with pytest.raises(TypeError, match="a dict, a text or None, not a list"):
        config_text([1])


def test_without_a_schema_everything_passes_verbatim():
    assert prepare_config(Manifest("x.so"), "not json") == "not json"
    assert prepare_config(Manifest("x.so"), None) == ""


def test_with_a_schema_the_empty_config_becomes_an_empty_object():
    plain = Manifest("x.so", init_schema={"type": "object"})
    assert prepare_config(plain, None) == "{}"
    assert prepare_config(plain, "") == "{}"


def test_with_a_schema_the_text_itself_is_kept():
    text = '{ "path" : "x" }'
    assert prepare_config(Manifest("x.so", init_schema=SCHEMA), text) == text


def test_blank_text_is_not_json():
    error = refused("  ")
    assert "not valid JSON" in error.message
    assert error.config_path == "<root>"


@pytest.mark.parametrize(
    ("config", "path", "words"),
    [
        ({"path": 5}, '["path"]', ["5", "string", "file to read"]),
        ({"path": "x", "speed": 0}, '["speed"]', ["minimum 1", "maximum 9"]),
        ({"path": "x", "mode": "slow"}, '["mode"]', ["fast", "safe"]),
        ({"path": "x", "tags": ["a", 2]}, '["tags"][1]', ["2", "string"]),
        ({"path": "x", "pth": 1}, "<root>", ["pth", "keys path, speed, mode, tags"]),
        ({}, "<root>", ["path", "required"]),
        ("[]", "<root>", ["object"]),
        ('{"path": NaN}', "<root>", ["NaN is no JSON value"]),
    ],
)
def test_a_misfit_names_its_place_and_what_is_allowed(config, path, words):
    error = refused(config)
    assert error.config_path == path
    assert error.plugin == "demo"
    for word in words:
        assert word in error.message


def test_every_misfit_is_listed():
    error = refused({"path": 1, "speed": 99, "mode": "slow"})
    assert error.message.count("In [") == 3


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "nonsense"},
        {"$ref": "https://example.invalid/schema.json"},
        {"$ref": "#"},
        {"properties": {"path": {"$ref": "#/nowhere"}}},
    ],
)
def test_a_broken_schema_is_the_plugins_fault_and_nothing_is_fetched(schema):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        error = refused({"path": 1}, schema)
    assert "fault of the plugin" in error.message
