"""All items of a collection, compiled afresh: lists, then macros, then rules."""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING

from workbench.condition.binding.bind import bind
from workbench.condition.syntax.nodes import AndExpr, MacroExpr, OrExpr, postorder
from workbench.diagnostics import Span
from workbench.rules.compiling.compiled import Compilation, CompiledRule
from workbench.rules.compiling.condition_stage import ConditionStage, locate
from workbench.rules.compiling.engine_warnings import warn_of_old_idioms
from workbench.rules.compiling.event_types import (
    unknown_event_type,
    warn_of_event_types,
)
from workbench.rules.compiling.list_substitution import ListTable, compile_lists
from workbench.rules.compiling.macros import MAX_CHECKS
from workbench.rules.compiling.missing_source import source_advice
from workbench.rules.compiling.origins import written_text
from workbench.rules.compiling.output_stage import OutputStage
from workbench.rules.model.diagnostics_sink import FirstError
from workbench.rules.model.model import priority_named

if TYPE_CHECKING:
    from workbench.condition.binding.bind import BoundCondition
    from workbench.condition.syntax.grammar import ParseFault
    from workbench.condition.syntax.nodes import Expr
    from workbench.diagnostics import Diagnostic
    from workbench.fields.declarations import FieldTable
    from workbench.rules.compiling.compiled import Parsed
    from workbench.rules.compiling.macros import MacroFault
    from workbench.rules.compiling.output_stage import OutputAdditions
    from workbench.rules.loading.collector import Collector
    from workbench.rules.model.diagnostics_sink import DiagnosticSink
    from workbench.rules.model.entries import MacroEntry, RuleEntry
    from workbench.rules.model.locations import ConditionLocation, Location
    from workbench.rules.target.target import Target

__all__ = ["compile_all", "compile_rule"]

# Conditions without any of these need no look at old idioms.
_SIGNS_OF_OLD_IDIOMS = re.compile(rb"<NA>|evt\.")
_CONDITION = "LOAD_ERR_COMPILE_CONDITION"
_WRONG = "LOAD_ERR_VALIDATE"
# The order in which the engine comes upon what is wrong with macros.
_FAULT_ORDER = {"loop": 0, "large": 1, "unknown": 2, "invisible": 2}

# Codes of the condition compiler that are the engine's own warnings.
_ENGINE_WARNINGS = frozenset(
    ("regex-not-needed", "value-looks-like-field", "value-looks-like-call")
)


def compile_all(
    collector: Collector,
    sink: DiagnosticSink,
    *,
    least_priority: int = 7,
    additions: OutputAdditions | None = None,
    cache: dict[bytes, Expr | ParseFault] | None = None,
) -> Compilation:
    """Compile every item of ``collector``, complaining to ``sink``.

    ``least_priority``: rules of a higher level are not loaded. ``cache``: keeps parsed
    texts between compilations. When the sink stops at the first error, so does this.
    """
    compiler = _Compiler(collector, sink, least_priority, additions, cache)
    with contextlib.suppress(FirstError):
        compiler.run()
    return compiler.result


def compile_rule(
    entry: RuleEntry,
    collector: Collector,
    compilation: Compilation,
    sink: DiagnosticSink,
) -> CompiledRule | None:
    """Compile one more rule with the macros and lists compiled before.

    ``collector``: whose items those are. None when it cannot be: ``sink`` says why.
    """
    compiler = _Compiler(collector, sink, 7, None, None)
    compiler.result = compilation
    compiler.conditions = ConditionStage(sink, compilation, None)
    return compiler.rule(entry)


class _Compiler:
    def __init__(
        self,
        collector: Collector,
        sink: DiagnosticSink,
        least_priority: int,
        additions: OutputAdditions | None,
        cache: dict[bytes, Expr | ParseFault] | None,
    ) -> None:
        self.collector = collector
        self.sink = sink
        self.target: Target | None = collector.target
        self.least_priority = least_priority
        self.result = Compilation()
        self.outputs = OutputStage(sink, collector.target, additions)
        self.conditions = ConditionStage(sink, self.result, cache)
        # whether a macro's text calls for a closer look
        self.old_idioms = False

    def run(self) -> None:
        result = self.result
        compiled = compile_lists(list(self.collector.lists.values()))
        for item in compiled:
            result.used_lists.update(item.nested)
        result.lists = ListTable(compiled)
        macros = sorted(self.collector.macros.values(), key=lambda m: m.index)
        known = self.target.field_names() if self.target else ()
        for macro in macros:
            parsed = self.conditions.parse(macro, [], known)
            result.macros[macro.name] = parsed
            result.table.add(macro.name, macro.index, parsed.tree)
        self.old_idioms = any(
            _SIGNS_OF_OLD_IDIOMS.search(parsed.text)
            for parsed in result.macros.values()
        )
        for macro in macros:
            self._resolve(macro, result.macros[macro.name], macro.visibility)
        for rule in sorted(self.collector.rules.values(), key=lambda r: r.index):
            compiled_rule = self.rule(rule)
            if compiled_rule is not None:
                result.rules.append(compiled_rule)
        self._unused()

    # macros

    def _resolve(
        self, entry: MacroEntry | RuleEntry, parsed: Parsed, before: int | None
    ) -> Expr | None:
        """Put macros in place; complain of those that cannot be."""
        if parsed.tree is None:
            return None
        tree, faults = self.result.table.resolve(
            parsed.tree, before, self.result.used_macros
        )
        seen: set[tuple[str, str]] = set()
        for fault in sorted(faults, key=lambda f: _FAULT_ORDER[f.reason]):
            if (fault.reason, fault.name) not in seen:
                seen.add((fault.reason, fault.name))
                self._macro_fault(fault, parsed, entry)
        return tree

    def _macro_fault(
        self, fault: MacroFault, parsed: Parsed, entry: MacroEntry | RuleEntry
    ) -> None:
        macro = self.result.macros[fault.inside[-1]] if fault.inside else None
        location = locate(parsed, fault.span.start, entry.location, macro=macro)
        code, name = _WRONG, fault.name
        if fault.reason == "loop":
            message = f"reference loop in macro '{name}'"
            hint = f"macro {name} must not use itself"
        elif fault.reason == "large":
            code = "condition-too-large"
            message = f"macro '{name}' makes it more than {MAX_CHECKS:,} checks"
            hint = "macros inside macros multiply; write a shorter condition"
        else:
            message = f"Undefined macro '{name}' used in filter."
            hint = self._macro_hint(fault)
        self.sink.error(code, message, location, hint, _about(entry, fault.inside))

    def _macro_hint(self, fault: MacroFault) -> str:
        from workbench.fields.spelling import nearest_names

        if fault.reason == "invisible":
            return (
                f"macro {fault.name} is defined later; a macro sees only those defined "
                "before it: move its definition up"
            )
        if fault.name in self.collector.lists:
            return f"{fault.name} is a list: write some.field in ({fault.name})"
        near = nearest_names(fault.name, self.result.table.names())
        if near:
            return f"did you mean {' or '.join(near)}?"
        return f"define macro {fault.name}, or write a check: field operator value"

    # rules

    def rule(self, entry: RuleEntry) -> CompiledRule | None:
        """Compile a rule; None when it is skipped or broken."""
        if entry.unknown_source:
            return None
        priority = priority_named(entry.priority)
        if priority is not None and priority.level > self.least_priority:
            return None
        fields = None
        if self.target is not None:
            fields = self.target.fields_of(entry.source)
        errors = self.sink.error_count
        advice = source_advice(self.target, entry)
        output, usable = self.outputs.compile(entry, fields, advice)
        if not usable:
            return None
        parsed = self.conditions.parse(entry, entry.exceptions, fields or ())
        tree = self._resolve(entry, parsed, None)
        if tree is None:
            return None
        if self.old_idioms or _SIGNS_OF_OLD_IDIOMS.search(parsed.text):
            warn_of_old_idioms(self.sink, entry, tree, parsed)
        bound = None
        if fields is not None:
            bound = self._bind(entry, parsed, tree, fields)
            if not self._report_bound(bound, entry, parsed, tree, advice):
                return None
        if entry.source == "syscall":
            if not self._event_types_known(entry, tree, parsed):
                return None
            if entry.warn_evttypes:
                warn_of_event_types(self.sink, entry, tree, advice)
        if entry.broken or self.sink.error_count > errors:
            return None
        return CompiledRule(entry, parsed, tree, bound, output)

    def _bind(
        self, entry: RuleEntry, parsed: Parsed, tree: Expr, fields: FieldTable
    ) -> BoundCondition:
        unchecked = None
        if entry.source == "syscall" and self.target is not None:
            unchecked = self.target.syscall_field_known
        return bind(
            tree,
            fields,
            text=parsed.text,
            unchecked=unchecked,
            macros=self.result.table.names(),
            collect=True,
        )

    def _report_bound(
        self,
        bound: BoundCondition,
        entry: RuleEntry,
        parsed: Parsed,
        tree: Expr,
        advice: str | None,
    ) -> bool:
        """Report what binding found; False when the rule is to be skipped.

        ``advice``: what mends unknown fields.
        """
        for error in bound.errors:
            location = self._locate(error, entry, parsed, tree)
            about = _about(entry, _macros_of(error))
            code, warns = _CONDITION, False
            if error.code == "unknown-field" and entry.skip_if_unknown_filter:
                code, warns = "LOAD_UNKNOWN_FILTER", True
            report = self.sink.warn if warns else self.sink.error
            unknown = error.code == "unknown-field"
            hint = advice if unknown and advice else error.hint
            report(code, error.message, location, hint, about)
            if warns:
                return False
        for warning in bound.warnings:
            code = warning.code
            if code in _ENGINE_WARNINGS:
                code = "LOAD_COMPILE_CONDITION"
            message, hint = warning.message, warning.hint
            if code == "empty-set":
                message, hint = self._empty_list(warning, parsed)
            location = self._locate(warning, entry, parsed)
            about = _about(entry, _macros_of(warning))
            self.sink.warn(code, message, location, hint, about)
        return True

    def _empty_list(
        self, warning: Diagnostic, parsed: Parsed
    ) -> tuple[str, str | None]:
        """Return message and hint of an empty set, naming the list that it is."""
        macros = _macros_of(warning)
        origin = self.result.macros[macros[-1]] if macros else parsed
        span = warning.span or Span(0, 0)
        lists = written_text(origin).lists_in(span)
        if not lists:
            return warning.message, warning.hint
        hint = (
            f"fill list {lists[0]}; if it stays empty: # workbench: ignore[empty-set]"
        )
        return f"list {lists[0]} is empty; {warning.message}", hint

    def _locate(
        self,
        diagnostic: Diagnostic,
        entry: RuleEntry,
        parsed: Parsed,
        tree: Expr | None = None,
    ) -> ConditionLocation:
        """Return the location of what binding found.

        For errors the engine points at the check (``tree`` is given), for warnings at
        the value.
        """
        macros = _macros_of(diagnostic)
        origin = self.result.macros[macros[-1]] if macros else parsed
        exact = diagnostic.span.start if diagnostic.span else 0
        start = exact
        if tree is not None and origin.tree is not None:
            start = _check_start(origin.tree, exact)
        return locate(
            parsed,
            start,
            entry.condition_location,
            macro=origin,
            shown=parsed.written,
            exact=exact,
        )

    def _event_types_known(self, entry: RuleEntry, tree: Expr, parsed: Parsed) -> bool:
        """Check the values of evt.type; False when the rule is to be skipped."""
        found = unknown_event_type(tree)
        if found is None:
            return True
        node, name, hint = found
        message = f"unknown event type {name}"
        location = locate(parsed, node.span.start, entry.condition_location)
        if entry.skip_if_unknown_filter:
            self.sink.warn("LOAD_UNKNOWN_FILTER", message, location, hint)
        else:
            self.sink.error(_CONDITION, message, location, hint)
        return False

    def _unused(self) -> None:
        used_macros, used_lists = self.result.used_macros, self.result.used_lists
        for macro in sorted(self.collector.macros.values(), key=lambda m: m.index):
            if macro.name not in used_macros:
                hint = f"remove macro {macro.name}, or use it in a condition"
                self._warn_unused("Macro", macro.location, hint)
        for entry in sorted(self.collector.lists.values(), key=lambda e: e.index):
            if entry.name not in used_lists:
                hint = f"remove list {entry.name}, or use it as 'in ({entry.name})'"
                self._warn_unused("List", entry.location, hint)

    def _warn_unused(self, kind: str, location: Location, hint: str) -> None:
        message = f"{kind} not referred to by any other rule/macro"
        self.sink.warn(f"LOAD_UNUSED_{kind.upper()}", message, location, hint)


def _macros_of(diagnostic: Diagnostic) -> tuple[str, ...]:
    return tuple(
        word.removeprefix("macro ")
        for word in diagnostic.context
        if word.startswith("macro ")
    )


def _about(entry: MacroEntry | RuleEntry, macros: tuple[str, ...]) -> tuple[str, ...]:
    """Return what a diagnostic is about: the innermost macro, and who uses it."""
    kind = entry.location.kind
    if not macros:
        return ()
    inner = macros[-1]
    return (f"macro {inner}, used by {kind} {entry.name}",)


def _check_start(tree: Expr, offset: int) -> int:
    """Return where the check that holds a byte begins."""
    for node in postorder(tree):
        span = getattr(node, "span", None)
        if (
            not isinstance(node, AndExpr | OrExpr | MacroExpr)
            and not hasattr(node, "child")
            and span is not None
            and span.start <= offset <= span.end
        ):
            start: int = span.start
            return start
    return offset
