"""What a configuration changes in rules and alerts: outputs, switches, fixed fields."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from workbench.fields.declarations import FieldInfo
from workbench.rules.compiling.output_stage import OutputAdditions
from workbench.rules.outputs.output import OutputFault, parse_output
from workbench.rules.running.alerts import AlertFormat

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from workbench.fields.declarations import FieldTable
    from workbench.rules.model.entries import RuleEntry
    from workbench.rules.outputs.output import Output
    from workbench.rules.target.target import Target

__all__ = [
    "ConfiguredAdditions",
    "ConfiguredForm",
    "switched",
    "wildcard_matches",
    "with_static_columns",
    "with_static_fields",
]


def _entries(appended: Sequence[Any], entry: RuleEntry) -> list[Any]:
    tags = frozenset(entry.tags)
    return [a for a in appended if a.matches(entry.source, entry.name, tags)]


class ConfiguredAdditions(OutputAdditions):
    """Adds what ``append_output`` entries say (objects with ``matches`` …)."""

    def __init__(self, appended: Sequence[Any]) -> None:
        """Take the entries in their order."""
        self._appended = appended

    def added_text(self, entry: RuleEntry, fields: FieldTable) -> str:
        """Give the texts to append to a rule's output, with blanks between."""
        parts = []
        for added in _entries(self._appended, entry):
            if added.output:
                parts.append(added.output)
            if added.suggested:
                parts += [
                    f"{name.replace('.', '_')}=%{name}"
                    for name, info in fields.items()
                    if info.add_output
                ]
        return " ".join(parts)

    def formats(self, entry: RuleEntry) -> list[str]:
        """Give the formats of extra fields."""
        return [
            f"%{name}" if text is None else text
            for added in _entries(self._appended, entry)
            for name, text in added.fields
        ]


@dataclass(slots=True)
class ConfiguredForm(AlertFormat):
    """An alert form that adds the extra fields of ``append_output``."""

    appended: Sequence[Any] = field(default_factory=list)

    def extra_fields(
        self, entry: RuleEntry, fields: Mapping[str, FieldInfo]
    ) -> tuple[tuple[str, Output, bool], ...]:
        """Give the fields to add to ``output_fields``."""
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


def wildcard_matches(pattern: str, text: str) -> bool:
    """Match ``*`` as the engine does: at the first occurrence, never going back."""
    head, *rest = pattern.split("*")
    if not text.startswith(head):
        return False
    if not rest:
        return text == pattern
    at = len(head)
    for piece in rest:
        if not piece:
            continue
        found = text.find(piece, at)
        if found < 0:
            return False
        at = found + len(piece)
    return not rest[-1] or at == len(text)


def switched(switches: Sequence[tuple[bool, str, str]]) -> Any:
    """Make the decision whether a rule is on: its own word, then each switch."""

    def enabled(entry: RuleEntry) -> bool:
        on = entry.enabled
        for enable, kind, pattern in switches:
            if kind == "rule":
                hit = wildcard_matches(pattern, entry.name)
            else:
                hit = pattern in entry.tags
            on = enable if hit else on
        return on

    return enabled


def with_static_fields(target: Target, static: Mapping[str, str]) -> Target:
    """Give a target whose sources know ``static.NAME`` fields too."""
    from workbench.rules.target.target import Target

    if not static:
        return target
    added = [FieldInfo(f"static.{name}", "string") for name in static]
    return Target(
        {
            name: [*target.fields_of(name).values(), *added]  # type: ignore[misc]
            for name in target.sources
        },
        target.plugin_versions,
        versions_known=target.versions_known,
    )


def with_static_columns(table: Any, static: Mapping[str, str]) -> Any:
    """Add the constant columns of ``static.NAME`` fields to a table."""
    import pyarrow as pa

    for name, value in static.items():
        raw = value.encode("utf-8", "surrogateescape")
        column = pa.array([raw], pa.binary())
        codes = pa.array([0] * table.num_rows, pa.int32())
        table = table.append_column(
            f"static.{name}", pa.DictionaryArray.from_arrays(codes, column)
        )
    return table
