"""Whatever the package writes is written whole, through ``workbench.saving``."""

from __future__ import annotations

import ast
from pathlib import Path

import workbench

ROOT = Path(workbench.__file__).parent
_WRITES = {
    "copy", "copy2", "copyfile", "move", "mkstemp", "NamedTemporaryFile", "to_csv",
    "to_parquet", "tofile", "write_bytes", "write_text",
}  # fmt: skip
# File → what it writes without taking the place of a file that is there.
ELSEWHERE = {
    "__main__.py": "a log under a new name",
    "archives/reading.py": "a copy in a temporary folder",
    "artifacts/archive.py": "new files in an empty folder, renamed together",
    "artifacts/install.py": "new files in an empty folder, renamed together; its lock",
    "authoring/notebook_cell.py": "the source of a cell in a temporary folder",
    "authoring/samples.py": "copies in a new folder, renamed as a whole",
    "captures/files.py": "a recording, which grows and survives its writer",
    "host/serve.py": "a file of the kernel",
    "packaging/backend.py": "copies for building the package itself",
    "packaging/wheels.py": "what builds the wheels, in a temporary folder",
    "ui/build_js.py": "scripts for building the package itself",
}


def _is_write(call: ast.Call) -> bool:
    name = getattr(call.func, "attr", getattr(call.func, "id", ""))
    if name == "open":
        texts = [a.value for a in call.args if isinstance(a, ast.Constant)]
        mode = [t for t in texts if isinstance(t, str) and len(t) < 4]
        return any(set(t) & set("wxa+") for t in mode)
    if name in {"copy", "move"}:
        return getattr(getattr(call.func, "value", None), "id", "") == "shutil"
    return name in _WRITES


def _in_draft(call: ast.Call) -> bool:
    """Whether a call writes the draft that ``saving.replacing`` gave."""
    names = {n.id for n in ast.walk(call) if isinstance(n, ast.Name)}
    return "draft" in names


def test_all_writing_goes_through_saving_or_says_why_not():
    found = set()
    for path in ROOT.rglob("*.py"):
        # Templates become Python when their names are filled in.
        if {"node_modules", "counter"} & set(path.parts):
            continue
        tree = ast.parse(path.read_text("utf-8"))
        relative = path.relative_to(ROOT).as_posix()
        calls = [n for n in ast.walk(tree) if isinstance(n, ast.Call)]
        creates = any(getattr(n, "attr", "") == "O_CREAT" for n in ast.walk(tree))
        if creates or any(_is_write(c) and not _in_draft(c) for c in calls):
            found.add(relative)
    assert found - {"saving.py"} == set(ELSEWHERE)


def test_every_draft_is_one_of_saving():
    for path in ROOT.rglob("*.py"):
        text = path.read_text("utf-8") if "node_modules" not in path.parts else ""
        if "draft.open(" in text or "draft.write" in text or ", draft)" in text:
            assert "replac" in text, path
