"""What a release rests on: one version, a workflow that is valid, recipes that fit."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

import workbench
from tests.packaging import check_release

ROOT = Path(__file__).resolve().parents[2]
ACTIONLINT = "github.com/rhysd/actionlint/cmd/actionlint@v1.7.7"


def test_the_version_stands_in_one_place():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    assert "version" in project["project"]["dynamic"]
    assert check_release.written_version() == workbench.__version__
    text = (ROOT / "CITATION.cff").read_text("utf-8")
    assert f"\nversion: {workbench.__version__}\n" in text


def test_a_tag_without_its_section_is_no_release():
    version = workbench.__version__
    assert f"tag v{version}" in check_release.complaints("v99.0.0")[0]
    found = check_release.complaints(f"v{version}")
    section = f"## {version}" in (ROOT / "CHANGELOG.md").read_text("utf-8")
    assert found == ([] if section else [f"CHANGELOG.md has no section '## {version}'"])


@pytest.mark.slow
@pytest.mark.go
@pytest.mark.timeout(300)
def test_the_workflows_are_valid(require):
    go = require("go")
    files = sorted(map(str, (ROOT / ".github" / "workflows").glob("*.yml")))
    done = subprocess.run(
        [go, "run", ACTIONLINT, "-no-color", "-shellcheck=", "-pyflakes=", *files],
        cwd=ROOT,
        # Nothing of it goes into the module file of a project.
        env={**os.environ, "GOFLAGS": "-mod=mod"},
        capture_output=True,
        text=True,
    )
    if done.returncode and "actionlint" not in done.stdout and "dial" in done.stderr:
        pytest.skip("the Go module proxy is not reachable")
    assert done.returncode == 0, done.stdout + done.stderr


def test_what_the_workflows_and_recipes_call_exists():
    texts = [
        path.read_text("utf-8")
        for path in [
            *(ROOT / ".github" / "workflows").glob("*.yml"),
            ROOT / "RELEASING.md",
        ]
    ]
    for script in set(re.findall(r"tests/\w+/\w+\.py", "\n".join(texts))):
        assert (ROOT / script).is_file(), script
    targets = (ROOT / "Makefile").read_text("utf-8")
    devcontainer = json.loads((ROOT / ".devcontainer/devcontainer.json").read_text())
    made = re.findall(
        r"make ([a-z ]+)", "\n".join([*texts, devcontainer["postCreateCommand"]])
    )
    for target in " ".join(made).split():
        assert re.search(rf"^{target}:", targets, re.MULTILINE), target


def test_the_container_does_not_run_as_root():
    lines = (ROOT / "Containerfile").read_text("utf-8").splitlines()
    users = [line.split()[1] for line in lines if line.startswith("USER ")]
    assert users, "no USER line"
    assert users[-1] not in {"root", "0"}
    last = max(i for i, line in enumerate(lines) if line.startswith("USER "))
    assert [line for line in lines[last:] if line.startswith("CMD ")]


@pytest.mark.slow
@pytest.mark.docker
@pytest.mark.timeout(900)
def test_the_container_builds_and_shows_its_version():
    docker = shutil.which("docker")
    if (
        docker is None
        or subprocess.run([docker, "info"], capture_output=True).returncode
    ):
        pytest.skip("no Docker engine runs here")
    base = re.search(r"FROM (\S+) AS", (ROOT / "Containerfile").read_text("utf-8"))[1]
    base = base.replace("${PYTHON}", "3.12")
    if subprocess.run([docker, "pull", "-q", base], capture_output=True).returncode:
        pytest.skip(f"{base} cannot be fetched here")
    subprocess.run(
        [
            docker,
            "build",
            "-q",
            "-f",
            "Containerfile",
            "-t",
            "falco-workbench-test",
            ".",
        ],
        cwd=ROOT,
        check=True,
    )
    run = [docker, "run", "--rm", "falco-workbench-test"]
    shown = subprocess.run(
        [*run, "workbench", "--version"], capture_output=True, text=True
    )
    assert shown.stdout.strip() == workbench.__version__
    user = subprocess.run([*run, "id", "-u"], capture_output=True, text=True)
    assert user.stdout.strip() == "1000"
