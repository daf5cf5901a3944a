"""A Docker engine of our own, without networking and without touching the system's.

Used by the tests and by ``record_events.py``. Needs root and the programs dockerd,
containerd and runc (Debian: docker.io, containerd, runc) and a static busybox.
"""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import subprocess
import tarfile
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

# Debian ships the engine in sbin, which is not on everybody's path.
SEARCH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])
PROGRAMS = ("dockerd", "containerd", "runc", "docker", "busybox")


def missing(search: str = SEARCH) -> list[str]:
    """Name the programs that are not there."""
    return [name for name in PROGRAMS if not shutil.which(name, path=search)]


@contextlib.contextmanager
def running_engine(search: str = SEARCH) -> Iterator[Docker]:
    """Start an engine in a temporary folder; yields its ``unix://`` address."""
    folder = Path(tempfile.mkdtemp(prefix="docker-engine-"))
    address = f"unix://{folder}/docker.sock"
    command = [
        shutil.which("dockerd", path=search),
        *("--iptables=false", "--ip6tables=false", "--bridge=none"),
        *("--storage-driver=vfs", f"--data-root={folder}/data"),
        *(f"--exec-root={folder}/exec", f"--pidfile={folder}/pid", "-H", address),
    ]
    with (folder / "log").open("wb") as log:
        engine = subprocess.Popen(
            command, stdout=log, stderr=log, env={**os.environ, "PATH": search}
        )
    try:
        docker = Docker(address, search)
        for _ in range(200):
            if docker("version", check=False).returncode == 0:
                break
            if engine.poll() is not None:
                break
            time.sleep(0.1)
        else:
            engine.kill()
        if engine.poll() is not None:
            raise RuntimeError((folder / "log").read_text()[-3000:])
        yield docker
    finally:
        engine.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            engine.wait(20)
        if engine.poll() is None:
            engine.kill()
            engine.wait()
        shutil.rmtree(folder, ignore_errors=True)


class Docker:
    """The ``docker`` command against one engine."""

    def __init__(self, address: str, search: str = SEARCH) -> None:
        self.address = address
        self.search = search
        self.program = shutil.which("docker", path=search)

    def __call__(
        self, *words: str, check: bool = True, stdin: bytes | None = None
    ) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [self.program, "-H", self.address, *words],
            check=check,
            input=stdin,
            capture_output=True,
            timeout=60,
        )

    def import_busybox(self, tag: str = "toolbox:1") -> None:
        """Make an image of nothing but a static busybox."""
        busybox = Path(shutil.which("busybox", path=self.search)).read_bytes()
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w") as tar:
            for name in ("bin/busybox", "bin/sh", "bin/sleep", "bin/cat"):
                entry = tarfile.TarInfo(name)
                entry.mode = 0o755
                entry.size = len(busybox)
                tar.addfile(entry, io.BytesIO(busybox))
        self("import", "-", tag, stdin=out.getvalue())

    def busy_minute(self) -> None:
        """Do what people do with an engine, an intruder among them."""
        self.import_busybox()
        run = ("run", "--network", "none")
        self(*run, "-d", "--name", "web", "toolbox:1", "/bin/sleep", "600")
        self(*run, "--rm", "--name", "job", "toolbox:1", "/bin/busybox", "true")
        self(
            *run,
            "--name",
            "failing",
            "toolbox:1",
            "/bin/sh",
            "-c",
            "exit 3",
            check=False,
        )
        self("exec", "web", "/bin/busybox", "ls")
        self("exec", "web", "/bin/sh", "-c", "busybox cat /etc/shadow", check=False)
        self("cp", "web:/bin/busybox", "/dev/null", check=False)
        self("pause", "web", check=False)
        self("unpause", "web", check=False)
        self("volume", "create", "data")
        self("tag", "toolbox:1", "toolbox:2")
        self("rmi", "toolbox:2")
        self("kill", "web")
        self("rm", "web", "failing")
        self("volume", "rm", "data")
