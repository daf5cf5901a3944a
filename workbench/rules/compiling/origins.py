"""Where the text of a compiled condition came from: its lists and its exceptions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.condition.binding.bound import postorder
from workbench.condition.execution.origins import ListChange, Origins, WrittenText
from workbench.diagnostics import Span
from workbench.rules.model.entries import joined

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.condition.binding.bound import Bound
    from workbench.rules.compiling.compiled import Compilation, Parsed
    from workbench.rules.compiling.list_substitution import Substitution

__all__ = ["list_changes", "list_hint", "origins_of", "written_text"]


def list_changes(log: Sequence[Substitution]) -> tuple[ListChange, ...]:
    """Return replacements of list names as plain data."""
    return tuple(
        ListChange(c.start, c.end, c.length, c.name_at, c.compiled.entry.name)
        for c in log
    )


def list_hint(own: WrittenText, made: Span) -> str | None:
    """Correct a list name outside parentheses, whose items cannot stand there.

    ``made``: bytes of the finished text. None when no list is to blame.
    """
    lists = own.lists_in(Span(made.start, max(made.end, made.start + 1)))
    before = own.written[: own.span(made).start].rstrip()
    if not lists or before.endswith((b"(", b",")):
        return None
    operator = before.rsplit(None, 1)[-1].decode("utf-8", "replace") if before else ""
    if operator not in ("in", "intersects", "pmatch"):
        operator = "in"
    return f"list {lists[0]} needs its parentheses: write {operator} ({lists[0]})"


def origins_of(own: WrittenText, root: Bound, compilation: Compilation) -> Origins:
    """Return the origins of a condition: ``own`` and those of the macros below it."""
    used = dict.fromkeys(name for node in postorder(root) for name in node.macros)
    macros = {}
    for name in used:
        parsed = compilation.macros.get(name)
        if parsed is not None and parsed.written != parsed.text:
            macros[name] = written_text(parsed)
    return Origins(own, macros)


def written_text(parsed: Parsed) -> WrittenText:
    """Return the text of an item before lists, and what exceptions added to it."""
    log: list[Substitution] = []
    if parsed.written != parsed.text:
        parsed.lists.substitute(parsed.written, set(), log)
    exceptions: list[tuple[Span, str]] = []
    # the condition stands in brackets before what exceptions add
    at = len(joined(parsed.pieces)) + 2
    for text, exception, _ in parsed.added or ():
        start, at = at, at + len(text)
        if exceptions and exceptions[-1][1] == exception.name:
            start = exceptions.pop()[0].start
        exceptions.append((Span(start, at), exception.name))
    return WrittenText(parsed.written, list_changes(log), tuple(exceptions))
