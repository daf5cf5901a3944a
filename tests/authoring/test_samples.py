"""Samples of an installed package, whose folder its users cannot write."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from workbench.authoring.samples import sample_plugin
from workbench.paths import sample_plugins_dir

ROOT = Path(__file__).resolve().parents[2]
# A superuser writes everywhere: without capabilities modes count for it, too.
PLAIN = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"]

SCRIPT = """
import sys, workbench as wb
from workbench.authoring.samples import sample_plugin
from workbench.errors import WorkbenchError
try:
    library = sample_plugin("weblog")
except WorkbenchError as error:
    sys.exit(str(error))
from workbench.ui.panels.plugin import _found_samples
assert {"name": "weblog", "path": str(library)} in _found_samples()
print(library)
print(wb.inspect(library).name)
"""


@pytest.fixture
def installed():
    """A package laid out as a wheel lays it out, and a home; nobody may write the first."""
    with tempfile.TemporaryDirectory() as made:
        base = Path(made)
        base.chmod(0o755)
        package = base / "site" / "workbench"
        shutil.copytree(
            ROOT / "workbench",
            package,
            ignore=shutil.ignore_patterns("__pycache__", "js", "templates"),
        )
        shutil.copytree(
            ROOT / "sample_plugins" / "weblog",
            package / "_share" / "sample_plugins" / "weblog",
            ignore=shutil.ignore_patterns("*.so", "_build"),
        )
        home = base / "home"
        home.mkdir()
        read_only = [package, *package.rglob("*")]
        for path in read_only:
            path.chmod(0o555 if path.is_dir() else 0o444)
        yield base
        for path in read_only:
            path.chmod(0o755)


def run(base, **environment):
    return subprocess.run(
        [*(PLAIN if os.geteuid() == 0 else []), sys.executable, "-B", "-c", SCRIPT],
        cwd=base / "home",
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(base / "site"),
            "HOME": str(base / "home"),
            **environment,
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_a_sample_of_a_read_only_package_is_built_in_the_cache(installed):
    done = run(installed)
    assert done.returncode == 0, done.stderr
    library, name = done.stdout.splitlines()
    assert name == "weblog"
    cache = installed / "home" / ".cache" / "falco-plugin-workbench"
    assert Path(library).is_relative_to(cache)
    assert (Path(library).parent / "data" / "access.log").exists()
    begun = Path(library).stat().st_mtime_ns
    assert run(installed).stdout == done.stdout
    assert Path(library).stat().st_mtime_ns == begun  # built once

    source = installed / "site/workbench/_share/sample_plugins/weblog/weblog.c"
    source.chmod(0o644)
    old = source.stat()
    source.write_text(source.read_text() + "\n/* newer */\n")
    os.utime(source, ns=(old.st_atime_ns, 0))  # wheels carry old times
    assert run(installed).stdout.splitlines()[0] != library


def test_a_cache_that_cannot_be_written_is_named(installed):
    (installed / "file").write_text("")
    done = run(installed, XDG_CACHE_HOME=str(installed / "file"))
    assert done.returncode == 1
    assert "set XDG_CACHE_HOME to a folder of yours" in done.stderr
    assert "Traceback" not in done.stderr


def test_of_a_sample_with_a_library_per_version_the_newest_is_given():
    library = sample_plugin("legacy")
    assert library.name == "liblegacy_3_0.so"
    assert (library.parent / "liblegacy_0_1.so").exists()


@pytest.mark.parametrize("name", ["dummy_c", "json_extract", "sessions", "weblog"])
def test_a_sample_copied_elsewhere_says_what_it_needs(name, tmp_path):
    shutil.copytree(
        sample_plugins_dir() / name,
        tmp_path / name,
        ignore=shutil.ignore_patterns("*.so", "_build", "data"),
    )
    make = [shutil.which("make"), "-C", tmp_path / name]
    done = subprocess.run(make, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode != 0
    assert "make INCLUDE=FOLDER" in done.stderr
    assert "include_dir()" in done.stderr
    cleaned = [*make, "clean"]
    assert subprocess.run(cleaned, capture_output=True, check=False).returncode == 0
