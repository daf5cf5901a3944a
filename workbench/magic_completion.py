"""Completion in cells: conditions in magics and calls, languages of plugins."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from workbench.events.events import Events
    from workbench.rules.ruleset import RuleSet

__all__ = ["matcher"]

_CELL = re.compile(r"\s*%%condition\b([^\n]*)\n")
_LINE = re.compile(r"(?:^|\n)[ \t]*%condition[ \t]+([^\n]*)\Z")
_CALL = re.compile(
    r"([A-Za-z_]\w*)\.(?:where|mask|count|funnel|near_misses)"
    r"\(\s*(['\"])((?:(?!\2)[^\n\\])*)\Z"
)
_LANGUAGE = re.compile(r"\s*%%plugin[ \t]+\S*\Z")
_LANGUAGES = ("c", "cpp", "go", "python", "rust")
_RULES_OPTION = re.compile(r"(?:^|\s)(?:-r|--rules)[ =]\s*(\w+)")


class _Place(NamedTuple):
    """A condition that is being typed: its text, the cursor in it, what it is about."""

    text: str
    cursor: int
    events: Events | None
    rules: RuleSet


def matcher(shell: Any) -> Any:
    """Return the completion matcher of a shell, for IPython's completer."""
    from IPython.core.completer import SimpleCompletion, context_matcher

    @context_matcher(identifier="workbench.condition")
    def condition_matcher(context: Any) -> Any:
        rows = context.full_text.split("\n")
        at = context.cursor_line
        before = "\n".join([*rows[:at], rows[at][: context.cursor_position]])
        if _LANGUAGE.fullmatch(before):
            names = [SimpleCompletion(text=n, type="language") for n in _LANGUAGES]
            kept = [n for n in names if n.text.startswith(context.token)]
            return {"completions": kept, "suppress": True}
        place = _place(shell, context.full_text, before)
        if place is None:
            return {"completions": [], "suppress": False}
        found = [
            SimpleCompletion(text=text, type=kind)
            for text, kind in _offered(place, len(context.token))
        ]
        return {"completions": found, "suppress": True}

    return condition_matcher


def _offered(place: _Place, token: int) -> list[tuple[str, str]]:
    """Return texts and kinds; each text begins where IPython's own token does."""
    from workbench.ui.data.value_samples import seen_values

    fields = {} if place.events is None else place.events.fields
    begin = place.cursor - token
    offered = []
    for item in place.rules.complete(
        place.text, place.cursor, fields, seen_values(place.events)
    ):
        lead = place.text[begin : item.start] if item.start > begin else ""
        cut = begin - item.start
        offered.append((lead + (item.text[cut:] if cut > 0 else item.text), item.kind))
    return offered


def _place(shell: Any, whole: str, before: str) -> _Place | None:
    """Return the condition at the cursor, None elsewhere."""
    from workbench.events.events import Events
    from workbench.rules.ruleset import RuleSet

    cell = _CELL.match(whole)
    if cell is not None and len(before) >= cell.end():
        text = whole[cell.end() :]
        cursor = len(before) - cell.end()
        return _Place(
            text, cursor, _events_for(shell, cell[1]), _rules_for(shell, cell[1])
        )
    line = _LINE.search(before)
    if line is not None:
        return _Place(line[1], len(line[1]), _events_for(shell, line[1]), RuleSet())
    call = _CALL.search(before)
    named = shell.user_ns.get(call[1]) if call else None
    if call is not None and isinstance(named, Events):
        return _Place(call[3], len(call[3]), named, RuleSet())
    return None


def _events_for(shell: Any, line: str) -> Events | None:
    """Return the events that a line names, else the last ones that there are."""
    from workbench.events.events import Events

    space = shell.user_ns
    for word in line.split():
        if isinstance(space.get(word), Events):
            named: Events = space[word]
            return named
    held = [v for k, v in space.items() if isinstance(v, Events) and k[:1] != "_"]
    return held[-1] if held else None


def _rules_for(shell: Any, line: str) -> RuleSet:
    """Return the rule set that a ``%%condition`` line names, an empty one if none."""
    from workbench.rules.ruleset import RuleSet

    found = _RULES_OPTION.search(line)
    value = shell.user_ns.get(found[1]) if found else None
    return value if isinstance(value, RuleSet) else RuleSet()
