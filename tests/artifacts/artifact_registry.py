"""A real registry (Debian's docker-registry) on loopback, and falcoctl's layout in it."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import platform
import re
import subprocess
import tarfile
import time
from typing import TYPE_CHECKING

import requests

if TYPE_CHECKING:
    from pathlib import Path

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
OURS = {"x86_64": "linux/amd64", "aarch64": "linux/arm64"}[platform.machine()]
OTHER = {"linux/amd64": "linux/arm64", "linux/arm64": "linux/amd64"}[OURS]
RULES = b"""- rule: Server error
  desc: The server failed
  condition: weblog.status >= 500
  output: failed (%weblog.path)
  priority: ERROR
  source: weblog
"""
# Who is let into the guarded registry.
USER, PASSWORD = "falco", "s3cret:with colon"
# the same as htpasswd -B writes it
HASHED = "$2b$05$uPqxEkDGFXSJIKWAROySV.BzIx678qBOJEwOopwObPSrfDWNtRVQ2"
LAYER = "application/vnd.cncf.falco.{}.layer.v1+tar.gz"
CONFIG = "application/vnd.cncf.falco.{}.config.v1+json"


def sha256(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


def targz(files) -> bytes:
    """Give a tar.gz of name → bytes, or of ready TarInfo objects (with their bytes)."""
    out = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=out, mode="wb", mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w") as tar,
    ):
        for name, data in files.items() if isinstance(files, dict) else files:
            info = name
            if not isinstance(name, tarfile.TarInfo):
                info = tarfile.TarInfo(name)
                info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()


class RegistryServer:
    """One docker-registry process; ``push_…`` put artifacts there as falcoctl does."""

    def __init__(
        self, program: str, folder: Path, *, users: Path | None = None
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.storage = folder / "storage"
        self.auth = None
        config = [
            "version: 0.1",
            "log: {level: info, accesslog: {disabled: true}}",
            f"storage: {{filesystem: {{rootdirectory: {self.storage}}}}}",
            "http: {addr: '127.0.0.1:0'}",
        ]
        if users is not None:
            config.append(f"auth: {{htpasswd: {{realm: tests, path: {users}}}}}")
        path = folder / "config.yml"
        path.write_text("\n".join(config) + "\n")
        self.log = folder / "log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [program, "serve", str(path)], stdout=log, stderr=log
            )
        self.host = f"127.0.0.1:{self._port()}"

    def _port(self) -> int:
        limit = time.monotonic() + 30
        while time.monotonic() < limit:
            said = self.log.read_text(errors="replace")
            match = re.search(r"listening on 127\.0\.0\.1:(\d+)", said)
            if match:
                return int(match[1])
            assert self.process.poll() is None, said
            time.sleep(0.05)
        raise AssertionError("docker-registry does not listen: " + said)

    def close(self) -> None:
        self.process.kill()
        self.process.wait()

    # -- pushing ---------------------------------------------------------------------

    def _url(self, path: str) -> str:
        return f"http://{self.host}/v2/{path}"

    def _request(self, method: str, url: str, **options) -> requests.Response:
        with requests.Session() as session:
            session.trust_env = False
            return session.request(method, url, auth=self.auth, timeout=30, **options)

    def push_blob(
        self, repository: str, data: bytes, media_type: str, title=""
    ) -> dict:
        begun = self._request("POST", self._url(f"{repository}/blobs/uploads/"))
        assert begun.status_code == 202, begun.text
        place = begun.headers["Location"]
        mark = "&" if "?" in place else "?"
        done = self._request(
            "PUT",
            f"{place}{mark}digest={sha256(data)}",
            data=data,
            headers={"Content-Type": "application/octet-stream"},
        )
        assert done.status_code == 201, done.text
        about = {"mediaType": media_type, "digest": sha256(data), "size": len(data)}
        if title:
            about["annotations"] = {"org.opencontainers.image.title": title}
        return about

    def push_document(self, repository: str, last: str, document: dict) -> dict:
        body = json.dumps(document).encode()
        kind = document["mediaType"]
        done = self._request(
            "PUT",
            self._url(f"{repository}/manifests/{last}"),
            data=body,
            headers={"Content-Type": kind},
        )
        assert done.status_code == 201, done.text
        return {"mediaType": kind, "digest": sha256(body), "size": len(body)}

    def push_manifest(self, repository, archive, kind="plugin", config=None, **options):
        """Push layer, config and manifest; give the manifest's descriptor."""
        layer_type = options.get("layer_type", LAYER.format(kind))
        title = options.get("title", "artifact.tar.gz")
        layer = self.push_blob(repository, archive, layer_type, title)
        body = (
            config if isinstance(config, bytes) else json.dumps(config or {}).encode()
        )
        about = self.push_blob(repository, body, CONFIG.format(kind))
        document = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": about,
            "layers": [layer],
        }
        last = options.get("tag") or sha256(json.dumps(document).encode())
        return self.push_document(repository, last, document)

    def push_plugin(self, repository, builds, tag="latest", config=None, **options):
        """Push an image index; ``builds``: "linux/amd64" → archive."""
        entries = []
        for name, archive in builds.items():
            about = self.push_manifest(repository, archive, "plugin", config, **options)
            system, processor = name.split("/")
            about["platform"] = {"os": system, "architecture": processor}
            entries.append(about)
        document = {"schemaVersion": 2, "mediaType": INDEX, "manifests": entries}
        return self.push_document(repository, tag, document)

    def push_rules(self, repository, archive, tag="latest", config=None):
        return self.push_manifest(repository, archive, "rulesfile", config, tag=tag)

    def stored(self, digest: str) -> Path:
        """Give the file in which the registry keeps a blob."""
        name = digest.removeprefix("sha256:")
        blobs = self.storage / "docker" / "registry" / "v2" / "blobs" / "sha256"
        return blobs / name[:2] / name / "data"
