"""YAML documents → items, one after the other, handed to the collector."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from workbench.rules.loading.decode import ItemDecoder
from workbench.rules.loading.overrides import read_overrides
from workbench.rules.loading.required_versions import (
    read_engine_version,
    read_plugin_versions,
)
from workbench.rules.loading.updates import RuleUpdates
from workbench.rules.model.diagnostics_sink import FirstError
from workbench.rules.model.entries import ListEntry, MacroEntry, RuleEntry
from workbench.rules.model.locations import Location
from workbench.rules.model.model import RULE_FLAGS

if TYPE_CHECKING:
    from collections.abc import Callable

    from workbench.rules.loading.collector import Collector
    from workbench.rules.model.diagnostics_sink import DiagnosticSink
    from workbench.yamlcpp import Node, SourceText

__all__ = ["ITEM_KEYS", "Reader", "read_file"]

_SHAPE = "LOAD_ERR_YAML_VALIDATE"


class _NameForm(NamedTuple):
    """How names of one kind should look: pattern, its text in the engine's words."""

    pattern: re.Pattern[str]
    shown: str
    code: str
    hint: str


# Kind of item → how its names should look; rules may have any.
_NAME_FORMS = {
    "list": _NameForm(
        re.compile(r"[^()\"'\s=,]+", re.ASCII),
        "[^()\"'[:space:]=,]+",
        "LOAD_INVALID_LIST_NAME",
        "use letters, digits and underscores",
    ),
    "macro": _NameForm(
        re.compile(r"[a-zA-Z]+[a-zA-Z0-9_]*"),
        "[a-zA-Z]+[a-zA-Z0-9_]*",
        "LOAD_INVALID_MACRO_NAME",
        "begin with a letter, go on with letters, digits and underscores",
    ),
}

_APPEND_DEPRECATED = (
    "'append' key is deprecated. Add an 'append' entry (e.g. 'condition: append') "
    "under 'override' instead."
)
_APPEND_AND_OVERRIDE = (
    "Keys 'override' and 'append: true' cannot be used together. Add an 'append' entry "
    "(e.g. 'condition: append') under 'override' instead."
)
_ENABLED_DEPRECATED = (
    "The standalone 'enabled' key usage is deprecated. The correct approach requires "
    "also a 'replace' entry under the 'override' key (i.e. 'enabled: replace')."
)

# Kind of item → the keys it knows. The first kind whose name is a key decides.
ITEM_KEYS: dict[str, frozenset[str]] = {
    "required_engine_version": frozenset(("required_engine_version",)),
    "required_plugin_versions": frozenset(("required_plugin_versions",)),
    "list": frozenset(("list", "items", "append", "override")),
    "macro": frozenset(("macro", "condition", "append", "override")),
    "rule": frozenset(
        (
            "rule",
            "condition",
            "output",
            "desc",
            "priority",
            "source",
            "tags",
            "exceptions",
            "append",
            "override",
            "capture_duration",
            *RULE_FLAGS,
        )
    ),
}


class Reader:
    """Reads the documents of one file into a collector."""

    def __init__(
        self, source: SourceText, sink: DiagnosticSink, collector: Collector
    ) -> None:
        """Read ``source``; complain to ``sink``."""
        self.source = source
        self.sink = sink
        self.collector = collector
        self.decoder = ItemDecoder(source, sink)
        self._read_item: dict[str, Callable[[Node, Location], Location]] = {
            "required_engine_version": partial(
                read_engine_version, self.decoder, collector
            ),
            "required_plugin_versions": partial(
                read_plugin_versions, self.decoder, collector
            ),
            "list": self._list,
            "macro": self._macro,
            "rule": self._rule,
        }

    def read(self, documents: list[Node]) -> None:
        """Read every item of every document."""
        content = Location(self.source, 0)
        for document in documents:
            if document.kind not in ("sequence", "mapping"):
                hint = "a rules file is a sequence: write '- rule: …'"
                message = "Rules content is not yaml"
                self._fail_at(content, document, message, hint)
            elif document.kind == "mapping":
                message = "Rules content is not yaml array of objects"
                hint = "put '- ' before the item: a rules file is a sequence"
                self._fail_at(content, document, message, hint)
            for item in document.items:
                if item.kind != "null":
                    self._item(item, content)

    def _fail_at(self, content: Location, node: Node, message: str, hint: str) -> None:
        # the engine names no position; ours is where the document begins
        location = content.pointing_at(self.source, node.start)
        self.sink.error(_SHAPE, message, location, hint)

    def _item(self, item: Node, content: Location) -> None:
        location = content.inside("rules content item", item)
        if item.kind != "mapping":
            self.sink.error(
                _SHAPE,
                "Unexpected element type. Each element should be a yaml associative "
                "array.",
                location,
                "each element begins with a key, such as '- rule: name'",
            )
            return
        kind = next((k for k in ITEM_KEYS if item.get(k) is not None), None)
        if kind is None:
            hint = f"an item has one of the keys {', '.join(ITEM_KEYS)}"
            message = "Unknown top level item"
            self.sink.warn("LOAD_UNKNOWN_ITEM", message, location, hint)
            return
        self._check_keys(item, kind, self._read_item[kind](item, content))

    def _check_keys(self, item: Node, kind: str, location: Location) -> None:
        """Warn of keys that are unknown or given twice."""
        seen: set[str] = set()
        for key, _ in item.pairs:
            if key.kind not in ("scalar", "null"):
                self.decoder.bad_conversion(key, "keys are plain words")
                continue
            name = key.text if key.kind == "scalar" else "null"
            if name not in ITEM_KEYS[kind]:
                self._unknown_key(name, key, kind, location)
            elif name in seen:
                self.sink.warn(
                    "duplicate-key",
                    f"key '{name}' is given twice; the engine uses the first",
                    location.inside("value for", key, name),
                    f"remove one of the two '{name}' keys",
                )
            seen.add(name)

    def _unknown_key(self, name: str, key: Node, kind: str, location: Location) -> None:
        import difflib

        near = difflib.get_close_matches(name.lower(), sorted(ITEM_KEYS[kind]), 1, 0.6)
        hint = f"did you mean {near[0]}?" if near else f"a {kind} has no such key"
        self.sink.warn(
            "LOAD_UNKNOWN_KEY",
            f"Unknown key '{name}'. The key will be ignored.",
            location.pointing_at(self.source, key.start),
            hint,
        )

    # lists and macros

    def _named(
        self, item: Node, kind: str, content: Location
    ) -> tuple[str | None, Location]:
        name = self.decoder.text(item, kind, content.inside(kind, item))
        location = content.inside(kind, item, name or "")
        form = _NAME_FORMS.get(kind)
        if name is not None and form is not None and not form.pattern.fullmatch(name):
            message = (
                f"{kind.capitalize()} has an invalid name. {kind.capitalize()} names "
                f"should match a regular expression: ({form.shown})"
            )
            self.sink.warn(form.code, message, location, form.hint)
        return name, location

    def _append_flag(self, item: Node, location: Location) -> bool:
        append = self.decoder.boolean(item, "append", location)
        if append:
            hint = "replace 'append: true' by an override mapping"
            self.sink.warn("LOAD_DEPRECATED_ITEM", _APPEND_DEPRECATED, location, hint)
        return bool(append)

    def _not_both(self, location: Location) -> None:
        hint = "remove 'append: true'"
        self.sink.error(_SHAPE, _APPEND_AND_OVERRIDE, location, hint)

    def _change(self, item: Node, key: str, location: Location) -> str:
        """Return how a list or macro changes an earlier one: "append", "replace" or "".

        ``key``: its only value.
        """
        append = self._append_flag(item, location)
        keys = frozenset((key,))
        overrides = read_overrides(self.decoder, item, keys, keys, location)
        if append and overrides:
            self._not_both(location)
        if append or overrides.get(key) in ("append", "both"):
            return "append"
        return overrides.get(key, "")

    def _list(self, item: Node, content: Location) -> Location:
        errors = self.sink.error_count
        name, location = self._named(item, "list", content)
        items = self.decoder.texts(item, "items", location)
        change = self._change(item, "items", location)
        if name is not None:
            texts = [(text, node, self.source) for text, node in items or ()]
            entry = ListEntry(name, location, texts)
            entry.broken = self.sink.error_count > errors
            if change == "append":
                self.collector.append_list(entry)
            else:
                self.collector.define_list(entry, override=change == "replace")
        return location

    def _macro(self, item: Node, content: Location) -> Location:
        errors = self.sink.error_count
        name, location = self._named(item, "macro", content)
        node = self.decoder.scalar(item, "condition", location)
        change = self._change(item, "condition", location)
        if name is not None:
            inner = _inside(location, "macro condition", node)
            entry = MacroEntry(name, location, self.decoder.pieces(node), inner)
            entry.broken = self.sink.error_count > errors
            if change == "append":
                self.collector.append_macro(entry)
            else:
                self.collector.define_macro(entry, override=change == "replace")
        return location

    # rules

    def _rule(self, item: Node, content: Location) -> Location:
        name, location = self._named(item, "rule", content)
        update = RuleUpdates(self.decoder, self.collector, item, name or "", location)
        append = self._append_flag(item, location)
        overrides = update.overrides()
        if append and overrides:
            self._not_both(location)
        if overrides:
            update.apply(overrides)
        elif append:
            update.append_old_way()
        elif not any(item.get(k) for k in ("condition", "output", "desc", "priority")):
            self._switch(item, name, location)
        else:
            self._define_rule(item, name, location)
        return location

    def _switch(self, item: Node, name: str | None, location: Location) -> None:
        if item.get("enabled") is None:
            self.decoder.scalar(item, "enabled", location)
            return
        enabled = self.decoder.boolean(item, "enabled", location)
        if enabled is None or name is None:
            return
        hint = "add 'override: {enabled: replace}'"
        self.sink.warn("LOAD_DEPRECATED_ITEM", _ENABLED_DEPRECATED, location, hint)
        self.collector.enable(name, location, enabled=enabled)

    def _define_rule(self, item: Node, name: str | None, location: Location) -> None:
        decoder = self.decoder
        errors = self.sink.error_count
        condition = decoder.scalar(item, "condition", location)
        output = decoder.scalar(item, "output", location)
        desc = decoder.text(item, "desc", location)
        priority = decoder.priority(item, location)
        entry = RuleEntry(
            name or "",
            location,
            decoder.pieces(condition),
            _inside(location, "rule condition", condition),
            decoder.pieces(output, strip=True),
            _inside(location, "rule output", output),
            desc=desc or "",
            priority=priority or "DEBUG",
        )
        source = decoder.text(item, "source", location, optional=True)
        entry.source = source or "syscall"
        self._flags(item, location, entry)
        tags = decoder.texts(item, "tags", location, optional=True)
        entry.tags = {text for text, _ in tags or ()}
        entry.exceptions = decoder.exceptions(item, location, update=False) or []
        entry.broken = (
            self.sink.error_count > errors
            or name is None
            or (source is None and item.get("source") is not None)
        )
        self.collector.define_rule(entry)

    def _flags(self, item: Node, location: Location, entry: RuleEntry) -> None:
        """Read the truth values and the duration of a rule."""
        for key, (attribute, _) in RULE_FLAGS.items():
            value = self.decoder.boolean(item, key, location)
            if value is not None:
                setattr(entry, attribute, value)
        duration = self.decoder.uint32(item, "capture_duration", location)
        if duration is not None:
            entry.capture_duration = duration


def _inside(location: Location, kind: str, node: Node | None) -> Location:
    return location if node is None else location.inside(kind, node)


def read_file(
    source: SourceText,
    documents: list[Node],
    sink: DiagnosticSink,
    collector: Collector,
) -> None:
    """Read one file; stop at its first error when ``sink`` says so."""
    try:
        Reader(source, sink, collector).read(documents)
    except FirstError:
        return
