from __future__ import annotations

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
    assert not [n for n in names if "_share" in n and n.endswith((".so", ".o"))]


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
