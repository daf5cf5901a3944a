"""Operands that put texts together, a column at a time: ``concat`` and ``join``.

A check on such an operand becomes the same check on a made column, which the kernel
then answers like any other. What NUL bytes do to texts is left to the reference
evaluator: with NULs in sight, :func:`derive_check` declines.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from workbench.condition.binding.bound import (
    CallStep,
    ColumnStep,
    ConstStep,
    ListStep,
    Operand,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from workbench.condition.binding.bound import BoundCheck, Step

__all__ = ["derive_check"]

_UNARY = {"tolower": 1, "toupper": 2, "basename": 3}
# Names no field can have.
_MADE = ("\0left", "\0right")


class _DeclinedError(Exception):
    """Only the reference evaluator knows this one."""


def _base(operand: Operand) -> int | None:
    """Return the last concat or join whose result only single transformers touch."""
    for at in range(len(operand.steps) - 1, -1, -1):
        step = operand.steps[at]
        if not isinstance(step, CallStep):
            return None
        if step.name in ("concat", "join"):
            return at
        if step.args != (at - 1,):
            return None
    return None


def derive_check(
    check: BoundCheck,
    arrays: Mapping[str, pa.Array],
    lowered: Callable[[pa.Array, int], pa.Array],
) -> tuple[BoundCheck, dict[str, pa.Array]] | None:
    """Turn ``check`` into one on made columns, or give None where that is not exact.

    ``arrays``: its columns, texts as bytes, without NULs. ``lowered``: applies one
    transformer of the kernel to an array of texts.
    """
    columns = dict(arrays)
    changed = {}
    for side, name in zip(("left", "right"), _MADE, strict=True):
        operand = getattr(check, side)
        base = _base(operand) if isinstance(operand, Operand) else None
        if base is None:
            continue
        try:
            columns[name] = _Maker(operand, arrays, lowered).text(base)
        except _DeclinedError:
            return None
        steps: list[Step] = [ColumnStep(name, "string", is_list=False)]
        for step in operand.steps[base + 1 :]:
            if isinstance(step, CallStep):
                steps.append(replace(step, args=(len(steps) - 1,)))
        changed[side] = replace(operand, steps=tuple(steps))
    return (replace(check, **changed), columns) if changed else None


class _Maker:
    """Makes the values of the steps of one operand, for all rows."""

    def __init__(
        self,
        operand: Operand,
        arrays: Mapping[str, pa.Array],
        lowered: Callable[[pa.Array, int], pa.Array],
    ) -> None:
        self.steps = operand.steps
        self.arrays = arrays
        self.lowered = lowered
        self.rows = len(next(iter(arrays.values()))) if arrays else 0

    def text(self, at: int) -> Any:
        """Return a scalar text step as an array, or a constant as a scalar."""
        step = self.steps[at]
        if isinstance(step, ConstStep):
            if b"\0" in step.value:
                raise _DeclinedError
            return pa.scalar(step.value, pa.large_binary())
        if isinstance(step, ColumnStep):
            if step.is_list or step.type != "string":
                raise _DeclinedError
            return self.arrays[step.column].cast(pa.large_binary())
        if not isinstance(step, CallStep):
            raise _DeclinedError
        if step.name in _UNARY and len(step.args) == 1:
            below = self.text(step.args[0])
            if isinstance(below, pa.Scalar):
                raise _DeclinedError
            return self.lowered(below, _UNARY[step.name])
        if step.name == "concat":
            return self._joined([self.text(arg) for arg in step.args], b"")
        if step.name == "join":
            return self._join(step)
        raise _DeclinedError

    def _joined(self, parts: list[Any], separator: bytes) -> Any:
        if not any(isinstance(part, pa.Array) for part in parts):
            raise _DeclinedError
        between = pa.scalar(separator, pa.large_binary())
        return pc.binary_join_element_wise(*parts, between, null_handling="emit_null")

    def _join(self, step: CallStep) -> Any:
        separator = self.steps[step.args[0]]
        if not isinstance(separator, ConstStep) or b"\0" in separator.value:
            raise _DeclinedError
        items = self.steps[step.args[1]]
        if isinstance(items, ColumnStep):
            return self._list(items, separator.value)
        if not isinstance(items, ListStep) or not items.items:
            raise _DeclinedError
        parts = []
        for index, decimal in zip(items.items, items.decimal, strict=True):
            item = self.steps[index]
            if isinstance(item, ColumnStep) and item.is_list:
                parts.append(self._list(item, separator.value))
            elif isinstance(item, ColumnStep) and decimal:
                number = self.arrays[item.column].cast(pa.string())
                parts.append(number.cast(pa.large_binary()))
            else:
                parts.append(self.text(index))
        return self._joined(parts, separator.value)

    def _list(self, step: ColumnStep, separator: bytes) -> pa.Array:
        """Join the items of a list column; an empty list is absent."""
        if step.type != "string":
            raise _DeclinedError
        array = self.arrays[step.column]
        if not len(array):
            return pa.nulls(0, pa.large_binary())
        array = array.cast(pa.list_(pa.large_binary()))
        joined = pc.binary_join(array, pa.scalar(separator, pa.large_binary()))
        present = pc.greater(pc.list_value_length(array), 0)
        return pc.if_else(present, joined, pa.scalar(None, joined.type))
