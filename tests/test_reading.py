"""Only regular files are read, whoever names another kind."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

import workbench as wb
from workbench.__main__ import main
from workbench.falco_config import read_falco_yaml
from workbench.reading import read_regular
from workbench.rules.loading.files import read_path
from workbench.rules.testing.case_files import read_tests


def read_rules(path):
    raise wb.WorkbenchError(read_path(path).fault.message)


READERS = {
    "rules": read_rules,
    "falco.yaml": read_falco_yaml,
    "rule tests": read_tests,
    "library": wb.inspect,
}


def refused(read, path):
    """Return what the error says; a reader that waits is ended by the timeout."""
    with pytest.raises(wb.WorkbenchError) as caught:
        read(path)
    text = "\n".join(
        [str(caught.value), *map(str, getattr(caught.value, "diagnostics", None) or [])]
    )
    assert len(text) < 3000
    return text


@pytest.fixture
def odd(tmp_path):
    """A pipe under every suffix, and what the kernel offers."""

    def make(kind, suffix):
        path = tmp_path / f"odd{suffix}"
        if kind == "pipe":
            os.mkfifo(path)
        else:
            path.symlink_to({"kernel": "/proc/self/mountinfo", "device": kind}[kind])
        return path

    return make


@pytest.mark.timeout(20)
@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("kind", ["pipe", "kernel"])
def test_readers_refuse_at_once_what_is_no_file(odd, reader, kind):
    path = odd(kind, ".yaml")
    text = refused(READERS[reader], path)
    assert (
        "regular file" in text or "is not a shared library" in text or "empty" in text
    )


@pytest.mark.timeout(20)
@pytest.mark.parametrize("suffix", [".scap", ".scap.gz", ".arrow", ".parquet"])
@pytest.mark.parametrize("kind", ["pipe", "kernel"])
def test_captures_are_regular_files(odd, suffix, kind):
    path = odd(kind, suffix)
    text = refused(wb.open_events, path)
    assert text == (
        f"cannot read {path}: it is not a regular file; copy its content to a file first"
    )


@pytest.mark.timeout(60)
def test_libraries_to_compare_are_regular_files(odd, capsys):
    path = str(odd("pipe", ".so"))
    assert main(["diff", path, path]) == 1
    assert "is not a regular file" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["n" * 1_000_000, "a\0b"])
@pytest.mark.parametrize("reader", sorted(READERS.keys() - {"library"}))
def test_absurd_names_are_said_in_few_words(tmp_path, reader, name):
    refused(READERS[reader], tmp_path / name)


def test_reading_stops_at_the_limit(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"12345")
    assert read_regular(path, 3) == b"123"
    done = subprocess.run(
        [sys.executable, "-c", "import workbench.reading"], capture_output=True
    )
    assert done.returncode == 0
