"""The condition being typed: its complaints, its matches, its funnel and near misses.

Two speeds: :meth:`Matcher.update` gives complaints and match flags and must be quick on
a million rows; :meth:`Matcher.refine` adds what may come a moment later.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.errors import ConditionError, WorkbenchError
from workbench.ui.data.row_store import GrowingArray
from workbench.ui.state import condition_queries as queries

if TYPE_CHECKING:
    from collections.abc import Mapping

    from workbench.events.events import Events
    from workbench.fields.declarations import FieldInfo

__all__ = ["Matcher"]


class Matcher:
    """Match flags of one condition over rows that only ever grow.

    ``text``: the condition. ``valid``: it compiles. ``failure``: why the rows could not
    be evaluated although it does, or "". ``mask``: one flag per row evaluated.
    """

    def __init__(self, fields: Mapping[str, FieldInfo]) -> None:
        self.fields = fields
        self.text = ""
        self.compiled: Any = None
        self.diagnostics: list[dict[str, Any]] = []
        self.failure = ""
        self.steps: list[dict[str, Any]] = []
        self.near: np.ndarray | None = None
        self.near_list: list[dict[str, Any]] = []
        self.refined = -1
        self.serial = 0
        self._mask = GrowingArray(bool)
        self._count = 0

    @property
    def empty(self) -> bool:
        """Whether nothing is typed."""
        return not self.text.strip()

    @property
    def valid(self) -> bool:
        """Whether the text is a condition."""
        return self.compiled is not None

    @property
    def mask(self) -> np.ndarray | None:
        """Match flags, one per row evaluated; None without a usable condition."""
        return self._mask.view if self.valid and not self.failure else None

    @property
    def count(self) -> int | None:
        """How many rows match, None without a usable condition."""
        return self._count if self.mask is not None else None

    def set_text(self, text: str, fields: Mapping[str, FieldInfo]) -> None:
        """Take a new text and compile it."""
        self.text = text
        self.fields = fields
        self.serial += 1
        self.compiled, self.diagnostics = None, []
        self.forget()
        if not self.empty:
            self.compiled, self.diagnostics = queries.compile_text(text, fields)

    def forget(self) -> None:
        """Drop all results: the condition or the rows are others now."""
        self.failure = ""
        self.steps, self.near, self.near_list = [], None, []
        self.refined = -1
        self._mask.clear()
        self._count = 0

    def update(self, events: Events) -> bool:
        """Evaluate the rows of ``events`` not evaluated yet; True when there were."""
        done = len(self._mask)
        if not self.valid or self.failure or done >= len(events):
            return False
        try:
            rows = events if done == 0 else events[done:]
            flags = rows.mask(self.compiled).to_numpy(dtype=bool)
        except (WorkbenchError, KeyError) as error:
            self.failure = queries.failure_text(error)
            return True
        self._mask.append(flags)
        self._count += int(np.count_nonzero(flags))
        return True

    def refine(self, events: Events) -> None:
        """Make the funnel and the near misses over the rows evaluated."""
        self.refined = len(events)
        if self.mask is None:
            self.steps, self.near, self.near_list = [], None, []
            return
        try:
            self.steps = queries.funnel_steps(events, self.compiled, self.text)
            found, groups = queries.near_rows(events, self.compiled)
        except (ConditionError, WorkbenchError, KeyError) as error:
            self.failure = queries.failure_text(error)
            return
        self.near = np.zeros(len(events), bool)
        self.near[found] = True
        self.near_list = groups

    def marks(self, positions: np.ndarray) -> np.ndarray:
        """Return 1 for a match, 2 for a near miss, 0 for neither, per position."""
        out = np.zeros(len(positions), np.int8)
        for flags, mark in ((self.near, 2), (self.mask, 1)):
            if flags is not None and len(flags):
                inside = positions < len(flags)
                hit = flags[np.minimum(positions, len(flags) - 1)] & inside
                out[hit] = mark
        return out
