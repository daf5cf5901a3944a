"""Condition tabs, the message line, the result and the checks strip."""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.ui.state import condition_queries as queries
from workbench.ui.state.checks import top_parts

if TYPE_CHECKING:
    from workbench.ui.state.desk import Desk
    from workbench.ui.widgets.part import Part

__all__ = ["ConditionPanel"]

_MAX_CELLS = 40
_MAX_HISTORY = 200
_STOOD_SEC = 2.0


class ConditionPanel:
    """Keeps tabs, verdict and strip in step with the desk."""

    def __init__(self, part: Part, desk: Desk) -> None:
        self.part, self.desk, self.model = part, desk, desk.model
        self.history: deque[dict[str, Any]] = deque(maxlen=_MAX_HISTORY)
        self._since = time.monotonic()
        self._began = 0.0
        self._cost_ms: float | None = None
        self._by = ""
        part.put(words=queries.language_words(), tabs=[], active="", cells=[])
        part.handle(
            text=self._on_text,
            complete=self.complete,
            format=self.format,
            tab=desk.go,
            make_rule=self._on_make_rule,
            new_rule=self._on_new_rule,
            close=desk.close_tab,
            reopen=desk.reopen,
            duplicate=self._on_duplicate,
            revert=self._on_revert,
            check=self._on_check,
            near=self.near_values,
            show_near=self.show_near,
            history=lambda: list(reversed(self.history)),
            restore=self._on_restore,
            insert=lambda text: desk.add_check(str(text)),
            undo=desk.undo,
            redo=desk.redo,
        )

    # -- from the browser ----

    def _on_text(self, tab: str, text: str, by: str = "") -> None:
        self._by, self._began = by, time.perf_counter()
        self.desk.set_text(tab, str(text), label="typing", key=f"text {tab}")

    def complete(self, text: str, cursor: int) -> dict[str, Any]:
        """Return the candidates at ``cursor`` (UTF-16 units) of ``text``."""
        model = self.model
        values = model.store.frequent_values()
        found = queries.completions(text, cursor, model.fields, values)
        word = text[int(found["from"]) : cursor]
        named = [
            {"text": n, "kind": "macro", "info": "", "detail": "macro"}
            for n in model.items.macros
            if word and n.startswith(word) and n != word
        ]
        found["options"] = [*named[:20], *found["options"]]
        return found

    def format(self) -> None:
        """Put the condition into its canonical form."""
        text = queries.formatted(self.model.condition, self.model.fields)
        if text is not None:
            self.desk.set_condition(text, "format")

    def _on_make_rule(self) -> None:
        self.desk.make_rule()

    def _on_new_rule(self) -> None:
        self.desk.make_rule("")

    def _on_duplicate(self, tab: str) -> None:
        found = self.desk.doc.tab_of(tab)
        if found is not None:
            self.desk.duplicate(found)

    def _on_revert(self, tab: str = "") -> None:
        found = self.desk.doc.tab_of(tab or self.desk.doc.active)
        if found is not None:
            self.desk.revert(found)

    def _on_check(self, index: int, what: str) -> None:
        """Mute, negate, delete a part of the condition, or keep only it."""
        text = self.desk.tab.text
        parts = top_parts(text)
        if not 0 <= index < len(parts):
            return
        part = parts[index]
        if what == "mute":
            self.desk.mute(part.text)
        elif what == "only":
            self.desk.set_condition(part.text, f"only {part.text}")
        elif what == "negate":
            raw = text.encode()
            bare = part.text.strip()
            new = bare[4:] if bare.startswith("not ") else f"not {_wrapped(bare)}"
            joined = raw[: part.start] + new.encode() + raw[part.end :]
            self.desk.set_condition(joined.decode(), f"negate {bare}")
        elif what == "delete":
            kept = [p for p in parts if p.index != index]
            word = f" {kept[-1].op or 'and'} " if kept else ""
            texts = [_wrapped(p.text) for p in kept]
            self.desk.set_condition(word.join(texts), f"delete {part.text}")

    def near_values(self, index: int) -> dict[str, Any]:
        """Return what the rows that fail by one part alone have instead."""
        from workbench.arrow.types import column_info
        from workbench.ui.data.values import distribution

        model = self.model
        cells = model.matcher.cells
        flags = model.matcher.near_of(index)
        if flags is None or not 0 <= index < len(cells):
            return {"count": 0, "rows": []}
        cell, rows = cells[index], []
        table = model.store.table().slice(0, len(flags))
        if cell.operand in table.column_names:
            import pyarrow as pa

            column = table.column(cell.operand).filter(pa.array(flags))
            info = column_info(cell.operand, model.fields)
            found = distribution(cell.operand, column, info, None)
            rows = [
                {k: r[k] for k in ("text", "count", "check")} for r in found["rows"][:8]
            ]
        without = None
        if model.matcher.count is not None and len(cells) > 1:
            without = model.matcher.count + cell.near_count
        return {
            "count": cell.near_count,
            "check": cell.text,
            "field": cell.operand,
            "rows": rows,
            "without": without,
        }

    def show_near(self, index: int | None = None) -> None:
        """Show the near misses, of one part or of all."""
        from dataclasses import replace

        self.model.set_near(index)
        doc = replace(self.desk.doc, show=frozenset({"near"}))
        self.desk.edit("show near misses", doc)
        self.model.set_near(index)

    def _on_restore(self, text: str) -> None:
        self.desk.set_condition(str(text), "restore a condition")

    # -- to the browser ----

    def rest(self) -> None:
        """Remember a condition that stood a while."""
        text, count = self.model.condition, self.model.matcher.count
        if not text.strip() or count is None:
            return
        if time.monotonic() - self._since < _STOOD_SEC:
            return
        if self.history and self.history[-1]["text"] == text:
            self.history[-1]["count"] = count
            return
        clock = time.strftime("%H:%M")
        tab = self.desk.tab.name
        self.history.append({"text": text, "count": count, "at": clock, "tab": tab})

    def refresh(self, changes: set[str]) -> None:
        """Show what changed."""
        desk, doc, matcher = self.desk, self.desk.doc, self.model.matcher
        if "condition" in changes:
            self._since = time.monotonic()
        if changes & {"document", "rules", "source", "rule"}:
            self.part.put(
                tabs=[
                    {
                        "id": tab.id,
                        "name": tab.name,
                        "text": tab.text,
                        "rule": tab.draft is not None,
                        "dirty": desk.dirty(tab),
                        "muted": list(tab.muted),
                    }
                    for tab in doc.tabs
                ],
                active=doc.active,
                by=self._by,
                undo=desk.edits.undo_label,
                redo=desk.edits.redo_label,
                drafts=[{"id": t.id, "name": t.name} for t in doc.closed],
            )
            self._by = ""
        if "items" in changes:
            words = dict(queries.language_words())
            words["macros"] = self.model.items.names
            self.part.put(words=words)
        if changes & {"condition", "marks", "rows", "funnel", "source", "ended"}:
            self._show_verdict(matcher)
        if changes & {"condition", "marks", "funnel", "labels", "document"}:
            self.part.put(labels=self._labels())

    def _show_verdict(self, matcher: Any) -> None:
        found = list(matcher.diagnostics)
        if matcher.failure:
            found.append(queries.failure_diagnostic(matcher.failure, matcher.text))
        if self._began:
            self._cost_ms = 1000 * (time.perf_counter() - self._began)
            self._began = 0.0
        raw = matcher.text.encode("utf-8", "surrogatepass")
        cells = [cell.to_state(raw) for cell in matcher.cells[:_MAX_CELLS]]
        counted = matcher.refined >= 0
        self.part.put(
            verdict={
                "text": matcher.text,
                "tab": self.desk.doc.active,
                "diagnostics": found[:50],
                "hints": self._hints(matcher) if counted else [],
                "empty": matcher.empty,
                "valid": matcher.mask is not None
                or (matcher.valid and not matcher.failure),
                "total": len(self.model.store),
                "matches": matcher.count if self.model.events is not None else None,
                "near": matcher.near_count,
                "ms": None if self._cost_ms is None else round(self._cost_ms),
                "counted": counted,
                "cells": cells,
            }
        )

    def _hints(self, matcher: Any) -> list[dict[str, Any]]:
        """Return what is odd about the parts: they remove nothing, fail, repeat."""
        cells = [c for c in matcher.cells if c.index >= 0]
        if len(cells) < 2 or not len(self.model.store) or self.model.live:
            return []
        if any(cell.op == "or" for cell in cells):
            return []
        hints, seen = [], set()
        for cell in cells:
            if cell.muted:
                continue
            if cell.text in seen:
                hints.append(_hint(cell, f"{cell.text} stands twice"))
            elif cell.reached and cell.passed == cell.reached and cell.index:
                said = (
                    f"{cell.text} removes nothing: all {cell.reached:,} events that "
                    "reach it pass"
                )
                hints.append(_hint(cell, said))
            seen.add(cell.text)
        return hints

    def _labels(self) -> dict[str, Any]:
        model = self.model
        must = right_must = avoid = right_avoid = 0
        mask = model.matcher.mask
        wrong: list[int] = []
        numbers = model.store.numbers
        if model.labels and len(numbers):
            wanted = np.array(list(model.labels), np.uint64)
            found = np.flatnonzero(np.isin(numbers, wanted))
            for position in found.tolist():
                number = int(numbers[position])
                verdict = model.labels[number]
                said = (
                    bool(mask[position])
                    if mask is not None and position < len(mask)
                    else False
                )
                must, avoid = must + verdict, avoid + (not verdict)
                right_must += verdict and said
                right_avoid += not verdict and not said
                if said is not verdict:
                    wrong.append(number)
        return {
            "must": must,
            "must_right": right_must,
            "not": avoid,
            "not_right": right_avoid,
            "wrong": wrong[:200],
        }


def _hint(cell: Any, message: str) -> dict[str, Any]:
    return {"message": message, "index": cell.index, "action": "Take it out"}


def _wrapped(text: str) -> str:
    """Return a part in brackets when it holds more than one check."""
    bare = text.strip()
    inner = top_parts(bare)
    if len(inner) < 2 or bare.startswith("("):
        return bare
    return f"({bare})"
