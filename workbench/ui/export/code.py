"""The cell that does in Python what was done with the mouse."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.ui.state import condition_queries as queries

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.ui.export.snapshot import LabSnapshot
    from workbench.ui.state.rule_draft import RuleDraft

__all__ = ["code_for"]


def _quoted(text: str) -> str:
    """Return ``text`` as a Python string that reads well."""
    if "\n" in text and '"""' not in text and "\\" not in text:
        return f'"""{text}"""' if not text.endswith('"') else repr(text)
    return repr(text)


def _load_call(plugin: Any, options: Sequence[str] = ()) -> str:
    config = getattr(plugin, "config", "")
    given = [repr(plugin.path), *([f"config={config!r}"] if config else []), *options]
    return f"load({', '.join(given)})"


def _target_lines(shown: LabSnapshot) -> list[str]:
    plugins = queries.plugins_of(shown.target)
    if not plugins:
        return ['events = wb.open_events("events.parquet")  # the events given here']
    bound = plugins[0].pool.sandbox
    options = [f"{k}={v!r}" for k, v in bound.options.items() if v] if bound else []
    if len(plugins) == 1 and not hasattr(shown.target, "plugins"):
        name, source = "plugin", ""
        lines = [f"plugin = wb.{_load_call(plugins[0], options)}"]
    else:
        name, source = "bench", f", source={shown.source!r}"
        lines = [f"bench = wb.Workbench({', '.join(options)})"]
        lines += [f"bench.{_load_call(plugin)}" for plugin in plugins]
    if queries.can_stream(shown.target):
        limits = shown.limits
        lines.append(
            f"events = {name}.capture({shown.params!r}{source}, "
            f"max_events={limits.events}, timeout_sec={limits.seconds:g})"
        )
    return lines


def code_for(shown: LabSnapshot) -> str:
    """Return Python code for what a lab shows: source, condition, rule."""
    lines = ["import workbench as wb"]
    if shown.condition and shown.draft is not None and shown.draft.exceptions:
        lines.append("from workbench.rules import RuleException")
    lines += ["", *_target_lines(shown)]
    if not shown.condition:
        return "\n".join([*lines, "events.frame"])
    lines += [
        "",
        f"condition = {_quoted(shown.condition)}",
        "matches = events.where(condition)",
        "events.funnel(condition)",
    ]
    if shown.selected is not None:
        lines.append(f"events.explain({shown.selected}, condition)")
    rule = [] if shown.draft is None else _rule_lines(shown.draft)
    return "\n".join([*lines, "", *rule, "matches.frame"])


def _rule_lines(draft: RuleDraft) -> list[str]:
    lines = [
        "rule = wb.Rule(",
        f"    name={draft.name!r},",
        f"    desc={draft.desc!r},",
        "    condition=condition,",
        f"    output={draft.output!r},",
        f"    priority={draft.priority!r},",
        f"    source={draft.source!r},",
    ]
    if draft.tag_list():
        lines.append(f"    tags={list(draft.tag_list())!r},")
    lines += _exception_lines(draft.exceptions)
    lines += [")", "print(rule.to_yaml())"]
    return lines


def _exception_lines(exceptions: list[Any]) -> list[str]:
    if not exceptions:
        return []
    lines = ["    exceptions=["]
    lines += [
        f"        RuleException({e.name!r}, {e.fields!r}, {e.comps!r}, {e.values!r}),"
        for e in exceptions
    ]
    return [*lines, "    ],"]
