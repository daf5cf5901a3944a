from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from workbench.authoring.builder import BuildError, build_project, compiler_diagnostics
from workbench.authoring.scaffold import new_project
from workbench.errors import WorkbenchError


def test_a_c_error_is_shown_at_its_line(tmp_path):
    new_project(tmp_path / "ticker", language="c")
    source = tmp_path / "ticker" / "plugin.c"
    text = source.read_text()
    line = text[: text.index("void plugin_destroy")].count("\n") + 1
    source.write_text(text.replace("{ free(s); }", "{ fre(s) }"))
    with pytest.raises(BuildError) as caught:
        build_project(tmp_path / "ticker")
    places = {(d.file, d.line) for d in caught.value.diagnostics}
    assert ("plugin.c", line) in places
    assert f"plugin.c:{line}:" in str(caught.value)


def test_a_python_error_is_shown_at_its_line(tmp_path):
    new_project(tmp_path / "ticker", language="python")
    source = tmp_path / "ticker" / "plugin.py"
    source.write_text(source.read_text().replace("id=999,", "id=999 +,"))
    with pytest.raises(BuildError) as caught:
        build_project(tmp_path / "ticker")
    (problem,) = caught.value.diagnostics
    assert (Path(problem.file).name, problem.severity) == ("plugin.py", "error")
    assert (
        problem.line
        == source.read_text()[: source.read_text().index("+,")].count("\n") + 1
    )


def test_rust_and_go_complaints_are_read():
    output = (
        "error[E0425]: cannot find value `x`\n  --> src/lib.rs:7:9\n   |\n"
        "./plugin.go:12:4: undefined: y\n"
        "plugin.cpp:3:1: warning: unused variable 'z' [-Wunused]\n"
    )
    seen = [
        (d.severity, d.file, d.line, d.column) for d in compiler_diagnostics(output)
    ]
    assert seen == [
        ("error", "src/lib.rs", 7, 9),
        ("error", "plugin.go", 12, 4),
        ("warning", "plugin.cpp", 3, 1),
    ]


def test_building_nothing_says_how_to_begin(tmp_path):
    with pytest.raises(WorkbenchError, match="workbench new"):
        build_project(tmp_path)


def test_a_missing_compiler_is_named(tmp_path, monkeypatch):
    new_project(tmp_path / "ticker", language="go")
    monkeypatch.setattr(shutil, "which", lambda _tool: None)
    with pytest.raises(WorkbenchError, match=r"'go', which is not installed"):
        build_project(tmp_path / "ticker")
