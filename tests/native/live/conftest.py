from __future__ import annotations

from pathlib import Path

import pytest

import workbench as wb
from tests.support.compiled import compiled

HERE = Path(__file__).resolve().parent
INCLUDE = HERE.parents[2] / "workbench" / "authoring" / "include"


@pytest.fixture(scope="session")
def compile_busy():
    """Compile the busy plugin with further flags; give its path."""

    def build(*flags):
        return compiled(
            "libbusy.so",
            *("-g", "-O1", "-std=gnu11", "-Wall", "-Wextra", "-Wno-unused-parameter"),
            *(f"-I{INCLUDE}", "-fPIC", "-shared", *flags, HERE / "busy.c"),
            libraries=("-lpthread",),
        )

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
