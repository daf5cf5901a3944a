"""The whole collection, compiled afresh: lists, then macros, then rules."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from workbench.condition.bind import bind
from workbench.condition.grammar import ParseFault
from workbench.condition.nodes import AndExpr, MacroExpr, OrExpr, postorder
from workbench.condition.parser import parse
from workbench.rules.entries import as_text, joined
from workbench.rules.macros import MAX_CHECKS, MacroTable
from workbench.rules.model import priority_named
from workbench.rules.output import OutputFault, parse_output
from workbench.rules.places import ConditionPlace, Place, Spot
from workbench.rules.report import FirstError
from workbench.rules.substitution import (
    MAX_CONDITION_BYTES,
    ListTable,
    compile_lists,
    exception_text,
)
from workbench.rules.trace import Trace, source_offset

if TYPE_CHECKING:
    from collections.abc import Callable

    from workbench.condition.bind import BoundCondition
    from workbench.condition.nodes import Expr
    from workbench.diagnostics import Diagnostic
    from workbench.fields import FieldTable
    from workbench.rules.collector import Collector
    from workbench.rules.entries import MacroEntry, Piece, RuleEntry
    from workbench.rules.macros import MacroFault
    from workbench.rules.output import Output
    from workbench.rules.report import Report
    from workbench.rules.substitution import Substitution
    from workbench.rules.target import Target

__all__ = ["Compilation", "CompiledRule", "OutputAdditions", "Parsed", "compile_all"]

_CONDITION = "LOAD_ERR_COMPILE_CONDITION"
_OUTPUT = "LOAD_ERR_COMPILE_OUTPUT"
_WRONG = "LOAD_ERR_VALIDATE"

# Codes of the condition compiler that are the engine's own warnings.
_ENGINE_WARNINGS = frozenset(
    ("regex-not-needed", "value-looks-like-field", "value-looks-like-call")
)
_CONTAINER_INFO = "%container.info"
_DEPRECATED_FIELDS = (
    "evt.dir",
    "evt.latency.quantized",
    "evt.latency.human",
    "evt.latency.ns",
    "evt.latency.s",
    "evt.latency",
    "evt.wait_latency",
)
_UNSAFE_FAMILIES = ("ka.", "jevt.")
_UNSAFE_OPERATORS = frozenset(("=", "==", "!=", "in", "intersects", "pmatch"))


@dataclass(slots=True)
class Parsed:
    """A condition on its way: its text after lists, and how the text came about.

    ``written``: the text before lists, with exceptions.
    """

    text: bytes
    tree: Expr | None
    retrace: Callable[[], Trace]
    place: Place
    written: bytes


@dataclass(slots=True)
class CompiledRule:
    """A rule that runs. ``bound``: None for sources that are not evaluated here."""

    entry: RuleEntry
    parsed: Parsed
    tree: Expr
    bound: BoundCondition | None
    output: Output | None
    output_text: str


@dataclass(slots=True)
class Compilation:
    """Everything compiled. ``rules``: in definition order, without skipped ones."""

    rules: list[CompiledRule] = field(default_factory=list)
    macros: dict[str, Parsed] = field(default_factory=dict)
    lists: ListTable = field(default_factory=lambda: ListTable([]))
    table: MacroTable = field(default_factory=MacroTable)
    used_lists: set[str] = field(default_factory=set)
    used_macros: set[str] = field(default_factory=set)


class OutputAdditions:
    """What a configuration adds to outputs; the default adds nothing."""

    def extra(self, entry: RuleEntry, fields: FieldTable) -> str:  # noqa: ARG002
        """Give text to append to a rule's output."""
        return ""

    def formats(self, entry: RuleEntry) -> list[str]:  # noqa: ARG002
        """Give further formats that must compile for a rule to load."""
        return []


def compile_all(
    collector: Collector,
    report: Report,
    *,
    least_priority: int = 7,
    additions: OutputAdditions | None = None,
    cache: dict[bytes, Expr | ParseFault] | None = None,
) -> Compilation:
    """Compile every item of ``collector``, complaining to ``report``.

    ``least_priority``: rules of a higher level are not loaded. ``cache``: keeps parsed
    texts between compilations. When the report stops at the first error, so does this.
    """
    job = _Job(collector, report, least_priority, additions, cache)
    try:
        job.run()
    except FirstError:
        pass
    return job.result


class _Job:
    def __init__(
        self,
        collector: Collector,
        report: Report,
        least_priority: int,
        additions: OutputAdditions | None,
        cache: dict[bytes, Expr | ParseFault] | None,
    ) -> None:
        self.collector = collector
        self.report = report
        self.target: Target | None = collector.target
        self.least_priority = least_priority
        self.additions = additions or OutputAdditions()
        self.cache = {} if cache is None else cache
        self.result = Compilation()
        self._sizes = 0

    def run(self) -> None:
        result = self.result
        compiled = compile_lists(list(self.collector.lists.values()))
        for item in compiled:
            result.used_lists.update(item.nested)
        result.lists = ListTable(compiled)
        macros = sorted(self.collector.macros.values(), key=lambda m: m.index)
        for macro in macros:
            self._parse_macro(macro)
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
        item_place: Place,
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

        def retrace() -> Trace:
            trace = Trace()
            if exceptions:
                trace.add_made(1, _first_spot(pieces))
            for number, piece in enumerate(pieces):
                if number:
                    trace.add_made(1, Spot(piece.source, piece.node.start))
                trace.add_piece(piece)
            if exceptions:
                trace.add_made(1, _first_spot(pieces))
            for made, exception, operand in added:
                node = operand[1] if operand else None
                pos = node.start if node is not None else exception.place.pos
                trace.add_made(len(made), Spot(exception.place.source, pos))
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
        base: Place,
        *,
        true_in: Parsed | None = None,
        shown: bytes | None = None,
        true_offset: int | None = None,
    ) -> ConditionPlace:
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
        return ConditionPlace(
            base, text, offset, row, column, lambda: origin.retrace().spot(exact)
        )

    def _too_large(self, name: str, place: Place) -> None:
        self.report.error(
            "condition-too-large",
            f"list {name} makes the condition longer than {MAX_CONDITION_BYTES:,} bytes",
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
        place: Place,
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
                    f"more than {MAX_CHECKS:,} checks with macro '{fault.name}' in place",
                    at,
                    "macros inside macros multiply; write a shorter condition",
                    about,
                )
            else:
                message = f"Undefined macro '{fault.name}' used in filter."
                hint = self._macro_hint(fault)
                self.report.error(_WRONG, message, at, hint, about)

    def _macro_hint(self, fault: MacroFault) -> str:
        from workbench.field_refs import nearest_names

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
        output, text, usable = self._output(entry, fields)
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
        self._unsafe_checks(entry, tree)
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
                self._event_types(entry, tree)
        if entry.broken or self.report.error_count > errors:
            return None
        return CompiledRule(entry, parsed, tree, bound, output, text)

    def _output(
        self, entry: RuleEntry, fields: FieldTable | None
    ) -> tuple[Output | None, str, bool]:
        """Compile a rule's output: it, its text, and whether to go on with the rule."""
        text = as_text(joined(entry.output)) if entry.output else ""
        if _CONTAINER_INFO in text:
            self.report.warn(
                "LOAD_DEPRECATED_ITEM",
                "%container.info is deprecated and no more useful, and will be dropped "
                "by Falco 1.0.0. The container plugin will automatically add required "
                "fields to the output message.",
                entry.place,
                "remove %container.info from the output",
            )
            text = text.replace(_CONTAINER_INFO, "", 1)
        if not entry.output:
            return None, text, True
        if fields is None:
            return None, text, self._output_shape(entry, text)
        extra = self.additions.extra(entry, fields)
        whole = f"{text} {extra}" if extra else text
        output = None
        try:
            if not whole:
                raise OutputFault("empty formatting token", 0, 0, "write a message")
            if entry.source == "syscall":
                self._syscall_output(whole)
            else:
                output = parse_output("*" + whole, fields)
                for added in self.additions.formats(entry):
                    parse_output("*" + added, fields)
        except OutputFault as fault:
            unknown = "unknown filter" in fault.message
            if unknown and entry.skip_if_unknown_filter:
                self.report.warn(
                    "LOAD_UNKNOWN_FILTER",
                    fault.message,
                    self._output_place(entry, fault.at, whole),
                    fault.hint,
                )
                return None, whole, False
            self.report.error(
                _OUTPUT,
                fault.message,
                self._output_place(entry, fault.at, whole),
                fault.hint,
            )
            return None, whole, True
        for name in _DEPRECATED_FIELDS:
            if name in text:
                self.report.warn(
                    "LOAD_DEPRECATED_ITEM",
                    f"usage of deprecated field '{name}' has been detected in the rule "
                    "output",
                    entry.output_place,
                    f"remove {name}",
                )
                break
        return output, whole, True

    def _output_shape(self, entry: RuleEntry, text: str) -> bool:
        """Check what can be checked of an output without knowing any field."""
        message = None
        if not text:
            message, hint = "empty formatting token", "write a message"
        elif text.endswith("%"):
            message = "invalid formatting syntax: formatting cannot end with a %"
            hint = "remove the percent sign: outputs cannot print one"
        if message is not None:
            self.report.error(
                _OUTPUT, message, self._output_place(entry, len(text), text), hint
            )
        return True

    def _syscall_output(self, text: str) -> None:
        """Check an output of source syscall: names must be of a known family."""
        from workbench.rules.syscall_output import check_syscall_output

        if self.target is not None:
            check_syscall_output(text, self.target)

    def _output_place(self, entry: RuleEntry, offset: int, text: str) -> Place:
        place = entry.output_place
        if not entry.output:
            return place
        # a leading * was put before the text
        raw = text.encode("utf-8", "surrogateescape")
        at = max(0, min(offset - 1, len(raw)))
        for piece in entry.output:
            if at <= len(piece.text):
                inner = source_offset(piece.node, piece.source, at, piece.text)
                return place.pointing(piece.source, inner)
            at -= len(piece.text) + 1
        return place

    def _bound_problems(
        self, bound: BoundCondition, entry: RuleEntry, parsed: Parsed, tree: Expr
    ) -> bool:
        """Report what binding found; False when the rule is to be skipped."""
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
    ) -> ConditionPlace:
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

    def _unsafe_checks(self, entry: RuleEntry, tree: Expr) -> None:
        from workbench.condition.nodes import (
            BinaryCheckExpr,
            FieldExpr,
            ListExpr,
            ValueExpr,
        )

        told: set[str] = set()
        for node in postorder(tree):
            field = getattr(node, "left", None)
            if not isinstance(field, FieldExpr):
                continue
            if field.name in _DEPRECATED_FIELDS and field.name not in told:
                told.add(field.name)
                self.report.warn(
                    "LOAD_DEPRECATED_ITEM",
                    f"usage of deprecated field '{field.name}' has been detected in the "
                    "rule condition",
                    entry.condition_place,
                    f"remove the checks of {field.name}",
                )
        for node in postorder(tree):
            if not isinstance(node, BinaryCheckExpr):
                continue
            left, right = node.left, node.right
            if (
                not isinstance(left, FieldExpr)
                or not left.name.startswith(_UNSAFE_FAMILIES)
                or node.op not in _UNSAFE_OPERATORS
            ):
                continue
            values = right.items if isinstance(right, ListExpr) else (right,)
            if any(isinstance(v, ValueExpr) and v.value == b"<NA>" for v in values):
                self.report.warn(
                    "LOAD_UNSAFE_NA_CHECK",
                    "",
                    entry.place,
                    f"an absent {left.name} never equals <NA>: write "
                    f"'not {left.name} exists'",
                )
                return

    def _event_names(self, entry: RuleEntry, tree: Expr, parsed: Parsed) -> bool:
        """Check the values of evt.type; False when the rule is to be skipped."""
        from workbench.condition.nodes import (
            BinaryCheckExpr,
            FieldExpr,
            ListExpr,
            ValueExpr,
        )
        from workbench.field_refs import nearest_names
        from workbench.rules.event_names import EVENT_NAMES

        for node in postorder(tree):
            if (
                not isinstance(node, BinaryCheckExpr)
                or not isinstance(node.left, FieldExpr)
                or node.left.name != "evt.type"
                or node.op not in ("=", "==", "!=", "in")
            ):
                continue
            right = node.right
            values = right.items if isinstance(right, ListExpr) else (right,)
            for value in values:
                if not isinstance(value, ValueExpr):
                    continue
                name = as_text(value.value)
                if name in EVENT_NAMES:
                    continue
                message = f"unknown event type {name}"
                at = self._at(parsed, node.span.start, entry.condition_place)
                near = nearest_names(name, dict.fromkeys(EVENT_NAMES))
                hint = f"did you mean {near[0]}?" if near else "name a system call"
                if entry.skip_if_unknown_filter:
                    self.report.warn("LOAD_UNKNOWN_FILTER", message, at, hint)
                    return False
                self.report.error(_CONDITION, message, at, hint)
                return False
        return True

    def _event_types(self, entry: RuleEntry, tree: Expr) -> None:
        if _restricts_types(tree):
            return
        self.report.warn(
            "LOAD_NO_EVTTYPE",
            "Rule matches too many evt.type values. This has a significant performance "
            "penalty.",
            entry.place,
            "add a check such as: evt.type in (open, openat)",
        )

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


def _first_spot(pieces: list[Piece]) -> Spot | None:
    return Spot(pieces[0].source, pieces[0].node.start) if pieces else None


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


def _restricts_types(tree: Expr) -> bool:
    """Say whether a condition can only hold for some event types."""
    from workbench.condition.nodes import BinaryCheckExpr, FieldExpr

    stack: list[bool] = []
    for node in postorder(tree):
        if isinstance(node, AndExpr | OrExpr):
            count = len(node.children)
            parts = stack[-count:]
            del stack[-count:]
            stack.append(any(parts) if isinstance(node, AndExpr) else all(parts))
        elif isinstance(node, MacroExpr):
            continue
        elif isinstance(node, BinaryCheckExpr):
            left = node.left
            stack.append(
                isinstance(left, FieldExpr)
                and left.name == "evt.type"
                and node.op in ("=", "==", "in")
            )
        elif hasattr(node, "child"):
            stack[-1] = False
        else:
            stack.append(False)
    return stack[0]
