from __future__ import annotations

import re
from pathlib import Path

import nbformat
import pytest

from workbench.paths import notebooks_dir

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
]
ROOT = Path(__file__).resolve().parents[2]
# Further samples, which may need a compiler that is missing.
NEEDS = {"05_state_and_async": ["sessions"]}
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


@pytest.mark.notebook
@pytest.mark.timeout(180)
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_from_top_to_bottom(path, sample, monkeypatch):
    nbclient = pytest.importorskip("nbclient", reason="nbclient is not installed here")
    for name in ("weblog", "faulty", *NEEDS.get(path.stem, [])):
        sample(name)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    # A kernel of its own, as a reader has it: what it warns of is its own matter.
    monkeypatch.delenv("PYTHONWARNINGS", raising=False)
    notebook = nbformat.read(path, 4)
    client = nbclient.NotebookClient(
        notebook,
        timeout=120,
        kernel_name="python3",
        resources={"metadata": {"path": str(path.parent)}},
    )
    client.execute()
    shown = "\n".join(
        output.get("text", "") + output.get("data", {}).get("text/plain", "")
        for cell in notebook.cells
        if cell.cell_type == "code"
        for output in cell.outputs
    )
    for words in COMPLAINTS.get(path.stem, []):
        assert words in shown
    for cell in notebook.cells:
        if cell.cell_type == "code" and cell.source.rstrip().endswith("\nlab"):
            data = cell.outputs[-1].data
            assert "application/vnd.jupyter.widget-view+json" in data
            assert "<table>" in data["text/html"]
