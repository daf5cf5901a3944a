"""A command begins at once: what is large is imported when it is needed, not before."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

SCRIPT = """
import contextlib, io, json, sys
from workbench.__main__ import main
with contextlib.redirect_stdout(io.TextIOWrapper(io.BytesIO(), "utf-8")):
    status = main(sys.argv[1:])
large = {"numpy", "pyarrow", "pandas", "jsonschema", "IPython", "requests", "re2"}
print(json.dumps([status, sorted(large & set(sys.modules))]))
"""


def loaded(*words: str) -> list[str]:
    """Return the large modules that a command imported."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *words],
        capture_output=True,
        text=True,
        check=True,
    )
    status, modules = json.loads(done.stdout.splitlines()[-1])
    assert status == 0, done.stderr
    return modules


@pytest.fixture
def weblog(request) -> str:
    return str(request.config.rootpath / "sample_plugins/weblog/libweblog.so")


def test_help_imports_nothing_large():
    assert loaded("--help") == []
    for command in ("inspect", "stream", "run", "validate", "check"):
        assert not {"pandas", "jsonschema"} & {*loaded(command, "--help")}


def test_inspect_imports_no_arrow(weblog):
    assert loaded("inspect", weblog) == []
    assert loaded("inspect", weblog, "--json") == []


def test_validate_imports_no_arrow(weblog, request):
    rules = request.config.rootpath / "sample_plugins/weblog/weblog_rules.yaml"
    assert not {"numpy", "pyarrow", "pandas"} & {*loaded("validate", str(rules))}
    assert not {"numpy", "pyarrow", "pandas"} & {
        *loaded("validate", str(rules), "--plugin", weblog)
    }


def test_run_imports_no_pandas(weblog, request):
    folder = request.config.rootpath / "sample_plugins/weblog"
    words = ["run", "--plugin", weblog, "--open", str(folder / "data/access.log")]
    words += ["-r", str(folder / "weblog_rules.yaml"), "--max-events", "1000"]
    assert "pandas" not in loaded(*words)
    assert "jsonschema" not in loaded(*words, "--json")
