"""A condition on a capture: what the worker leaves out, and what is decided here.

condition ─▶ columns to extract besides ─▶ program for the worker ─▶ rows that may match
─▶ the condition itself, on these few
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from workbench.arguments import wrong
from workbench.condition.execution.compile import CompiledCondition, CompiledSet
from workbench.events.conditions import compiled_condition
from workbench.fields.reference import resolve_column
from workbench.plugins.selection import Selection, select_columns

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa

    from workbench.fields.declarations import FieldTable
    from workbench.manifest import Manifest

__all__ = ["EventFilter", "Rules", "Where", "of_rules", "with_columns"]


class Rules(Protocol):
    """Rules, any of which may want an event: a RuleSet."""

    def conditions(self, against: Any, source: str | None = None) -> CompiledSet:
        """Return the conditions of the rules of a source."""

    def columns(self, against: Any, source: str | None = None) -> list[str]:
        """Return what conditions and outputs read."""


Where: TypeAlias = str | CompiledCondition | CompiledSet | Rules

# Columns that every chunk begins with: what a program calls them, their field types.
_ALWAYS = {"evt.num": (0, "uint64"), "evt.rawtime": (1, "abstime")}


def of_rules(
    where: Any, fields: Any, against: Any, source: str | None = None
) -> tuple[Any, Any]:
    """Return ``where`` and ``fields`` of a capture, taken from rules where it is some.

    ``fields``: None means what the rules read. ``against``: whose fields they name.
    """
    if where is None or not hasattr(where, "conditions") or hasattr(where, "plan"):
        return where, fields
    if fields is None:
        own = ("evt.num", "evt.rawtime", "evt.source")
        fields = [n for n in where.columns(against, source) if n not in own]
    return where.conditions(against, source), fields


class EventFilter:
    """A condition, or several of which one is enough, on the events of a capture.

    ``decides``: whether the rows that come are exactly those that match; otherwise
    whoever reads them has conditions of its own.
    """

    def __init__(
        self,
        where: Where,
        fields: FieldTable,
        *,
        decides: bool = True,
    ) -> None:
        """Compile ``where`` if it is a text. Raises ConditionError.

        Tells what is odd about a text as a ConditionWarning.
        """
        self.fields = fields
        compiled: Any = where
        if isinstance(where, str | bytes):
            compiled = compiled_condition(where, self, None)
        if not isinstance(compiled, CompiledCondition | CompiledSet):
            words = "a condition, what compile_condition returned, or a RuleSet"
            raise wrong("open", "where", words, where)
        self.where = compiled
        self.decides = decides
        # When the other columns are extracted; one of ``session.types.ORDERS``.
        self.order = "measured"
        # Longest time that an event waits for others, seconds.
        self.flush_sec = 0.02

    @property
    def columns(self) -> list[str]:
        """The columns that the condition reads and plugins or events have."""
        return [n for n in self.where.columns if not n.startswith("static.")]

    @property
    def options(self) -> dict[str, Any]:
        """Capture options besides the programs."""
        return {"order": self.order, "flush_sec": self.flush_sec}

    def notes(self, manifests: Sequence[Manifest]) -> tuple[str, ...]:
        """Return what people should know of events from plugins with ``manifests``."""
        if not any("parsing" in manifest.capabilities for manifest in manifests):
            return ()
        note = (
            "the capture left events out, and a plugin here keeps state from event to "
            "event: fields that are extracted later may differ from the live ones"
        )
        return (note,)

    def programs(self, selection: Selection) -> tuple[bytes, ...]:
        """Return what the worker evaluates over the columns of ``selection``."""
        from workbench.condition.execution.packing import PackedColumn, pack_stages

        known = {name: PackedColumn(*facts) for name, facts in _ALWAYS.items()}
        for number, request in enumerate(selection.requests, len(known)):
            known.setdefault(
                request.column, PackedColumn(number, request.type, request.is_list)
            )
        return pack_stages(self.where.plan, known)

    def matching(self, table: pa.Table) -> pa.Array:
        """Return for each row whether it matches, as the engine would decide."""
        import numpy as np
        import pyarrow as pa

        if isinstance(self.where, CompiledCondition):
            return self.where.mask(table)
        found = np.zeros(table.num_rows, np.bool_)
        for mask in self.where.masks(table):
            found |= mask.to_numpy(zero_copy_only=False)
        return pa.array(found)


def with_columns(
    wanted: Selection,
    columns: Sequence[str],
    fields: FieldTable,
    manifests: Sequence[Manifest],
    source: str,
) -> Selection:
    """Return ``wanted`` with what ``columns`` take besides; its columns stay."""
    extra = select_columns(
        [resolve_column(n, fields) for n in columns if n not in wanted.columns],
        manifests,
        source,
    )
    return Selection(
        requests=wanted.requests + extra.requests,
        generic=wanted.generic + extra.generic,
        payload=wanted.payload,
        columns=wanted.columns,
    )
