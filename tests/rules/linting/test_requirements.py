from __future__ import annotations

import pytest

import workbench as wb
from workbench.rules import Rule, load_rules, parse_rules
from workbench.rules.linting.requirements import header_yaml
from workbench.yamlcpp import SourceText, load_documents, plain_json


def weblog_rule(condition, output="o"):
    return Rule(
        name=f"r {condition}",
        condition=condition,
        output=output,
        priority="INFO",
        source="weblog",
        desc="d",
    )


@pytest.mark.parametrize(
    ("condition", "output", "engine"),
    [
        ("weblog.status = 400", "o", "0.31.0"),
        ("tolower(weblog.path) = a", "o", "0.43.0"),
        ("weblog.status = 400", "%len(weblog.path)", "0.46.0"),
        ("weblog.path startswith anyof (a, b)", "o", "0.62.0"),
    ],
)
def test_saving_names_what_the_rules_really_need(
    sample, tmp_path, condition, output, engine
):
    with wb.Workbench() as bench:
        bench.load(sample("weblog"))
        rules = parse_rules("").add(weblog_rule(condition, output))
        path = rules.save(tmp_path / "r.yaml", against=bench)
        text = path.read_text()
        assert f"- required_engine_version: {engine}\n" in text
        version = bench.plugins["weblog"].info.version
        assert f"- name: weblog\n      version: {version}\n" in text
        again = load_rules(path)
        assert not again.check(bench)
        assert again.rules == rules.rules
        again_path = again.save(tmp_path / "s.yaml", whole=True, against=bench)
        assert again_path.read_text() == text


def test_plugins_that_are_not_used_are_not_required(sample, tmp_path):
    with wb.Workbench() as bench:
        bench.load(sample("weblog"))
        bench.load(sample("json_extract", "libjson_extract_all.so"))
        rules = parse_rules("").add(weblog_rule("weblog.status = 400"))
        text = rules.save(tmp_path / "r.yaml", against=bench).read_text()
    assert text.count("- name: ") == 1


def test_an_unmet_plugin_requirement_is_told(target):
    text = (
        "- required_plugin_versions:\n"
        "    - name: other\n      version: 1.0.0\n"
        "      alternatives:\n        - name: tplug\n          version: 1.3.0\n"
    )
    (found,) = parse_rules(text).check(target)
    assert found.code == "plugin-requirement"
    assert "'1.2.3' is not compatible" in found.message


def test_requirements_are_written():
    assert header_yaml({"weblog": "1.0.0"}, (0, 31, 0)) == (
        "- required_engine_version: 0.31.0\n\n- required_plugin_versions:\n"
        "    - name: weblog\n      version: 1.0.0\n"
    )


def test_a_version_that_is_more_than_a_version_is_quoted():
    text = header_yaml({"odd": "1.0.0\n- rule: x", "short": "1.0"}, None)
    (requirement,) = load_documents(SourceText(text.encode()))
    assert plain_json(requirement) == [
        {
            "required_plugin_versions": [
                {"name": "odd", "version": "1.0.0\n- rule: x"},
                {"name": "short", "version": "1.0"},
            ]
        }
    ]
