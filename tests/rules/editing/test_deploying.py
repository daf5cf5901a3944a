"""What deploys rules holds them to the byte, for every reader of YAML."""

from __future__ import annotations

import re

import pytest
import yaml

import workbench as wb
from workbench.yamlcpp import SourceText, load_documents

RULE = """# A comment that stays
- rule: Server error
  desc: "The server: failed"
  condition: weblog.status >= 500 and weblog.path != "C:\\\\x"
  output: failed (%weblog.path)
  priority: ERROR
  source: weblog
"""
TEXTS = {
    "plain": RULE,
    "no-line-end": RULE.rstrip("\n"),
    "blank-lines": RULE + "\n\n\n",
    "trailing-blanks": RULE.replace("priority: ERROR", "priority: ERROR   "),
    "tabs": RULE.replace("# A", "#\tA"),
    "umlauts": RULE.replace("failed", "scheiterte für é ✓"),
    "helm-braces": RULE.replace("The server", "{{ .Values.x }}"),
    "carriage": RULE.replace("\n", "\r\n"),
    "blank-first": "\n  \n" + RULE,
    "documents": "---\n" + RULE + "---\n- macro: m\n  condition: (weblog.status = 1)\n",
}


def read_by_yaml_cpp(path):
    """Give keys and texts of a document, as the engine's YAML reader has them."""

    def value(node):
        if node.kind == "mapping":
            return {key.text: value(inner) for key, inner in node.pairs}
        return node.text

    (document,) = load_documents(SourceText(path.read_bytes(), str(path)))
    return value(document)


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
@pytest.mark.parametrize("form", ["helm", "configmap"])
def test_the_text_inside_is_that_of_the_rules(tmp_path, text, form):
    rules = wb.parse_rules(text, "web_rules.yaml")
    path = rules.save(tmp_path / "My_Rules.v1.yaml", form=form)
    for found in (yaml.safe_load(path.read_text("utf-8")), read_by_yaml_cpp(path)):
        if form == "helm":
            assert found == {"customRules": {"web_rules.yaml": rules.to_yaml()}}
        else:
            assert found == {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {"name": "my-rules.v1"},
                "data": {"web_rules.yaml": rules.to_yaml()},
            }


def test_loaded_and_changed_rules_are_deployed_whole(tmp_path):
    own = tmp_path / "web_rules.yaml"
    own.write_text(RULE)
    rules = wb.load_rules(own)
    rules.add("- macro: more\n  condition: (weblog.status = 404)\n")
    path = rules.save(tmp_path / "values.yaml", form="helm")
    ((name, text),) = yaml.safe_load(path.read_text())["customRules"].items()
    again = wb.parse_rules(text, name)
    assert list(again.rules) == list(rules.rules)
    assert list(again.macros) == list(rules.macros)
    assert not again.check().errors
    # it is still not saved as rules
    with pytest.raises(wb.WorkbenchError, match="save them first"):
        _ = rules.saved_paths


def test_a_falco_yaml_loads_the_same_rules_and_plugins(tmp_path, sample):
    own = tmp_path / "web_rules.yaml"
    own.write_text(RULE)
    rules = wb.load_rules(own)
    with wb.Workbench() as workbench:
        plugin = workbench.load(sample("weblog"))
        path = rules.save(tmp_path / "falco.yaml", form="falco", against=workbench)
        again = wb.RuleSet.from_falco_yaml(path)
        assert list(again.rules) == list(rules.rules)
        with wb.Workbench.from_falco_yaml(path) as other:
            assert list(other.plugins) == [plugin.info.name]


def test_the_header_comes_first(tmp_path, sample):
    with wb.load(sample("weblog")) as plugin:
        rules = wb.parse_rules(RULE)
        path = rules.save(tmp_path / "v.yaml", form="helm", against=plugin)
    (text,) = yaml.safe_load(path.read_text())["customRules"].values()
    assert re.search(r"required_plugin_versions:\s+- name: weblog", text)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"form": "terraform"}, "form must be one of rules, helm, configmap, falco"),
        ({"form": 5}, "form must be a text"),
        ({"form": "falco"}, "against must be the Workbench"),
    ],
)
def test_other_forms_are_refused(tmp_path, options, message):
    with pytest.raises(wb.ArgumentError, match=message):
        wb.parse_rules(RULE).save(tmp_path / "x.yaml", **options)
    assert not (tmp_path / "x.yaml").exists()


def test_what_kubernetes_refuses_is_not_written(tmp_path):
    target = tmp_path / "x.yaml"
    large = wb.parse_rules(RULE + "# " + "x" * (1 << 20) + "\n")
    with pytest.raises(wb.RulesError, match="a ConfigMap holds 1,048,576 at most"):
        large.save(target, form="configmap")
    odd = wb.parse_rules(RULE.encode() + b"# \xff\n")
    with pytest.raises(wb.RulesError, match="not UTF-8"):
        odd.save(target, form="helm", force=True)
    with pytest.raises(wb.RulesError, match="Falco would refuse"):
        wb.parse_rules("- rule: x\n").save(target, form="helm")
    assert not target.exists()


def test_the_rules_themselves_are_not_overwritten(tmp_path):
    own = tmp_path / "web_rules.yaml"
    own.write_text(RULE)
    with pytest.raises(wb.WorkbenchError, match="give another name"):
        wb.load_rules(own).save(own, form="helm")
    assert own.read_text() == RULE
