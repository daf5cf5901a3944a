from __future__ import annotations

import pytest

from workbench.authoring.builder import build_project
from workbench.authoring.scaffold import new_project
from workbench.errors import WorkbenchError
from workbench.paths import sample_plugins_dir
from workbench.rules.test_runs import run_file

LANGUAGES = [("c", None), ("cpp", "cpp"), ("go", "go"), ("python", None)]


@pytest.mark.parametrize(("language", "tool"), LANGUAGES)
def test_new_project_builds_at_once(tmp_path, require, language, tool):
    if tool:
        require(tool)
    new_project(tmp_path / "ticker", language=language)
    result = build_project(tmp_path / "ticker")
    assert result.library == tmp_path / "ticker" / "libticker.so"
    assert result.diagnostics == []
    assert not [
        p for p in (tmp_path / "ticker").rglob("*.yaml") if "@" in p.read_text()
    ]
    tested = run_file(tmp_path / "ticker" / "ticker_rule_tests.yaml")
    assert [result.passed for result in tested.results] == [True] * 4


@pytest.mark.slow
def test_new_rust_project_builds_at_once(tmp_path, require, monkeypatch):
    require("rust")
    # The crates that the sample has built need not be built again.
    shared = sample_plugins_dir() / "hello_rs" / "target"
    monkeypatch.setenv("CARGO_TARGET_DIR", str(shared))
    new_project(tmp_path / "ticker", language="rust")
    assert build_project(tmp_path / "ticker").library.name == "libticker.so"


@pytest.mark.parametrize("name", ["evt", "9lives", "ünder", "a__b"])
def test_a_folder_name_that_cannot_name_a_plugin_is_refused(tmp_path, name):
    with pytest.raises(WorkbenchError, match=r"cannot name|of Falco itself"):
        new_project(tmp_path / name, language="c")


def test_a_folder_in_use_is_left_alone(tmp_path):
    (tmp_path / "ticker").mkdir()
    (tmp_path / "ticker" / "mine").write_text("x")
    with pytest.raises(WorkbenchError, match="not an empty folder"):
        new_project(tmp_path / "ticker", language="c")
