"""A wheel in a new environment, on every Python here, with no compiler in reach."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def pythons() -> dict[str, str]:
    """Version → a CPython of 3.11 or newer, of those on PATH and of pyenv."""
    names = [f"python3.{minor}{kind}" for minor in range(11, 20) for kind in ("", "t")]
    found = [sys.executable, *filter(None, map(shutil.which, names))]
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    found += map(str, sorted(pyenv.glob("3.*/bin/python3")))
    code = "import sys, sysconfig as s; print('%d.%d' % sys.version_info[:2] + ('t' if s.get_config_var('Py_GIL_DISABLED') else ''), sys.implementation.name)"
    result: dict[str, str] = {}
    for python in found:
        asked = subprocess.run([python, "-c", code], capture_output=True, text=True)
        version, _, kind = asked.stdout.strip().partition(" ")
        number = re.fullmatch(r"3\.(\d+)t?", version)
        if kind == "cpython" and number and int(number[1]) >= 11:
            result.setdefault(version, python)
    return result


PYTHONS = pythons()


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "-q", "-w", str(out)]
    subprocess.run([*command, str(ROOT)], check=True, capture_output=True)
    (path,) = out.glob("*.whl")
    return path


@pytest.mark.parametrize("version", PYTHONS)
def test_demo_runs_without_a_compiler(version, wheel, tmp_path):
    if version.endswith("t"):
        pytest.skip("a free-threaded Python takes a wheel of its own, built elsewhere")
    place = tmp_path / "env"
    subprocess.run([PYTHONS[version], "-m", "venv", str(place)], check=True)
    install = [str(place / "bin" / "python"), "-m", "pip", "install", "-q"]
    done = subprocess.run(
        [*install, "--only-binary", ":all:", str(wheel)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    # Nothing but what was installed: no make, no compiler, no shell.
    clean = {"PATH": str(place / "bin"), "HOME": str(tmp_path)}
    command = [str(place / "bin" / "workbench"), "demo"]
    shown = subprocess.run(
        command, cwd=tmp_path, env=clean, capture_output=True, text=True
    )
    assert shown.returncode == 0, shown.stderr
    assert "21,457 events" in shown.stdout
    copy = "from workbench.cli.lab import working_folder; print(working_folder(None))"
    lab = subprocess.run(
        [str(place / "bin" / "python"), "-c", copy],
        cwd=tmp_path,
        env=clean,
        capture_output=True,
        text=True,
        check=True,
    )
    notebooks = Path(lab.stdout.strip())
    assert notebooks == tmp_path / "falco-workbench" / "notebooks"
    # In the copy the sample is found, too, without being built.
    find = (
        "from workbench.authoring.samples import sample_plugin as s; print(s('weblog'))"
    )
    sample = subprocess.run(
        [str(place / "bin" / "python"), "-c", find],
        cwd=notebooks,
        env=clean,
        capture_output=True,
        text=True,
    )
    assert sample.returncode == 0, sample.stderr
    library = tmp_path / "falco-workbench/sample_plugins/weblog/libweblog.so"
    assert Path(sample.stdout.strip()) == library


def test_the_source_archive_holds_samples_notebooks_and_scripts(tmp_path):
    source = tmp_path / "source"
    shutil.copytree(
        ROOT,
        source,
        ignore=shutil.ignore_patterns(".*", "*.so", "node_modules", "build", "tests"),
    )
    code = f"import backend; print(backend.build_sdist({str(tmp_path)!r}))"
    build = subprocess.run(
        [sys.executable, "-c", code],
        cwd=source,
        env={**os.environ, "PYTHONPATH": str(source / "workbench" / "packaging")},
        capture_output=True,
        text=True,
    )
    assert build.returncode == 0, build.stderr
    (archive,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(archive) as packed:
        names = {name.partition("/")[2] for name in packed.getnames()}
        packed.extractall(tmp_path / "unpacked", filter="data")
    assert "sample_plugins/weblog/weblog.c" in names
    assert "sample_plugins/weblog/data/access.log" in names
    assert "notebooks/00_start_here.ipynb" in names
    assert "CHANGELOG.md" in names
    assert not [name for name in names if name.startswith("tests/")]
    if not (ROOT / "workbench" / "ui" / "static" / "editor.js").exists():
        pytest.skip("the scripts were never bundled here: node is missing")
    (unpacked,) = (tmp_path / "unpacked").iterdir()
    # No Node in reach: the scripts that came along count as fresh.
    script = unpacked / "workbench" / "ui" / "build_js.py"
    again = subprocess.run(
        [sys.executable, str(script)], env={"PATH": ""}, capture_output=True, text=True
    )
    assert (again.returncode, again.stderr) == (0, "")


def test_a_changed_source_is_built_again(wheel, tmp_path):
    install = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target"]
    subprocess.run([*install, str(tmp_path / "site"), str(wheel)], check=True)
    code = (
        "from workbench.authoring.prebuilt import is_prebuilt\n"
        "from workbench.paths import include_dir, sample_plugins_dir\n"
        "folder = sample_plugins_dir() / 'weblog'\n"
        "print(is_prebuilt(folder, include_dir()))\n"
        "source = folder / 'line.c'\n"
        "source.write_text(source.read_text() + '\\n')\n"
        "print(is_prebuilt(folder, include_dir()))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path / "site")},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout.split()) == (0, ["True", "False"]), done.stderr
