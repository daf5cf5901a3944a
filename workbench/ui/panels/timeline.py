"""The timeline over a model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.ui.data.axis import TIME_AXIS, axis_fields
from workbench.ui.widgets.widgets import Timeline

if TYPE_CHECKING:
    from workbench.ui.state.model import LabModel

__all__ = ["TimelinePanel"]


class TimelinePanel:
    """Keeps a Timeline widget and the model's axis in step."""

    def __init__(self, model: LabModel) -> None:
        self.model = model
        self.widget = Timeline(fields=[TIME_AXIS])
        self.widget.lock = model.lock
        self.widget.handle("brush", self._on_brush)
        self.widget.observe(self._on_field, ["field"])

    def _on_brush(self, range: Any, version: int = 0) -> None:  # noqa: A002 - the message's key
        bins = self.model.axis.bins
        if not range:
            self.model.set_brush(None)
        elif version == bins.version:
            self.model.set_brush(bins.range_of(float(range[0]), float(range[1])))
        else:
            # Drawn on bins that are gone: show the present ones.
            self.model.touch("axis")

    def _on_field(self, change: Any) -> None:
        with self.model.lock:
            self.model.set_axis(str(change["new"]))

    def refresh(self, changes: set[str]) -> None:
        """Show what changed."""
        if changes & {"rows", "source"}:
            fields = axis_fields(self.model.store)
            if fields != self.widget.fields:
                self.widget.fields = fields
        if "source" in changes and self.model.axis.name != self.widget.field:
            self.widget.field = self.model.axis.name
        if changes & {"axis", "source"}:
            self.widget.data = self.model.axis.to_data()
