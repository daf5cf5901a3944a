"""What a person made in the lab, as one value that can be kept, undone and restored.

A :class:`Document` is never changed in place: every action makes a new one, so that
undo is going back to an earlier value. :class:`Edits` is the stack of these values.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from workbench.ui.state.rule_draft import RuleDraft

__all__ = ["SCRATCH", "Chip", "Document", "Edits", "Tab"]

SCRATCH = "scratch"
_MAX_STEPS = 200
# One run of typing ends after this pause.
_RUN_SEC = 0.7


@dataclass(frozen=True, slots=True)
class Chip:
    """A filter that narrows what is looked at: a check, and how it reads.

    ``negate``: rows that pass the check are hidden. ``field``, ``value``: for people.
    """

    check: str
    field: str
    value: str
    negate: bool = False

    @property
    def condition(self) -> str:
        """The filter as a condition."""
        return f"not ({self.check})" if self.negate else self.check


@dataclass(frozen=True, slots=True)
class Tab:
    """A condition being edited: the scratch one, or a rule's.

    ``draft``: the rule's form, None for scratch; never changed in place. ``origin``:
    name of the rule in the rule set that it edits, "" for a new one. ``muted``: texts
    of checks that are not counted.
    """

    id: str
    text: str = ""
    draft: RuleDraft | None = None
    origin: str = ""
    muted: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The tab's caption."""
        return "Scratch" if self.draft is None else self.draft.name or "New rule"


@dataclass(frozen=True, slots=True)
class Document:
    """Everything that undo goes back over.

    ``brush``: field and range of the timeline, or None. ``show``: which rows: empty for
    all, else of match, near, changed. ``columns``: shown columns, empty for the choice
    of the lab. ``labels``: event number → must match.
    """

    tabs: tuple[Tab, ...] = (Tab(SCRATCH),)
    active: str = SCRATCH
    closed: tuple[Tab, ...] = ()
    chips: tuple[Chip, ...] = ()
    find: str = ""
    axis: str = "evt.time"
    brush: tuple[int, int] | None = None
    show: frozenset[str] = frozenset()
    sort: tuple[str, bool] | None = None
    columns: tuple[str, ...] = ()
    widths: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    labels: Mapping[int, bool] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def tab(self) -> Tab:
        """The tab being edited."""
        return self.tab_of(self.active) or self.tabs[0]

    def tab_of(self, tab_id: str) -> Tab | None:
        """Return a tab by its id."""
        return next((tab for tab in self.tabs if tab.id == tab_id), None)

    def with_tab(self, tab_id: str, **changes: Any) -> Document:
        """Return this with one tab changed."""
        tabs = tuple(
            replace(tab, **changes) if tab.id == tab_id else tab for tab in self.tabs
        )
        return replace(self, tabs=tabs)


@dataclass(slots=True)
class _Step:
    """One undoable step: what it did, and the document before it."""

    label: str
    before: Document
    key: str
    at: float


class Edits:
    """The document, and the way back and forth: 200 steps."""

    def __init__(self) -> None:
        self.document = Document()
        self._undo: list[_Step] = []
        self._redo: list[_Step] = []

    def change(self, label: str, after: Document, *, key: str = "") -> bool:
        """Take a new document as one step; False when nothing is different.

        ``key``: steps of one key that follow within 0.7 s are one, as a run of typing.
        """
        if after == self.document:
            return False
        now = time.monotonic()
        last = self._undo[-1] if self._undo else None
        joins = key and last and last.key == key and now - last.at < _RUN_SEC
        if joins and last is not None:
            last.label, last.at = label, now
        else:
            self._undo.append(_Step(label, self.document, key, now))
            del self._undo[:-_MAX_STEPS]
        self._redo.clear()
        self.document = after
        return True

    def settle(self, after: Document) -> None:
        """Take a new document without a step: what a person did not do."""
        self.document = after

    def end_run(self) -> None:
        """Let the next step be one of its own."""
        if self._undo:
            self._undo[-1].key = ""

    @property
    def undo_label(self) -> str:
        """What undo would take back, "" for nothing."""
        return self._undo[-1].label if self._undo else ""

    @property
    def redo_label(self) -> str:
        """What redo would do again, "" for nothing."""
        return self._redo[-1].label if self._redo else ""

    def undo(self) -> str:
        """Go back one step and return what it was."""
        return self._move(self._undo, self._redo)

    def redo(self) -> str:
        """Go forth one step and return what it was."""
        return self._move(self._redo, self._undo)

    def _move(self, source: list[_Step], target: list[_Step]) -> str:
        if not source:
            return ""
        step = source.pop()
        target.append(_Step(step.label, self.document, "", 0.0))
        self.document = step.before
        return step.label
