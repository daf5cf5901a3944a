"""The fields at the left: fill and values of each, and breakdowns of one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from workbench.arrow.types import column_info
from workbench.ui.data.axis import TIME_AXIS
from workbench.ui.data.column_sets import MACHINE_COLUMNS
from workbench.ui.data.values import distinct_count, distribution
from workbench.ui.state.document import Chip

if TYPE_CHECKING:
    from workbench.ui.state.desk import Desk
    from workbench.ui.widgets.part import Part

__all__ = ["FieldsPanel"]

_MAX_ASKED = 60
_SAMPLE = 1_000_000
_MAX_VALUES = 12
_MAX_BARS = 50


class FieldsPanel:
    """Answers what the browser asks about fields; nothing is counted unasked."""

    def __init__(self, part: Part, desk: Desk) -> None:
        self.part, self.desk, self.model = part, desk, desk.model
        self._rows: dict[str, list[dict[str, Any]]] = {}
        part.put(fields=[], version=0)
        part.handle(
            stats=self.stats,
            values=self.values,
            chip=self._on_chip,
            check=self._on_check,
            breakdown=self.breakdown,
        )

    def _table(self) -> tuple[pa.Table, np.ndarray | None]:
        """Return the rows in view, and which of them match."""
        model = self.model
        table, mask, within = model.store.table(), model.matcher.mask, model.within
        if mask is not None and len(mask) < table.num_rows:
            table = table.slice(0, len(mask))
        if within is not None:
            keep = within[: table.num_rows]
            table = table.slice(0, len(keep)).filter(pa.array(keep))
            mask = None if mask is None else mask[: len(keep)][keep]
        return table, mask

    def stats(self, names: list[str]) -> dict[str, dict[str, Any]]:
        """Return field → share with a value, and number of distinct values."""
        store, out = self.model.store, {}
        if not len(store):
            return {}
        table = store.table()
        sampled = table.num_rows > _SAMPLE
        if sampled:
            table = table.slice(0, _SAMPLE)
        for name in [str(n) for n in names][:_MAX_ASKED]:
            at = "evt.rawtime" if name == TIME_AXIS else name
            if at not in table.column_names:
                continue
            column = table.column(at)
            filled = table.num_rows - column.null_count
            if pa.types.is_list(column.type):
                lengths = pc.fill_null(pc.list_value_length(column), 0).to_numpy()
                filled = int(np.count_nonzero(lengths))
                items = [chunk.flatten() for chunk in column.chunks]
                column = pa.chunked_array(items, column.type.value_type)
            out[name] = {
                "fill": filled / max(1, table.num_rows),
                "distinct": distinct_count(column),
                "sampled": sampled,
            }
        return out

    def values(self, name: str, count: int = _MAX_VALUES) -> dict[str, Any]:
        """Return the most frequent values of a field among the rows in view."""
        if name not in self.model.store.columns:
            return {"rows": []}
        table, mask = self._table()
        info = column_info(name, self.model.fields)
        found = distribution(name, table.column(name), info, mask)
        rows = found["rows"][: int(count)]
        self._rows[name] = rows
        shown = [{k: v for k, v in row.items() if k != "value"} for row in rows]
        return {**found, "rows": shown, "total": table.num_rows}

    def _row(self, field: str, index: int) -> dict[str, Any] | None:
        rows = self._rows.get(field, [])
        row = rows[index] if 0 <= index < len(rows) else None
        return row if row and row.get("check") else None

    def _on_chip(self, field: str, index: int, negate: bool = False) -> None:  # noqa: FBT001, FBT002 - the message's key
        row = self._row(field, index)
        if row is not None:
            short = field.partition(".")[2] or field
            value = "absent" if row.get("absent") else row["text"] or '""'
            self.desk.add_chip(Chip(row["check"], short, value[:60], bool(negate)))

    def _on_check(self, field: str, index: int, negate: bool = False) -> None:  # noqa: FBT001, FBT002 - the message's key
        row = self._row(field, index)
        if row is not None:
            self.desk.add_check(f"not {row['check']}" if negate else row["check"])

    def breakdown(self, field: str, by: str = "events") -> dict[str, Any]:
        """Return one field as bars: events and matches per value, or over time."""
        if field not in self.model.store.columns:
            return {"field": field, "rows": []}
        table, mask = self._table()
        info = column_info(field, self.model.fields)
        found = distribution(field, table.column(field), info, mask, most=_MAX_BARS)
        self._rows[field] = found["rows"]
        rows = [{k: v for k, v in row.items() if k != "value"} for row in found["rows"]]
        out = {
            "field": field,
            "rows": rows,
            "total": table.num_rows,
            "distinct": found["distinct"],
            "code": f"events.frame[{field!r}].value_counts().head({_MAX_BARS})",
        }
        if by == "time":
            out["series"] = self._over_time(table, field, found["rows"][:6])
        return out

    def _over_time(
        self, table: pa.Table, field: str, rows: list[dict[str, Any]]
    ) -> list[list[int]]:
        """Return counts in 60 equal spans of time for the most frequent values."""
        times = table.column("evt.rawtime").to_numpy().astype(np.float64)
        if not len(times):
            return []
        low, high = float(times.min()), float(times.max())
        edges = np.linspace(low, max(high, low + 1), 61)
        column = table.column(field)
        out: list[list[int]] = []
        for row in rows:
            value = row.get("value")
            if value is None or isinstance(value, list):
                out.append([])
                continue
            flags = pc.fill_null(pc.equal(column, pa.scalar(value)), False)
            chosen = times[
                flags.to_numpy(zero_copy_only=False)
                if isinstance(flags, pa.Array)
                else flags.to_numpy()
            ]
            out.append(np.histogram(chosen, edges)[0].tolist())
        return out

    # -- to the browser ----

    def refresh(self, changes: set[str]) -> None:
        """Show which fields there are, and that counts may be others now."""
        model = self.model
        if changes & {"source", "rows"}:
            self.part.put(fields=self._fields())
        stale = {"rows", "view", "marks", "condition", "source", "ended", "filters"}
        if changes & stale:
            self.part.put(version=self.part.state["version"] + 1)
        self.part.put(live=model.live)

    def _fields(self) -> list[dict[str, Any]]:
        store = self.model.store
        names = list(store.columns) or [
            n for n, f in store.fields.items() if not (f.arg and f.arg.required)
        ]
        skip = {"evt.num", "evt.rawtime", "evt.source", *MACHINE_COLUMNS}
        shown = [TIME_AXIS, *[n for n in names if n not in skip and n != TIME_AXIS]]
        out = []
        for name in shown:
            info = column_info(name, store.fields)
            kind = "time" if name == TIME_AXIS else (info.type if info else "string")
            out.append(
                {
                    "name": name,
                    "type": kind,
                    "list": bool(info and info.is_list),
                    "desc": (info.desc or info.display) if info else "",
                }
            )
        return out
