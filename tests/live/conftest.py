from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

import workbench as wb

HERE = Path(__file__).resolve().parent
INCLUDE = HERE.parents[1] / "workbench" / "authoring" / "include"


@pytest.fixture(scope="session")
def compile_busy(tmp_path_factory):
    """Compile the busy plugin with further flags; give its path."""

    def build(*flags):
        target = tmp_path_factory.mktemp("busy") / "libbusy.so"
        compiler = os.environ.get("CC") or shutil.which("cc") or "gcc"
        command = [
            compiler, "-g", "-O1", "-std=gnu11", "-Wall", "-Wextra",
            "-Wno-unused-parameter", f"-I{INCLUDE}", "-fPIC", "-shared", *flags,
            str(HERE / "busy.c"), "-o", str(target), "-lpthread",
        ]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return target

    return build


@pytest.fixture(scope="session")
def busy_library(compile_busy):
    return compile_busy()


@pytest.fixture
def busy(busy_library):
    """Load the busy plugin in a mode; closed when the test ends."""
    loaded = []

    def load(mode, **options):
        plugin = wb.load(busy_library, config=mode, **options)
        loaded.append(plugin)
        return plugin

    yield load
    for plugin in loaded:
        plugin.close()
