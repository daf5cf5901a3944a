"""Items that change earlier rules: by ``override``, or the old ``append: true``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.rules.loading.overrides import read_overrides
from workbench.rules.model.entries import RuleUpdate
from workbench.rules.model.model import RULE_FLAGS

if TYPE_CHECKING:
    from collections.abc import Callable

    from workbench.rules.loading.collector import Collector
    from workbench.rules.loading.decode import ItemDecoder
    from workbench.rules.model.locations import Location
    from workbench.yamlcpp import Node

__all__ = ["RuleUpdates"]

_SHAPE = "LOAD_ERR_YAML_VALIDATE"

_APPENDABLE = frozenset(("condition", "output", "desc", "tags", "exceptions"))
_REPLACEABLE = _APPENDABLE | {"priority", "capture_duration", *RULE_FLAGS}


def _source(item: Node) -> str | None:
    """Return the source of a changing item; here the engine takes an empty text too."""
    node = item.get("source")
    return node.text if node is not None and node.kind == "scalar" else None


class RuleUpdates:
    """Reads one rule item that changes an earlier rule."""

    def __init__(
        self,
        decoder: ItemDecoder,
        collector: Collector,
        item: Node,
        name: str,
        location: Location,
    ) -> None:
        """Read ``item`` with ``decoder``; what it changes goes to ``collector``."""
        self._decoder = decoder
        self._sink = decoder.sink
        self._collector = collector
        self._item = item
        self._name = name
        self._location = location
        self._replacing = False
        # Key → what reads its value into an update.
        self._readers: dict[str, Callable[[RuleUpdate], None]] = {
            "condition": self._condition,
            "output": self._output,
            "desc": self._desc,
            "tags": self._tags,
            "exceptions": self._exceptions,
            "priority": self._priority,
            "capture_duration": self._duration,
        }

    def overrides(self) -> dict[str, str]:
        """Read the override mapping."""
        return read_overrides(
            self._decoder, self._item, _APPENDABLE, _REPLACEABLE, self._location
        )

    def apply(self, overrides: dict[str, str]) -> None:
        """Check that item and override name the same keys, and do as they say."""
        errors = self._sink.error_count
        updates: dict[str, RuleUpdate] = {}
        for operation in ("append", "replace"):
            keys = [k for k, op in overrides.items() if op in (operation, "both")]
            if keys:
                self._replacing = operation == "replace"
                updates[operation] = self._update(keys, operation)
        for key in sorted(_REPLACEABLE):
            node = self._item.get(key)
            if node is not None and key not in overrides:
                self._sink.error(
                    _SHAPE,
                    f"Unexpected key '{key}': no corresponding entry under 'override' "
                    "is defined.",
                    self._location.inside("overrides", node, key),
                    f"add '{key}: replace' under override, or remove the key",
                )
        broken = self._sink.error_count > errors
        for operation, update in updates.items():
            update.broken = broken
            if operation == "append":
                self._collector.append_rule(update)
            else:
                self._collector.replace_rule(update)

    def append_old_way(self) -> None:
        """Read an item with ``append: true``: only condition and exceptions count."""
        update = RuleUpdate(self._name, self._location)
        errors = self._sink.error_count
        update.source = _source(self._item)
        if self._item.get("condition") is not None:
            self._condition(update)
        self._exceptions(update)
        update.broken = self._sink.error_count > errors
        self._collector.append_rule(update)

    def _update(self, keys: list[str], operation: str) -> RuleUpdate:
        update = RuleUpdate(self._name, self._location)
        update.source = _source(self._item)
        for key in keys:
            if self._item.get(key) is None:
                self._sink.error(
                    _SHAPE,
                    f"An {operation} override for '{key}' was specified but '{key}' "
                    "is not defined",
                    self._location,
                    f"add the key {key}, or remove it from override",
                )
            elif key in RULE_FLAGS:
                value = self._decoder.boolean(self._item, key, self._location)
                if value is not None:
                    update.flags[RULE_FLAGS[key][0]] = value
            else:
                self._readers[key](update)
        return update

    def _condition(self, update: RuleUpdate) -> None:
        node = self._decoder.scalar(self._item, "condition", self._location)
        if node is not None:
            (update.condition,) = self._decoder.pieces(node)
            update.condition_location = self._location.inside("rule condition", node)

    def _output(self, update: RuleUpdate) -> None:
        node = self._decoder.scalar(self._item, "output", self._location)
        if node is not None:
            (update.output,) = self._decoder.pieces(node)
            update.output_location = self._location.inside("rule output", node)

    def _desc(self, update: RuleUpdate) -> None:
        update.desc = self._decoder.text(self._item, "desc", self._location)

    def _tags(self, update: RuleUpdate) -> None:
        tags = self._decoder.texts(self._item, "tags", self._location)
        update.tags = None if tags is None else {text for text, _ in tags}

    def _exceptions(self, update: RuleUpdate) -> None:
        # exceptions that replace others are new ones: they need their fields
        update.exceptions = self._decoder.exceptions(
            self._item, self._location, update=not self._replacing
        )

    def _priority(self, update: RuleUpdate) -> None:
        update.priority = self._decoder.priority(self._item, self._location)

    def _duration(self, update: RuleUpdate) -> None:
        update.capture_duration = self._decoder.uint32(
            self._item, "capture_duration", self._location
        )
