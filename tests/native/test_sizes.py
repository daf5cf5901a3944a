"""C and C++ that can be read: short functions, files with one job."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = (
    ROOT / "workbench" / "native",
    ROOT / "workbench" / "authoring" / "include",
    ROOT / "sample_plugins",
)


def sources():
    for folder in FOLDERS:
        for path in sorted(folder.rglob("*")):
            if path.suffix in {".c", ".h", ".cpp"} and path.name != "_core.c":
                yield path


def functions(text):
    """Yield the lines of each function at the left edge, its head included."""
    begin = None
    lines = text.splitlines()
    for number, line in enumerate(lines):
        if line == "}" and begin is not None:
            yield number - begin + 1
            begin = None
        elif begin is None and (line == "{" or re.match(r"\w.*\) (const )?\{$", line)):
            begin = number
            while begin and re.match(r"[\w\s]", lines[begin - 1] or "/"):
                begin -= 1


def test_functions_are_short():
    lengths = sorted(n for path in sources() for n in functions(path.read_text()))
    assert len(lengths) > 600
    assert lengths[len(lengths) * 95 // 100] <= 40
    assert lengths[-1] <= 60


def test_files_have_one_job():
    long = {p.name: n for p in sources() if (n := p.read_text().count("\n")) > 500}
    # For plugin authors, who want one header.
    assert set(long) <= {"falcosecurity_plugin.h"}


def test_the_length_of_a_function_is_counted_with_its_head():
    assert list(functions("int x;\n\nstatic int\nf(int a)\n{\n\treturn a;\n}\n")) == [5]
    assert list(functions("void g(void) {\n  h();\n}\n")) == [3]
