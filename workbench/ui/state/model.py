"""What the lab knows, without a widget: events, condition, selection, labels, range.

One object, changed by people's actions and by the stream; :meth:`LabModel.work` brings
everything derived up to date and says what changed. It is called by one writer at a
time, under :attr:`LabModel.lock`.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.ui.data.axis import TIME_AXIS, Axis
from workbench.ui.data.row_store import RowStore
from workbench.ui.state.known_items import KnownItems
from workbench.ui.state.matcher import Matcher
from workbench.ui.state.row_order import RowOrder

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pandas as pd
    import pyarrow as pa

    from workbench.events.events import Events
    from workbench.fields.declarations import FieldInfo

__all__ = ["LabModel"]

# While rows arrive, funnel and near misses are made again at most this often.
_REFINE_SEC = 1.0


class LabModel:
    """The state of one lab.

    ``make_events``: gives Events over a table of this source. ``labels``: event number
    → must match or must not. ``selection``: ranges of positions, first and last, in the
    order of selection. ``items``: macros and lists that conditions may name.
    ``filters``: what narrows the view; ``saved``: the condition to compare with.
    """

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.wake = threading.Event()
        self.fields: Mapping[str, FieldInfo] = {}
        self.source = ""
        self.store = RowStore({}, "")
        self.view = RowOrder(self.store)
        self.axis = Axis(self.store)
        self.items = KnownItems()
        self.matcher = Matcher({}, self.items)
        self.filters = Matcher({}, self.items)
        self.saved: Matcher | None = None
        self.labels: Mapping[int, bool] = {}
        self.selection: list[tuple[int, int]] = []
        self.show: frozenset[str] = frozenset()
        self.near_cell: int | None = None
        self.make_events: Callable[[pa.Table], Events] | None = None
        self.live = False
        self._wanted: dict[str, Any] = {"text": ""}
        self._incoming: deque[pa.RecordBatch] = deque()
        self._changes: set[str] = set()
        self._events: Events | None = None
        self._view_stale = True
        self._grown = False
        self._refined_at = 0.0
        self._saved_wanted: dict[str, Any] | None = None
        self._compiled_for: dict[str, Any] = self._wanted

    # -- the events ----

    def take_source(
        self,
        fields: Mapping[str, FieldInfo],
        source: str,
        make_events: Callable[[pa.Table], Events] | None,
    ) -> None:
        """Start over with the events of another source; condition and labels stay.

        ``make_events``: None while there are no events to come.
        """
        self.fields, self.source = fields, source
        self.make_events = make_events
        self.store = RowStore(fields, source)
        self.view = RowOrder(self.store)
        self.axis = Axis(self.store)
        self._incoming.clear()
        self._events = None
        self.selection = []
        self._view_stale = True
        self._recompile()
        self.touch("rows", "source", "condition", "selection", "view")

    def take_events(self, events: Events) -> None:
        """Show finished events."""
        self.take_source(events.fields, events.source, None)
        self.store.extend(events.table)
        self.axis.update(None)
        self._events = events
        self.labels = {**events.labels, **self.labels}

    def deliver(self, batch: pa.RecordBatch) -> None:
        """Hand over rows, from any thread; they show at the next :meth:`work`."""
        self._incoming.append(batch)
        self.wake.set()

    @property
    def events(self) -> Events | None:
        """The events so far, labelled; None before there are any."""
        if self.make_events is None or not self.store.batches:
            return self._events
        if self._events is None or len(self._events) != len(self.store):
            self._events = self.make_events(self.store.table())
        return self._events

    def work_rows(self) -> None:
        """Take in rows delivered but not shown yet, for those who ask in Python."""
        if self._take_rows():
            self.touch("rows")
            self._grown = True

    def labelled_events(self) -> Events | None:
        """Return the events with the labels given in the lab."""
        events = self.events
        if events is not None and self.labels:
            numbers = self.store.numbers
            for verdict in (True, False):
                wanted = [n for n, v in self.labels.items() if v is verdict]
                if wanted:
                    chosen = np.isin(numbers, np.array(wanted, np.uint64))
                    events.label(chosen, must_match=verdict)
        return events

    # -- what people do ----

    def touch(self, *changes: str) -> None:
        """Note that something changed; the writer takes it from there."""
        self._changes.update(changes)
        self.wake.set()

    @property
    def condition(self) -> str:
        """The condition's text, valid or not."""
        return str(self._wanted["text"])

    def set_condition(self, text: str, **rule: Any) -> None:
        """Take a new condition; it is evaluated at the next :meth:`work`.

        ``rule``: muted parts, source and exceptions, as :meth:`Matcher.set_text`.
        """
        wanted = {"text": text, **rule}
        if wanted != self._wanted:
            self._wanted = wanted
            self.near_cell = None
            self.touch("condition")

    def set_filters(self, texts: list[str]) -> None:
        """Narrow the view to rows that pass all of these conditions."""
        joined = " and ".join(f"({text})" for text in texts)
        if joined != self.filters.text:
            self.filters.set_text(joined, self.fields)
            self._view_stale = True
            self.touch("view", "filters")

    def set_saved(self, text: str | None, **rule: Any) -> None:
        """Compare with another condition, as saved; None for nothing."""
        wanted = None if text is None else {"text": text, **rule}
        if wanted == self._saved_wanted:
            return
        self._saved_wanted = wanted
        self.saved = None
        if text is not None:
            self.saved = Matcher(self.fields, self.items)
            self.saved.set_text(text, self.fields, **rule)
        self._view_stale = self._view_stale or "changed" in self.show
        self.touch("saved", "marks")

    def know(self, rules: Any) -> None:
        """Know the macros and lists of a rule set, as they are now."""
        self.items.take(rules)
        self._recompile()
        self.touch("condition", "items")

    def _recompile(self) -> None:
        rule = {k: v for k, v in self._wanted.items() if k != "text"}
        self.matcher.set_text(self.condition, self.fields, **rule)
        self._compiled_for = self._wanted
        self.filters.set_text(self.filters.text, self.fields)
        if self._saved_wanted is not None:
            saved = dict(self._saved_wanted)
            self.saved = Matcher(self.fields, self.items)
            self.saved.set_text(saved.pop("text"), self.fields, **saved)

    def select(self, ranges: list[tuple[int, int]]) -> None:
        """Select rows by ranges of positions, both ends included."""
        rows = len(self.store)
        chosen = [
            (max(0, int(low)), min(rows - 1, int(high)))
            for low, high in ranges
            if int(low) < rows and int(high) >= max(0, int(low))
        ]
        if chosen != self.selection:
            self.selection = chosen
            self.touch("selection")

    @property
    def selected_count(self) -> int:
        """How many rows are selected."""
        return sum(high - low + 1 for low, high in self.selection)

    def selected_positions(self, limit: int | None = None) -> np.ndarray:
        """Return the positions of selected rows in the order of selection."""
        out: list[np.ndarray] = []
        room = limit
        for low, high in self.selection:
            end = high + 1 if room is None else min(high + 1, low + room)
            out.append(np.arange(low, end, dtype=np.int64))
            if room is not None:
                room -= end - low
        return np.concatenate(out) if out else np.zeros(0, np.int64)

    @property
    def current(self) -> int | None:
        """The position selected last, None for none."""
        return self.selection[-1][1] if self.selection else None

    def set_labels(self, labels: Mapping[int, bool]) -> None:
        """Take other labels: event number → must match."""
        gone = [n for n in self.labels if n not in labels]
        self.labels = labels
        if self._events is not None and gone:
            numbers = np.array(gone, np.uint64)
            chosen = np.isin(self.store.numbers[: len(self._events)], numbers)
            self._events.label(chosen, must_match=None)
        self.touch("labels", "marks")

    def set_view(
        self,
        *,
        show: frozenset[str] | None = None,
        find: str | None = None,
        sort: Any = ...,
    ) -> None:
        """Change what the table shows: filter and order."""
        if show is not None:
            self.show = show & {"match", "near", "changed"}
        if find is not None:
            self.view.quick = find[:200]
        if sort is not ...:
            known = {*self.store.columns, TIME_AXIS}
            self.view.sort = sort if sort and sort[0] in known else None
        self._view_stale = True
        self.touch("view")

    def set_near(self, index: int | None) -> None:
        """Let near misses be those of one part of the condition; None for all."""
        if index != self.near_cell:
            self.near_cell = index
            self._view_stale = True
            self.touch("view")

    def set_axis(self, name: str) -> None:
        """Count the timeline over another field."""
        if name == self.axis.name:
            return
        self.axis = Axis(self.store, name)
        self.axis.update(self.matcher.mask)
        self._view_stale = True
        self.touch("axis", "view")

    def set_brush(self, brush: tuple[int, int] | None) -> None:
        """Restrict table and counts to a range of the timeline's values."""
        if brush == self.axis.brush:
            return
        self.axis.set_brush(brush)
        self._view_stale = True
        self.touch("axis", "view")

    # -- bringing up to date ----

    def work(self) -> set[str]:
        """Take in what is new and give the names of what changed."""
        grown = self._take_rows() or self._grown
        self._grown = False
        changes, self._changes = self._changes, set()
        if grown:
            changes |= {"rows"}
        if self._compiled_for is not self._wanted:
            self._compiled_for = self._wanted
            rule = {k: v for k, v in self._wanted.items() if k != "text"}
            self.matcher.set_text(self.condition, self.fields, **rule)
            changes |= {"condition"}
        events = self.events
        if events is not None:
            if self.matcher.update(events):
                changes |= {"marks"}
            if self.filters.update(events):
                self._view_stale = self._view_stale or not grown
            if self.saved is not None and self.saved.update(events):
                changes |= {"marks"}
        if "condition" in changes:
            self.axis.rematch(self.matcher.mask)
            self._view_stale = self._view_stale or bool(self.show)
            changes |= {"marks", "axis"}
        if grown:
            self.axis.update(self.matcher.mask)
            changes |= {"axis"}
        if self._refresh_view(grown=grown):
            changes |= {"view"}
        return changes

    def _take_rows(self) -> bool:
        grown = False
        while self._incoming:
            batch = self._incoming.popleft()
            self.store.append(batch)
            grown = grown or batch.num_rows > 0
        return grown

    @property
    def within(self) -> np.ndarray | None:
        """Flags of the rows inside range and filters; None without any of them."""
        rows = len(self.store)
        flags = self.axis.within
        if self.filters.empty:
            return flags
        mask = self.filters.mask
        kept = np.zeros(rows, bool)
        if mask is not None:
            kept[: len(mask)] = mask[:rows]
        return kept if flags is None else kept[: len(flags)] & flags

    def changed(self) -> np.ndarray | None:
        """Return flags of the rows that match now or as saved, but not both."""
        now, before = self.matcher.mask, self.saved.mask if self.saved else None
        if before is None:
            return None
        if now is None:
            return before.copy() if self.matcher.empty else None
        size = min(len(now), len(before))
        flags: np.ndarray = now[:size] != before[:size]
        return flags

    def _flags_of(self, name: str) -> np.ndarray | None:
        if name == "match":
            return self.matcher.mask
        if name == "near":
            if self.near_cell is not None:
                return self.matcher.near_of(self.near_cell)
            return self.matcher.near
        return self.changed()

    def _only(self) -> np.ndarray | None:
        if not self.show:
            return None
        rows = len(self.store)
        out = np.zeros(rows, bool)
        for name in self.show:
            flags = self._flags_of(name)
            if flags is not None:
                size = min(rows, len(flags))
                out[:size] |= flags[:size]
        return out

    def _refresh_view(self, *, grown: bool) -> bool:
        if self._view_stale:
            self._view_stale = False
            self.view.reset(only=self._only(), within=self.within)
            return True
        if grown or self.view.behind:
            return self.view.extend(only=self._only(), within=self.within)
        return False

    # -- what may come a moment later ----

    def refine_due(self) -> bool:
        """Whether funnel and near misses should be made again now."""
        events = self.events
        if events is None or self.matcher.empty or not self.matcher.valid:
            return False
        if self.matcher.refined == len(events):
            return False
        if self.live and self.matcher.refined >= 0:
            return time.monotonic() - self._refined_at >= _REFINE_SEC
        return True

    def refine(self) -> set[str]:
        """Make funnel and near misses; gives the names of what changed."""
        events = self.events
        if events is None:
            return set()
        began = time.monotonic()
        self.matcher.refine(events)
        # Costly conditions are refined less often.
        self._refined_at = time.monotonic() + 4 * (time.monotonic() - began)
        if "near" in self.show:
            self.view.reset(only=self._only(), within=self.within)
            return {"funnel", "marks", "view"}
        return {"funnel", "marks"}

    # -- what is seen ----

    def counts(self) -> dict[str, int | None]:
        """Return how many rows there are, match, nearly match and changed in view."""
        within, rows = self.within, len(self.store)
        out: dict[str, int | None] = {"all": rows, "match": None, "near": None}
        if within is not None:
            out["all"] = int(np.count_nonzero(within))
        for key in ("match", "near", "changed"):
            flags = self._flags_of(key)
            if flags is None:
                out[key] = None
            elif within is None:
                out[key] = int(np.count_nonzero(flags))
            else:
                size = min(len(flags), len(within))
                out[key] = int(np.count_nonzero(flags[:size] & within[:size]))
        return out

    def marks(self, positions: np.ndarray) -> np.ndarray:
        """Return a number per position: 1 match, 2 near miss, 3 gone, 4 new, else 0."""
        out = self.matcher.marks(positions)
        changed = self.changed()
        if changed is not None and len(changed):
            inside = positions < len(changed)
            hit = changed[np.minimum(positions, len(changed) - 1)] & inside
            out[hit & (out != 1)] = 3
            out[hit & (out == 1)] = 4
        return out

    def matches(self) -> pd.DataFrame:
        """Return the matching events as a DataFrame, all without a condition."""
        import pandas as pd

        events, mask = self.events, self.matcher.mask
        if events is None:
            return pd.DataFrame()
        if self.matcher.empty:
            return events.frame
        if mask is None:
            return events[0:0].frame
        frame: pd.DataFrame = events[mask[: len(events)]].frame
        return frame

    def selected_frame(self) -> pd.DataFrame:
        """Return the selected events as a DataFrame, in the order of selection."""
        import pandas as pd

        events = self.events
        if events is None:
            return pd.DataFrame()
        chosen = np.zeros(len(events), bool)
        positions = self.selected_positions()
        positions = positions[positions < len(events)]
        chosen[positions] = True
        frame: pd.DataFrame = events[chosen].frame
        numbers = self.store.numbers[positions]
        order = frame.set_index("evt.num", drop=False).index.get_indexer(numbers)
        return frame.iloc[order].reset_index(drop=True)
