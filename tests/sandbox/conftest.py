from __future__ import annotations

import os
import socket
import subprocess
from pathlib import Path

import pytest

import workbench as wb
from workbench.host.confine import missing_layers

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items):
    """Skip what needs the whole sandbox where the kernel lacks a part of it."""
    missing = missing_layers()
    for item in items:
        if missing and HERE in item.path.parents and "any_kernel" not in item.keywords:
            item.add_marker(pytest.mark.skip(reason=f"no sandbox here: {missing[0]}"))


def compile_c(source: Path, out: Path, *flags: str) -> Path:
    command = [os.environ.get("CC", "cc"), "-O1", "-g", *flags, "-o", str(out)]
    subprocess.run([*command, str(source), "-lpthread"], check=True)
    return out


@pytest.fixture(scope="session")
def build(tmp_path_factory):
    """Compile a C file of this folder as a library, or as a program."""

    def compiled(name: str, *flags: str, program: bool = False) -> Path:
        folder = tmp_path_factory.mktemp(name)
        out = folder / (name if program else f"lib{name}.so")
        kind = [] if program else ["-fPIC", "-shared"]
        return compile_c(HERE / f"{name}.c", out, *kind, *flags)

    return compiled


@pytest.fixture(scope="session")
def intruder(build) -> Path:
    """The plugin that tries what is forbidden."""
    return build("intruder")


@pytest.fixture(scope="session")
def attempt(intruder):
    """Let the plugin try things, one per line; give its answers and what was told."""

    def run(*lines: str, **options) -> tuple[list[str], wb.PluginInitError]:
        with pytest.raises(wb.PluginInitError) as caught:
            wb.load(intruder, config="\n".join(lines), **options)
        return caught.value.last_error.splitlines(), caught.value

    return run


@pytest.fixture(scope="session")
def servers(tmp_path_factory):
    """Somebody who listens: TCP and UDP ports, a Unix path and an abstract name."""
    path = str(tmp_path_factory.mktemp("socket") / "listener")
    name = f"workbench-{os.getpid()}"
    tcp = socket.create_server(("127.0.0.1", 0))
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind(("127.0.0.1", 0))
    named, abstract = (socket.socket(socket.AF_UNIX) for _ in range(2))
    named.bind(path)
    abstract.bind("\0" + name)
    for each in (named, abstract):
        each.listen()
    yield {
        "tcp": f"tcp {tcp.getsockname()[1]}",
        "udp": f"udp {udp.getsockname()[1]}",
        "unix": f"unix {path}",
        "abstract": f"abstract {name}",
    }
    for each in (tcp, udp, named, abstract):
        each.close()
