"""Exceptions from chosen rows: what to compare, and what each choice takes away."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.arrow.types import column_info
from workbench.errors import WorkbenchError
from workbench.fields.literals import literal
from workbench.ui.data.axis import TIME_AXIS
from workbench.ui.data.column_sets import MACHINE_COLUMNS
from workbench.ui.state.rule_draft import exception_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.fields.declarations import FieldInfo
    from workbench.rules import RuleException
    from workbench.ui.state.model import LabModel

__all__ = ["ExceptionPlan"]

_MAX_ROWS = 200
_MAX_VALUES = 100
_MAX_FIELDS = 24


@dataclass(slots=True)
class _Candidate:
    """A field to compare: its value in the chosen rows, and what it takes away."""

    name: str
    texts: list[str]
    shown: str
    takes: int = 0


class ExceptionPlan:
    """Chosen rows of a rule's matches, and the fields that tell them apart.

    Counts come from the engine itself: the rule is compiled with each exception.
    """

    def __init__(self, model: LabModel, positions: Sequence[int]) -> None:
        self.model = model
        self.positions = [int(p) for p in positions[:_MAX_ROWS]]
        self.before = model.matcher.count or 0
        mask = model.matcher.mask
        self.matching = [
            p for p in self.positions if mask is not None and p < len(mask) and mask[p]
        ]
        self.candidates = self._candidates(self.matching or self.positions)
        for item in self.candidates:
            item.takes = self.before - self._left([item.name])
        # What no rules file can say takes nothing away; a field that all alerts share
        # takes every alert away: neither is a choice.
        least = len(self.matching)
        able = [c for c in self.candidates if c.takes >= least]
        whole = [c for c in able if c.takes < self.before]
        self.candidates = sorted(whole or able, key=lambda c: c.takes)
        del self.candidates[_MAX_FIELDS:]

    def _candidates(self, positions: list[int]) -> list[_Candidate]:
        store, out = self.model.store, []
        skip = {"evt.num", "evt.rawtime", "evt.source", TIME_AXIS, *MACHINE_COLUMNS}
        for name in store.columns:
            info = column_info(name, store.fields)
            if name in skip or info is None or info.is_list:
                continue
            if info.type in {"abstime", "reltime"}:
                continue
            texts = [_value(store.value(p, name), info) for p in positions]
            if any(text is None for text in texts) or not texts:
                continue
            known = [text for text in texts if text is not None]
            distinct = list(dict.fromkeys(known))
            first = distinct[0] if len(distinct[0]) <= 60 else distinct[0][:59] + "…"
            shown = first if len(distinct) == 1 else f"{len(distinct)} values"
            out.append(_Candidate(name, known, shown))
        return out

    def chosen_at_first(self) -> list[str]:
        """Return at most two fields that take away the fewest other alerts."""
        names = [c.name for c in self.candidates]
        if len(names) < 2:
            return names
        best, least = names[:1], self.before - self._left(names[:1])
        if least <= len(self.matching):
            return best
        for other in names[1:8]:
            takes = self.before - self._left([names[0], other])
            if takes < least:
                best, least = [names[0], other], takes
        return best

    def exception(self, name: str, fields: Sequence[str]) -> RuleException:
        """Return the exception that compares ``fields`` for equality."""
        from workbench.rules import RuleException

        chosen = [c for c in self.candidates if c.name in fields]
        if not chosen:
            raise WorkbenchError("choose at least one field to compare")
        rows = list(dict.fromkeys(zip(*(c.texts for c in chosen), strict=True)))
        return RuleException(
            name=name or exception_name([c.name for c in chosen]),
            fields=tuple(c.name for c in chosen),
            comps=tuple("=" for _ in chosen),
            values=tuple(rows[:_MAX_VALUES]),
        )

    def _mask(self, fields: Sequence[str]) -> np.ndarray | None:
        model = self.model
        events, matcher = model.events, model.matcher
        if events is None or not matcher.valid:
            return None
        added = (*matcher.exceptions, self.exception("lab_exception", fields))
        compiled, _ = model.items.compile_text(
            matcher.text, model.fields, source=model.source, exceptions=added
        )
        if compiled is None:
            return None
        flags: np.ndarray = events.mask(compiled).to_numpy(dtype=bool)
        return flags

    def _left(self, fields: Sequence[str]) -> int:
        mask = self._mask(fields)
        return self.before if mask is None else int(np.count_nonzero(mask))

    def effect(self, fields: Sequence[str]) -> dict[str, Any]:
        """Return what an exception over ``fields`` takes away."""
        mask, now = (self._mask(fields) if fields else None), self.model.matcher.mask
        if mask is None or now is None:
            return {"after": self.before, "takes": 0, "more": 0, "lost": [], "rows": []}
        size = min(len(mask), len(now))
        gone = np.flatnonzero(now[:size] & ~mask[:size])
        numbers = self.model.store.numbers[gone].tolist()
        lost = [n for n in numbers if self.model.labels.get(n) is True]
        chosen = set(self.matching)
        more = sum(1 for p in gone.tolist() if p not in chosen)
        return {
            "after": int(np.count_nonzero(mask)),
            "takes": len(gone),
            "more": more,
            "lost": lost[:50],
            "must": sum(1 for v in self.model.labels.values() if v),
            "severe": bool(lost) or len(gone) > self.before / 2,
        }

    def gone(self, fields: Sequence[str]) -> list[int]:
        """Return the positions of the alerts that it takes away."""
        mask, now = self._mask(fields), self.model.matcher.mask
        if mask is None or now is None:
            return []
        size = min(len(mask), len(now))
        found: list[int] = np.flatnonzero(now[:size] & ~mask[:size]).tolist()
        return found

    def to_state(self) -> dict[str, Any]:
        """Return what the popover shows at first."""
        chosen = self.chosen_at_first()
        numbers = self.model.store.numbers
        idle = [int(numbers[p]) for p in self.positions if p not in set(self.matching)]
        return {
            "name": exception_name(chosen),
            "rows": len(self.positions),
            "idle": idle[:20],
            "before": self.before,
            "fields": [
                {
                    "field": c.name,
                    "value": c.shown,
                    "takes": c.takes,
                    "on": c.name in chosen,
                }
                for c in self.candidates
            ],
            "effect": self.effect(chosen),
        }


def _value(value: Any, info: FieldInfo) -> str | None:
    """Return a value as exceptions write it: without the condition's quotes."""
    if isinstance(value, bytes) and info.type == "string":
        try:
            return value.decode("utf-8")
        except UnicodeDecodeError:
            return None
    return literal(value, info)
