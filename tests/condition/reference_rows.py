"""The reference evaluator over an Arrow table, row by row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.condition.binding.bound import BoundCheck, ColumnStep, Operand, postorder
from workbench.condition.execution.reference import matches_row

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa

    from workbench.condition.binding.bound import Bound

__all__ = ["column_values", "reference_mask", "table_rows"]

_NUMBERS = ("uint64", "reltime", "abstime")


def _steps(root: Bound) -> dict[str, ColumnStep]:
    """Give the columns that a condition reads, in order of first use."""
    found: dict[str, ColumnStep] = {}
    for node in postorder(root):
        if isinstance(node, BoundCheck):
            for operand in (node.left, node.right):
                if isinstance(operand, Operand):
                    for step in operand.steps:
                        if isinstance(step, ColumnStep):
                            found.setdefault(step.column, step)
    return found


def column_values(column: pa.ChunkedArray | pa.Array, type_: str) -> list[Any]:
    """Give a column's values: bytes, unsigned int or bool; None for null; or lists."""
    import pyarrow as pa

    kind = column.type
    nested = pa.types.is_list(kind) or pa.types.is_large_list(kind)
    value_type = kind.value_type if nested else kind
    if pa.types.is_dictionary(value_type):
        value_type = value_type.value_type
    plain: Any = None
    if type_ in _NUMBERS and not pa.types.is_uint64(value_type):
        plain = pa.int64()
    elif type_ in ("string", "ipaddr", "ipnet"):
        plain = pa.large_binary()
    if plain is not None:
        if pa.types.is_timestamp(value_type):
            middle: Any = pa.timestamp("ns", value_type.tz)
        elif pa.types.is_duration(value_type):
            middle = pa.duration("ns")
        else:
            middle = None
        for target in (middle, plain):
            if target is not None:
                column = column.cast(pa.large_list(target) if nested else target)
    values: list[Any] = column.to_pylist()
    if plain == pa.int64():
        return [_unsigned(value) for value in values]
    return values


def _unsigned(value: Any) -> Any:
    if isinstance(value, list):
        return [_unsigned(item) for item in value]
    return value if value is None else value & (2**64 - 1)


def table_rows(
    table: pa.Table | pa.RecordBatch, root: Bound
) -> Iterator[dict[str, Any]]:
    """Give each row of ``table`` with the columns that ``root`` reads.

    Raises KeyError naming a column that is missing.
    """
    values: dict[str, list[Any]] = {}
    for name, step in _steps(root).items():
        if name not in table.column_names:
            raise KeyError(name)
        values[name] = column_values(table.column(name), step.type)
    for index in range(table.num_rows):
        yield {name: column[index] for name, column in values.items()}


def reference_mask(root: Bound, table: pa.Table | pa.RecordBatch) -> list[bool]:
    """Give the verdict of a bound condition for each row of ``table``."""
    return [matches_row(root, row) for row in table_rows(table, root)]
