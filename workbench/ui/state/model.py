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

from workbench.condition.analysis.fragments import add_check
from workbench.ui.data.axis import TIME_AXIS, Axis
from workbench.ui.data.row_store import RowStore
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
    → must match or must not. ``selection``: positions of selected rows.
    """

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.wake = threading.Event()
        self.fields: Mapping[str, FieldInfo] = {}
        self.source = ""
        self.store = RowStore({}, "")
        self.view = RowOrder(self.store)
        self.axis = Axis(self.store)
        self.matcher = Matcher({})
        self.labels: dict[int, bool] = {}
        self.selection: list[int] = []
        self.show = "all"
        self.make_events: Callable[[pa.Table], Events] | None = None
        self.live = False
        self._text = ""
        self._incoming: deque[pa.RecordBatch] = deque()
        self._changes: set[str] = set()
        self._events: Events | None = None
        self._view_stale = True
        self._grown = False
        self._refined_at = 0.0

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
        self.matcher.forget()
        self.matcher.set_text(self._text, fields)
        self.touch("rows", "source", "condition", "selection", "view")

    def take_events(self, events: Events) -> None:
        """Show finished events."""
        self.take_source(events.fields, events.source, None)
        self.store.extend(events.table)
        self.axis.update(None)
        self._events = events
        self.labels.update(events.labels)

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
        return self._text

    def set_condition(self, text: str) -> None:
        """Take a new condition; it is evaluated at the next :meth:`work`."""
        if text != self._text:
            self._text = text
            self.touch("condition")

    def add_check(self, check: str) -> None:
        """Add a check to the condition with ``and``."""
        self.set_condition(add_check(self._text, check))
        self.touch("rewritten")

    def select(self, positions: list[int]) -> None:
        """Select rows by position; positions that do not exist are dropped."""
        rows = len(self.store)
        chosen = [int(p) for p in positions if 0 <= int(p) < rows]
        if chosen != self.selection:
            self.selection = chosen
            self.touch("selection")

    def set_label(self, positions: list[int], verdict: bool | None) -> None:  # noqa: FBT001 - three states
        """Label rows: must match, must not match, or no label."""
        for position in positions:
            number = int(self.store.numbers[position])
            if verdict is None:
                self.labels.pop(number, None)
            else:
                self.labels[number] = verdict
        if self._events is not None and verdict is None:
            chosen = np.zeros(len(self._events), bool)
            chosen[[p for p in positions if p < len(chosen)]] = True
            self._events.label(chosen, must_match=None)
        self.touch("labels", "marks")

    def set_view(
        self, *, show: str | None = None, quick: str | None = None, sort: Any = ...
    ) -> None:
        """Change what the table shows: filter and order."""
        if show is not None:
            self.show = show if show in {"all", "match", "near"} else "all"
        if quick is not None:
            self.view.quick = quick[:200]
        if sort is not ...:
            known = {*self.store.columns, TIME_AXIS}
            self.view.sort = sort if sort and sort[0] in known else None
        self._view_stale = True
        self.touch("view")

    def set_axis(self, name: str) -> None:
        """Count the timeline over another field."""
        self.axis = Axis(self.store, name)
        self.axis.update(self.matcher.mask)
        self._view_stale = True
        self.touch("axis", "view")

    def set_brush(self, brush: tuple[int, int] | None) -> None:
        """Restrict table and counts to a range of the timeline's values."""
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
        if self.matcher.text != self._text:
            self.matcher.set_text(self._text, self.fields)
            changes |= {"condition"}
        events = self.events
        if events is not None and self.matcher.update(events):
            changes |= {"marks"}
        if "condition" in changes:
            self.axis.rematch(self.matcher.mask)
            self._view_stale = self._view_stale or self.show != "all"
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

    def _only(self) -> np.ndarray | None:
        if self.show == "all":
            return None
        rows = len(self.store)
        flags = self.matcher.mask if self.show == "match" else self.matcher.near
        out = np.zeros(rows, bool)
        if flags is not None:
            out[: min(rows, len(flags))] = flags[:rows]
        return out

    def _refresh_view(self, *, grown: bool) -> bool:
        if self._view_stale:
            self._view_stale = False
            self.view.reset(only=self._only(), within=self.axis.within)
            return True
        if grown or self.view.behind:
            return self.view.extend(only=self._only(), within=self.axis.within)
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
        if self.show == "near":
            self.view.reset(only=self._only(), within=self.axis.within)
        return (
            {"funnel", "marks", "view"} if self.show == "near" else {"funnel", "marks"}
        )

    # -- what is seen ----

    def counts(self) -> dict[str, int | None]:
        """Return how many rows there are, match, and nearly match, within the range."""
        within, rows = self.axis.within, len(self.store)
        out: dict[str, int | None] = {"all": rows, "match": None, "near": None}
        mask, near = self.matcher.mask, self.matcher.near
        if within is None:
            out["match"] = self.matcher.count
            out["near"] = None if near is None else int(np.count_nonzero(near))
            return out
        out["all"] = int(np.count_nonzero(within))
        for key, flags in (("match", mask), ("near", near)):
            if flags is not None:
                size = min(len(flags), len(within))
                out[key] = int(np.count_nonzero(flags[:size] & within[:size]))
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
        chosen[self.selection] = True
        frame: pd.DataFrame = events[chosen].frame
        numbers = [self.store.numbers[p] for p in self.selection]
        order = frame.set_index("evt.num", drop=False).index.get_indexer(numbers)
        return frame.iloc[order].reset_index(drop=True)
