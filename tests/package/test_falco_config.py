from __future__ import annotations

import pytest

import workbench as wb
from workbench.errors import PluginOpenError, WorkbenchError
from workbench.falco_config import AppendedOutput, read_falco_yaml


@pytest.fixture
def config(tmp_path):
    def read(text, **options):
        path = tmp_path / "falco.yaml"
        path.write_text(text)
        return read_falco_yaml(path, **options)

    return read


def test_everything_that_matters_is_read(config, monkeypatch):
    monkeypatch.setenv("WHERE", "/rules")
    found = config("""\
plugins:
  - {name: a, library_path: /l/a.so, init_config: {b: 1, a: "2", c: [x]}, open_params: " p "}
  - {name: b, library_path: /l/b.so, init_config: text}
load_plugins: [b, a]
rules_files: ["${WHERE}/a.yaml", "$${x}"]
rules:
  - disable: {rule: "*"}
  - enable: {tag: good}
priority: Notice
rule_matching: all
json_output: yes
json_include_message_property: true
json_include_tags_property: "off"
time_format_iso_8601: true
append_output:
  - match: {source: s, tags: [t]}
    extra_output: "x=%a.b"
    extra_fields: [evt.num, {k: "%a.c"}]
  - suggested_output: true
static_fields: {site: here}
""")
    assert [(p.name, p.init_config, p.open_params) for p in found.plugins] == [
        ("b", "text", ""),
        ("a", '{"a":2,"b":1,"c":["x"]}', "p"),
    ]
    assert found.rules_files == ["/rules/a.yaml", "${x}"]
    assert found.switches == [(False, "rule", "*"), (True, "tag", "good")]
    assert (found.priority, found.rule_matching) == ("Notice", "all")
    assert found.json_output
    assert found.json_include_message
    assert not found.json_include_tags
    assert found.time_iso
    assert found.appended == [
        AppendedOutput(
            source="s",
            tags=frozenset(["t"]),
            output="x=%a.b",
            fields=(("evt.num", None), ("k", "%a.c")),
        ),
        AppendedOutput(suggested=True),
    ]
    assert found.static_fields == {"site": "here"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("plugins: [{name: a}]", "line 1, column 11: .*needs library_path"),
        ("load_plugins: [a]", "Cannot load plugin 'a'"),
        ("rule_matching: some", "unknown rule_matching"),
        ("json_output: maybe", "json_output is true or false"),
        ("- a", "not a mapping"),
        ("a: [", "end of sequence flow not found"),
        (
            "plugins: [{name: a, library_path: ../../etc/x}]",
            "resolves outside the plugins directory",
        ),
    ],
)
def test_faults_are_told_with_their_place(config, text, message):
    with pytest.raises(WorkbenchError, match=message):
        config(text)


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(WorkbenchError, match="Could not find configuration file"):
        read_falco_yaml(tmp_path / "none.yaml")


def test_relative_libraries_begin_in_the_plugin_directory(config, tmp_path):
    text = "plugins: [{name: a, library_path: x/a.so}]"
    assert config(text).plugins[0].library_path == "/usr/share/falco/plugins/x/a.so"
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "a.so").touch()
    beside = config(text)
    assert beside.plugins[0].library_path == str(tmp_path / "x" / "a.so")
    assert "Falco looks for /usr/share/falco/plugins/x/a.so" in beside.notes[0]
    asked = config(text, plugin_dir=tmp_path / "other")
    assert asked.plugins[0].library_path == str(tmp_path / "other" / "x" / "a.so")
    assert "--plugin-dir" in asked.notes[0]
    found = config(text, plugin_dir=tmp_path)
    assert found.plugins[0].library_path == str(tmp_path / "x" / "a.so")
    assert not found.notes


def test_plugins_are_written_and_loaded_again(sample, tmp_path):
    library = sample("weblog")
    with wb.Workbench() as bench:
        bench.load(library, config={"error_status": 500})
        bench.default_params["weblog"] = "a ${b}: 'c'"
        text = bench.to_falco_yaml()
    path = tmp_path / "falco.yaml"
    path.write_text(text)
    with wb.Workbench.from_falco_yaml(path) as bench:
        assert bench.sources == ["weblog"]
        assert bench.default_params == {"weblog": "a ${b}: 'c'"}
        assert bench.to_falco_yaml() == text


def test_a_name_that_is_not_the_plugins_own_is_told(sample, tmp_path):
    path = tmp_path / "falco.yaml"
    path.write_text(f"plugins: [{{name: log, library_path: '{sample('weblog')}'}}]\n")
    with pytest.raises(PluginOpenError, match="write 'name: weblog'"):
        wb.Workbench.from_falco_yaml(path)


def test_unknown_keys_are_noted_with_their_line(config, tmp_path):
    found = config("""\
engine: {kind: nodriver}
json_ouput: true
rules:
  - disable: {rule: x, tags: [y]}
append_output:
  - match: {rules: x}
    extra_ouput: x
"\\e[31m": 1
""")
    path = tmp_path / "falco.yaml"
    closed = (
        "Object contains a property that could not be validated using 'properties' or "
        "'additionalProperties' constraints: "
    )
    verdict = f"failed for <root>[append_output][0][match]: {closed}'rules'."
    assert found.schema == verdict
    assert config("json_ouput: 1").schema == f"failed for <root>: {closed}'json_ouput'."
    assert config("json_output: true").schema == "ok"
    first, *rest = found.notes
    assert first == f"{path} | schema validation: {verdict}"
    assert [note.removeprefix(f"{path}:") for note in rest] == [
        "2: unknown key 'json_ouput' is ignored; did you mean 'json_output'?",
        "8: unknown key '\\x1b[31m' is ignored",
        "4: unknown key 'tags' in rules.disable is ignored; did you mean 'tag'?",
        (
            "7: unknown key 'extra_ouput' in append_output is ignored; did you mean "
            "'extra_output'?"
        ),
        "6: unknown key 'rules' in append_output.match is ignored; did you mean 'rule'?",
    ]
    many = config("".join(f"k{i}: 1\n" for i in range(1000)))
    assert len(many.notes) == 22
