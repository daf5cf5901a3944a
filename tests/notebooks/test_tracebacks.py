"""Tracebacks in a real kernel: expected errors hide our frames, bugs hide nothing."""

from __future__ import annotations

import re

import nbformat
import pytest
from nbclient import NotebookClient

CELLS = {
    "condition": """
import workbench as wb
import pyarrow as pa
fields = {"p.n": wb.FieldInfo("p.n", "uint64")}
events = wb.events_from_table(
    pa.table({"p.n": pa.array([1, 2], pa.uint64())}), fields=fields, source="p"
)

def mine(events):
    return events.where("p.nn = 1")

mine(events)
""",
    "argument": "wb.load(3)",
    "load": "wb.load('/no/such/plugin.so')",
    "rule": """
wb.Rule(name="r", condition="c", output="o", priority="HIGH")
""",
    "callback": """
from workbench.authoring.python import PythonPlugin

def refuse(line):
    raise wb.WorkbenchError("refused by the caller")

list(map(refuse, "a"))
""",
    "bug": """
import workbench.events.events as inside

def broken(self, condition, rules):
    return [].no_such_attribute

inside.Events._matches = broken
events.mask("p.n = 1")
""",
}
# Cell → line of the user's own, words of the error.
SHOWN = {
    "condition": ['return events.where("p.nn = 1")', "mine(events)", "p.nn"],
    "argument": ["wb.load(3)", "load: path must be a path (a text or a Path), not 3"],
    "load": ["wb.load('/no/such/plugin.so')", "no such file"],
    "rule": ['priority="HIGH")', "'HIGH' is not a priority"],
    "callback": ['raise wb.WorkbenchError("refused by the caller")', "list(map("],
}


@pytest.fixture(scope="module")
def outputs(tmp_path_factory):
    """Run every cell in one kernel; what each printed as its error, without colours."""
    cells = [nbformat.v4.new_code_cell(text.strip()) for text in CELLS.values()]
    client = NotebookClient(
        nbformat.v4.new_notebook(cells=cells),
        timeout=120,
        allow_errors=True,
        kernel_name="python3",
        resources={"metadata": {"path": str(tmp_path_factory.mktemp("kernel"))}},
    )
    found = client.execute()
    printed = {}
    for name, cell in zip(CELLS, found.cells, strict=True):
        (error,) = [o for o in cell.outputs if o.output_type == "error"]
        text = "\n".join(error.traceback)
        printed[name] = re.sub(r"\x1b\[[0-9;]*m", "", text)
    return printed


@pytest.mark.parametrize("name", SHOWN)
def test_an_expected_error_shows_the_users_frame_and_the_message(outputs, name):
    for words in SHOWN[name]:
        assert words in outputs[name]
    for inside in ("workbench/", "arguments.py", "site-packages", "interactiveshell"):
        assert inside not in outputs[name].replace("workbench.errors", "")


def test_a_bug_shows_all_frames(outputs):
    assert "AttributeError" in outputs["bug"]
    assert "no_such_attribute" in outputs["bug"]
    assert "queries.py" in outputs["bug"]
    assert 'events.mask("p.n = 1")' in outputs["bug"]
