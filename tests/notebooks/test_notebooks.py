from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from workbench.artifacts.folders import find_plugin
from workbench.paths import notebooks_dir
from workbench.teaching.exercises import all_exercises

NOTEBOOKS = sorted(notebooks_dir().glob("*.ipynb"))
EXPECTED = [
    "00_start_here",
    "01_explore_a_plugin",
    "02_how_a_plugin_works",
    "03_prototype_rules",
    "04_falco_semantics",
    "05_state_and_async",
    "06_write_your_own",
    "07_what_goes_where",
    "08_real_plugins",
    "09_archives_and_clusters",
    "10_from_examples_to_rules",
    "11_sources_and_extractors",
    "12_into_falco",
    "13_tune_an_official_rule_set",
    "14_sdk_walkthroughs",
]
QUIZ = re.compile(r'^wb\.quiz\("([^"]+)", \.\.\.\)$', re.MULTILINE)
LONGEST_MIN = 35
ROOT = Path(__file__).resolve().parents[2]
# Further samples, which may need a compiler that is missing.
NEEDS = {
    "05_state_and_async": ["sessions"],
    "11_sources_and_extractors": ["dummy_c", "json_extract"],
    "14_sdk_walkthroughs": ["dummy_c"],
}
# Official plugins: installed by name, or built by Go.
OFFICIAL = {"08_real_plugins": ["k8saudit", "json"]}
# Cells that show a mistake on purpose print a complaint and raise nothing.
COMPLAINTS = {"03_prototype_rules": ["unknown-field", "LOAD_UNUSED_LIST"]}


def test_all_notebooks_are_there():
    assert set(EXPECTED) <= {path.stem for path in NOTEBOOKS}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_stored_without_outputs_and_states_its_goal(path):
    notebook = nbformat.read(path, 4)
    nbformat.validate(notebook)
    assert notebook.cells[0].cell_type == "markdown"
    assert "**You will learn**" in notebook.cells[0].source
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert cell.outputs == []
            assert cell.execution_count is None
    prose = sum(cell.cell_type == "markdown" for cell in notebook.cells)
    assert prose >= len(notebook.cells) / 3
    assert not re.search(r"/(work|root|tmp|home)/", path.read_text())


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_says_how_long_it_takes_and_where_to_go(path):
    first = nbformat.read(path, 4).cells[0].source
    (minutes,) = re.findall(r"\*About (\d+) minutes\.\*", first)
    assert int(minutes) <= LONGEST_MIN
    others = set(re.findall(r"`(\d\d_\w+)`", path.read_text())) - {path.stem}
    assert others, "a notebook names its neighbours"
    assert others <= {other.stem for other in NOTEBOOKS}


def test_every_exercise_stands_in_its_notebook_three_or_more_each():
    asked = []
    for path in NOTEBOOKS:
        code = "\n".join(c.source for c in nbformat.read(path, 4).cells)
        here = QUIZ.findall(code)
        assert all(key.startswith(f"{path.stem[:2]}/") for key in here)
        assert not here or len(here) >= 3
        asked += here
    assert sorted(asked) == sorted(all_exercises())
    taught = {key[:2] for key in asked}
    assert {"00", "02", "03", "04", "07"} <= taught


def _with_solutions(notebook):
    """Answer every exercise by its own solution: it must be right where it stands."""
    for cell in notebook.cells:
        cell.source = QUIZ.sub(
            lambda found: (
                f'assert wb.quiz("{found[1]}", {all_exercises()[found[1]].solution})'
            ),
            cell.source,
        )
    return notebook


def _find_or_build(names, require):
    """Skip, in one line, where official plugins are neither installed nor built."""
    missing = [name for name in names if find_plugin(name) is None]
    if not missing:
        return
    require("go")
    script = ROOT / "tests" / "official" / "build.py"
    done = subprocess.run(
        [sys.executable, str(script), *missing],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        if "go" in os.environ.get("WORKBENCH_REQUIRE", "").split(","):
            pytest.fail(done.stderr)
        why = done.stderr.strip().splitlines()[-1]
        pytest.skip(f"official plugins cannot be built here: {why}")


def _run(nbclient, path, notebook):
    client = nbclient.NotebookClient(
        notebook,
        timeout=120,
        kernel_name="python3",
        resources={"metadata": {"path": str(path.parent)}},
    )
    client.execute()


def _shown(notebook):
    return "\n".join(
        output.get("text", "") + output.get("data", {}).get("text/plain", "")
        for cell in notebook.cells
        if cell.cell_type == "code"
        for output in cell.outputs
    )


@pytest.mark.notebook
# The first build of the official plugins takes minutes, the notebooks seconds.
@pytest.mark.timeout(900)
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_from_top_to_bottom(path, sample, require, monkeypatch):
    nbclient = pytest.importorskip("nbclient", reason="nbclient is not installed here")
    _find_or_build(OFFICIAL.get(path.stem, []), require)
    for name in ("weblog", "faulty", *NEEDS.get(path.stem, [])):
        sample(name)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("WORKBENCH_EVENTS", "200000")
    # A kernel of its own, as a reader has it: what it warns of is its own matter.
    monkeypatch.delenv("PYTHONWARNINGS", raising=False)
    notebook = _with_solutions(nbformat.read(path, 4))
    _run(nbclient, path, notebook)
    shown = _shown(notebook)
    for words in COMPLAINTS.get(path.stem, []):
        assert words in shown
    for cell in notebook.cells:
        if cell.cell_type == "code" and cell.source.rstrip().endswith("\nlab"):
            data = cell.outputs[-1].data
            assert "application/vnd.jupyter.widget-view+json" in data
            assert "<table>" in data["text/html"]


@pytest.mark.notebook
@pytest.mark.timeout(180)
def test_without_plugins_and_go_the_notebook_says_how_to_get_them(
    monkeypatch, tmp_path
):
    nbclient = pytest.importorskip("nbclient", reason="nbclient is not installed here")
    if find_plugin("k8saudit") is not None:
        pytest.skip("k8saudit is installed here")
    path = notebooks_dir() / "08_real_plugins.ipynb"
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("PATH", str(tmp_path))
    notebook = nbformat.read(path, 4)
    with pytest.raises(nbclient.exceptions.CellExecutionError) as caught:
        _run(nbclient, path, notebook)
    assert caught.value.ename == "PluginLoadError"
    assert "workbench get k8saudit" in caught.value.evalue


def test_the_audit_rules_are_those_of_the_tests():
    def items(path):
        return [line for line in path.read_text().splitlines() if line[:2] != "# "]

    kept = ROOT / "tests" / "official" / "k8s_rules.yaml"
    assert items(notebooks_dir() / "data" / "k8s_rules.yaml") == items(kept)


def test_the_audit_events_are_those_of_the_tests():
    kept = (ROOT / "tests" / "official" / "events" / "k8s_audit.jsonl").read_text()
    shown = (notebooks_dir() / "data" / "k8s_audit.jsonl").read_text().splitlines()
    assert 30 <= len(shown) <= 60
    assert set(shown) <= set(kept.splitlines())


def test_the_first_notebook_and_the_readme_name_all_others():
    start = (notebooks_dir() / "00_start_here.ipynb").read_text()
    readme = (ROOT / "README.md").read_text()
    for name in EXPECTED[1:]:
        assert f"`{name}`" in start
        assert f"`{name}`" in readme
