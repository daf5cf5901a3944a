"""A configuration of Falco written as a falco.yaml."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from workbench.yamlcpp.emit import scalar

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from workbench.falco_config import AppendedOutput, FalcoConfig, PluginEntry

__all__ = ["falco_yaml", "plugins_yaml"]

# What would be replaced by a variable of the environment.
_VARIABLE = re.compile(r"\$\{[^{}]*\}")
# Key of falco.yaml → attribute of a FalcoConfig, and the value when it is left out.
_SWITCHED = (
    ("json_output", "json_output", False),
    ("json_include_message_property", "json_include_message", False),
    ("json_include_output_property", "json_include_output", True),
    ("json_include_output_fields_property", "json_include_output_fields", True),
    ("json_include_tags_property", "json_include_tags", True),
    ("time_format_iso_8601", "time_iso", False),
)


def falco_yaml(config: FalcoConfig) -> str:
    """Write a whole falco.yaml, for plugins alone: no driver, alerts to stdout."""
    lines = [
        "engine:",
        "  kind: nodriver  # plugins alone",
        *_rules_lines(config),
        *(
            f"{key}: {_truth(getattr(config, name))}"
            for key, name, default in _SWITCHED
            if getattr(config, name) != default
        ),
        *_appended_lines(config.appended),
    ]
    if config.static_fields:
        lines.append("static_fields:")
        lines += [
            f"  - {_written(name)}: {_written(text)}"
            for name, text in config.static_fields.items()
        ]
    lines += ["stdout_output:", "  enabled: true"]
    return plugins_yaml(config.plugins) + "\n".join(lines) + "\n"


def _rules_lines(config: FalcoConfig) -> Iterator[str]:
    if config.rules_files:
        yield "rules_files:"
        yield from (f"  - {_written(name)}" for name in config.rules_files)
    else:
        yield "rules_files: []"
    if config.switches:
        yield "rules:"
        for enable, kind, pattern in config.switches:
            yield f"  - {'enable' if enable else 'disable'}:"
            yield f"      {kind}: {_written(pattern)}"
    if config.priority != "debug":
        yield f"priority: {_written(config.priority)}"
    if config.rule_matching != "first":
        yield f"rule_matching: {config.rule_matching}"


def _appended_lines(appended: Sequence[AppendedOutput]) -> Iterator[str]:
    if appended:
        yield "append_output:"
    for entry in appended:
        match = [
            f"      {key}: {_written(text)}"
            for key, text in (("source", entry.source), ("rule", entry.rule))
            if text
        ]
        if entry.tags:
            match += ["      tags:", *(f"        - {_written(t)}" for t in entry.tags)]
        body = ["    match:", *match] if match else []
        if entry.output:
            body.append(f"    extra_output: {_written(entry.output)}")
        if entry.fields:
            body.append("    extra_fields:")
        for name, text in entry.fields:
            more = "" if text is None else f": {_written(text)}"
            body.append(f"      - {_written(name)}{more}")
        body.append(f"    suggested_output: {_truth(entry.suggested)}")
        yield f"  - {body[0].strip()}"
        yield from body[1:]


def _truth(value: object) -> str:
    return "true" if value else "false"


def plugins_yaml(entries: Sequence[PluginEntry]) -> str:
    """Write the plugins section of a falco.yaml."""
    if not entries:
        return "plugins: []\nload_plugins: []\n"
    lines = ["plugins:"]
    for entry in entries:
        lines += [
            f"  - name: {_written(entry.name)}",
            f"    library_path: {_written(entry.library_path)}",
            f"    init_config: {_written(entry.init_config)}",
        ]
        if entry.open_params:
            lines.append(f"    open_params: {_written(entry.open_params)}")
    names = ", ".join(_written(entry.name) for entry in entries)
    lines.append(f"load_plugins: [{names}]")
    return "\n".join(lines) + "\n"


def _written(text: str) -> str:
    """Write a text so that neither YAML nor variables change it."""
    text = _VARIABLE.sub(r"$\g<0>", text)
    written = scalar(text)
    return f"'{text}'" if written == text and "," in text else written
