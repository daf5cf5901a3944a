"""What people write for an artifact, and the place in a registry that it stands for."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Final

from workbench.artifacts.faults import ArtifactFault
from workbench.artifacts.layout import is_digest, is_name

__all__ = [
    "LATEST",
    "Reference",
    "Request",
    "is_tag",
    "parse_registry",
    "parse_repository",
    "parse_request",
]

LATEST: Final = "latest"

_HOST: Final = re.compile(
    r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
    r"(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*|\[[0-9A-Fa-f:]+\])"
    r"(?::[0-9]{1,5})?"
)
_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_REPOSITORY: Final = re.compile(rf"{_PART}(?:/{_PART})*")
_TAG: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_MAX_CHARS: Final = 255


@dataclass(frozen=True, slots=True)
class Reference:
    """A place in a registry. ``digest``: "" when only the tag is known."""

    host: str
    repository: str
    tag: str = LATEST
    digest: str = ""

    def __str__(self) -> str:
        place = f"{self.host}/{self.repository}"
        return f"{place}@{self.digest}" if self.digest else f"{place}:{self.tag}"

    @property
    def last(self) -> str:
        """What stands behind the repository in an address: digest, else tag."""
        return self.digest or self.tag

    def at(self, digest: str) -> Reference:
        """Return the same repository at a digest."""
        return replace(self, digest=digest)


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked for: a name to look up, or with ``host`` a place in a registry.

    ``tag``, ``digest``: "" when not given. ``name``: last part of the repository when
    a place was given.
    """

    name: str
    tag: str = ""
    digest: str = ""
    host: str = ""
    repository: str = ""

    @property
    def text(self) -> str:
        """The request as people write it."""
        place = f"{self.host}/{self.repository}" if self.host else self.name
        place += f":{self.tag}" if self.tag else ""
        return place + (f"@{self.digest}" if self.digest else "")

    def reference(self, host: str, repository: str) -> Reference:
        """Return the place that it stands for in a repository."""
        return Reference(host, repository, self.tag or LATEST, self.digest)


def _fault(reason: str, advice: str = "") -> ArtifactFault:
    return ArtifactFault("name", reason, advice)


def parse_repository(text: str) -> str:
    """Return ``text`` when it is a repository. Raises ArtifactFault."""
    if len(text) > _MAX_CHARS or not _REPOSITORY.fullmatch(text):
        raise _fault(
            f"{text!r} is not a repository",
            "parts of small letters and digits, separated by /",
        )
    return text


def _host(text: str) -> str:
    if len(text) > _MAX_CHARS or not _HOST.fullmatch(text):
        raise _fault(f"{text!r} is not a registry", "write HOST or HOST:PORT")
    return text.lower()


def is_tag(text: str) -> bool:
    """Whether ``text`` can be the tag of a version."""
    return _TAG.fullmatch(text) is not None


def _without_scheme(text: str) -> str:
    for scheme in ("oci://", "https://"):
        text = text.removeprefix(scheme)
    if text.startswith("http://"):
        raise _fault(
            f"{text!r} is not the name of an artifact",
            f"write {text.removeprefix('http://')!r} and insecure=True (--insecure)",
        )
    return text


def parse_request(text: str, version: str | None = None) -> Request:
    """Read NAME, NAME:TAG, NAME@DIGEST or the same with HOST/REPOSITORY for NAME.

    ``version``: the tag or digest, when the text has none. Raises ArtifactFault.
    """
    rest, at, digest = _without_scheme(text).partition("@")
    place, colon, tag = rest.rpartition(":")
    if not colon or "/" in tag:
        # no colon, or that of a port
        place, colon, tag = rest, "", ""
    if version is not None:
        if colon or at:
            raise _fault(f"{text!r} names a version already", "give it once")
        if is_digest(version):
            at, digest = "@", version
        else:
            colon, tag = ":", version
    if colon and not _TAG.fullmatch(tag):
        raise _fault(f"{tag!r} is not a version", "versions look like 0.7.0 or latest")
    if at and not is_digest(digest):
        raise _fault(f"{digest!r} is not a digest", "it begins with sha256:")
    if "/" not in place:
        if not is_name(place):
            raise _fault(f"{place!r} is not the name of an artifact")
        return Request(place, tag, digest)
    host, _, repository = place.partition("/")
    if not ("." in host or ":" in host or host == "localhost"):
        raise _fault(
            f"{place!r} names no registry", "write NAME, or HOST/REPOSITORY as a whole"
        )
    repository = parse_repository(repository)
    return Request(repository.rpartition("/")[2], tag, digest, _host(host), repository)


def parse_registry(text: str) -> tuple[str, str]:
    """Read HOST, HOST:PORT or HOST/FOLDER; return host and folder ("" for none).

    Raises ArtifactFault.
    """
    host, _, folder = _without_scheme(text).rstrip("/").partition("/")
    return _host(host), parse_repository(folder) if folder else ""
