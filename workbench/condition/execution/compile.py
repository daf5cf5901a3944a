"""Compiled conditions: texts made ready to run over Arrow tables.

text ─▶ parse ─▶ bind ─▶ :class:`CompiledCondition` ─▶ plan ─▶ kernel, batch by batch
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from workbench.arguments import Kind, takes
from workbench.condition.binding.check import parse_and_bind
from workbench.condition.binding.recover import examine
from workbench.condition.execution.outline import flatten, unflatten
from workbench.condition.execution.plan import build_plan
from workbench.condition.syntax.canonical import canonical
from workbench.fields.declarations import as_field_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import pyarrow as pa

    from workbench.condition.binding.bind import BoundCondition
    from workbench.condition.binding.bound import Bound
    from workbench.condition.execution.evaluate import Evaluation
    from workbench.condition.execution.origins import Origins
    from workbench.condition.execution.plan import Plan
    from workbench.diagnostics import Diagnostic
    from workbench.fields.declarations import FieldInfo, FieldTable

__all__ = [
    "CompiledCondition",
    "CompiledSet",
    "compile_condition",
    "compile_conditions",
    "try_compile",
]


def _evaluation(plan: Plan, table: pa.Table | pa.RecordBatch) -> Evaluation:
    # Imported late: the extension is loaded when the first condition runs.
    from workbench.condition.execution.columns import as_table
    from workbench.condition.execution.evaluate import Evaluation

    return Evaluation(plan, as_table(table))


class CompiledCondition:
    """A condition ready to run; immutable, picklable, usable from several threads.

    ``text``: as given. ``columns``: names of the columns it needs, in order of first
    use. ``ast``: its canonical text. ``warnings``: what is legal but odd. ``bound``:
    what is evaluated. ``origins``: where its lists and exceptions come from, ``rule``,
    ``source``: the rule that it belongs to and the rule's event source; None and "" for
    a text on its own.
    """

    origins: Origins | None = None
    rule: str = ""
    source: str = ""

    def __init__(self, text: str | bytes, fields: Mapping[str, FieldInfo]) -> None:
        """Compile ``text``. Raises ConditionError."""
        table = as_field_table(fields)
        expr, bound = parse_and_bind(text, table)
        self._keep(text, table, bound, canonical(expr))

    def _keep(
        self, text: str | bytes, fields: FieldTable, bound: BoundCondition, ast: str
    ) -> None:
        self.text = text
        self.fields = fields
        self.bound = bound
        self.columns: list[str] = list(bound.columns)
        self.ast: str = ast
        self.warnings: list[Diagnostic] = list(bound.warnings)
        self._elsewhere = False

    @classmethod
    def from_bound(
        cls,
        bound: BoundCondition,
        *,
        text: str | bytes,
        ast: str,
        fields: Mapping[str, FieldInfo],
        elsewhere: bool = True,
        origins: Origins | None = None,
        rule: str = "",
        source: str = "",
    ) -> CompiledCondition:
        """Wrap what was parsed and bound already, such as a rule with its macros.

        ``elsewhere``: ``text`` alone does not tell what was bound. ``origins``,
        ``rule``, ``source``: as the attributes.
        """
        self = cls.__new__(cls)
        self._keep(text, as_field_table(fields), bound, ast)
        self._elsewhere = elsewhere
        self.origins, self.rule, self.source = origins, rule, source
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel as text and fields, compiled again on arrival.

        What was bound elsewhere travels as a flat list, so that deep trees pass.
        """
        if not self._elsewhere:
            return CompiledCondition, (self.text, self.fields)
        flat = flatten(self.root)
        facts = {
            "text": self.text,
            "ast": self.ast,
            "fields": self.fields,
            "origins": self.origins,
            "rule": self.rule,
            "source": self.source,
        }
        return _rebuilt, (flat, self.columns, self.warnings, facts)

    def __repr__(self) -> str:
        return f"CompiledCondition({self.ast!r}, columns={self.columns})"

    def _repr_html_(self) -> str:
        from workbench.formatting import html

        rows = [(w.severity, w.message, w.hint or "") for w in self.warnings]
        head = html.tag("code", html.escape(self.ast, limit=2000))
        needs = html.tag("div", "columns: " + html.escape(", ".join(self.columns)))
        table = html.table(["", "warning", "hint"], rows) if rows else ""
        return html.tag("div", head, needs, table)

    @property
    def root(self) -> Bound:
        """The bound tree."""
        root = self.bound.root
        if root is None:
            raise ValueError("the condition names fields that were not checked")
        return root

    @cached_property
    def checks(self) -> list[Any]:
        """The checks of the tree, in the order of the text (BoundCheck)."""
        from workbench.condition.binding.bound import BoundCheck, postorder

        return [n for n in postorder(self.root) if isinstance(n, BoundCheck)]

    @cached_property
    def plan(self) -> Plan:
        """The program of this condition alone."""
        return build_plan([self.root])

    def mask(
        self, table: pa.Table | pa.RecordBatch, *, threads: int | None = None
    ) -> pa.BooleanArray:
        """Return for each row whether it matches: ``table.num_rows`` values, no nulls.

        ``threads``: None takes every core for large tables. Raises KeyError naming a
        column that the table lacks, TypeError for one that cannot hold its field.
        """
        from workbench.condition.execution.kernel import bool_array

        words = _evaluation(self.plan, table).words(threads=threads)
        return bool_array(words[0], table.num_rows)

    def count(
        self, table: pa.Table | pa.RecordBatch, *, threads: int | None = None
    ) -> int:
        """Count the rows that match, keeping no mask. Raises as :meth:`mask`."""
        return _evaluation(self.plan, table).counts(threads=threads)[0]


def try_compile(
    text: str | bytes, fields: Mapping[str, FieldInfo]
) -> tuple[CompiledCondition | None, list[Diagnostic]]:
    """Return a condition ready to run, None when it has errors, and all diagnostics.

    For editors, which want both: the text is read once.
    """
    table = as_field_table(fields)
    expr, bound, found = examine(text, table)
    if any(item.severity == "error" for item in found):
        return None, found
    compiled = CompiledCondition.from_bound(
        bound, text=text, ast=canonical(expr), fields=table, elsewhere=False
    )
    return compiled, found


def _rebuilt(
    flat: list[Any],
    columns: list[str],
    warnings: list[Diagnostic],
    facts: dict[str, Any],
) -> CompiledCondition:
    """Undo the pickling of a condition that was bound elsewhere."""
    from workbench.condition.binding.bind import BoundCondition

    bound = BoundCondition(unflatten(flat), tuple(columns), tuple(warnings))
    return CompiledCondition.from_bound(bound, **facts)


class CompiledSet:
    """Several conditions that share their work; immutable and picklable.

    A sequence of :class:`CompiledCondition`. ``columns``: all columns needed.
    """

    def __init__(self, conditions: Iterable[CompiledCondition]) -> None:
        """Plan ``conditions`` together."""
        self.conditions = tuple(conditions)
        self.columns: list[str] = list(
            dict.fromkeys(name for c in self.conditions for name in c.columns)
        )

    def __reduce__(self) -> tuple[Any, ...]:
        return CompiledSet, (self.conditions,)

    def __len__(self) -> int:
        return len(self.conditions)

    def __getitem__(self, index: int) -> CompiledCondition:
        return self.conditions[index]

    def __repr__(self) -> str:
        return f"CompiledSet({len(self)} conditions, columns={self.columns})"

    @cached_property
    def plan(self) -> Plan:
        """The program of all conditions; equal checks and subtrees occur once."""
        return build_plan([c.root for c in self.conditions])

    def masks(
        self,
        table: pa.Table | pa.RecordBatch,
        *,
        first_match: bool = False,
        threads: int | None = None,
    ) -> list[pa.BooleanArray]:
        """Return one mask per condition, each one bit a row and without nulls.

        ``first_match``: a row counts only for the first condition that it matches, as
        Falco's ``rule_matching: first``. Raises as :meth:`CompiledCondition.mask`.
        """
        from workbench.condition.execution.kernel import bool_array

        evaluation = _evaluation(self.plan, table)
        words = evaluation.words(threads=threads, first_match=first_match)
        return [bool_array(w, table.num_rows) for w in words]

    def counts(
        self,
        table: pa.Table | pa.RecordBatch,
        *,
        first_match: bool = False,
        threads: int | None = None,
    ) -> list[int]:
        """Count the rows of each condition, without keeping masks; as :meth:`masks`."""
        evaluation = _evaluation(self.plan, table)
        return evaluation.counts(threads=threads, first_match=first_match)

    def first_match(
        self, table: pa.Table | pa.RecordBatch, *, threads: int | None = None
    ) -> pa.Int32Array:
        """Return for each row the number of the first condition it matches, or null."""
        import numpy as np
        import pyarrow as pa

        masks = self.masks(table, first_match=True, threads=threads)
        found = np.full(table.num_rows, -1, np.int32)
        for number, mask in enumerate(masks):
            found[mask.to_numpy(zero_copy_only=False)] = number
        return pa.array(found, pa.int32(), mask=found < 0)


_TEXT = Kind("a condition (a text or bytes)", lambda v: isinstance(v, str | bytes))
_TEXTS = Kind(
    "a list of conditions (texts or bytes)",
    lambda v: isinstance(v, list | tuple) and all(map(_TEXT.fits, v)),
)


@takes(text=_TEXT)
def compile_condition(
    text: str | bytes,
    fields: Mapping[str, FieldInfo] | Iterable[FieldInfo | Mapping[str, Any]],
) -> CompiledCondition:
    """Compile one condition. ``fields``: by name, or decoded get_fields JSON.

    The ``evt.*`` fields are always known. Raises ConditionError.
    """
    return CompiledCondition(text, as_field_table(fields))


@takes(texts=_TEXTS)
def compile_conditions(
    texts: Sequence[str | bytes],
    fields: Mapping[str, FieldInfo] | Iterable[FieldInfo | Mapping[str, Any]],
) -> CompiledSet:
    """Compile several conditions over the same fields, to be run together.

    Raises ConditionError for the first text that Falco would refuse.
    """
    table = as_field_table(fields)
    return CompiledSet(CompiledCondition(text, table) for text in texts)
