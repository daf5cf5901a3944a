"""The whole collection, compiled afresh: lists, then macros, then rules."""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING

from workbench.condition.binding.bind import bind
from workbench.condition.syntax.grammar import ParseFault
from workbench.condition.syntax.nodes import AndExpr, MacroExpr, OrExpr, postorder
from workbench.condition.syntax.parser import parse
from workbench.rules.compiling.compiled import Compilation, CompiledRule, Parsed
from workbench.rules.compiling.engine_warnings import (
    note_event_types,
    note_old_idioms,
    unknown_event_type,
)
from workbench.rules.compiling.list_substitution import (
    MAX_CONDITION_BYTES,
    ListTable,
    compile_lists,
    exception_text,
)
from workbench.rules.compiling.macros import MAX_CHECKS
from workbench.rules.compiling.output_stage import OutputAdditions, OutputStage
from workbench.rules.compiling.source_map import SourceMap
from workbench.rules.model.diagnostics_sink import FirstError
from workbench.rules.model.entries import joined
from workbench.rules.model.locations import ConditionLocation, Location, SourcePoint
from workbench.rules.model.model import priority_named

if TYPE_CHECKING:
    from workbench.condition.binding.bind import BoundCondition
    from workbench.condition.syntax.nodes import Expr
    from workbench.diagnostics import Diagnostic
    from workbench.rules.compiling.list_substitution import Substitution
    from workbench.rules.compiling.macros import MacroFault
    from workbench.rules.loading.collector import Collector
    from workbench.rules.model.diagnostics_sink import DiagnosticSink
    from workbench.rules.model.entries import MacroEntry, Piece, RuleEntry
    from workbench.rules.target.target import Target

__all__ = ["compile_all"]

# Conditions without any of these need no look at old idioms.
_HINTS_OF_OLD_IDIOMS = re.compile(rb"<NA>|evt\.")
_CONDITION = "LOAD_ERR_COMPILE_CONDITION"
_WRONG = "LOAD_ERR_VALIDATE"

# Codes of the condition compiler that are the engine's own warnings.
_ENGINE_WARNINGS = frozenset(
    ("regex-not-needed", "value-looks-like-field", "value-looks-like-call")
)


def compile_all(
    collector: Collector,
    report: DiagnosticSink,
    *,
    least_priority: int = 7,
    additions: OutputAdditions | None = None,
    cache: dict[bytes, Expr | ParseFault] | None = None,
) -> Compilation:
    """Compile every item of ``collector``, complaining to ``report``.

    ``least_priority``: rules of a higher level are not loaded. ``cache``: keeps parsed
    texts between compilations. When the report stops at the first error, so does this.
    """
    job = _Compiler(collector, report, least_priority, additions, cache)
    with contextlib.suppress(FirstError):
        job.run()
    return job.result


class _Compiler:
    def __init__(
        self,
        collector: Collector,
        report: DiagnosticSink,
        least_priority: int,
        additions: OutputAdditions | None,
        cache: dict[bytes, Expr | ParseFault] | None,
    ) -> None:
        self.collector = collector
        self.report = report
        self.target: Target | None = collector.target
        self.least_priority = least_priority
        self.outputs = OutputStage(report, collector.target, additions)
        self.cache = {} if cache is None else cache
        self.result = Compilation()
        # whether a macro's text calls for a closer look
        self.old_idioms = False

    def run(self) -> None:
        result = self.result
        compiled = compile_lists(list(self.collector.lists.values()))
        for item in compiled:
            result.used_lists.update(item.nested)
        result.lists = ListTable(compiled)
        macros = sorted(self.collector.macros.values(), key=lambda m: m.index)
        for macro in macros:
            self._parse_macro(macro)
        self.old_idioms = any(
            _HINTS_OF_OLD_IDIOMS.search(parsed.text)
            for parsed in result.macros.values()
        )
        for macro in macros:
            self._resolve_macro(macro)
        for rule in sorted(self.collector.rules.values(), key=lambda r: r.index):
            compiled_rule = self._rule(rule)
            if compiled_rule is not None:
                result.rules.append(compiled_rule)
        self._unused()

    # conditions

    def _parse(
        self,
        pieces: list[Piece],
        entry: RuleEntry | MacroEntry,
        item_place: Location,
        *,
        quiet: bool = False,
    ) -> Parsed:
        """Put a condition's text together and parse it; complain if it cannot be."""
        base = joined(pieces)
        exceptions = getattr(entry, "exceptions", None) or []
        try:
            added = exception_text(exceptions)
        except ValueError as fault:
            exception, message = fault.args
            hint = "give each tuple one value per field"
            self.report.error(_WRONG, message, exception.place, hint)
            added = []
        text = base
        if exceptions:
            text = b"(" + base + b")" + b"".join(part[0] for part in added)
        lists = self.result.lists
        try:
            final = lists.substitute(text, self.result.used_lists)
        except ValueError as fault:
            self._too_large(fault.args[0], item_place)
            final = b""

        def retrace() -> SourceMap:
            trace = SourceMap()
            first = (
                SourcePoint(pieces[0].source, pieces[0].node.start) if pieces else None
            )
            if exceptions:
                trace.add_made(1, first)
            for number, piece in enumerate(pieces):
                if number:
                    trace.add_made(1, SourcePoint(piece.source, piece.node.start))
                trace.add_piece(piece)
            if exceptions:
                trace.add_made(1, first)
            for made, exception, operand in added:
                node = operand[1] if operand else None
                pos = node.start if node is not None else exception.place.pos
                trace.add_made(len(made), SourcePoint(exception.place.source, pos))
            log: list[Substitution] = []
            lists.substitute(text, set(), log)
            for change in log:
                trace.replace(change)
            return trace

        place = entry.condition_place
        parsed = Parsed(final, None, retrace, place, text)
        if not pieces or (not final and text):
            return parsed
        outcome = self._parse_text(final)
        if not isinstance(outcome, ParseFault):
            parsed.tree = outcome
            return parsed
        if not quiet:
            message = outcome.message
            at = self._at(parsed, outcome.at, place)
            self.report.error(
                _CONDITION, message, at, self._parse_hint(parsed, outcome)
            )
        return parsed

    def _parse_text(self, text: bytes) -> Expr | ParseFault:
        known = self.cache.get(text)
        if known is None:
            try:
                known = parse(text)
            except ParseFault as fault:
                known = fault
            if len(self.cache) > 200_000:
                self.cache.clear()
            self.cache[text] = known
        return known

    def _parse_hint(self, parsed: Parsed, fault: ParseFault) -> str | None:
        name = parsed.retrace().list_at(min(fault.at, max(0, len(parsed.text) - 1)))
        if name is not None:
            return f"this is what list {name} puts here; " + (
                fault.hint or "quote its items or write 'in (…)'"
            )
        return fault.hint

    def _at(
        self,
        parsed: Parsed,
        offset: int,
        base: Location,
        *,
        true_in: Parsed | None = None,
        shown: bytes | None = None,
        true_offset: int | None = None,
    ) -> ConditionLocation:
        """Make the place of a byte of a condition.

        ``true_in``: the text that ``offset`` really counts in, when it is a macro's.
        ``shown``: the text that the engine shows, if not the parsed one.
        ``true_offset``: what to point at in the file, if more exact than ``offset``.
        """
        origin = true_in or parsed
        # the engine counts lines in the text that it parsed
        head = origin.text[:offset]
        breaks = head.replace(b"\r", b"\n")
        row = breaks.count(b"\n") + 1
        column = offset - breaks.rfind(b"\n")
        exact = offset if true_offset is None else true_offset
        text = parsed.text if shown is None else shown
        return ConditionLocation(
            base, text, offset, row, column, lambda: origin.retrace().spot(exact)
        )

    def _too_large(self, name: str, place: Location) -> None:
        self.report.error(
            "condition-too-large",
            f"list {name} makes a condition longer than {MAX_CONDITION_BYTES:,} bytes",
            place,
            "lists inside lists multiply; write a shorter condition",
        )

    # macros

    def _parse_macro(self, macro: MacroEntry) -> None:
        parsed = self._parse(macro.condition, macro, macro.place)
        self.result.macros[macro.name] = parsed
        self.result.table.add(macro.name, macro.index, parsed.tree)

    def _resolve_macro(self, macro: MacroEntry) -> None:
        parsed = self.result.macros[macro.name]
        if parsed.tree is None:
            return
        _, faults = self.result.table.resolve(
            parsed.tree, macro.visibility, self.result.used_macros
        )
        self._macro_faults(faults, parsed, macro.place, macro)

    def _macro_faults(
        self,
        faults: list[MacroFault],
        parsed: Parsed,
        place: Location,
        entry: MacroEntry | RuleEntry,
    ) -> None:
        order = {"loop": 0, "large": 1, "unknown": 2, "invisible": 2}
        told: set[tuple[str, str]] = set()
        for fault in sorted(faults, key=lambda f: order[f.reason]):
            if (fault.reason, fault.name) in told:
                continue
            told.add((fault.reason, fault.name))
            origin = parsed
            if fault.inside:
                origin = self.result.macros[fault.inside[-1]]
            at = self._at(parsed, fault.span.start, place, true_in=origin)
            about = _about(entry, fault.inside)
            if fault.reason == "loop":
                message = f"reference loop in macro '{fault.name}'"
                hint = f"macro {fault.name} must not use itself"
                self.report.error(_WRONG, message, at, hint, about)
            elif fault.reason == "large":
                self.report.error(
                    "condition-too-large",
                    f"macro '{fault.name}' makes it more than {MAX_CHECKS:,} checks",
                    at,
                    "macros inside macros multiply; write a shorter condition",
                    about,
                )
            else:
                message = f"Undefined macro '{fault.name}' used in filter."
                hint = self._macro_hint(fault)
                self.report.error(_WRONG, message, at, hint, about)

    def _macro_hint(self, fault: MacroFault) -> str:
        from workbench.fields.reference import nearest_names

        if fault.reason == "invisible":
            return (
                f"macro {fault.name} is defined later; a macro sees only those defined "
                "before it: move its definition up"
            )
        if fault.name in self.collector.lists:
            return f"{fault.name} is a list: write some.field in ({fault.name})"
        near = nearest_names(fault.name, dict.fromkeys(self.result.table.names()))
        if near:
            return f"did you mean {' or '.join(near)}?"
        return f"define macro {fault.name}, or write a check: field operator value"

    # rules

    def _rule(self, entry: RuleEntry) -> CompiledRule | None:
        if entry.unknown_source:
            return None
        level = priority_named(entry.priority)
        if level is not None and level.level > self.least_priority:
            return None
        fields = None
        if self.target is not None:
            fields = self.target.fields_of(entry.source)
        errors = self.report.error_count
        output, text, usable = self.outputs.compile(entry, fields)
        if not usable:
            return None
        parsed = self._parse(entry.condition, entry, entry.place)
        if parsed.tree is None:
            return None
        tree, faults = self.result.table.resolve(
            parsed.tree, None, self.result.used_macros
        )
        self._macro_faults(faults, parsed, entry.place, entry)
        if tree is None:
            return None
        if self.old_idioms or _HINTS_OF_OLD_IDIOMS.search(parsed.text):
            note_old_idioms(self.report, entry, tree, parsed)
        bound = None
        if fields is not None:
            unchecked = None
            if entry.source == "syscall" and self.target is not None:
                unchecked = self.target.syscall_field_known
            bound = bind(
                tree,
                fields,
                text=parsed.text,
                unchecked=unchecked,
                macros=self.result.table.names(),
                collect=True,
            )
            if not self._bound_problems(bound, entry, parsed, tree):
                return None
        if entry.source == "syscall":
            if not self._event_names(entry, tree, parsed):
                return None
            if entry.warn_evttypes:
                note_event_types(self.report, entry, tree)
        if entry.broken or self.report.error_count > errors:
            return None
        return CompiledRule(entry, parsed, tree, bound, output, text)

    def _bound_problems(
        self, bound: BoundCondition, entry: RuleEntry, parsed: Parsed, tree: Expr
    ) -> bool:
        """DiagnosticSink what binding found; False when the rule is to be skipped."""
        for error in bound.errors:
            message = error.message
            at = self._diagnostic_place(error, entry, parsed, tree)
            macros = _macros_of(error)
            about = _about(entry, macros)
            if error.code == "unknown-field" and entry.skip_if_unknown_filter:
                self.report.warn("LOAD_UNKNOWN_FILTER", message, at, error.hint, about)
                return False
            self.report.error(_CONDITION, message, at, error.hint, about)
        for warning in bound.warnings:
            code = warning.code
            if code in _ENGINE_WARNINGS:
                code = "LOAD_COMPILE_CONDITION"
            at = self._diagnostic_place(warning, entry, parsed)
            about = _about(entry, _macros_of(warning))
            self.report.warn(code, warning.message, at, warning.hint, about)
        return True

    def _diagnostic_place(
        self,
        diagnostic: Diagnostic,
        entry: RuleEntry,
        parsed: Parsed,
        tree: Expr | None = None,
    ) -> ConditionLocation:
        """Make the place of what binding found.

        For errors the engine points at the check (``tree`` is given), for warnings at
        the value.
        """
        macros = _macros_of(diagnostic)
        origin = self.result.macros[macros[-1]] if macros else parsed
        exact = diagnostic.span.start if diagnostic.span else 0
        start = exact
        if tree is not None and origin.tree is not None:
            start = _check_start(origin.tree, exact)
        return self._at(
            parsed,
            start,
            entry.condition_place,
            true_in=origin,
            shown=parsed.written,
            true_offset=exact,
        )

    def _event_names(self, entry: RuleEntry, tree: Expr, parsed: Parsed) -> bool:
        """Check the values of evt.type; False when the rule is to be skipped."""
        found = unknown_event_type(tree)
        if found is None:
            return True
        node, name, hint = found
        message = f"unknown event type {name}"
        at = self._at(parsed, node.span.start, entry.condition_place)
        if entry.skip_if_unknown_filter:
            self.report.warn("LOAD_UNKNOWN_FILTER", message, at, hint)
        else:
            self.report.error(_CONDITION, message, at, hint)
        return False

    def _unused(self) -> None:
        result = self.result
        for macro in sorted(self.collector.macros.values(), key=lambda m: m.index):
            if macro.name not in result.used_macros:
                self.report.warn(
                    "LOAD_UNUSED_MACRO",
                    "Macro not referred to by any other rule/macro",
                    macro.place,
                    f"remove macro {macro.name}, or use it in a condition",
                )
        for entry in sorted(self.collector.lists.values(), key=lambda e: e.index):
            if entry.name not in result.used_lists:
                self.report.warn(
                    "LOAD_UNUSED_LIST",
                    "List not referred to by any other rule/macro",
                    entry.place,
                    f"remove list {entry.name}, or use it as 'in ({entry.name})'",
                )


def _macros_of(diagnostic: Diagnostic) -> tuple[str, ...]:
    return tuple(
        word.removeprefix("macro ")
        for word in diagnostic.context
        if word.startswith("macro ")
    )


def _about(entry: MacroEntry | RuleEntry, macros: tuple[str, ...]) -> tuple[str, ...]:
    """Say what a complaint is about: the innermost macro, and who uses it."""
    kind = entry.place.kind
    if not macros:
        return ()
    inner = macros[-1]
    return (f"macro {inner}, used by {kind} {entry.name}",)


def _check_start(tree: Expr, offset: int) -> int:
    """Give where the check that holds a byte begins."""
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
