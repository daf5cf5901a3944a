"""Manifests, image indexes and configs: the JSON of strangers, nothing taken on trust.

Their sizes were bounded before; here every type is checked. What is read becomes the
plain data of ``layout``. Every function raises ArtifactFault.
"""

from __future__ import annotations

import json
from typing import Any, Final

from workbench.artifacts.faults import ArtifactFault
from workbench.artifacts.layout import (
    INDEX_TYPES,
    KINDS,
    MANIFEST_TYPE,
    ArtifactConfig,
    Dependency,
    Descriptor,
    Kind,
    Platform,
    Requirement,
    is_digest,
    is_name,
)

__all__ = ["choose_platform", "is_index", "read_config", "read_manifest"]

_TITLE: Final = "org.opencontainers.image.title"
_MAX_ENTRIES: Final = 256
_MAX_TEXT: Final = 1024


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
    if media_type in INDEX_TYPES:
        return True
    return media_type != MANIFEST_TYPE and "manifests" in _json(body, "manifest")


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
