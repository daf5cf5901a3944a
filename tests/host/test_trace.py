"""The trace of a plugin is whole: from dlopen to destroy, for every layout of the API."""

from __future__ import annotations

import pytest

import workbench as wb

FAMILIES = {
    "0.1": ("old", {"FAMILY": 1, "API": '"0.1.0"', "PREFIX": '"old"'}),
    "0.3": ("old", {"FAMILY": 2, "API": '"0.3.0"', "PREFIX": '"old"'}),
    "2.0": ("old", {"FAMILY": 3, "API": '"2.0.0"', "PREFIX": '"old"'}),
    "3.x": ("probe", {}),
}


@pytest.mark.parametrize("isolation", ["process", "none"])
@pytest.mark.parametrize("family", FAMILIES)
def test_the_trace_goes_from_dlopen_to_destroy(plugin, family, isolation):
    name, definitions = FAMILIES[family]
    loaded = wb.load(plugin(name, **definitions), isolation=isolation)
    loaded.capture("n=3" if name == "probe" else "")
    loaded.close()
    calls = [call.function for call in loaded.trace]
    assert calls[0] == "dlopen"
    assert calls[1] == "plugin_get_required_api_version"
    assert calls[-1] == "plugin_destroy"
    of_plugin = {call.plugin for call in loaded.trace}
    assert of_plugin == {loaded.name}
    order = [
        "plugin_get_required_api_version",
        "plugin_get_name",
        "plugin_get_fields",
        "plugin_init",
        "plugin_open",
        "plugin_extract_fields",
        "plugin_close",
        "plugin_destroy",
    ]
    assert [c for c in dict.fromkeys(calls) if c in order] == order


def test_calls_of_a_reopened_source_stay_in_order(plugin):
    with wb.load(plugin("probe")) as loaded:
        loaded.capture("n=3")
        loaded.capture("n=3")
        calls = [call.function for call in loaded.trace]
    assert calls.count("plugin_open") == calls.count("plugin_close") == 2
    assert calls[-1] == "plugin_close"


def test_what_a_plugin_prints_in_destroy_is_kept(plugin):
    loaded = wb.load(plugin("probe", DESTROY_WORDS='"the last words"'))
    loaded.close()
    assert [line.message for line in loaded.log][-1] == "the last words"
