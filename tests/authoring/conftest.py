from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.compiled import compiled
from workbench.authoring.builder import build_project
from workbench.authoring.scaffold import new_project

TICKER = """
from workbench.authoring.python import EndOfEvents, PluginInfo, PythonPlugin
from workbench.fields.declarations import ArgInfo, FieldInfo


class Ticker(PythonPlugin):
    init_schema = {
        "type": "object",
        "properties": {"step": {"type": "integer", "minimum": 1}},
        "additionalProperties": False,
    }

    def info(self):
        return PluginInfo("ticker", "0.1.0", "counts", "me@example.org", 999, "ticker")

    def fields(self):
        return [
            FieldInfo("ticker.value", "uint64", desc="the number"),
            FieldInfo("ticker.text", "string", desc="the number as text"),
            FieldInfo("ticker.even", "bool", desc="even numbers"),
            FieldInfo("ticker.digits", "uint64", is_list=True, desc="its digits"),
            FieldInfo("ticker.ip", "ipaddr", desc="an address"),
            FieldInfo(
                "ticker.mod", "uint64", arg=ArgInfo(True, True, False), desc="rest"
            ),
        ]

    def init(self, config):
        self.step = config.get("step", 1)

    def open(self, params):
        if params == "fail":
            raise OSError("no such stream")
        return [0, int(params or "10")]

    def next_batch(self, stream):
        start, end = stream
        if start >= end:
            raise EndOfEvents
        stop = stream[0] = min(end, start + 500)
        return [(n + 1, b"%d" % (n * self.step)) for n in range(start, stop)]

    def progress(self, stream):
        return 100 * stream[0] / stream[1], "counting"

    def extract(self, event, name, arg):
        value = int(event.data)
        if name == "ticker.value":
            return value
        if name == "ticker.text":
            return event.data
        if name == "ticker.even":
            return value % 2 == 0
        if name == "ticker.digits":
            return [int(c) for c in event.data.decode()] if value else []
        if name == "ticker.ip":
            return f"10.0.0.{value % 256}" if value % 2 else None
        return value % arg
"""


@pytest.fixture(scope="session")
def ticker_py(tmp_path_factory) -> Path:
    """Build a plugin written in Python; its path."""
    from workbench.authoring.python.build import build_library

    folder = tmp_path_factory.mktemp("ticker")
    source = folder / "ticker.py"
    source.write_text(TICKER)
    return build_library(source, folder / "libticker.so")


@pytest.fixture(scope="session")
def plain_host() -> Path:
    """Compile a host program without any Python in it; its path."""
    source = Path(__file__).with_name("plain_host.c")
    return compiled("plain_host", "-O1", "-Wall", source, libraries=("-ldl",))


@pytest.fixture(scope="session")
def counter(tmp_path_factory) -> Path:
    """Build the C project that ``workbench new`` writes; its library."""
    folder = tmp_path_factory.mktemp("projects") / "counter"
    new_project(folder, language="c", contact="me@example.org")
    return build_project(folder).library
