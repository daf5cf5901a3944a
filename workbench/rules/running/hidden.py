"""Rules that never alert on some events, because earlier rules take all they match."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.errors import WorkbenchError
from workbench.fields.builtin import BUILTIN_FIELDS
from workbench.rules.model.rule_diagnostic import RuleDiagnostic

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from workbench.rules.model.entries import RuleEntry

__all__ = ["rules_always_hidden"]

# Events from which fields are extracted just to check rules.
_MAX_EXTRACTED = 100_000

# Earlier rules that are named.
_MAX_NAMED = 3


def rules_always_hidden(rules: Any, events: Any) -> list[RuleDiagnostic]:
    """Run a RuleSet over events, and warn of each rule that always comes too late.

    Returns nothing where these events lack what some rule reads.
    """
    entries = rules.loaded(events).collector.rules
    if len(entries) < 2:
        return []
    try:
        columns = {c for e in rules.engines(events).values() for c in e.columns}
        lacking = columns - BUILTIN_FIELDS.keys() - {*events.table.column_names}
        if lacking and len(events) > _MAX_EXTRACTED:
            return []
        alerts = rules.run(events)
        found = _always_hidden(entries, alerts.matched, alerts.counts, alerts.hidden)
        return list(found)
    except (WorkbenchError, KeyError):
        return []


def _always_hidden(
    entries: Mapping[str, RuleEntry],
    matched: Mapping[str, int],
    alerted: Mapping[str, int],
    hidden: Mapping[str, Mapping[str, int]],
) -> Iterator[RuleDiagnostic]:
    """Yield a warning for each rule that matched events and alerted on none.

    ``matched``, ``alerted``, ``hidden``: of a run under first match, as Alerts has
    them.
    """
    for name, earlier in hidden.items():
        if alerted.get(name) or name not in entries:
            continue
        ranked = sorted(earlier.items(), key=lambda item: -item[1])
        shown = ", ".join(f"'{rule}' {count:,}" for rule, count in ranked[:_MAX_NAMED])
        if len(ranked) > _MAX_NAMED:
            shown += f" and {len(ranked) - _MAX_NAMED} more rules"
        total = matched[name]
        noun = "event" if total == 1 else "events"
        yield RuleDiagnostic(
            "warning",
            "always-hidden",
            f"rule '{name}' matches {total:,} of these events and alerts on none: "
            f"earlier rules take them first ({shown})",
            entries[name].location,
            f"put it before '{ranked[0][0]}', or make that one narrower; with "
            f"rule_matching: all it alerts on {total:,} {noun}",
        )
