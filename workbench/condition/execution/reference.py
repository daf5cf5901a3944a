"""The slow, obvious evaluator: one bound condition over one row.

It is what the fast evaluator is tested against, and the semantics to read. A row is a
mapping from column name to value: None (absent), or bytes, int or bool by field type,
or a list of these for a list field. Times are nanoseconds as unsigned integers.
"""

from __future__ import annotations

import operator
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from workbench.condition.binding.bound import (
    BoundAnd,
    BoundCheck,
    BoundNot,
    BoundOr,
    ColumnStep,
    Constants,
    ConstStep,
    ListStep,
    Operand,
    postorder,
)
from workbench.condition.semantics.globs import fnmatch
from workbench.condition.semantics.paths import PathSet
from workbench.condition.semantics.transformers import (
    apply_string,
    getopt,
    join,
    memory,
)
from workbench.condition.semantics.values import Network, compile_regex, cut_at_nul

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from workbench.condition.binding.bound import Bound, CallStep

__all__ = ["check_row", "matches_row", "operand_values"]

# What an operand or a step gives for a row: None (absent) or the values.
Values = list[Any] | None


# --- operands -------------------------------------------------------------------------


def operand_values(operand: Operand, row: Mapping[str, Any]) -> Values:
    """Evaluate an operand: None when absent, else its values (a scalar has one)."""
    results: list[Values] = []
    for step in operand.steps:
        if isinstance(step, ColumnStep):
            value = row[step.column]
            if not step.is_list:
                results.append(None if value is None else [value])
            else:
                # Plugins give no list with gaps; other tables may.
                gaps = len(operand.steps) > 1 and value and None in value
                results.append(list(value) if value and not gaps else None)
        elif isinstance(step, ConstStep):
            results.append([step.value])
        elif isinstance(step, ListStep):
            results.append(_list_values(step, results))
        else:
            results.append(_call_values(step, [results[i] for i in step.args], operand))
    return results[-1]


def _list_values(step: ListStep, results: list[Values]) -> Values:
    items: list[bytes] = []
    for index, decimal in zip(step.items, step.decimal, strict=True):
        values = results[index]
        if values is None:
            return None
        if decimal:
            items.append(str(values[0]).encode())
        else:
            items += [memory(value) for value in values]
    return items


def _call_values(step: CallStep, args: list[Values], operand: Operand) -> Values:
    present = [values for values in args if values is not None]
    if len(present) < len(args):
        return None
    first = present[0]
    if step.name == "len":
        return _length(step, first, operand)
    if step.name == "getopt":
        spec = present[1]
        return getopt(first, spec[0], step.option) if spec else None
    if step.name == "join":
        return (
            [join(memory(first[0]), [memory(v) for v in present[1]])] if first else None
        )
    if step.name == "concat":
        if not all(present):
            return None
        return [b"".join(cut_at_nul(memory(values[0])) for values in present)]
    return apply_string(step.name, first)


def _length(step: CallStep, values: list[Any], operand: Operand) -> Values:
    argument = operand.steps[step.args[0]]
    if _is_option_list(operand, step.args[0]):
        if not values:
            return None
        return [len(cut_at_nul(values[0])) if len(values) == 1 else len(values)]
    if isinstance(argument, ListStep) or getattr(argument, "is_list", False):
        return [len(values)]
    return [len(cut_at_nul(values[0]))]


def _is_option_list(operand: Operand, index: int) -> bool:
    """Whether a step is ``getopt`` without option, or string functions of it."""
    step = operand.steps[index]
    while not isinstance(step, ColumnStep | ConstStep | ListStep):
        if step.name == "getopt":
            return step.option is None
        if step.name in ("len", "join", "concat"):
            return False
        step = operand.steps[step.args[0]]
    return False


# --- tests on one value and one constant ----------------------------------------------


def _in_network(address: bytes, network: Network) -> bool:
    if len(address) != len(network.address):
        return False
    shift = len(address) * 8 - network.prefix
    return int.from_bytes(address) >> shift == int.from_bytes(network.address) >> shift


def _equal(value: Any, constant: Any) -> bool:
    if value is None:
        return False
    if isinstance(constant, Network):
        return _in_network(value, constant)
    return bool(value == constant)


# Test → function of the value and a constant; texts come cut at their first NUL.
_ONE: dict[str, Callable[[Any, Any], bool]] = {
    "eq": _equal,
    "ne": lambda value, constant: not _equal(value, constant),
    "lt": operator.lt,
    "le": operator.le,
    "gt": operator.gt,
    "ge": operator.ge,
    "contains": lambda value, constant: constant in value,
    "icontains": lambda value, constant: constant.lower() in value.lower(),
    "startswith": bytes.startswith,
    "endswith": bytes.endswith,
    "glob": lambda value, constant: fnmatch(constant, value),
    "iglob": lambda value, constant: fnmatch(constant, value, fold=True),
    "regex": lambda value, constant: (
        compile_regex(constant).fullmatch(value) is not None
    ),
}
_MANY = ("in", "intersects", "not_in", "pmatch")


def _member(value: Any, constants: list[Any]) -> bool:
    return any(_equal(value, constant) for constant in constants)


def _whole(value: Any) -> Any:
    """Take the trailing NULs off a text, as sets, paths and patterns see a scalar."""
    return value.rstrip(b"\0") if isinstance(value, bytes) else value


def check_row(check: BoundCheck, row: Mapping[str, Any]) -> bool:
    """Evaluate one check on one row."""
    values = operand_values(check.left, row)
    if values is None:
        return False
    if check.right is None:
        return True
    if isinstance(check.right, Constants):
        constants: list[Any] = list(check.right.values)
    else:
        right = operand_values(check.right, row)
        if right is None:
            return False
        constants = right
    text = check.left.type == "string"
    if check.test in _MANY:
        if check.left.is_list:
            some_or_all = all if check.test == "in" else any
            return some_or_all(_member(value, constants) for value in values)
        value = _whole(values[0]) if text else values[0]
        if check.test == "pmatch":
            return _path_set(check.right).matches(value)
        return _member(value, constants) != (check.test == "not_in")
    if not values:
        return False
    value = values[0]
    if text and check.test == "regex":
        value = _whole(value)
    elif text:
        value = cut_at_nul(value)
        constants = [cut_at_nul(constant) for constant in constants]
    passed = [_ONE[check.test](value, constant) for constant in constants]
    if not passed:
        return False
    if check.combine == "any":
        return any(passed)
    if check.combine == "one":
        return passed.count(True) == 1
    return all(passed)


@lru_cache(maxsize=256)
def _path_set(constants: Constants) -> PathSet:
    return PathSet(constants.values)  # type: ignore[arg-type]


# --- conditions -----------------------------------------------------------------------


def matches_row(root: Bound, row: Mapping[str, Any]) -> bool:
    """Evaluate a bound condition on one row."""
    stack: list[bool] = []
    for node in postorder(root):
        if isinstance(node, BoundCheck):
            stack.append(check_row(node, row))
        elif isinstance(node, BoundNot):
            stack.append(not stack.pop())
        elif isinstance(node, BoundAnd | BoundOr):
            count = len(node.children)
            verdicts = stack[-count:]
            del stack[-count:]
            stack.append(all(verdicts) if isinstance(node, BoundAnd) else any(verdicts))
    return stack.pop()
