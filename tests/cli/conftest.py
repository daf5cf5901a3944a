from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def cli():
    """Run the command line in a process of its own; give what it ended with."""

    def run(*words, **options):
        options.setdefault("timeout", 60)
        options.setdefault("text", True)
        return subprocess.run(
            [sys.executable, "-m", "workbench", *map(str, words)],
            capture_output=True,
            cwd=ROOT,
            **options,
        )

    return run


@pytest.fixture
def start():
    """Start the command line and leave it running."""
    running = []

    def begin(*words, **options):
        options.setdefault("stdout", subprocess.PIPE)
        process = subprocess.Popen(
            [sys.executable, "-m", "workbench", *map(str, words)],
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env={**os.environ, "PYTHONUNBUFFERED": ""},
            **options,
        )
        running.append(process)
        return process

    yield begin
    for process in running:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.fixture(scope="session")
def weblog(sample):
    return sample("weblog")


@pytest.fixture(scope="session")
def access_log(weblog):
    return str(weblog.parent / "data" / "access.log")


@pytest.fixture(scope="session")
def faulty(sample):
    return sample("faulty")
