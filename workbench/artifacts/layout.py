"""What artifacts are made of in a registry: falcoctl's layout as plain data.

An image index lists one manifest per platform (plugins); a manifest names a config, a
small JSON text, and a layer, the archive.
"""

from __future__ import annotations

import platform
import re
from dataclasses import dataclass
from typing import Final

from workbench.artifacts.faults import ArtifactFault

__all__ = [
    "ACCEPTED",
    "INDEX_TYPES",
    "KINDS",
    "MANIFEST_TYPE",
    "PLATFORMS",
    "ArtifactConfig",
    "Dependency",
    "Descriptor",
    "Kind",
    "Platform",
    "Requirement",
    "is_digest",
    "is_name",
    "this_platform",
]

MANIFEST_TYPE: Final = "application/vnd.oci.image.manifest.v1+json"
_INDEX: Final = "application/vnd.oci.image.index.v1+json"
_DOCKER: Final = "application/vnd.docker.distribution.manifest"
# Those of Docker are asked for, too: "this is a container image" is a clearer answer
# than "there is nothing".
ACCEPTED: Final = (
    MANIFEST_TYPE,
    _INDEX,
    f"{_DOCKER}.v2+json",
    f"{_DOCKER}.list.v2+json",
)
INDEX_TYPES: Final = (_INDEX, f"{_DOCKER}.list.v2+json")

_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}")
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")


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

    @property
    def config_type(self) -> str:
        """The media type of its config."""
        return f"application/vnd.cncf.falco.{self.name}.config.v1+json"


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


PLATFORMS: Final = {
    "x86_64": Platform("linux", "amd64", 62),
    "aarch64": Platform("linux", "arm64", 183),
}


def this_platform() -> Platform:
    """Return the platform that plugins must be built for. Raises ArtifactFault."""
    machine = platform.machine()
    found = PLATFORMS.get(machine)
    if found is None:
        known = " and ".join(PLATFORMS)
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
