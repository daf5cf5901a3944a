"""The checks strip: the parts of a condition, what each lets through and takes away.

A part is what stands between the ``and`` (or the ``or``) at the top of the text; what
exceptions add are parts of their own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.errors import ConditionError
from workbench.ui.state.condition_queries import utf16

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.events.events import Events

__all__ = ["Cell", "cells_of", "muted_text", "top_parts"]

_MAX_SEEN_ROWS = 200_000


@dataclass(slots=True)
class Cell:
    """One part: its text and place (bytes), and its counts over all rows.

    ``near``: flags of rows that fail by checks of this part alone; ``seen``: what these
    checks saw most often. ``index``: number of the part, -1 for an exception.
    """

    text: str
    start: int
    end: int
    op: str
    index: int
    reached: int = 0
    passed: int = 0
    near: np.ndarray | None = None
    near_count: int = 0
    seen: tuple[tuple[str, int], ...] = ()
    operand: str = ""
    muted: bool = False
    group: str = ""

    def to_state(self, raw: bytes) -> dict[str, Any]:
        """Return what the strip shows; ``raw``: the text that the places are in."""
        return {
            "text": self.text,
            "op": self.op,
            "index": self.index,
            "from": utf16(raw, self.start),
            "to": utf16(raw, self.end),
            "reached": self.reached,
            "passed": self.passed,
            "near": self.near_count,
            "seen": [list(pair) for pair in self.seen],
            "operand": self.operand,
            "muted": self.muted,
            "group": self.group,
        }


def top_parts(text: str) -> list[Cell]:
    """Return the parts of a condition without counts; [] for what is none."""
    from workbench.condition.syntax.nodes import AndExpr, OrExpr
    from workbench.condition.syntax.parser import parse

    raw = text.encode("utf-8", "surrogatepass")
    try:
        root = parse(raw)
    except (ConditionError, ValueError, RecursionError):
        return []
    word = {AndExpr: "and", OrExpr: "or"}.get(type(root), "")
    children = root.children if isinstance(root, AndExpr | OrExpr) else (root,)
    cells = []
    for index, child in enumerate(children):
        span = child.span
        part = raw[span.start : span.end].decode("utf-8", "replace")
        op = word if index else ""
        cells.append(Cell(part, span.start, span.end, op, index))
    return cells


def muted_text(text: str, muted: Sequence[str]) -> str:
    """Return the text with muted parts replaced by what is always true.

    Only parts of an ``and`` can be muted, and a condition of a single part.
    """
    parts = top_parts(text)
    if not muted or any(part.op == "or" for part in parts):
        return text
    raw = text.encode("utf-8", "surrogatepass")
    for part in reversed(parts):
        if part.text in muted:
            raw = raw[: part.start] + b"evt.num exists" + raw[part.end :]
    return raw.decode("utf-8", "surrogatepass")


def cells_of(
    events: Events,
    compiled: Any,
    text: str,
    muted: Sequence[str],
    *,
    exceptions: Sequence[str] = (),
) -> list[Cell]:
    """Return the parts with their counts and near misses over ``events``.

    ``exceptions``: names of the exceptions that the compiled condition ends with.
    """
    from workbench.condition.analysis.near_misses import near_misses

    cells = top_parts(text)
    steps = events.funnel(compiled).steps
    blocks = _blocks(steps, len(cells), with_exceptions=bool(exceptions))
    for number in range(len(cells), len(blocks)):
        name = exceptions[min(number - len(cells), len(exceptions) - 1)]
        cells.append(Cell(f"exception {name}", 0, 0, "and not", -1))
    checks = [[at for at in block if steps[at].kind == "check"] for block in blocks]
    order = [at for at, step in enumerate(steps) if step.kind == "check"]
    table = events.table_with(list(compiled.columns))
    groups: list[Any] = []
    # Of a single part every other event would be one step away: that says nothing.
    if len(order) > 1 and len(cells) > 1:
        groups = list(near_misses(compiled, table, keep=table.num_rows).groups)
    for cell, block, own in zip(cells, blocks, checks, strict=False):
        head = steps[block[0]]
        cell.reached, cell.passed = head.reached, head.passed
        cell.muted = cell.text in muted
        kind = {"or": "any", "and": "all"}.get(head.kind, "")
        if kind and len(own) > 1:
            cell.group = f"{kind} of {len(own)} checks"
        mine = [g for g in groups if g.check < len(order) and order[g.check] in own]
        _count_near(cell, mine, table.num_rows)
    return cells


def _count_near(cell: Cell, groups: list[Any], rows: int) -> None:
    if not groups or cell.muted:
        return
    flags = np.zeros(rows, bool)
    for group in groups:
        flags[group.rows] = True
    cell.near, cell.near_count = flags, int(np.count_nonzero(flags))
    most = max(groups, key=lambda group: group.count)
    cell.seen, cell.operand = tuple(most.seen), str(most.operand)


def _blocks(steps: Any, parts: int, *, with_exceptions: bool) -> list[list[int]]:
    """Return the steps of each part, and then of each exception, as indices."""
    roots = [0]
    extra: list[int] = []
    if with_exceptions and steps and steps[0].kind == "and":
        below = [at for at, step in enumerate(steps) if step.depth == 1]
        roots, extra = below[:1], below[1:]
    body = roots[0]
    if parts > 1:
        deeper = steps[body].depth + 1
        end = extra[0] if extra else len(steps)
        heads = [at for at in range(body + 1, end) if steps[at].depth == deeper]
    else:
        heads = [body]
    heads += extra
    ends = [*heads[1:], len(steps)]
    return [list(range(at, end)) for at, end in zip(heads, ends, strict=True)]
