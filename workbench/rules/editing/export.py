"""Rules, macros and lists as YAML that Falco loads and that reads back the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.errors import RulesError
from workbench.rules.model.model import (
    ENGINE_VERSION,
    Macro,
    Rule,
    RuleException,
    RuleList,
    priority_named,
)
from workbench.rules.model.versions import version_text
from workbench.yamlcpp.emit import block, flow, scalar

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from workbench.rules.model.model import ExceptionValue

__all__ = ["header_yaml", "item_yaml", "list_yaml", "macro_yaml", "rule_yaml"]

_INDENT = "  "
_WIDTH = 88


def _pair(key: str, text: str, indent: str = _INDENT) -> str:
    """Write ``key: text`` with the text in its most readable safe form."""
    width = len(indent) + len(key) + 2
    return f"{indent}{key}: {block(text, width, indent + _INDENT)}"


def _sequence(key: str, items: Iterable[str], indent: str = _INDENT) -> str:
    """Write a sequence of texts on one line, or one line each when long."""
    written = [flow(item) for item in items]
    line = f"{indent}{key}: [{', '.join(written)}]"
    if len(line) <= _WIDTH or len(written) < 2:
        return line
    inner = indent + _INDENT
    rows = [f"{inner}- {scalar(item)}" for item in items]
    return f"{indent}{key}:\n" + "\n".join(rows)


def _flow_value(value: ExceptionValue) -> str:
    if isinstance(value, tuple):
        return "[" + ", ".join(_flow_value(item) for item in value) + "]"
    return flow(value)


def exception_yaml(exception: RuleException, indent: str) -> str:
    """Write one entry of ``exceptions``."""
    inner = indent + _INDENT
    lines = [f"{indent}- name: {scalar(exception.name)}"]
    if exception.fields is not None:
        lines.append(f"{inner}fields: {_flow_value(exception.fields)}")
    if exception.comps is not None:
        lines.append(f"{inner}comps: {_flow_value(exception.comps)}")
    if exception.values:
        lines.append(f"{inner}values:")
        lines += [f"{inner}  - {_flow_value(value)}" for value in exception.values]
    return "\n".join(lines)


def rule_yaml(rule: Rule) -> str:
    """Write a rule as a sequence of one item.

    Raises RulesError for what no rules file can say: an empty name, condition or
    output, an unknown priority. An empty description becomes the rule's name, since
    Falco requires one.
    """
    faults = [
        f"the {what} is empty"
        for what, text in (
            ("name", rule.name),
            ("condition", rule.condition),
            ("output", rule.output),
            ("source", rule.source),
        )
        if not text
    ]
    known = priority_named(rule.priority)
    if known is None:
        faults.append(f"{rule.priority!r} is no priority")
    if rule.output != rule.output.strip(" \t\n\r\f\v"):
        faults.append("the output begins or ends with white space, which Falco trims")
    if faults or known is None:
        name = rule.name or "without a name"
        raise RulesError(f"rule {name} cannot be written: {'; '.join(faults)}")
    lines = [
        f"- rule: {block(rule.name, 8, _INDENT * 2)}",
        _pair("desc", rule.desc or rule.name),
        _pair("condition", rule.condition),
        _pair("output", rule.output),
        f"{_INDENT}priority: {known.key}",
        _pair("source", rule.source),
    ]
    if rule.tags:
        lines.append(_sequence("tags", rule.tags))
    lines += [
        f"{_INDENT}{key}: {'true' if value else 'false'}"
        for key, value, default in (
            ("enabled", rule.enabled, True),
            ("warn_evttypes", rule.warn_evttypes, True),
            ("skip-if-unknown-filter", rule.skip_if_unknown_filter, False),
            ("capture", rule.capture, False),
        )
        if value != default
    ]
    if rule.capture_duration:
        lines.append(f"{_INDENT}capture_duration: {rule.capture_duration}")
    if rule.exceptions:
        lines.append(f"{_INDENT}exceptions:")
        lines += [exception_yaml(item, _INDENT * 2) for item in rule.exceptions]
    return "\n".join(lines) + "\n"


def macro_yaml(macro: Macro) -> str:
    """Write a macro as a sequence of one item. Raises RulesError when it is empty."""
    if not macro.name or not macro.condition:
        raise RulesError(f"macro {macro.name or 'without a name'} is empty")
    head = f"- macro: {block(macro.name, 9, _INDENT * 2)}"
    return f"{head}\n{_pair('condition', macro.condition)}\n"


def list_yaml(item: RuleList) -> str:
    """Write a list as a sequence of one item. Raises RulesError without a name."""
    if not item.name:
        raise RulesError("a list without a name cannot be written")
    head = f"- list: {block(item.name, 8, _INDENT * 2)}"
    return f"{head}\n{_sequence('items', item.items)}\n"


def item_yaml(item: Rule | Macro | RuleList) -> str:
    """Write a rule, macro or list."""
    if isinstance(item, Rule):
        return rule_yaml(item)
    return macro_yaml(item) if isinstance(item, Macro) else list_yaml(item)


def header_yaml(
    plugins: Mapping[str, str], engine: tuple[int, int, int] | None = ENGINE_VERSION
) -> str:
    """Write the requirements: the engine's version and plugin name → version."""
    text = ""
    if engine is not None:
        text = f"- required_engine_version: {version_text(engine)}\n"
    if plugins:
        text += "\n" if text else ""
        text += "- required_plugin_versions:\n"
        for name, version in plugins.items():
            text += f"    - name: {scalar(name)}\n      version: {_version(version)}\n"
    return text


def _version(text: str) -> str:
    return text if text.count(".") >= 2 else scalar(text)
