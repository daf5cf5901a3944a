"""Binding a parsed condition to fields: names, types, constants, and what is odd.

:func:`bind` gives a :class:`BoundCondition` or, with ``collect``, everything that is
wrong. It never looks at data, so a condition that cannot run is refused before.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from workbench.condition.binding.bound import (
    BoundAnd,
    BoundCheck,
    BoundNot,
    BoundOr,
    CallStep,
    Constants,
)
from workbench.condition.binding.empty_sets import decided_by_empty_sets
from workbench.condition.binding.faults import (
    BindFault,
    BindWarning,
    UncheckedField,
    fault_diagnostic,
    warning_diagnostic,
)
from workbench.condition.binding.operands import (
    bind_operand,
    rests_on,
    type_name,
)
from workbench.condition.binding.result_cache import Printed, share_alike
from workbench.condition.binding.warnings import (
    check_warnings,
    constant_hint,
    value_warnings,
)
from workbench.condition.semantics.values import (
    ValueFault,
    ValueWarning,
    compile_regex,
    read_value,
)
from workbench.condition.syntax.canonical import canonical_bytes, operand_text
from workbench.condition.syntax.hints import lone_word_hint
from workbench.condition.syntax.nodes import (
    AndExpr,
    BinaryCheckExpr,
    FieldTransformerExpr,
    IdentifierExpr,
    ListExpr,
    MacroExpr,
    NotExpr,
    OrExpr,
    UnaryCheckExpr,
    ValueExpr,
)
from workbench.condition.syntax.operators import OPERATORS, legal_operators
from workbench.fields.spelling import names_ending_in, nearest_names

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from workbench.condition.binding.bound import Bound, Operand
    from workbench.condition.syntax.nodes import Expr
    from workbench.condition.syntax.operators import Operator
    from workbench.diagnostics import Diagnostic
    from workbench.fields.declarations import FieldInfo

__all__ = ["BoundCondition", "bind"]

_COMBINE = {"anyof": "any", "allof": "all", "oneof": "one"}


@dataclass(frozen=True, slots=True)
class BoundCondition:
    """A condition bound to fields.

    ``root``: what to evaluate; None when ``errors`` or ``unchecked`` is not empty.
    ``columns``: names of the columns read, in order of first use. ``warnings``,
    ``errors``: in the order of the text. ``unchecked``: names of fields that were not
    looked up.
    """

    root: Bound | None
    columns: tuple[str, ...]
    warnings: tuple[Diagnostic, ...] = ()
    errors: tuple[Diagnostic, ...] = ()
    unchecked: tuple[str, ...] = ()


def bind(
    expr: Expr,
    fields: Mapping[str, FieldInfo],
    *,
    text: bytes | None = None,
    unchecked: Callable[[str], bool] | None = None,
    macros: Collection[str] = (),
    collect: bool = False,
) -> BoundCondition:
    """Bind ``expr`` to ``fields`` (``evt.*`` is always known).

    ``text``: what ``expr`` was parsed from; gives diagnostics a line and a column.
    ``unchecked``: asked for the name of an unknown field whether it may exist all the
    same; its checks are then not bound, nor are macros named in ``macros``.

    Raises BindFault at the first error; its ``macros`` are those it came through. With
    ``collect`` all errors are listed in the result instead.

    Diagnostics from inside a macro have no line: their span counts in the text of the
    macro that ``context`` names last.
    """
    return _Binder(fields, text, unchecked, macros).bind(expr, collect=collect)


class _Binder:
    def __init__(
        self,
        fields: Mapping[str, FieldInfo],
        text: bytes | None,
        unchecked: Callable[[str], bool] | None,
        macros: Collection[str],
    ) -> None:
        self.fields = fields
        self.text = text
        self.unchecked = unchecked
        self.macro_names = macros
        self.warnings: list[Diagnostic] = []
        self.errors: list[Diagnostic] = []
        self.unchecked_names: dict[str, None] = {}
        self.columns: dict[str, None] = {}
        self.printed: list[Printed] = []
        self.macros: tuple[str, ...] = ()

    def bind(self, root: Expr, *, collect: bool) -> BoundCondition:
        """Bind all checks in the order of evaluation, then the tree above them."""
        done: list[Bound | None] = []
        # None on the list marks the end of the macro entered last.
        todo: list[tuple[Expr | None, bool]] = [(root, False)]
        while todo:
            node, ready = todo.pop()
            if node is None:
                self.macros = self.macros[:-1]
            elif isinstance(node, MacroExpr):
                self.macros += (node.name,)
                todo += [(None, False), (node.child, False)]
            elif isinstance(node, AndExpr | OrExpr | NotExpr):
                children = (node.child,) if isinstance(node, NotExpr) else node.children
                if ready:
                    bound = done[len(done) - len(children) :]
                    del done[len(done) - len(children) :]
                    done.append(self.inner(node, bound))
                else:
                    todo.append((node, True))
                    todo.extend((child, False) for child in reversed(children))
            else:
                done.append(self.guarded(node, collect=collect))
        tree = done.pop()
        self.judge_empty_sets(tree)
        if tree is not None:
            tree, conflicts = share_alike(tree, self.printed)
            for check in conflicts:
                self.macros = check.macros
                self.warn(
                    BindWarning(
                        "printed-alike",
                        "another check before this one prints the same, so the engine"
                        " reuses its result here",
                        check.span,
                        "do not quote what looks like a field or a call",
                    )
                )
        return BoundCondition(
            tree,
            tuple(self.columns),
            tuple(self.warnings),
            tuple(self.errors),
            tuple(self.unchecked_names),
        )

    def judge_empty_sets(self, tree: Bound | None) -> None:
        """Keep the warnings of empty sets only where these decide the verdict."""
        if not any(item.code == "empty-set" for item in self.warnings):
            return
        decided = None if tree is None else decided_by_empty_sets(tree)
        outcome = "can never be true" if decided is False else "is always true"
        self.warnings = [
            replace(item, message=f"{item.message}, so the condition {outcome}")
            if item.code == "empty-set"
            else item
            for item in self.warnings
            if item.code != "empty-set" or decided is not None
        ]

    def inner(
        self, node: AndExpr | OrExpr | NotExpr, bound: list[Bound | None]
    ) -> Bound | None:
        children = tuple(child for child in bound if child is not None)
        if len(children) != len(bound):
            return None
        if isinstance(node, NotExpr):
            return BoundNot(children[0], node.span, self.macros)
        if isinstance(node, AndExpr):
            return BoundAnd(children, node.span, self.macros)
        return BoundOr(children, node.span, self.macros)

    def guarded(self, node: Expr, *, collect: bool) -> Bound | None:
        try:
            return self.check(node)
        except UncheckedField as field:
            if field.name:
                self.unchecked_names.setdefault(field.name)
            return None
        except BindFault as fault:
            if not collect:
                fault.macros = self.macros
                raise
            self.errors.append(fault_diagnostic(fault, self.text, self.macros))
            return None

    def warn(self, warn: BindWarning) -> None:
        self.warnings.append(warning_diagnostic(warn, self.text, self.macros))

    # --- checks -----------------------------------------------------------------------

    def check(self, node: Expr) -> BoundCheck:
        if isinstance(node, IdentifierExpr):
            if node.name in self.macro_names:
                raise UncheckedField(node.name)
            raise BindFault(
                "unknown-macro",
                f"'{node.name}' is not a macro known here",
                node.span,
                self.name_hint(node.name),
            )
        if isinstance(node, UnaryCheckExpr):
            left = bind_operand(node.left, self.fields, self.unchecked)
            return self.finish(node, left, "exists", None, None)
        if not isinstance(node, BinaryCheckExpr):
            raise UncheckedField("")
        left = self.left(node)
        operator = OPERATORS[node.op]
        self.legal(node, left, operator)
        if isinstance(node.right, FieldTransformerExpr):
            right = self.right(node, left, operator, node.right)
            if isinstance(rests_on(left), CallStep) and node.op in (
                "in",
                "intersects",
            ):
                return self.finish(node, left, operator.test, None, Constants(()))
            return self.finish(node, left, operator.test, None, right)
        return self.with_constants(node, left, operator, node.right)

    def name_hint(self, name: str) -> str:
        """Correct a name that is no macro: another macro, a field, or a lone word."""
        near = nearest_names(name, self.macro_names)
        near = near or names_ending_in(name, self.fields)
        if near:
            return f"did you mean {' or '.join(near)}?"
        return lone_word_hint(name) or "a check has an operator, such as: field exists"

    def left(self, node: BinaryCheckExpr) -> Operand:
        try:
            return bind_operand(node.left, self.fields, self.unchecked)
        except UncheckedField:
            # The rest can still be wrong.
            if isinstance(node.right, FieldTransformerExpr):
                bind_operand(node.right, self.fields, self.unchecked)
            raise

    def legal(self, node: BinaryCheckExpr, left: Operand, operator: Operator) -> None:
        kind = type_name(left.type, left.is_list)
        fits = operator.on_lists if left.is_list else left.type in operator.types
        shown = node.op
        if fits and node.modifier is not None:
            fits = left.type in operator.modifiers
            shown = f"{node.op} {node.modifier}"
        if not fits:
            legal = legal_operators(left.type, is_list=left.is_list)
            raise BindFault(
                "operator-type",
                f"'{shown}' does not work on a {kind}",
                node.op_span,
                f"a {kind} takes {' '.join(legal)}",
            )

    def right(
        self,
        node: BinaryCheckExpr,
        left: Operand,
        operator: Operator,
        call: FieldTransformerExpr,
    ) -> Operand:
        right = bind_operand(call, self.fields, self.unchecked)
        if not operator.field_right or left.type == "ipnet":
            what = f"'{node.op}'" if left.type != "ipnet" else "an ipnet field"
            raise BindFault(
                "field-on-the-right",
                f"{what} cannot be compared with another field",
                call.span,
                "write a constant",
            )
        if (left.type, left.is_list) != (right.type, right.is_list):
            raise BindFault(
                "types-differ",
                f"a {type_name(left.type, left.is_list)} on the left, a"
                f" {type_name(right.type, right.is_list)} on the right",
                call.span,
                "both sides must have the same type, lists included",
            )
        return right

    def with_constants(
        self,
        node: BinaryCheckExpr,
        left: Operand,
        operator: Operator,
        right: ValueExpr | ListExpr,
    ) -> BoundCheck:
        items = (right,) if isinstance(right, ValueExpr) else right.items
        for warn in value_warnings(node.op, items, self.fields):
            self.warn(warn)
        values = []
        oddities: list[ValueWarning] = []
        for item in items:
            try:
                value = read_value(left.type, item.value, oddities)
                if isinstance(value, bytes) and node.op == "regex":
                    compile_regex(value)
                values.append(value)
            except ValueFault as fault:
                hint = constant_hint(item, node) or fault.hint
                raise BindFault(fault.code, fault.message, item.span, hint) from None
            for oddity in oddities:
                self.warn(
                    BindWarning(oddity.code, oddity.message, item.span, oddity.hint)
                )
            oddities.clear()
        test, combine = operator.test, None
        if node.modifier is not None:
            # The engine takes these two for membership in a set, which compares
            # networks as raw bytes, so that no address is ever in one.
            if (test, node.modifier) == ("eq", "anyof"):
                test = "in"
            elif (test, node.modifier) == ("ne", "allof") and values:
                test = "not_in"
            else:
                combine = _COMBINE[node.modifier]
            if test in ("in", "not_in") and left.type == "ipnet":
                values = []
        return self.finish(node, left, test, combine, Constants(tuple(values)))

    def finish(
        self,
        node: UnaryCheckExpr | BinaryCheckExpr,
        left: Operand,
        test: str,
        combine: str | None,
        right: Constants | Operand | None,
    ) -> BoundCheck:
        text = canonical_bytes(node)
        check = BoundCheck(
            left,
            test,
            combine,
            right,
            node.op,
            getattr(node, "modifier", None),
            text.decode("utf-8", "surrogateescape"),
            node.span,
            self.macros,
        )
        for operand in (left, right):
            if operand is not None and not isinstance(operand, Constants):
                for column in operand.columns:
                    self.columns.setdefault(column)
        right_text = None
        if isinstance(node, BinaryCheckExpr):
            for warn in check_warnings(node, check):
                self.warn(warn)
            if isinstance(node.right, FieldTransformerExpr):
                call = node.right
                inner = call.args[0] if call.name == "val" else call
                right_text = operand_text(inner)
        self.printed.append(Printed(check, text, operand_text(node.left), right_text))
        return check
