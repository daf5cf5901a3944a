"""The engine's JSON schema for rules files, checked as it checks: warnings only.

The schema describes all kinds of item in one closed object. Scalars are text to it; a
truth value is exactly ``true`` or ``false``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from workbench.rules.model.model import PRIORITIES

if TYPE_CHECKING:
    from collections.abc import Callable

    from workbench.yamlcpp import Node

__all__ = ["schema_warnings"]

_INTEGER = re.compile(r"\s*[+-]?[0-9]+\Z")
_MAX_WARNINGS = 1000
_TYPE = "Value type not permitted by 'type' constraint."


@dataclass(frozen=True, slots=True)
class _Schema:
    """One schema. ``kind``: "any", "text", "bool", "integer", "list", "map"."""

    kind: str = "any"
    words: frozenset[str] | None = None
    items: _Schema | None = None
    any_of: tuple[_Schema, ...] = ()
    properties: dict[str, _Schema] = field(default_factory=dict)
    required: tuple[str, ...] = ()
    least: int = 0


_ANY = _Schema()
_TEXT = _Schema("text")
_BOOL = _Schema("bool")
_PAIR = {"name": _TEXT, "version": _TEXT}
_ALTERNATIVE = _Schema("map", properties=_PAIR, required=("name", "version"))
_REQUIREMENT = _Schema(
    "map",
    properties={**_PAIR, "alternatives": _Schema("list", items=_ALTERNATIVE)},
    required=("name", "version"),
)
_EXCEPTION = _Schema(
    "map",
    properties={"name": _TEXT, "fields": _ANY, "comps": _ANY, "values": _ANY},
    required=("name",),
)
_OPERATION = _Schema("text", words=frozenset(("append", "replace")))
_OVERRIDE = _Schema(
    "map",
    least=1,
    properties=dict.fromkeys(
        (
            "capture",
            "capture_duration",
            "condition",
            "desc",
            "enabled",
            "exceptions",
            "items",
            "output",
            "priority",
            "skip-if-unknown-filter",
            "tags",
            "warn_evttypes",
        ),
        _OPERATION,
    ),
)
_WORDS = frozenset([p.key for p in PRIORITIES] + ["INFORMATIONAL"])
_ITEM = _Schema(
    "map",
    properties={
        "append": _BOOL,
        "capture": _BOOL,
        "capture_duration": _Schema("integer"),
        "condition": _TEXT,
        "desc": _TEXT,
        "enabled": _BOOL,
        "exceptions": _Schema("list", items=_EXCEPTION),
        "items": _Schema("list", items=_Schema(any_of=(_Schema("integer"), _TEXT))),
        "list": _TEXT,
        "macro": _TEXT,
        "output": _TEXT,
        "override": _OVERRIDE,
        "priority": _Schema("text", words=_WORDS),
        "required_engine_version": _TEXT,
        "required_plugin_versions": _Schema("list", items=_REQUIREMENT),
        "rule": _TEXT,
        "skip-if-unknown-filter": _BOOL,
        "source": _TEXT,
        "tags": _Schema("list", items=_TEXT),
        "warn_evttypes": _BOOL,
    },
)
_FILE = _Schema("list", items=_ITEM)


def schema_warnings(documents: list[Node]) -> list[str] | None:
    """Return the engine's schema warnings for a file; None when nothing is checked.

    Only the first document counts.
    """
    if not documents:
        return None
    found: list[str] = []
    _check(documents[0], _FILE, "<root>", found)
    return found[:_MAX_WARNINGS]


def _type_fits(node: Node, kind: str) -> bool:
    if kind == "any":
        return True
    if kind == "list":
        return node.kind == "sequence"
    if kind == "map":
        return node.kind == "mapping"
    if node.kind != "scalar":
        return False
    if kind == "bool":
        return node.text in ("true", "false")
    return kind == "text" or bool(_INTEGER.match(node.text))


def _check(node: Node, schema: _Schema, path: str, out: list[str]) -> bool:
    if len(out) > _MAX_WARNINGS:
        return True
    good = True

    def fail(message: str) -> None:
        nonlocal good
        good = False
        out.append(f"failed for {path}: {message}")

    if not _type_fits(node, schema.kind):
        fail(_TYPE)
    if schema.any_of and not _check_any(node, schema, path, out):
        fail("Failed to validate against any schemas allowed by anyOf constraint.")
    if schema.words is not None and not (
        node.kind == "scalar" and node.text in schema.words
    ):
        fail("Failed to match against any enum values.")
    if node.kind == "sequence" and schema.items is not None:
        for number, item in enumerate(node.items):
            if not _check(item, schema.items, f"{path}[{number}]", out):
                fail(f"Failed to validate item #{number} in array.")
    if node.kind == "mapping" and schema.kind == "map":
        _check_mapping(node, schema, path, out, fail)
    return good


def _check_any(node: Node, schema: _Schema, path: str, out: list[str]) -> bool:
    found: list[str] = []
    for number, choice in enumerate(schema.any_of):
        if _check(node, choice, path, found):
            return True
        found.append(
            f"failed for {path}: Failed to validate against child schema #{number}."
        )
    out.extend(found)
    return False


def _check_mapping(
    node: Node,
    schema: _Schema,
    path: str,
    out: list[str],
    fail: Callable[[str], None],
) -> None:
    count = len(node.pairs)
    if count < schema.least:
        fail(f"Object should have no fewer than {schema.least} properties.")
    names = [
        "" if key.kind == "null" else key.text if key.kind == "scalar" else ""
        for key, _ in node.pairs
    ]
    matched = set()
    for name, inner in sorted(schema.properties.items()):
        value = node.get(name)
        if value is None:
            continue
        matched.add(name)
        if not _check(value, inner, f"{path}[{name}]", out):
            fail(
                "Failed to validate against schema associated with property name "
                f"'{name}'."
            )
    if len(matched) != count:
        unwanted = next((name for name in names if name not in matched), "")
        fail(
            "Object contains a property that could not be validated using "
            f"'properties' or 'additionalProperties' constraints: '{unwanted}'."
        )
    for name in schema.required:
        if node.get(name) is None:
            fail(f"Missing required property '{name}'.")
