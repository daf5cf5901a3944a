"""Who calls whom in the C core, as the linker sees it: compiled objects and their symbols.

Taking the address of a function or of a table of functions counts as a call.
"""

from __future__ import annotations

import os
import re
import subprocess
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SRC = ROOT / "workbench" / "native" / "src"

# Each folder may use those before it.
FOLDERS = (
    *("common", "text", "scap", "kernel", "tables"),
    *("host", "sandbox", "live", "pump"),
)


def called(folder, out):
    """Compile every source below ``folder``; map it to {callee: symbols}."""
    defined, missing = {}, {}
    for source in sorted(folder.rglob("*.c")):
        name = source.relative_to(folder).as_posix()
        compiled = out / (name.replace("/", "-") + ".o")
        command = [os.environ.get("CC", "cc"), "-c", "-std=gnu11", f"-I{folder}"]
        subprocess.run([*command, str(source), "-o", str(compiled)], check=True)
        listed = subprocess.run(
            ["nm", "-P", str(compiled)], capture_output=True, text=True, check=True
        ).stdout
        missing[name] = set()
        for symbol, kind, *_ in (line.split() for line in listed.splitlines()):
            if kind == "U":
                missing[name].add(symbol)
            elif kind.isupper():
                assert symbol not in defined, f"{symbol}: {name}, {defined[symbol]}"
                defined[symbol] = name
    graph = {}
    for name, symbols in missing.items():
        graph[name] = {}
        for symbol in sorted(symbols & defined.keys()):
            graph[name].setdefault(defined[symbol], []).append(symbol)
    return graph


def circle(graph):
    """Return the files of one circle, [] when there is none."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


@pytest.fixture(scope="module")
def graph(tmp_path_factory):
    return called(SRC, tmp_path_factory.mktemp("objects"))


def test_no_file_of_the_core_takes_part_in_a_circle(graph):
    assert len(graph) > 50
    assert sum(map(len, graph.values())) > 100
    assert circle(graph) == []


def test_folders_call_and_include_only_those_before_them(graph):
    room = {name: name.partition("/")[0] for name in graph}
    assert set(room.values()) == set(FOLDERS)
    rank = {folder: i for i, folder in enumerate(FOLDERS)}
    assert [
        (caller, callee, symbols)
        for caller, callees in graph.items()
        for callee, symbols in callees.items()
        if rank[room[callee]] > rank[room[caller]]
    ] == []
    upward = []
    for path in sorted(SRC.glob("*/*.[ch]")):
        for name in re.findall(r'^#include "(.+)"', path.read_text(), re.MULTILINE):
            target = (path.parent / name).resolve()
            if not target.is_file():
                target = (SRC / name).resolve()
            folder = target.relative_to(SRC).parts[0]
            # What lies beside the folders only shows cdef/ to C.
            if folder in rank and rank[folder] > rank[path.parent.name]:
                upward.append((path.name, name))
    assert upward == []


def test_a_circle_of_files_is_found(tmp_path):
    (tmp_path / "a.c").write_text("int b(void); int a(void) { return b(); }\n")
    (tmp_path / "b.c").write_text("int c(void); int (*b)(void) = c;\n")
    (tmp_path / "c.c").write_text("int a(void); int c(void) { return a(); }\n")
    assert set(circle(called(tmp_path, tmp_path))) == {"a.c", "b.c", "c.c"}
