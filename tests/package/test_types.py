"""What type checkers know of the public names, and that they know all of them."""

from __future__ import annotations

import ast
import importlib
import inspect
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = Path(__file__).with_name("user_script.py")
LAZY = [
    "workbench",
    *(
        f"workbench.{name}"
        for name in (
            "api",
            "condition",
            "events",
            "fields",
            "rules",
            "ui",
            "ui.widgets",
        )
    ),
]


def stub_of(package):
    return ROOT / package.replace(".", "/") / "__init__.pyi"


def declared(package):
    """Names of a stub → module that they are imported from."""
    found = {}
    for node in ast.parse(stub_of(package).read_text("utf-8")).body:
        if isinstance(node, ast.ImportFrom):
            found |= {alias.asname or alias.name: node.module for alias in node.names}
    # a public folder is imported from the package that holds it
    for name, home in found.items():
        if f"{home}.{name}" in LAZY:
            found[name] = f"{home}.{name}"
    return {name: home for name, home in found.items() if home.startswith("workbench")}


def test_every_lazy_package_has_a_stub():
    lazy = {
        str(path.parent.relative_to(ROOT)).replace("/", ".")
        for path in (ROOT / "workbench").rglob("__init__.py")
        if "lazy_names(" in path.read_text("utf-8")
    }
    assert lazy == set(LAZY)
    assert {path.parent for path in (ROOT / "workbench").rglob("*.pyi")} == {
        stub_of(package).parent for package in lazy
    }


@pytest.mark.parametrize("package", LAZY)
def test_a_stub_declares_the_names_of_the_table(package):
    module = importlib.import_module(package)
    assert declared(package) == module._HOMES
    stub = ast.parse(stub_of(package).read_text("utf-8"))
    (listed,) = [
        ast.literal_eval(node.value)
        for node in stub.body
        if isinstance(node, ast.Assign) and node.targets[0].id == "__all__"
    ]
    assert set(listed) == set(module.__all__)
    assert len(listed) == len(module.__all__)


def public_callables():
    """Name and function of everything that a public name lets users call."""
    for package in LAZY:
        module = importlib.import_module(package)
        for name in module.__all__:
            value = getattr(module, name)
            if inspect.isfunction(value):
                yield name, value
            if not inspect.isclass(value):
                continue
            for base in value.__mro__:
                if not base.__module__.startswith("workbench."):
                    continue
                for key, member in vars(base).items():
                    if key.startswith("_"):
                        continue
                    function = getattr(member, "fget", None) or member
                    function = getattr(function, "__func__", function)
                    if inspect.isfunction(function):
                        yield f"{name}.{key}", function


# What is of any type by its nature.
ANY = {"FieldTable.get"}


def test_what_public_calls_return_is_not_any():
    vague = {
        name
        for name, function in public_callables()
        if function.__annotations__.get("return", "Any") == "Any"
    }
    assert vague <= ANY


def isolated():
    """Let a checker see the package, but none of its settings."""
    return {**os.environ, "MYPYPATH": str(ROOT), "PYTHONPATH": str(ROOT)}


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_user_script_passes_mypy_strict_and_a_wrong_one_does_not(tmp_path):
    pytest.importorskip("mypy", reason="mypy is not installed here")
    script, wrong = tmp_path / SCRIPT.name, tmp_path / "wrong.py"
    script.write_bytes(SCRIPT.read_bytes())
    wrong.write_text("import workbench as wb\n\nwb.load_rules('x').other\nwb.other\n")
    options = ["--strict", "--config-file", os.devnull, "--cache-dir", os.devnull]
    # As for a package that is installed: its own lines are not reported.
    options += ["--follow-imports", "silent", "--no-error-summary"]
    done = subprocess.run(
        [sys.executable, "-m", "mypy", *options, script.name, wrong.name],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=isolated(),
    )
    assert done.stdout.splitlines() == [
        'wrong.py:3: error: "RuleSet" has no attribute "other"  [attr-defined]',
        'wrong.py:4: error: Module has no attribute "other"  [attr-defined]',
    ]


def pyright(*words, cwd):
    pytest.importorskip("pyright", reason="pyright is not installed here")
    done = subprocess.run(
        [sys.executable, "-m", "pyright", "--pythonpath", sys.executable, *words],
        capture_output=True,
        text=True,
        cwd=cwd,
        env=isolated(),
    )
    # Without one of its reports it never ran: no node, or none that starts.
    if not re.search(r"\d+ errors?,", done.stdout):
        line = f"pyright does not run here: {(done.stderr or done.stdout)[-300:]}"
        if "node" in os.environ.get("WORKBENCH_REQUIRE", "").split(","):
            pytest.fail(line)
        pytest.skip(line)
    return done


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_user_script_passes_pyright(tmp_path):
    script = tmp_path / SCRIPT.name
    script.write_bytes(SCRIPT.read_bytes())
    (tmp_path / "pyrightconfig.json").write_text(f'{{"extraPaths": ["{ROOT}"]}}')
    done = pyright(cwd=tmp_path)
    assert done.returncode == 0, done.stdout


def test_the_user_script_runs(sample):
    done = subprocess.run(
        [sys.executable, str(SCRIPT), str(sample("weblog"))],
        capture_output=True,
        text=True,
        env=isolated(),
    )
    assert done.returncode == 0, done.stderr
    assert "'events': 2000" in done.stdout
