"""The items ``required_engine_version`` and ``required_plugin_versions``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.rules.model.locations import Location
from workbench.rules.model.versions import parse_version
from workbench.yamlcpp import as_uint32

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workbench.rules.loading.collector import Collector
    from workbench.rules.loading.decode import ItemDecoder
    from workbench.yamlcpp import Node

__all__ = ["read_engine_version", "read_plugin_versions"]

_SHAPE = "LOAD_ERR_YAML_VALIDATE"
_PAIR_HINT = "write '- name: …' and 'version: x.y.z'"
_SEQUENCE_HINT = "write a sequence of name and version pairs"


def read_engine_version(
    decoder: ItemDecoder, collector: Collector, item: Node, content: Location
) -> Location:
    """Read the engine version that rules require; a mere number counts as minor."""
    key = "required_engine_version"
    location = content.inside(key, item)
    node = decoder.scalar(item, key, location)
    if node is None:
        return location
    number = as_uint32(node.text)
    version = (0, number, 0) if number is not None else parse_version(node.text)
    if version is None:
        decoder.sink.error(
            _SHAPE,
            f"Unable to parse engine version '{node.text}' as a semver string. "
            'Expected "x.y.z" semver format.',
            location,
            "write a version such as 0.31.0",
        )
    else:
        collector.require_engine(version, location)
    return location


def read_plugin_versions(
    decoder: ItemDecoder, collector: Collector, item: Node, content: Location
) -> Location:
    """Read the plugin versions that rules require, each with its alternatives."""
    kind = "required plugin versions"
    location = content.inside(kind, item)
    entries = item.get("required_plugin_versions")
    if entries is None:  # pragma: no cover - the key chose this function
        return location
    outer = content.inside(kind, entries)
    complaints = (
        "Value of required_plugin_versions must be a sequence",
        "Plugin version must be a mapping",
    )
    for entry, unnamed in _mappings(
        decoder, entries, outer, f"{kind} entry", complaints
    ):
        pairs: list[tuple[str, str]] = []
        named = _pair(decoder, entry, unnamed, pairs)
        others = entry.get("alternatives")
        if others is not None:
            _alternatives(decoder, others, named, pairs)
        if pairs:
            collector.require_plugin(pairs, named)
    return location


def _alternatives(
    decoder: ItemDecoder, others: Node, location: Location, pairs: list[tuple[str, str]]
) -> None:
    kind = "required plugin versions alternative"
    complaints = (
        "Value of plugin version alternatives must be a sequence",
        "Plugin version alternative must be a mapping",
    )
    for other, unnamed in _mappings(decoder, others, location, kind, complaints):
        _pair(decoder, other, unnamed, pairs)


def _mappings(
    decoder: ItemDecoder,
    node: Node,
    outer: Location,
    kind: str,
    complaints: tuple[str, str],
) -> Iterator[tuple[Node, Location]]:
    """Yield the mappings of a sequence, each with its location.

    ``complaints``: about another node, and about another element.
    """
    if node.kind != "sequence":
        decoder.sink.error(_SHAPE, complaints[0], outer, _SEQUENCE_HINT)
    for entry in node.items:
        location = outer.inside(kind, entry)
        if entry.kind == "mapping":
            yield entry, location
        else:
            decoder.sink.error(_SHAPE, complaints[1], location, _PAIR_HINT)


def _pair(
    decoder: ItemDecoder, entry: Node, unnamed: Location, pairs: list[tuple[str, str]]
) -> Location:
    """Add name and version of ``entry`` to ``pairs``; return its named location."""
    name = decoder.text(entry, "name", unnamed)
    location = Location(
        unnamed.source, unnamed.pos, unnamed.kind, name or "", unnamed.parent
    )
    version = decoder.text(entry, "version", location)
    if name is not None and version is not None:
        pairs.append((name, version))
    return location
