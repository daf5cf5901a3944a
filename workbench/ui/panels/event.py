"""One event in the dock: why it matches or not, its label, fields and payload."""

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
from workbench.ui.state import condition_queries as queries

if TYPE_CHECKING:
    from workbench.ui.state.desk import Desk
    from workbench.ui.widgets.part import Part

__all__ = ["EventPanel"]

# Longest text of a field in characters, payload in bytes, more of either at a time.
_MAX_TEXT = 4000
_MAX_PAYLOAD = 16384
_MAX_MORE = 65536


class EventPanel:
    """Answers what the dock shows of the event selected last."""

    def __init__(self, part: Part, desk: Desk) -> None:
        self.part, self.desk, self.model = part, desk, desk.model
        self._asked = 0
        part.put(position=None, number=None, label="none", version=0)
        part.handle(event=self.event, more=self.more, plugin_text=self.plugin_text)

    def event(self, position: int | None = None) -> dict[str, Any] | None:
        """Return everything about one event, None when there is none."""
        model = self.model
        at = model.current if position is None else int(position)
        if at is None or not 0 <= at < len(model.store):
            return None
        number = int(model.store.numbers[at])
        time = {
            "name": TIME_AXIS,
            "type": "time",
            "text": short_moment(int(model.store.times[at])),
            "raw": str(int(model.store.times[at])),
            "absent": False,
        }
        return {
            "position": at,
            "number": number,
            "fields": [time, *(self._field(at, name) for name in self._names())],
            "why": self._why(at),
            "payload": self._payload(at),
            "offsets": queries.value_offsets(model.events, at),
        }

    def plugin_text(self, position: int) -> str:
        """Return the plugin's own text of an event: it may take a moment."""
        return queries.event_string(self.model.events, int(position))

    def _names(self) -> list[str]:
        skip = {"evt.num", "evt.rawtime", "evt.source", TIME_AXIS, *MACHINE_COLUMNS}
        return [n for n in self.model.store.columns if n not in skip]

    def _field(self, position: int, name: str) -> dict[str, Any]:
        """Return a line of the dock: a field, its text, the check it passes."""
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
            "desc": (info.desc or info.display) if info else "",
            "text": text or "",
            "absent": text is None,
            "size": size,
            "cut": size > _MAX_TEXT,
            "check": check,
        }

    def more(self, position: int, field: str, start: int) -> dict[str, Any]:
        """Return a further piece of a long value: 64 KB of text from ``start`` on."""
        value = self.model.store.value(int(position), field)
        data = value if isinstance(value, bytes) else str(value).encode()
        piece = data[int(start) : int(start) + _MAX_MORE]
        return {
            "text": piece.decode("utf-8", "replace"),
            "end": int(start) + len(piece),
            "size": len(data),
        }

    def _size(self, position: int, name: str) -> int:
        piece = self.model.store.pick(np.array([position], np.int64), name)[0]
        value = piece[0]
        buffer = getattr(value, "as_buffer", None)
        if buffer is None:
            return 0
        data = buffer()
        return 0 if data is None else int(data.size)

    def _why(self, position: int) -> dict[str, Any] | None:
        model = self.model
        events = model.events
        if events is None or not model.matcher.valid or model.matcher.failure:
            return None
        try:
            found = queries.explain_event(events, position, model.matcher.compiled)
        except (WorkbenchError, KeyError) as error:
            return {
                "matches": False,
                "summary": queries.failure_text(error),
                "rows": [],
            }
        found["rows"] = found["rows"][:200]
        return found

    def _payload(self, position: int) -> dict[str, Any] | None:
        events = self.model.events
        data = None if events is None else queries.payload(events, position)
        if data is None:
            return None
        shown = data[:_MAX_PAYLOAD]
        return {
            "hex": shown.hex(),
            "size": len(data),
            "shown": len(shown),
            "json": _pretty_json(data),
        }

    def refresh(self, changes: set[str]) -> None:
        """Say which event it is, and that what is shown of it may be old."""
        model = self.model
        if not changes & {"selection", "source", "labels", "condition", "marks"}:
            return
        at = model.current
        number = (
            None
            if at is None or at >= len(model.store)
            else int(model.store.numbers[at])
        )
        label = {True: "match", False: "not", None: "none"}[
            None if number is None else model.labels.get(number)
        ]
        mark = 0 if at is None else int(model.marks(np.array([at]))[0])
        self.part.put(
            position=at, number=number, label=label, mark=mark, of=len(model.store)
        )
        if changes & {"selection", "source", "condition", "marks"}:
            self.part.put(version=self.part.state["version"] + 1)


def short_moment(nanoseconds: int) -> str:
    """Return a moment without decimals that are zero."""
    return moment_text(nanoseconds, trimmed=True).replace("T", " ")


def _pretty_json(data: bytes) -> str | None:
    """Return the payload as indented JSON, None when it is none or too long."""
    if len(data) > 4 * _MAX_PAYLOAD or data[:1] not in (b"{", b"["):
        return None
    try:
        return json.dumps(json.loads(data), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return None
