"""An init schema made ready for the config form: resolved, and of bounded size."""

from __future__ import annotations

import json
from typing import Any

from workbench.schemas.resolving import resolve_schema

__all__ = ["form_schema"]

# Controls in one form; each costs the browser a few elements.
_MOST_CONTROLS = 300
_MOST_CHOICES = 500
_DEEPEST = 8
_LONGEST_TEXT = 2000
# What form.js reads of a schema, besides properties, items and enum.
_PLAIN = (
    "default",
    "description",
    "format",
    "maximum",
    "minimum",
    "pattern",
    "title",
    "writeOnly",
)


def form_schema(schema: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return what the form needs of a schema, None for none.

    An object with more properties than the form has room for (300 controls in all, 8
    levels) has none here: its control takes JSON text.
    """
    if schema is None:
        return None
    return _Trimmer().trim(resolve_schema(schema), 0)


class _Trimmer:
    """Copies a schema while there is room for controls."""

    def __init__(self) -> None:
        self._left = _MOST_CONTROLS

    def trim(self, node: Any, depth: int) -> dict[str, Any]:
        """Return the parts of one schema that become a control."""
        if not isinstance(node, dict):
            return {}
        out = {key: node[key] for key in _PLAIN if _short(node.get(key))}
        kind = node.get("type")
        if isinstance(kind, str) or (isinstance(kind, list) and len(kind) < 9):
            out["type"] = kind
        choices = node.get("enum")
        if isinstance(choices, list) and len(choices) <= _MOST_CHOICES:
            out["enum"] = [choice for choice in choices if _short(choice)]
        required = node.get("required")
        if isinstance(required, list) and len(required) <= _MOST_CONTROLS:
            out["required"] = [name for name in required if isinstance(name, str)]
        properties = node.get("properties")
        if isinstance(properties, dict):
            if len(properties) <= self._left and depth < _DEEPEST:
                self._left -= len(properties)
                out["properties"] = {
                    name: self.trim(inner, depth + 1)
                    for name, inner in properties.items()
                }
            else:
                out["type"] = "object"
        if isinstance(node.get("items"), dict) and depth < _DEEPEST:
            out["items"] = self.trim(node["items"], depth + 1)
        return out


def _short(value: Any) -> bool:
    """Return whether a value is there, and short enough to show."""
    if isinstance(value, list | dict):
        value = json.dumps(value)
    return value is not None and (
        not isinstance(value, str) or len(value) <= _LONGEST_TEXT
    )
