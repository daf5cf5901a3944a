"""The ``override`` mapping of an item: which keys it appends to or replaces."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.rules.model.locations import Location

if TYPE_CHECKING:
    from workbench.rules.loading.decode import ItemDecoder
    from workbench.yamlcpp import Node

__all__ = ["read_overrides"]

_SHAPE = "LOAD_ERR_YAML_VALIDATE"


def read_overrides(
    decoder: ItemDecoder,
    item: Node,
    appendable: frozenset[str],
    replaceable: frozenset[str],
    location: Location,
) -> dict[str, str]:
    """Return key → "append", "replace" or "both"; complain about anything else."""
    node = item.get("override")
    if node is None:
        return {}
    if node.kind == "sequence":
        if node.items:
            decoder.sink.error(
                "LOAD_ERR_VALIDATE",
                "invalid node; this may result from using a map iterator as a sequence "
                "iterator, or vice-versa",
                Location(location.source, 0).pointing_at(location.source, node.start),
                "override is a mapping, such as {condition: append}",
            )
        return {}
    outer = Location(location.source, item.start, "overrides", "", location)
    keys = {"append": appendable, "replace": replaceable}
    result: dict[str, str] = {}
    for key, value in node.pairs:
        bad = next((n for n in (key, value) if n.kind in ("sequence", "mapping")), None)
        if bad is not None:
            hint = "override has one word per key: append or replace"
            decoder.bad_conversion(bad, hint)
            continue
        name = key.text if key.kind == "scalar" else "null"
        operation = value.text if value.kind == "scalar" else "null"
        if name in keys.get(operation, ()):
            # a key may be named twice, once for each operation
            result[name] = operation if name not in result else "both"
        else:
            _refuse(decoder, outer, (key, name), (value, operation), keys)
    return result


def _refuse(
    decoder: ItemDecoder,
    outer: Location,
    key: tuple[Node, str],
    value: tuple[Node, str],
    keys: dict[str, frozenset[str]],
) -> None:
    """Complain of an unknown operation, or one that the key does not take."""
    (key_node, name), (value_node, operation) = key, value
    location = outer.inside("overrides", key_node, name)
    if operation == "append":
        message = f"Key '{name}' cannot be appended to, use 'replace' instead"
        hint = f"can be appended to: {', '.join(sorted(keys[operation]))}"
    elif operation == "replace":
        message = f"Key '{name}' cannot be replaced"
        hint = f"can be replaced: {', '.join(sorted(keys[operation]))}"
    else:
        message = (
            f"Invalid override operation for key '{name}': '{operation}'. Allowed "
            "values are: append replace "
        )
        hint = "write append or replace"
        location = outer.inside("value for", value_node, name)
    decoder.sink.error(_SHAPE, message, location, hint)
