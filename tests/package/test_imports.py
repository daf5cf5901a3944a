"""Who may import whom: one table for the folders, and no circle anywhere.

Every import counts: at the top of a file, inside a function, for type checking alone.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "workbench"

# Room (a folder, or a module beside them) → rooms that it may import, lowest first.
# A room may only name rooms above it in this table, so the table is an order.
LAYERS = {
    "lazy": "",
    "memory": "",
    "interrupted": "",
    "user_frames": "",
    "formatting": "",
    "errors": "formatting user_frames",
    "api": "errors",
    "teaching": "errors formatting",
    "arguments": "errors",
    "closing": "errors",
    "saving": "errors formatting",
    "reading": "",
    "diagnostics": "errors formatting",
    "paths": "",
    "schemas": "",
    "yamlcpp": "",
    "native": "",
    "wire": "",
    "fields": "arguments errors diagnostics formatting",
    "manifest": "fields formatting",
    "arrow": "fields native formatting",
    "host": "native wire",
    "condition": "arguments errors diagnostics fields formatting native",
    "captures": "arrow fields native errors formatting closing saving reading memory",
    "session": "wire host fields manifest errors formatting memory",
    "artifacts": "session manifest formatting paths yamlcpp errors reading saving host",
    "proposing": "arrow condition fields errors formatting",
    "events": "arguments arrow captures condition proposing fields errors diagnostics formatting manifest",
    "falco_config_keys": "formatting yamlcpp",
    "falco_config": "errors falco_config_keys yamlcpp paths formatting reading",
    "falco_config_yaml": "falco_config yamlcpp",
    "plugins": "api arguments artifacts closing condition events session arrow captures manifest falco_config fields "
    "falco_config_yaml errors diagnostics formatting schemas memory interrupted saving",
    "rules": "arguments condition events arrow fields yamlcpp diagnostics errors formatting "
    "manifest paths saving reading falco_config interrupted",
    "sigma": "arguments condition diagnostics errors fields formatting reading rules saving",
    "archives": "arguments arrow captures condition errors events fields formatting paths plugins "
    "rules saving",
    "replay": "events plugins captures arrow errors fields formatting",
    "authoring": "saving plugins replay events session manifest fields captures paths errors "
    "diagnostics formatting schemas",
}
# May import everything; nobody imports them.
FACES = {
    "magic_completion",
    "magic_options",
    "ui",
    "cli",
    "magics",
    "demo",
    "__main__",
    "__init__",
}

# Folder → its sub-folders, each may import those before it. A module directly in the
# folder that a sub-folder needs is named in its place.
ORDER = {
    "condition": "syntax semantics binding execution analysis",
    "rules": "model target outputs loading compiling linting editing loader running testing "
    "mutating coverage noise exceptions measures kinds rule_files rule_conditions ruleset "
    "test_runs pytest_plugin",
    "ui": "data widgets state panels export refresh_loop lab_widget standalone opening",
}


def own_files() -> list[Path]:
    return [
        path.relative_to(PACKAGE.parent)
        for path in sorted(PACKAGE.rglob("*.py"))
        if not {"templates", "packaging"} & set(path.parts)
    ]


def module_name(relative: Path) -> str:
    return ".".join(relative.with_suffix("").parts).removesuffix(".__init__")


MODULES = {module_name(path): path for path in own_files()}
# What only loads names on first use, from anywhere in its folder.
LAZY = {name for name, path in MODULES.items() if path.name == "__init__.py"}


def imported(name: str) -> set[str]:
    """Modules of ours that ``name`` imports anywhere; packages by their modules."""
    tree = ast.parse((PACKAGE.parent / MODULES[name]).read_text("utf-8"))
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert not node.level, f"{name}: imports are absolute here"
            of_package = {f"{node.module}.{alias.name}" for alias in node.names}
            modules = of_package & MODULES.keys()
            found |= modules
            if len(modules) < len(of_package):
                found.add(node.module)
    return {n for n in found if n in MODULES and n != name}


GRAPH = {name: imported(name) for name in MODULES}


def circles(graph: dict[str, set[str]]) -> list[list[str]]:
    """Strongly connected sets of more than one node (Tarjan)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(node: str) -> None:
        index[node] = low[node] = len(index)
        stack.append(node)
        for other in sorted(graph.get(node, ())):
            if other not in index:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in stack:
                low[node] = min(low[node], index[other])
        if low[node] == index[node]:
            circle = stack[stack.index(node) :]
            del stack[stack.index(node) :]
            if len(circle) > 1:
                found.append(sorted(circle))

    for node in sorted(graph):
        if node not in index:
            visit(node)
    return found


def room_of(module: str) -> str:
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else "__init__"


def test_no_file_takes_part_in_an_import_circle():
    graph = {n: GRAPH[n] - LAZY for n in MODULES.keys() - LAZY}
    assert circles(graph) == []


def test_no_folder_takes_part_in_an_import_circle():
    def folder(module: str) -> str:
        return module if module in LAZY else module.rpartition(".")[0]

    graph: dict[str, set[str]] = {}
    for name in MODULES.keys() - LAZY:
        here = folder(name)
        uses = {folder(other) for other in GRAPH[name] - LAZY}
        # The root holds modules of several layers: each stands for itself.
        for place, others in ((here if here != "workbench" else name, uses),):
            graph.setdefault(place, set())
            graph[place] |= {o for o in others if o not in {place, "workbench"}}
            graph[place] |= {o for o in GRAPH[name] if o.count(".") == 1} - {place}
    assert circles(graph) == []


def test_the_table_of_layers_is_an_order():
    above: set[str] = set()
    for room, allowed in LAYERS.items():
        assert set(allowed.split()) <= above, room
        above.add(room)
    rooms = {room_of(name) for name in MODULES}
    assert rooms == LAYERS.keys() | FACES


@pytest.mark.parametrize("name", sorted(MODULES))
def test_a_module_imports_only_what_its_room_may(name):
    room = room_of(name)
    used = {room_of(other) for other in GRAPH[name]} - {room}
    if room in FACES:
        # ``python -m workbench`` and the public names start a face; nobody else does.
        return
    wrong = used - set(LAYERS[room].split()) - {"lazy"}
    assert not wrong, f"{name} (room {room}) imports {', '.join(sorted(wrong))}"


@pytest.mark.parametrize("folder", ORDER)
def test_a_sub_folder_imports_only_those_before_it(folder):
    places = ORDER[folder].split()
    rank = {place: at for at, place in enumerate(places)}
    here = f"workbench.{folder}."
    wrong = []
    for name in MODULES.keys() - LAZY:
        if not name.startswith(here):
            continue
        place = name.removeprefix(here).partition(".")[0]
        for other in GRAPH[name] - LAZY:
            if other.startswith(here):
                there = other.removeprefix(here).partition(".")[0]
                if rank[there] > rank[place]:
                    wrong.append(f"{name} imports {other}")
    assert not wrong, "\n".join(sorted(wrong))


def test_the_wire_and_the_host_need_the_standard_library_alone():
    outside = set()
    for name, path in MODULES.items():
        if room_of(name) not in {"wire", "host"}:
            continue
        for node in ast.walk(ast.parse((PACKAGE.parent / path).read_text("utf-8"))):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module:
                names = [node.module]
            outside |= {n.partition(".")[0] for n in names}
    assert outside - sys.stdlib_module_names <= {"workbench"}


def test_only_the_seams_import_the_extension():
    # One address for every pointer of a room: see the decisions in docs.
    users = {
        str(path)
        for path in MODULES.values()
        if "workbench.native._core" in (PACKAGE.parent / path).read_text("utf-8")
        and path.name != "build_core.py"
    }
    assert users == {
        "workbench/arrow/addresses.py",
        "workbench/captures/framing.py",
        "workbench/captures/parquet_pages.py",
        "workbench/condition/execution/kernel.py",
        "workbench/host/confine.py",
        "workbench/host/handles.py",
    }


HEAVY = ("pandas", "numpy", "pyarrow", "IPython", "ipywidgets", "anywidget", "cffi")


def fresh(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        cwd=PACKAGE.parent,
        check=True,
    )
    return done.stdout


def test_importing_the_package_loads_nothing_heavy():
    loaded = fresh("import workbench, sys; print(*sys.modules)").split()
    assert not [m for m in loaded if m.split(".")[0] in HEAVY]
    assert "workbench.native._core" not in loaded


def test_importing_the_package_is_quick():
    code = (
        "import time; t = time.process_time(); import workbench; "
        "print(time.process_time() - t)"
    )
    assert min(float(fresh(code)) for _ in range(3)) <= 0.2


def test_listing_the_names_loads_nothing_heavy():
    code = "import workbench, sys; dir(workbench); print(*sys.modules)"
    assert not [m for m in fresh(code).split() if m in HEAVY]


def test_every_public_name_is_where_the_table_says():
    import workbench

    assert workbench.__all__ == sorted(workbench.__all__)
    for name in ("Events", "Plugin", "Workbench", "load", "inspect", "PluginCrashed"):
        assert getattr(workbench, name).__name__ == name


def test_an_unknown_public_name_is_an_attribute_error():
    import workbench

    with pytest.raises(AttributeError, match="nonsense"):
        workbench.nonsense  # noqa: B018 - looked up for its error
