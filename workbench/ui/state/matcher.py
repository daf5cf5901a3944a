"""The condition being typed: its complaints, its matches, its parts and near misses.

Two speeds: :meth:`Matcher.update` gives complaints and match flags and must be quick on
a million rows; :meth:`Matcher.refine` adds what may come a moment later.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.errors import WorkbenchError
from workbench.ui.data.row_store import GrowingArray
from workbench.ui.state import condition_queries as queries
from workbench.ui.state.checks import Cell, cells_of, muted_text, top_parts
from workbench.ui.state.known_items import KnownItems

if TYPE_CHECKING:
    from collections.abc import Mapping

    from workbench.events.events import Events
    from workbench.fields.declarations import FieldInfo
    from workbench.rules import RuleException

__all__ = ["Matcher"]


class Matcher:
    """Match flags of one condition over rows that only ever grow.

    ``text``: the condition. ``valid``: it compiles. ``failure``: why the rows could not
    be evaluated although it does, or "". ``mask``: one flag per row evaluated.
    ``items``: the macros and lists that it may name. ``cells``: its parts, counted.
    """

    def __init__(
        self, fields: Mapping[str, FieldInfo], items: KnownItems | None = None
    ) -> None:
        self.fields = fields
        self.items = items or KnownItems()
        self.text = ""
        self.muted: tuple[str, ...] = ()
        self.exceptions: tuple[RuleException, ...] = ()
        self.compiled: Any = None
        self.diagnostics: list[dict[str, Any]] = []
        self.failure = ""
        self.cells: list[Cell] = []
        self.near: np.ndarray | None = None
        self.near_count: int | None = None
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

    def set_text(
        self,
        text: str,
        fields: Mapping[str, FieldInfo],
        *,
        muted: tuple[str, ...] = (),
        source: str = "",
        exceptions: tuple[RuleException, ...] = (),
    ) -> None:
        """Take a new text and compile it, with a rule's exceptions."""
        self.text, self.muted, self.exceptions = text, muted, exceptions
        self.fields = fields
        self.serial += 1
        self.compiled, self.diagnostics = None, []
        self.forget()
        if self.empty:
            return
        self.compiled, self.diagnostics = self.items.compile_text(
            text, fields, source=source, exceptions=exceptions
        )
        if self.compiled is not None and muted:
            self.compiled, _ = self.items.compile_text(
                muted_text(text, muted), fields, source=source, exceptions=exceptions
            )
        if self.compiled is not None:
            self.cells = top_parts(text)

    def forget(self) -> None:
        """Drop all results: the condition or the rows are others now."""
        self.failure = ""
        self.cells, self.near, self.near_count = [], None, None
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
        """Count the parts and the near misses over the rows evaluated."""
        self.refined = len(events)
        if self.mask is None:
            return
        names = [e.name for e in self.exceptions if e.values]
        try:
            self.cells = cells_of(
                events, self.compiled, self.text, self.muted, exceptions=names
            )
        except (WorkbenchError, KeyError) as error:
            self.failure = queries.failure_text(error)
            return
        self.near = np.zeros(len(events), bool)
        for cell in self.cells:
            if cell.near is not None:
                self.near |= cell.near
        self.near_count = int(np.count_nonzero(self.near))

    def near_of(self, index: int) -> np.ndarray | None:
        """Return the flags of the rows that fail by one part alone."""
        found = self.cells[index] if 0 <= index < len(self.cells) else None
        return None if found is None else found.near

    def marks(self, positions: np.ndarray) -> np.ndarray:
        """Return 1 for a match, 2 for a near miss, 0 for neither, per position."""
        out = np.zeros(len(positions), np.int8)
        for flags, mark in ((self.near, 2), (self.mask, 1)):
            if flags is not None and len(flags):
                inside = positions < len(flags)
                hit = flags[np.minimum(positions, len(flags) - 1)] & inside
                out[hit] = mark
        return out
