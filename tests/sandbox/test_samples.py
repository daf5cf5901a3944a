"""Plugins in every language give in the sandbox what they give outside."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import workbench as wb

ROOT = Path(__file__).resolve().parents[2]
LOG = ROOT / "sample_plugins" / "weblog" / "data" / "access.log"
STORED = ROOT / "sample_plugins" / "docker" / "data" / "events.jsonl"
TIMED = ROOT / "sample_plugins" / "weblog" / "data" / "timed.log"


def both(build, capture):
    """Capture outside and inside; the tables, and what was denied inside."""
    with build() as free:
        outside = capture(free).table
    with build(sandbox=True) as bound:
        inside = capture(bound).table
        denied = bound.sandbox.denied
    assert len(outside)
    return outside, inside, denied


@pytest.mark.parametrize(
    ("name", "config", "params"),
    [
        ("weblog", None, str(LOG)),
        pytest.param(
            "dummy_c",
            '{"jitter": 0}',
            '{"start": 1, "maxEvents": 500}',
            marks=pytest.mark.cpp,
        ),
        pytest.param(
            "dummy_go",
            '{"jitter": 0}',
            '{"start": 1, "maxEvents": 500}',
            marks=pytest.mark.go,
        ),
        pytest.param("docker", None, str(STORED), marks=pytest.mark.go),
        pytest.param("hello_rs", None, "500", marks=pytest.mark.rust),
        ("faulty", None, "events=500"),
    ],
)
def test_a_source_gives_the_same(name, config, params, sample):
    library = sample(name)
    outside, inside, denied = both(
        lambda **options: wb.load(library, config=config, **options),
        lambda plugin: plugin.capture(params, max_events=500),
    )
    skipped = {"evt.rawtime", "raw"}  # when it was
    same = [c for c in outside.column_names if c not in skipped]
    assert inside.num_rows == outside.num_rows
    assert inside.select(same).equals(outside.select(same))
    # weblog looks for logs beside itself, to suggest them.
    assert set(denied) <= {
        f"open {LOG.parent}: denied by the sandbox (in plugin_list_open_params)"
    }


@pytest.mark.cpp
def test_plugins_together_give_the_same(sample):
    libraries = [sample("weblog"), sample("sessions")]

    def build(**options):
        bench = wb.Workbench(**options)
        for library in libraries:
            bench.load(library)
        return bench

    outside, inside, denied = both(build, lambda bench: bench.capture(str(TIMED)))
    assert inside.equals(outside)
    assert not [text for text in denied if "list_open_params" not in text]


@pytest.mark.cpp
@pytest.mark.go
def test_an_extractor_gives_the_same(sample):
    names = ["dummy_c", "dummy_go", "json_extract"]
    configs = ['{"jitter": 0}', '{"jitter": 0}', ""]
    libraries = [sample(name) for name in names]

    def build(**options):
        bench = wb.Workbench(**options)
        for library, config in zip(libraries, configs, strict=True):
            bench.load(library, config=config)
        return bench

    outside, inside, denied = both(
        build,
        lambda bench: bench.capture('{"start": 0, "maxEvents": 50}', source="dummy"),
    )
    assert inside["jsonx.obj"].equals(outside["jsonx.obj"])
    assert inside["dummy.value"].to_pylist() == list(range(1, 51))
    assert not denied


def test_a_plugin_written_in_python_gives_the_same(tmp_path):
    from workbench.authoring.python.build import build_library

    source = Path(__file__).with_name("ticker.py")
    library = build_library(source, tmp_path / "libticker.so")
    outside, inside, denied = both(
        lambda **options: wb.load(library, **options),
        lambda plugin: plugin.capture("300"),
    )
    assert inside.drop_columns("evt.rawtime").equals(
        outside.drop_columns("evt.rawtime")
    )
    assert inside["ticker.zone"].to_pylist()[0] == b"Europe/Berlin"
    assert not denied


def test_a_library_beside_the_plugin_is_found(build, tmp_path):
    folder = tmp_path / "deep" / "lib"
    folder.mkdir(parents=True)
    (tmp_path / "beside.c").write_text("int from_beside(void) { return 1; }\n")
    (tmp_path / "far.c").write_text("int from_far(void) { return 2; }\n")
    cc = os.environ.get("CC", "cc")
    far = [cc, "-shared", "-fPIC", "-o", folder / "libfar.so", tmp_path / "far.c"]
    subprocess.run(far, check=True)
    beside = [
        cc,
        "-shared",
        "-fPIC",
        "-o",
        tmp_path / "libbeside.so",
        tmp_path / "beside.c",
    ]
    rpath = "-Wl,-rpath,$ORIGIN/deep/lib"
    subprocess.run(
        [*beside, f"-L{folder}", "-Wl,--no-as-needed", "-lfar", rpath], check=True
    )
    library = tmp_path / "libuses.so"
    flags = ["-Wl,--no-as-needed", f"-L{tmp_path}", "-lbeside", "-Wl,-rpath,$ORIGIN"]
    library.write_bytes(build("intruder", *flags).read_bytes())
    with wb.load(library, sandbox=True) as plugin:
        readable = set(plugin.sandbox.readable)
        assert str((tmp_path / "libbeside.so").resolve()) in readable
        assert str((folder / "libfar.so").resolve()) in readable
        assert str(tmp_path.resolve()) not in readable


def test_a_needed_name_gives_no_file_that_is_no_library(build, tmp_path):
    secret = tmp_path / "libsecret.so"
    real = tmp_path / "real.c"
    real.write_text("int x;\n")
    cc = os.environ.get("CC", "cc")
    subprocess.run([cc, "-shared", "-fPIC", "-o", secret, real], check=True)
    flags = ["-Wl,--no-as-needed", f"-L{tmp_path}", "-lsecret", "-Wl,-rpath,$ORIGIN"]
    library = tmp_path / "libasks.so"
    library.write_bytes(build("intruder", *flags).read_bytes())
    secret.write_text("a key, no library")
    with pytest.raises(wb.PluginLoadError) as caught:
        wb.load(library, sandbox=True)
    assert "cannot open shared object file" in caught.value.message


@pytest.mark.skipif(sys.platform != "linux", reason="plugins are Linux libraries")
def test_a_broken_library_is_refused_as_outside(tmp_path):
    broken = tmp_path / "libbroken.so"
    broken.write_bytes(b"\x7fELF\x02\x01" + b"\xff" * 4000)
    messages = []
    for options in ({}, {"sandbox": True}):
        with pytest.raises(wb.PluginLoadError) as caught:
            wb.load(broken, **options)
        messages.append(caught.value.message.splitlines()[0])
    assert messages[0] == messages[1]
