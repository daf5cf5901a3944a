"""Files that are no plugin: one clear error each, and the next call works."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.compiled import c_compiler
from workbench.errors import PluginLoadError


def refused(session, path) -> str:
    with pytest.raises(PluginLoadError) as caught:
        session.load(str(path))
    error = caught.value
    assert error.path == str(path)
    assert error.complaints
    with pytest.raises(PluginLoadError, match="cannot load plugin"):
        session.inspect(str(path))
    return error.message


def test_files_that_are_no_library(worker, plugin, tmp_path):
    good = plugin("probe")
    text = tmp_path / "notes.txt"
    text.write_text("not a library\n" * 10)
    empty = tmp_path / "empty.so"
    empty.touch()
    script = tmp_path / "script.so"
    script.write_text("#!/bin/sh\n")
    archive = tmp_path / "x.a"
    archive.write_bytes(b"!<arch>\n" + bytes(100))
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    dangling = tmp_path / "connection.so"
    dangling.symlink_to(tmp_path / "gone.so")
    cases = {
        tmp_path
        / "missing.so": "no such file (check the path, or build the plugin first)",
        dangling: "the connection points to a missing file",
        tmp_path: "is a folder (name the .so file in it)",
        fifo: "is not a regular file",
        text: "is not a shared library",
        empty: "the file is empty (build the plugin again)",
        script: "is a script, not a Linux shared library",
        archive: "is a static archive (.a), not a Linux shared library",
        text / "x": "a part of the path is not a folder",
        Path(sys.executable).resolve(): "not a shared library",
    }
    for path, words in cases.items():
        if path == Path(sys.executable).resolve() and is_pie(path):
            continue
        assert words in refused(worker, path), path
    assert worker.load(str(good))[1].name == "probe"


def is_pie(path) -> bool:
    """Position-independent programs look like libraries; dlopen says the rest."""
    return path.read_bytes()[16] == 3


def test_a_program_is_no_library(worker):
    message = refused(worker, Path("/bin/true").resolve())
    assert "shared" in message or "dynamically load" in message


def test_another_architecture_is_named(worker, plugin, tmp_path):
    data = bytearray(plugin("probe").read_bytes())
    data[18:20] = (183).to_bytes(2, "little")
    arm = tmp_path / "arm.so"
    arm.write_bytes(data)
    message = refused(worker, arm)
    assert "built for aarch64 (64-bit), this machine is x86_64" in message or (
        "built for" in message
    )


@pytest.mark.parametrize("keep", [20, 63, 2000, 0.5, 0.9])
def test_truncated_files_never_reach_the_loader(worker, plugin, tmp_path, keep):
    data = plugin("probe").read_bytes()
    short = tmp_path / "short.so"
    short.write_bytes(data[: keep if isinstance(keep, int) else int(len(data) * keep)])
    assert "truncated" in refused(worker, short)


def test_no_permission(worker, plugin, tmp_path):
    if os.geteuid() == 0:
        pytest.skip("root may read everything")
    path = tmp_path / "secret.so"
    shutil.copy(plugin("probe"), path)
    path.chmod(0)
    assert "no permission to read it (try: chmod a+r" in refused(worker, path)


def test_a_library_that_is_no_plugin(worker, tmp_path):
    source = tmp_path / "plain.c"
    source.write_text("int plain(void) { return 1; }\n")
    library = tmp_path / "plain.so"
    subprocess.run(
        [c_compiler(), "-shared", "-fPIC", "-o", library, source], check=True
    )
    with pytest.raises(PluginLoadError) as caught:
        worker.load(str(library))
    assert caught.value.complaints == [
        "plugin_get_required_api_version symbol not implemented"
    ]
    assert "is it a plugin?" in caught.value.message


def test_missing_symbols_and_libraries_are_told_in_dlopens_words(worker, tmp_path):
    source = tmp_path / "wants.c"
    source.write_text(
        "int missing_thing(void);\nint f(void){return missing_thing();}\n"
    )
    library = tmp_path / "wants.so"
    subprocess.run(
        [c_compiler(), "-shared", "-fPIC", "-o", library, source], check=True
    )
    message = refused(worker, library)
    assert "can't load plugin dynamic library" in message
    assert "undefined symbol: missing_thing" in message
    assert "connection it with every library it uses" in message
    assert "/proc/self/fd" not in message


def test_a_plugin_with_a_library_beside_it(session, tmp_path):
    helper = tmp_path / "helper.c"
    helper.write_text("int helper_id(void) { return 4711; }\n")
    subprocess.run(
        [c_compiler(), "-shared", "-fPIC", "-o", tmp_path / "libhelper.so", helper],
        check=True,
    )
    source = Path(__file__).parents[1] / "support" / "plugins" / "probe.c"
    wrapper = tmp_path / "wrapped.c"
    wrapper.write_text(
        f'unsigned helper_id(void);\n#define PLUGIN_ID helper_id()\n#include "{source}"\n'
    )
    library = tmp_path / "wrapped.so"
    subprocess.run(
        [
            *(c_compiler(), "-shared", "-fPIC", "-o", library, wrapper),
            *(f"-L{tmp_path}", "-lhelper", "-Wl,-rpath,$ORIGIN"),
        ],
        check=True,
    )
    assert session.load(str(library))[1].id == 4711


def test_overwriting_the_file_does_not_touch_what_runs(worker, plugin, tmp_path, read):
    path = tmp_path / "copy.so"
    shutil.copy(plugin("probe"), path)
    index, _ = worker.load(str(path))
    path.write_bytes(b"rubbish")
    worker.init(index, "")
    assert read(worker, index, "n=500")[0].num_rows == 500


def test_a_rebuilt_file_is_a_new_library(session, plugin, tmp_path):
    path = tmp_path / "again.so"
    shutil.copy(plugin("probe"), path)
    assert session.inspect(str(path)).id == 999
    shutil.copy(plugin("probe", PLUGIN_ID=5), path)
    assert session.inspect(str(path)).id == 5


def test_a_relative_path_is_relative_to_here(session, plugin, tmp_path, monkeypatch):
    shutil.copy(plugin("probe"), tmp_path / "here.so")
    monkeypatch.chdir(tmp_path)
    manifest = session.load("here.so")[1]
    assert (manifest.name, manifest.path) == ("probe", "here.so")
