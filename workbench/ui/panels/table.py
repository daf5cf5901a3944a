"""The event table over a model: answers row requests, pushes rows, keeps marks."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from workbench.arrow.types import column_info
from workbench.fields.literals import check_text
from workbench.ui.data.axis import TIME_AXIS
from workbench.ui.data.column_sets import MACHINE_COLUMNS
from workbench.ui.data.values import distinct_count
from workbench.ui.state.document import Chip

if TYPE_CHECKING:
    from workbench.ui.state.desk import Desk
    from workbench.ui.widgets.part import Part

__all__ = ["TablePanel"]

# Most rows that one request may ask for, and characters of a cell.
_MAX_ROWS = 400
_MAX_COPIED = 2000
_MAX_CELL = 256
_TAIL_ROWS = 60
_SAMPLE_ROWS = 400
_MAX_AT_FIRST = 8


class TablePanel:
    """Keeps the table and the model's view of the rows in step."""

    def __init__(self, part: Part, desk: Desk) -> None:
        self.part, self.desk, self.model = part, desk, desk.model
        self.follow = False
        self._shown_for: list[str] = []
        self._chosen: tuple[str, ...] = ()
        self._window = (0, 60)
        part.put(columns=[], shown=[], total=0, version=0, follow=False)
        part.handle(
            rows=self.rows,
            sort=self._on_sort,
            find=self._on_find,
            show=self._on_show,
            columns=self._on_columns,
            width=self._on_width,
            follow=self.set_follow,
            select=self._on_select,
            select_all=self._on_select_all,
            value=self._on_value,
            label=self._on_label,
            chip=self._on_chip,
            chips=self._on_chips,
            jump=self._on_jump,
            copy=self._on_copy,
            index_of=self._on_index_of,
        )

    # -- rows ----

    @property
    def shown(self) -> list[str]:
        """The columns shown, in order."""
        doc = self.desk.doc
        known = {c["name"] for c in self.part.state["columns"]}
        chosen = [n for n in doc.columns if n in known]
        return chosen or [n for n in self._chosen if n in known]

    def rows(self, first: int, count: int, version: int = 0) -> dict[str, Any]:
        """Return ``count`` rows of the view from ``first`` on, as texts."""
        del version
        self._window = (max(0, int(first)), min(_MAX_ROWS, max(0, int(count))))
        return self._piece(*self._window)

    def _piece(self, first: int, count: int) -> dict[str, Any]:
        model = self.model
        positions = model.view.positions(first, count)
        cells = model.store.rows(positions, self.shown, limit=_MAX_CELL)
        rows = zip(
            positions.tolist(),
            model.marks(positions).tolist(),
            self._labels(positions),
            model.store.numbers[positions].tolist(),
            cells,
            strict=True,
        )
        return {
            "first": first,
            "total": model.view.total,
            "version": model.view.version,
            "rows": [
                [at, mark, tag, num, *texts] for at, mark, tag, num, texts in rows
            ],
        }

    def _labels(self, positions: np.ndarray) -> list[int]:
        labels = self.model.labels
        if not labels:
            return [0] * len(positions)
        numbers = self.model.store.numbers[positions].tolist()
        codes = {None: 0, True: 1, False: 2}
        return [codes[labels.get(number)] for number in numbers]

    # -- from the browser ----

    def _on_sort(self, column: str = "", descending: bool = False) -> None:  # noqa: FBT001, FBT002 - the message's key
        sort = (column, bool(descending)) if column else None
        label = f"sort by {column}" if column else "sort as they came"
        self.desk.edit(label, replace(self.desk.doc, sort=sort))

    def _on_find(self, text: str) -> None:
        after = replace(self.desk.doc, find=str(text)[:200])
        self.desk.edit(f"find {text}" if text else "find nothing", after, key="find")

    def _on_show(self, show: list[str]) -> None:
        chosen = frozenset(str(s) for s in show) & {"match", "near", "changed"}
        self.model.set_near(None)
        words = " and ".join(sorted(chosen)) or "all"
        self.desk.edit(f"show {words}", replace(self.desk.doc, show=chosen))

    def _on_columns(self, names: list[str]) -> None:
        after = replace(self.desk.doc, columns=tuple(str(n) for n in names))
        self.desk.edit("choose columns", after)

    def _on_width(self, column: str, width: int) -> None:
        widths = {**self.desk.doc.widths, str(column): max(40, min(1200, int(width)))}
        after = replace(self.desk.doc, widths=widths)
        self.desk.edit(f"width of {column}", after, key=f"width {column}")

    def set_follow(self, on: bool) -> None:  # noqa: FBT001 - the message's key
        """Follow the newest rows, or stay."""
        self.follow = bool(on)
        self.part.put(follow=self.follow)
        if self.follow:
            self.model.touch("tail")

    def _on_select(self, ranges: list[list[int]], mode: str = "set") -> None:
        """Select by rows of the view; they are kept as positions of events.

        ``mode``: "set" for these alone, "add", or "toggle" for one row more or less.
        """
        view, chosen = self.model.view, []
        for low, high in ranges[:1000]:
            count = int(high) - int(low) + 1
            if view.order is None:
                chosen.append((int(low), int(high)))
                continue
            chosen += _runs(view.positions(int(low), count))
        if mode == "set":
            self.model.select(chosen)
            return
        before = self.model.selection
        if mode == "toggle" and chosen:
            at = chosen[0][0]
            if any(low <= at <= high for low, high in before):
                self.model.select(_without(before, at))
                return
        self.model.select([*before, *chosen])

    def _on_select_all(self) -> None:
        self._on_select([[0, max(0, self.model.view.total - 1)]])

    def _on_value(self, position: int, column: str) -> dict[str, Any]:
        """Return what one cell says as a check, and how many events pass it."""
        check = self._check(position, column)
        text = self.model.store.texts(np.array([position]), column, limit=60)[0]
        return {"check": check, "text": text, "selected": self.model.selected_count}

    def _check(self, position: int, column: str) -> str | None:
        info = column_info(column, self.model.fields)
        if column == TIME_AXIS:
            return f"evt.rawtime = {int(self.model.store.times[position])}"
        return check_text(column, self.model.store.value(position, column), info)

    def _on_label(self, value: str, position: int | None = None) -> None:
        verdict = {"match": True, "not": False}.get(value)
        positions = self.model.selected_positions()
        if position is not None:
            positions = np.array([position])
        if len(positions):
            numbers = self.model.store.numbers[positions].tolist()
            self.desk.label(numbers, verdict)

    def _on_chip(
        self,
        column: str,
        position: int | None = None,
        check: str = "",
        value: str = "",
        negate: bool = False,  # noqa: FBT001, FBT002 - the message's key
    ) -> None:
        if position is not None:
            check = self._check(position, column) or ""
            texts = self.model.store.texts(np.array([position]), column, limit=60)
            value = texts[0] if texts[0] is not None else "absent"
        if check:
            short = column.rpartition(".")[2] or column
            self.desk.add_chip(Chip(check, short, str(value)[:60], bool(negate)))

    def _on_chips(self, act: str, index: int = 0) -> None:
        """Remove or flip a filter, remove all, or move all into the condition."""
        chips = list(self.desk.doc.chips)
        label = "remove a filter"
        if act == "remove" and 0 <= index < len(chips):
            label = f"remove {chips[index].field} {chips[index].value}"
            del chips[index]
        elif act == "flip" and 0 <= index < len(chips):
            label = f"flip {chips[index].field} {chips[index].value}"
            chips[index] = replace(chips[index], negate=not chips[index].negate)
        elif act == "clear":
            label, chips = "remove all filters", []
        elif act == "condition":
            for chip in chips:
                self.desk.add_check(chip.condition)
            label, chips = "filters to the condition", []
        self.desk.edit(label, replace(self.desk.doc, chips=tuple(chips)))

    def _on_jump(self, row: int, what: str) -> int:
        """Return the next or previous shown row that matches or nearly does."""
        model = self.model
        flags = model.matcher.mask if "match" in what else model.matcher.near
        if flags is None:
            return -1
        order = model.view.positions(0, model.view.total)
        hits = np.flatnonzero(
            flags[np.minimum(order, len(flags) - 1)] & (order < len(flags))
        )
        later = hits[hits > row] if what.startswith("next") else hits[hits < row]
        if not len(later):
            return -1
        return int(later[0] if what.startswith("next") else later[-1])

    def _on_copy(self, kind: str) -> str:
        """Return the selected rows as text: tsv, jsonl or python."""
        import json

        positions = self.model.selected_positions(_MAX_COPIED)
        names = self.shown
        rows = self.model.store.rows(positions, names, limit=_MAX_CELL)
        if kind == "jsonl":
            return "\n".join(
                json.dumps(
                    {n: c for n, c in zip(names, row, strict=True) if c is not None}
                )
                for row in rows
            )
        if kind == "python":
            numbers = self.model.store.numbers[positions].tolist()
            return f"events.frame[events.frame['evt.num'].isin({numbers!r})]"
        lines = ["\t".join(names)]
        lines += [
            "\t".join("" if c is None else c.replace("\t", " ") for c in r)
            for r in rows
        ]
        return "\n".join(lines)

    def _on_index_of(self, number: int) -> int:
        position = self.model.store.find_number(int(number))
        return -1 if position is None else self.model.view.index_of(position)

    # -- to the browser ----

    def refresh(self, changes: set[str]) -> None:
        """Show what changed."""
        model, doc = self.model, self.desk.doc
        if "source" in changes or (
            "rows" in changes and self._shown_for != model.store.columns
        ):
            self._set_columns()
        self.part.put(shown=self.shown)
        if "document" in changes:
            self.part.put(
                sort=list(doc.sort) if doc.sort else [],
                find=doc.find,
                show=sorted(doc.show),
                widths=dict(doc.widths),
                by_hand=bool(doc.columns),
                chips=[
                    {
                        "field": c.field,
                        "value": c.value,
                        "not": c.negate,
                        "check": c.check,
                    }
                    for c in doc.chips
                ],
            )
        counted = {"rows", "view", "marks", "labels", "condition", "filters", "saved"}
        if changes & (counted | {"funnel", "ended", "stream"}):
            self.part.put(
                counts=model.counts(),
                narrowed=model.within is not None,
                empty=self._empty(),
                events=len(model.store),
            )
        if changes & {"selection", "source", "view"}:
            self.part.put(
                selected=model.selected_count,
                ranges=[list(pair) for pair in model.selection[:1000]],
                current=model.current,
            )
        remarked = {"marks", "labels", "funnel", "saved"} & changes
        if remarked and not {"view", "source"} & changes:
            # Same rows, other marks: caches in the browser are stale.
            model.view.version += 1
        if changes & {"view", "source", "rows", "document", "tail"} or remarked:
            self.part.put(total=model.view.total, version=model.view.version)
            self._push()

    def _push(self) -> None:
        """Send the rows in view along; the tail when following."""
        first, count = self._window
        if self.follow:
            first, count = max(0, self.model.view.total - _TAIL_ROWS), _TAIL_ROWS
        first = min(first, max(0, self.model.view.total - count))
        self.part.passing(rows=self._piece(first, count))

    def _set_columns(self) -> None:
        store = self.model.store
        self._shown_for = store.columns
        names = ["evt.num", TIME_AXIS]
        skip = {*names, "evt.rawtime", *MACHINE_COLUMNS}
        names += [name for name in store.columns if name not in skip]
        if not store.columns:
            names += [n for n, f in store.fields.items() if not _needs_argument(f)]
        prefixes = {n.partition(".")[0] for n in names if not n.startswith("evt.")}
        columns = []
        for name in names:
            info = column_info(name, store.fields)
            kind = info.type if info else "string"
            listed = bool(info and info.is_list)
            head = (
                name.partition(".")[2]
                if len(prefixes) < 2 or name.startswith("evt.")
                else name
            )
            columns.append(
                {
                    "name": name,
                    "head": head or name,
                    "type": "time" if name == TIME_AXIS else kind,
                    "list": listed,
                    "desc": (info.desc or info.display) if info else "",
                    "right": kind == "uint64" and not listed and name != TIME_AXIS,
                    "chars": self._longest(name),
                }
            )
        hidden = {"evt.source", *self._dull(names)}
        self._chosen = self._readable([n for n in names if n not in hidden])
        self.part.put(columns=columns, shown=self.shown)

    def _readable(self, names: list[str]) -> tuple[str, ...]:
        """Return the first columns that can be read side by side: eight at first.

        A text that only repeats another column, as a URI its path, comes later.
        """
        if len(names) <= _MAX_AT_FIRST:
            return tuple(names)
        texts = {n: self._sample(n) for n in names}
        filled = {n: sum(t is not None for t in texts[n]) for n in names}
        kept: list[str] = []
        for name in names:
            twin = next((o for o in kept[2:] if _alike(texts[name], texts[o])), "")
            if twin and self._longest(name) < self._longest(twin):
                kept[kept.index(twin)] = name
            elif not twin and filled[name] >= len(texts[name]) / 2:
                kept.append(name)
        later = [n for n in names if n not in kept]
        return tuple([*kept, *later][:_MAX_AT_FIRST])

    def _sample(self, name: str) -> list[str | None]:
        rows = min(len(self.model.store), 60)
        return self.model.store.texts(np.arange(rows), name, limit=80)

    def _longest(self, name: str) -> int:
        """Return a length that most of the first texts have."""
        store = self.model.store
        rows = min(len(store), _SAMPLE_ROWS)
        if not rows:
            return 0
        texts = store.texts(np.arange(rows), name, limit=80)
        info = column_info(name, store.fields)
        # Half an address says nothing: these are shown whole.
        share = 100 if info is not None and info.type in {"ipaddr", "ipnet"} else 95
        return int(np.percentile([len(t or "") for t in texts], share))

    def _dull(self, names: list[str]) -> set[str]:
        """Return columns not worth showing at first: absent, constant, or elsewhere."""
        store = self.model.store
        kinds = {n: getattr(column_info(n, store.fields), "type", "") for n in names}
        dull = {n for n, kind in kinds.items() if kind == "abstime"}
        if "ipaddr" in kinds.values():
            dull |= {n for n, kind in kinds.items() if kind == "ipnet"}
        if not store.batches or store.batches[0].num_rows < 50:
            return dull
        first = store.batches[0]
        for name in names:
            if name not in first.schema.names or name == "evt.num":
                continue
            column = first.column(name)
            empty = column.null_count > 0.98 * first.num_rows
            nested = str(column.type).startswith("list")
            if empty or (not nested and distinct_count(pa.chunked_array([column])) < 2):
                dull.add(name)
        kept = [n for n in names if n not in dull]
        return dull if len(kept) > 3 else set()

    def _empty(self) -> dict[str, Any]:
        """Return why no row is shown, for the place where rows would be."""
        model = self.model
        if len(model.store) == 0:
            return {"why": "waiting" if model.live else "start"}
        if model.within is not None and model.counts()["all"] == 0:
            return {"why": "filters"}
        if model.show == {"match"}:
            return {"why": "match", "checks": self._blocking()}
        return {"why": "none"}

    def _blocking(self) -> dict[str, Any] | None:
        """Return the first part that lets nothing through, and what is seen there."""
        for cell in self.model.matcher.cells:
            if cell.reached and not cell.passed:
                return {"text": cell.text, "reached": cell.reached}
        return None


def _alike(texts: list[str | None], others: list[str | None]) -> bool:
    """Whether most texts are those of another column."""
    pairs = zip(texts, others, strict=True)
    same = sum(1 for a, b in pairs if a is not None and a == b)
    return len(texts) > 10 and same > 0.5 * len(texts)


def _runs(positions: np.ndarray) -> list[tuple[int, int]]:
    """Return positions as runs of neighbours, in their order."""
    if not len(positions):
        return []
    breaks = np.flatnonzero(np.diff(positions) != 1) + 1
    pieces = np.split(positions, breaks)
    return [(int(p[0]), int(p[-1])) for p in pieces]


def _without(ranges: list[tuple[int, int]], at: int) -> list[tuple[int, int]]:
    """Return ranges without one position."""
    out = []
    for low, high in ranges:
        if not low <= at <= high:
            out.append((low, high))
            continue
        out += [pair for pair in ((low, at - 1), (at + 1, high)) if pair[0] <= pair[1]]
    return out


def _needs_argument(info: Any) -> bool:
    return bool(info.arg and info.arg.required)
