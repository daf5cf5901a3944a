"""The cell that does in Python what was done with the mouse."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.ui import engine

if TYPE_CHECKING:
    from workbench.ui.assembly import Lab

__all__ = ["code_for"]


def _quoted(text: str) -> str:
    """Give ``text`` as a Python string that reads well."""
    if "\n" in text and '"""' not in text and "\\" not in text:
        return f'"""{text}"""' if not text.endswith('"') else repr(text)
    return repr(text)


def _target_lines(lab: Lab) -> list[str]:
    plugins = engine.plugins_of(lab.target)
    stream = lab.stream
    if not plugins:
        return ['events = wb.open_events("events.parquet")  # the events given here']
    lines = []
    bound = plugins[0].roster.sandbox
    options = [f"{k}={v!r}" for k, v in bound.options.items() if v] if bound else []
    if len(plugins) == 1 and not hasattr(lab.target, "plugins"):
        config = getattr(plugins[0], "config", "")
        more = f", config={config!r}" if config else ""
        more += "".join(f", {option}" for option in options)
        lines.append(f"plugin = wb.load({plugins[0].path!r}{more})")
        name = "plugin"
    else:
        lines.append(f"bench = wb.Workbench({', '.join(options)})")
        for plugin in plugins:
            config = getattr(plugin, "config", "")
            more = f", config={config!r}" if config else ""
            lines.append(f"bench.load({plugin.path!r}{more})")
        name = "bench"
    if engine.can_stream(lab.target):
        source = f", source={stream.source!r}" if name == "bench" else ""
        limit = stream.limits
        lines.append(
            f"events = {name}.capture({stream.params!r}{source}, "
            f"max_events={limit.events}, timeout_sec={limit.seconds:g})"
        )
    return lines


def code_for(lab: Lab) -> str:
    """Give Python code for what the lab shows: source, condition, rule."""
    lines = ["import workbench as wb", "", *_target_lines(lab)]
    condition = lab.desk.condition.strip()
    if condition:
        lines += [
            "",
            f"condition = {_quoted(condition)}",
            "matches = events.where(condition)",
            "events.funnel(condition)",
        ]
        if lab.desk.selection:
            position = lab.desk.selection[-1]
            number = int(lab.desk.store.numbers[position])
            lines.append(f"events.explain({number}, condition)")
        lines += ["", *_rule_lines(lab)]
    lines.append("matches.frame" if condition else "events.frame")
    return "\n".join(lines)


def _rule_lines(lab: Lab) -> list[str]:
    draft = lab.rule_part.draft
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
