"""Detail of the selected event: fields, why or why not, payload, values of a field."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.arrow.types import column_info
from workbench.errors import WorkbenchError
from workbench.fields.literals import check_text
from workbench.formatting.units import moment_text
from workbench.ui.data.axis import TIME_AXIS
from workbench.ui.data.column_sets import MACHINE_COLUMNS
from workbench.ui.data.values import distribution
from workbench.ui.state import condition_queries as queries
from workbench.ui.widgets.widgets import StateWidget

if TYPE_CHECKING:
    from workbench.ui.state.model import LabModel

__all__ = ["DetailPanel"]

# Longest text of a field in characters, most of a payload in bytes.
_MAX_TEXT = 2000
_MAX_PAYLOAD = 16384


class DetailPanel:
    """Keeps the detail panel and the model's selection in step."""

    def __init__(self, model: LabModel) -> None:
        self.model = model
        self.widget = StateWidget(view="detail", state={"page": "fields", "serial": 0})
        self.widget.lock = model.lock
        self.page = "fields"
        self.value_field = ""
        self._values: list[dict[str, Any]] = []
        self._asked: int | None = None
        self.widget.handle_all(
            page=self._on_page,
            label=self._on_label,
            values=self.show_values,
            add_check=self._on_check,
            add_value=self._on_value,
        )

    # -- from the browser ----

    def _on_page(self, page: str) -> None:
        self.page = page
        self._fill_page()

    def _on_label(self, value: str) -> None:
        verdict = {"match": True, "not": False}.get(value)
        self.model.set_label(self.model.selection, verdict)

    def show_values(self, field: str) -> None:
        """Show the distribution of a field's values."""
        self.value_field = field
        self.page = "values"
        self._fill_page()

    def _on_check(self, field: str, negate: bool = False) -> None:  # noqa: FBT001, FBT002 - the message's key
        if self.model.selection:
            value = self.model.store.value(self.model.selection[-1], field)
            self._add(field, value, negate=negate)

    def _on_value(self, field: str, index: int, negate: bool = False) -> None:  # noqa: FBT001, FBT002 - the message's key
        if field == self.value_field and 0 <= index < len(self._values):
            check = self._values[index]["check"]
            if check:
                self.model.add_check(f"not {check}" if negate else check)

    def _add(self, field: str, value: Any, *, negate: bool) -> None:
        info = column_info(field, self.model.fields)
        check = check_text(field, value, info, negate=negate)
        if check is not None:
            self.model.add_check(check)

    # -- to the browser ----

    def refresh(self, changes: set[str]) -> None:
        """Show what changed."""
        if changes & {"selection", "source"}:
            self._fill_event()
        if changes & {"labels", "selection"}:
            self.widget.put(label=self._label())
        moved = changes & {"selection", "source", "condition"}
        late = self.page == "values" and changes & {"funnel", "view"}
        first = "rows" in changes and not self.widget.state.get("value_fields")
        if moved or late or first:
            self._fill_page()

    def _label(self) -> str:
        if not self.model.selection:
            return "none"
        number = int(self.model.store.numbers[self.model.selection[-1]])
        return {True: "match", False: "not"}.get(self.model.labels.get(number), "none")  # type: ignore[arg-type]

    def _names(self) -> list[str]:
        skip = {"evt.num", "evt.rawtime", TIME_AXIS, *MACHINE_COLUMNS}
        return [n for n in self.model.store.columns if n not in skip]

    def _fill_event(self) -> None:
        model, serial = self.model, self.widget.state.get("serial", 0) + 1
        self._asked = model.selection[-1] if model.selection else None
        if not model.selection:
            self.widget.put(title="", fields=[], text="", payload=None, serial=serial)
            return
        position = model.selection[-1]
        number = int(model.store.numbers[position])
        more = len(model.selection) - 1
        title = f"Event {number}" + (f" and {more} more" if more else "")
        time = {
            "name": TIME_AXIS,
            "type": "time",
            "text": moment_text(int(model.store.times[position])),
            "absent": False,
        }
        self.widget.put(
            title=title,
            fields=[time, *(self._field(position, name) for name in self._names())],
            text="",
            payload=None,
            explain=None,
            serial=serial,
        )

    def _field(self, position: int, name: str) -> dict[str, Any]:
        """Return a line of the detail: a field, its text, the check it passes."""
        store = self.model.store
        info = column_info(name, self.model.fields)
        text = store.texts(np.array([position], np.int64), name, limit=_MAX_TEXT)[0]
        size = self._size(position, name)
        check = None
        if size <= _MAX_TEXT:
            check = check_text(name, store.value(position, name), info)
        kind = info.type if info else ""
        return {
            "name": name,
            "type": kind + (" list" if info and info.is_list else ""),
            "text": text or "",
            "absent": text is None,
            "cut": size > _MAX_TEXT,
            "size": size,
            "check": check,
        }

    def refine(self) -> None:
        """Ask the plugin for its text of the event: it may take a moment."""
        asked = self._asked
        if asked is not None:
            self._asked = None
            self.widget.put(text=queries.event_string(self.model.events, asked))

    def _size(self, position: int, name: str) -> int:
        piece = self.model.store.pick(np.array([position], np.int64), name)[0]
        value = piece[0]
        buffer = getattr(value, "as_buffer", None)
        if buffer is None:
            return 0
        data = buffer()
        return 0 if data is None else int(data.size)

    def _fill_page(self) -> None:
        value_fields = [n for n in ("evt.num",) if n in self.model.store.columns]
        self.widget.put(page=self.page, value_fields=self._names() + value_fields)
        if self.page == "values":
            self._fill_values()
        elif self.model.selection:
            if self.page == "why":
                self._fill_why()
            elif self.page == "payload":
                self._fill_payload()

    def _fill_values(self) -> None:
        model = self.model
        names = self._names()
        if self.value_field not in names and self.value_field != "evt.num":
            self.value_field = names[0] if names else ""
        if not self.value_field or len(model.store) == 0:
            self.widget.put(values=None)
            return
        table = model.store.table()
        mask = model.matcher.mask
        within = model.axis.within
        if mask is not None and len(mask) < table.num_rows:
            table = table.slice(0, len(mask))
        column = table.column(self.value_field)
        if within is not None:
            import pyarrow as pa

            keep = within[: table.num_rows]
            column = column.filter(pa.array(keep))
            mask = None if mask is None else mask[: len(keep)][keep]
        info = column_info(self.value_field, model.fields)
        found = distribution(self.value_field, column, info, mask)
        self._values = found["rows"]
        shown = [{k: v for k, v in row.items() if k != "value"} for row in self._values]
        self.widget.put(values={**found, "rows": shown})

    def _fill_why(self) -> None:
        model = self.model
        events = model.events
        if events is None or not model.matcher.valid:
            self.widget.put(explain=None)
            return
        try:
            shown = queries.explain_event(
                events, model.selection[-1], model.matcher.compiled
            )
        except (WorkbenchError, KeyError) as error:
            shown = {
                "matches": False,
                "summary": queries.failure_text(error),
                "rows": [],
            }
        self.widget.put(explain=shown)

    def _fill_payload(self) -> None:
        events, position = self.model.events, self.model.selection[-1]
        data = None if events is None else queries.payload(events, position)
        if data is None:
            self.widget.put(payload=None, offsets={})
            return
        shown = data[:_MAX_PAYLOAD]
        self.widget.put(
            payload={
                "hex": shown.hex(),
                "size": len(data),
                "shown": len(shown),
                "cut": len(shown) < len(data),
                "json": _pretty_json(data),
            },
            offsets=queries.value_offsets(events, position),
        )


def _pretty_json(data: bytes) -> str | None:
    """Return the payload as indented JSON, None when it is none or too long."""
    if len(data) > 4 * _MAX_PAYLOAD or data[:1] not in (b"{", b"["):
        return None
    try:
        return json.dumps(json.loads(data), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return None
