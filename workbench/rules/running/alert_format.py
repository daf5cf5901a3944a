"""How alerts look, and what each rule adds to them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from workbench.rules.model.model import priority_named

if TYPE_CHECKING:
    from collections.abc import Mapping

    from workbench.fields.declarations import FieldInfo
    from workbench.rules.model.entries import RuleEntry
    from workbench.rules.outputs.output import Output

__all__ = ["AlertFormat", "AlertRule"]


@dataclass(frozen=True, slots=True)
class AlertFormat:
    """How alerts look: the switches of falco.yaml."""

    iso_time: bool = False
    include_message: bool = False
    include_output: bool = True
    include_output_fields: bool = True
    include_tags: bool = True
    hostname: str | None = None

    @property
    def time_field(self) -> str:
        """The field that lines begin with."""
        return "evt.time.iso8601" if self.iso_time else "evt.time"

    def extra_fields(
        self,
        entry: RuleEntry,  # noqa: ARG002
        fields: Mapping[str, FieldInfo],  # noqa: ARG002
    ) -> tuple[tuple[str, Output, bool], ...]:
        """Return fields to add to ``output_fields``: name, format, typed or as text."""
        return ()


@dataclass(slots=True)
class AlertRule:
    """What alerts of one rule need. ``index``: its position in definition order."""

    name: str
    priority: str
    source: str
    tags: tuple[str, ...]
    output: Output
    extra: tuple[tuple[str, Output, bool], ...] = ()
    index: int = 0

    @property
    def priority_name(self) -> str:
        """The priority as alerts write it."""
        known = priority_named(self.priority)
        return known.name if known else self.priority

    @property
    def columns(self) -> list[str]:
        """The columns that the output reads."""
        names = list(self.output.columns)
        for _, output, _ in self.extra:
            names += output.columns
        return names

    def prints_as(self, other: AlertRule) -> bool:
        """Whether lines of both are the same on the same event."""
        return (self.source, self.priority, self.output.text) == (
            other.source,
            other.priority,
            other.output.text,
        )
