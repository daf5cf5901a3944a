"""Items that change earlier ones: ``override`` mappings, the old ``append: true``."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from workbench.rules.model.locations import Location

if TYPE_CHECKING:
    from workbench.rules.loading.reader import Reader
    from workbench.rules.model.diagnostics_sink import DiagnosticSink
    from workbench.rules.model.entries import ExceptionEntry, Piece
    from workbench.yamlcpp import Node

__all__ = ["APPENDABLE", "REPLACEABLE", "RuleUpdate", "Updates", "read_overrides"]

_SHAPE = "LOAD_ERR_YAML_VALIDATE"

APPENDABLE = frozenset(("condition", "output", "desc", "tags", "exceptions"))
REPLACEABLE = APPENDABLE | frozenset(
    (
        "priority",
        "enabled",
        "warn_evttypes",
        "skip-if-unknown-filter",
        "capture",
        "capture_duration",
    )
)
_FLAGS = ("enabled", "warn_evttypes", "skip-if-unknown-filter", "capture")


def read_overrides(
    item: Node,
    appendable: frozenset[str],
    replaceable: frozenset[str],
    place: Location,
    report: DiagnosticSink,
) -> dict[str, str]:
    """Read the ``override`` mapping: key → "append" or "replace"."""
    node = item.get("override")
    if node is None:
        return {}
    outer = Location(place.source, item.start, "overrides", "", place)
    content = Location(place.source, 0)
    if node.kind == "sequence":
        if node.items:
            report.error(
                "LOAD_ERR_VALIDATE",
                "invalid node; this may result from using a map iterator as a sequence "
                "iterator, or vice-versa",
                content.pointing(place.source, node.start),
                "override is a mapping, such as {condition: append}",
            )
        return {}
    result: dict[str, str] = {}
    for key, value in node.pairs:
        bad = next((n for n in (key, value) if n.kind in ("sequence", "mapping")), None)
        if bad is not None:
            row, column = place.source.row_column(bad.start)
            report.error(
                "LOAD_ERR_VALIDATE",
                f"yaml-cpp: error at line {row + 1}, column {column + 1}: "
                "bad conversion",
                content.pointing(place.source, bad.start),
                "override has one word per key: append or replace",
            )
            continue
        name = key.text if key.kind == "scalar" else "null"
        operation = value.text if value.kind == "scalar" else "null"
        keyed = outer.inside("overrides", key, name)
        if operation == "append":
            if name not in appendable:
                report.error(
                    _SHAPE,
                    f"Key '{name}' cannot be appended to, use 'replace' instead",
                    keyed,
                    f"can be appended to: {', '.join(sorted(appendable))}",
                )
                continue
        elif operation == "replace":
            if name not in replaceable:
                report.error(
                    _SHAPE,
                    f"Key '{name}' cannot be replaced",
                    keyed,
                    f"can be replaced: {', '.join(sorted(replaceable))}",
                )
                continue
        else:
            report.error(
                _SHAPE,
                f"Invalid override operation for key '{name}': '{operation}'. "
                "Allowed values are: append replace ",
                outer.inside("value for", value, name),
                "write append or replace",
            )
            continue
        # a key may be named twice, once for each operation
        result[name] = operation if name not in result else "both"
    return result


def _source(item: Node) -> str | None:
    """Give the source of a changing item; here the engine takes an empty text too."""
    node = item.get("source")
    return node.text if node is not None and node.kind == "scalar" else None


@dataclass(slots=True)
class RuleUpdate:
    """What an item brings to an earlier rule; None: nothing for that key."""

    name: str
    place: Location
    condition: Piece | None = None
    condition_place: Location | None = None
    output: Piece | None = None
    output_place: Location | None = None
    desc: str | None = None
    tags: set[str] | None = None
    exceptions: list[ExceptionEntry] | None = None
    priority: str | None = None
    source: str | None = None
    flags: dict[str, bool] = field(default_factory=dict)
    capture_duration: int | None = None
    broken: bool = False


class Updates:
    """Reads one rule item that changes an earlier rule."""

    def __init__(self, reader: Reader, item: Node, name: str, place: Location) -> None:
        """Read ``item`` with the methods of ``reader``."""
        self._reader = reader
        self._item = item
        self._name = name
        self._place = place

    def overrides(self) -> dict[str, str]:
        """Read the override mapping."""
        return read_overrides(
            self._item, APPENDABLE, REPLACEABLE, self._place, self._reader.report
        )

    def apply(self, overrides: dict[str, str]) -> None:
        """Check that item and override name the same keys, and do as they say."""
        report, item, place = self._reader.report, self._item, self._place
        parts: dict[str, RuleUpdate] = {}
        errors = report.error_count
        for operation in ("append", "replace"):
            keys = [k for k, op in overrides.items() if op in (operation, "both")]
            if keys:
                parts[operation] = self._part(keys, operation)
        for key in sorted(REPLACEABLE):
            node = item.get(key)
            if node is not None and key not in overrides:
                report.error(
                    _SHAPE,
                    f"Unexpected key '{key}': no corresponding entry under 'override' "
                    "is defined.",
                    place.inside("overrides", node, key),
                    f"add '{key}: replace' under override, or remove the key",
                )
        broken = report.error_count > errors
        for operation, update in parts.items():
            update.broken = broken
            if operation == "append":
                self._reader.collector.append_rule(update)
            else:
                self._reader.collector.replace_rule(update)

    def _part(self, keys: list[str], operation: str) -> RuleUpdate:
        reader, item, place = self._reader, self._item, self._place
        update = RuleUpdate(self._name, place)
        update.source = _source(item)
        for key in keys:
            if item.get(key) is None:
                reader.report.error(
                    _SHAPE,
                    f"An {operation} override for '{key}' was specified but '{key}' "
                    "is not defined",
                    place,
                    f"add the key {key}, or remove it from override",
                )
                continue
            if key == "condition":
                self._condition(update)
            elif key == "output":
                node = reader.decode.scalar(item, key, place)
                update.output = next(iter(reader.pieces(node)), None)
                if node is not None:
                    update.output_place = place.inside("rule output", node)
            elif key == "desc":
                update.desc = reader.decode.text(item, key, place)
            elif key == "tags":
                tags = reader.decode.texts(item, key, place)
                update.tags = None if tags is None else {t for t, _ in tags}
            elif key == "exceptions":
                update.exceptions = reader.exceptions(item, place, update=True)
            elif key == "priority":
                update.priority = reader.priority(item, place)
            elif key == "capture_duration":
                update.capture_duration = reader.decode.uint32(item, key, place)
            elif key in _FLAGS:
                value = reader.decode.boolean(item, key, place)
                if value is not None:
                    update.flags[key.replace("-", "_")] = value
        return update

    def _condition(self, update: RuleUpdate) -> None:
        reader, place = self._reader, self._place
        node = reader.decode.scalar(self._item, "condition", place)
        update.condition = next(iter(reader.pieces(node)), None)
        if node is not None:
            update.condition_place = place.inside("rule condition", node)

    def append_old_way(self) -> None:
        """Read an item with ``append: true``: only condition and exceptions count."""
        reader, item, place = self._reader, self._item, self._place
        update = RuleUpdate(self._name, place)
        errors = reader.report.error_count
        update.source = _source(item)
        if item.get("condition") is not None:
            self._condition(update)
        update.exceptions = reader.exceptions(item, place, update=True)
        update.broken = reader.report.error_count > errors
        reader.collector.append_rule(update)
