from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

# The servers lie beside this file.
sys.path.insert(0, str(Path(__file__).parent))

from artifact_front import Front
from artifact_registry import HASHED, OURS, PASSWORD, USER, RegistryServer, targz

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """Folders of a user who has installed nothing; nothing leaves this machine."""
    for name in list(os.environ):
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    for name in ("DATA", "CACHE", "STATE", "CONFIG"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / name.lower()))
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
    monkeypatch.delenv("WORKBENCH_PLUGIN_PATH", raising=False)
    return tmp_path / "data" / "falco-plugin-workbench"


@pytest.fixture(scope="session")
def program(require):
    return require("registry")


@pytest.fixture(scope="session")
def registry(program, tmp_path_factory):
    """A registry that everybody may read; tests use repositories of their own."""
    server = RegistryServer(program, tmp_path_factory.mktemp("registry"))
    yield server
    server.close()


@pytest.fixture(scope="session")
def guarded(program, tmp_path_factory):
    """A registry that wants a user and password, with one plugin in it."""
    folder = tmp_path_factory.mktemp("guarded")
    users = folder / "users"
    users.write_text(f"{USER}:{HASHED}\n")
    server = RegistryServer(program, folder, users=users)
    server.auth = (USER, PASSWORD)
    yield server
    server.close()


@pytest.fixture
def front(registry):
    """A server before the registry that misbehaves as told."""
    made = Front(registry.host)
    yield made
    made.close()


@pytest.fixture
def repository(request):
    """A repository that no other test uses."""
    return "tests/" + hashlib.sha256(request.node.nodeid.encode()).hexdigest()[:16]


@pytest.fixture(scope="session")
def weblog(sample):
    """The weblog sample's library."""
    return sample("weblog")


@pytest.fixture(scope="session")
def archive(weblog):
    """The archive of the weblog plugin as falcoctl's users make it."""
    return targz({"libweblog.so": weblog.read_bytes()})


@pytest.fixture
def published(registry, repository, archive):
    """Push the weblog plugin; give HOST/REPOSITORY."""
    config = {"name": "weblog", "version": "0.1.0"}
    registry.push_plugin(f"{repository}/weblog", {OURS: archive}, config=config)
    return f"{registry.host}/{repository}/weblog"


@pytest.fixture
def write_index(tmp_path):
    """Write an index of name → (type, registry, repository); give its path."""

    def write(entries, name="index.yaml"):
        lines = []
        for key, (kind, host, place) in entries.items():
            lines += [f"- name: {key}", f"  type: {kind}", f"  registry: {host}"]
            lines += [f"  repository: {place}"]
        path = tmp_path / name
        path.write_text("\n".join(lines) + "\n")
        return str(path)

    return write


@pytest.fixture
def installed(home):
    """Give the files below the user's folder, without locks."""

    def files():
        found = [p for p in home.rglob("*") if not p.is_dir() and p.name != ".lock"]
        return sorted(str(p.relative_to(home)) for p in found)

    return files


@pytest.fixture
def docker_login(tmp_path):
    """Write a docker config."""

    def write(**config):
        folder = tmp_path / "docker"
        folder.mkdir(exist_ok=True)
        (folder / "config.json").write_text(json.dumps(config))

    return write


@pytest.fixture
def start():
    """Start the command line in a process of its own."""
    running = []

    def begin(*words, **options):
        process = subprocess.Popen(
            [sys.executable, "-m", "workbench", *map(str, words)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            **options,
        )
        running.append(process)
        return process

    yield begin
    for process in running:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.fixture
def cli():
    """Run the command line; give what it ended with."""

    def run(*words, **options):
        return subprocess.run(
            [sys.executable, "-m", "workbench", *map(str, words)],
            capture_output=True,
            text=True,
            cwd=ROOT,
            timeout=120,
            **options,
        )

    return run
