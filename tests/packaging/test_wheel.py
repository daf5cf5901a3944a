from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    done = subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--no-deps", "-q", "-w", str(out), "."],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (path,) = out.glob("*.whl")
    return path


@pytest.mark.slow
def test_wheel_carries_what_works_without_a_clone(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    for needed in (
        "workbench/__init__.pyi",
        "workbench/rules/__init__.pyi",
        "workbench/native/_core.abi3.so",
        "workbench/authoring/include/falco_plugin.h",
        "workbench/authoring/include/falco_plugin.map",
        "workbench/authoring/include/falcosecurity_plugin.h",
        "workbench/_share/sample_plugins/weblog/weblog.c",
        "workbench/_share/sample_plugins/weblog/data/access.log",
        "workbench/_share/notebooks/00_start_here.ipynb",
    ):
        assert needed in names
    assert not [n for n in names if n.startswith("tests/")]
    built = [n for n in names if "_share" in n and n.endswith((".so", ".o"))]
    assert built == ["workbench/_share/sample_plugins/weblog/libweblog.so"]


@pytest.mark.slow
def test_installed_wheel_inspects_and_streams_outside_the_clone(wheel, tmp_path):
    target = tmp_path / "site"
    subprocess.run(
        [
            sys.executable,
            *("-m", "pip", "install", "-q", "--no-deps"),
            *("--target", str(target), str(wheel)),
        ],
        check=True,
        capture_output=True,
    )
    sample = target / "workbench" / "_share" / "sample_plugins" / "weblog"
    include = target / "workbench" / "authoring" / "include"
    subprocess.run(
        ["make", "-C", str(sample), f"INCLUDE={include}"],
        check=True,
        capture_output=True,
    )
    done = subprocess.run(
        [
            *(sys.executable, "-m", "workbench", "stream"),
            *(str(sample / "libweblog.so"), "--max-events", "3", "--format", "jsonl"),
            *("--open", str(sample / "data" / "access.log")),
        ],
        cwd=tmp_path,
        env={"PYTHONPATH": str(target), "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 3


def run_hook(code: str, cwd: Path, *paths: Path) -> subprocess.CompletedProcess:
    """Run Python as pip runs the build backend, in a process of its own."""
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=cwd,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(
                map(str, [cwd / "workbench" / "packaging", *paths])
            ),
        },
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize(
    ("platform", "name"),
    [("darwin", "macOS"), ("win32", "Windows"), ("freebsd14", "freebsd14")],
)
@pytest.mark.parametrize("kind", ["wheel", "sdist", "editable"])
def test_other_systems_are_told_in_one_sentence(platform, name, kind):
    code = (
        f"import sys, backend; sys.platform = {platform!r}\n"
        f"print(backend.get_requires_for_build_{kind}())"
    )
    done = run_hook(code, ROOT)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"The Falco Plugin Workbench runs on Linux only, not on {name}: use it in a "
        "Linux container or virtual machine, or under WSL 2.\n"
    )


# Before anything else is imported: this Python says that it runs without a global lock.
FREE_THREADED = """
import sysconfig
ask = sysconfig.get_config_var
sysconfig.get_config_var = lambda name: 1 if name == "Py_GIL_DISABLED" else ask(name)
"""


@pytest.mark.slow
def test_a_free_threaded_python_builds_without_the_limited_api(tmp_path):
    tools, source, out = tmp_path / "tools", tmp_path / "source", tmp_path / "out"
    shutil.copytree(
        ROOT,
        source,
        ignore=shutil.ignore_patterns(".*", "*.so", "node_modules", "build", "tests"),
    )
    install = [sys.executable, "-m", "pip", "install", "-q", "--target", str(tools)]
    subprocess.run([*install, "setuptools>=77", "cffi>=2.0"], check=True)
    asked = run_hook(
        FREE_THREADED + "import backend; print(backend.get_requires_for_build_wheel())",
        source,
        tools,
    )
    assert asked.stdout.splitlines()[-1] == "['cffi>=2.0']", asked.stderr
    built = run_hook(
        FREE_THREADED + f"import backend; backend.build_wheel({str(out)!r})",
        source,
        tools,
    )
    assert built.returncode == 0, built.stdout + built.stderr
    (path,) = out.glob("*.whl")
    python = f"cp{sys.version_info.major}{sys.version_info.minor}"
    assert path.name.split("-")[2:4] == [python, python]
    names = zipfile.ZipFile(path).namelist()
    (core,) = [n for n in names if n.startswith("workbench/native/_core.")]
    assert "abi3" not in core
    zipfile.ZipFile(path).extractall(tmp_path / "site")
    code = "from workbench.native._core import lib; print(lib.wb_core_version())"
    used = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path / "site")},
        capture_output=True,
        text=True,
    )
    assert (used.returncode, used.stdout) == (0, "1\n"), used.stderr
