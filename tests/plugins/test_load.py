from __future__ import annotations

import os
import shutil
import warnings
from pathlib import Path

import pytest

import workbench as wb
from workbench.fields.declarations import FieldInfo


def test_a_plugin_says_what_it_is(plugin, weblog):
    info = plugin.info
    assert (info.name, info.event_source) == ("weblog", "weblog")
    assert info.capabilities == ["sourcing", "extraction"]
    assert info.required_api_version.startswith("3.")
    assert info.extract_event_sources == ["weblog"]
    assert plugin.path == str(weblog)
    assert plugin.config == "{}"


def test_fields_are_a_mapping_in_declared_order(plugin):
    assert next(iter(plugin.fields)) == "weblog.client"
    field = plugin.fields["weblog.query"]
    assert isinstance(field, FieldInfo)
    assert field.type == "string"
    assert field.arg.key
    assert not field.arg.required
    assert list(plugin.fields.to_pandas()["name"]) == list(plugin.fields)
    assert plugin["weblog.status"].type == "uint64"


def test_inspecting_needs_no_init(faulty, monkeypatch):
    monkeypatch.setenv("FAULTY", "fail@init")
    manifest = wb.inspect(faulty)
    assert manifest.name == "faulty"
    assert manifest.complaints == []
    assert manifest.open_params is None
    with pytest.raises(wb.PluginInitError):
        wb.load(faulty)


def test_config_as_dict_and_as_text(weblog):
    with wb.load(weblog, config={"error_status": 500}) as plugin:
        assert plugin.config == '{"error_status":500}'
    with wb.load(weblog, config=' {"error_status" : 500}') as plugin:
        assert plugin.config == ' {"error_status" : 500}'


def test_a_config_that_does_not_fit_names_the_place_and_what_is_allowed(weblog):
    with pytest.raises(wb.PluginInitError) as caught:
        wb.load(weblog, config={"error_status": "many"})
    assert caught.value.config_path == '["error_status"]'
    assert "integer" in str(caught.value)
    assert caught.value.plugin == "weblog"


@pytest.mark.parametrize("config", ["{", "[1", "no json"])
def test_a_config_that_is_no_json_is_refused(weblog, config):
    with pytest.raises(wb.PluginInitError, match="not valid JSON"):
        wb.load(weblog, config=config)


def test_the_plugins_own_words_are_in_the_init_error(legacy):
    with pytest.raises(wb.PluginInitError) as caught:
        wb.load(legacy("3_0"), config="not a number")
    assert caught.value.last_error
    assert caught.value.last_error in str(caught.value)


@pytest.mark.parametrize("generation", ["draft", "0_1", "0_3", "1_0", "2_0", "3_0"])
@pytest.mark.parametrize("isolation", ["process", "none"])
def test_every_generation_of_the_api_loads(legacy, generation, isolation):
    with wb.load(legacy(generation), isolation=isolation) as plugin:
        events = plugin.capture("3")
        column = next(iter(plugin.fields))
        assert events.frame[column].tolist() == [1, 2, 3] or len(events) == 3
        assert events.frame["evt.num"].tolist() == [1, 2, 3]


# -- bad input -------------------------------------------------------------------------


def damaged(tmp_path, weblog, kind):
    path = tmp_path / "x.so"
    if kind == "missing":
        return tmp_path / "nowhere" / "x.so"
    if kind == "folder":
        path.mkdir()
    elif kind == "text":
        path.write_text("hello\n")
    elif kind == "empty":
        path.touch()
    elif kind == "dangling":
        path.symlink_to(tmp_path / "gone.so")
    elif kind == "truncated":
        path.write_bytes(weblog.read_bytes()[:5000])
    elif kind == "architecture":
        data = bytearray(weblog.read_bytes())
        data[18:20] = (243).to_bytes(2, "little")
        path.write_bytes(data)
    elif kind == "not a plugin":
        import _ctypes

        return _ctypes.__file__
    return path


KINDS = (
    "missing",
    "folder",
    "text",
    "empty",
    "dangling",
    "truncated",
    "architecture",
    "not a plugin",
)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_no_plugin_is_a_load_error_and_the_next_call_works(
    tmp_path, weblog, kind
):
    path = damaged(tmp_path, weblog, kind)
    with pytest.raises(wb.PluginLoadError) as caught:
        wb.load(path)
    error = caught.value
    assert str(path) in str(error)
    assert error.complaints
    assert error.path == str(path)
    with wb.load(weblog) as plugin:
        assert plugin.name == "weblog"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_a_load_error(tmp_path, weblog):
    path = tmp_path / "x.so"
    shutil.copy(weblog, path)
    path.chmod(0)
    with pytest.raises(wb.PluginLoadError, match="permission"):
        wb.load(path)


@pytest.mark.crash
def test_a_library_that_crashes_in_its_constructor_is_reported(faulty, monkeypatch):
    monkeypatch.setenv("FAULTY", "segfault@dlopen")
    with pytest.raises(wb.PluginCrashed) as caught:
        wb.load(faulty)
    assert caught.value.signal == 11
    with pytest.raises(wb.PluginCrashed):
        wb.inspect(faulty)
    monkeypatch.delenv("FAULTY")
    with wb.load(faulty) as plugin:
        assert len(plugin.capture("events=3")) == 3


def test_isolation_is_one_of_two_words(weblog):
    with pytest.raises(ValueError, match='"process" or "none"'):
        wb.load(weblog, isolation="thread")


def test_config_of_another_kind_is_a_type_error(weblog):
    with pytest.raises(TypeError, match="dict, a text or None"):
        wb.load(weblog, config=[1])


# -- the end ---------------------------------------------------------------------------


def test_closing_twice_is_fine_and_using_it_then_says_so(weblog):
    plugin = wb.load(weblog)
    plugin.close()
    plugin.close()
    assert plugin.closed
    assert "(closed)" in repr(plugin)
    with pytest.raises(wb.WorkbenchError, match="closed; load it again"):
        plugin.capture()


def test_a_plugin_that_is_dropped_warns_and_ends_its_process(weblog):
    plugin = wb.load(weblog)
    pid = plugin.pool._sessions[0].session.pid
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        del plugin
    assert [w.category for w in caught] == [ResourceWarning]
    assert not Path(f"/proc/{pid}").exists()


# -- faces -----------------------------------------------------------------------------


def test_the_text_repr_says_what_to_do_next(plugin):
    text = repr(plugin)
    assert text.startswith("Plugin weblog ")
    assert "event source: weblog" in text
    assert "next: plugin.capture" in text


def test_the_html_repr_is_escaped(faulty, monkeypatch):
    monkeypatch.setenv("FAULTY", "html@get_description")
    with wb.load(faulty) as plugin:
        html = plugin._repr_html_()
        text = repr(plugin)
    assert "<script" not in html
    assert "<img" not in html
    assert "\x1b" not in text


def test_fields_complete_in_the_notebook(plugin):
    assert "weblog.path" in plugin._ipython_key_completions_()
    assert "weblog.path" in plugin.fields._ipython_key_completions_()
    assert "weblog.path" in repr(plugin.fields)


def test_the_trace_shows_the_lifecycle(plugin, access_log):
    plugin.capture(access_log, max_events=10)
    calls = [call.function for call in plugin.trace]
    assert calls.index("plugin_init") < calls.index("plugin_open")
    assert "plugin_close" in calls
    text = repr(plugin.trace)
    assert "plugin_open" in text
    assert "SUCCESS" in text
    assert "<table>" in plugin.trace._repr_html_()
    frame = plugin.trace.to_pandas()
    assert set(frame["plugin"]) == {"weblog"}


def test_a_manifest_shows_its_complaints(faulty, monkeypatch):
    monkeypatch.setenv("FAULTY", "badjson=6@get_fields")
    manifest = wb.inspect(faulty)
    text, html = repr(manifest), manifest._repr_html_()
    assert text.startswith("Manifest of faulty ")
    assert "1 complaint" in text
    assert manifest.complaints[0] in text
    assert "<ul>" in html
