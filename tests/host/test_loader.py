"""The real loader's rules, message by message; inspection never refuses."""

from __future__ import annotations

import json

import pytest

from workbench.errors import PluginLoadError

FIELD = {"type": "string", "name": "r.f", "desc": "d"}


def c_text(value) -> str:
    return json.dumps(value if isinstance(value, str) else json.dumps(value))


def fields(*entries) -> dict[str, object]:
    return {"FIELDS": c_text(list(entries)), "EXTRACT": True}


SOURCE = {"OPEN": True, "CLOSE": True, "NEXT": True}
GOOD = {**SOURCE, "ID": 5, "SOURCE": '"r"'}

# definitions of rules.c (API 3.12.0 unless given) → the complaints, in order
CASES: dict[str, tuple[dict[str, object], list[str]]] = {
    "no version": (
        {"API": None, "PARSE": True},
        ["plugin_get_required_api_version symbol not implemented"],
    ),
    "version is no version": (
        {"API": '"abc"', "PARSE": True},
        ["plugin provided an invalid required API version: 'abc'"],
    ),
    "version of two numbers": (
        {"API": '"3.0"', "PARSE": True},
        ["plugin provided an invalid required API version: '3.0'"],
    ),
    "version with a tail": ({"API": '"3.0.0-rc1"', "PARSE": True}, []),
    "another major": (
        {"API": '"4.0.0"', "PARSE": True},
        [
            (
                "plugin required API version '4.0.0' not compatible with the framework's "
                "API version '3.12.0': major versions disagree"
            )
        ],
    ),
    "newer minor": (
        {"API": '"3.13.0"', "PARSE": True},
        [
            (
                "plugin required API version '3.13.0' not compatible with the framework's "
                "API version '3.12.0': framework's minor is less than the requested one"
            )
        ],
    ),
    "newer patch": (
        {"API": '"3.12.1"', "PARSE": True},
        [
            (
                "plugin required API version '3.12.1' not compatible with the framework's "
                "API version '3.12.0': framework's patch is less than the requested one"
            )
        ],
    ),
    "older minor with a high patch": ({"API": '"3.4.99"', "PARSE": True}, []),
    "symbols missing": (
        {"NO_NAME": True, "NO_INIT": True, "PARSE": True},
        [
            "required symbol not implemented: 'get_name'",
            "required symbol not implemented: 'init'",
        ],
    ),
    "bad own version": (
        {"VERSION": '"1.2"', "PARSE": True},
        ["plugin provided an invalid version string: '1.2'"],
    ),
    "nothing it can do": ({}, ["plugin does not implement any capability"]),
    "get_fields alone": (
        {"FIELDS": c_text([FIELD])},
        ["plugin does not implement any capability"],
    ),
    "half a source": (
        {"OPEN": True, "NEXT": True, "PARSE": True},
        [
            (
                "broken plugin capabilities: must implement all of 'plugin_open', "
                "'plugin_close', and 'plugin_next_batch' (event sourcing)"
            )
        ],
    ),
    "id without source": (
        {**SOURCE, "ID": 5},
        [
            (
                "broken plugin capabilities: must implement both 'plugin_get_id' and "
                "'plugin_get_event_source' or neither (event sourcing)"
            )
        ],
    ),
    "id 0 with source": (
        {**SOURCE, "ID": 0, "SOURCE": '"r"'},
        [
            (
                "broken plugin capabilities: must implement both 'plugin_get_id' and "
                "'plugin_get_event_source' or neither (event sourcing)"
            )
        ],
    ),
    "raw source": (SOURCE, []),
    "several broken": (
        {"CLOSE": True, "EXTRACT": True, "HANDLER": True, "CAPTURE_OPEN": True},
        [
            (
                "broken plugin capabilities: must implement all of 'plugin_open', "
                "'plugin_close', and 'plugin_next_batch' (event sourcing), must implement "
                "both 'plugin_get_fields' and 'plugin_extract_fields' (field extraction), "
                "must implement both 'plugin_get_async_events' and "
                "'plugin_set_async_event_handler' (async events), must implement both "
                "'plugin_capture_open' and 'plugin_capture_close' (capture listening)"
            )
        ],
    ),
    "no field at all": (
        {**fields(), "API": '"3.0.0"'},
        [
            (
                "error in plugin rules: plugins with extraction capability must export "
                "at least one field"
            )
        ],
    ),
    "no field at all, before API 3": ({**fields(), "API": '"2.0.0"'}, []),
    "passive halves are ignored": (
        {"ASYNC_EVENTS": '"[]"', "CAPTURE_CLOSE": True, "PARSE": True},
        [],
    ),
    "reserved source": (
        {**SOURCE, "ID": 5, "SOURCE": '"syscall"'},
        ["plugin can't implement the reserved event source 'syscall'"],
    ),
    "fields null": (
        {"FIELDS": "0", "EXTRACT": True},
        ["error in plugin rules: get_fields returned a null string"],
    ),
    "fields no array": (
        {"FIELDS": '"{}"', "EXTRACT": True},
        ["error in plugin rules: get_fields returned an invalid JSON"],
    ),
    "fields empty": (
        {"FIELDS": '"[]"', "EXTRACT": True},
        [
            (
                "error in plugin rules: plugins with extraction capability must export at "
                "least one field"
            )
        ],
    ),
    "every bad field is named": (
        fields(
            {"name": "r.a", "desc": "d"},
            {"type": "string", "desc": "d"},
            {"type": "string", "name": "r.b"},
            {**FIELD, "type": "float"},
            {**FIELD, "isList": 1},
            {**FIELD, "addOutput": "x"},
            {**FIELD, "arg": {"isKey": 1}},
            {**FIELD, "arg": {"isRequired": True}},
            {**FIELD, "properties": "x"},
            {**FIELD, "properties": [{}]},
        ),
        [
            f"error in plugin rules: {text}"
            for text in (
                "field JSON entry has no type",
                "field JSON entry has no name",
                "field JSON entry has no desc",
                "invalid field type float",
                "field r.f isList property is not boolean ",
                "field r.f addOutput property is not boolean ",
                "field r.f isKey property is not boolean",
                "field r.f arg has isRequired true, but none of isKey nor isIndex is true",
                "properties property is not array ",
                "properties value is not string ",
            )
        ],
    ),
    "lenient JSON": (
        {
            "FIELDS": c_text(
                '// fields\n[{"type": "string", /* one */ "name": 5, "desc": "d",'
                ' "properties": null}] and more'
            ),
            "EXTRACT": True,
        },
        [],
    ),
    "extract sources no array": (
        {**fields(FIELD), "EXTRACT_SOURCES": '"x"'},
        [
            (
                "error in plugin rules: 'get_extract_event_sources' did not return a json "
                "array"
            )
        ],
    ),
    "async events NULL": (
        {"HANDLER": True, "ASYNC_EVENTS": "0"},
        [
            (
                "error in plugin rules: 'get_async_events' did not return a json array but "
                "it should"
            )
        ],
    ),
    "schema type": (
        {**GOOD, "SCHEMA": '"{}"', "SCHEMA_TYPE": 7},
        ["error in plugin rules: get_init_schema returned an unknown schema type 7"],
    ),
    "schema no object": (
        {**GOOD, "SCHEMA": '"[]"', "SCHEMA_TYPE": 1},
        ["error in plugin rules: get_init_schema did not return a json object"],
    ),
}


@pytest.fixture
def library(plugin, request):
    definitions, complaints = CASES[request.param]
    definitions = {"API": '"3.12.0"', **definitions}
    kept = {k: v for k, v in definitions.items() if v is not None}
    return plugin("rules", **kept), complaints


@pytest.mark.parametrize("library", CASES, indirect=True)
def test_the_loaders_words_and_inspection_beside_them(worker, library):
    path, complaints = library
    seen = worker.inspect(str(path))
    assert list(seen.complaints) == complaints
    assert seen.description == "d"
    if not complaints:
        worker.load(str(path))
        return
    with pytest.raises(PluginLoadError) as caught:
        worker.load(str(path))
    assert caught.value.complaints == complaints
    assert str(path) in caught.value.message
    assert all(text in caught.value.message for text in complaints)


def test_inspecting_never_initialises(worker, plugin):
    worker.inspect(str(plugin("probe")))
    calls = {call.function for call in worker.trace()}
    assert "plugin_get_fields" in calls
    assert not calls & {"plugin_init", "plugin_open", "plugin_destroy"}


def test_a_source_may_always_extract_from_itself(worker, plugin):
    path = plugin(
        "rules",
        API='"3.0.0"',
        EXTRACT_SOURCES=r'"[\"other\", \"\", 5]"',
        **GOOD,
        **fields(FIELD),
    )
    manifest = worker.inspect(str(path))
    assert list(manifest.extract_event_sources) == ["other", "5", "r"]


def test_fields_know_their_numbers(session, plugin):
    manifest = session.inspect(str(plugin("probe")))
    assert [manifest.fields.field_id(n) for n in manifest.fields] == list(range(19))


@pytest.mark.parametrize(
    ("second", "complaint"),
    [
        ({"PLUGIN_ID": 5}, "found another plugin with name probe. Aborting."),
        ({"PLUGIN_NAME": '"b"'}, "found another plugin with ID 999. Aborting."),
        ({"PLUGIN_NAME": '"b"', "PLUGIN_ID": 5}, None),
    ],
)
def test_plugins_beside_each_other(session, plugin, second, complaint):
    session.load(str(plugin("probe")))
    path = str(plugin("probe", **second))
    if complaint is None:
        session.load(path)
        return
    with pytest.raises(PluginLoadError) as caught:
        session.load(path)
    assert caught.value.complaints == [complaint]
