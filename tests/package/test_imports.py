from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "workbench"

# Room → rooms it may import. A room is a folder, a module, or several modules that
# together do one job.
ALLOWED: dict[str, str] = {
    "errors": "",
    "html": "",
    "quoting": "",
    "share": "",
    "diagnostics": "errors",
    "fields": "errors html",
    "field_refs": "diagnostics errors fields quoting",
    "manifest": "errors fields reprs",
    "reprs": "html",
    "native": "",
    "session": "errors html",
    "worker": "errors fields manifest session",
    "host": "errors fields manifest native worker",
    "condition": "diagnostics errors field_refs fields html native quoting",
    "tables": "fields",
    "captures": "errors fields manifest native tables",
    "addresses": "native",
    "events": "addresses captures condition diagnostics errors field_refs fields html "
    "manifest reprs tables worker",
    "plugin": "captures diagnostics errors events field_refs fields host html manifest reprs "
    "session tables worker falco_config",
    "yaml": "",
    "rules": "addresses condition diagnostics errors events field_refs fields html manifest "
    "quoting share yaml",
    "falco_config": "errors fields manifest rules yaml share",
    "replaying": "captures errors events plugin",
    "authoring": "captures diagnostics errors events field_refs fields html manifest "
    "plugin replaying share",
}
# Module → the room that it is a part of.
PARTS = {
    "generic_fields": "fields",
    "event_columns": "events",
    "event_files": "events",
    "frames": "events",
    "generic": "events",
    "joint_feeder": "events",
    "text_rows": "events",
    "whole_stream": "events",
    "bench": "plugin",
    "capture": "plugin",
    "capture_all": "plugin",
    "collect": "plugin",
    "config": "plugin",
    "feeders": "plugin",
    "hosts": "plugin",
    "registration": "plugin",
    "state_tables": "plugin",
    "requests": "plugin",
    "roster": "plugin",
    "trace": "reprs",
}
# May import everything; nobody imports them, but for the word that starts them.
FACES = {"cli", "magics", "ui", "demo", "__main__", "__init__"}


def room_of(module: str) -> str:
    parts = module.split(".")
    first = parts[1] if len(parts) > 1 else "__init__"
    return PARTS.get(first, first)


def is_type_checking(node: ast.AST) -> bool:
    if not isinstance(node, ast.If):
        return False
    test = node.test
    name = test.id if isinstance(test, ast.Name) else getattr(test, "attr", "")
    return name == "TYPE_CHECKING"


def imports(tree: ast.AST):
    """Give the modules imported anywhere in a file, but for type checking alone."""
    todo = [tree]
    while todo:
        node = todo.pop()
        if is_type_checking(node):
            todo += node.orelse
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            if node.module == "workbench":
                yield from (f"workbench.{alias.name}" for alias in node.names)
            else:
                yield node.module
        todo += ast.iter_child_nodes(node)


def own_files():
    for path in sorted(PACKAGE.rglob("*.py")):
        relative = path.relative_to(PACKAGE.parent)
        if "templates" not in relative.parts and "packaging" not in relative.parts:
            yield relative


@pytest.mark.parametrize("relative", list(own_files()), ids=str)
def test_a_module_imports_only_what_its_room_may(relative):
    name = ".".join(relative.with_suffix("").parts).removesuffix(".__init__")
    room = room_of(name)
    if room in FACES:
        return
    assert room in ALLOWED, f"{name}: say in this test which rooms {room} may import"
    allowed = {room, *ALLOWED[room].split()}
    tree = ast.parse((PACKAGE.parent / relative).read_text("utf-8"))
    used = {m for m in imports(tree) if m.startswith("workbench.")}
    wrong = sorted(m for m in used if room_of(m) not in allowed)
    assert not wrong, f"{name} (room {room}) imports {', '.join(wrong)}"


def test_only_the_seams_import_the_extension():
    # One address for every pointer of a room: see the decisions in the house plan.
    users = set()
    for relative in own_files():
        tree = ast.parse((PACKAGE.parent / relative).read_text("utf-8"))
        if any(m.startswith("workbench.native._core") for m in imports(tree)):
            users.add(str(relative))
    assert users <= {
        "workbench/addresses.py",
        "workbench/host/handles.py",
        "workbench/host/confine.py",
        "workbench/condition/kernel.py",
        "workbench/captures/framing.py",
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
