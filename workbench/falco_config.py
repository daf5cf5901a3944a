"""falco.yaml in and out: plugins, rules files, and how alerts look.

Read as the real program reads it: environment variables are put in, ``init_config`` as
a mapping becomes JSON with types guessed from the text, ``load_plugins`` chooses.
"""

from __future__ import annotations

import json
import math
import os
import posixpath
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.errors import WorkbenchError
from workbench.falco_config_keys import schema_verdict, unknown_keys
from workbench.formatting.printable import shortened
from workbench.paths import FALCO_PLUGIN_DIR
from workbench.reading import read_regular
from workbench.yamlcpp import (
    Node,
    SourceText,
    YamlError,
    as_bool,
    as_float,
    as_int,
    load_documents,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "DEFAULT_PLUGIN_DIR",
    "AppendedOutput",
    "FalcoConfig",
    "PluginEntry",
    "existing_rules_files",
    "init_config_json",
    "read_falco_yaml",
]

DEFAULT_PLUGIN_DIR = FALCO_PLUGIN_DIR
_MAX_BYTES = 8 << 20
# Values of one init config, aliases counted as often as they are used.
_MAX_VALUES = 200_000
_MAX_DEPTH = 200

_VARIABLE = re.compile(r"(\$?)\$\{([^{}]*)\}")


@dataclass(frozen=True, slots=True)
class PluginEntry:
    """One entry of ``plugins``. ``init_config``: the text that the plugin receives."""

    name: str
    library_path: str
    init_config: str = ""
    open_params: str = ""


@dataclass(frozen=True, slots=True)
class AppendedOutput:
    """One entry of ``append_output``.

    ``source``, ``rule``: "" for any. ``tags``: all of them must be present.
    ``fields``: pairs of name and format; a format of None adds the field typed.
    """

    source: str = ""
    rule: str = ""
    tags: frozenset[str] = frozenset()
    output: str = ""
    fields: tuple[tuple[str, str | None], ...] = ()
    suggested: bool = False

    def matches(self, source: str, rule: str, tags: frozenset[str]) -> bool:
        """Whether the entry applies to a rule."""
        return (
            self.source in ("", source)
            and self.rule in ("", rule)
            and self.tags <= tags
        )


@dataclass(slots=True)
class FalcoConfig:
    """The content of a falco.yaml. ``plugins``: those to load, in order.

    ``switches``: (enable, "rule" or "tag", pattern) in order. ``notes``: what was
    found odd, one sentence each. ``schema``: the verdict of Falco's schema validation.
    """

    path: str
    plugins: list[PluginEntry] = field(default_factory=list)
    rules_files: list[str] = field(default_factory=list)
    switches: list[tuple[bool, str, str]] = field(default_factory=list)
    priority: str = "debug"
    rule_matching: str = "first"
    json_output: bool = False
    json_include_message: bool = False
    json_include_output: bool = True
    json_include_output_fields: bool = True
    json_include_tags: bool = True
    time_iso: bool = False
    appended: list[AppendedOutput] = field(default_factory=list)
    static_fields: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    schema: str = "ok"


class _Fault(Exception):
    def __init__(self, reason: str, pos: int) -> None:
        super().__init__(reason, pos)
        self.reason = reason
        self.pos = pos


def _expand(text: str) -> str:
    """Put environment variables in; ``$${NAME}`` stays as ``${NAME}``."""

    def value(match: re.Match[str]) -> str:
        escaped, name = match.groups()
        if escaped:
            return match.group()[1:]
        return os.environ.get(name, "")

    return _VARIABLE.sub(value, text) if "${" in text else text


def _text(node: Node) -> str:
    """Return the text of a scalar as the engine's reader converts it."""
    if node.kind == "null":
        return "null"
    if node.kind != "scalar":
        raise _Fault("bad conversion", node.start)
    return _expand(node.text)


def init_config_json(node: Node) -> Any:
    """Turn an ``init_config`` mapping into the JSON value that Falco makes of it.

    Scalars become an integer, else a float, else a truth value, else stay text,
    whatever their quoting; empty mappings and sequences become null. Raises
    WorkbenchError when aliases blow it up.
    """
    if node.size > _MAX_VALUES:
        raise WorkbenchError(f"init_config holds more than {_MAX_VALUES:,} values")
    return _json(node, 0)


def _json(node: Node, depth: int) -> Any:
    if depth > _MAX_DEPTH:
        raise WorkbenchError(f"init_config is nested more than {_MAX_DEPTH} deep")
    if node.kind == "mapping":
        # of duplicate keys the last counts here
        pairs = {_text(k): _json(v, depth + 1) for k, v in node.pairs}
        return dict(sorted(pairs.items())) or None
    if node.kind == "sequence":
        return [_json(item, depth + 1) for item in node.items] or None
    if node.kind == "null":
        return None
    text = _expand(node.text)
    number = as_int(text)
    if number is not None:
        return number
    fraction = as_float(text)
    if fraction is not None:
        return fraction if math.isfinite(fraction) else None
    truth = as_bool(text)
    return text if truth is None else truth


def _json_text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


class _Reader:
    """Reads one falco.yaml; faults carry the position."""

    def __init__(self, path: Path, plugin_dir: str | None) -> None:
        self.path = path
        self.chosen_dir = plugin_dir is not None
        self.plugin_dir = plugin_dir or DEFAULT_PLUGIN_DIR
        self.config = FalcoConfig(str(path))

    def read(self) -> FalcoConfig:
        try:
            raw = read_regular(self.path, _MAX_BYTES + 1)
        except OSError as error:
            reason = error.strerror or str(error)
            name = shortened(str(self.path))
            message = f"Could not find configuration file at {name}: {reason}"
            raise WorkbenchError(message) from None
        if len(raw) > _MAX_BYTES:
            message = f"{self.path} has more than {_MAX_BYTES:,} bytes"
            raise WorkbenchError(message)
        source = SourceText(raw, str(self.path))
        try:
            documents = load_documents(source)
            root = documents[0] if documents else Node("mapping", 0, 0)
            self._root(root)
        except YamlError as error:
            raise self._error(source, error.reason, error.pos) from None
        except _Fault as fault:
            raise self._error(source, fault.reason, fault.pos) from None
        self.config.schema = schema_verdict(root)
        if self.config.schema != "ok":
            self.config.notes.append(
                f"{self.path} | schema validation: {self.config.schema}"
            )
        self.config.notes += unknown_keys(root, source, str(self.path))
        return self.config

    def _error(self, source: SourceText, reason: str, pos: int) -> WorkbenchError:
        line, column = source.line_column(pos)
        return WorkbenchError(
            f"Error reading config file({self.path}): line {line}, column {column}: "
            f"{reason}"
        )

    def _root(self, root: Node) -> None:
        if root.kind != "mapping":
            raise _Fault("the configuration is not a mapping", root.start)
        config = self.config
        entries = self._plugins(root.get("plugins"))
        config.plugins = self._chosen(entries, root.get("load_plugins"))
        files = root.get("rules_files") or root.get("rules_file")
        config.rules_files = [_text(n) for n in _sequence(files)]
        config.switches = list(self._switches(root.get("rules")))
        config.priority = self._word(root, "priority", "debug")
        config.rule_matching = self._word(root, "rule_matching", "first").lower()
        if config.rule_matching not in ("first", "all"):
            node = root.get("rule_matching")
            raise _Fault(
                f"unknown rule_matching '{config.rule_matching}'; one of first, all",
                node.start if node else 0,
            )
        for key, name in (
            ("json_output", "json_output"),
            ("json_include_message_property", "json_include_message"),
            ("json_include_output_property", "json_include_output"),
            ("json_include_output_fields_property", "json_include_output_fields"),
            ("json_include_tags_property", "json_include_tags"),
            ("time_format_iso_8601", "time_iso"),
        ):
            setattr(config, name, self._bool(root, key, getattr(config, name)))
        config.appended = [
            self._appended(n) for n in _sequence(root.get("append_output"))
        ]
        for entry in _sequence(root.get("static_fields")) or []:
            self._static(entry)
        static = root.get("static_fields")
        if static is not None and static.kind == "mapping":
            self._static(static)

    def _word(self, root: Node, key: str, default: str) -> str:
        node = root.get(key)
        return default if node is None or node.kind == "null" else _text(node)

    def _bool(self, root: Node, key: str, default: bool) -> bool:  # noqa: FBT001
        node = root.get(key)
        if node is None or node.kind == "null":
            return default
        value = as_bool(_text(node))
        if value is None:
            raise _Fault(f"{key} is true or false", node.start)
        return value

    # plugins

    def _plugins(self, node: Node | None) -> list[PluginEntry]:
        if node is None or node.kind != "sequence":
            if node is not None and node.kind != "null":
                self.config.notes.append(
                    "plugins is not a sequence: no plugin is known"
                )
            return []
        return [self._plugin(item) for item in node.items]

    def _plugin(self, item: Node) -> PluginEntry:
        name = item.get("name") if item.kind == "mapping" else None
        library = item.get("library_path") if item.kind == "mapping" else None
        if name is None or library is None:
            key = "library_path" if name is not None else "name"
            raise _Fault(
                f"could not load plugins config: bad conversion: a plugin needs {key}",
                item.start,
            )
        config = item.get("init_config")
        text = ""
        if config is not None and config.kind == "mapping":
            text = _json_text(init_config_json(config))
        elif config is not None and config.kind != "null":
            text = _text(config)
        params = item.get("open_params")
        opened = ""
        if params is not None and params.kind != "null":
            opened = _text(params).strip(" \t\n\r\f\v")
        return PluginEntry(
            _text(name), self._library(_text(library), library.start), text, opened
        )

    def _library(self, path: str, pos: int) -> str:
        if not path or path.startswith("/"):
            return path
        found = posixpath.normpath(posixpath.join(self.plugin_dir, path))
        root = posixpath.normpath(self.plugin_dir)
        if not (found + "/").startswith(root + "/"):
            raise _Fault(
                f"plugin library_path '{path}' resolves outside the plugins directory "
                f"({self.plugin_dir}/)",
                pos,
            )
        beside = os.path.abspath(self.path.parent / path)  # noqa: PTH100 - links stay
        if Path(found).exists() or not Path(beside).is_file():
            return found
        if self.chosen_dir:
            self.config.notes.append(
                f"{found} does not exist, but {beside} does: use "
                f"--plugin-dir {self.path.parent} or an absolute library_path"
            )
            return found
        # Falco would refuse it: it looks in its plugins directory alone
        self.config.notes.append(
            f"library_path '{path}': taken from beside {self.path}; Falco looks for "
            f"{found}"
        )
        return beside

    def _chosen(
        self, entries: list[PluginEntry], node: Node | None
    ) -> list[PluginEntry]:
        if node is None:
            return entries
        chosen = []
        for item in _sequence(node):
            name = _text(item)
            entry = next((e for e in entries if e.name == name), None)
            if entry is None:
                raise _Fault(
                    f"Cannot load plugin '{name}': plugin config not found for given "
                    "name",
                    item.start,
                )
            chosen.append(entry)
        return chosen

    # rules and outputs

    def _switches(self, node: Node | None) -> Iterator[tuple[bool, str, str]]:
        for item in _sequence(node):
            for word in ("enable", "disable"):
                choice = item.get(word) if item.kind == "mapping" else None
                if choice is None:
                    continue
                for kind in ("rule", "tag"):
                    value = choice.get(kind) if choice.kind == "mapping" else None
                    if value is not None:
                        yield word == "enable", kind, _text(value)

    def _appended(self, item: Node) -> AppendedOutput:
        if item.kind != "mapping":
            raise _Fault("append_output holds mappings", item.start)
        match = item.get("match") or Node("mapping", item.start, item.start)
        tags = frozenset(_text(n) for n in _sequence(match.get("tags")))
        fields: list[tuple[str, str | None]] = []
        for entry in _sequence(item.get("extra_fields")):
            if entry.kind == "mapping":
                fields += [(_text(k), _text(v)) for k, v in entry.pairs]
            else:
                fields.append((_text(entry), None))
        return AppendedOutput(
            self._word(match, "source", ""),
            self._word(match, "rule", ""),
            tags,
            self._word(item, "extra_output", ""),
            tuple(fields),
            self._bool(item, "suggested_output", default=False),
        )

    def _static(self, node: Node) -> None:
        if node.kind == "mapping":
            for key, value in node.pairs:
                self.config.static_fields.setdefault(_text(key), _text(value))


def _sequence(node: Node | None) -> list[Node]:
    """Return the items of a sequence; a scalar stands for a sequence of one."""
    if node is None or node.kind in ("null", "mapping"):
        return []
    return node.items if node.kind == "sequence" else [node]


def read_falco_yaml(
    path: str | os.PathLike[str], *, plugin_dir: str | os.PathLike[str] | None = None
) -> FalcoConfig:
    """Read a falco.yaml.

    ``plugin_dir``: where a relative ``library_path`` begins; default: Falco's own, or
    beside the file when it exists only there. Raises WorkbenchError with line and
    column when Falco would refuse to start.
    """
    folder = None if plugin_dir is None else str(Path(plugin_dir).resolve())
    return _Reader(Path(path), folder).read()


def existing_rules_files(config: FalcoConfig) -> tuple[list[str], list[str]]:
    """Return the rules files of a configuration that exist, and notes on the others.

    Falco skips what does not exist where it is started; what lies beside the
    falco.yaml is taken all the same.
    """
    found: list[str] = []
    notes: list[str] = []
    for name in config.rules_files:
        beside = Path(config.path).parent / name
        if Path(name).exists():
            found.append(name)
        elif beside.exists():
            notes.append(f"{name}: taken from beside {config.path}")
            found.append(str(beside))
        else:
            notes.append(f"{name} does not exist and is skipped")
    return found, notes
