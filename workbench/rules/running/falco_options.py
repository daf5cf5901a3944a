"""What a falco.yaml changes in rules and alerts: outputs, switches, static fields."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from workbench.events.builtin_columns import host_name
from workbench.rules.compiling.output_stage import OutputAdditions
from workbench.rules.outputs.output import OutputFault, parse_output
from workbench.rules.running.alert_format import AlertFormat
from workbench.rules.running.options import RunOptions
from workbench.rules.running.switches import Switches

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from workbench.fields.declarations import FieldInfo, FieldTable
    from workbench.rules.model.entries import RuleEntry
    from workbench.rules.outputs.output import Output

__all__ = ["falco_options"]


def falco_options(config: Any) -> RunOptions:
    """Return how rules run under a configuration, a FalcoConfig."""
    appended = tuple(config.appended)
    return RunOptions(
        config.priority,
        _ConfiguredFormat(
            iso_time=config.time_iso,
            include_message=config.json_include_message,
            include_output=config.json_include_output,
            include_output_fields=config.json_include_output_fields,
            include_tags=config.json_include_tags,
            hostname=host_name(),
            appended=appended,
        ),
        _ConfiguredAdditions(appended),
        Switches(tuple(config.switches)),
        tuple(config.static_fields.items()),
    )


def _entries(appended: Sequence[Any], entry: RuleEntry) -> list[Any]:
    tags = frozenset(entry.tags)
    return [a for a in appended if a.matches(entry.source, entry.name, tags)]


@dataclass(frozen=True, slots=True)
class _ConfiguredAdditions(OutputAdditions):
    """Adds what entries of ``append_output`` hold (AppendedOutput)."""

    appended: tuple[Any, ...]

    def added_text(self, entry: RuleEntry, fields: FieldTable) -> str:
        """Return the texts to append to a rule's output, with blanks between."""
        texts = []
        for added in _entries(self.appended, entry):
            if added.output:
                texts.append(added.output)
            if added.suggested:
                texts += [
                    f"{name.replace('.', '_')}=%{name}"
                    for name, info in fields.items()
                    if info.add_output
                ]
        return " ".join(texts)

    def formats(self, entry: RuleEntry) -> list[str]:
        """Return the formats of extra fields."""
        return [
            f"%{name}" if text is None else text
            for added in _entries(self.appended, entry)
            for name, text in added.fields
        ]


@dataclass(frozen=True, slots=True)
class _ConfiguredFormat(AlertFormat):
    """An alert format that adds the extra fields of ``append_output``."""

    appended: tuple[Any, ...] = ()

    def extra_fields(
        self, entry: RuleEntry, fields: Mapping[str, FieldInfo]
    ) -> tuple[tuple[str, Output, bool], ...]:
        """Return the fields to add to ``output_fields``."""
        found = []
        for added in _entries(self.appended, entry):
            for name, text in added.fields:
                try:
                    output = parse_output(
                        f"*%{name}" if text is None else f"*{text}", fields
                    )
                except OutputFault:  # pragma: no cover - refused when rules were loaded
                    continue
                found.append((name, output, text is None))
        return tuple(found)
