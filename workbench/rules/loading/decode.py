"""Values of keys out of YAML nodes, with the engine's messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.rules.model.entries import ExceptionEntry, Piece
from workbench.rules.model.locations import Location
from workbench.rules.model.model import PRIORITIES, priority_named
from workbench.yamlcpp import as_bool, as_uint32

if TYPE_CHECKING:
    from workbench.rules.model.diagnostics_sink import DiagnosticSink
    from workbench.rules.model.entries import Operand
    from workbench.yamlcpp import Node, SourceText

__all__ = ["ItemDecoder"]

_SHAPE = "LOAD_ERR_YAML_VALIDATE"
# Elements of exceptions nest two deep; anything more is refused.
_MAX_NESTING = 16

_MISSING_HINTS = {
    "condition": "add the key: every rule and macro needs a condition",
    "output": "add the key, such as output: Something happened (user=%some.field)",
    "desc": "add the key with one sentence about the rule",
    "priority": "add the key with one of EMERGENCY … DEBUG, such as WARNING",
    "items": "add the key with a sequence, such as items: [a, b]",
    "enabled": (
        "a rule needs condition, output, desc and priority; only to switch an earlier "
        "rule, enabled stands alone"
    ),
    "fields": "add the key with one field, or a sequence of fields",
    "name": "add the key with a name",
    "version": "add the key with x.y.z",
}


class ItemDecoder:
    """Reads the keys of the items of one file, complaining to a diagnostic sink.

    Every method returns None when the value is missing or unusable; a diagnostic has
    then been recorded, unless the key was optional and absent.
    """

    def __init__(self, source: SourceText, sink: DiagnosticSink) -> None:
        """Read items of ``source``; complain to ``sink``."""
        self.source = source
        self.sink = sink

    def _value(
        self, item: Node, key: str, location: Location, *, optional: bool
    ) -> Node | None:
        """Return the node of ``key``; complain if it must be there and is not."""
        node = item.get(key)
        if node is None and not optional:
            message = f"Item has no mapping for key '{key}'"
            self.sink.error(_SHAPE, message, location, _MISSING_HINTS.get(key))
        return node

    def scalar(
        self, item: Node, key: str, location: Location, *, optional: bool = False
    ) -> Node | None:
        """Return the node of ``key`` if it is a scalar with text."""
        node = self._value(item, key, location, optional=optional)
        if node is None:
            return None
        fail = self.sink.error
        if node.kind == "null":
            message = f"Mapping for key '{key}' is empty"
            fail(_SHAPE, message, location, f"give {key} a value or remove the key")
            return None
        inner = location.inside("value for", node, key)
        if node.kind != "scalar":
            hint = f"{key} takes one text; quote it if it begins with [ or {{"
            fail(_SHAPE, "Value is not a scalar value", inner, hint)
            return None
        if not node.text:
            fail(_SHAPE, "Value must be non-empty", inner, f"give {key} a text")
            return None
        return node

    def text(
        self, item: Node, key: str, location: Location, *, optional: bool = False
    ) -> str | None:
        """Return the text of ``key``."""
        node = self.scalar(item, key, location, optional=optional)
        return None if node is None else node.text

    def boolean(self, item: Node, key: str, location: Location) -> bool | None:
        """Return the truth value of an optional ``key``."""
        node = self.scalar(item, key, location, optional=True)
        if node is None:
            return None
        value = as_bool(node.text)
        if value is None:
            self._undecodable(node, key, location, "write true or false")
        return value

    def uint32(self, item: Node, key: str, location: Location) -> int | None:
        """Return the number of an optional ``key``."""
        node = self.scalar(item, key, location, optional=True)
        if node is None:
            return None
        value = as_uint32(node.text)
        if value is None:
            hint = "write a number from 0 to 4294967295"
            self._undecodable(node, key, location, hint)
        return value

    def _undecodable(self, node: Node, key: str, location: Location, hint: str) -> None:
        inner = location.inside("value for", node, key)
        self.sink.error(_SHAPE, "Can't decode YAML scalar value", inner, hint)

    def bad_conversion(self, node: Node, hint: str) -> None:
        """Complain of a key or word that is a sequence or mapping.

        The engine's reader fails there, and the engine then knows no location.
        """
        row, column = self.source.row_column(node.start)
        self.sink.error(
            "LOAD_ERR_VALIDATE",
            f"yaml-cpp: error at line {row + 1}, column {column + 1}: bad conversion",
            Location(self.source, 0).pointing_at(self.source, node.start),
            hint,
        )

    def texts(
        self, item: Node, key: str, location: Location, *, optional: bool = False
    ) -> list[tuple[str, Node]] | None:
        """Return the scalars of a sequence with their nodes."""
        node = self._value(item, key, location, optional=optional)
        if node is None:
            return None
        fail = self.sink.error
        inner = location.inside("value for", node, key)
        if node.kind != "sequence":
            fail(_SHAPE, "Value is not a sequence", inner, f"write {key}: [a, b]")
            return None
        result = []
        for value in node.items:
            if value.kind != "scalar":
                fail(
                    _SHAPE,
                    "sequence value is not scalar",
                    inner.inside("list item", value),
                    "quote the word null, and keep the sequence flat"
                    if value.kind == "null"
                    else "keep the sequence flat: one text per item",
                )
                continue
            result.append((value.text, value))
        return result

    def operand(
        self,
        item: Node,
        key: str,
        location: Location,
        *,
        optional: bool,
    ) -> Operand | None:
        """Return ``fields`` or ``comps`` of an exception: a text, or several."""
        node = self._value(item, key, location, optional=optional)
        if node is None:
            return None
        return self.element(node, location.inside("value for", node, key))

    def element(self, node: Node, location: Location, depth: int = 0) -> Operand:
        """Return a text or nested sequence; anything else counts as an empty text."""
        if node.kind == "scalar":
            if not node.text:
                hint = 'write "\\"\\"" for a comparison with the empty text'
                self.sink.error(_SHAPE, "Value must be non-empty", location, hint)
            return node.text, node
        if node.kind == "sequence":
            if depth >= _MAX_NESTING:
                self.sink.error(_SHAPE, "Value is nested too deeply", location)
                return "", node
            items = []
            for child in node.items:
                inner = location.inside("exception", child).inside("value for", child)
                items.append(self.element(child, inner, depth + 1))
            return items, node
        return "", node

    def pieces(self, node: Node | None, *, strip: bool = False) -> list[Piece]:
        """Make the pieces of a condition or output."""
        if node is None:
            return []
        text = node.text.strip(" \t\n\r\f\v") if strip else node.text
        return [Piece.of(text, node, self.source)]

    def priority(self, item: Node, location: Location) -> str | None:
        """Return the priority's key form."""
        node = self.scalar(item, "priority", location)
        if node is None:
            return None
        known = priority_named(node.text)
        if known is None:
            self.sink.error(
                _SHAPE,
                "Invalid priority",
                location.inside("rule priority", node),
                f"one of {', '.join(p.key for p in PRIORITIES)}",
            )
            return None
        return known.key

    def exceptions(
        self, item: Node, location: Location, *, update: bool
    ) -> list[ExceptionEntry] | None:
        """Read the exceptions of a rule; None when there is no such key."""
        node = item.get("exceptions")
        if node is None:
            return None
        if node.kind == "null":
            return []
        outer = location.inside("exceptions", node)
        fail = self.sink.error
        if node.kind != "sequence":
            hint = "write a sequence of '- name: …' entries"
            fail(_SHAPE, "Rule exceptions must be a sequence", outer, hint)
            return []
        result: list[ExceptionEntry] = []
        for element in node.items:
            unnamed = outer.inside("exception", element)
            if element.kind != "mapping":
                hint = "write '- name: …' with fields and values"
                fail(_SHAPE, "Rule exception must be a mapping", unnamed, hint)
                continue
            name = self.text(element, "name", unnamed)
            if name is None:
                continue
            entry = self._exception(element, name, location, update=update)
            if any(other.name == name for other in result):
                message = f"Multiple definitions of exception '{name}' in the same rule"
                code = "LOAD_EXCEPTION_NAME_NOT_UNIQUE"
                hint = "give each exception its own name"
                self.sink.warn(code, message, entry.location, hint)
            result.append(entry)
        return result

    def _exception(
        self, element: Node, name: str, location: Location, *, update: bool
    ) -> ExceptionEntry:
        inner = location.inside("exception", element, name)
        entry = ExceptionEntry(name, inner)
        entry.fields = self.operand(element, "fields", inner, optional=update)
        entry.comps = self.operand(element, "comps", inner, optional=True)
        values = element.get("values")
        if values is None:
            return entry
        outer = inner.inside("exception values", values)
        if values.kind != "sequence":
            message = "Rule exception values must be a sequence"
            hint = "write a sequence of values, or of tuples as long as fields"
            self.sink.error(_SHAPE, message, outer, hint)
            return entry
        for value in values.items:
            where = outer.inside("exception value", value).inside("value for", value)
            entry.values.append(self.element(value, where))
        return entry
