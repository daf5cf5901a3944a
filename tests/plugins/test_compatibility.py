"""Which plugins Falco itself does not load, and how that is told."""

from __future__ import annotations

import re
import shutil
import warnings

import pytest

import workbench as wb
from workbench.__main__ import main
from workbench.manifest import Manifest


@pytest.fixture
def old_plugin(legacy, tmp_path):
    """Give a plugin of API 2.0, as a copy: every path is told of once."""
    return shutil.copy(legacy("2_0"), tmp_path / "libold.so")


REFUSAL = "Falco 0.44.1 does not load this plugin: API 2.0, it needs 3.x"


def test_a_plugin_that_falco_does_not_load_is_told_of_once(old_plugin):
    path = old_plugin
    manifest = wb.inspect(path)
    assert (manifest.falco_refusal, manifest.complaints) == (REFUSAL, [])
    assert REFUSAL in repr(manifest)
    with (
        pytest.warns(UserWarning, match=f"legacy_2_0: {re.escape(REFUSAL)}"),
        wb.load(path) as loaded,
    ):
        assert len(loaded.capture("5")) == 5
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with wb.load(path) as again, wb.Workbench() as bench:
            assert bench.load(path).fields == again.fields


@pytest.mark.parametrize(
    ("version", "needs"),
    [
        ("3.0.0", ""),
        ("3.12.0", ""),
        ("3.13.0", "API 3.13, it needs at most 3.12"),
        ("4.0.0", "API 4.0, it needs 3.x"),
        ("0.3.0", "API 0.3, it needs 3.x"),
        ("", ""),
    ],
)
def test_falco_loads_plugins_of_its_major_api_up_to_its_own(version, needs):
    found = Manifest("x.so", required_api_version=version).falco_refusal
    assert found == (
        f"Falco 0.44.1 does not load this plugin: {needs}" if needs else ""
    )


def test_the_command_line_tells_of_it_and_is_strict_on_wish(
    old_plugin, tmp_path, capfd
):
    path = str(old_plugin)
    assert main(["inspect", path]) == 0
    out, err = capfd.readouterr()
    assert (out.count(REFUSAL), err) == (1, "")
    rules = tmp_path / "r.yaml"
    rules.write_text(
        "- rule: one\n  desc: d\n  condition: evt.num = 1\n  output: o\n"
        "  priority: INFO\n  source: legacy_2_0\n"
    )
    assert main(["validate", str(rules), "--plugin", path]) == 0
    assert capfd.readouterr().err == f"workbench: legacy_2_0: {REFUSAL}\n"
    path = str(shutil.copy(path, tmp_path / "libagain.so"))
    words = ["run", "--plugin", path, "-r", str(rules), "--quiet", "--open", "3"]
    assert main(words) == 0
    out, err = capfd.readouterr()
    assert "one: 1" in out
    assert err == f"workbench: legacy_2_0: {REFUSAL}\n"
    assert main([*words, "--strict"]) == 1
    out, err = capfd.readouterr()
    assert (out, err) == ("", f"workbench: legacy_2_0: {REFUSAL}\n")
