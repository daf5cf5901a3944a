"""What users or a configuration decide about running rules."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from workbench.fields.declarations import FieldInfo, FieldTable
from workbench.rules.model.model import level_named
from workbench.rules.running.alert_format import AlertFormat
from workbench.rules.target.target import Target

if TYPE_CHECKING:
    from collections.abc import Callable

    from workbench.rules.compiling.output_stage import OutputAdditions
    from workbench.rules.model.entries import RuleEntry
    from workbench.rules.running.switches import Selection

__all__ = ["RunOptions"]


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How rules run; the default is what Falco does without a configuration.

    ``priority``: least severe priority that is loaded, None for all. ``additions``:
    what is added to outputs. ``enabled``: decides in place of the rules' own key.
    ``static_fields``: pairs of NAME and the text of ``static.NAME`` in every event.
    ``selections``: only rules that are in all of them.
    All of it compares by value, so that what was compiled can be kept.
    """

    priority: str | None = None
    alert_format: AlertFormat = field(default_factory=AlertFormat)
    additions: OutputAdditions | None = None
    enabled: Callable[[RuleEntry], bool] | None = None
    static_fields: tuple[tuple[str, str], ...] = ()
    selections: tuple[Selection, ...] = ()

    @property
    def level(self) -> int:
        """The level of the priority. Raises ValueError for an unknown one."""
        return level_named(self.priority)

    def enables(self, entry: RuleEntry) -> bool:
        """Whether a rule runs."""
        on = entry.enabled if self.enabled is None else self.enabled(entry)
        return on and all(selection(entry) for selection in self.selections)

    def extended(self, target: Target) -> Target:
        """Return a target whose sources know the static fields too."""
        if not self.static_fields:
            return target
        added = [
            FieldInfo(f"static.{name}", "string") for name, _ in self.static_fields
        ]
        return Target(
            {
                source: FieldTable([*target.fields_of(source).values(), *added])
                for source in target.sources
            },
            target.plugin_versions,
            versions_known=target.versions_known,
        )
