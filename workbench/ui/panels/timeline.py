"""The timeline over a desk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.ui.data.axis import TIME_AXIS, axis_fields
from workbench.ui.widgets.widgets import Timeline

if TYPE_CHECKING:
    from workbench.ui.state.model import Desk

__all__ = ["TimelinePart"]


class TimelinePart:
    """Keeps a Timeline widget and the desk's axis in step."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.widget = Timeline(fields=[TIME_AXIS])
        self.widget.lock = desk.lock
        self.widget.handle("brush", self._on_brush)
        self.widget.observe(self._on_field, ["field"])

    def _on_brush(self, range: Any, version: int = 0) -> None:  # noqa: A002 - the message's key
        bins = self.desk.axis.bins
        if not range:
            self.desk.set_brush(None)
        elif version == bins.version:
            self.desk.set_brush(bins.range_of(float(range[0]), float(range[1])))
        else:
            # Drawn on bins that are gone: show the present ones.
            self.desk.touch("axis")

    def _on_field(self, change: Any) -> None:
        with self.desk.lock:
            self.desk.set_axis(str(change["new"]))

    def refresh(self, changes: set[str]) -> None:
        """Show what changed."""
        if changes & {"rows", "source"}:
            fields = axis_fields(self.desk.store)
            if fields != self.widget.fields:
                self.widget.fields = fields
        if "source" in changes and self.desk.axis.name != self.widget.field:
            self.widget.field = self.desk.axis.name
        if changes & {"axis", "source"}:
            self.widget.data = self.desk.axis.to_data()
