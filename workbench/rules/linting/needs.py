"""What rules need to run: the engine's version, and the plugins they really use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.condition.syntax.nodes import (
    BinaryCheckExpr,
    FieldExpr,
    FieldTransformerExpr,
    TransformerListExpr,
    postorder,
)

if TYPE_CHECKING:
    from workbench.condition.syntax.nodes import Expr
    from workbench.rules.compiling.compiled import Compilation
    from workbench.rules.loader import Loaded
    from workbench.rules.model.versions import Version

__all__ = ["engine_needed", "fields_used", "missing_header", "plugins_used"]

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


def _parts(tree: Expr) -> list[Any]:
    """Give every field and call in a condition."""
    found: list[Any] = []
    for node in postorder(tree):
        todo: list[Any] = [getattr(node, "left", None), getattr(node, "right", None)]
        while todo:
            part = todo.pop()
            if isinstance(part, FieldExpr):
                found.append(part)
            elif isinstance(part, FieldTransformerExpr):
                found.append(part)
                todo.extend(part.args)
            elif isinstance(part, TransformerListExpr):
                todo.extend(part.items)
    return found


def engine_needed(compilation: Compilation) -> Version:
    """Give the oldest engine that knows everything the rules use."""
    needed = _BASE
    for rule in compilation.rules:
        if rule.entry.capture or rule.entry.capture_duration:
            needed = max(needed, _CAPTURE)
        for node in postorder(rule.tree):
            if isinstance(node, BinaryCheckExpr) and node.modifier:
                needed = max(needed, _MODIFIERS)
        calls = {p.name for p in _parts(rule.tree) if hasattr(p, "args")}
        if rule.output is not None:
            calls |= rule.output.calls
        for name in calls:
            needed = max(needed, _SINCE.get(name, _BASE))
    return needed


def fields_used(compilation: Compilation) -> set[str]:
    """Give the names of the fields in conditions and outputs."""
    names: set[str] = set()
    for rule in compilation.rules:
        names |= {p.name for p in _parts(rule.tree) if isinstance(p, FieldExpr)}
        if rule.output is not None:
            names |= {f.info.name for f in rule.output.json_fields().values()}
    return names


def plugins_used(compilation: Compilation, against: Any) -> dict[str, str]:
    """Give name → version of the plugins whose source or fields the rules use.

    ``against``: plugins, a bench, events, or several of them.
    """
    things = against if isinstance(against, list | tuple) else (against,)
    sources = {rule.entry.source for rule in compilation.rules}
    fields = fields_used(compilation)
    used: dict[str, str] = {}
    for one in things:
        manifests = getattr(one, "manifests", None)
        if manifests is None and hasattr(one, "info"):
            manifests = [one.info]
        if manifests is None:
            used.update(getattr(one, "plugin_versions", None) or {})
            continue
        for manifest in manifests:
            own = "sourcing" in manifest.capabilities and (
                manifest.event_source in sources
            )
            if own or fields.intersection(manifest.fields):
                used[manifest.name] = manifest.version
    return used


def missing_header(loaded: Loaded, against: Any) -> str:
    """Write the requirement items that rules lack, from what they really use."""
    from workbench.rules.editing.export import header_yaml

    collector = loaded.collector
    plugins = {}
    if not collector.plugins:
        plugins = plugins_used(loaded.compilation, against)
    engine = None
    if collector.engine_version == (0, 0, 0):
        engine = engine_needed(loaded.compilation)
    return header_yaml(plugins, engine)
