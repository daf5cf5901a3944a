"""What rules require: whether the plugins here meet it, and what they really use."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from workbench.condition.syntax.nodes import (
    BinaryCheckExpr,
    FieldExpr,
    FieldTransformerExpr,
    TransformerListExpr,
    postorder,
)
from workbench.rules.model.model import ENGINE_VERSION
from workbench.rules.model.rule_diagnostic import RuleDiagnostic
from workbench.rules.model.versions import compatible, parse_version, version_text
from workbench.yamlcpp.emit import scalar

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from workbench.condition.syntax.nodes import Expr
    from workbench.rules.compiling.compiled import Compilation
    from workbench.rules.loading.collector import Collector
    from workbench.rules.model.locations import Location
    from workbench.rules.model.model import PluginRequirement
    from workbench.rules.model.versions import Version
    from workbench.rules.target.target import Target

__all__ = [
    "engine_needed",
    "fields_used",
    "header_yaml",
    "missing_header",
    "plugins_used",
    "unmet_requirements",
]

_CODE = "plugin-requirement"
# Versions that need no quotes in YAML: no reader takes them for numbers.
_PLAIN_VERSION = re.compile(r"[0-9]+(?:\.[0-9A-Za-z+-]+){2,}")

# What a rules file of today takes for granted (override, versions as x.y.z).
_BASE: Version = (0, 31, 0)
_MODIFIERS: Version = (0, 62, 0)
_CAPTURE: Version = (0, 57, 0)
# Transformer → the first engine that knows it.
_SINCE: dict[str, Version] = {
    "tolower": (0, 43, 0),
    "toupper": (0, 43, 0),
    "b64": (0, 43, 0),
    "basename": (0, 43, 0),
    "val": (0, 43, 0),
    "len": (0, 46, 0),
    "join": (0, 58, 0),
    "concat": (0, 58, 0),
    "getopt": (0, 62, 0),
}


def unmet_requirements(
    requirements: Sequence[tuple[PluginRequirement, Location]], target: Target | None
) -> list[RuleDiagnostic]:
    """Check every plugin requirement; the first alternative that is loaded decides.

    Empty when the plugin versions of ``target`` are not known.
    """
    if target is None or not target.versions_known:
        return []
    diagnostics = []
    for requirement, location in requirements:
        message, hint = _fault(requirement, target)
        if message:
            diagnostics.append(RuleDiagnostic("error", _CODE, message, location, hint))
    return diagnostics


def _fault(requirement: PluginRequirement, target: Target) -> tuple[str, str]:
    for name, version in requirement.alternatives:
        present = target.plugin_versions.get(name)
        if present is None:
            continue
        have, need = parse_version(present), parse_version(version)
        if have and need and compatible(have, need):
            return "", ""
        message = (
            f"Plugin '{name}' version '{present}' is not compatible with required "
            f"plugin version '{version}'"
        )
        hint = f"load {name} {version} or newer with the same major version"
        if have and need and have[0] == need[0]:
            hint += f", or require {present}"
        return message, hint
    wanted = ", ".join(f"{n} (>= {v})" for n, v in requirement.alternatives)
    loaded = ", ".join(target.plugin_versions) or "none"
    return (
        f"Plugin requirement not satisfied, must load one of: {wanted}",
        f"loaded here: {loaded}",
    )


def _operands(tree: Expr) -> list[Any]:
    """Return every field and call in a condition."""
    found: list[Any] = []
    for node in postorder(tree):
        todo: list[Any] = [getattr(node, "left", None), getattr(node, "right", None)]
        while todo:
            operand = todo.pop()
            if isinstance(operand, FieldExpr | FieldTransformerExpr):
                found.append(operand)
            if isinstance(operand, FieldTransformerExpr):
                todo.extend(operand.args)
            elif isinstance(operand, TransformerListExpr):
                todo.extend(operand.items)
    return found


def engine_needed(compilation: Compilation) -> Version:
    """Return the oldest engine that knows everything the rules use."""
    needed = _BASE
    for rule in compilation.rules:
        if rule.entry.capture or rule.entry.capture_duration:
            needed = max(needed, _CAPTURE)
        for node in postorder(rule.tree):
            if isinstance(node, BinaryCheckExpr) and node.modifier:
                needed = max(needed, _MODIFIERS)
        calls = {p.name for p in _operands(rule.tree) if hasattr(p, "args")}
        if rule.output is not None:
            calls |= rule.output.calls
        for name in calls:
            needed = max(needed, _SINCE.get(name, _BASE))
    return needed


def fields_used(compilation: Compilation) -> set[str]:
    """Return the names of the fields in conditions and outputs."""
    names: set[str] = set()
    for rule in compilation.rules:
        names |= {p.name for p in _operands(rule.tree) if isinstance(p, FieldExpr)}
        if rule.output is not None:
            names |= {f.info.name for f in rule.output.json_fields().values()}
    return names


def plugins_used(compilation: Compilation, targets: Any) -> dict[str, str]:
    """Return name → version of the plugins whose source or fields the rules use.

    ``targets``: a Plugin, Workbench or Events, or several of them.
    """
    several = targets if isinstance(targets, list | tuple) else (targets,)
    sources = {rule.entry.source for rule in compilation.rules}
    fields = fields_used(compilation)
    used: dict[str, str] = {}
    for target in several:
        manifests = getattr(target, "manifests", None)
        if manifests is None and hasattr(target, "info"):
            manifests = [target.info]
        if manifests is None:
            used.update(getattr(target, "plugin_versions", None) or {})
            continue
        for manifest in manifests:
            own = "sourcing" in manifest.capabilities and (
                manifest.event_source in sources
            )
            if own or fields.intersection(manifest.fields):
                used[manifest.name] = manifest.version
    return used


def missing_header(collector: Collector, compilation: Compilation, targets: Any) -> str:
    """Write the requirement items that rules lack, from what they really use."""
    plugins = {} if collector.plugins else plugins_used(compilation, targets)
    engine = None
    if collector.engine_version == (0, 0, 0):
        engine = engine_needed(compilation)
    return header_yaml(plugins, engine)


def header_yaml(
    plugins: Mapping[str, str], engine: Version | None = ENGINE_VERSION
) -> str:
    """Write the requirements: the engine's version and plugin name → version."""
    items = []
    if engine is not None:
        items.append(f"- required_engine_version: {version_text(engine)}\n")
    if plugins:
        pairs = "".join(
            f"    - name: {scalar(name)}\n      version: {_version(version)}\n"
            for name, version in plugins.items()
        )
        items.append(f"- required_plugin_versions:\n{pairs}")
    return "\n".join(items)


def _version(text: str) -> str:
    return text if _PLAIN_VERSION.fullmatch(text) else scalar(text)
