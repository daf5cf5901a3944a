"""Plugins in C++ whose classes are called alike, in one process: each is itself."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

import workbench as wb
from workbench.authoring.builder import build_project
from workbench.authoring.scaffold import new_project

HERE = Path(__file__).resolve().parent
INCLUDE = HERE.parents[1] / "workbench" / "authoring" / "include"

pytestmark = pytest.mark.cpp


@pytest.fixture
def build(tmp_path, require):
    compiler = require("cpp")

    def compile_one(name: str, version: str, number: int, *flags: str) -> Path:
        target = tmp_path / f"lib{name}.so"
        named = [f'-DNAME="{name}"', f'-DVERSION="{version}"', f"-DNUMBER={number}"]
        command = [
            *(compiler, "-std=c++11", "-Wall", "-Wextra", f"-I{INCLUDE}", "-fPIC"),
            *("-shared", *named, *flags, str(HERE / "same_names.cpp")),
            *("-o", f"{target}.part"),
        ]
        done = subprocess.run(command, capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (0, "")
        Path(f"{target}.part").replace(target)
        return target

    return compile_one


def exported(library: Path) -> dict[str, str]:
    """Return the symbols that the library defines for others, with their kinds."""
    listed = subprocess.run(
        ["nm", "-D", "--defined-only", "--format=posix", str(library)],
        capture_output=True,
        text=True,
        check=True,
    )
    rows = (line.split() for line in listed.stdout.splitlines())
    return {name: kind for name, kind, *_ in rows}


def described(plugin, events) -> dict[str, object]:
    """Return all that a plugin says of itself, and what it extracts."""
    name = plugin.name
    frame = events.frame
    return {
        "name": name,
        "version": plugin.info.version,
        "fields": [field.name for field in plugin.info.fields.values()],
        "schema": plugin.info.init_schema,
        "async": list(plugin.info.async_events),
        "number": set(frame[f"{name}.number"]),
        "text": set(frame[f"{name}.text"]),
    }


def expected(name: str, version: str, number: int, *events: str) -> dict[str, object]:
    return {
        "name": name,
        "version": version,
        "fields": [f"{name}.number", f"{name}.text"],
        "schema": {"title": name},
        "async": list(events),
        "number": {number},
        "text": {version},
    }


def test_sources_in_one_process(build):
    one, two = build("one", "1.0.0", 1), build("two", "2.0.0", 2)
    with (
        wb.load(one, isolation="none") as first,
        wb.load(two, isolation="none") as second,
    ):
        assert described(first, first.capture("")) == expected("one", "1.0.0", 1)
        assert described(second, second.capture("")) == expected("two", "2.0.0", 2)


@pytest.mark.parametrize("isolation", ["process", "none"])
def test_stateful_plugins_in_one_process(build, sample, isolation):
    one = build("one", "1.0.0", 1, "-DSTATEFUL")
    two = build("two", "2.0.0", 2, "-DSTATEFUL")
    with wb.Workbench(isolation=isolation) as bench:
        weblog = bench.load(sample("weblog"))
        plugins = [bench.load(one), bench.load(two)]
        events = bench.capture(weblog.open_params[0].value, max_events=3)
        assert [described(plugin, events) for plugin in plugins] == [
            expected("one", "1.0.0", 1, "one_async"),
            expected("two", "2.0.0", 2, "two_async"),
        ]


def test_a_rebuild_in_this_process_is_the_new_one(build):
    with wb.load(build("one", "1.0.0", 1), isolation="none") as old:
        assert described(old, old.capture("")) == expected("one", "1.0.0", 1)
        with wb.load(build("one", "2.0.0", 2), isolation="none") as new:
            assert described(new, new.capture("")) == expected("one", "2.0.0", 2)
        assert described(old, old.capture("")) == expected("one", "1.0.0", 1)


@pytest.mark.parametrize("flags", [(), ("-DSTATEFUL",)], ids=["source", "stateful"])
def test_what_our_headers_remember_is_not_shared(build, flags):
    found = exported(build("one", "1.0.0", 1, *flags))
    assert "plugin_init" in found
    # Functions, what they remember, and type information of falcosecurity::detail.
    inner = re.compile(r"_Z(GV|T[VIS])?Z?NK?13falcosecurity6detail")
    assert [name for name in found if inner.match(name)] == []
    # The dynamic linker merges such symbols over all libraries of a process.
    merged = [name for name, kind in found.items() if kind == "u"]
    assert [name for name in merged if not re.match("_Z(GV)?ZNK?S", name)] == []


def test_with_our_flags_what_authors_remember_is_not_shared_either(build):
    flags = ("-DREMEMBERS", "-fvisibility=hidden")
    flags += (f"-Wl,--version-script={INCLUDE / 'falco_plugin.map'}",)
    one, two = build("one", "1.0.0", 1, *flags), build("two", "2.0.0", 2, *flags)
    with (
        wb.load(one, isolation="none") as first,
        wb.load(two, isolation="none") as second,
    ):
        assert described(first, first.capture("")) == expected("one", "1.0.0", 1)
        assert described(second, second.capture("")) == expected("two", "2.0.0", 2)


@pytest.mark.parametrize("name", ["dummy_c", "sessions", "json_extract", "weblog"])
def test_samples_export_the_plugin_api_alone(sample, name):
    found = exported(sample(name))
    assert "plugin_init" in found
    assert [symbol for symbol in found if not symbol.startswith("plugin_")] == []


@pytest.mark.parametrize("language", ["c", "cpp"])
def test_new_projects_export_the_plugin_api_alone(tmp_path, language):
    new_project(tmp_path / "fresh", language=language)
    found = exported(build_project(tmp_path / "fresh").library)
    assert "plugin_init" in found
    assert [symbol for symbol in found if not symbol.startswith("plugin_")] == []
