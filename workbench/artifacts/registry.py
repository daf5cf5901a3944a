"""One OCI registry: manifests, small blobs and tags, every digest verified."""

from __future__ import annotations

import contextlib
import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from workbench.artifacts.credentials import find_credentials
from workbench.artifacts.faults import ArtifactFault
from workbench.artifacts.layout import ACCEPTED, is_digest
from workbench.artifacts.transport import (
    RegistryTransport,
    network_faults,
    read_bounded,
)
from workbench.artifacts.versions import newest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType
    from typing import Self

    import requests

    from workbench.artifacts.layout import Descriptor
    from workbench.artifacts.reference import Reference

__all__ = ["Document", "Registry"]

_MAX_MANIFEST_BYTES: Final = 4 << 20
_MAX_CONFIG_BYTES: Final = 1 << 20
_MAX_TAGS_BYTES: Final = 4 << 20
_SHOWN_TAGS: Final = 5
_OK, _PARTIAL, _NOT_FOUND, _BAD_RANGE = 200, 206, 404, 416
_CREATED, _ACCEPTED = 201, 202
# Where the interface of docker's own registry really is.
_INTERFACES: Final = {"docker.io": "registry-1.docker.io"}


@dataclass(frozen=True, slots=True)
class Document:
    """A manifest as it came. ``digest``: of its bytes."""

    body: bytes
    media_type: str
    digest: str


def _digest_of(body: bytes, like: str = "sha256:") -> str:
    algorithm = like.partition(":")[0]
    return f"{algorithm}:{hashlib.new(algorithm, body).hexdigest()}"


def _verify(body: bytes, wanted: str, what: str) -> None:
    found = _digest_of(body, wanted)
    if found != wanted:
        raise ArtifactFault(
            "digest",
            f"the {what} is not what was announced: its digest is {found}, expected "
            f"{wanted}",
            "something between the publisher and here changed it",
        )


class Registry:
    """Asks one registry. Every method raises ArtifactFault."""

    def __init__(self, host: str, *, insecure: bool = False) -> None:
        """Look up the credentials for ``host``; nothing is sent yet."""
        self.host = host
        self.insecure = insecure
        credentials, self._notes = find_credentials(host)
        self._transport = RegistryTransport(
            _INTERFACES.get(host, host), insecure=insecure, credentials=credentials
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._transport.close()

    @contextlib.contextmanager
    def _asking(self) -> Iterator[None]:
        with network_faults(self.host, insecure=self.insecure):
            try:
                yield
            except ArtifactFault as fault:
                if self._notes and "refuses access" in fault.reason:
                    fault.advice += f" ({'; '.join(self._notes)})"
                raise

    def _get(self, path: str, accept: str = "*/*", start: int = 0) -> requests.Response:
        headers = {"Accept": accept}
        if start:
            headers["Range"] = f"bytes={start}-"
        return self._transport.get(path, headers)

    def manifest(self, reference: Reference) -> Document:
        """Return the manifest, or image index, of a reference."""
        path = f"{reference.repository}/manifests/{reference.last}"
        with self._asking():
            response = self._get(path, ", ".join(ACCEPTED))
            if response.status_code == _NOT_FOUND:
                response.close()
                raise self._missing(reference)
            body = self._body(response, _MAX_MANIFEST_BYTES, "manifest")
            media_type = response.headers.get("Content-Type", "").partition(";")[0]
            said = response.headers.get("Docker-Content-Digest", "")
        if reference.digest:
            _verify(body, reference.digest, "manifest")
        elif is_digest(said):
            _verify(body, said, "manifest")
        return Document(body, media_type.strip(), _digest_of(body))

    def config(self, reference: Reference, descriptor: Descriptor) -> bytes:
        """Return the config that a manifest names."""
        if descriptor.size > _MAX_CONFIG_BYTES:
            text = f"the config has {descriptor.size:,} bytes: more than any needs"
            raise ArtifactFault("layout", text)
        path = f"{reference.repository}/blobs/{descriptor.digest}"
        with self._asking():
            body = self._body(self._get(path), _MAX_CONFIG_BYTES, "config")
        _verify(body, descriptor.digest, "config")
        return body

    def blob(
        self, reference: Reference, descriptor: Descriptor, start: int
    ) -> tuple[requests.Response, int]:
        """Return an answer that holds a blob, and the byte where it begins.

        ``start``: the first byte wanted; registries may begin at 0 all the same.
        """
        path = f"{reference.repository}/blobs/{descriptor.digest}"
        response = self._get(path, start=start)
        if response.status_code == _BAD_RANGE and start:
            response.close()
            start, response = 0, self._get(path)
        if response.status_code == _PARTIAL and start:
            begin = response.headers.get("Content-Range", "")
            if begin.startswith(f"bytes {start}-"):
                return response, start
        elif response.status_code == _OK:
            return response, 0
        response.close()
        raise self._refused(response, "archive")

    def upload(self, repository: str, digest: str, body: bytes) -> None:
        """Put a blob into a repository, unless it is there."""
        with self._asking():
            known = self._transport.send("HEAD", f"{repository}/blobs/{digest}")
            known.close()
            if known.status_code == _OK:
                return
            begun = self._transport.send("POST", f"{repository}/blobs/uploads/")
            begun.close()
            place = begun.headers.get("Location", "")
            if begun.status_code != _ACCEPTED or not place:
                raise self._refused(begun, "upload")
            mark = "&" if "?" in place else "?"
            octets = {"Content-Type": "application/octet-stream"}
            done = self._transport.send(
                "PUT", f"{place}{mark}digest={digest}", headers=octets, body=body
            )
            done.close()
            if done.status_code != _CREATED:
                raise self._refused(done, "upload")

    def publish(self, repository: str, last: str, body: bytes, media_type: str) -> None:
        """Put a manifest or image index under a tag or its digest."""
        with self._asking():
            done = self._transport.send(
                "PUT",
                f"{repository}/manifests/{last}",
                headers={"Content-Type": media_type},
                body=body,
            )
            done.close()
        if done.status_code != _CREATED:
            raise self._refused(done, "manifest")

    def _body(self, response: requests.Response, limit: int, what: str) -> bytes:
        if response.status_code != _OK:
            response.close()
            raise self._refused(response, what)
        return read_bounded(response, limit, what)

    def _refused(self, response: requests.Response, what: str) -> ArtifactFault:
        status = response.status_code
        text = f"{self.host} answers {status} {response.reason or ''}".rstrip()
        advice = "try again later" if status == 429 or status >= 500 else ""
        return ArtifactFault("registry", f"{text} for the {what}", advice)

    def _missing(self, reference: Reference) -> ArtifactFault:
        """Return the fault of a manifest that is not there, with versions that are."""
        tags = newest(self._tags(reference.repository), _SHOWN_TAGS)
        if tags:
            text = f"{self.host} has no version {reference.last} of it"
            return ArtifactFault("registry", text, f"newest are {', '.join(tags)}")
        text = f"{self.host} has no {reference.repository}:{reference.last}"
        return ArtifactFault("registry", text, "check the name and the registry")

    def _tags(self, repository: str) -> list[str]:
        """Return the versions of a repository, [] when they cannot be had."""
        with contextlib.suppress(ArtifactFault, ValueError, RecursionError):
            response = self._get(f"{repository}/tags/list")
            data = json.loads(self._body(response, _MAX_TAGS_BYTES, "list of versions"))
            tags = data.get("tags") if isinstance(data, dict) else None
            if isinstance(tags, list):
                return [tag for tag in tags if isinstance(tag, str)]
        return []
