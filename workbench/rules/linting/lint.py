"""Checks beyond Falco's: what loads but hardly does what its author meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.rules.linting.static_analysis import find_shadows, verdict
from workbench.rules.model.locations import Location
from workbench.rules.model.rule_diagnostic import RuleDiagnostic

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workbench.rules.compiling.compiled import Compilation, CompiledRule
    from workbench.rules.compiling.list_substitution import Substitution
    from workbench.rules.loading.collector import Collector
    from workbench.rules.target.target import Target

__all__ = ["lint"]

# Kind of item → what makes a redefinition plain to see.
_REDEFINED_HINTS = {
    "rule": "use an override mapping to change some keys, or another name",
    "macro": "if meant, add override: {condition: replace}; else use another name",
    "list": "if meant, add override: {items: replace}; else use another name",
}


def lint(
    collector: Collector, compilation: Compilation, target: Target | None
) -> list[RuleDiagnostic]:
    """Return what Falco does not complain of, each with a correction.

    ``target``: what the rules were checked against; None leaves out what needs fields.
    """
    found = [
        *_nested_names(compilation),
        *_redefined(collector),
        *_in_quotes(compilation),
    ]
    for rule in compilation.rules:
        found += _shortened(rule)
        found += _constant(rule)
    if target is not None:
        found += _shadowed(compilation)
    return found


def _warning(code: str, message: str, location: Location, hint: str) -> RuleDiagnostic:
    return RuleDiagnostic("warning", code, message, location, hint)


def _nested_names(compilation: Compilation) -> Iterator[RuleDiagnostic]:
    """Find list names inside lists that stay words: only one level is replaced.

    A list that comes later in definition order is still found, because its name is
    looked for in the text afterwards.
    """
    lists = compilation.lists.lists
    position = {c.entry.name: i for i, c in enumerate(lists)}
    for at, compiled in enumerate(lists):
        inner = set(compiled.nested)
        for text, node, source in compiled.entry.items:
            if text not in inner:
                continue
            for word, _, _ in lists[position[text]].entry.items:
                known = position.get(word)
                if known is None or known > at or word in (text, compiled.entry.name):
                    continue
                location = Location(
                    source, node.start, "list item", "", compiled.entry.location
                )
                yield _warning(
                    "list-stays-word",
                    f"list {compiled.entry.name} holds list {text}, which holds list "
                    f"{word}: Falco goes one level deep, so '{word}' becomes a mere "
                    "word here",
                    location,
                    f"name {word} in {compiled.entry.name} directly beside {text}",
                )


def _redefined(collector: Collector) -> Iterator[RuleDiagnostic]:
    """Find plain definitions that silently replace earlier ones."""
    for kind, entries in (
        ("rule", collector.rules),
        ("macro", collector.macros),
        ("list", collector.lists),
    ):
        for name, locations in collector.definitions[kind].items():
            if len(locations) < 2 or name not in entries:
                continue
            first = locations[0]
            line, _ = first.source.line_column(first.pos)
            for location in locations[1:]:
                yield RuleDiagnostic(
                    "hint",
                    "redefined",
                    f"{kind} {name} replaces the definition in "
                    f"{first.source.name or 'the text'}, line {line}",
                    location,
                    _REDEFINED_HINTS[kind],
                )


def _in_quotes(compilation: Compilation) -> Iterator[RuleDiagnostic]:
    """Find list names that are replaced inside quoted texts."""
    lists = compilation.lists
    if not lists.lists:
        return
    for rule in compilation.rules:
        written = rule.parsed.written
        if written == rule.parsed.text or not (b'"' in written or b"'" in written):
            continue
        log: list[Substitution] = []
        lists.substitute(written, set(), log)
        if not log:
            continue
        # only the first replacement counts in the text as written
        change = log[0]
        head = written[: change.name_at]
        quote = _open_quote(head)
        if quote is None:
            continue
        name = change.compiled.entry.name
        yield _warning(
            "list-inside-quotes",
            f"'{name}' inside a quoted text is replaced by the items of list {name}",
            rule.entry.condition_location,
            "rename the list: Falco replaces its name wherever it stands alone",
        )


def _open_quote(head: bytes) -> int | None:
    """Return the delimiter of the quoted text that is open at the end of ``head``."""
    open_: int | None = None
    for index, byte in enumerate(head):
        if open_ is None and byte in b"'\"":
            open_ = byte
        elif byte == open_ and head[index - 1] != 92:
            open_ = None
    return open_


def _shortened(rule: CompiledRule) -> Iterator[RuleDiagnostic]:
    """Find output fields that fall back to a shorter name."""
    from workbench.fields.spelling import nearest_names
    from workbench.rules.compiling.source_map import source_offset

    if rule.output is None or not rule.entry.output:
        return
    for span, written, used in rule.output.shortened():
        piece = rule.entry.output[0]
        at = min(max(0, span.start - 1), len(piece.text))
        pos = source_offset(piece.node, piece.source, at, piece.text)
        base = rule.entry.output_location
        location = base.pointing_at(piece.source, pos)
        rest = written[len(used) :]
        known = rule.output.known_names
        near = nearest_names(written, known)
        hint = f"did you mean %{near[0]}?" if near else f"write %{used}."
        if not near or near[0] == used:
            hint += f" Text that follows needs a blank: %{used} {rest}"
        yield _warning(
            "output-shorter-field",
            f"%{written} is not a field: the output prints %{used} and then '{rest}'",
            location,
            hint,
        )


def _constant(rule: CompiledRule) -> Iterator[RuleDiagnostic]:
    """Find conditions that can never, or must always, be true."""
    if rule.bound is None or rule.bound.root is None:
        return
    if any(warning.code == "empty-set" for warning in rule.bound.warnings):
        return  # that says it, too, and why
    found = verdict(rule.bound.root)
    if found is None:
        return
    always, span, macros = found
    location = rule.entry.condition_location
    if not macros and span is not None:
        point = rule.parsed.source_map().source_point(span.start)
        if point is not None:
            location = location.pointing_at(point.source, point.pos)
    if always:
        yield _warning(
            "always-true",
            "the condition is true for every event",
            location,
            "a check and its opposite are joined by 'or'; remove one",
        )
    else:
        yield _warning(
            "never-true",
            "the condition can never be true",
            location,
            "its checks exclude each other; join alternatives by 'or' or 'in (…)'",
        )


def _shadowed(compilation: Compilation) -> Iterator[RuleDiagnostic]:
    """Find rules that an earlier rule hides when only the first match alerts."""
    rules = [
        rule
        for rule in compilation.rules
        if rule.entry.enabled and rule.bound is not None and rule.bound.root is not None
    ]
    by_source: dict[str, list[CompiledRule]] = {}
    for rule in rules:
        by_source.setdefault(rule.entry.source, []).append(rule)
    for group in by_source.values():
        roots = [r.bound.root for r in group if r.bound is not None and r.bound.root]
        for later, earlier in find_shadows(roots):
            hidden, hiding = group[later].entry, group[earlier].entry
            yield _warning(
                "shadowed-rule",
                f"every event that matches rule '{hidden.name}' matches rule "
                f"'{hiding.name}' first, so it never alerts under rule_matching: first",
                hidden.location,
                f"put it before '{hiding.name}', or make that one narrower",
            )
