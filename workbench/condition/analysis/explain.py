"""Why an event matches or not: every check of a condition with the values it saw.

:func:`explain` looks at one row with the reference evaluator. For whole tables see
:func:`workbench.condition.analysis.funnel.funnel` and
:func:`workbench.condition.analysis.near_misses.near_misses`, offered here too.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from workbench.condition.analysis.funnel import Funnel, funnel
from workbench.condition.analysis.near_misses import NearMisses, near_misses
from workbench.condition.binding.bound import CallStep, ColumnStep, Constants, Operand
from workbench.condition.execution.columns import as_table, missing_column, normalise
from workbench.condition.execution.outline import (
    operand_name,
    outline,
    text_of,
    value_text,
)
from workbench.condition.execution.reference import check_row, operand_values
from workbench.formatting import html
from workbench.formatting.printable import printable

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa

    from workbench.condition.binding.bound import BoundCheck
    from workbench.condition.execution.compile import CompiledCondition
    from workbench.condition.execution.outline import Line

__all__ = [
    "ExplainedLine",
    "Explanation",
    "Funnel",
    "NearMisses",
    "ShownValue",
    "explain",
    "funnel",
    "near_misses",
]

# An event of plugin API 3.x begins with a header of this size; offsets count from it.
_PAYLOAD_AT = 38
_MAX_BYTES = 48
_MAX_CONSTANTS = 200
_MAX_DEPTH = 30


@dataclass(frozen=True, slots=True)
class ShownValue:
    """What a check saw: ``name`` as in the condition, ``value`` as Python has it.

    ``value``: None (absent), bytes, int, bool, or a list of these. ``text``: for
    people. ``place``: where in the event the plugin found it, "" when not recorded.
    """

    name: str
    value: Any
    text: str
    place: str = ""


@dataclass(frozen=True, slots=True)
class ExplainedLine:
    """One node of the condition for one row.

    ``kind``: "and", "or", "not", "macro" or "check". ``verdict``: what it comes to.
    ``reached``: whether the engine, which stops early, looks at it. ``text``: what is
    asked. ``values``: of fields and calls. ``reason``: why, where the values do not say
    it. ``lists``: names of the lists that a check compares with.
    """

    kind: str
    depth: int
    text: str
    verdict: bool
    reached: bool
    values: tuple[ShownValue, ...] = ()
    reason: str = ""
    lists: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why one row matches a condition or not.

    ``condition``: canonical text. ``row``: index in the table. ``event``: its evt.num,
    or None. ``matches``: the verdict. ``lines``: every node, parents first. ``rule``:
    name of the rule whose condition it is, or "". ``notes``: what else decides whether
    that rule alerts: that it is disabled, or that an earlier rule takes the event.
    """

    condition: str
    row: int
    event: int | None
    matches: bool
    lines: tuple[ExplainedLine, ...]
    rule: str = ""
    notes: tuple[str, ...] = ()

    @property
    def checks(self) -> list[ExplainedLine]:
        """The checks alone, in the order of the text."""
        return [line for line in self.lines if line.kind == "check"]

    @property
    def title(self) -> str:
        """One sentence with the verdict."""
        what = f"event {self.event}" if self.event is not None else f"row {self.row}"
        verdict = "matches" if self.matches else "does not match"
        return (
            f"{what} {verdict} rule '{self.rule}'" if self.rule else f"{what} {verdict}"
        )

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for JSON; values as the text people read."""
        return {
            "condition": self.condition,
            "row": self.row,
            "event": self.event,
            "matches": self.matches,
            "rule": self.rule,
            "notes": list(self.notes),
            "lines": [
                {
                    "kind": line.kind,
                    "depth": line.depth,
                    "text": line.text,
                    "verdict": line.verdict,
                    "reached": line.reached,
                    "reason": line.reason,
                    "values": {value.name: value.text for value in line.values},
                }
                for line in self.lines
            ],
        }

    def __str__(self) -> str:
        """Draw the tree as text: a mark, the check, and below it what it saw."""
        out = [f"{printable(self.title)}: {printable(self.condition)}"]
        out += [f"  note: {printable(note)}" for note in self.notes]
        for line in self.lines:
            indent = "  " * min(line.depth + 1, _MAX_DEPTH)
            mark = "✓" if line.verdict else "✗"
            note = "" if line.reached else "   (not evaluated)"
            out.append(f"{indent}{mark} {printable(line.text)}{note}")
            for value in line.values:
                place = f"   [{value.place}]" if value.place else ""
                out.append(f"{indent}    {value.name} is {value.text}{place}")
            if line.reason:
                out.append(f"{indent}    {line.reason}")
        return "\n".join(out)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        rows = []
        for line in self.lines:
            color = "#2a7d2a" if line.verdict else "#b3261e"
            style = "" if line.reached else "opacity:0.55"
            mark = html.tag(
                "span", "✓" if line.verdict else "✗", style=f"color:{color}"
            )
            pad = f"padding-left:{min(line.depth, _MAX_DEPTH) * 1.4 + 0.4:.1f}em"
            question = html.tag("code", html.escape(line.text, limit=400))
            saw = [
                html.tag("code", html.escape(v.name))
                + " is "
                + html.tag("code", html.escape(v.text))
                + (
                    html.tag("small", " [" + html.escape(v.place) + "]")
                    if v.place
                    else ""
                )
                for v in line.values
            ]
            if line.reason:
                saw.append(html.tag("em", html.escape(line.reason)))
            if not line.reached:
                saw.append(html.tag("em", "not evaluated"))
            left = "text-align:left;vertical-align:top;"
            rows.append(
                html.tag(
                    "tr",
                    html.tag("td", f"{mark} {question}", style=left + pad),
                    html.tag("td", "<br>".join(saw), style=left),
                    style=style,
                )
            )
        head = html.tag("strong", html.escape(self.title))
        notes = [html.tag("div", html.escape(note)) for note in self.notes]
        table = html.tag("table", html.tag("tbody", *rows))
        return html.tag("div", head, *notes, table)


def _row_values(
    compiled: CompiledCondition, table: pa.Table, row: int
) -> dict[str, Any]:
    from workbench.condition.execution.evaluate import python_values

    values: dict[str, Any] = {}
    for name, (type_, is_list) in compiled.plan.column_types.items():
        if name not in table.column_names:
            raise missing_column(name, table)
        column = table.column(name).slice(row, 1)
        array = next(chunk for chunk in column.chunks if len(chunk))
        array = normalise(array, name, type_, is_list=is_list)
        values[name] = python_values(array)[0]
    return values


def _cell(table: pa.Table, name: str, row: int) -> Any:
    if table.column_names.count(name) != 1:
        return None
    return table.column(name)[row].as_py()


def _place(table: pa.Table, column: str, row: int) -> str:
    """Return where in the event a value was found, with the bytes there."""
    starts, sizes = (_cell(table, f"{column}#{part}", row) for part in ("start", "len"))
    if starts is None or sizes is None:
        return ""
    pairs = (
        list(zip(starts, sizes, strict=False))
        if isinstance(starts, list) and isinstance(sizes, list)
        else [(starts, sizes)]
    )
    shown = [_piece(table, row, s, n) for s, n in pairs[:4] if isinstance(s, int) and n]
    return "; ".join(shown)


def _piece(table: pa.Table, row: int, start: int, size: int) -> str:
    where = f"event bytes {start} to {start + size - 1}"
    raw, base = _cell(table, "raw", row), 0
    if raw is None:
        raw, base = _cell(table, "payload", row), _PAYLOAD_AT
    if not isinstance(raw, bytes) or not base <= start < base + len(raw):
        return where
    at = start - base
    found = raw[at : at + min(size, _MAX_BYTES)]
    cut = "…" if size > _MAX_BYTES else ""
    return f"{where}: {text_of(found)}{cut}"


def _saw(operand: Operand, table: pa.Table, row: int, values: Mapping[str, Any]) -> Any:
    """Yield each column of an operand and the results of its calls, in order."""
    for index, step in enumerate(operand.steps):
        if isinstance(step, ColumnStep):
            value = values[step.column] or None if step.is_list else values[step.column]
            text = value_text(value, step.type)
            yield ShownValue(step.column, value, text, _place(table, step.column, row))
        elif isinstance(step, CallStep) and step.name != "val":
            part = replace(
                operand,
                steps=operand.steps[: index + 1],
                type=step.type,
                is_list=step.is_list,
            )
            found = operand_values(part, values)
            value = found if step.is_list or not found else found[0]
            if isinstance(value, bytes):
                value = value.rstrip(b"\0")
            elif isinstance(value, list):
                value = [v.rstrip(b"\0") if isinstance(v, bytes) else v for v in value]
            yield ShownValue(
                operand_name(operand, index), value, value_text(value, step.type)
            )


def _reason(
    check: BoundCheck,
    values: Mapping[str, Any],
    lists: tuple[str, ...],
    *,
    verdict: bool,
) -> str:
    noun = "lists" if len(lists) > 1 else "list"
    of_lists = f" of {noun} {', '.join(lists)}" if lists else ""
    for operand in (check.left, check.right):
        if isinstance(operand, Operand) and operand_values(operand, values) is None:
            name = operand_name(operand)
            if check.right is None:
                return ""
            return f"{name} is absent: every comparison with it is false"
    constants = check.right
    if not isinstance(constants, Constants) or not constants.values:
        if not isinstance(constants, Constants):
            return ""
        return f"{lists[0]} is an empty list" if lists else "the set is empty"
    many = check.combine is not None or len(constants.values) > 1
    if not many or len(constants.values) > _MAX_CONSTANTS:
        return ""
    fits = [
        c
        for c in constants.values
        if check_row(replace(check, right=Constants((c,)), combine=None), values)
        != (check.test == "not_in")
    ]
    if check.left.is_list:
        return ""
    if not fits:
        return f"none of the values{of_lists} fits"
    if verdict and len(fits) == len(constants.values):
        return "all values fit"
    shown = ", ".join(value_text(c, check.left.type) for c in fits[:4])
    more = f" and {len(fits) - 4} more" if len(fits) > 4 else ""
    return f"fits {shown}{more}{of_lists}"


def explain(compiled: CompiledCondition, table: pa.Table, row: int) -> Explanation:
    """Explain the verdict of a condition on row ``row`` (from 0) of ``table``.

    Columns ``<field>#start`` and ``<field>#len``, if the table has them, tell where in
    the event a value was found. Raises KeyError naming a column that is needed and
    missing, IndexError for a row that is not there.
    """
    table = as_table(table)
    if not 0 <= row < table.num_rows:
        raise IndexError(f"row {row} of a table with {table.num_rows} rows")
    values = _row_values(compiled, table, row)
    lines = outline(compiled.root, compiled.origins)
    verdicts = _verdicts(lines, values)
    shown = [
        _explained(line, table, row, values, verdict=verdict, reached=reached)
        for line, verdict, reached in zip(
            lines, verdicts, _reached(lines, verdicts), strict=True
        )
    ]
    event = _cell(table, "evt.num", row)
    number = event if isinstance(event, int) else None
    return Explanation(
        compiled.ast, row, number, verdicts[0], tuple(shown), compiled.rule
    )


def _verdicts(lines: list[Line], values: Mapping[str, Any]) -> list[bool]:
    """Return what each line comes to."""
    verdicts = [False] * len(lines)
    for at in range(len(lines) - 1, -1, -1):
        line = lines[at]
        below = [verdicts[child] for child in line.children]
        if line.check is not None:
            verdicts[at] = check_row(line.check, values)
        elif line.kind == "not":
            verdicts[at] = not below[0]
        else:
            verdicts[at] = all(below) if line.kind == "and" else any(below)
    return verdicts


def _reached(lines: list[Line], verdicts: list[bool]) -> list[bool]:
    """Return which lines the engine looks at, going left to right, stopping early."""
    reached = [False] * len(lines)
    reached[0] = True
    for at, line in enumerate(lines):
        for child in line.children:
            if not reached[at]:
                break
            reached[child] = True
            if line.kind != "not" and verdicts[child] == (line.kind == "or"):
                break
    return reached


def _explained(
    line: Line,
    table: pa.Table,
    row: int,
    values: Mapping[str, Any],
    *,
    verdict: bool,
    reached: bool,
) -> ExplainedLine:
    seen: list[ShownValue] = []
    reason = ""
    if line.check is not None:
        for side in (line.check.left, line.check.right):
            if isinstance(side, Operand):
                seen += _saw(side, table, row, values)
        reason = _reason(line.check, values, line.lists, verdict=verdict)
    return ExplainedLine(
        line.kind,
        line.depth,
        line.text,
        verdict,
        reached,
        tuple(seen),
        reason,
        line.lists,
    )
