"""The timeline over a model."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from workbench.ui.data.axis import axis_fields

if TYPE_CHECKING:
    from workbench.ui.state.desk import Desk
    from workbench.ui.widgets.part import Part

__all__ = ["TimelinePanel"]


class TimelinePanel:
    """Keeps the timeline and the model's axis in step."""

    def __init__(self, part: Part, desk: Desk) -> None:
        self.part, self.desk, self.model = part, desk, desk.model
        part.handle(brush=self._on_brush, field=self._on_field)

    def _on_brush(self, range: Any, version: int = 0) -> None:  # noqa: A002 - the message's key
        bins = self.model.axis.bins
        if not range:
            after = replace(self.desk.doc, brush=None)
            self.desk.edit("clear the range", after)
        elif version == bins.version:
            chosen = bins.range_of(float(range[0]), float(range[1]))
            after = replace(self.desk.doc, brush=chosen)
            self.desk.edit("choose a range", after, key="brush")
        else:
            # Drawn on bins that are gone: show the present ones.
            self.model.touch("axis")

    def _on_field(self, name: str) -> None:
        if name in axis_fields(self.model.store):
            after = replace(self.desk.doc, axis=name, brush=None)
            self.desk.edit(f"axis {name}", after)

    def refresh(self, changes: set[str]) -> None:
        """Show what changed."""
        if changes & {"rows", "source"}:
            self.part.put(fields=axis_fields(self.model.store))
        if changes & {"axis", "source", "rows", "view"}:
            axis = self.model.axis
            inside = self.model.counts()["all"] if axis.brush else None
            self.part.put(field=axis.name, data={**axis.to_data(), "inside": inside})
