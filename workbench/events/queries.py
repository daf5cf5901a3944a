"""What is asked of events with a condition: which match, how many, and why."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pyarrow as pa

from workbench.arguments import takes, wrong
from workbench.errors import ArgumentError
from workbench.events.columns import source_rows
from workbench.events.conditions import compiled_condition
from workbench.events.kinds import CONDITION, RULES, SELECTION, check_explained, is_mask

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from workbench.condition.analysis.explain import Explanation
    from workbench.condition.analysis.funnel import Funnel
    from workbench.condition.analysis.near_misses import NearMisses
    from workbench.condition.execution.compile import CompiledCondition
    from workbench.events.conditions import RulesInHand

__all__ = ["EventQueries"]


class EventQueries:
    """The questions that conditions put to events; what they need, Events have."""

    if TYPE_CHECKING:
        # Events have these.
        table: Any
        fields: Any
        source: Any
        by_source: Any
        derive: Callable[[pa.Table], Self]
        table_with: Any
        with_places: Any

        def __len__(self) -> int: ...

        def __getitem__(self, key: Any) -> Any: ...

    @takes(condition=SELECTION, rules=RULES)
    def where(self, condition: Any, *, rules: RulesInHand | None = None) -> Self:
        """Return the events that match ``condition``.

        ``condition``: a text, a compiled condition, a Rule with its exceptions, or the
        name of a rule of ``rules``; a mask, such as :meth:`mask` returns, is welcome
        too. ``rules``: a RuleSet whose macros and lists the condition may name. Fields
        that were not captured are extracted from the stored events first.

        What is legal but odd in a text is told as a ConditionWarning. Raises
        ConditionError when Falco would refuse the text, RulesError when it would refuse
        the rule.
        """
        return self.derive(self.table.filter(self.flags(condition, rules)))

    @takes(condition=CONDITION, rules=RULES)
    def mask(
        self, condition: Any, *, rules: RulesInHand | None = None
    ) -> pd.Series[bool]:
        """Return whether each event matches: a boolean Series, one row per event.

        Takes what :meth:`where` takes, and raises alike.
        """
        import pandas as pd

        matches = self._matches(condition, rules).to_numpy(zero_copy_only=False)
        name = condition if isinstance(condition, str) else None
        return pd.Series(matches.astype(bool, copy=False), name=name)

    @takes(condition=CONDITION, rules=RULES)
    def count(self, condition: Any, *, rules: RulesInHand | None = None) -> int:
        """Count the events that match, keeping no mask.

        Takes what :meth:`where` takes, and raises alike.
        """
        own, compiled, table = self._prepare(condition, rules)
        return compiled.count(table) if len(own) else 0

    # -- understanding ---------------------------------------------------------------

    @takes(rules=RULES)
    def explain(
        self, evt_num: int, condition: Any, *, rules: RulesInHand | None = None
    ) -> Explanation:
        """Return why event ``evt_num`` matches or not: every check with its values.

        ``condition``, ``rules``: as for :meth:`where`. Macros, lists and exceptions are
        named where they stand; of a rule of ``rules`` it is told, too, whether it is
        disabled or an earlier rule takes the event.

        Returns an Explanation; where the raw events were kept and the plugin reports
        value offsets, it shows the bytes that a value came from. Raises KeyError when
        there is no such event, WorkbenchError for arguments in the other order.
        """
        check_explained(evt_num, condition)
        from workbench.condition.analysis.explain import explain

        own, compiled, table = self._prepare(condition, rules)
        numbers = table.column("evt.num").to_numpy()
        rows = np.flatnonzero(numbers == np.uint64(evt_num))
        if not len(rows):
            first, last = (numbers[0], numbers[-1]) if len(numbers) else (0, 0)
            raise KeyError(f"no event {evt_num} here (events {first} to {last})")
        at = int(rows[0])
        row = own.with_places(table.slice(at, 1), compiled.columns)
        found = explain(compiled, row, 0)
        if rules is None or not compiled.rule:
            return found
        notes = rules.alert_notes(compiled.rule, own[at : at + 1])
        return replace(found, notes=notes)

    @takes(condition=CONDITION, rules=RULES)
    def funnel(self, condition: Any, *, rules: RulesInHand | None = None) -> Funnel:
        """Count how many events pass each check, alone and in sequence.

        ``condition``, ``rules``: as for :meth:`where`; each macro has its own count.
        """
        from workbench.condition.analysis.funnel import funnel

        return funnel(*self._prepare(condition, rules)[1:])

    @takes(condition=CONDITION, rules=RULES)
    def near_misses(
        self, condition: Any, *, rules: RulesInHand | None = None
    ) -> NearMisses:
        """Find the events that fail by exactly one check, grouped by that check.

        ``condition``, ``rules``: as for :meth:`where`.
        """
        from workbench.condition.analysis.near_misses import near_misses

        return near_misses(*self._prepare(condition, rules)[1:])

    def _prepare(
        self, condition: Any, rules: RulesInHand | None = None
    ) -> tuple[Any, CompiledCondition, pa.Table]:
        """Compile a condition; return the events it sees and their table.

        A rule sees the events of its own source. The table has every column it needs.
        """
        compiled = compiled_condition(condition, self, rules)
        own: Any = self
        source = getattr(compiled, "source", "")
        if source and not self.source:
            own = self.by_source().get(source) or self[:0]
        return own, compiled, own.table_with(compiled.columns)

    def _matches(self, condition: Any, rules: RulesInHand | None = None) -> pa.Array:
        own, compiled, table = self._prepare(condition, rules)
        matches = compiled.mask(table)
        if own is self:
            return matches
        flags = np.zeros(len(self), dtype=bool)
        rows = source_rows(self.table).get(compiled.source)
        flags[[] if rows is None else rows] = matches.to_numpy(zero_copy_only=False)
        return pa.array(flags)

    def flags(self, mask: Any, rules: RulesInHand | None = None) -> pa.Array:
        """Return one flag per event from a condition, boolean Series, array or list.

        Raises ArgumentError for anything else.
        """
        if CONDITION.fits(mask):
            return self._matches(mask, rules)
        if not is_mask(mask):
            raise wrong("Events", "the mask", SELECTION.words, mask)
        if isinstance(mask, (pa.Array, pa.ChunkedArray)):
            flags = mask
        else:
            # What is absent was not chosen.
            filled = mask.fillna(False) if hasattr(mask, "fillna") else mask
            try:
                flags = pa.array(np.asarray(filled, dtype=bool))
            except (TypeError, ValueError, pa.ArrowInvalid):
                raise wrong("Events", "the mask", SELECTION.words, mask) from None
        if len(flags) != len(self):
            raise ArgumentError(
                f"the mask has {len(flags)} values for {len(self)} events; make it "
                "with mask(condition) of these events",
                argument="mask",
            )
        return flags
