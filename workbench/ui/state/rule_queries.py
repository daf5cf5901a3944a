"""The lab's calls into rules: YAML, diagnostics, alerts, matches, comparison."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.errors import RulesError, WorkbenchError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from workbench.events.events import Events
    from workbench.rules import Rule, RuleException, RuleSet

__all__ = [
    "comparison",
    "diagnostics_of",
    "error_lines",
    "exception_text",
    "items_of",
    "matches_and_overlap",
    "preview",
    "priority_keys",
    "put_items",
    "rules_of",
]

_PREVIEW_ROWS = 500
_SHOWN = 12
_PAIRS = 20


def priority_keys() -> list[str]:
    """Return the priorities as rules files write them, the most severe first."""
    from workbench.rules.model.model import PRIORITIES

    return [priority.key for priority in PRIORITIES]


def rules_of(rules: RuleSet) -> list[Rule]:
    """Return the rules of a rule set, in order."""
    return list(rules.rules.values())


def items_of(rules: RuleSet) -> list[Any]:
    """Return lists, macros and rules, in an order that can be loaded."""
    return [*rules.lists.values(), *rules.macros.values(), *rules_of(rules)]


def put_items(rules: RuleSet, items: Iterable[Any]) -> None:
    """Add ``items``; each replaces its namesake where it stands."""
    for item in items:
        kind = type(item).__name__
        held: Any = {"Rule": rules.rules, "Macro": rules.macros}.get(kind, rules.lists)
        if item.name in held.keys():  # noqa: SIM118 - names, not items
            rules.replace(item)
        else:
            rules.add(item)


def exception_text(exception: RuleException) -> str:
    """Return an exception in one line: what is compared with how many values."""
    fields = exception.fields or ()
    names = fields if isinstance(fields, str) else " and ".join(fields)
    count = len(exception.values)
    return f"{names} equal to {count} known {'value' if count == 1 else 'values'}"


def diagnostics_of(
    rules: RuleSet | None, target: Any, failure: str = ""
) -> list[dict[str, Any]]:
    """Return what the engine would say to this rule set, worst first.

    ``failure``: why there is no rule set at all.
    """
    found: list[Any] = []
    if rules is not None and target is not None:
        try:
            found = list(rules.check(target))
        except WorkbenchError as error:
            found = list(getattr(error, "diagnostics", None) or [])
            failure = failure or ("" if found else str(error))
    order = {"error": 0, "warning": 1, "hint": 2}
    lines = [
        {
            "severity": item.severity,
            "code": item.code,
            "line": item.line,
            "message": item.message,
            "hint": item.hint or "",
        }
        for item in sorted(found, key=lambda item: order[item.severity])
    ]
    if failure and not lines:
        lines.append(
            {
                "severity": "error",
                "code": "",
                "line": None,
                "message": failure,
                "hint": "",
            }
        )
    return lines[:_SHOWN]


def error_lines(error: Exception) -> list[dict[str, Any]]:
    """Return an error as lines of severity and text."""
    found = getattr(error, "diagnostics", None)
    if isinstance(error, RulesError) and found:
        return [{"severity": item.severity, "text": str(item)} for item in found]
    return [{"severity": "error", "text": str(error)}]


def preview(
    rules: RuleSet, events: Events, mask: np.ndarray | None, *, limit: int = _SHOWN
) -> tuple[list[str], str, int | None]:
    """Return outputs of the first alerts, what is wrong with them, and how many match.

    The rule runs on the first matching rows, exceptions and macros included; with none
    of those the count of matches is that of the condition.
    """
    chosen = events
    if mask is not None:
        rows = np.flatnonzero(mask[: len(events)])[:_PREVIEW_ROWS]
        flags = np.zeros(len(events), bool)
        flags[rows] = True
        chosen = events[flags]
    if len(chosen) == 0:
        return [], "", 0
    try:
        alerts = rules.run(chosen, all_matches=True)
        texts = [str(text) for text in alerts.frame["output"].head(limit)]
    except RulesError as error:
        first = error.diagnostics[0].message if error.diagnostics else str(error)
        return [], first, None
    except WorkbenchError as error:
        return [], str(error), None
    complete = mask is None or int(np.count_nonzero(mask)) == len(chosen)
    return texts, "", len(alerts.frame) if complete else None


def matches_and_overlap(
    rules: RuleSet, events: Events
) -> tuple[dict[str, int], list[dict[str, Any]]]:
    """Return rule → matching events, and the pairs of rules that share events."""
    alerts = rules.run(events, all_matches=True)
    frame = alerts.frame
    sets = {
        str(name): frozenset(group["evt.num"].to_numpy().tolist())
        for name, group in frame.groupby("rule", observed=True)
    }
    names = sorted(sets)
    pairs = []
    for at, first in enumerate(names):
        for second in names[at + 1 :]:
            both = len(sets[first] & sets[second])
            if both:
                least = min(len(sets[first]), len(sets[second]))
                share = f"{100 * both / least:.0f} % of the smaller"
                pairs.append((both, first, second, share))
    pairs.sort(reverse=True)
    shown = [
        {"a": first, "b": second, "both": both, "share": share}
        for both, first, second, share in pairs[:_PAIRS]
    ]
    return {name: len(found) for name, found in sets.items()}, shown


def comparison(before: RuleSet, after: RuleSet, events: Events) -> dict[str, Any]:
    """Return which alerts appear, disappear and change from one version to another."""
    shown = before.compare(after, events).frame.head(200)
    return {
        "columns": [str(name) for name in shown.columns],
        "rows": [
            ["" if v is None else str(v) for v in row] for row in shown.to_numpy()
        ],
    }


def header_for(target: Any) -> str:
    """Return what a new rules file requires of the plugins of ``target``."""
    from workbench.rules.linting.requirements import header_yaml

    return header_yaml(dict(getattr(target, "plugin_versions", None) or {}))


def errors_about(rules: RuleSet, target: Any, file: str, rule: str) -> list[str]:
    """Return the errors of one file, those of the rule first."""
    try:
        found = rules.check(target)
    except WorkbenchError as error:
        return [str(error)]
    errors = [d for d in found if d.severity == "error" and str(d.file) == file]
    errors.sort(key=lambda d: rule not in d.message)
    return [f"line {d.line}: {d.message}" if d.line else d.message for d in errors]


def rule_counts(rules: RuleSet, events: Events) -> dict[str, dict[str, Any]]:
    """Return rule → matched, alerted (first match), or the problem that it has.

    A rule that Falco would refuse blanks no other: the others are counted without it.
    """
    from workbench.rules.running.engine import source_engine
    from workbench.rules.running.options import RunOptions

    loaded = rules.loaded(events)
    options = RunOptions()
    out: dict[str, dict[str, Any]] = {}
    for source, own in events.by_source().items():
        fields = events.fields_of(source)
        engine = source_engine(loaded.compilation, source, fields, options)
        table = own.table_with(engine.columns)
        matched, alerted = (
            _totals(engine.match(table, all_matches=every)) for every in (True, False)
        )
        for name, count in matched.items():
            out[name] = {"matched": count, "alerted": alerted.get(name, 0)}
    problems = {
        part: item.message
        for item in loaded.diagnostics
        if item.severity == "error"
        for part in item.about
    }
    for rule in rules_of(rules):
        if rule.name in out:
            continue
        if rule.source not in events.sources:
            out[rule.name] = {"other": rule.source}
        elif rule.enabled:
            own_words = (t for p, t in problems.items() if p.endswith(rule.name))
            why = next(own_words, "Falco would not load this rule")
            out[rule.name] = {"problem": why}
    return out


def _totals(batch: Any) -> dict[str, int]:
    pairs = zip(batch.rules, batch.totals, strict=True)
    return {rule.name: int(number) for rule, number in pairs}
