"""Conditions in the hands of a rule set: with its macros, lists and exceptions.

A text, a rule of the set or any other rule becomes the same thing: a compiled condition
that knows which list, macro or exception each of its checks came from.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from workbench.condition.binding.bind import bind
from workbench.condition.binding.faults import condition_error
from workbench.condition.binding.recover import understand
from workbench.condition.execution.compile import CompiledCondition, compile_condition
from workbench.condition.execution.origins import WrittenText
from workbench.condition.syntax.canonical import canonical
from workbench.condition.syntax.lexer import as_bytes
from workbench.diagnostics import Diagnostic, Span, line_and_column
from workbench.errors import RulesError, WorkbenchError
from workbench.events.conditions import compile_for
from workbench.fields.declarations import FieldTable
from workbench.rules.compiling.compiler import compile_rule
from workbench.rules.compiling.macros import identifiers
from workbench.rules.compiling.origins import (
    list_changes,
    list_hint,
    origins_of,
    written_text,
)
from workbench.rules.loading.collector import Collector
from workbench.rules.loading.files import parse_file
from workbench.rules.loading.reader import read_file
from workbench.rules.model.diagnostic_list import DiagnosticList
from workbench.rules.model.diagnostics_sink import DiagnosticSink
from workbench.rules.model.entries import as_text
from workbench.rules.model.model import Rule
from workbench.rules.rule_files import RuleFiles
from workbench.rules.target.target import Target, target_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from workbench.condition.analysis.completion import Candidate
    from workbench.condition.binding.bind import BoundCondition
    from workbench.condition.syntax.nodes import Expr
    from workbench.errors import ConditionError
    from workbench.rules.compiling.compiled import Compilation, CompiledRule
    from workbench.rules.compiling.list_substitution import Substitution
    from workbench.rules.loader import Loaded
    from workbench.rules.model.rule_diagnostic import RuleDiagnostic

__all__ = ["RuleConditions"]


class RuleConditions(RuleFiles):
    """Rules files whose macros, lists and rules can be used in conditions."""

    def compile_condition(self, condition: Any, against: Any) -> CompiledCondition:
        """Compile a condition that may name macros and lists of this set.

        ``condition``: a text, the name of a rule of this set, a Rule with its
        exceptions, or a compiled condition, which is returned as it is. ``against``:
        Events, a Plugin or a Target. Raises ConditionError for a text that Falco would
        refuse, RulesError for a rule.
        """
        target, fields = _known(against)
        loaded = self.loaded(target)
        if isinstance(condition, Rule):
            return _compile_given_rule(condition, loaded, target)
        if not isinstance(condition, str | bytes):
            compiled: CompiledCondition = condition
            return compiled
        if condition in loaded.collector.rules:
            return _compile_named_rule(str(condition), loaded, target)
        return _compile_text(condition, fields, loaded)

    def examine_condition(
        self, text: str, against: Any
    ) -> tuple[CompiledCondition | None, list[Diagnostic]]:
        """Return a text ready to run, None when it has errors, and all diagnostics.

        For editors; the arguments are those of :meth:`compile_condition`.
        """
        target, fields = _known(against)
        return _examine_text(text, fields, self.loaded(target))

    def complete(
        self,
        text: str,
        cursor: int,
        against: Any,
        values: Mapping[str, Any] | None = None,
    ) -> list[Candidate]:
        """Return what may stand at ``cursor`` of a condition, macros and lists too.

        ``against``: Events, a Plugin, a Target or a mapping name → FieldInfo; the
        others as for :func:`workbench.condition.analysis.completion.complete`.
        """
        from workbench.condition.analysis.completion import complete

        fields = against if isinstance(against, Mapping) else _known(against)[1]
        collector = self.loaded(None).collector
        return complete(
            text,
            cursor,
            fields,
            values,
            macros=list(collector.macros),
            lists=list(collector.lists),
        )

    def alert_notes(self, name: str, event: Any) -> tuple[str, ...]:
        """Return what else decides whether a rule alerts on the one event of ``event``.

        That is: whether it is disabled, or an earlier rule takes the event first.
        """
        return _alert_notes(self, name, event)


@compile_for.register(Rule)
def _compile_rule(condition: Rule, events: Any) -> CompiledCondition:
    """Compile a rule that stands alone: without any macro or list."""
    return RuleConditions().compile_condition(condition, events)


def _known(against: Any) -> tuple[Target, FieldTable]:
    """Return a target and the fields that a text may name there."""
    target = target_of(against)
    if target is None:
        raise WorkbenchError("conditions need fields: give events or a plugin")
    fields = getattr(against, "fields", None)
    if fields is None:
        known = [i for s in target.sources for i in target.fields_of(s).values()]
        fields = {info.name: info for info in reversed(known)}
        return target, FieldTable(fields.values())
    return target, fields


# texts


def _compile_text(
    text: str | bytes, fields: FieldTable, loaded: Loaded
) -> CompiledCondition:
    """Compile a condition that may name macros and lists of a rule set.

    Raises ConditionError when Falco would refuse the text in a rule of that set.
    """
    compiled, found = _examine_text(text, fields, loaded)
    if compiled is not None:
        return compiled
    raise _refusal(as_bytes(text), found, fields, loaded)


def _refusal(
    raw: bytes, found: list[Diagnostic], fields: FieldTable, loaded: Loaded
) -> ConditionError:
    import difflib

    errors = [item for item in found if item.severity == "error"]
    first = errors[0]
    near = difflib.get_close_matches(as_text(raw), loaded.collector.rules, 1, 0.6)
    if near:
        first = replace(first, hint=f"did you mean the rule '{near[0]}'?")
    if not near and loaded.compilation.lists.substitute(raw, set()) == raw:
        tree, _ = understand(raw, fields)
        if not identifiers(tree):
            # A text without lists or macros fails as it would alone.
            compile_condition(raw, fields)
    error = condition_error(first, raw, "compile")
    error.diagnostics = [first, *errors[1:]]
    return error


def _examine_text(
    text: str | bytes, fields: FieldTable, loaded: Loaded
) -> tuple[CompiledCondition | None, list[Diagnostic]]:
    """Return a condition ready to run, None when it has errors, and all diagnostics.

    For editors. Positions count in ``text``; what is wrong inside a macro is told at
    the macro's name, and what is merely odd there is not told.
    """
    raw = as_bytes(text)
    compilation = loaded.compilation
    log: list[Substitution] = []
    try:
        made = compilation.lists.substitute(raw, set(), log)
    except ValueError as fault:
        return None, [_too_large(fault.args[0])]
    own = WrittenText(raw, list_changes(log))
    tree, found = understand(made, fields)
    resolved, bound = _bound(tree, made, fields, compilation)
    found += [*bound.errors, *bound.warnings]
    names = {node.name: node.span for node in reversed(identifiers(tree))}
    found = [
        _placed(item, raw, own, names, loaded.collector.lists)
        for item in found
        if item.severity == "error" or not item.context
    ]
    if resolved is None and not any(item.severity == "error" for item in found):
        known = [name for name in names if name in compilation.table.names()]
        found.append(_placed(_unusable(known), raw, own, names))
    found.sort(key=lambda item: item.span.start if item.span else 0)
    if resolved is None or any(item.severity == "error" for item in found):
        return None, found
    warnings = tuple(item for item in found if item.severity == "warning")
    compiled = CompiledCondition.from_bound(
        replace(bound, warnings=warnings),
        text=text,
        ast=canonical(resolved),
        fields=fields,
        origins=origins_of(own, bound.root, compilation) if bound.root else None,
    )
    return compiled, found


def _bound(
    tree: Expr, made: bytes, fields: FieldTable, compilation: Compilation
) -> tuple[Expr | None, BoundCondition]:
    """Put macros in place and bind; without them where one cannot be used."""
    resolved, _ = compilation.table.resolve(tree, None, compilation.used_macros)
    macros = compilation.table.names()
    bound = bind(resolved or tree, fields, text=made, macros=macros, collect=True)
    return resolved, bound


def _placed(
    item: Diagnostic,
    raw: bytes,
    own: WrittenText,
    names: dict[str, Span],
    lists: Iterable[str] = (),
) -> Diagnostic:
    """Return a diagnostic at its place in the text as written."""
    made = item.span
    hint = item.hint
    macro = item.context[0].removeprefix("macro ") if item.context else ""
    if item.code == "set-of-one-word":
        hint = _one_word_hint(item, own, lists) or hint
    if macro:
        made = names.get(macro, Span(0, 0))
    elif made is not None and item.severity == "error":
        hint = list_hint(own, made) or hint
    if made is None:
        return item
    span = own.span(made)
    line, column = line_and_column(raw, span.start)
    return replace(item, span=span, line=line, column=column, hint=hint)


def _one_word_hint(
    item: Diagnostic, own: WrittenText, lists: Iterable[str]
) -> str | None:
    """Correct ``in word`` where the word nearly names a list of the set."""
    from workbench.fields.spelling import nearest_names

    word = own.text(item.span) if item.span else ""
    near = nearest_names(word, lists)
    return f"did you mean the list ({near[0]})?" if near else None


def _unusable(names: list[str]) -> Diagnostic:
    shown = ", ".join(f"'{name}'" for name in names[:3])
    noun = "macro" if len(names) == 1 else "macros"
    return Diagnostic(
        "error",
        "unusable-macro",
        f"{noun} {shown} cannot be used, because of errors in the rules",
        hint="rules.check() tells them",
        span=Span(0, 0),
        context=(f"macro {names[0]}",) if names else (),
    )


def _too_large(name: str) -> Diagnostic:
    return Diagnostic(
        "error",
        "condition-too-large",
        f"list {name} makes the condition too long",
        line=1,
        column=1,
        hint="lists inside lists multiply; write a shorter condition",
        span=Span(0, 0),
    )


# rules


def _compile_named_rule(name: str, loaded: Loaded, target: Target) -> CompiledCondition:
    """Compile a rule of the set, exceptions included; it may be disabled.

    Raises RulesError when the rule is broken, or its event source not among those of
    ``target``.
    """
    found = next((r for r in loaded.compilation.rules if r.entry.name == name), None)
    if found is None:
        raise _broken(name, loaded.diagnostics)
    return _compiled(found, target, loaded.compilation)


def _compile_given_rule(
    rule: Rule, loaded: Loaded, target: Target
) -> CompiledCondition:
    """Compile any rule with the macros and lists of the set.

    Raises RulesError as :func:`_compile_named_rule`.
    """
    known = loaded.collector.rules.get(rule.name)
    if known is not None and known.value() == rule:
        return _compile_named_rule(rule.name, loaded, target)
    sink = DiagnosticSink(stop_at_first=False)
    file = parse_file(rule.to_yaml().encode("utf-8", "surrogateescape"), rule.name)
    collector = Collector(sink, target)
    read_file(file.source, file.documents, sink, collector)
    entry = collector.rules.get(rule.name)
    found = None
    if entry is not None and not sink.error_count:
        found = compile_rule(entry, loaded.collector, loaded.compilation, sink)
    if found is None:
        raise _broken(rule.name, sink.diagnostics)
    return _compiled(found, target, loaded.compilation)


def _compiled(
    rule: CompiledRule, target: Target, compilation: Compilation
) -> CompiledCondition:
    entry, parsed = rule.entry, rule.parsed
    if rule.bound is None or rule.bound.root is None or entry.source == "syscall":
        raise RulesError(
            f"rule '{entry.name}' is for event source {entry.source}, which is not "
            f"evaluated here; known: {', '.join(target.sources) or 'none'}"
        )
    return CompiledCondition.from_bound(
        rule.bound,
        text=as_text(parsed.written),
        ast=canonical(rule.tree),
        fields=target.fields_of(entry.source),
        origins=origins_of(written_text(parsed), rule.bound.root, compilation),
        rule=entry.name,
        source=entry.source,
    )


def _broken(name: str, found: Iterable[RuleDiagnostic]) -> RulesError:
    """Build the error that says why a rule cannot be compiled."""
    items = DiagnosticList.of(found, {})
    about = f"rule {name}"
    own = [i for i in items if any(about in text for text in i.context)]
    chosen = [i for i in own if i.severity == "error"] or own or items.errors
    lines = [f"rule '{name}' cannot be evaluated here", *(f"  {i}" for i in chosen[:5])]
    return RulesError("\n".join(lines), diagnostics=chosen)


def _alert_notes(rules: Any, name: str, event: Any) -> tuple[str, ...]:
    """Return what else decides whether rule ``name`` alerts on one event.

    ``rules``: the RuleSet that it belongs to; ``event``: Events with one row.
    """
    rule = rules.rules.get(name)
    if rule is None:
        return ()
    notes = []
    if not rule.enabled:
        notes.append("the rule is disabled, so it never alerts")
    # Other rules of the set may be broken, or need what these events lack.
    with contextlib.suppress(WorkbenchError, KeyError):
        alerts = rules.run(event)
        if alerts.matched.get(name) and not alerts.counts[name]:
            earlier = next(iter(alerts.hidden[name]))
            notes.append(
                f"rule '{earlier}' stands before it and takes the event: "
                "rule_matching is 'first'"
            )
    return tuple(notes)
