"""YAML documents → items, one after the other, handed to the collector."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from workbench.rules.loading.decode import Decoder
from workbench.rules.loading.updates import Updates, read_overrides
from workbench.rules.model.diagnostics_sink import FirstError
from workbench.rules.model.entries import (
    ExceptionEntry,
    ListEntry,
    MacroEntry,
    Piece,
    RuleEntry,
)
from workbench.rules.model.locations import Location
from workbench.rules.model.model import PRIORITIES, priority_named

if TYPE_CHECKING:
    from workbench.rules.loading.collector import Collector
    from workbench.rules.model.diagnostics_sink import DiagnosticSink
    from workbench.yamlcpp import Node, SourceText

__all__ = ["ITEM_KEYS", "Reader"]

_SHAPE = "LOAD_ERR_YAML_VALIDATE"
_MACRO_NAME = re.compile(r"[a-zA-Z]+[a-zA-Z0-9_]*")
_LIST_NAME = re.compile(r"[^()\"'\s=,]+", re.ASCII)

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
            "enabled",
            "warn_evttypes",
            "skip-if-unknown-filter",
            "tags",
            "exceptions",
            "append",
            "override",
            "capture",
            "capture_duration",
        )
    ),
}


class Reader:
    """Reads the documents of one file into a collector."""

    def __init__(
        self, source: SourceText, report: DiagnosticSink, collector: Collector
    ) -> None:
        """Read ``source``; complain to ``report``."""
        self.source = source
        self.report = report
        self.collector = collector
        self.decode = Decoder(report)

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
                    self.item(item, content)

    def _fail_at(self, content: Location, node: Node, message: str, hint: str) -> None:
        # the engine names no place; ours is where the document begins
        place = content.pointing(self.source, node.start)
        self.report.error(_SHAPE, message, place, hint)

    def item(self, item: Node, content: Location) -> None:
        """Read one item."""
        if item.kind != "mapping":
            self.report.error(
                _SHAPE,
                "Unexpected element type. Each element should be a yaml associative "
                "array.",
                content.inside("rules content item", item),
                "each element begins with a key, such as '- rule: name'",
            )
            return
        kind = next((k for k in ITEM_KEYS if item.get(k) is not None), None)
        if kind is None:
            place = content.inside("rules content item", item)
            known = ", ".join(ITEM_KEYS)
            hint = f"an item has one of the keys {known}"
            self.report.warn("LOAD_UNKNOWN_ITEM", "Unknown top level item", place, hint)
            return
        place = getattr(self, f"_{kind}")(item, content)
        self._unknown_keys(item, kind, place)

    def _unknown_keys(self, item: Node, kind: str, place: Location) -> None:
        known = ITEM_KEYS[kind]
        seen: set[str] = set()
        for key, _ in item.pairs:
            if key.kind not in ("scalar", "null"):
                row, column = self.source.row_column(key.start)
                self.report.error(
                    "LOAD_ERR_VALIDATE",
                    f"yaml-cpp: error at line {row + 1}, column {column + 1}: "
                    "bad conversion",
                    Location(self.source, 0).pointing(self.source, key.start),
                    "keys are plain words",
                )
                continue
            name = key.text if key.kind == "scalar" else "null"
            if name not in known:
                self._unknown_key(name, key, kind, place)
            elif name in seen:
                self.report.warn(
                    "duplicate-key",
                    f"key '{name}' is given twice; the engine uses the first",
                    place.inside("value for", key, name),
                    f"remove one of the two '{name}' keys",
                )
            seen.add(name)

    def _unknown_key(self, name: str, key: Node, kind: str, place: Location) -> None:
        import difflib

        near = difflib.get_close_matches(name.lower(), sorted(ITEM_KEYS[kind]), 1, 0.6)
        hint = f"did you mean {near[0]}?" if near else f"a {kind} has no such key"
        where = place.pointing(self.source, key.start)
        self.report.warn(
            "LOAD_UNKNOWN_KEY",
            f"Unknown key '{name}'. The key will be ignored.",
            where,
            hint,
        )

    # requirements

    def _required_engine_version(self, item: Node, content: Location) -> Location:
        from workbench.rules.model.versions import parse_version
        from workbench.yamlcpp import as_uint32

        key = "required_engine_version"
        place = content.inside(key, item)
        node = self.decode.scalar(item, key, place)
        if node is None:
            return place
        number = as_uint32(node.text)
        version = (0, number, 0) if number is not None else parse_version(node.text)
        if version is None:
            self.report.error(
                _SHAPE,
                f"Unable to parse engine version '{node.text}' as a semver string. "
                'Expected "x.y.z" semver format.',
                place,
                "write a version such as 0.31.0",
            )
        else:
            self.collector.require_engine(version, place)
        return place

    def _required_plugin_versions(self, item: Node, content: Location) -> Location:
        kind = "required plugin versions"
        entries = item.get("required_plugin_versions")
        fail = self.report.error
        whole = content.inside(kind, item)
        if entries is None:  # pragma: no cover - the key chose this method
            return whole
        outer = content.inside(kind, entries)
        if entries.kind != "sequence":
            message = "Value of required_plugin_versions must be a sequence"
            hint = "write a sequence of name and version pairs"
            fail(_SHAPE, message, outer, hint)
            return whole
        for entry in entries.items:
            unnamed = outer.inside(f"{kind} entry", entry)
            if entry.kind != "mapping":
                hint = "write '- name: …' and 'version: x.y.z'"
                fail(_SHAPE, "Plugin version must be a mapping", unnamed, hint)
                continue
            pairs: list[tuple[str, str]] = []
            place = self._requirement(entry, unnamed, pairs)
            others = entry.get("alternatives")
            if others is not None:
                self._alternatives(others, place, pairs)
            if pairs:
                self.collector.require_plugin(pairs, place)
        return whole

    def _requirement(
        self, entry: Node, unnamed: Location, pairs: list[tuple[str, str]]
    ) -> Location:
        name = self.decode.text(entry, "name", unnamed)
        place = Location(
            unnamed.source, unnamed.pos, unnamed.kind, name or "", unnamed.parent
        )
        version = self.decode.text(entry, "version", place)
        if name is not None and version is not None:
            pairs.append((name, version))
        return place

    def _alternatives(
        self, others: Node, place: Location, pairs: list[tuple[str, str]]
    ) -> None:
        fail = self.report.error
        if others.kind != "sequence":
            message = "Value of plugin version alternatives must be a sequence"
            fail(_SHAPE, message, place, "write a sequence of name and version pairs")
            return
        for other in others.items:
            unnamed = place.inside("required plugin versions alternative", other)
            if other.kind != "mapping":
                message = "Plugin version alternative must be a mapping"
                fail(_SHAPE, message, unnamed, "write '- name: …' and 'version: x.y.z'")
                continue
            self._requirement(other, unnamed, pairs)

    # lists and macros

    def _named(
        self, item: Node, kind: str, content: Location
    ) -> tuple[str | None, Location]:
        name = self.decode.text(item, kind, content.inside(kind, item))
        return name, content.inside(kind, item, name or "")

    def _append_flag(self, item: Node, place: Location) -> bool:
        append = self.decode.boolean(item, "append", place)
        if append:
            hint = "replace 'append: true' by an override mapping"
            self.report.warn("LOAD_DEPRECATED_ITEM", _APPEND_DEPRECATED, place, hint)
        return bool(append)

    def _not_both(self, place: Location) -> None:
        hint = "remove 'append: true'"
        self.report.error(_SHAPE, _APPEND_AND_OVERRIDE, place, hint)

    def _list(self, item: Node, content: Location) -> Location:
        name, place = self._named(item, "list", content)
        errors = self.report.error_count
        if name is not None and not _LIST_NAME.fullmatch(name):
            self.report.warn(
                "LOAD_INVALID_LIST_NAME",
                "List has an invalid name. List names should match a regular "
                "expression: ([^()\"'[:space:]=,]+)",
                place,
                "use letters, digits and underscores",
            )
        items = self.decode.texts(item, "items", place)
        append = self._append_flag(item, place)
        kinds = frozenset(("items",))
        overrides = read_overrides(item, kinds, kinds, place, self.report)
        if append and overrides:
            self._not_both(place)
        if name is None:
            return place
        entry = ListEntry(
            name, place, [(text, node, self.source) for text, node in items or ()]
        )
        entry.broken = self.report.error_count > errors
        if append or overrides.get("items") in ("append", "both"):
            self.collector.append_list(entry)
        else:
            self.collector.define_list(entry)
        return place

    def _macro(self, item: Node, content: Location) -> Location:
        name, place = self._named(item, "macro", content)
        errors = self.report.error_count
        if name is not None and not _MACRO_NAME.fullmatch(name):
            self.report.warn(
                "LOAD_INVALID_MACRO_NAME",
                "Macro has an invalid name. Macro names should match a regular "
                "expression: ([a-zA-Z]+[a-zA-Z0-9_]*)",
                place,
                "begin with a letter, go on with letters, digits and underscores",
            )
        node = self.decode.scalar(item, "condition", place)
        append = self._append_flag(item, place)
        kinds = frozenset(("condition",))
        overrides = read_overrides(item, kinds, kinds, place, self.report)
        if append and overrides:
            self._not_both(place)
        if name is None:
            return place
        pieces = [Piece.of(node.text, node, self.source)] if node is not None else []
        at = place if node is None else place.inside("macro condition", node)
        entry = MacroEntry(name, place, pieces, at)
        entry.broken = self.report.error_count > errors
        if append or overrides.get("condition") in ("append", "both"):
            self.collector.append_macro(entry)
        else:
            self.collector.define_macro(entry)
        return place

    # rules

    def _rule(self, item: Node, content: Location) -> Location:
        name, place = self._named(item, "rule", content)
        updates = Updates(self, item, name or "", place)
        append = self._append_flag(item, place)
        overrides = updates.overrides()
        if append and overrides:
            self._not_both(place)
        if overrides:
            updates.apply(overrides)
        elif append:
            updates.append_old_way()
        elif not any(item.get(k) for k in ("condition", "output", "desc", "priority")):
            self._switch(item, name, place)
        else:
            self._define_rule(item, name, place)
        return place

    def _switch(self, item: Node, name: str | None, place: Location) -> None:
        if item.get("enabled") is None:
            self.decode.scalar(item, "enabled", place)
            return
        enabled = self.decode.boolean(item, "enabled", place)
        if enabled is None or name is None:
            return
        hint = "add 'override: {enabled: replace}'"
        self.report.warn("LOAD_DEPRECATED_ITEM", _ENABLED_DEPRECATED, place, hint)
        self.collector.enable(name, place, enabled=enabled)

    def _define_rule(self, item: Node, name: str | None, place: Location) -> None:
        decode = self.decode
        errors = self.report.error_count
        condition = decode.scalar(item, "condition", place)
        output = decode.scalar(item, "output", place)
        desc = decode.text(item, "desc", place)
        priority = self.priority(item, place)
        entry = RuleEntry(
            name or "",
            place,
            self.pieces(condition),
            place if condition is None else place.inside("rule condition", condition),
            self.pieces(output, strip=True),
            place if output is None else place.inside("rule output", output),
            desc=desc or "",
            priority=priority or "DEBUG",
        )
        source = decode.text(item, "source", place, optional=True)
        entry.source = source or "syscall"
        self.flags(item, place, entry)
        tags = decode.texts(item, "tags", place, optional=True)
        entry.tags = {text for text, _ in tags or ()}
        entry.exceptions = self.exceptions(item, place, update=False) or []
        entry.broken = (
            self.report.error_count > errors
            or name is None
            or (source is None and item.get("source") is not None)
        )
        self.collector.define_rule(entry)

    def flags(self, item: Node, place: Location, entry: RuleEntry) -> None:
        """Read the truth values and the duration of a rule."""
        for key in (
            "enabled",
            "warn_evttypes",
            "skip-if-unknown-filter",
            "capture",
        ):
            value = self.decode.boolean(item, key, place)
            if value is not None:
                setattr(entry, key.replace("-", "_"), value)
        duration = self.decode.uint32(item, "capture_duration", place)
        if duration is not None:
            entry.capture_duration = duration

    def pieces(self, node: Node | None, *, strip: bool = False) -> list[Piece]:
        """Make the pieces of a condition or output."""
        if node is None:
            return []
        text = node.text.strip(" \t\n\r\f\v") if strip else node.text
        return [Piece.of(text, node, self.source)]

    def priority(self, item: Node, place: Location) -> str | None:
        """Give the priority's key form."""
        node = self.decode.scalar(item, "priority", place)
        if node is None:
            return None
        known = priority_named(node.text)
        if known is None:
            self.report.error(
                _SHAPE,
                "Invalid priority",
                place.inside("rule priority", node),
                f"one of {', '.join(p.key for p in PRIORITIES)}",
            )
            return None
        return known.key

    def exceptions(
        self, item: Node, place: Location, *, update: bool
    ) -> list[ExceptionEntry] | None:
        """Read the exceptions of a rule; None when there is no such key."""
        node = item.get("exceptions")
        if node is None:
            return None
        if node.kind == "null":
            return []
        outer = place.inside("exceptions", node)
        fail = self.report.error
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
            name = self.decode.text(element, "name", unnamed)
            if name is None:
                continue
            entry = self._exception(element, name, place, update=update)
            if any(other.name == name for other in result):
                message = f"Multiple definitions of exception '{name}' in the same rule"
                code = "LOAD_EXCEPTION_NAME_NOT_UNIQUE"
                hint = "give each exception its own name"
                self.report.warn(code, message, entry.place, hint)
            result.append(entry)
        return result

    def _exception(
        self, element: Node, name: str, place: Location, *, update: bool
    ) -> ExceptionEntry:
        inner = place.inside("exception", element, name)
        decode = self.decode
        entry = ExceptionEntry(name, inner)
        entry.fields = decode.operand(element, "fields", inner, optional=update)
        entry.comps = decode.operand(element, "comps", inner, optional=True, trim=True)
        values = element.get("values")
        if values is None:
            return entry
        outer = inner.inside("exception values", values)
        if values.kind != "sequence":
            message = "Rule exception values must be a sequence"
            hint = "write a sequence of values, or of tuples as long as fields"
            self.report.error(_SHAPE, message, outer, hint)
            return entry
        for value in values.items:
            where = outer.inside("exception value", value).inside("value for", value)
            entry.values.append(decode.element(value, where))
        return entry


def read_file(
    source: SourceText,
    documents: list[Node],
    report: DiagnosticSink,
    collector: Collector,
) -> None:
    """Read one file; stops at its first error when the report says so."""
    try:
        Reader(source, report, collector).read(documents)
    except FirstError:
        return
