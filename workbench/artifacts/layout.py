"""How falcoctl lays out artifacts in a registry, read with nothing taken on trust.

An image index lists one manifest per platform (plugins); a manifest names a config, a
small JSON text, and a layer, the archive. Everything here is text of strangers: sizes
are bounded before, types are checked here.
"""

from __future__ import annotations

import json
import platform
import re
from dataclasses import dataclass
from typing import Any, Final

from workbench.artifacts.faults import ArtifactFault

__all__ = [
    "ACCEPTED",
    "KINDS",
    "ArtifactConfig",
    "Dependency",
    "Descriptor",
    "Kind",
    "Platform",
    "Requirement",
    "choose_platform",
    "is_digest",
    "is_index",
    "is_name",
    "read_config",
    "read_manifest",
    "this_platform",
]

_MANIFEST: Final = "application/vnd.oci.image.manifest.v1+json"
_INDEX: Final = "application/vnd.oci.image.index.v1+json"
_DOCKER: Final = "application/vnd.docker.distribution.manifest"
# Those of Docker are asked for, too: "this is a container image" is a clearer answer
# than "there is nothing".
ACCEPTED: Final = (
    _MANIFEST,
    _INDEX,
    f"{_DOCKER}.v2+json",
    f"{_DOCKER}.list.v2+json",
)
_INDEXES: Final = (_INDEX, f"{_DOCKER}.list.v2+json")

_TITLE: Final = "org.opencontainers.image.title"
_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}")
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")
_MAX_ENTRIES: Final = 256
_MAX_TEXT: Final = 1024


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of artifact. ``suffixes``: the files of its archive that count.

    ``max_layer_bytes``: of the archive; ``max_unpacked_bytes``: of all that is in it.
    """

    name: str
    what: str
    suffixes: tuple[str, ...]
    max_layer_bytes: int
    max_unpacked_bytes: int

    @property
    def layer_type(self) -> str:
        """The media type of its archive."""
        return f"application/vnd.cncf.falco.{self.name}.layer.v1+tar.gz"


# Assets, falcoctl's third kind, are for programs that the workbench does not run.
KINDS: Final = {
    kind.name: kind
    for kind in (
        Kind("plugin", "plugin", (".so",), 512 << 20, 1 << 30),
        Kind("rulesfile", "rules files", (".yaml", ".yml"), 16 << 20, 64 << 20),
    )
}


@dataclass(frozen=True, slots=True)
class Platform:
    """An operating system and processor as Go names them; ``machine``: as ELF does."""

    os: str
    architecture: str
    machine: int = 0

    def __str__(self) -> str:
        return f"{self.os}/{self.architecture}"


_PLATFORMS: Final = {
    "x86_64": Platform("linux", "amd64", 62),
    "aarch64": Platform("linux", "arm64", 183),
}


def this_platform() -> Platform:
    """Return the platform that plugins must be built for. Raises ArtifactFault."""
    machine = platform.machine()
    found = _PLATFORMS.get(machine)
    if found is None:
        known = " and ".join(_PLATFORMS)
        reason = f"plugins are published for {known}; this machine is {machine}"
        raise ArtifactFault("platform", reason, "build the plugin from its sources")
    return found


@dataclass(frozen=True, slots=True)
class Descriptor:
    """What a manifest says of one blob: media type, digest, size in bytes."""

    media_type: str
    digest: str
    size: int
    title: str = ""
    platform: Platform | None = None


@dataclass(frozen=True, slots=True)
class Requirement:
    """A version of the program that an artifact needs, such as the plugin API's."""

    name: str
    version: str


@dataclass(frozen=True, slots=True)
class Dependency:
    """Another artifact that one needs; any of ``alternatives`` will do as well."""

    name: str
    version: str
    alternatives: tuple[Requirement, ...] = ()


@dataclass(frozen=True, slots=True)
class ArtifactConfig:
    """What the config says; every part may be missing."""

    name: str = ""
    version: str = ""
    dependencies: tuple[Dependency, ...] = ()
    requirements: tuple[Requirement, ...] = ()


def is_name(text: str) -> bool:
    """Whether ``text`` can be an artifact's name, and so part of a file's."""
    return _NAME.fullmatch(text) is not None


def is_digest(text: str) -> bool:
    """Whether ``text`` is a digest of an algorithm that can be verified."""
    return _DIGEST.fullmatch(text) is not None


def _fault(reason: str) -> ArtifactFault:
    return ArtifactFault("layout", reason, "is this the address of a Falco artifact?")


def _json(body: bytes, what: str) -> dict[str, Any]:
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        raise _fault(f"the {what} is not valid JSON") from None
    if not isinstance(data, dict):
        raise _fault(f"the {what} is not a JSON object")
    return data


def _text(data: dict[str, Any], key: str, what: str) -> str:
    value = data.get(key, "")
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > _MAX_TEXT:
        raise _fault(f"{key} of the {what} is not a short text")
    return value


def _objects(data: dict[str, Any], key: str, what: str) -> list[dict[str, Any]]:
    value = data.get(key) or []
    if not isinstance(value, list) or len(value) > _MAX_ENTRIES:
        raise _fault(f"{key} of the {what} is not a list of at most {_MAX_ENTRIES}")
    if not all(isinstance(item, dict) for item in value):
        raise _fault(f"{key} of the {what} holds something that is not an object")
    return value


def _descriptor(data: object, what: str) -> Descriptor:
    if not isinstance(data, dict):
        raise _fault(f"the {what} is not described")
    size, digest = data.get("size"), _text(data, "digest", what)
    if not isinstance(size, int) or isinstance(size, bool) or size < 0:
        raise _fault(f"the size of the {what} is not a number of bytes")
    if not is_digest(digest):
        raise _fault(f"the digest of the {what} is not a sha256 or sha512 digest")
    notes = data.get("annotations")
    title = _text(notes, _TITLE, what) if isinstance(notes, dict) else ""
    built_for = None
    if isinstance(found := data.get("platform"), dict):
        words = _text(found, "os", what), _text(found, "architecture", what)
        built_for = Platform(*words)
    return Descriptor(_text(data, "mediaType", what), digest, size, title, built_for)


def is_index(body: bytes, media_type: str) -> bool:
    """Whether a manifest lists others, one per platform."""
    if media_type in _INDEXES:
        return True
    return media_type != _MANIFEST and "manifests" in _json(body, "manifest")


def choose_platform(body: bytes, wanted: Platform) -> Descriptor:
    """Return the manifest of an image index that is for ``wanted``.

    Raises ArtifactFault naming the platforms there are.
    """
    what = "image index"
    entries = _objects(_json(body, what), "manifests", what)
    found = [_descriptor(entry, "manifest of a platform") for entry in entries]
    for entry in found:
        there = entry.platform
        if there and (there.os, there.architecture) == (wanted.os, wanted.architecture):
            return entry
    known = sorted({str(e.platform) for e in found if e.platform})
    raise ArtifactFault(
        "platform",
        f"there is no build for {wanted}, only for {', '.join(known) or 'nothing'}",
        "ask for another version, or build the plugin from its sources",
    )


def read_manifest(body: bytes) -> tuple[Kind, Descriptor, Descriptor]:
    """Return kind, config and layer of a manifest.

    The first layer decides, as for falcoctl. Raises ArtifactFault.
    """
    data = _json(body, "manifest")
    layers = _objects(data, "layers", "manifest")
    if not layers:
        raise _fault("the manifest has no layers")
    layer = _descriptor(layers[0], "archive")
    kind = next((k for k in KINDS.values() if k.layer_type == layer.media_type), None)
    if kind is None:
        found = layer.media_type or "nothing"
        raise _fault(
            f"this is neither a plugin nor a rules file: its content is of media type "
            f"{found}"
        )
    if layer.size > kind.max_layer_bytes:
        raise ArtifactFault(
            "archive",
            f"the archive has {layer.size:,} bytes, and {kind.what} are taken up to "
            f"{kind.max_layer_bytes:,}",
        )
    return kind, _descriptor(data.get("config"), "config"), layer


def read_config(body: bytes) -> ArtifactConfig:
    """Return what a config says. Raises ArtifactFault when it is malformed."""
    what = "config"
    data = _json(body, what)
    name = _text(data, "name", what)
    if name and not is_name(name):
        raise _fault(f"its name {name!r} cannot be the name of an artifact")
    dependencies = [
        Dependency(
            *_named(entry, "dependency"),
            tuple(
                Requirement(*_named(other, "alternative"))
                for other in _objects(entry, "alternatives", what)
            ),
        )
        for entry in _objects(data, "dependencies", what)
    ]
    return ArtifactConfig(
        name,
        _text(data, "version", what),
        tuple(dependencies),
        tuple(
            Requirement(_text(entry, "name", what), _text(entry, "version", what))
            for entry in _objects(data, "requirements", what)
        ),
    )


def _named(entry: dict[str, Any], what: str) -> tuple[str, str]:
    name, version = _text(entry, "name", what), _text(entry, "version", what)
    if not is_name(name) or not is_name(version):
        raise _fault(f"{name!r} {version!r} is not the name and version of a {what}")
    return name, version
