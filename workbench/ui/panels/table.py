"""The event table over a model: answers row requests, pushes the tail, keeps marks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.arrow.types import column_info
from workbench.ui.data.axis import TIME_AXIS
from workbench.ui.data.column_sets import MACHINE_COLUMNS
from workbench.ui.widgets.widgets import EventTable

if TYPE_CHECKING:
    import numpy as np

    from workbench.ui.state.model import LabModel

__all__ = ["TablePanel"]

# Most rows that one request may ask for.
_MAX_ROWS = 400
_TAIL_ROWS = 60
_WIDTHS = {
    "uint64": 96,
    "bool": 72,
    "ipaddr": 128,
    "ipnet": 132,
    "reltime": 100,
    "abstime": 210,
    "string": 160,
}


class TablePanel:
    """Keeps an EventTable widget and the model's view of the rows in step."""

    def __init__(self, model: LabModel) -> None:
        self.model = model
        self.widget = EventTable()
        self.widget.lock = model.lock
        self.widget.handle("rows", self.send_rows)
        self.widget.observe(self._on_view, ["sort", "quick", "show"])
        self.widget.observe(self._on_selected, ["selected"])
        self.widget.observe(self._on_follow, ["follow"])
        self._shown_for: list[str] = []
        self._shown_at_first: list[str] = []
        self._revealed: int | None = None

    # -- from the browser ----

    def send_rows(self, first: int, count: int, version: int = 0) -> None:
        """Send ``count`` rows of the view from ``first`` on, as texts."""
        del version
        self._send(int(first), min(_MAX_ROWS, max(0, int(count))), push=False)

    def _on_view(self, change: Any) -> None:
        with self.model.lock:
            if change["name"] == "sort":
                value = list(change["new"])
                pair = (str(value[0]), value[1] == "desc") if len(value) == 2 else None
                self.model.set_view(sort=pair)
            else:
                self.model.set_view(**{change["name"]: str(change["new"])})

    def _on_selected(self, change: Any) -> None:
        with self.model.lock:
            self.model.select(list(change["new"]))

    def _on_follow(self, change: Any) -> None:
        if change["new"]:
            self.model.touch("tail")

    # -- to the browser ----

    def refresh(self, changes: set[str]) -> None:
        """Show what changed."""
        model, widget = self.model, self.widget
        if "source" in changes or (
            "rows" in changes and self._shown_for != model.store.columns
        ):
            self._set_columns()
        if changes & {"rows", "view", "marks", "labels", "condition"}:
            widget.counts = model.counts()
            widget.note = self._note()
            widget.empty = self._empty()
        if "view" in changes or "source" in changes:
            with widget.hold_sync():
                widget.total = model.view.total
                widget.version = model.view.version
            self._send_seen()
        elif changes & {"marks", "labels", "funnel"}:
            # Same rows, other marks: caches in the browser are stale.
            model.view.version += 1
            with widget.hold_sync():
                widget.total = model.view.total
                widget.version = model.view.version
            self._send_seen()
        elif "rows" in changes:
            self._grow()
        elif "tail" in changes:
            self._send_seen()
        if "view" in changes:
            self._reveal()
        if "source" in changes and not model.selection:
            widget.selected = []

    def reveal(self, position: int) -> None:
        """Bring a row into view and select it, dropping filters that hide it."""
        model = self.model
        if model.view.index_of(position) < 0:
            self.widget.show, self.widget.quick = "all", ""
            model.set_brush(None)
            model.work()
            self.refresh({"view"})
        self.widget.follow = False
        self.select([position])
        self._revealed = position
        self._reveal()

    def select(self, positions: list[int]) -> None:
        """Select rows from Python, on screen too."""
        self.model.select(positions)
        self.widget.selected = list(self.model.selection)

    def _reveal(self) -> None:
        """Scroll to the row asked for, as long as it is the one selected."""
        if self._revealed is None or self.model.selection != [self._revealed]:
            self._revealed = None
            return
        self.widget.reveal = -1
        self.widget.reveal = self.model.view.index_of(self._revealed)

    def _grow(self) -> None:
        if self.widget.follow:
            self._send_seen()
        else:
            self.widget.total = self.model.view.total

    def _send_seen(self) -> None:
        """Push the tail when following; else the browser asks for what it shows."""
        if self.widget.follow:
            total = self.model.view.total
            self._send(max(0, total - _TAIL_ROWS), _TAIL_ROWS, push=True)

    def _send(self, first: int, count: int, *, push: bool) -> None:
        model = self.model
        positions = model.view.positions(first, count)
        marks = model.matcher.marks(positions)
        labels = self._labels(positions)
        cells = model.store.rows(positions, self.widget.shown)
        self.widget.send(
            {
                "first": first,
                "total": model.view.total,
                "version": model.view.version,
                "push": push,
                "rows": [
                    [int(position), int(mark), label, *texts]
                    for position, mark, label, texts in zip(
                        positions, marks, labels, cells, strict=True
                    )
                ],
            }
        )

    def _labels(self, positions: np.ndarray) -> list[int]:
        labels = self.model.labels
        if not labels:
            return [0] * len(positions)
        numbers = self.model.store.numbers[positions].tolist()
        codes = {None: 0, True: 1, False: 2}
        return [codes[labels.get(number)] for number in numbers]

    def _set_columns(self) -> None:
        store = self.model.store
        self._shown_for = store.columns
        names = ["evt.num", TIME_AXIS]
        skip = {*names, "evt.rawtime", *MACHINE_COLUMNS}
        names += [name for name in store.columns if name not in skip]
        if not store.columns:
            names += [n for n, f in store.fields.items() if not _needs_argument(f)]
        columns = []
        for name in names:
            info = column_info(name, store.fields)
            kind = info.type if info else "string"
            number = kind == "uint64" and not (info and info.is_list)
            columns.append(
                {
                    "name": name,
                    "type": kind + (" list" if info and info.is_list else ""),
                    "desc": (info.desc or info.display) if info else "",
                    "width": _width(name, kind),
                    "right": number,
                }
            )
        columns[1]["type"] = "time"
        chosen = self.widget.shown != self._shown_at_first
        before = [n for n in self.widget.shown if chosen and n in names]
        hidden = {"evt.source", *self._dull(names)}
        with self.widget.hold_sync():
            self.widget.columns = columns
            if not before:
                before = [n for n in names if n not in hidden]
                self._shown_at_first = before
            self.widget.shown = before

    def _dull(self, names: list[str]) -> set[str]:
        """Return columns not worth showing at first: absent, or shown elsewhere."""
        store = self.model.store
        kinds = {n: getattr(column_info(n, store.fields), "type", "") for n in names}
        dull = {n for n, kind in kinds.items() if kind == "abstime"}
        if "ipaddr" in kinds.values():
            dull |= {n for n, kind in kinds.items() if kind == "ipnet"}
        if store.batches and store.batches[0].num_rows:
            first = store.batches[0]
            there = set(first.schema.names)
            dull |= {
                n
                for n in names
                if n in there and first.column(n).null_count > 0.98 * first.num_rows
            }
        return dull

    def _note(self) -> str:
        view = self.model.view
        narrowed = view.quick or self.model.axis.within is not None
        if not narrowed:
            return ""
        return f"{view.total:,} shown".replace(",", "\u202f")

    def _empty(self) -> str:
        model = self.model
        if len(model.store) == 0:
            if model.live:
                return "Waiting for events …"
            return "No events yet.\nStart the stream to fill this table."
        if model.show == "match":
            return "No event matches the condition."
        if model.show == "near":
            return "No near misses."
        return "No event passes the filters."


def _needs_argument(info: Any) -> bool:
    return bool(info.arg and info.arg.required)


def _width(name: str, kind: str) -> int:
    if name == TIME_AXIS:
        return 152
    if name == "evt.num":
        return 78
    return max(_WIDTHS.get(kind, 140), min(240, 26 + 7 * len(name)))
