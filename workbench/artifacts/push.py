"""Rules files and plugins put into a registry, in falcoctl's layout.

files ─▶ archive (the same bytes for the same files) ─▶ blobs ─▶ manifest, for plugins
one per platform behind an image index ─▶ tags. Tags come last: who fetches meanwhile
gets the old version or the new one, whole.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import struct
import tarfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from workbench.artifacts.archive import check_library
from workbench.artifacts.faults import ArtifactFault, artifact_error
from workbench.artifacts.layout import (
    INDEX_TYPES,
    KINDS,
    MANIFEST_TYPE,
    PLATFORMS,
    ArtifactConfig,
    Kind,
    Platform,
)
from workbench.artifacts.reference import LATEST, Reference, is_tag, parse_request
from workbench.artifacts.registry import Registry
from workbench.reading import read_regular

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence

__all__ = ["Pushed", "kind_of", "platform_of", "push"]

# Platform, None for rules files → title and bytes of the archive.
_Archives: TypeAlias = "dict[Platform | None, tuple[str, bytes]]"
_TITLE: Final = "org.opencontainers.image.title"


@dataclass(frozen=True, slots=True)
class Pushed:
    """What is in the registry now. ``digest``: of the manifest or image index."""

    reference: str
    digest: str
    tags: tuple[str, ...]
    kind: str


def push(
    name: str,
    files: Sequence[str | os.PathLike[str]],
    config: ArtifactConfig,
    *,
    tags: Sequence[str] = (),
    insecure: bool = False,
) -> Pushed:
    """Put rules files, or builds of one plugin, into a registry.

    ``name``: HOST/REPOSITORY[:VERSION]; without a version that of ``config``, or
    latest. ``files``: YAML files, or .so files of which each is for another platform.
    ``config``: what the artifact says of itself. ``tags``: further ones. ``insecure``:
    without TLS, for a registry on this machine. Credentials are docker's. Raises
    ArtifactError; a tag is then as it was before.
    """
    try:
        reference = _reference(name, config.version)
        wanted = _tags([reference.tag, *tags])
        paths = [Path(file) for file in files]
        kind = kind_of(paths)
        config = replace(config, version=config.version or reference.tag)
        archives = _archives(kind, paths)
        with Registry(reference.host, insecure=insecure) as registry:
            pusher = _Pusher(registry, reference, kind, config)
            digest = pusher.publish(archives, wanted)
    except ArtifactFault as fault:
        raise artifact_error(fault, name, doing="push") from None
    except OSError as error:
        text = f"a file cannot be read: {error.strerror or error}"
        unread = ArtifactFault("archive", text)
        raise artifact_error(unread, name, doing="push") from None
    return Pushed(str(reference), digest, tuple(wanted), kind.name)


def _reference(name: str, version: str) -> Reference:
    asked = parse_request(name)
    if not asked.host:
        text = f"{name!r} names no registry"
        raise ArtifactFault("name", text, "write HOST/REPOSITORY, or with :VERSION")
    if asked.digest:
        text = "a digest cannot be chosen"
        raise ArtifactFault("name", text, "it follows from the content; name a version")
    tag = asked.tag or version or LATEST
    return Reference(asked.host, asked.repository, tag)


def _tags(given: Sequence[str]) -> list[str]:
    for tag in given:
        if not is_tag(tag):
            text = f"{tag!r} is not a version"
            raise ArtifactFault("name", text, "versions look like 0.7.0 or latest")
    return list(dict.fromkeys(given))


def kind_of(paths: Sequence[Path]) -> Kind:
    """Return what files are, taken together. Raises ArtifactFault."""
    found = {
        kind.name for kind in KINDS.values() for p in paths if p.suffix in kind.suffixes
    }
    others = [
        p.name for p in paths if not any(p.suffix in k.suffixes for k in KINDS.values())
    ]
    if others:
        text = f"{others[0]} is neither a plugin (.so) nor a rules file (.yaml, .yml)"
        raise ArtifactFault("layout", text)
    if len(found) != 1:
        text = "a plugin and rules files are two artifacts" if found else "no files"
        advice = "push the plugin first, then the rules, which name it as dependency"
        raise ArtifactFault("layout", text, advice)
    return KINDS[found.pop()]


def platform_of(path: Path) -> Platform:
    """Return what a library is built for. Raises ArtifactFault and OSError."""
    with path.open("rb") as stream:
        head = stream.read(20)
    machine = struct.unpack_from("<H", head, 18)[0] if len(head) == 20 else 0
    for known in PLATFORMS.values():
        if known.machine == machine:
            check_library(path, known)
            return known
    check_library(path, next(iter(PLATFORMS.values())))
    raise ArtifactFault("platform", f"{path.name} is for an unknown processor")


def _archives(kind: Kind, paths: Sequence[Path]) -> _Archives:
    """Return the archives to push: platform, None for rules → title and bytes."""
    found: _Archives = {}
    if kind.name != "plugin":
        names = [path.name for path in paths]
        twice = next((n for n in names if names.count(n) > 1), None)
        if twice is not None:
            raise ArtifactFault("layout", f"two of the files are called {twice}")
        contents = {path.name: _content(path, kind) for path in paths}
        return {None: (f"{paths[0].stem}.tar.gz", _packed(contents))}
    for path in paths:
        platform = platform_of(path)
        if platform in found:
            raise ArtifactFault("platform", f"two of the files are for {platform}")
        archive = _packed({path.name: _content(path, kind)})
        title = f"{path.stem}-{platform.os}-{platform.architecture}.tar.gz"
        found[platform] = title, archive
    return found


def _content(path: Path, kind: Kind) -> bytes:
    raw = read_regular(path, kind.max_unpacked_bytes + 1)
    if len(raw) > kind.max_unpacked_bytes:
        text = f"{path.name} has more than {kind.max_unpacked_bytes:,} bytes"
        raise ArtifactFault("archive", text)
    return raw


def _packed(contents: Mapping[str, bytes]) -> bytes:
    """Return a tar.gz, always the same bytes for the same files."""
    out = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=out, mode="wb", mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w") as tar,
    ):
        for name, raw in contents.items():
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(raw), 0o644
            tar.addfile(info, io.BytesIO(raw))
    return out.getvalue()


def _config_body(config: ArtifactConfig) -> bytes:
    data: dict[str, Any] = {"name": config.name, "version": config.version}
    if config.dependencies:
        data["dependencies"] = [
            {
                "name": entry.name,
                "version": entry.version,
                **(
                    {
                        "alternatives": [
                            {"name": other.name, "version": other.version}
                            for other in entry.alternatives
                        ]
                    }
                    if entry.alternatives
                    else {}
                ),
            }
            for entry in config.dependencies
        ]
    if config.requirements:
        data["requirements"] = [
            {"name": entry.name, "version": entry.version}
            for entry in config.requirements
        ]
    return json.dumps(data).encode()


def _digest(body: bytes) -> str:
    return "sha256:" + hashlib.sha256(body).hexdigest()


class _Pusher:
    def __init__(
        self,
        registry: Registry,
        reference: Reference,
        kind: Kind,
        config: ArtifactConfig,
    ) -> None:
        self.registry = registry
        self.reference = reference
        self.kind = kind
        self.config = config

    def publish(self, archives: _Archives, tags: list[str]) -> str:
        """Upload everything, then set the tags; return the digest behind them."""
        documents = {
            platform: self._manifest(title, archive)
            for platform, (title, archive) in archives.items()
        }
        body = documents.get(None)
        media_type = MANIFEST_TYPE
        if body is None:
            entries = [
                self._listed(platform, document)
                for platform, document in documents.items()
                if platform is not None
            ]
            media_type = INDEX_TYPES[0]
            body = _document({"mediaType": media_type, "manifests": entries})
        for tag in tags:
            self.registry.publish(self.reference.repository, tag, body, media_type)
        return _digest(body)

    def _listed(self, platform: Platform, document: bytes) -> dict[str, Any]:
        """Upload the manifest of a platform; return its entry in the image index."""
        digest = _digest(document)
        self.registry.publish(
            self.reference.repository, digest, document, MANIFEST_TYPE
        )
        return {
            "mediaType": MANIFEST_TYPE,
            "digest": digest,
            "size": len(document),
            "platform": {"os": platform.os, "architecture": platform.architecture},
        }

    def _manifest(self, title: str, archive: bytes) -> bytes:
        layer = self._blob(archive, self.kind.layer_type)
        layer["annotations"] = {_TITLE: title}
        config = self._blob(_config_body(self.config), self.kind.config_type)
        return _document(
            {"mediaType": MANIFEST_TYPE, "config": config, "layers": [layer]}
        )

    def _blob(self, body: bytes, media_type: str) -> dict[str, Any]:
        digest = _digest(body)
        self.registry.upload(self.reference.repository, digest, body)
        return {"mediaType": media_type, "digest": digest, "size": len(body)}


def _document(parts: dict[str, Any]) -> bytes:
    return json.dumps({"schemaVersion": 2, **parts}).encode()
