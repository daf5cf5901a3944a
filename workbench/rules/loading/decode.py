"""Values of keys out of YAML nodes, with the engine's complaints."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.yamlcpp import as_bool, as_uint32

if TYPE_CHECKING:
    from workbench.rules.model.diagnostics_sink import DiagnosticSink
    from workbench.rules.model.entries import Operand
    from workbench.rules.model.locations import Location
    from workbench.yamlcpp import Node

__all__ = ["Decoder"]

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


class Decoder:
    """Reads keys of one item after the other into a :class:`DiagnosticSink`.

    Every method gives None when the value is missing or unusable; a complaint has then
    been recorded unless the key was optional and absent.
    """

    def __init__(self, report: DiagnosticSink) -> None:
        """Complain to ``report``."""
        self.report = report

    def scalar(
        self, item: Node, key: str, place: Location, *, optional: bool = False
    ) -> Node | None:
        """Give the non-empty scalar node of ``key``."""
        node = item.get(key)
        fail = self.report.error
        if node is None:
            if not optional:
                message = f"Item has no mapping for key '{key}'"
                fail(_SHAPE, message, place, _MISSING_HINTS.get(key))
            return None
        if node.kind == "null":
            message = f"Mapping for key '{key}' is empty"
            fail(_SHAPE, message, place, f"give {key} a value or remove the key")
            return None
        inner = place.inside("value for", node, key)
        if node.kind != "scalar":
            hint = f"{key} takes one text; quote it if it begins with [ or {{"
            fail(_SHAPE, "Value is not a scalar value", inner, hint)
            return None
        if not node.text:
            fail(_SHAPE, "Value must be non-empty", inner, f"give {key} a text")
            return None
        return node

    def text(
        self, item: Node, key: str, place: Location, *, optional: bool = False
    ) -> str | None:
        """Give the text of ``key``."""
        node = self.scalar(item, key, place, optional=optional)
        return None if node is None else node.text

    def boolean(self, item: Node, key: str, place: Location) -> bool | None:
        """Give the truth value of an optional ``key``."""
        node = self.scalar(item, key, place, optional=True)
        if node is None:
            return None
        value = as_bool(node.text)
        if value is None:
            self._undecodable(
                place.inside("value for", node, key), "write true or false"
            )
        return value

    def uint32(self, item: Node, key: str, place: Location) -> int | None:
        """Give the number of an optional ``key``."""
        node = self.scalar(item, key, place, optional=True)
        if node is None:
            return None
        value = as_uint32(node.text)
        if value is None:
            self._undecodable(
                place.inside("value for", node, key),
                "write a number from 0 to 4294967295",
            )
        return value

    def _undecodable(self, place: Location, hint: str) -> None:
        self.report.error(_SHAPE, "Can't decode YAML scalar value", place, hint)

    def texts(
        self, item: Node, key: str, place: Location, *, optional: bool = False
    ) -> list[tuple[str, Node]] | None:
        """Give the scalars of a sequence with their nodes."""
        node = item.get(key)
        fail = self.report.error
        if node is None:
            if not optional:
                message = f"Item has no mapping for key '{key}'"
                fail(_SHAPE, message, place, _MISSING_HINTS.get(key))
            return None
        inner = place.inside("value for", node, key)
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
        place: Location,
        *,
        optional: bool,
        trim: bool = False,
    ) -> Operand | None:
        """Give ``fields`` or ``comps`` of an exception: a text, or several."""
        node = item.get(key)
        if node is None:
            if not optional:
                message = f"Item has no mapping for key '{key}'"
                self.report.error(_SHAPE, message, place, _MISSING_HINTS.get(key))
            return None
        value = self.element(node, place.inside("value for", node, key))
        return _trimmed(value) if trim else value

    def element(self, node: Node, place: Location, depth: int = 0) -> Operand:
        """Give a text or nested sequence; anything else counts as an empty text."""
        if node.kind == "scalar":
            if not node.text:
                hint = 'write "\\"\\"" for a comparison with the empty text'
                self.report.error(_SHAPE, "Value must be non-empty", place, hint)
            return node.text, node
        if node.kind == "sequence":
            if depth >= _MAX_NESTING:
                self.report.error(_SHAPE, "Value is nested too deeply", place)
                return "", node
            items = []
            for child in node.items:
                inner = place.inside("exception", child).inside("value for", child)
                items.append(self.element(child, inner, depth + 1))
            return items, node
        return "", node


def _trimmed(operand: Operand) -> Operand:
    value, node = operand
    if isinstance(value, list):
        return [_trimmed(item) for item in value], node
    return value.strip(" \t\r\n\v\f"), node
