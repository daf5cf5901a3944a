"""Changing items of a file in place: only the bytes that must change do.

Comments, order and quoting of everything else stay as they are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from workbench.rules.loading.files import parse_file
from workbench.rules.model.model import (
    RULE_FLAGS,
    Macro,
    Rule,
    RuleList,
    priority_named,
)
from workbench.yamlcpp import as_bool, plain_json

if TYPE_CHECKING:
    from workbench.rules.loading.files import RulesFile
    from workbench.yamlcpp import Node

__all__ = ["remove_item", "replace_item"]

_KINDS: tuple[tuple[type, str], ...] = (
    (Rule, "rule"),
    (Macro, "macro"),
    (RuleList, "list"),
)
# Keys of rules that are left out when they have their default.
_OPTIONAL_KEYS = frozenset(("tags", "exceptions", "capture_duration", *RULE_FLAGS))

# Start and end of a range of bytes, and what takes its place.
_Change: TypeAlias = tuple[int, int, bytes]


def _kind_of(item: Rule | Macro | RuleList) -> str:
    return next(key for kind, key in _KINDS if isinstance(item, kind))


def _definitions(file: RulesFile, kind: str, name: str) -> list[Node]:
    """Return the items that define ``name``, without those that change it later."""
    return [
        item
        for item in _items(file, kind, name)
        if item.get("override") is None and item.get("append") is None
    ]


def _items(file: RulesFile, kind: str, name: str) -> list[Node]:
    found = []
    for document in file.documents:
        for item in document.items:
            key = item.get(kind)
            if key is not None and key.kind == "scalar" and key.text == name:
                found.append(item)
    return found


def replace_item(file: RulesFile, item: Rule | Macro | RuleList) -> bytes | None:
    """Return the text of ``file`` with ``item`` in place of its definition there.

    None when the file does not define it. Keys whose values are the same stay as they
    are written; keys that are unknown to us stay too.
    """
    kind = _kind_of(item)
    nodes = [
        n
        for n in _definitions(file, kind, item.name)
        if kind != "rule" or n.get("condition") is not None
    ]
    if not nodes:
        return None
    old = nodes[-1]
    data = file.source.data
    if data[old.start : old.start + 1] == b"{" or _shares(old, data):
        return _rewrite_item(file, old, item)
    fresh = parse_file(item.to_yaml().encode("utf-8", "surrogateescape"), "new")
    changes = _value_changes(file, fresh, old, kind, item.name)
    changes.append(_added_keys(data, fresh, old))
    for start, end, text in sorted(changes, reverse=True):
        data = data[:start] + text + data[end:]
    return file.source.mark + data


def _value_changes(
    file: RulesFile, fresh: RulesFile, old: Node, kind: str, name: str
) -> list[_Change]:
    """Return the changes of keys that are there: values that differ, keys to drop."""
    data = file.source.data
    indent = _indent(data, old)
    wanted = {key.text: value for key, value in _item_of(fresh).pairs}
    current, target = _values(file, kind, name), _values(fresh, kind, name)
    changes: list[_Change] = []
    seen: set[str] = set()
    for key, value in old.pairs:
        if key.text in seen or key.kind != "scalar":
            continue
        seen.add(key.text)
        new = wanted.get(key.text)
        if new is None:
            if kind == "rule" and key.text in _OPTIONAL_KEYS:
                changes.append((*_pair_lines(data, key, value), b""))
        elif current.get(key.text) != target.get(key.text):
            changes.append(_value_change(data, (key, value), fresh, new, indent))
    return changes


def _added_keys(data: bytes, fresh: RulesFile, old: Node) -> _Change:
    """Return the change that adds the keys that ``old`` lacks behind its own."""
    known = {key.text for key, _ in old.pairs if key.kind == "scalar"}
    indent = _indent(data, old)
    text = b"".join(
        _pair_text(fresh, value, indent)
        for key, value in _item_of(fresh).pairs
        if key.text not in known
    )
    end = _line_end(data, max(value.end for _, value in old.pairs))
    if text and end and data[end - 1 : end] != b"\n":
        text = b"\n" + text
    return end, end, text


def _item_of(fresh: RulesFile) -> Node:
    return fresh.documents[0].items[0]


def _indent(data: bytes, item: Node) -> bytes:
    start = item.pairs[0][0].start
    return b" " * (start - data.rfind(b"\n", 0, start) - 1)


def _shares(node: Node, data: bytes) -> bool:
    """Whether a value is an alias or anchored: then it cannot be changed alone."""
    return any(
        not key.start <= value.start <= len(data)
        or data[value.start : value.start + 1] in (b"&", b"*")
        for key, value in node.pairs
    )


def _values(file: RulesFile, kind: str, name: str) -> dict[str, object]:
    """Return the values of an item's keys as the engine understands them."""
    item = _definitions(file, kind, name)[-1]
    found = plain_json(item)
    if not isinstance(found, dict):
        return {}
    if "output" in found and isinstance(found["output"], str):
        found["output"] = found["output"].strip(" \t\n\r\f\v")
    if "tags" in found and isinstance(found["tags"], list):
        found["tags"] = sorted(set(found["tags"]))
    if isinstance(found.get("priority"), str):
        known = priority_named(found["priority"])
        found["priority"] = known.key if known else found["priority"]
    for key in RULE_FLAGS:
        if isinstance(found.get(key), str):
            found[key] = as_bool(found[key])
    return found


def _line_end(data: bytes, pos: int) -> int:
    end = data.find(b"\n", pos)
    return len(data) if end < 0 else end + 1


def _pair_text(fresh: RulesFile, value: Node, indent: bytes) -> bytes:
    """Return ``key: value`` as the writer wrote it, indented like the item."""
    data = fresh.source.data
    start = next(k.start for k, v in _item_of(fresh).pairs if v is value)
    text = data[data.rfind(b"\n", 0, start) + 1 : _line_end(data, value.end)]
    lines = text.splitlines(keepends=True)
    # the writer indents by two; the first key stands behind the dash
    return b"".join(indent + line[2:] if line.strip() else line for line in lines)


def _value_change(
    data: bytes, pair: tuple[Node, Node], fresh: RulesFile, new: Node, indent: bytes
) -> _Change:
    """Replace a value; a comment behind a one-line value stays."""
    key, value = pair
    written = fresh.source.data[new.start : new.end]
    one_line = b"\n" not in data[value.start : value.end] and b"\n" not in written
    same_line = data.find(b"\n", key.end, value.start) < 0
    flow = new.kind == "scalar" or written.startswith(b"[")
    if one_line and same_line and flow:
        return value.start, value.end, written
    start, end = _pair_lines(data, key, value)
    head = data[start : key.start]
    text = _pair_text(fresh, new, indent)
    # keep what stood before the key on its line, such as the dash
    return start, end, head + text[len(indent) :]


def _pair_lines(data: bytes, key: Node, value: Node) -> tuple[int, int]:
    """Return the range of all lines of a pair; comments after it are not its."""
    start = data.rfind(b"\n", 0, key.start) + 1
    return start, _line_end(data, max(value.end - 1, key.end))


def _rewrite_item(file: RulesFile, old: Node, item: Rule | Macro | RuleList) -> bytes:
    """Write all of an item anew."""
    data = file.source.data
    text = item.to_yaml().encode("utf-8", "surrogateescape")
    start = data.rfind(b"\n", 0, old.start) + 1
    end = _line_end(data, max(old.end - 1, old.start))
    if data[start : old.start].strip() != b"-":
        # inside brackets: leave it there and define it anew at the end
        return (
            file.source.mark
            + data
            + (b"" if data.endswith(b"\n") else b"\n")
            + b"---\n"
            + text
        )
    pad = data[start : data.find(b"-", start)]
    lines = text.splitlines(keepends=True)
    return (
        file.source.mark
        + data[:start]
        + b"".join(pad + line if line.strip() else line for line in lines)
        + data[end:]
    )


def remove_item(file: RulesFile, kind: str, name: str) -> bytes | None:
    """Return the text of ``file`` without the items that define or change ``name``.

    None when there is none; items inside brackets cannot be removed and count as none.
    """
    data = file.source.data
    found = [
        item
        for item in _items(file, kind, name)
        if data[data.rfind(b"\n", 0, item.start) + 1 : item.start].strip() == b"-"
    ]
    if not found:
        return None
    for item in sorted(found, key=lambda n: n.start, reverse=True):
        start = data.rfind(b"\n", 0, item.start) + 1
        end = _line_end(data, max(item.end - 1, item.start))
        # one empty line goes with it
        if data[end : end + 1] == b"\n":
            end += 1
        data = data[:start] + data[end:]
    return file.source.mark + data
