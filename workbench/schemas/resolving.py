"""A schema with its local references replaced by what they refer to, for people.

Generators such as the Go reflectors put every type behind ``$ref`` and
``definitions``. What is shown, compared or made into a form is the resolved schema;
configs are validated by the original.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

__all__ = ["resolve_schema"]

# References followed and levels entered on the way to one place.
_DEEPEST = 40
# Keys visited in all: references that double at every level grow without bound.
_MOST_KEYS = 50_000
_DEFINITIONS = ("definitions", "$defs")
# Keywords that hold a schema, a list of schemas, or schemas by name. All others hold
# data, in which "$ref" means nothing.
_SCHEMA = (
    "additionalItems",
    "additionalProperties",
    "contains",
    "else",
    "if",
    "items",
    "not",
    "propertyNames",
    "then",
)
_LISTS = ("allOf", "anyOf", "items", "oneOf", "prefixItems")
_BY_NAME = ("dependentSchemas", "patternProperties", "properties")


def resolve_schema(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a schema whose local references are replaced by their targets.

    Keys beside a reference win over those of its target. References to other documents,
    to nothing and to a schema that is being resolved stay, as does everything beyond
    40 levels or 50,000 keys. Definitions are left out unless something still needs
    them. ``schema`` is not changed.
    """
    resolver = _Resolver(schema)
    resolved: dict[str, Any] = resolver.visit(schema, ("#",), 0)
    if resolver.complete:
        resolved = {k: v for k, v in resolved.items() if k not in _DEFINITIONS}
    return resolved


class _Resolver:
    """Resolves within one root, as long as its budget of keys lasts."""

    def __init__(self, root: dict[str, Any]) -> None:
        self._root = root
        self._left = _MOST_KEYS
        self.complete = True

    def visit(self, node: Any, trail: tuple[str, ...], depth: int) -> Any:
        """Return ``node`` resolved; ``trail``: the references that led to it."""
        if not isinstance(node, dict):
            return node
        node, trail = self._follow(node, trail)
        self._left -= 1 + len(node)
        if self._left < 0 or depth > _DEEPEST:
            self.complete = False
            return node
        out = dict(node)
        for key, value in node.items():
            if key in _BY_NAME and isinstance(value, dict):
                self._left -= len(value)
                out[key] = {
                    name: self.visit(inner, trail, depth + 1)
                    for name, inner in value.items()
                }
            elif key in _LISTS and isinstance(value, list):
                self._left -= len(value)
                out[key] = [self.visit(inner, trail, depth + 1) for inner in value]
            elif key in _SCHEMA:
                out[key] = self.visit(value, trail, depth + 1)
        return out

    def _follow(
        self, node: dict[str, Any], trail: tuple[str, ...]
    ) -> tuple[dict[str, Any], tuple[str, ...]]:
        """Replace the reference of a node, and that of its target, and so on."""
        while isinstance(reference := node.get("$ref"), str):
            target = self._target(reference)
            if reference in trail or target is None:
                break
            trail = (*trail, reference)
            self._left -= len(target) + len(node)
            if self._left < 0 or len(trail) > _DEEPEST:
                self.complete = False
                break
            beside = {key: value for key, value in node.items() if key != "$ref"}
            node = {**target, **beside}
        return node, trail

    def _target(self, reference: str) -> dict[str, Any] | None:
        """Return the schema at a pointer into the root such as ``#/$defs/Config``."""
        if reference != "#" and not reference.startswith("#/"):
            return None
        at: Any = self._root
        for part in reference.split("/", _DEEPEST)[1:]:
            name = unquote(part).replace("~1", "/").replace("~0", "~")
            if isinstance(at, dict):
                at = at.get(name)
            elif isinstance(at, list) and name.isascii() and name.isdigit():
                at = at[int(name)] if len(name) < 9 and int(name) < len(at) else None
            else:
                return None
        return at if isinstance(at, dict) else None
