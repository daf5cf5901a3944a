from __future__ import annotations

import json
from pathlib import Path

import pytest

from workbench.__main__ import main


@pytest.fixture
def standin(plugin):
    return str(plugin("standin", SCHEMA=True, SOURCE='"probe"', ID=999))


SAMPLES = Path(__file__).resolve().parents[2] / "sample_plugins"

BROKEN = """\
- rule: A
  desc: d
  condition: probe.num = 1
  output: x %probe.nosuch
  priority: WARN
  source: probe
- macro: unused
  condition: evt.num =
"""


def test_validate_shows_every_mistake_and_falcos_json(standin, tmp_path, capfd):
    path = tmp_path / "b.yaml"
    path.write_text(BROKEN)
    assert main(["validate", str(path), "--plugin", standin]) == 1
    out = capfd.readouterr().out
    for place in ("3:14", "4:13", "5:13", "8:23"):
        assert f"b.yaml:{place}: error" in out
    assert out.startswith(f"{path}: Invalid\n")
    assert main(["validate", str(path), "--plugin", standin, "--json"]) == 1
    (result,) = json.loads(capfd.readouterr().out)["falco_load_results"]
    assert result["successful"] is False
    assert result["schema_valid"] is False
    assert {e["code"] for e in result["errors"]} == {
        "LOAD_ERR_YAML_VALIDATE",
        "LOAD_ERR_COMPILE_CONDITION",
        "LOAD_ERR_COMPILE_OUTPUT",
    }


def test_validate_knows_the_wrong_source_of_the_guide(sample, capfd, tmp_path):
    library = sample("dummy_c")
    path = tmp_path / "guide.yaml"
    text = (SAMPLES / "dummy_c" / "dummy_c_rules.yaml").read_text()
    path.write_text(text.replace("source: dummy_c", "source: dummy"))
    assert main(["validate", str(path), "--plugin", str(library)]) == 0
    out = capfd.readouterr().out
    assert "LOAD_UNKNOWN_SOURCE" in out
    assert "dummy_c" in out


def test_validate_tells_unmet_requirements(standin, tmp_path, capfd):
    path = tmp_path / "v.yaml"
    path.write_text("- required_plugin_versions: [{name: probe, version: 2.0.0}]\n")
    assert main(["validate", str(path), "--plugin", standin, "--json"]) == 1
    out, err = capfd.readouterr()
    assert json.loads(out)["falco_load_results"][0]["successful"] is False
    assert "not compatible with required plugin version '2.0.0'" in err
