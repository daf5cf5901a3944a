"""Compiled conditions: a text made ready to run over Arrow tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.condition.canonical import canonical
from workbench.condition.check import parse_and_bind
from workbench.condition.reference import matches_row
from workbench.condition.rows import table_rows
from workbench.fields import as_field_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import pyarrow as pa

    from workbench.diagnostics import Diagnostic
    from workbench.fields import FieldInfo

__all__ = ["CompiledCondition", "compile_condition", "compile_conditions"]


class CompiledCondition:
    """A condition ready to run.

    ``columns``: names of the columns it needs. ``ast``: its canonical text.
    ``warnings``: what is legal but odd. ``bound``: the tree that is evaluated.
    """

    def __init__(self, text: str | bytes, fields: Mapping[str, FieldInfo]) -> None:
        """Compile ``text``. Raises ConditionError."""
        self.text = text
        self.fields = as_field_table(fields)
        expr, self.bound = parse_and_bind(text, self.fields)
        self.columns: list[str] = list(self.bound.columns)
        self.ast: str = canonical(expr)
        self.warnings: list[Diagnostic] = list(self.bound.warnings)

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel as text and fields, compiled again on arrival."""
        return CompiledCondition, (self.text, self.fields)

    def __repr__(self) -> str:
        return f"CompiledCondition({self.ast!r}, columns={self.columns})"

    def mask(self, table: pa.Table | pa.RecordBatch) -> pa.BooleanArray:
        """Give True for each row that matches. Raises KeyError for a missing column."""
        import pyarrow as pa

        root: Any = self.bound.root
        verdicts = [matches_row(root, row) for row in table_rows(table, root)]
        return pa.array(verdicts, pa.bool_())


def compile_condition(
    text: str | bytes,
    fields: Mapping[str, FieldInfo] | Iterable[FieldInfo | Mapping[str, Any]],
) -> CompiledCondition:
    """Compile one condition.

    ``fields``: FieldInfos by name, or decoded get_fields JSON; ``evt.*`` fields are
    always known. Raises ConditionError.
    """
    return CompiledCondition(text, as_field_table(fields))


def compile_conditions(
    texts: Sequence[str | bytes],
    fields: Mapping[str, FieldInfo] | Iterable[FieldInfo | Mapping[str, Any]],
) -> list[CompiledCondition]:
    """Compile several conditions over the same fields. Raises ConditionError."""
    table = as_field_table(fields)
    return [CompiledCondition(text, table) for text in texts]
